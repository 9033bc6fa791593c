"""Record first, then act.

The order, each step only when the one before it is done: X is asked for the item and what stands around it;
pictures and screenshots are written to the spool; the answers and the entry `decision` become durable in one
transaction; only then X is asked to act; what came of it becomes the entry `outcome`. A run that was cut off
is gone on with by running the same command again: a record that is planned is acted on, not made anew.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from archiver.errors import ArchiverError, ConfigurationError, SourceError, UsageError
from archiver.moderation.acting import Acted, Acting, undoes
from archiver.moderation.attachments import fetch_pictures, take_screenshots
from archiver.moderation.capture import GIVE_BY_HAND, ItemCapture, NeverShownError, NotCapturedError, Seen
from archiver.moderation.connecting import Connections
from archiver.moderation.decision import Facts, Given
from archiver.moderation.entries import EntryWriter
from archiver.moderation.fitting import check_fits
from archiver.moderation.item import PLATFORM, ItemName
from archiver.moderation.keeping import keep_entries, row_after
from archiver.moderation.screenshots import Screenshot
from archiver.records import ItemType, Moderation, ModerationAction, ModerationState
from archiver.register import Registered
from archiver.settings import AccountSettings, Settings
from archiver.state import KeyedHash
from archiver.times import format_time

_ON_THE_ITEM: Final = ("hidden", "removed")
"""Actions that have no sense once the item is not there any more."""
SAID_AGAIN: Final = "said when the same was decided on again"


class Decision(Struct, frozen=True, kw_only=True):
    """What a person wants done about one item. `given`: its content by hand, for when X does not show it.
    `done_ms`: when the person did it on X already. `anew`: make another record although there is one."""

    name: ItemName
    account: AccountSettings
    action: ModerationAction
    facts: Facts
    given: Given | None = None
    screenshots: Sequence[Screenshot] = ()
    done_ms: int | None = None
    anew: bool = False

    @property
    def is_of_ours(self) -> bool:
        """Whether the item's address names our own account."""
        return bool(self.name.handle) and self.name.handle.lower() == (self.account.handle or "").lower()  # type: ignore[union-attr]  # looked at before

    def hash(self, key: KeyedHash) -> bytes:
        """By which the same decision is known again: all that a person says but who says it."""
        files = [(one.media_type, one.size) for one in self.screenshots]
        return key(msgspec.msgpack.encode((self.facts, self.given, self.done_ms, files)))


class Recorded(Struct, frozen=True, kw_only=True):
    """A decision that is on record, before anything is done about it. `known`: the record was there before;
    `added`: what was said anew is a further entry of it. `entry`: the decision, where it was made now.
    `notes`: what to know beside. `short`: something is missing."""

    row: Registered
    known: bool = False
    added: bool = False
    entry: Moderation | None = None
    notes: tuple[str, ...] = ()
    short: bool = False


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
        self._key = KeyedHash.of(writer.spool.identity)
        self._acting = Acting(settings, writer, connections)

    def moderate(self, decision: Decision, on_recorded: Callable[[Recorded], None]) -> Acted:
        """Record, then act; `on_recorded` is told when the record is durable and nothing is done yet. Raise
        NotCapturedError where X does not show the item and its content is not given, UsageError for an action
        that does not fit the item; then nothing was recorded and nothing done."""
        recorded = self._record(decision)
        on_recorded(recorded)
        row = recorded.row
        if row.is_pending and recorded.known and decision.done_ms is not None:
            return self._acting.confirm(row, decision.done_ms, None)
        said = recorded.entry.outcome if recorded.entry is not None else None
        return self._acting.act(row) if row.is_pending else Acted(row=row, said=said)

    def _record(self, decision: Decision) -> Recorded:
        known = self._known(decision, [decision.name.id])
        if known is not None:
            with self._spool.appending():
                return self._add(known, decision, None)
        check_fits(decision.name, decision.action, is_own=None)
        seen, notes = self._see(decision)
        is_own = _is_own(decision.account, seen)
        check_fits(decision.name, decision.action, is_own=is_own)
        if decision.done_ms is not None and seen.posted_ms is not None and decision.done_ms < seen.posted_ms:
            raise UsageError(
                f"{decision.action} at {format_time(decision.done_ms)[:16]}Z would be before it was posted",
                f"it was posted at {format_time(seen.posted_ms)[:16]}Z: look at --done-at",
            )
        with self._spool.appending():
            entry = self._entry(decision, seen)
            with self._spool.registering():  # another run may have recorded the same meanwhile
                gone = seen.content == "unseen"
                known = self._known(decision, [seen.item_id, *seen.edit_ids], is_gone=gone)
                if known is None:
                    said = {entry.record_id: decision.hash(self._key)}
                    keep_entries(self._spool, [entry], seen.answers, said_hashes=said)
            if known is not None:
                return self._add(known, decision, seen)
        lost = [f"{one.file_name}: {one.missing}" for one in entry.attachments if one.missing]
        missing = [f"not captured: {one}" for one in (*entry.context_missing, *lost)]
        return Recorded(
            row=row_after(None, entry),
            entry=entry,
            notes=(*notes, *seen.notes, *missing),
            short=seen.short or entry.content == "unseen" or bool(lost),
        )

    # What is there already

    def _known(
        self, decision: Decision, ids: Sequence[str | None], *, is_gone: bool = False
    ) -> Registered | None:
        """The record of the same action on the same item, where there is one that still stands. `is_gone`:
        also one that could not be carried out, because the item was not there. Raise UsageError where an
        earlier record is still to undo what is decided on now."""
        if decision.anew:
            return None
        of = (PLATFORM, decision.account.id)
        rows = [row for one in dict.fromkeys(ids) if one for row in self._spool.register.about(*of, one)]
        rows = [row for row in rows if _kind_of(row) == decision.name.kind]
        for row in rows:
            if undoes(row, decision.action):
                raise UsageError(
                    f"by the record {row.record_id} it is still to be {row.action}",
                    f"call that off, which also does this: archiver moderation reverse {row.record_id[:8]}",
                )
        standing = [row for row in rows if row.action == row.decided == decision.action]
        lasting = [row for row in standing if is_gone or row.state != "failed" or row.way is not None]
        return lasting[-1] if lasting else None

    def _add(self, row: Registered, decision: Decision, seen: Seen | None) -> Recorded:
        """What a person says anew of a known record, as a further entry; the same again adds nothing. Content
        by hand is added where X did not show the item, screenshots always."""
        said_hash = decision.hash(self._key)
        if row.said_hash == said_hash:
            return Recorded(row=row, known=True, short=row.state == "failed")
        fields = dict(decision.facts.said)
        notes: tuple[str, ...] = ()
        if decision.given is not None and row.state == "failed" and row.way is None:
            given = msgspec.structs.asdict(decision.given)
            fields |= {"content": "given", **{name: value for name, value in given.items() if value}}
        elif decision.given is not None:
            notes = ("the item is on record: its content as given by hand was not used",)
        files = take_screenshots(
            self._spool, decision.account.id, self._writer.make_id(), decision.screenshots
        )
        if files:
            fields["attachments"] = tuple(files)
        row = self._writer.add(row, "correction", SAID_AGAIN, said_hash=said_hash, **fields)
        return Recorded(row=row, known=True, added=True, notes=notes, short=row.state == "failed")

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


def _kind_of(row: Registered) -> str:
    """As an item's name has it."""
    return row.item_type if row.item_type in ("message", "user") else "post"


def _address(name: ItemName, seen: Seen) -> str:
    handle = seen.author_handle or name.handle
    return msgspec.structs.replace(name, id=seen.item_id, handle=handle).url
