"""`archiver search --replay FILE`: a recorded search made again, over exactly the archives it was over."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from archiver import __version__
from archiver.audit.entry import Asked
from archiver.cli._acts import host_act
from archiver.cli._search_notes import (
    Explained,
    effort_line,
    exit_code,
    explain,
    listed,
    not_searched,
    print_unsearched,
)
from archiver.cli._search_opening import answer_of, open_search
from archiver.cli._search_options import Options
from archiver.cli._search_recording import expansion_of
from archiver.cli._session import Session, one_line
from archiver.cli.moderation._lines import number_of
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, UsageError
from archiver.search.hit import Effort, Hit
from archiver.search.language import Query, parse_query
from archiver.search.repeating.search_comparison import Comparison, Repeated, compare, records_of
from archiver.search.repeating.search_record import (
    FoundArchives,
    FoundId,
    SearchRecord,
    find_archives,
    load_search_record,
)
from archiver.vault import Archive

_MOST_SHOWN = 10


class _Made:
    """One search of a replay."""

    def __init__(self, hits: Sequence[Hit], explained: Explained, effort: Effort) -> None:
        self.hits = hits
        self.explained = explained
        self.effort = effort


def replay(session: Session, path: Path, options: Options) -> int:
    """0 where the answer is the same, 3 where it differs or was not whole, 20 where a recorded archive is
    missing, another one or damaged."""
    record = load_search_record(path)
    query = _query_of(record, path)
    vault = session.open_vault(options.store)
    if vault.id != record.vault:
        raise UsageError(
            f"{path} records a search of another vault, {one_line(record.vault)}",
            "give --config of the vault that was searched",
        )
    listed = session.list_archives(vault)
    session.note_disposed(listed)
    found = find_archives(record, listed.archives)
    asked = Asked("search", "search --replay", query=record.query, case=options.case, reason=options.reason)
    has_keyholder = session.settings.keyholder is not None
    with session.act(asked) if has_keyholder else host_act(session, asked) as act:
        then = _search(session, query, record, options, found.same, spool=False)
        later = then
        if found.since or record.spool.included:
            later = _search(
                session, query, record, options, [*found.same, *found.since], spool=record.spool.included
            )
        comparison = compare(record, found, _repeated(query, then, later))
        act.end(results=len(later.hits))
    _print(session, path, record, found, comparison)
    print_unsearched(then.explained)
    if options.effort:
        session.note(
            effort_line(Effort(*(sum(pair) for pair in zip(then.effort, later.effort, strict=True))))
        )
    if comparison.missing or comparison.different:
        return IncompleteError.exit_code if options.keep_going else IntegrityError.exit_code
    code = exit_code(session, then.explained, keep_going=options.keep_going)
    return code if comparison.is_same or code else IncompleteError.exit_code


def _query_of(record: SearchRecord, path: Path) -> Query:
    try:
        return parse_query(record.query, exact=record.exact)
    except UsageError as error:
        raise ArchiverError(
            f"{path}: this version cannot read the query recorded there:\n{error.message}",
            f"it was made by {record.tool}",
        ) from error


def _search(
    session: Session, query: Query, record: SearchRecord, options: Options, archives: Sequence[Archive], *,
    spool: bool,
) -> _Made:  # fmt: skip
    opening = open_search(session, query, store=options.store, spool=spool, only=archives)
    with opening as opened:
        hits: Sequence[Hit] = []
        if archives or opened.spool.records:
            searcher = opened.searcher
            hits = answer_of(
                searcher,
                lambda: searcher.search(query, order=record.order, limit=0, versions=record.versions).hits,
                hits,
            )
        return _Made(hits, explain(session, query, opened), opened.searcher.effort())


def _repeated(query: Query, then: _Made, later: _Made) -> Repeated:
    return Repeated(
        query=query,
        tool=f"archiver {__version__}",
        hits=then.hits,
        expansion=expansion_of(then.explained),
        later=later.hits,
        later_expansion=expansion_of(later.explained),
    )


# What is said


def _print(
    session: Session, path: Path, record: SearchRecord, found: FoundArchives, comparison: Comparison
) -> None:
    if session.json:
        session.print_json("replay", **_fields(record, found, comparison))
        return
    click.echo(one_line(f"{path}: {record.query}"))
    click.echo(one_line(f"  recorded {record.made_at}, {_archives(len(record.archives))}"))
    for line in _lines(comparison):
        click.echo(one_line(line))


def _archives(number: int) -> str:
    return f"over {number_of(number, 'archive')}"


def _lines(comparison: Comparison) -> Iterator[str]:
    one = comparison
    if one.is_same:
        yield f"the same: {number_of(one.now, 'record')}"
    elif not one.differs:
        yield f"nothing differs in what was searched then, which was not all: {number_of(one.now, 'record')}"
    else:
        yield f"it differs: {number_of(one.then, 'record')} then, {one.now:,} now"
    for left_out in one.unsearched:
        yield f"  {not_searched(left_out.archive) or 'not all was searched'} then: {left_out.error}"
    if one.unsearched:
        yield "  so the answer was not whole, and is not now: search again for all"
    for name in one.missing:
        yield f"  archive {name}, which was searched, is missing"
    for name in one.different:
        yield f"  archive {name} is not the one that was searched: its manifest is another"
    yield from _records("found now and not then", one.added)
    yield from _records("found then and not now", one.gone)
    if one.is_reordered:
        yield "  the same records come in another order"
    if one.is_read_differently:
        yield "  the query is read in another way now"
    if one.words:
        yield f"  other forms were looked for: {listed(one.words)}"
    if one.names:
        yield f"  other names were looked for: {listed(one.names)}"
    if one.tool_then != one.tool_now:
        yield f"  made by {one.tool_then}, repeated by {one.tool_now}"
    if one.later_archives:
        more = f"{one.later:,} more" if one.later else "nothing more"
        yield f"{more} in {number_of(one.later_archives, 'archive')} sealed since"


def _records(what: str, ids: Sequence[FoundId]) -> Iterator[str]:
    if not ids:
        return
    yield f"  {number_of(len(ids), 'record')} {what}:"
    for one in ids[:_MOST_SHOWN]:
        place = "the spool" if one.archive == "spool" else one.archive
        yield f"    {one.kind} {one.id} of account {one.account}, in {place}"
    if len(ids) > _MOST_SHOWN:
        yield f"    and {len(ids) - _MOST_SHOWN:,} more"


def _fields(record: SearchRecord, found: FoundArchives, comparison: Comparison) -> dict[str, object]:
    one = comparison
    return {
        "same": one.is_same,
        "query": record.query,
        "made_at": record.made_at,
        "count_then": one.then,
        "count_now": one.now,
        "found_now": records_of(one.added),
        "found_then": records_of(one.gone),
        "reordered": one.is_reordered,
        "read_differently": one.is_read_differently,
        "word_forms": one.words,
        "names": one.names,
        "unsearched_then": [{"archive": each.archive, "error": each.error} for each in one.unsearched],
        "missing_archives": one.missing,
        "different_archives": one.different,
        "tool_then": one.tool_then,
        "tool_now": one.tool_now,
        "sealed_since": [archive.name for archive in found.since],
        "more_since": one.later,
    }
