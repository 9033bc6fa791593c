"""`archiver search`: every archive in place, nothing restored."""

from collections.abc import Sequence
from typing import Any

import click

from archiver import __version__
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._search_context import print_with_context, with_context_fields
from archiver.cli._search_csv import COLUMNS, hit_rows, write_csv
from archiver.cli._search_groups import print_count, print_groups
from archiver.cli._search_hits import hit_fields, print_hit
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
from archiver.cli._search_opening import Opened, open_search
from archiver.cli._search_options import Options, add_options, check_replay, read_options
from archiver.cli._search_recording import check_new, keep_record
from archiver.cli._search_replay import replay
from archiver.cli._search_unknown import note_unknown
from archiver.cli._session import one_line
from archiver.errors import UsageError
from archiver.search.hit import POSITION, Hit, Result
from archiver.search.language import Query, parse_query
from archiver.search.repeating.cursor import Cursor, asked_of, check_asked, encode_cursor, parse_cursor


@click.command(
    "search",
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
    opening = open_search(session, query, store=options.store, spool=not options.no_spool, cursor=cursor)
    with opening as opened:
        if options.count or options.by is not None:
            explained = _count(session, query, options, opened)
        else:
            explained = _search(session, query, options, opened, cursor, asked)
        print_unsearched(explained)
        return exit_code(session, explained, keep_going=options.keep_going)


def _read_query(session: Session, words: Sequence[str], options: Options) -> Query:
    if not words:
        raise UsageError("missing argument 'QUERY…'", "see: archiver search --help")
    query = parse_query(" ".join(words), exact=options.exact)
    if options.order == "relevance" and not query.has_words:
        raise UsageError("relevance needs words to be relevant to", "use --order newest")
    if len(words) == 1 and " " in words[0].strip() and not set(words[0]) & set('":*()~#'):
        session.note(
            one_line(f"searching for all of these words; as a phrase: archiver search '\"{words[0]}\"'")
        )
    return query


# Hits


def _search(
    session: Session, query: Query, options: Options, opened: Opened, cursor: Cursor | None, asked: bytes
) -> Explained:
    after = None if cursor is None else cursor.position
    limit = 0 if options.record is not None else options.limit
    result = opened.searcher.search(
        query, order=options.order, limit=limit, after=after, versions=options.versions
    )
    shown = _page(result, options)
    explained = explain(session, query, opened)
    if options.record is not None:
        keep_record(options.record, query, options, opened, explained, result.hits, f"archiver {__version__}")
    next_one = _next_cursor(shown, options, opened, cursor, asked)
    effort = opened.searcher.effort() if options.effort else None
    answer = Answer(len(shown.hits), shown.more, next_one, effort)
    note_unknown(session, query, opened.searcher)
    _print(session, query, options, opened, shown.hits, answer, explained)
    return explained


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
    session: Session, query: Query, options: Options, opened: Opened, hits: Sequence[Hit], answer: Answer,
    explained: Explained,
) -> None:  # fmt: skip
    if session.json:
        around = with_context_fields(opened.searcher, hits, options.context)
        for hit, context in zip(hits, around, strict=True):
            session.print_json(hit.kind, **hit_fields(hit), **context)
        session.print_json("summary", **summary_fields(opened, answer, explained))
        return
    if options.csv:
        write_csv(COLUMNS, hit_rows(hits))
    elif options.ids:
        for hit in hits:
            click.echo(one_line(hit.id))
    else:
        wanted = wanted_of(query.root, explained.forms)
        if options.context:
            print_with_context(opened.searcher, hits, options.context, wanted)
        else:
            for hit in hits:
                print_hit(hit, wanted)
    print_notes(session, query, opened, answer, explained)


# Numbers


def _count(session: Session, query: Query, options: Options, opened: Opened) -> Explained:
    total = opened.searcher.count(query, versions=options.versions)
    groups = None
    if options.by is not None:
        groups = opened.searcher.count_by(query, options.by, versions=options.versions)
    explained = explain(session, query, opened)
    effort = opened.searcher.effort() if options.effort else None
    answer = Answer(total, effort=effort)
    note_unknown(session, query, opened.searcher)
    if groups is None or options.by is None:
        print_count(session, total, is_csv=options.csv)
    else:
        print_groups(session, options.by, groups, total, is_csv=options.csv)
    if session.json:
        session.print_json("summary", **summary_fields(opened, answer, explained))
    else:
        print_notes(session, query, opened, answer, explained)
    return explained
