"""Record first, then act.

The order, each step only when the one before it is done: X is asked for the item and what stands around it;
pictures and screenshots are written to the spool; the answers and the entry `decision` become durable in one
transaction; only then X is asked to act; what came of it becomes the entry `outcome`. A run that was cut off
is gone on with by running the same command again: a record that is planned is acted on, not made anew.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from archiver.errors import ConfigurationError, SourceError, UsageError
from archiver.moderation.acting import Acted, Acting
from archiver.moderation.attachments import fetch_pictures, take_screenshots
from archiver.moderation.capture import GIVE_BY_HAND, ItemCapture, NeverShownError, NotCapturedError, Seen
from archiver.moderation.connecting import Connections
from archiver.moderation.decision import Facts, Given
from archiver.moderation.entries import Register
from archiver.moderation.item import PLATFORM, ItemName
from archiver.moderation.keeping import keep_entries, row_after
from archiver.moderation.screenshots import Screenshot
from archiver.records import ItemType, Moderation, ModerationAction
from archiver.register import Registered
from archiver.settings import AccountSettings, Settings

_ON_THE_ITEM: Final = ("hidden", "removed")
"""Actions that have no sense once the item is not there any more."""
_ON_OTHERS: Final = ("blocked", "muted", "reported", "warned")


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


class Moderated(Struct, frozen=True, kw_only=True):
    """What came of it. `known`: the record was there before. `entry`: the decision, where it was made now.
    `by_hand`: why a person has to act. `notes`: what to know beside. `short`: something is missing."""

    acted: Acted
    known: bool = False
    entry: Moderation | None = None
    by_hand: str | None = None
    notes: tuple[str, ...] = ()
    short: bool = False

    @property
    def row(self) -> Registered:
        return self.acted.row


class Moderator:
    """Deals with items on behalf of the accounts in the settings."""

    def __init__(self, settings: Settings, register: Register, connections: Connections) -> None:
        self._settings = settings
        self._register = register
        self._connections = connections
        self._spool = register.spool
        self._acting = Acting(settings, register, connections)

    def moderate(self, decision: Decision) -> Moderated:
        """Record and act. Raise NotCapturedError where X does not show the item and its content is not given,
        UsageError for an action that does not fit the item; then nothing was recorded and nothing done."""
        known = self._known(decision, decision.name.id)
        if known is not None:
            return self._go_on(known, decision)
        seen, notes = self._see(decision)
        _check_fits(decision, seen)
        # Another run may have recorded the same meanwhile.
        with self._spool.appending():
            known = self._known(decision, seen.item_id)
            if known is None:
                entry, by_hand = self._entry(decision, seen)
                keep_entries(self._spool, [entry], seen.answers)
        if known is not None:
            return self._go_on(known, decision)
        row = row_after(None, entry)
        is_open = row.state == "planned"
        missing = [*entry.context_missing, *_lost_pictures(entry)]
        return Moderated(
            acted=self._acting.act(row) if is_open else Acted(row=row, said=entry.outcome),
            entry=entry,
            by_hand=by_hand if is_open else None,
            notes=(*notes, *(f"not captured: {one}" for one in missing)),
            short=seen.short or entry.content == "unseen" or bool(_lost_pictures(entry)),
        )

    # What is there already

    def _known(self, decision: Decision, item_id: str | None) -> Registered | None:
        """The record of the same action on the same item, where there is one that still stands."""
        if item_id is None or decision.anew:
            return None
        rows = self._spool.register.about(PLATFORM, decision.account.id, item_id)
        return next((row for row in reversed(rows) if row.action == decision.action), None)

    def _go_on(self, row: Registered, decision: Decision) -> Moderated:
        if row.state == "done" or row.way is None:
            return Moderated(acted=Acted(row=row), known=True)
        if decision.done_ms is not None:
            return Moderated(acted=self._acting.confirm(row, decision.done_ms, None), known=True)
        return Moderated(acted=self._acting.act(row), known=True)

    # What X shows

    def _see(self, decision: Decision) -> tuple[Seen, tuple[str, ...]]:
        """What X shows, else what was given by hand."""
        given = decision.given
        try:
            seen = self._ask(decision)
        except (SourceError, ConfigurationError) as error:
            if given is None:
                hint = error.hint if isinstance(error, NotCapturedError) else _both(error.hint, GIVE_BY_HAND)
                raise NotCapturedError(error.message, hint or GIVE_BY_HAND) from error
            unshown = Seen(
                item_type=None,
                item_id=decision.name.id or "",
                content="unseen",
                unseen=error.message,
                short=not isinstance(error, NeverShownError),
            )
            return _given(decision, given, unshown), (f"as given by hand: {error.message}",)
        if seen.content == "captured":
            unused = ("X showed the item: its content as given by hand was not used",) if given else ()
            return seen, unused
        if given is not None:
            return _given(decision, given, seen), (f"as given by hand: {seen.unseen}",)
        return seen, (f"recorded is what is known: {seen.unseen}",)

    def _ask(self, decision: Decision) -> Seen:
        account = decision.account
        if decision.name.kind == "message":
            raise NeverShownError("a single direct message cannot be asked for")
        if account.api is None:
            raise NeverShownError(
                f"the settings do not let X be asked for @{account.handle or account.id}",
                f"add [account.api] to its settings; or {GIVE_BY_HAND.partition('; ')[2]}",
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

    def _entry(self, decision: Decision, seen: Seen) -> tuple[Moderation, str | None]:
        """The decision as an entry, its files in the spool; why a person has to act, if one has."""
        record_id = self._register.make_id()
        now_ms = self._register.clock()
        account, facts = decision.account, decision.facts
        action, state, way, outcome, by_hand = self._plan(decision, seen)
        done_by_hand = state == "done" and decision.done_ms is not None
        entry = Moderation(
            id=record_id,
            record_id=record_id,
            number=1,
            entry="decision",
            entered_ms=now_ms,
            entered_by=self._register.by,
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
                *take_screenshots(self._spool, account, record_id, decision.screenshots),
            ),
            context_sha256=seen.context_sha256,
            context_missing=seen.context_missing,
            action=action,
            state=state,
            way=way,
            outcome=outcome,
            action_ms=decision.done_ms if done_by_hand else None,
            action_by=self._register.by if done_by_hand else None,
        )
        usual = {"detected_ms": now_ms, "detected_by": self._register.by, "detection": "staff"}
        return msgspec.structs.replace(entry, **{**usual, **facts.said}), by_hand

    def _plan(
        self, decision: Decision, seen: Seen
    ) -> tuple[ModerationAction, Any, Any, str | None, str | None]:
        """Action, state, way, outcome, and why by hand."""
        action = decision.action
        if action == "none":
            return action, "done", None, None, None
        if seen.content == "unseen" and seen.unseen and action in _ON_THE_ITEM and seen.answers:
            return action, "failed", None, f"nothing was done: {seen.unseen}", None
        if decision.done_ms is not None:
            return action, "done", "hand", None, None
        target = seen.author_id if action == "muted" else seen.item_id
        hand = self._acting.by_hand(decision.account, action, target)
        return action, "planned", "api" if hand is None else "hand", None, hand.why if hand else None


def _check_fits(decision: Decision, seen: Seen) -> None:
    """Raise UsageError for an action that the item does not allow."""
    is_own = seen.item_type == "own_post"
    if decision.action == "removed" and seen.item_type is not None and not is_own:
        raise UsageError(
            "only its author, or X itself, can remove a post of others",
            "take it out of sight with --action hide, or tell X with --action report",
        )
    if decision.action in _ON_OTHERS and is_own:
        raise UsageError(f"{decision.name.words} is the account's own", "use --action remove, or none")


def _given(decision: Decision, given: Given, seen: Seen) -> Seen:
    """The item as a person wrote it down, with what X said instead."""
    own = (decision.account.handle or "").lower() == given.author_handle.lower()
    return msgspec.structs.replace(
        seen,
        item_type="own_post" if own else _type_of(decision.name),
        author_id=decision.account.id if own else given.author_id,
        author_handle=given.author_handle,
        author_name=given.author_name,
        posted_ms=given.posted_ms,
        text=given.text,
    )


def _type_of(name: ItemName) -> ItemType:
    """Of an item that nobody has seen."""
    return "message" if name.kind == "message" else "user" if name.kind == "user" else "comment"


def _address(name: ItemName, seen: Seen) -> str:
    handle = seen.author_handle or name.handle
    return msgspec.structs.replace(name, id=seen.item_id, handle=handle).url


def _lost_pictures(entry: Moderation) -> list[str]:
    return [f"{one.file_name}: {one.missing}" for one in entry.attachments if one.missing]


def _both(first: str | None, second: str) -> str:
    return second if first is None else f"{first}; {second}"
