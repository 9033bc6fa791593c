"""Doing something on X for an account: hiding replies, muting people, removing own posts, and undoing the
first two.

X API v2, "Hide replies", "Mutes", "Manage Posts". All five are idempotent: they come to the same however
often X is asked. So after a fault it is asked again, whether or not it had done it before.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.settings.api import Act
from archiver.sources.x_api.client import NotAnsweredError, XClient
from archiver.sources.x_api.errors import AccountError, ActRefusedError, KindError, LateError
from archiver.sources.x_api.pace import Patience
from archiver.sources.x_api.parse import NOT_THERE, reason_of
from archiver.sources.x_api.refusals import key_or_plan_hint, parse_refusal
from archiver.sources.x_api.session import NotTakenError, Taken
from archiver.sources.x_api.shapes import ApiProblem
from archiver.sources.x_api.tokens import missing_act_scopes

ApiAct = Literal["hide", "unhide", "remove", "mute", "unmute"]
AGAIN: Final = "it can be asked for again: if X has done it already, that changes nothing"
GONE: Final = "X says: not found, so it is gone already"
_ID: Final = re.compile(r"[0-9]{1,19}")


class _Way(Struct, frozen=True, kw_only=True):
    """`verb`: as in "X refuses to …". `request`: how it is called in messages, and under what X counts it.
    `target`: the name of tweepy's argument. `field` and `wanted`: what the answer says when it is done;
    `words` says so, `else_words` the contrary. `permission`: the act in the settings that allows it. `rule`:
    what X allows."""

    verb: str
    method: str
    request: str
    target: str
    field: str
    wanted: bool
    words: str
    else_words: str
    permission: Act
    rule: str


_HIDING: Final = "an account hides and shows only replies in conversations that it began"
_WAYS: Final[Mapping[ApiAct, _Way]] = {
    "hide": _Way(
        verb="hide the reply", method="hide_reply", request="PUT /2/tweets/{id}/hidden", target="id",
        field="hidden", wanted=True, words="hidden", else_words="not hidden", permission="hide", rule=_HIDING,
    ),
    "unhide": _Way(
        verb="show the reply", method="unhide_reply", request="PUT /2/tweets/{id}/hidden", target="id",
        field="hidden", wanted=False, words="not hidden any more", else_words="still hidden",
        permission="hide", rule=_HIDING,
    ),
    "remove": _Way(
        verb="remove the post", method="delete_tweet", request="DELETE /2/tweets/{id}", target="id",
        field="deleted", wanted=True, words="deleted", else_words="not deleted", permission="remove",
        rule="an account removes only its own posts",
    ),
    "mute": _Way(
        verb="mute the user", method="mute", request="POST /2/users/{id}/muting", target="target_user_id",
        field="muting", wanted=True, words="muted", else_words="not muted", permission="mute",
        rule="an account mutes others, and for itself alone",
    ),
    "unmute": _Way(
        verb="unmute the user", method="unmute", request="DELETE /2/users/{id}/muting/{target}",
        target="target_user_id", field="muting", wanted=False, words="not muted any more",
        else_words="still muted", permission="mute", rule="an account unmutes others, and for itself alone",
    ),
}  # fmt: skip


class _Done(Struct, frozen=True):
    hidden: bool | None = None
    deleted: bool | None = None
    muting: bool | None = None


class _Answer(Struct, frozen=True):
    data: _Done | None = None
    errors: tuple[ApiProblem, ...] | None = None


def perform(client: XClient, act: ApiAct, target_id: str, patience: Patience) -> str:
    """Do this to a post or person, as the account of `client`; what X said, in a few words. It is done when
    this returns, by this request or one before it, and a post that is not there is taken as removed.

    Raise ActRefusedError where X will not do it at the next try either: 400, 403, 404, or an answer that says
    it is not done. Else, as `XClient.call`, what says that it can be asked for again: LateError after faults
    and limits, AccountError for a key that X does not take, EverythingError for money, KindError."""
    way = _WAYS[act]
    if not _ID.fullmatch(target_id):
        raise ActRefusedError(f"{target_id[:40]!r} is no id of X: nothing was asked of X")
    owner = client.keys.user_id
    if owner not in (None, client.account):
        raise AccountError(
            f"the token is of the account {owner}, not of {client.account}: nothing was asked of X",
            f"sign in as that account: archiver login x --account {client.account}",
        )
    try:
        return client.call(
            way.method,
            way.request,
            {way.target: target_id},
            patience,
            lambda taken: _read(client, way, target_id, taken),
        )
    except NotTakenError as refused:
        answer = refused.answer
    except LateError as error:
        raise LateError(error.message, AGAIN) from None
    if answer.status_code == 404 and act == "remove" and parse_refusal(answer.body).says_something:
        return GONE
    raise _refusal(client, way, target_id, answer)


def _read(client: XClient, way: _Way, target_id: str, taken: Taken) -> str:
    """What an answer of 200 says. Raise ActRefusedError where it says that it is not done, NotAnsweredError
    where it does not say, or that something failed on X's side."""
    try:
        answer = msgspec.json.decode(taken.body, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotAnsweredError("the answer is not the JSON expected") from None
    found = None if answer.data is None else getattr(answer.data, way.field)
    if found is way.wanted:
        return f"X says: {way.words}"
    if found is not None:
        words = f"X does not {way.verb} {target_id}: it says {way.else_words}"
        raise ActRefusedError(words, f"look at it on X; {way.rule}")
    reasons = [reason_of(one) for one in answer.errors or ()]
    if way.field == "deleted" and "deleted" in reasons:
        return GONE
    if any(one in NOT_THERE for one in reasons):
        raise ActRefusedError(f"X does not {way.verb} {target_id}: {client.said(taken)}", way.rule)
    said = f": {client.said(taken)}" if reasons else ""
    raise NotAnsweredError(f"the answer does not say whether it is {way.words}{said}")


def _refusal(client: XClient, way: _Way, target_id: str, answer: Taken) -> SourceError:
    status, refusal = answer.status_code, parse_refusal(answer.body)
    if status == 404 and not refusal.says_something:
        about = f"{way.request}: X does not serve this (404)"
        return ActRefusedError(about, "look for a newer archiver; a person can do it on X")
    about = f"X refuses to {way.verb} {target_id} ({status}): {client.said(answer)}"
    if status == 403:
        return ActRefusedError(about, key_or_plan_hint(refusal) or _forbidden_hint(client, way))
    if status == 404:
        return ActRefusedError(about, "X does not find it: look at it on X")
    if status == 400:
        return ActRefusedError(about, way.rule)
    if 200 < status < 300:
        return KindError(f"{way.request}: X answers {status}, of which nothing is known", "look at it on X")
    return client.refusal(way.request, answer)


def _forbidden_hint(client: XClient, way: _Way) -> str:
    if client.keys.way == "oauth1":
        return f"{way.rule}; look at the account on X, and whether the app may write, not only read"
    lacking = missing_act_scopes(client.keys, way.permission)
    sign_in = (
        f'with "{way.permission}" in acts of [account.api], sign in again:'
        f" archiver login x --account {client.account}"
    )
    if lacking:
        return f"the token lacks the scope {', '.join(lacking)}: {sign_in}"
    return f"{way.rule}; look at the account on X and at the app's plan; if a scope is missing, {sign_in}"
