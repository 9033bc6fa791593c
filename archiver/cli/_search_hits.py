"""Hits of a search: a headline and the text for a person, fields for a program."""

from collections.abc import Iterable, Iterator, Mapping

import click

from archiver.cli._search_marks import Wanted, highlighted
from archiver.cli._session import colours, one_line, printable
from archiver.cli.moderation._lines import details, headline, record_fields, words_of
from archiver.search.hit import Hit, table_of
from archiver.search.run import Searcher
from archiver.times import format_time
from archiver.uk_time import format_uk_time

Handles = Mapping[str, str]
"""What accounts are called, by their ids."""


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


def handles_of(searcher: Searcher, hits: Iterable[Hit]) -> Handles:
    """Of the accounts of likes, followers and the like those that had one handle alone, as far as that is
    catalogued."""
    accounts = {hit.account for hit in hits if _is_relation(hit)}
    known = {account: searcher.catalogue.known_as(account).handles for account in accounts}
    return {account: handles[0] for account, handles in known.items() if len(handles) == 1}


def print_hit(hit: Hit, wanted: Wanted, handles: Handles, indent: str = "") -> None:
    """For a person; `indent` is what every line but the first begins with."""
    first, *others = _headlines(hit, handles)
    click.echo(dimmed(first))
    for line in others:
        click.echo(indent + dimmed(line))
    for text in _texts(hit):
        lines = highlighted(printable(text), wanted)
        click.echo(f"{indent}  " + lines.replace("\n", f"\n{indent}  "))


def _texts(hit: Hit) -> Iterable[str]:
    if hit.moderation is not None:
        return words_of(hit.moderation)
    return [hit.text if hit.alt_text is None else f"{hit.text}\n[picture: {hit.alt_text}]"]


def _headlines(hit: Hit, handles: Handles) -> list[str]:
    if hit.moderation is None:
        return [_headline(hit, handles)]
    below = details(hit.moderation, hit.sealed_in, in_spool=hit.in_spool, superseded=hit.superseded)
    return [headline(hit.moderation), *(f"  {line}" for line in below)]


def _headline(hit: Hit, handles: Handles) -> str:
    if _is_relation(hit):
        when = f"captured {time_in_words(hit.posted_ms)}"
        handle = handles.get(hit.account)
        who = f"of @{handle}" if handle else f"of {hit.account}"
    else:
        when = time_in_words(hit.posted_ms)
        who = f"@{hit.author}" if hit.author else hit.author_id or hit.account
    notes = "; ".join(_notes(hit))
    extra = f"  [{notes}]" if notes else ""
    place = hit.sealed_in or "the spool"
    return f"{when}  {hit.kind}  {one_line(who)}  {one_line(hit.id)}  in {place}{one_line(extra)}"


def _is_relation(hit: Hit) -> bool:
    return hit.moderation is None and table_of(hit.kind) == "relation"


def _notes(hit: Hit) -> Iterator[str]:
    if hit.versions > 1:
        yield f"{hit.versions} versions" + (", a newer one does not match" if hit.superseded else "")
    elif hit.superseded:
        yield "a newer version does not match"
    if hit.gone is not None:
        yield f"found missing {format_time(hit.gone[0])[:10]}: {hit.gone[1]}"


def time_in_words(milliseconds: int) -> str:
    """In UTC and, where clocks in the UK show another time, also as they do: `2026-07-22 12:00:00 UTC
    (13:00 BST)`, with the day where it is another one."""
    utc = format_time(milliseconds)[:19].replace("T", " ")
    try:
        day, time, zone = format_uk_time(milliseconds).split(" ")
    except OverflowError:
        return f"{utc} UTC"
    if f"{day} {time}" == utc:
        return f"{utc} UTC"
    shown = time[:5] if utc.startswith(day) else f"{day} {time[:5]}"
    return f"{utc} UTC ({shown} {zone})"


def dimmed(line: str) -> str:
    """Less bright than the texts, where there are colours."""
    return click.style(line, dim=True) if colours() else line
