"""The search language: what a person types, as terms and filters.

Words must all be there; `"a phrase"`, `prefix*`, `OR` between two alternatives, `-word` not. `from:` (or
`author:`), `account:`, `kind:`, `since:` and `until:` narrow; moderation records also `by:`, `reason:` and
`action:`. A `-` before any of these but the two dates excludes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from archiver.errors import UsageError
from archiver.records import MODERATION_VERBS, RELATION_KINDS, ModerationAction

POST_KINDS = ("post", "reply", "repost", "quote")
MODERATION = "moderation"
"""The kind of moderation records, which are searched where it is asked for."""
KINDS = (*POST_KINDS, "message", *RELATION_KINDS, MODERATION)
OPERATORS = ("from", "author", "account", "kind", "since", "until", "by", "reason", "action")
MODERATION_OPERATORS = ("by", "reason", "action")
"""They narrow moderation records: nothing else has what they ask for."""
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
MAXIMUM_PARTS = 100
"""Words and filters in one query; FTS4 gives up at expressions of a few hundred."""
_OPERATORS_LISTED = ", ".join(f"{name}:" for name in OPERATORS)
_TOKEN = re.compile(
    r'\s*(?P<not>-)?(?:(?P<name>[A-Za-z_]+):(?=[^\s/]))?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))'
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Term(NamedTuple):
    """A word or phrase; `prefix`: words that begin with it, for a phrase its last word."""

    text: str
    prefix: bool = False


class Query(NamedTuple):
    """`groups` must all match, each by one of its terms. Times are milliseconds, `until_ms` exclusive."""

    groups: tuple[tuple[Term, ...], ...] = ()
    excluded: tuple[Term, ...] = ()
    authors: tuple[str, ...] = ()
    not_authors: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    not_accounts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    not_kinds: tuple[str, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    by: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    not_reasons: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()

    @property
    def has_words(self) -> bool:
        return bool(self.groups or self.excluded)

    def wants(self, kind: str) -> bool:
        """Whether records of a kind can be among the hits. Without `kind:` those are posts and messages, or
        moderation records where something is asked that only these have."""
        wanted = self.kinds or ((MODERATION,) if self._moderated else (*POST_KINDS, "message"))
        if kind != MODERATION and (self.by or self.reasons or self.actions):
            return False
        return kind in wanted and kind not in self.not_kinds

    @property
    def _moderated(self) -> bool:
        """Whether it has a filter that is of moderation records alone."""
        some = (self.by, self.not_by, self.reasons, self.not_reasons, self.actions, self.not_actions)
        return any(some)


class _Reading:
    """A query while it is read from left to right."""

    def __init__(self) -> None:
        self.groups: list[list[Term]] = []
        self.excluded: list[Term] = []
        self.filters: dict[str, list[str]] = {}
        self.since_ms: int | None = None
        self.until_ms: int | None = None
        self.or_waits = False
        self.count = 0

    def take(self, term: Term, *, negated: bool) -> None:
        if negated:
            self._refuse_or("-")
            self.excluded.append(term)
        elif self.or_waits:
            self.groups[-1].append(term)
            self.or_waits = False
        else:
            self.groups.append([term])

    def take_or(self) -> None:
        if not self.groups or self.or_waits:
            raise UsageError("OR needs a word before it and one after it", 'as in: flooding OR "road closed"')
        self.or_waits = True

    def _refuse_or(self, what: str) -> None:
        if self.or_waits:
            raise UsageError(f"OR cannot be followed by {what}", "put it between two words or phrases")

    def take_operator(self, name: str, value: str, *, negated: bool) -> None:
        self._refuse_or(f"{name}:")
        name = "from" if name == "author" else name
        if name not in OPERATORS:
            raise UsageError(
                f"{name}: is not something a search can be narrowed by",
                f'use {_OPERATORS_LISTED}, or put the words in quotes: "{name}:{value}"',
            )
        if name in ("since", "until"):
            if negated:
                raise UsageError(
                    f"-{name}: cannot be read", "use since: for from a day on, until: for up to it"
                )
            self._take_date(name, value)
            return
        if name == "kind" and value not in KINDS:
            raise UsageError(f"kind:{value} is not a kind of record", f"one of: {', '.join(KINDS)}")
        if name == "action":
            value = parse_action(value)
        elif name in ("from", "account"):
            value = value.removeprefix("@")
        self.filters.setdefault(("not_" if negated else "") + name, []).append(value)

    def _take_date(self, name: str, value: str) -> None:
        first, after = parse_dates(value)
        if name == "since":
            self.since_ms = first if self.since_ms is None else max(first, self.since_ms)
        else:
            self.until_ms = after if self.until_ms is None else min(after, self.until_ms)


def parse_query(text: str) -> Query:
    """Read a query; raise UsageError for what is not one, saying what is."""
    # What is no text (half a character, NUL) is in no index either, and SQLite takes neither.
    text = text.encode("utf-8", "replace").decode().replace("\0", " ")
    reading = _Reading()
    if text.count('"') % 2:
        raise UsageError("a quotation mark is not closed", 'a phrase stands between two: "road closed"')
    position = 0
    while text[position:].strip():
        token = _TOKEN.match(text, position)
        if token is None or token.end() == position:
            raise UsageError(f"the search cannot be read at {text[position : position + 20]!r}")
        position = token.end()
        _take_token(reading, token)
        reading.count += 1
        if reading.count > MAXIMUM_PARTS:
            raise UsageError(
                f"the search has more than {MAXIMUM_PARTS} words and filters", "search in several goes"
            )
    if reading.or_waits:
        raise UsageError("OR needs a word after it", 'as in: flooding OR "road closed"')
    return _query_of(reading)


def _query_of(reading: _Reading) -> Query:
    """What was read, whole. Raise UsageError where its filters contradict each other."""
    filters = {name: tuple(values) for name, values in reading.filters.items()}
    query = Query(
        tuple(tuple(group) for group in reading.groups),
        tuple(reading.excluded),
        filters.get("from", ()),
        filters.get("not_from", ()),
        filters.get("account", ()),
        filters.get("not_account", ()),
        filters.get("kind", ()),
        filters.get("not_kind", ()),
        reading.since_ms,
        reading.until_ms,
        filters.get("by", ()),
        filters.get("not_by", ()),
        filters.get("reason", ()),
        filters.get("not_reason", ()),
        filters.get("action", ()),
        filters.get("not_action", ()),
    )
    used = [name for name in MODERATION_OPERATORS if name in filters or f"not_{name}" in filters]
    if used and not query.wants(MODERATION):
        raise UsageError(
            f"{used[0]}: narrows moderation records, and this search asks for none of them",
            f"leave kind: out, or add kind:{MODERATION}",
        )
    return query


def parse_action(text: str) -> ModerationAction:
    """The action that a person names by what it is called afterwards (hidden) or by its verb (hide). Raise
    UsageError for what is none."""
    word = text.lower().replace("-", "_")
    found = VERBS.get(word) or next((action for action in ACTIONS if action == word), None)
    if found is None:
        raise UsageError(f"{text} is not an action of moderation", f"one of: {', '.join(ACTIONS)}")
    return found


def _take_token(reading: _Reading, token: "re.Match[str]") -> None:
    negated = token["not"] is not None
    phrase, word = token["phrase"], token["word"]
    if token["name"] is not None:
        value = phrase if phrase is not None else word
        reading.take_operator(token["name"].lower(), value, negated=negated)
        return
    if word == "OR" and not negated:
        reading.take_or()
        return
    if word == "-" or (word is None and not phrase):
        return
    prefix = word is not None and word.endswith("*")
    body = (word[:-1] if prefix else word) if word is not None else phrase
    if not any(character.isalnum() for character in body):
        raise UsageError(
            f"{body or word!r} has no letter or digit to search for", "symbols and emoji are not in the index"
        )
    reading.take(Term(body, prefix), negated=negated)


_DATE_FORMS = (
    (re.compile(r"(?P<y>\d{4})"), "year"),
    (re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})"), "month"),
    (re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"), "day"),
    (re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})"), "day"),
)


def parse_dates(text: str) -> tuple[int, int]:
    """The first millisecond of a day, month or year in UTC, and the one after its last.

    Takes 2026-11-01, 2026-11, 2026 and 01/11/2026; raise UsageError for anything else."""
    for form, unit in _DATE_FORMS:
        match = form.fullmatch(text)
        if match is None:
            continue
        parts = {name: int(value) for name, value in match.groupdict().items()}
        try:
            first = date(parts["y"], parts.get("m", 1), parts.get("d", 1))
            after = _next_unit(first, unit)
        except (ValueError, OverflowError) as error:
            raise UsageError(f"{text} is not a date", "as 2026-11-01, 2026-11, 2026 or 01/11/2026") from error
        return _milliseconds(first), _milliseconds(after)
    raise UsageError(f"{text!r} is not a date", "as 2026-11-01, 2026-11, 2026 or 01/11/2026")


def _next_unit(first: date, unit: str) -> date:
    """The day after a day, month or year that begins with `first`."""
    if unit == "day":
        return first + timedelta(days=1)
    if unit == "month":
        return date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return date(first.year + 1, 1, 1)


def _milliseconds(day: date) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


def match_expression(query: Query) -> str | None:
    """The query's words in FTS4's enhanced syntax, or None where it has none that must be there."""
    groups = [" OR ".join(_quoted(term) for term in group) for group in query.groups]
    expression = " AND ".join(f"({group})" for group in groups)
    if expression and query.excluded:
        expression = f"({expression}) NOT ({exclude_expression(query)})"
    return expression or None


def exclude_expression(query: Query) -> str:
    """The words that must not be there, any of them."""
    return " OR ".join(_quoted(term) for term in query.excluded)


def _quoted(term: Term) -> str:
    # Inside quotes nothing is an operator but a closing quote, which a term cannot hold, and a star.
    text = term.text.replace('"', " ").replace("*", " ").strip()
    return f'"{text}*"' if term.prefix else f'"{text}"'
