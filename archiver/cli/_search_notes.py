"""What ends an answer: how much was found, what was looked for, what was and was not searched.

For a person lines on standard error, for a program the fields of one `summary`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from archiver.cli._restricted import hidden_line
from archiver.cli._search_opening import Opened
from archiver.cli._search_unknown import suggestions
from archiver.cli._session import Session, one_line, print_error
from archiver.cli.moderation._lines import number_of
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, NoKeyError
from archiver.search.catalogue import Form
from archiver.search.hit import SPOOL, Effort
from archiver.search.language import MODERATION, Query
from archiver.search.language.tree import Filter, Part, leaves
from archiver.search.moderation import count_begun, count_sealed
from archiver.vault import readable
from archiver.wiring.spool import count_moderation

_MOST_NAMED = 10
_WHY = {
    "asked": "it may stand within words",
    "script": "its script puts no spaces between words",
    "symbols": "it has no letter or digit",
}


@dataclass(frozen=True)
class Answer:
    """What is said of an answer beside its hits. `count`: how many were shown, or there are in all where
    they were counted, which is then said already. `what` is counted. `cursor`: to go on with, where there
    are more. `recorded`: where the search was recorded, and how many results."""

    count: int
    what: str = "record"
    is_said: bool = False
    more: bool = False
    cursor: str | None = None
    effort: Effort | None = None
    recorded: tuple[Path, int] | None = None


class Explained(NamedTuple):
    """How the answer came about."""

    forms: Mapping[str, tuple[str, ...]]
    names: Mapping[str, tuple[str, ...]]
    all_names: bool
    scanned: tuple[Part, ...]
    suggestions: Mapping[str, Sequence[Form]]
    moderation_not_searched: int
    unsearched: tuple[tuple[str | None, ArchiverError], ...]
    nothing_searched: bool = False
    """None of the archives could be."""


def explain(session: Session, query: Query, opened: Opened) -> Explained:
    """To be asked once the search was made."""
    searcher = opened.searcher
    looked = searcher.looked_for()
    unsearched: list[tuple[str | None, ArchiverError]] = [
        (one.archive, one.error) for one in searcher.unsearched
    ]
    if opened.spool.error is not None:
        unsearched.append((SPOOL, opened.spool.error))
    unsearched += [(error.archive, error) for error in opened.problems]
    scanned = {leaf.text: leaf for leaf in leaves(query.root) if isinstance(leaf, Part)}
    return Explained(
        looked.words,
        looked.names,
        looked.all_names,
        tuple(scanned.values()),
        suggestions(query, searcher, has_forms=looked.words),
        _moderation_not_searched(session, query, opened),
        tuple(unsearched),
        bool(searcher.unsearched) and not searcher.segments.all,
    )


def _moderation_not_searched(session: Session, query: Query, opened: Opened) -> int:
    """How many moderation records there are that were not searched; none where the query names their kind,
    as in -kind:moderation."""
    named = any(
        isinstance(leaf, Filter) and (leaf.field, leaf.value) == ("kind", MODERATION)
        for leaf in leaves(query.root)
    )
    if named or query.wants(MODERATION):
        return 0
    archives = readable(opened.archives)
    sealed = count_begun(archives) or count_sealed(archives)
    return max(sealed, count_moderation(session.settings))


def exit_code(session: Session, explained: Explained, *, keep_going: bool) -> int:
    """20 where something is damaged, 12 where no key opens any archive, 3 where that was to be passed over or
    something else is missing."""
    errors = [error for _, error in explained.unsearched]
    if any(isinstance(error, IntegrityError) for error in errors) and not keep_going:
        return IntegrityError.exit_code
    others = [error for error in errors if not isinstance(error, IntegrityError | NoKeyError)]
    if others and not keep_going:
        return others[0].exit_code
    if explained.nothing_searched and not keep_going:
        return NoKeyError.exit_code
    return session.worst(IncompleteError.exit_code if errors else 0)


# For a person


def print_notes(session: Session, query: Query, opened: Opened, answer: Answer, explained: Explained) -> None:
    """Where it was recorded, the count, then each thing on a line of its own."""
    if answer.recorded is not None:
        path, number = answer.recorded
        session.note(one_line(f"recorded in {path}: {number_of(number, answer.what)}"))
    session.note(_count_line(query, opened, answer))
    if answer.cursor is not None:
        session.note(f"the next ones: the same with --after {answer.cursor}")
    for line in _lines(query, opened, explained):
        session.note(one_line(line))
    if answer.effort is not None:
        session.note(effort_line(answer.effort))


def print_unsearched(explained: Explained) -> None:
    """What could not be searched, each with its error, for programs too."""
    for archive, error in explained.unsearched:
        print_error(error, not_searched(archive))


def not_searched(archive: str | None) -> str | None:
    """What an error is about; None where that is the chain of archives."""
    if archive is None:
        return None
    return "the spool was not searched" if archive == SPOOL else f"archive {archive} was not searched"


def _count_line(query: Query, opened: Opened, answer: Answer) -> str:
    notes = [] if answer.is_said else [number_of(answer.count, answer.what)]
    if answer.more:
        notes.append("there are more")
    spool = opened.spool
    if spool.is_included:
        there = f": {_unsealed(query, spool.records)} not sealed yet" if spool.records else ""
        notes.append(f"the spool is included{there}")
    elif spool.is_wanted and spool.error is None:
        notes.append("no spool is at hand here")
    elif spool.error is None:
        notes.append("the spool was left out")
    else:
        notes.append("the spool was not searched")
    return "; ".join(notes)


def _unsealed(query: Query, number: int) -> str:
    """Of moderation records entries are sealed, one by one."""
    if query.kinds == {MODERATION}:
        return "1 entry" if number == 1 else f"{number:,} entries"
    return number_of(number, "record")


def _lines(query: Query, opened: Opened, explained: Explained) -> Iterator[str]:
    if opened.spool.unparsed:
        number = number_of(opened.spool.unparsed, "record")
        yield f"{number} of the spool could not be understood and were not searched"
    if opened.chosen.left_out:
        number = number_of(opened.chosen.left_out, "archive")
        are = _are(opened.chosen.left_out)
        yield f"{number} sealed since the first page {are} not in it: search again for all"
    if opened.chosen.added:
        number = number_of(opened.chosen.added, "archive")
        are = _are(opened.chosen.added)
        yield f"{number} sealed since the first page {are} in it, with what lay in the spool then"
    if opened.spool.has_later:
        yield "records captured since the first page are not in it: search again for all"
    if opened.searcher.restricted:
        yield hidden_line(len(opened.searcher.restricted.names))
    for word, forms in explained.forms.items():
        yield f"{word}: also {listed(forms)}"
    for name, others in explained.names.items():
        yield f"{_name(name)} is also {listed(_names(others))}"
    if not explained.all_names:
        yield "other names of accounts were not looked up, as the archives are far away"
    for part in explained.scanned:
        shown = f"*{part.text}*" if part.why == "asked" else part.text
        yield f"{shown}: found by reading every text, as {_WHY[part.why]}"
    for word, similar in explained.suggestions.items():
        meant = [f"{one.word} (in {number_of(one.records, 'text')})" for one in similar]
        yield f"no archive has {word}" + (f"; did you mean {_or(meant)}?" if meant else "")
    if explained.moderation_not_searched:
        number = number_of(explained.moderation_not_searched, "moderation record")
        were = "was" if explained.moderation_not_searched == 1 else "were"
        yield f"{number} {were} not searched: kind:moderation"


def effort_line(effort: Effort) -> str:
    requests = f", {number_of(effort.requests, 'request')}" if effort.requests else ""
    return (
        f"read {number_of(effort.segments, 'segment')}, {number_of(effort.chunks, 'chunk')},"
        f" {number_of(effort.frames, 'frame')}, {effort.bytes:,} bytes{requests}"
    )


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def listed(words: Sequence[str]) -> str:
    """The first ten of them, and how many more."""
    more = len(words) - _MOST_NAMED
    return ", ".join(words[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _name(name: str) -> str:
    return name if name.isdigit() else f"@{name}"


def _names(names: Sequence[str]) -> list[str]:
    """Handles first; an id that is the only one behind the last handle."""
    handles = [f"@{one}" for one in names if not one.isdigit()]
    ids = [one for one in names if one.isdigit()]
    if handles and len(ids) == 1:
        return [*handles[:-1], f"{handles[-1]} ({ids[0]})"]
    return [*handles, *ids]


# For a program


def summary_fields(opened: Opened, answer: Answer, explained: Explained) -> dict[str, object]:
    """All that `print_notes` says."""
    fields: dict[str, object] = {
        "count": answer.count,
        "more": answer.more,
        "cursor": answer.cursor,
        "forms": {word: list(some) for word, some in explained.forms.items()},
        "names": {name: list(some) for name, some in explained.names.items()},
        "all_names": explained.all_names,
        "scanned": [{"text": part.text, "why": part.why} for part in explained.scanned],
        "suggestions": {
            word: [one._asdict() for one in some] for word, some in explained.suggestions.items()
        },
        "spool_included": opened.spool.is_included,
        "spool_records": opened.spool.records,
        "unsearched": [
            {"archive": archive, "error": error.message, "hint": error.hint}
            for archive, error in explained.unsearched
        ],
        "moderation_not_searched": explained.moderation_not_searched,
    }
    if disposed := [one.name for one in opened.archives if one.disposed is not None]:
        fields["disposed"] = disposed
    if opened.searcher.restricted:
        fields["restricted"] = len(opened.searcher.restricted.names)
    if opened.spool.unparsed:
        fields["spool_unparsed"] = opened.spool.unparsed
    if opened.spool.has_later:
        fields["captured_since_left_out"] = True
    if answer.recorded is not None:
        fields["recorded"] = {"file": str(answer.recorded[0]), "count": answer.recorded[1]}
    if opened.chosen.left_out or opened.chosen.added:
        fields["sealed_since"] = {"left_out": opened.chosen.left_out, "searched": opened.chosen.added}
    if answer.effort is not None:
        fields["read"] = answer.effort._asdict()
    return fields
