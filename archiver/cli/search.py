"""`archiver search`: every archive in place, nothing restored."""

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import click

from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._session import one_line, printable
from archiver.cli.moderation._lines import details, headline, number_of, record_fields, words_of
from archiver.cli.moderation._reading import note_unknown_people
from archiver.errors import UsageError
from archiver.search.moderation import (
    accounts_that_occur,
    count_begun,
    count_sealed,
    reasons_that_occur,
)
from archiver.search.moderation_index import folded as folded_name
from archiver.search.query import MODERATION, Query, parse_query
from archiver.search.run import Effort, Hit, Result, Searcher
from archiver.search.statement import Order, tables_of
from archiver.times import format_time
from archiver.vault import Archive
from archiver.wiring import available_cores, count_moderation, has_spool, open_entries

_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")
"""A word as the index has it: letters and digits with their accents; an underscore parts words."""


@click.command(
    "search",
    epilog=examples(
        "archiver search burglary",
        "archiver search '\"road closed\" OR flooding -football since:2026-01 until:31/03/2026'",
        "archiver search --order oldest --limit 0 --json 'from:SpringfieldPD kind:reply apolog*'",
        "archiver search 'reason:abusive action:hide since:2026-11'",
    ),
)
@click.argument("words", nargs=-1, required=True, metavar="QUERY…")
@click.option(
    "--order", type=click.Choice(["newest", "oldest", "relevance"]), default="newest", show_default=True
)
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="0 for all.")
@click.option("--effort", is_flag=True, help="Say how much of the vault was read.")
@store_option
@pass_session
def command(
    session: Session, words: tuple[str, ...], order: Order, limit: int, effort: bool, store: str | None
) -> int:
    """Search posts and messages, with the descriptions of pictures, in every archive.

    Words must all be there. "a phrase", prefix*, OR between two, -word not; from:HANDLE or author:HANDLE,
    account:HANDLE, kind:reply, since:DAY, until:DAY (as 2026-01-31, a month or a year, in UTC, both
    included). A record is shown once, in its newest version. kind: takes post, reply, repost, quote, message,
    like, follower, following, block, mute and more; without it posts and messages are searched.

    kind:moderation searches moderation records, those in the spool included, by the item's text and the
    notes; by:WHO, reason:CODE and action:hide mean it too: archiver moderation codes lists them. author: is
    then who wrote the item. What was corrected since is found as well."""
    query = parse_query(" ".join(words))
    if len(words) == 1 and " " in words[0] and not set(words[0]) & set('":*'):
        session.note(f"searching for all of these words; as a phrase: archiver search '\"{words[0]}\"'")
    if order == "relevance" and not query.groups:
        raise UsageError("relevance needs words to be relevant to", "use --order newest")
    moderated = query.wants(MODERATION)
    identities = None if moderated and not tables_of(query) else session.identities()
    # The spool before the archives: a seal moves entries from the one to the other.
    spooled = open_entries(session.settings) if moderated else []
    vault = session.open_vault(store)
    listed = session.list_archives(vault)
    if identities is None:  # only archives that hold moderation records are opened
        identities = session.identities() if count_sealed(listed.archives) else []
    searcher = Searcher(vault, listed.archives, identities, processes=available_cores(), spooled=spooled)
    try:
        result = searcher.search(query, order=order, limit=limit)
        _note_unknown(session, query, searcher)
        moderation = _moderation(session, query, listed.archives)
        _print(session, query, result, moderation, searcher.effort() if effort else None)
    finally:
        searcher.close()
    if listed.problems:
        raise listed.problems[0]
    return session.worst(0)


# Moderation records beside what was asked


class _Moderation(NamedTuple):
    """Whether the spool was searched, None where moderation records were not asked for; and how many of them
    were not searched."""

    spool: bool | None
    not_searched: int


def _moderation(session: Session, query: Query, archives: Sequence[Archive]) -> _Moderation:
    if query.wants(MODERATION):
        return _Moderation(has_spool(session.settings), 0)
    if MODERATION in query.not_kinds:
        return _Moderation(None, 0)
    sealed = count_begun(archives) or count_sealed(archives)
    return _Moderation(None, max(sealed, count_moderation(session.settings)))


def _note_unknown(session: Session, query: Query, searcher: Searcher) -> None:
    """Say which reasons, accounts and people there are where one was asked for that no record has, as one
    mistyped."""
    if not query.wants(MODERATION):
        return
    reasons = (*query.reasons, *query.not_reasons)
    if reasons:
        known = reasons_that_occur(searcher.moderation())
        _note_missing(session, "has the reason", reasons, known, known)
    accounts = (*query.accounts, *query.not_accounts)
    if accounts:
        occurring = accounts_that_occur(searcher.moderation())
        names = [name for one in occurring for name in one if name]
        listed = [f"@{handle} ({account})" if handle else account for account, handle in occurring]
        _note_missing(session, "is of the account", accounts, names, listed)
    people = (*query.by, *query.not_by)
    note_unknown_people(session, searcher.moderation() if people else (), people)


def _note_missing(
    session: Session, what: str, asked: Sequence[str], known: Sequence[str], listed: Sequence[str]
) -> None:
    for one in dict.fromkeys(asked):
        if folded_name(one) not in map(folded_name, known):
            session.note(
                one_line(f"no moderation record {what} {one}; these occur: {', '.join(listed) or 'none'}")
            )


def hit_fields(hit: Hit) -> dict[str, object]:
    """A hit as JSON."""
    if hit.moderation is not None:
        return record_fields(hit.moderation, hit.sealed_in, in_spool=hit.in_spool, superseded=hit.superseded)
    return {
        "platform": hit.platform,
        "id": hit.id,
        "account": hit.account,
        "author": hit.author,
        "author_id": hit.author_id,
        "posted_at": format_time(hit.posted_ms),
        "text": hit.text,
        "alt_text": hit.alt_text,
        "archive": hit.archive,
        "versions": hit.versions,
        "superseded": hit.superseded,
        "gone_at": None if hit.gone is None else format_time(hit.gone[0]),
        "gone_how": None if hit.gone is None else hit.gone[1],
    }


def _print(
    session: Session, query: Query, result: Result, moderation: _Moderation, effort: Effort | None
) -> None:
    if session.json:
        _print_json(session, result, moderation, effort)
        return
    wanted = searched_words(query)
    for hit in result.hits:
        for line in _headlines(hit):
            click.echo(_dimmed(line))
        for text in _texts(hit):
            click.echo("  " + highlighted(printable(text), wanted).replace("\n", "\n  "))
    notes = [number_of(len(result.hits), "record")]
    if result.more:
        notes.append("there are more: raise --limit")
    if moderation.spool is not None:
        notes.append("the spool is included" if moderation.spool else "no spool is at hand here")
    session.note("; ".join(notes))
    if moderation.not_searched:
        number = moderation.not_searched
        were = "was" if number == 1 else "were"
        session.note(f"{number_of(number, 'moderation record')} {were} not searched: kind:moderation")
    if effort is not None:
        session.note(
            f"read {number_of(effort.segments, 'segment')}, {number_of(effort.chunks, 'chunk')},"
            f" {number_of(effort.frames, 'frame')},"
            f" {effort.bytes:,} bytes"
            + (f", {number_of(effort.requests, 'request')}" if effort.requests else "")
        )


def _print_json(session: Session, result: Result, moderation: _Moderation, effort: Effort | None) -> None:
    for hit in result.hits:
        session.print_json(hit.kind, **hit_fields(hit))
    summary: dict[str, object] = {"count": len(result.hits), "more": result.more}
    if moderation.spool is not None:
        summary["spool_included"] = moderation.spool
    if moderation.not_searched:
        summary["moderation_not_searched"] = moderation.not_searched
    if effort is not None:
        summary["read"] = effort._asdict()
    session.print_json("summary", **summary)


def _texts(hit: Hit) -> Iterable[str]:
    if hit.moderation is not None:
        return words_of(hit.moderation)
    return [hit.text if hit.alt_text is None else f"{hit.text}\n[picture: {hit.alt_text}]"]


def _headlines(hit: Hit) -> list[str]:
    if hit.moderation is None:
        return [_headline(hit)]
    below = details(hit.moderation, hit.sealed_in, in_spool=hit.in_spool, superseded=hit.superseded)
    return [headline(hit.moderation), *(f"  {line}" for line in below)]


def _headline(hit: Hit) -> str:
    who = f"@{hit.author}" if hit.author else hit.author_id or hit.account
    notes = []
    if hit.versions > 1:
        notes.append(f"{hit.versions} versions" + (", a newer one does not match" if hit.superseded else ""))
    if hit.gone is not None:
        notes.append(f"gone since {format_time(hit.gone[0])[:10]}: {hit.gone[1]}")
    extra = f"  [{'; '.join(notes)}]" if notes else ""
    when = format_time(hit.posted_ms)[:19].replace("T", " ")
    return f"{when} UTC  {hit.kind}  {printable(who)}  {hit.id}  in {hit.archive}{extra}"


def _dimmed(line: str) -> str:
    """Less bright than the texts, on a terminal."""
    return click.style(line, dim=True) if sys.stdout.isatty() else line


def searched_words(query: Query) -> tuple[set[str], tuple[str, ...]]:
    """The words to highlight, and the beginnings of words."""
    whole: set[str] = set()
    prefixes: list[str] = []
    for group in query.groups:
        for term in group:
            words = [folded(word) for word in _WORD.findall(term.text)]
            if term.prefix and words:
                prefixes.append(words.pop())
            whole.update(words)
    return whole, tuple(prefixes)


def folded(word: str) -> str:
    """A word as the index compares it: without case and accents (SQLite FTS, unicode61)."""
    decomposed = unicodedata.normalize("NFD", word.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def highlighted(text: str, wanted: tuple[Iterable[str], tuple[str, ...]]) -> str:
    """The text with the searched words in bold, on a terminal."""
    if not sys.stdout.isatty():
        return text
    whole, prefixes = wanted

    def mark(match: "re.Match[str]") -> str:
        word = folded(match[0])
        hit = word in whole or (bool(prefixes) and word.startswith(prefixes))
        return click.style(match[0], bold=True, fg="yellow") if hit else match[0]

    return _WORD.sub(mark, text)
