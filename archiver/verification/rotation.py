"""Which files are read again when, so that within a period each was, with an even load.

A store is read at the pace that reads all of it once in the period. Each file has until a period after its
last reading. Of the files in the order of their deadlines, the first are read as soon as the pace would
otherwise not reach one of those behind them in time: so files that were all seen at once are read one after
the other over the whole period, and those that are spread already at their deadlines. What is sealed or
copied into a store is read back then, so a file counts as read when it is first seen.

Nothing here reads anything: it is arithmetic.
"""

from collections.abc import Mapping
from itertools import accumulate

from archiver.schedule.checks import ReadNote
from archiver.schedule.due import DAY_MS, trusted

DAYS_OF_MONTH = 28
"""A period of N months is N times this many days, so that it is over before the months are."""
MOST_DAYS = 4
"""A run reads what the pace reads in so many days at most, and of the last file what is left of it."""


def next_to_read(note: ReadNote, sizes: Mapping[str, int], months: int, now_ms: int) -> list[str]:
    """The files to be read now, in order. `sizes`: every file of the store with its bytes, oldest first.

    The note then has what is new and no more what is gone. Whoever reads a file says so with `note_read`."""
    _follow(note, sizes, now_ms)
    period_ms = months * DAYS_OF_MONTH * DAY_MS
    pace = sum(sizes.values()) / period_ms
    names = sorted(note.files, key=note.files.__getitem__)  # of two alike the one noted first
    before = [0, *accumulate(sizes[name] for name in names)]
    excess = [
        bytes_before - pace * (note.files[name] + period_ms - now_ms)
        for name, bytes_before in zip(names, before, strict=False)
    ]
    # By how many bytes a file would be reached too late, if none of those before it was read now; and the
    # worst of it and all that come after it.
    worst = list(accumulate(reversed(excess), max))[::-1]
    chosen: list[str] = []
    for name, read, late in zip(names, before, worst, strict=False):
        if late < read or (chosen and read >= MOST_DAYS * DAY_MS * pace):
            break
        chosen.append(name)
    return chosen


def note_read(note: ReadNote, name: str, now_ms: int) -> None:
    """A file was read and is right."""
    note.files.pop(name, None)
    note.files[name] = now_ms


def read_to_ms(note: ReadNote) -> int | None:
    """Every byte was read since this moment; None before all that was there at first was read once."""
    oldest = min(note.files.values(), default=None)
    return None if oldest is None or oldest < note.since_ms else oldest


def _follow(note: ReadNote, sizes: Mapping[str, int], now_ms: int) -> None:
    """Times noted by a clock that was wrong count as the earliest there is. What is new was seen just before
    anything is read now."""
    note.since_ms = min(note.since_ms, now_ms)
    known = {name: trusted(at_ms, now_ms) for name, at_ms in note.files.items() if name in sizes}
    right = {name: note.since_ms - 1 if at_ms is None else at_ms for name, at_ms in known.items()}
    note.files = right | {name: now_ms - 1 for name in sizes if name not in right}
