"""The fields of the language (`from:`, `since:` …): what each takes, which kinds of record can have it."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from archiver.errors import UsageError
from archiver.records import MODERATION_VERBS, RELATION_KINDS, ModerationAction
from archiver.search.language.dates import FORMS, parse_dates
from archiver.search.language.mistakes import named

POST_KINDS = ("post", "reply", "repost", "quote")
MODERATION = "moderation"
"""The kind of moderation records, which are searched where it is asked for."""
KINDS = (*POST_KINDS, "message", *RELATION_KINDS, MODERATION)
ACTIONS: tuple[ModerationAction, ...] = ModerationAction.__args__  # type: ignore[attr-defined]  # typing has no public way
VERBS: Mapping[str, ModerationAction] = {
    **MODERATION_VERBS,
    "unhide": "unhidden",
    "reinstate": "reinstated",
    "unblock": "unblocked",
    "unmute": "unmuted",
    "comments-on": "comments_on",
}
"""What a person does to what is in a record afterwards."""
HAS = ("media", "image", "video", "link", "alt")
IS = ("reply", "repost", "quote", "deleted", "edited", "moderated")

_ALL = frozenset(KINDS)
_POSTS = frozenset(POST_KINDS)
_WRITTEN = _POSTS | {"message"}
_MODERATED = frozenset((MODERATION,))


SINGLE = ("from", "to", "account", "platform", "kind", "lang", "conversation")
"""Fields of which every record has one value."""


class Field(NamedTuple):
    """`takes`: what follows the colon. `help`: one line for who has never used it. `kinds`: those that can
    have it at all."""

    takes: str
    help: str
    kinds: frozenset[str]


FIELDS: Mapping[str, Field] = {
    "from": Field("a handle or user id", "written by this account", _WRITTEN | _MODERATED),
    "to": Field("a handle or user id", "a reply or message to this account", _WRITTEN),
    "mention": Field("a handle or user id", "names this account with an @", _POSTS),
    "tag": Field("a hashtag", "has this hashtag; also written #tag", _POSTS),
    "url": Field("a domain or address", "links there, short links by what they expand to", _ALL),
    "account": Field("a handle or user id", "in the archives of this account", _ALL),
    "platform": Field("a platform's name, as x", "of this platform", _ALL),
    "kind": Field("a kind of record", f"one of: {', '.join(KINDS)}", _ALL),
    "lang": Field("a language's code, as en or cy", "in this language, as the platform says", _POSTS),
    "client": Field("a program's name", "posted with this program", _POSTS),
    "id": Field("the id of a record, or the address of a post", "the record with this id", _ALL),
    "conversation": Field("the id of a conversation", "in this thread or conversation", _WRITTEN),
    "since": Field("a date", "from the first moment of this day, month, year or time on", _ALL),
    "until": Field("a date", "up to the last moment of this day, month, year or time", _ALL),
    "has": Field(
        f"one of: {', '.join(HAS)}", "shows a picture or video, has a link or a description", _WRITTEN
    ),
    "is": Field(f"one of: {', '.join(IS)}", "is a reply, was deleted …", _ALL),
    "reason": Field("a reason's code", "moderation records with this reason", _MODERATED),
    "action": Field("an action", f"moderation records of this action: {', '.join(ACTIONS)}", _MODERATED),
    "by": Field("who acted", "moderation records of this member of staff", _MODERATED),
}
ALIASES: Mapping[str, str] = {"author": "from"}
"""Other names of fields."""
_VALUE_KINDS: Mapping[tuple[str, str], frozenset[str]] = {
    ("has", "alt"): _POSTS,
    ("is", "reply"): _POSTS,
    ("is", "repost"): _POSTS,
    ("is", "quote"): _POSTS,
    ("is", "deleted"): _ALL - _MODERATED,
    ("is", "edited"): _WRITTEN,
    ("is", "moderated"): _WRITTEN,
}
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.|mobile\.|m\.)?(?:x|twitter)\.com/(?:i/web|[A-Za-z0-9_]{1,20})/status(?:es)?/"
    r"([0-9]{1,20})(?:[/?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
"""Of a post, with whatever stands behind its id."""
_HANDLES = ("from", "to", "mention", "account")
_LISTS: Mapping[str, tuple[str, ...]] = {"kind": KINDS, "has": HAS, "is": IS}
_NOUNS = {"kind": "a kind of record", "has": "something a record can have", "is": "something a record can be"}


class NotAValueError(ValueError):
    """A value that its field does not take. `expected`: what it takes."""

    def __init__(self, what: str, expected: str) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected


def kinds_of(field: str, value: str | int) -> frozenset[str]:
    """The kinds of record that can have a field with this value."""
    if field == "kind":
        return frozenset((str(value),))
    return _VALUE_KINDS.get((field, str(value)), FIELDS[field].kinds)


def parse_value(field: str, text: str) -> str | int:
    """A field's value as the tree has it: names without their sign, addresses without scheme, times in
    milliseconds. `text` is not empty. Raise NotAValueError for what the field does not take."""
    if field in ("since", "until"):
        return _parse_date(field, text)
    if field in _LISTS:
        return _parse_listed(field, text)
    if field == "action":
        try:
            return parse_action(text)
        except UsageError as error:
            raise NotAValueError(error.message, str(error.hint)) from error
    if field in _HANDLES:
        value = text.removeprefix("@")
    elif field == "tag":
        value = text.removeprefix("#")
    elif field == "url":
        value = plain_url(text)
    elif field == "id":
        value = plain_id(text)
    else:
        value = text.lower() if field in ("lang", "platform") else text
    if not value:
        raise NotAValueError(
            f"{field}:{named(text)} has nothing to look for", f"{field}: takes {FIELDS[field].takes}"
        )
    return value


def plain_id(text: str) -> str:
    """The id in the address of a post, as a browser shows it (https://x.com/NAME/status/ID); of any other
    text the text itself."""
    found = _ADDRESS.fullmatch(text.strip())
    return text if found is None else found[1]


def plain_url(text: str) -> str:
    """An address as addresses are compared: without scheme, `www.` and closing slashes, the host in lower
    case; a path alone begins with its slash."""
    scheme, separator, rest = text.partition("://")
    if separator and scheme.isalnum():
        text = rest
    host_end = min((place for place in map(text.find, "/?#") if place >= 0), default=len(text))
    host = text[:host_end].lower().removeprefix("www.")
    return (host + text[host_end:]).rstrip("/")


def parse_action(text: str) -> ModerationAction:
    """The action that a person names by what it is called afterwards (hidden) or by its verb (hide). Raise
    UsageError for what is none."""
    word = text.lower().replace("-", "_")
    found = VERBS.get(text.lower()) or next((action for action in ACTIONS if action == word), None)
    if found is None:
        raise UsageError(f"{named(text)} is not an action of moderation", f"one of: {', '.join(ACTIONS)}")
    return found


def nearest(name: str, names: tuple[str, ...]) -> str | None:
    """The one of some names that somebody may have meant, or None."""
    from difflib import get_close_matches  # only a mistake pays for it

    close = get_close_matches(name.lower()[:40], names, 1)
    return close[0] if close else None


def _parse_date(field: str, text: str) -> int:
    try:
        first, after = parse_dates(text)
    except ValueError as error:
        raise NotAValueError(f"{named(text)} is not a date", f"as {FORMS}, in UK time") from error
    return first if field == "since" else after


def _parse_listed(field: str, text: str) -> str:
    values = _LISTS[field]
    value = text.lower()
    if value in values:
        return value
    close = nearest(value, values)
    meant = f"did you mean {field}:{close}? " if close else ""
    raise NotAValueError(
        f"{field}:{named(text)} is not {_NOUNS[field]}", f"{meant}one of: {', '.join(values)}"
    )
