"""References of exhibits: `ABC/1` as it is written, `ABC_1` in the names of files, `ABC/1/17` for a part.

Initials are two to four capital letters of the person who produces the exhibit, `X` standing for a middle
name that there is not; one or two digits may follow, to tell apart two people with the same initials.
"""

import re
from typing import Final, NamedTuple

from archiver.errors import ArchiverError, UsageError

INITIALS: Final = re.compile(r"[A-Z]{2,4}[0-9]{0,2}")
HIGHEST: Final = 99_999_999
"""Of a number: eight digits in the register."""
_NUMBER: Final = r"[1-9][0-9]{0,7}"
_WRITTEN: Final = re.compile(rf"({INITIALS.pattern})((?:/{_NUMBER}){{1,4}})")
_STEM: Final = re.compile(rf"({INITIALS.pattern})((?:_{_NUMBER}){{1,4}})")
_EXAMPLE: Final = (
    "two to four capital letters, X for a missing middle name, as ABC or AXC; a digit or two tell apart"
    " people with the same ones, as ABC2"
)


class Reference(NamedTuple):
    """An exhibit, or with `sub` a part of it."""

    initials: str
    number: int
    sub: tuple[int, ...] = ()

    @property
    def written(self) -> str:
        return exhibit_reference(self.initials, self.number, *self.sub)

    @property
    def stem(self) -> str:
        return file_stem(self.initials, self.number, *self.sub)


def check_initials(text: str) -> str:
    """Return the initials. Raise UsageError, with an example, for what cannot be any."""
    if INITIALS.fullmatch(text):
        return text
    raise UsageError(f"{text[:40]!r} cannot be the initials of exhibits", _EXAMPLE)


def exhibit_reference(initials: str, number: int, *sub: int) -> str:
    """As it is written: `ABC/1/17`. Raise UsageError for malformed initials, ArchiverError for a number that
    is none."""
    return "/".join(_parts(initials, number, sub))


def file_stem(initials: str, number: int, *sub: int) -> str:
    """As files are called: `ABC_1_17`. Raise as `exhibit_reference` does."""
    return "_".join(_parts(initials, number, sub))


def parse_reference(text: str) -> Reference:
    """What `exhibit_reference` wrote. Raise UsageError for anything else."""
    return _parse(_WRITTEN, text, "/", "ABC/1")


def parse_stem(text: str) -> Reference:
    """What `file_stem` wrote. Raise UsageError for anything else."""
    return _parse(_STEM, text, "_", "ABC_1")


def _parts(initials: str, number: int, sub: tuple[int, ...]) -> list[str]:
    for one in (number, *sub):
        if not 1 <= one <= HIGHEST:
            raise ArchiverError(f"{one} cannot be an exhibit's number")
    return [check_initials(initials), *map(str, (number, *sub))]


def _parse(pattern: re.Pattern[str], text: str, separator: str, example: str) -> Reference:
    match = pattern.fullmatch(text)
    if match is None:
        raise UsageError(f"{text[:80]!r} is no reference of an exhibit", f"written as {example}")
    first, *rest = (int(one) for one in match[2].split(separator)[1:])
    return Reference(match[1], first, tuple(rest))
