"""A snapshot in sentences: for the first lines of `archiver status`, and for notices."""

import textwrap

from archiver.health.snapshot import Snapshot

WIDTH = 78
"""Of a notice's lines: what every mail program and a telephone show whole."""


def first_sentence(snapshot: Snapshot) -> str:
    """Whether all is well, in one sentence."""
    count = len(snapshot.problems)
    if not count:
        return "All is well."
    return f"Not all is well: {'1 thing needs' if count == 1 else f'{count:,} things need'} somebody."


def trouble_lines(snapshot: Snapshot, width: int | None = None) -> list[str]:
    """What is not well, numbered, and below each what to do; wrapped to a width, if one is given."""
    lines: list[str] = []
    for number, (what, advice) in enumerate(zip(snapshot.problems, snapshot.advice, strict=True), start=1):
        lead = f"{number:>3}. "
        lines += _wrapped(what, lead, " " * len(lead), width)
        lines += _wrapped(advice, " " * len(lead) + "-> ", " " * (len(lead) + 3), width)
    return lines


def _wrapped(text: str, first: str, following: str, width: int | None) -> list[str]:
    if width is None:
        return [first + text]
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
