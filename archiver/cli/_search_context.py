"""Hits with what stands before and after them in their threads."""

from collections.abc import Iterator, Sequence

import click

from archiver.cli._search_hits import dimmed, print_hit
from archiver.cli._search_marks import Wanted
from archiver.cli._session import one_line
from archiver.cli._shown_lines import columns
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


def with_context_fields(searcher: Searcher, hits: Sequence[Hit], around: int) -> Iterator[dict[str, object]]:
    """What each hit has as JSON beside its own fields: `context`, where it was asked for."""
    if not around:
        yield from ({} for _ in hits)
        return
    for thread in find_threads(searcher, hits, around):
        lines = () if thread is None else thread.lines
        of = None if thread is None else thread.record
        yield {"context": [line_fields(line, is_record=line is of) for line in lines]}


def print_with_context(searcher: Searcher, hits: Sequence[Hit], around: int, wanted: Wanted) -> None:
    """For a person: each thread once, where its first hit stands, its hits marked."""
    threads = find_threads(searcher, hits, around)
    places = {_key_of(hit): hit for hit in hits}
    shown: set[int] = set()
    for number in range(len(hits)):
        if number in shown:
            continue
        together, lines = _together(hits, threads, number)
        shown |= together
        if number:
            click.echo()
        _print_thread(hits[number], lines, places, wanted)


def _together(
    hits: Sequence[Hit], threads: Sequence[Thread | None], first: int
) -> tuple[set[int], dict[_Key, Line]]:
    """The hits that share lines of their threads with one, and all these lines."""
    thread = threads[first]
    lines = {} if thread is None else {_key_of_line(line): line for line in thread.lines}
    together = {first}
    grown = True
    while grown:
        grown = False
        for number, other in enumerate(threads):
            if number in together or other is None:
                continue
            keys = {_key_of_line(line): line for line in other.lines}
            if _key_of(hits[number]) in lines or not keys.keys().isdisjoint(lines):
                together.add(number)
                lines |= keys
                grown = True
    return together, lines


def _print_thread(hit: Hit, lines: dict[_Key, Line], hits: dict[_Key, Hit], wanted: Wanted) -> None:
    if _key_of(hit) not in lines:  # it has no thread
        click.echo(">> ", nl=False)
        print_hit(hit, wanted, indent="   ")
        return
    for key, line in sorted(lines.items(), key=lambda one: (one[1].posted_ms, one[1].id)):
        if key in hits:
            click.echo(">> ", nl=False)
            print_hit(hits[key], wanted, indent="   ")
        else:
            click.echo("   " + dimmed(_in_a_line(line)))


def _in_a_line(line: Line) -> str:
    """When, who, the first characters, the id."""
    who = one_line(f"@{line.author}" if line.author else line.author_id or "unknown")
    who = who if len(who) <= _MOST_WHO else f"{who[: _MOST_WHO - 1]}…"
    head = f"{minute(line.posted_ms)}  {who}  "
    text = one_line(" ".join(line.text.split()))
    room = max(_FEWEST_CHARACTERS, columns() - len(head) - len(line.id) - 5)
    return f"{head}{text if len(text) <= room else text[: room - 1] + '…'}  {one_line(line.id)}"


def _key_of(hit: Hit) -> _Key:
    return hit.platform, "message" if hit.kind == "message" else "post", hit.record_id


def _key_of_line(line: Line) -> _Key:
    return line.platform, line.table, line.record_id
