"""`archiver search`: every archive in place, nothing restored."""

import shlex
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import click

from archiver import __version__
from archiver.audit.entry import Asked
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._restricted import require_reason_for
from archiver.cli._search_context import context_fields, find_threads, print_with_context
from archiver.cli._search_csv import COLUMNS, hit_rows, write_csv
from archiver.cli._search_groups import print_count, print_groups
from archiver.cli._search_hits import handles_of, hit_fields, print_hit
from archiver.cli._search_marks import wanted_of
from archiver.cli._search_notes import (
    Answer,
    Explained,
    exit_code,
    explain,
    print_notes,
    print_unsearched,
    summary_fields,
)
from archiver.cli._search_opening import Opened, answer_of, open_search
from archiver.cli._search_options import Options, SearchCommand, add_options, check_replay, read_options
from archiver.cli._search_recording import check_new, keep_record
from archiver.cli._search_replay import replay
from archiver.cli._search_unknown import lines_of_nothing, note_unknown
from archiver.cli._session import one_line
from archiver.errors import UsageError
from archiver.search.counting import Group
from archiver.search.hit import POSITION, Hit, Result
from archiver.search.language import Query, parse_query
from archiver.search.language.tree import And, Words
from archiver.search.record.thread import Thread
from archiver.search.repeating.cursor import Cursor, asked_of, check_asked, encode_cursor, parse_cursor
from archiver.search.run import Searcher


@click.command(
    "search",
    cls=SearchCommand,
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    epilog=examples(
        "archiver search burglary",
        "archiver search '\"road closed\" OR flooding -football since:2026-01 until:31/03/2026'",
        "archiver search --order oldest --limit 0 --json 'from:SpringfieldPD kind:reply apolog*'",
        "archiver search --by month 'assault has:video'",
        "archiver search 'reason:abusive action:hide since:2026-11'",
        "archiver search --record complaint-17.json 'dog bite* account:SpringfieldPD'",
        "archiver search --replay complaint-17.json",
    ),
)
@click.argument("words", nargs=-1, metavar="QUERY…")
@add_options
@store_option
@pass_session
def command(session: Session, /, words: tuple[str, ...], **values: Any) -> int:
    """Search posts and messages, with the descriptions of pictures, in every archive and in what is not
    sealed yet. A record is shown once, in its newest version.

    Words must all be there, and other forms of them count too: assault is also assaulted. "a phrase" and
    --exact take words as they are. prefix*, *anywhere*, word~1 (a letter may differ), near NEAR/5 by,
    one OR another, -without, (…).

    from:HANDLE to: mention: #tag (tag:) url:DOMAIN account: platform: kind: lang: client: id: conversation:
    since: until: (2026-01-31, 31/01/2026, a month, a year or a time, in UK time, both included)
    has:media|image|video|link|alt is:reply|repost|quote|deleted|edited|moderated. kind: takes post, reply,
    repost, quote, message, like, follower, following, block, mute and more; without it posts and messages
    are searched.

    kind:moderation searches moderation records, those in the spool included, by the item's text and the
    notes; by:WHO, reason:CODE and action:hide mean it too: archiver moderation codes lists them. author: is
    then who wrote the item. What was corrected since is found as well."""
    options = read_options(click.get_current_context(), values, json=session.json)
    session.require_reason(options.reason)
    require_reason_for(options.restricted, options.reason)
    if options.replay is not None:
        check_replay(options, words)
        return replay(session, options.replay, options)
    query = _read_query(session, words, options)
    asked = asked_of(query, versions=options.versions, store=options.store, spool=not options.no_spool)
    cursor = None if options.after is None else parse_cursor(options.after)
    if cursor is not None:
        check_asked(cursor, options.order, asked)
    if options.record is not None:
        check_new(options.record)
    opening = open_search(
        session, query, store=options.store, spool=not options.no_spool, cursor=cursor,
        asked=_asked_for(query, options), restricted=options.restricted,
    )  # fmt: skip
    with opening as opened:
        if options.count or options.by is not None:
            explained = _count(session, query, options, opened)
        else:
            explained = _search(session, query, options, opened, cursor, asked)
        print_unsearched(explained)
        if (problem := opened.searcher.catalogue.problem) is not None:
            session.note(one_line(f"searches are slower than need be: {problem}"))
        return exit_code(session, explained, keep_going=options.keep_going)


_WAYS = ("count", "by", "restricted")


def _asked_for(query: Query, options: Options) -> Asked:
    """What the log says of the search."""
    ways = {name: value for name in _WAYS if (value := getattr(options, name))}
    return Asked("search", "search", query=query.text, case=options.case, reason=options.reason, detail=ways)


def _read_query(session: Session, words: Sequence[str], options: Options) -> Query:
    if not words:
        raise UsageError("missing argument 'QUERY…'", "see: archiver search --help")
    query = parse_query(" ".join(words), exact=options.exact)
    if options.order == "relevance" and not query.has_words:
        raise UsageError("relevance needs words to be relevant to", "use --order newest")
    if len(words) == 1 and _is_plain(query):
        config = [] if session.config is None else ["--config", str(session.config)]
        phrase = shlex.join(["archiver", *config, "search", f'"{query.text.strip()}"'])
        session.note(one_line(f"searching for all of these words; as a phrase: {phrase}"))
    return query


def _is_plain(query: Query) -> bool:
    """Whether it is single words with nothing but a space between them."""
    parts = query.root.parts if isinstance(query.root, And) else ()
    words = [one for one in parts if isinstance(one, Words) and len(one.tokens) == 1]
    if not words or len(words) < len(parts) or any(one.exact or one.prefix or one.edits for one in words):
        return False
    return [query.text[one.span.start : one.span.end] for one in words] == query.text.split()


# Hits


def _search(
    session: Session, query: Query, options: Options, opened: Opened, cursor: Cursor | None, asked: bytes
) -> Explained:
    after = None if cursor is None else cursor.position
    limit = 0 if options.record is not None else options.limit
    searcher = opened.searcher

    def search() -> Result:
        return searcher.search(
            query, order=options.order, limit=limit, after=after, versions=options.versions
        )

    result = answer_of(searcher, search, Result([], False))
    shown = _page(result, options)
    threads = _threads(searcher, shown.hits, options.context)
    explained = explain(session, query, opened)
    if options.record is not None:
        keep_record(options.record, query, options, opened, explained, result.hits, f"archiver {__version__}")
    next_one = _next_cursor(shown, options, opened, cursor, asked)
    effort = opened.searcher.effort() if options.effort else None
    recorded = None if options.record is None else (options.record, len(result.hits))
    answer = Answer(len(shown.hits), _counted(options), False, shown.more, next_one, effort, recorded)
    opened.act.end(results=len(shown.hits), ids=[one.id for one in shown.hits])
    opened.progress.clear()
    note_unknown(session, query, opened.searcher)
    _print(session, query, options, opened, shown.hits, threads, explained)
    _print_end(session, query, opened, answer, explained)
    if not shown.hits and cursor is None:
        _note_nothing(session, query, opened, explained)
    return explained


def _counted(options: Options) -> str:
    return "version" if options.versions else "record"


def _threads(searcher: Searcher, hits: Sequence[Hit], around: int) -> Sequence[Thread | None]:
    if not around:
        return []
    none: Sequence[Thread | None] = [None] * len(hits)
    return answer_of(
        searcher, lambda: searcher.without_unreadable(lambda: find_threads(searcher, hits, around)), none
    )


def _page(result: Result, options: Options) -> Result:
    """What is shown of an answer that was made whole to be recorded."""
    if options.record is None or not options.limit or len(result.hits) <= options.limit:
        return result
    hits = result.hits[: options.limit]
    return Result(hits, True, POSITION[options.order](hits[-1]))


def _next_cursor(
    page: Result, options: Options, opened: Opened, before: Cursor | None, asked: bytes
) -> str | None:
    if not page.more or page.ends_at is None:
        return None
    if before is not None:
        pages = before.spool_page, before.spool_entries
        cursor = Cursor(options.order, asked, page.ends_at, before.sequence, before.sha256, *pages)
        return encode_cursor(cursor)
    head = opened.archives[-1].head if opened.archives else None
    sequence, sha256 = (0, b"") if head is None else (head.sequence, bytes.fromhex(head.sha256))
    spool = opened.spool
    pages = (
        spool.last_page if spool.segments else None,
        len(spool.entries) if spool.entries else None,
    )
    return encode_cursor(Cursor(options.order, asked, page.ends_at, sequence, sha256, *pages))


def _print(
    session: Session, query: Query, options: Options, opened: Opened, hits: Sequence[Hit],
    threads: Sequence[Thread | None], explained: Explained,
) -> None:  # fmt: skip
    if session.json:
        around = context_fields(threads) if options.context else repeat({})
        for hit, context in zip(hits, around, strict=False):
            session.print_json(hit.kind, **hit_fields(hit), **context)
    elif options.csv:
        write_csv(COLUMNS, hit_rows(hits))
    elif options.ids:
        for hit in hits:
            click.echo(one_line(hit.id))
    else:
        wanted = wanted_of(query.root, explained.forms)
        handles = handles_of(opened.searcher, hits)
        if options.context:
            print_with_context(hits, threads, wanted, handles)
        else:
            for hit in hits:
                print_hit(hit, wanted, handles)


def _print_end(session: Session, query: Query, opened: Opened, answer: Answer, explained: Explained) -> None:
    if session.json:
        session.print_json("summary", **summary_fields(opened, answer, explained))
    else:
        print_notes(session, query, opened, answer, explained)


def _note_nothing(session: Session, query: Query, opened: Opened, explained: Explained) -> None:
    searcher = opened.searcher
    for line in lines_of_nothing(query, searcher, opened.archives, all_names=explained.all_names):
        session.note(one_line(line))


# Numbers


def _count(session: Session, query: Query, options: Options, opened: Opened) -> Explained:
    total, groups = _numbers(query, options, opened.searcher)
    explained = explain(session, query, opened)
    effort = opened.searcher.effort() if options.effort else None
    what = _counted(options)
    opened.act.end(results=total)
    opened.progress.clear()
    note_unknown(session, query, opened.searcher)
    if options.by is None:
        print_count(session, total, what, is_csv=options.csv)
    else:
        print_groups(session, options.by, groups, total, what, is_csv=options.csv)
    _print_end(session, query, opened, Answer(total, what, True, effort=effort), explained)
    if not total:
        _note_nothing(session, query, opened, explained)
    return explained


def _numbers(query: Query, options: Options, searcher: Searcher) -> tuple[int, Sequence[Group]]:
    """How many there are, and of each group. Only hashtags do not add up."""
    by, versions = options.by, options.versions

    def groups() -> Sequence[Group]:
        return [] if by is None else searcher.count_by(query, by, versions=versions)

    none: Sequence[Group] = []
    found = answer_of(searcher, groups, none)
    if by is not None and by != "hashtag":
        return sum(group.records for group in found), found
    return answer_of(searcher, lambda: searcher.count(query, versions=versions), 0), found
