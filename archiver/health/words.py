"""A snapshot in sentences, its days and moments: for the first lines of `archiver status` and for notices."""

from archiver.health.snapshot import Snapshot
from archiver.times import format_date, format_time


def first_sentence(snapshot: Snapshot) -> str:
    """Whether all is well, in one sentence."""
    count = len(snapshot.problems)
    if not count:
        return "All is well."
    return f"Not all is well: {'1 thing needs' if count == 1 else f'{count:,} things need'} somebody."


def trouble_lines(snapshot: Snapshot) -> list[str]:
    """What is not well, numbered, and below each what to do."""
    lines: list[str] = []
    for number, (what, advice) in enumerate(zip(snapshot.problems, snapshot.advice, strict=True), start=1):
        lead = f"{number:>3}. "
        lines += [lead + what, f"{'':{len(lead)}}-> {advice}"]
    return lines


def day(milliseconds: int) -> str:
    """A date for a person, whatever a damaged file says."""
    try:
        return format_date(milliseconds)
    except OverflowError:  # what no clock shows
        return "a day that there is not"


def moment(milliseconds: int) -> str:
    """A time to the minute, for a person."""
    try:
        return format_time(milliseconds)[:16].replace("T", " ") + " UTC"
    except OverflowError:
        return "a time that there is not"
