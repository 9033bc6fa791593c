"""Hits with what stands before and after them in their threads."""

import shutil
import sys
from collections.abc import Iterator, Sequence

import click

from archiver.cli._search_hits import Handles, dimmed, print_hit
from archiver.cli._search_marks import Wanted
from archiver.cli._session import one_line
from archiver.cli._shown_thread import line_fields
from archiver.cli.moderation._lines import minute
from archiver.search.hit import Hit
from archiver.search.language import POST_KINDS
from archiver.search.record.thread import Anchor, Line, Thread, find_thread
from archiver.search.run import Searcher

_WRITTEN = (*POST_KINDS, "message")
_MOST_WHO = 16
_FEWEST_CHARACTERS = 16
_Key = tuple[str, str, str]


def find_threads(searcher: Searcher, hits: Sequence[Hit], around: int) -> list[Thread | None]:
    """The thread of each hit; None of what has none, as a like."""
    anchors = [_anchor(hit) if hit.kind in _WRITTEN else None for hit in hits]
    wanted = [one for one in anchors if one is not None]
    found = iter(find_thread(searcher, wanted, before=around, after=around))
    return [None if one is None else next(found) for one in anchors]


def _anchor(hit: Hit) -> Anchor:
    table = "message" if hit.kind == "message" else "post"
    return Anchor(table, hit.platform, hit.account, hit.id, hit.posted_ms)


def context_fields(threads: Sequence[Thread | None]) -> Iterator[dict[str, object]]:
    """What each hit has as JSON beside its own fields."""
    for thread in threads:
        lines = () if thread is None else thread.lines
        of = None if thread is None else thread.record
        yield {"context": [line_fields(line, is_record=line is of) for line in lines]}


def print_with_context(
    hits: Sequence[Hit], threads: Sequence[Thread | None], wanted: Wanted, handles: Handles
) -> None:
    """For a person: each thread once, where its first hit stands, its hits marked."""
    places = {_key_of(hit): hit for hit in hits}
    for number, (first, lines) in enumerate(put_together(hits, threads)):
        if number:
            click.echo()
        _print_thread(first, lines, places, wanted, handles)


def put_together(hits: Sequence[Hit], threads: Sequence[Thread | None]) -> list[tuple[Hit, dict[_Key, Line]]]:
    """The first of the hits that share lines of their threads with one another, and all these lines."""
    leads = list(range(len(hits)))
    """By a hit's number that of another it is with, at the end of the way the first one's: a union-find."""
    owners: dict[_Key, int] = {}
    for number, (hit, thread) in enumerate(zip(hits, threads, strict=True)):
        if thread is None:
            continue
        for key in (_key_of(hit), *map(_key_of_line, thread.lines)):
            one, other = _lead(leads, owners.setdefault(key, number)), _lead(leads, number)
            leads[max(one, other)] = min(one, other)
    found: dict[int, dict[_Key, Line]] = {}
    for number, thread in enumerate(threads):
        lines = found.setdefault(_lead(leads, number), {})
        lines.update((_key_of_line(line), line) for line in (() if thread is None else thread.lines))
    return [(hits[number], lines) for number, lines in found.items()]


def _lead(leads: list[int], number: int) -> int:
    """The first hit of those that one is with; the way there is halved for the next time."""
    while leads[number] != number:
        leads[number] = number = leads[leads[number]]
    return number


def _print_thread(
    hit: Hit, lines: dict[_Key, Line], hits: dict[_Key, Hit], wanted: Wanted, handles: Handles
) -> None:
    if _key_of(hit) not in lines:  # it has no thread
        click.echo(">> ", nl=False)
        print_hit(hit, wanted, handles, indent="   ")
        return
    for key, line in sorted(lines.items(), key=lambda one: (one[1].posted_ms, one[1].id)):
        if key in hits:
            click.echo(">> ", nl=False)
            print_hit(hits[key], wanted, handles, indent="   ")
        else:
            click.echo("   " + dimmed(_in_a_line(line)))


def _in_a_line(line: Line) -> str:
    """When, who, the first characters, the id; on a terminal no more than it has room for."""
    who = one_line(f"@{line.author}" if line.author else line.author_id or "unknown")
    text = one_line(" ".join(line.text.split()))
    if sys.stdout.isatty():
        who = who if len(who) <= _MOST_WHO else f"{who[: _MOST_WHO - 1]}…"
        taken = len(f"   {minute(line.posted_ms)}  {who}    {line.id}")
        room = max(_FEWEST_CHARACTERS, shutil.get_terminal_size().columns - taken)
        text = text if len(text) <= room else f"{text[: room - 1]}…"
    return f"{minute(line.posted_ms)}  {who}  {text}  {one_line(line.id)}"


def _key_of(hit: Hit) -> _Key:
    return hit.platform, "message" if hit.kind == "message" else "post", hit.record_id


def _key_of_line(line: Line) -> _Key:
    return line.platform, line.table, line.record_id
