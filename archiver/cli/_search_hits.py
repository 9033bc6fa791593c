"""Hits of a search: a headline and the text for a person, fields for a program."""

import sys
from collections.abc import Iterable

import click

from archiver.cli._search_marks import Wanted, highlighted
from archiver.cli._session import Session, printable
from archiver.cli.moderation._lines import details, headline, record_fields, words_of
from archiver.search.hit import Hit
from archiver.times import format_time


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


def print_hit(hit: Hit, wanted: Wanted, indent: str = "") -> None:
    """For a person; `indent` is what every line but the first begins with."""
    first, *others = _headlines(hit)
    click.echo(dimmed(first))
    for line in others:
        click.echo(indent + dimmed(line))
    for text in _texts(hit):
        lines = highlighted(printable(text), wanted)
        click.echo(f"{indent}  " + lines.replace("\n", f"\n{indent}  "))


def print_hits_json(session: Session, hits: Iterable[Hit]) -> None:
    for hit in hits:
        session.print_json(hit.kind, **hit_fields(hit))


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
    place = hit.sealed_in or "the spool"
    return f"{when} UTC  {hit.kind}  {printable(who)}  {hit.id}  in {place}{printable(extra)}"


def dimmed(line: str) -> str:
    """Less bright than the texts, on a terminal."""
    return click.style(line, dim=True) if sys.stdout.isatty() else line
