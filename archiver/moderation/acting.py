"""Doing what a record says, after the record is durable; what came of it is a further entry.

Each act through X's interface has the same effect however often it is asked for. So where a kill leaves open
whether X did it, it is asked for again, and the record gets one outcome.
"""

from typing import Final

from msgspec import Struct

from archiver.errors import ArchiverError, UsageError
from archiver.moderation.clicks import what_to_click
from archiver.moderation.connecting import Connections
from archiver.moderation.decision import API_ACTS, REVERSALS
from archiver.moderation.entries import Register
from archiver.records import ModerationAction
from archiver.register import Registered
from archiver.settings import AccountSettings, Settings
from archiver.sources.x_api.acts import ApiAct, perform
from archiver.sources.x_api.errors import ActRefusedError
from archiver.sources.x_api.tokens import Keys, can_act, missing_act_scopes

_ACTS: Final[dict[str, ApiAct]] = {
    "hidden": "hide",
    "unhidden": "unhide",
    "removed": "remove",
    "muted": "mute",
    "unmuted": "unmute",
}
_OF_AUTHOR: Final = ("muted", "unmuted")
"""Actions whose target is the author, not the item."""
BY_HAND: Final = {
    "blocked": "X lets no program block",
    "unblocked": "X lets no program unblock",
    "reported": "X lets no program report",
    "reinstated": "X brings no deleted post back",
}


class Acted(Struct, frozen=True, kw_only=True):
    """What came of an act. `clicks`: what a person is to do. `error`: why it is not done."""

    row: Registered
    said: str | None = None
    clicks: str | None = None
    error: ArchiverError | None = None


def is_open(row: Registered) -> bool:
    """Whether its action is still to be done."""
    return row.state == "planned" or (row.state == "failed" and row.way is not None)


def can_be_reversed(row: Registered) -> bool:
    """Whether there is something to undo, or to call off."""
    return is_open(row) or (row.state == "done" and row.action in REVERSALS)


class ByHand(Struct, frozen=True):
    """Why this program does not do something itself."""

    why: str


class Acting:
    """Acts on behalf of the accounts in the settings."""

    def __init__(self, settings: Settings, register: Register, connections: Connections) -> None:
        self._settings = settings
        self._register = register
        self._connections = connections

    def account(self, row: Registered) -> AccountSettings | None:
        """The account that a record is of; None where the settings do not name it any more."""
        found = (
            one for one in self._settings.accounts if (one.platform, one.id) == (row.platform, row.account)
        )
        return next(found, None)

    def by_hand(
        self, account: AccountSettings | None, action: ModerationAction, target: str | None
    ) -> ByHand | None:
        """Why a person has to do an action on X; None where this program may and can. `target`: the id that
        it needs."""
        act = API_ACTS.get(action)
        if act is None:
            return ByHand(BY_HAND.get(action, "a person does that"))
        if account is None or account.api is None:
            return ByHand("the settings do not let X be asked for this account")
        if act not in account.api.acts:
            return ByHand(f'the settings do not let this program {act}: acts = ["{act}"] in [account.api]')
        if target is None:
            return ByHand("the author's id is not known")
        try:
            keys = self._connections.client(account, account.api).keys
        except ArchiverError:
            return None  # what is wrong with the keys is said when they are used
        return _without_permission(account, keys, act)

    def act(self, row: Registered) -> Acted:
        """Do what a record plans, and add what came of it. Its entries are durable already. Where X cannot be
        asked now, or a person has to do it, the record stays planned."""
        action = row.action or ""
        if row.way != "api":
            return Acted(row=row, clicks=what_to_click(row))
        account = self.account(row)
        target = row.author_id if action in _OF_AUTHOR else row.item_id
        if account is None or account.api is None or target is None or action not in _ACTS:
            return Acted(row=row, clicks=what_to_click(row))
        try:
            client = self._connections.client(account, account.api)
            said = perform(client, _ACTS[action], target, self._connections.patience())
        except ActRefusedError as error:
            failed = self._register.add(
                row, "outcome", state="failed", way="api", action=row.action, outcome=error.message
            )
            return Acted(row=failed, error=error, clicks=what_to_click(row))
        except ArchiverError as error:
            return Acted(row=row, error=error, clicks=what_to_click(row))
        return Acted(row=self._note_done(row, said, client.now_ms()), said=said)

    def _note_done(self, row: Registered, said: str, now_ms: int) -> Registered:
        try:
            return self._register.add(
                row,
                "outcome",
                state="done",
                way="api",
                action=row.action,
                action_ms=now_ms,
                action_by=self._register.by,
                outcome=said,
            )
        except ArchiverError as error:
            raise ArchiverError(
                f"it was done on X, and that could not be recorded: {error.message}",
                f"{error.hint + '; then ' if error.hint else ''}archiver moderation pending --finish",
            ) from error

    # What a person says

    def confirm(self, row: Registered, action_ms: int, note: str | None) -> Acted:
        """A person did it on the platform. Raise UsageError where nothing is to be done any more."""
        if row.state == "done":
            raise UsageError(
                f"the record {row.record_id} says already that it is done", "see: archiver moderation show"
            )
        done = self._register.add(
            row,
            "outcome",
            note,
            state="done",
            way="hand",
            action=row.action,
            action_ms=action_ms,
            action_by=self._register.by,
        )
        return Acted(row=done, said="done by hand")

    def reverse(self, row: Registered, note: str, authorised_by: str | None) -> Acted:
        """Record that an action is to be undone, then undo it. One that was only planned is called off, and
        what cannot be undone, as a warning, is taken back in the record alone."""
        undo = REVERSALS.get(row.action or "none")  # type: ignore[call-overload]  # a code of ours
        if row.action in REVERSALS.values():
            raise UsageError(
                f"the record {row.record_id} is {row.action} already", "for the item anew: archiver moderate"
            )
        if undo is None or row.state != "done":
            called_off = self._register.add(
                row, "reversal", note, action="none", state="done", authorised_by=authorised_by
            )
            words = "called off" if row.state != "done" else f"taken back in the record; {row.action} stays"
            return Acted(row=called_off, said=words)
        target = row.author_id if undo in _OF_AUTHOR else row.item_id
        hand = self.by_hand(self.account(row), undo, target)
        planned = self._register.add(
            row,
            "reversal",
            note,
            action=undo,
            state="planned",
            way="api" if hand is None else "hand",
            authorised_by=authorised_by,
        )
        return self.act(planned)


def _without_permission(account: AccountSettings, keys: Keys, act: str) -> ByHand | None:
    if not can_act(keys):
        return ByHand("an app's bearer token cannot act")
    if missing_act_scopes(keys, act):  # type: ignore[arg-type]  # one of ACTS
        return ByHand(f"the token may not {act}: archiver login x --account {account.handle or account.id}")
    return None
