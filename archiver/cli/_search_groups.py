"""How many records there are, and how many of each month, account, author, hashtag or kind."""

import shutil
import sys
from collections.abc import Iterator, Sequence

import click

from archiver.cli._search_csv import write_csv
from archiver.cli._session import Session, one_line
from archiver.cli.moderation._lines import number_of
from archiver.search.counting import By, Group

_MOST_NAME = 40
_FEWEST_BAR = 8
_BLOCK, _HASH = "█", "#"
_NO_NAME = {"author": "(unknown)", "account": "(unknown)"}
NOTES = {
    "month": "months are those of UK time",
    "hashtag": "a record with two hashtags counts in both, one without any in none",
}


def print_count(session: Session, total: int, what: str, *, is_csv: bool) -> None:
    """A number, on a terminal with `what` it counts, as `record`; as JSON it is in the summary."""
    if is_csv:
        write_csv(["count"], [[total]])
    elif not session.json:
        click.echo(number_of(total, what) if sys.stdout.isatty() else total)


def print_groups(
    session: Session, by: By, groups: Sequence[Group], total: int, what: str, *, is_csv: bool
) -> None:
    if session.json:
        for group in groups:
            handle = {"handle": group.handle} if by in ("author", "account") else {}
            session.print_json("group", by=by, name=group.name, **handle, count=group.records)
        return
    if is_csv:
        with_handle = by in ("author", "account")
        columns = [by, "handle", "count"] if with_handle else [by, "count"]
        rows = ([one.name, one.handle, one.records] for one in groups)
        write_csv(columns, (row if with_handle else [row[0], row[2]] for row in rows))
        return
    for line in _table(by, groups, total, f"{what}s"):
        click.echo(line)
    if by in NOTES:
        session.note(NOTES[by])


def _table(by: By, groups: Sequence[Group], total: int, what: str) -> Iterator[str]:
    """Names, numbers, and on a terminal a bar for each; the total below."""
    from rich.cells import cell_len, set_cell_size  # 20 ms that hits do not pay

    names = [_name(by, group) for group in groups]
    name_width = min(_MOST_NAME, max(map(cell_len, [*names, by, "total"])))
    number_width = max(len(f"{total:,}"), len(what))
    bar_width = _bar_width(name_width + number_width + 4)
    most = max((group.records for group in groups), default=1)
    yield f"{by:{name_width}}  {what:>{number_width}}"
    for name, group in zip(names, groups, strict=True):
        shown = name if cell_len(name) <= name_width else set_cell_size(name, name_width - 1) + "…"
        bar = _bar(group.records / most, bar_width)
        yield f"{set_cell_size(shown, name_width)}  {group.records:{number_width},}{bar}".rstrip()
    yield f"{'total':{name_width}}  {total:{number_width},}"


def _name(by: By, group: Group) -> str:
    if group.handle:
        return one_line(f"@{group.handle} ({group.name})" if group.name else f"@{group.handle}")
    if by == "hashtag":
        return one_line(f"#{group.name}")
    return one_line(group.name or _NO_NAME.get(by, "(none)"))


def _bar_width(taken: int) -> int:
    """Columns for the longest bar; none where there is no terminal or little room."""
    if not sys.stdout.isatty():
        return 0
    room = shutil.get_terminal_size().columns - taken
    return min(room, 60) if room >= _FEWEST_BAR else 0


def _bar(share: float, width: int) -> str:
    if not width:
        return ""
    return "  " + _sign() * max(1, round(share * width))


def _sign() -> str:
    try:
        _BLOCK.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _HASH
    return _BLOCK
