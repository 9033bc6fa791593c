"""Record first, then act.

The order, each step only when the one before it is done: X is asked for the item and what stands around it;
pictures and screenshots are written to the spool; the answers and the entry `decision` become durable in one
transaction; only then X is asked to act; what came of it becomes the entry `outcome`. A run that was cut off
is gone on with by running the same command again: a record that is planned is acted on, not made anew.
"""

from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Struct

from archiver.errors import ArchiverError, ConfigurationError, SourceError, UsageError
from archiver.moderation.acting import Acted, Acting, check_after
from archiver.moderation.attachments import fetch_pictures, take_screenshots
from archiver.moderation.capture import GIVE_BY_HAND, ItemCapture, NeverShownError, NotCapturedError, Seen
from archiver.moderation.connecting import Connections
from archiver.moderation.decision import Given
from archiver.moderation.entries import EntryWriter
from archiver.moderation.fitting import check_fits
from archiver.moderation.item import PLATFORM, ItemName
from archiver.moderation.keeping import keep_entries, row_after
from archiver.moderation.known import Decision, Known, Recorded
from archiver.records import ItemType, Moderation, ModerationState
from archiver.register import Registered
from archiver.settings import AccountSettings, Settings

_ON_THE_ITEM: Final = ("hidden", "removed")
"""Actions that have no sense once the item is not there any more."""


class _Plan(Struct, frozen=True, kw_only=True):
    """What the decision's entry says of the action."""

    state: ModerationState
    way: Literal["api", "hand"] | None = None
    outcome: str | None = None
    action_ms: int | None = None
    action_by: str | None = None


class Moderator:
    """Deals with items on behalf of the accounts in the settings."""

    def __init__(self, settings: Settings, writer: EntryWriter, connections: Connections) -> None:
        self._settings = settings
        self._writer = writer
        self._connections = connections
        self._spool = writer.spool
        self._known = Known(writer)
        self._acting = Acting(settings, writer, connections)

    def moderate(self, decision: Decision, on_recorded: Callable[[Recorded], None]) -> Acted:
        """Record, then act; `on_recorded` is told when the record is durable and nothing is done yet. Raise
        NotCapturedError where X does not show the item and its content is not given, UsageError for an action
        that does not fit the item; then nothing was recorded and nothing done."""
        recorded = self._record(decision)
        on_recorded(recorded)
        row = recorded.row
        if recorded.known and decision.done_ms is not None:
            return self._done_by_hand(row, decision.done_ms)
        said = recorded.entry.outcome if recorded.entry is not None else None
        return self._acting.act(row) if row.is_pending else Acted(row=row, said=said)

    def _done_by_hand(self, row: Registered, done_ms: int) -> Acted:
        """A person says of a known record when it was done on X."""
        if row.state != "done":
            return self._acting.confirm(row, done_ms, None)
        if row.way != "hand":
            return Acted(row=row, said="on record as done by this program: --done-at is not used")
        correct = f"correct {row.record_id[:8]} --done-at …"
        return Acted(row=row, said=f"on record as done by hand; another time: archiver moderation {correct}")

    def _record(self, decision: Decision) -> Recorded:
        known = self._known.find(decision, decision.name.id)
        if known is not None:
            with self._spool.appending():
                return self._known.add(known, decision)
        check_fits(decision.name, decision.action, is_own=None)
        seen, notes = self._see(decision)
        is_own = _is_own(decision.account, seen)
        check_fits(decision.name, decision.action, is_own=is_own)
        if decision.done_ms is not None:
            check_after(decision.done_ms, seen.posted_ms, decision.action)
        with self._spool.appending():
            entry = self._entry(decision, seen)
            lost = [f"{one.file_name}: {one.missing}" for one in entry.attachments if one.missing]
            short = seen.short or entry.content == "unseen" or bool(lost)
            with self._spool.registering():  # another run may have recorded the same meanwhile
                known = self._known.find(decision, seen.item_id, seen)
                if known is None:
                    said = self._known.hash(decision, with_given=entry.content == "given", short=short)
                    keep_entries(self._spool, [entry], seen.answers, said_hashes={entry.record_id: said})
            if known is not None:
                return self._known.add(known, decision)
        missing = [f"not captured: {one}" for one in (*entry.context_missing, *lost)]
        return Recorded(
            row=row_after(None, entry),
            entry=entry,
            notes=(*notes, *seen.notes, *self._known.other_versions(decision, seen), *missing),
            short=short,
        )

    # What X shows

    def _see(self, decision: Decision) -> tuple[Seen, tuple[str, ...]]:
        """What X shows, else what was given by hand."""
        given = decision.given
        try:
            seen = self._ask(decision)
        except (SourceError, ConfigurationError) as error:
            if given is None:
                raise _unshown(error) from error
            seen = Seen(
                item_type=None,
                item_id=decision.name.id or given.author_id or "",
                content="unseen",
                unseen=error.message,
                short=not isinstance(error, NeverShownError),
            )
            if not seen.item_id:
                raise UsageError(
                    f"X does not show {decision.name.words}: {error.message}",
                    "an account by hand needs its number as well: --author-id",
                ) from error
        if seen.content == "captured":
            unused = ("X showed the item: its content as given by hand was not used",) if given else ()
            return seen, unused
        if given is not None:
            return _given(decision, given, seen), (f"as given by hand: {seen.unseen}",)
        own: ItemType | None = "own_post" if decision.is_of_ours else None
        return msgspec.structs.replace(seen, item_type=own), (f"recorded is what is known: {seen.unseen}",)

    def _ask(self, decision: Decision) -> Seen:
        account = decision.account
        if decision.name.kind == "message":
            raise NeverShownError(
                "a single direct message cannot be asked for", "give it: --text, --author and --posted-at"
            )
        if account.api is None:
            raise NeverShownError(
                f"the settings do not let X be asked for @{account.handle or account.id}",
                "add [account.api] to its settings; or say what stands there: --text, --author, --posted-at",
            )
        capture = ItemCapture(
            self._connections.client(account, account.api),
            account,
            account.api,
            self._settings.x_api.prices,
            self._spool,
            self._connections.patience(),
            self._settings.moderation.thread_posts,
        )
        return capture.capture(decision.name)

    # The entry

    def _entry(self, decision: Decision, seen: Seen) -> Moderation:
        """The decision as an entry, its files in the spool."""
        record_id = self._writer.make_id()
        now_ms = self._writer.clock()
        account = decision.account
        entry = Moderation(
            id=record_id,
            record_id=record_id,
            number=1,
            entry="decision",
            entered_ms=now_ms,
            entered_by=self._writer.by,
            platform=PLATFORM,
            account=account.id,
            account_handle=account.handle,
            item_type=seen.item_type or _type_of(decision.name),
            item_id=seen.item_id,
            item_url=_address(decision.name, seen),
            content="given" if decision.given and seen.unseen else seen.content,
            unseen=seen.unseen,
            author_id=seen.author_id,
            author_handle=seen.author_handle,
            author_name=seen.author_name,
            posted_ms=seen.posted_ms,
            text=seen.text,
            language=seen.language,
            attachments=(
                *fetch_pictures(self._spool, self._connections, account, seen.pictures),
                *take_screenshots(self._spool, account.id, record_id, decision.screenshots),
            ),
            context_sha256=seen.context_sha256,
            context_missing=seen.context_missing,
            action=decision.action,
            state="planned",
        )
        plan = self._plan(decision, seen, row_after(None, entry))
        usual = {"detected_ms": now_ms, "detected_by": self._writer.by, "detection": "staff"}
        said = {**usual, **decision.facts.said, **msgspec.structs.asdict(plan)}
        return msgspec.structs.replace(entry, **said)

    def _plan(self, decision: Decision, seen: Seen, row: Registered) -> _Plan:
        if decision.action == "none":
            return _Plan(state="done")
        if decision.done_ms is not None:
            return _Plan(state="done", way="hand", action_ms=decision.done_ms, action_by=self._writer.by)
        # X said so itself: its answer is on record.
        if seen.content == "unseen" and seen.answers and decision.action in _ON_THE_ITEM:
            return _Plan(state="failed", outcome=f"nothing was done: {seen.unseen}")
        return _Plan(state="planned", way="api" if self._acting.by_hand(row) is None else "hand")


def _unshown(error: ArchiverError) -> ArchiverError:
    """Why nothing was recorded and nothing done, and what else there is to do."""
    if isinstance(error, NotCapturedError):
        return error
    hint = GIVE_BY_HAND if error.hint is None else f"{error.hint}; {GIVE_BY_HAND}"
    if isinstance(error, ConfigurationError):
        return ConfigurationError(error.message, hint)
    return NotCapturedError(error.message, hint)


def _is_own(account: AccountSettings, seen: Seen) -> bool | None:
    """Whether the account wrote the item, or is it; None where nothing is known of its author."""
    if seen.item_type == "own_post" or seen.author_id == account.id:
        return True
    return None if seen.author_id is None and seen.author_handle is None else False


def _given(decision: Decision, given: Given, seen: Seen) -> Seen:
    """The item as a person wrote it down, with what X said instead."""
    handle = (decision.account.handle or "").lower()
    own = decision.name.kind == "post" and handle == given.author_handle.lower()
    return msgspec.structs.replace(
        seen,
        item_type="own_post" if own else None,
        author_id=decision.account.id if own else given.author_id,
        author_handle=given.author_handle,
        author_name=given.author_name,
        posted_ms=given.posted_ms,
        text=given.text,
    )


def _type_of(name: ItemName) -> ItemType | None:
    """Of an item that nobody here has seen: of a post it is not known whether it answers anything."""
    return "message" if name.kind == "message" else "user" if name.kind == "user" else None


def _address(name: ItemName, seen: Seen) -> str:
    handle = seen.author_handle or name.handle
    return msgspec.structs.replace(name, id=seen.item_id, handle=handle).url
