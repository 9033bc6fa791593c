"""Doing what a record says, after the record is durable; what came of it is a further entry.

Each act through X's interface has the same effect however often it is asked for. So where a kill leaves open
whether X did it, it is asked for again, and the record gets one outcome. What the settings allow counts when
the act is done, not when it was decided on.
"""

from typing import Any, Final

from msgspec import Struct, structs

from archiver.errors import ArchiverError, IncompleteError, UsageError
from archiver.moderation.clicks import item_address, what_to_click
from archiver.moderation.connecting import Connections
from archiver.moderation.decision import API_ACTS, OF_AUTHOR, REVERSALS
from archiver.moderation.entries import EntryWriter
from archiver.moderation.item import PLATFORM
from archiver.records import ModerationAction
from archiver.register import OvertakenError, Registered
from archiver.settings import AccountSettings, Settings
from archiver.settings.api import Act
from archiver.sources.x.times import snowflake_ms
from archiver.sources.x_api.acts import ApiAct, perform
from archiver.sources.x_api.errors import ActRefusedError
from archiver.sources.x_api.tokens import Keys, can_act, missing_act_scopes
from archiver.times import format_time

_ACTS: Final[dict[str, ApiAct]] = {
    "hidden": "hide",
    "unhidden": "unhide",
    "removed": "remove",
    "muted": "mute",
    "unmuted": "unmute",
}
_BY_HAND: Final = {
    "blocked": "X lets no program block",
    "unblocked": "X lets no program unblock",
    "reported": "X lets no program report",
    "reinstated": "X brings no deleted post back",
}
UNDOING: Final = frozenset(REVERSALS.values())
_BACK: Final = [(undo, action) for action, undo in REVERSALS.items() if undo != "reinstated"]
_UNDO: Final = dict[str, ModerationAction]([*REVERSALS.items(), *_BACK])
"""What undoes each action, an undoing that was only planned included."""
_TRIES: Final = 3
"""So often an entry is tried again where another run has added to the record meanwhile."""


class Acted(Struct, frozen=True, kw_only=True):
    """What came of an act. `clicks`: what a person is to do, `by_hand`: why a person. `error`: why it is not
    done, or not known to be."""

    row: Registered
    said: str | None = None
    clicks: str | None = None
    by_hand: str | None = None
    error: ArchiverError | None = None


def undoes(row: Registered, action: str) -> bool:
    """Whether a record's action, still to be done, would undo this one."""
    return row.is_pending and row.action in UNDOING and _UNDO.get(row.action or "") == action


def can_be_reversed(row: Registered) -> bool:
    """Whether there is something to undo, or to call off."""
    return row.is_pending or (row.state == "done" and row.action in REVERSALS)


class Acting:
    """Acts on behalf of the accounts in the settings."""

    def __init__(self, settings: Settings, writer: EntryWriter, connections: Connections) -> None:
        self._settings = settings
        self._writer = writer
        self._connections = connections

    def account(self, row: Registered) -> AccountSettings | None:
        """The account that a record is of; None where the settings do not name it."""
        found = (
            one for one in self._settings.accounts if (one.platform, one.id) == (row.platform, row.account)
        )
        return next(found, None)

    def by_hand(self, row: Registered) -> str | None:
        """Why a person has to do a record's action; None where this program may and can."""
        action = row.action or ""
        act = API_ACTS.get(action)
        account = self.account(row)
        if row.platform != PLATFORM:
            return "this program acts on X only"
        if act is None:
            return _BY_HAND.get(action, "this is for a person to do")
        if account is None or account.api is None:
            return "the settings do not let X be asked for this account"
        if act not in account.api.acts:
            return f'the settings do not let this program {act}: acts = ["{act}"] in [account.api]'
        if _target_of(row) is None:
            return "the author's number is not known" if action in OF_AUTHOR else "the item has no number"
        try:
            keys = self._connections.client(account, account.api).keys
        except ArchiverError:
            return None  # what is wrong with the keys is said when they are used
        return _without_permission(account, keys, act)

    def act(self, row: Registered) -> Acted:
        """Do what a record plans, and add what came of it. Its entries are durable already. Where X cannot be
        asked now, or a person has to do it, the record stays as it is."""
        row = self._writer.fresh(row)
        if not row.is_pending:
            return Acted(row=row)  # another run did it meanwhile
        clicks, why = what_to_click(row), self.by_hand(row)
        account, target = self.account(row), _target_of(row)
        if why is not None or account is None or account.api is None or target is None:
            return Acted(row=row, clicks=clicks, by_hand=why)
        if (newer := self._newer(row)) is not None:
            doubt = IncompleteError(
                f"it is not {row.action}: by the newer record {newer.record_id} it is to be {newer.action}",
                f"call off the one that is not wanted: archiver moderation reverse {row.record_id[:8]}",
            )
            return Acted(row=row, error=doubt, clicks=clicks)
        if (row.state, row.way) != ("planned", "api"):  # on record, before X may do it
            row = self._writer.add(row, "outcome", action=row.action, state="planned", way="api")
        try:
            client = self._connections.client(account, account.api)
            said = perform(client, _ACTS[row.action or ""], target, self._connections.patience())
        except ActRefusedError as error:
            failed = self._add_outcome(row, state="failed", way="api", outcome=error.message)
            return Acted(row=failed, error=None if failed.state == "done" else error, clicks=clicks)
        except ArchiverError as error:
            return Acted(row=row, error=error, clicks=clicks)
        return Acted(row=self._note_done(row, said, client.now_ms()), said=said)

    def _newer(self, row: Registered) -> Registered | None:
        """A later decision on the same target which a record's undoing would undo."""
        undone = _UNDO.get(row.action or "") if row.action in UNDOING else None
        same = self._writer.of_target(row) if undone is not None else []
        newer = [one for one in same if one.entered_ms > row.entered_ms and one.action == undone]
        return newer[-1] if newer else None

    def _note_done(self, row: Registered, said: str, now_ms: int) -> Registered:
        try:
            return self._add_outcome(
                row, state="done", way="api", action_ms=now_ms, action_by=self._writer.by, outcome=said
            )
        except ArchiverError as error:
            raise ArchiverError(
                f"it was done on X, and that could not be recorded: {error.message}",
                f"{error.hint + '; then ' if error.hint else ''}archiver moderation pending --finish",
            ) from error

    def _add_outcome(self, row: Registered, **fields: Any) -> Registered:
        """What came of an action, once: where another run has noted meanwhile that it is done, its entry
        stands."""
        for _ in range(_TRIES):
            try:
                return self._writer.add(row, "outcome", action=row.action, **fields)
            except OvertakenError:
                now = self._writer.fresh(row)
                if now.action != row.action:
                    raise
                if now.state == "done":
                    return now
                row = now
        return self._writer.add(row, "outcome", action=row.action, **fields)

    # What a person says

    def confirm(self, row: Registered, action_ms: int, note: str | None) -> Acted:
        """A person did it on the platform. Raise UsageError where nothing is to be done, and for a time at
        which the item was not there yet."""
        if row.platform == PLATFORM and row.item_type != "user" and row.item_id:
            check_after(action_ms, snowflake_ms(row.item_id), row.action or "done")
        if row.state == "done":
            raise UsageError(
                f"in the record {row.record_id} nothing is to be done: {row.action}, {row.state}",
                f"see: archiver moderation show {row.record_id[:8]}",
            )
        done = self._writer.add(
            row,
            "outcome",
            note,
            state="done",
            way="hand",
            action=row.action,
            action_ms=action_ms,
            action_by=self._writer.by,
        )
        return Acted(row=done, said="done by hand")

    def reverse(self, row: Registered, note: str, authorised_by: str | None) -> Acted:
        """Record that an action is to be undone, then undo it. One that is planned for a person, or that X
        refused, is called off; one that X may have done already is undone. What cannot be undone, as a
        warning, is taken back in the record alone. Raise UsageError where there is nothing to undo."""
        settled = row.action == "none" or row.state != "done" or row.action in UNDOING or row.taken_back
        if not row.is_pending and settled:
            raise UsageError(
                f"in the record {row.record_id} there is nothing to undo: {row.action}, {row.state}",
                "for the item anew: archiver moderate",
            )
        undo = _UNDO.get(row.action or "")
        if not row.is_pending and undo is None:
            taken_back = self._writer.add(row, "reversal", note, authorised_by=authorised_by)
            return Acted(row=taken_back, said="taken back in the record; it cannot be undone on the platform")
        if row.is_pending and not (row.state == "planned" and row.way == "api" and undo in _ACTS):
            return self._call_off(row, note, authorised_by)
        by_hand = self.by_hand(structs.replace(row, action=undo))
        planned = self._writer.add(
            row,
            "reversal",
            note,
            action=undo,
            state="planned",
            way="api" if by_hand is None else "hand",
            authorised_by=authorised_by,
        )
        return self.act(planned)

    def _call_off(self, row: Registered, note: str, authorised_by: str | None) -> Acted:
        called_off = self._writer.add(
            row, "reversal", note, action="none", state="done", authorised_by=authorised_by
        )
        if row.state != "planned" or row.way != "api":
            return Acted(row=called_off, said=f"{row.action} is called off")
        doubt = IncompleteError(
            f"{row.action} is called off, and X may have done it before", f"look: {item_address(row)}"
        )
        return Acted(row=called_off, error=doubt)


def check_after(done_ms: int, posted_ms: int | None, action: str) -> None:
    """Raise UsageError where an item is said to be dealt with before it was posted."""
    if posted_ms is not None and done_ms < posted_ms:
        raise UsageError(
            f"{action} at {format_time(done_ms)[:16]}Z would be before it was posted",
            f"it was posted at {format_time(posted_ms)[:16]}Z: look at the time",
        )


def _target_of(row: Registered) -> str | None:
    return (row.author_id if row.action in OF_AUTHOR else row.item_id) or None


def _without_permission(account: AccountSettings, keys: Keys, act: Act) -> str | None:
    if not can_act(keys):
        return "an app's bearer token cannot act"
    if missing_act_scopes(keys, act):
        return f"the token may not {act}: archiver login x --account {account.handle or account.id}"
    return None
