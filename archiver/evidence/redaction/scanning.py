"""Whether bytes hold anything that is to be taken out, whatever they are, in pieces and across their borders.

Text is read as UTF-8 or UTF-16, as it stands and with its escapes undone; all else is searched for the
spellings of `bytes_forms`.
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from archiver.evidence.redaction.bytes_forms import ByteForms
from archiver.evidence.redaction.finding import Finder

WINDOW_BYTES: Final = 1 << 20
OVERLAP_BYTES: Final = 1 << 16
"""What is read twice: 1,000 characters, each as two escapes of JSON or four of an address, are less."""
_SAMPLE_BYTES: Final = 4096
_MOST_ODD: Final = 0.1
"""Of a text's characters, those that are none: a damaged letter makes no picture of a text."""


class Window(NamedTuple):
    """Some bytes of a file, and whether they are its first or last ones."""

    data: bytes
    first: bool
    last: bool


class Scanner:
    """Looks for all that a Finder finds, in bytes."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._forms = ByteForms(finder.needles)

    def rules_in(self, pieces: Iterable[bytes]) -> set[int]:
        """The rules of all that these bytes hold."""
        rules: set[int] = set()
        for window in windows(pieces):
            rules |= self._in_window(window)
        return rules

    def holds(self, pieces: Iterable[bytes]) -> set[int]:
        """The rules of the first of it: enough to withhold all."""
        return next((found for window in windows(pieces) if (found := self._in_window(window))), set())

    def _in_window(self, window: Window) -> set[int]:
        rules: set[int] = set()
        text = as_text(window.data)
        if text is None or "\ufffd" in text or "\0" in text:
            rules |= self._forms.rules_in(window.data)
        if text is not None:
            rules |= self._finder.rules_in(text, first=window.first, last=window.last)
        return rules


def as_text(data: bytes) -> str | None:
    """Bytes as text: UTF-8 with at most some damage, or UTF-16; None where they are neither."""
    if data.isascii() and b"\0" not in data:
        return data.decode("ascii")
    encoding = _utf_16(data)
    if encoding is not None:
        return data.decode(encoding, "replace")
    middle = len(data) // 2
    samples = (data[:_SAMPLE_BYTES], data[middle : middle + _SAMPLE_BYTES])
    if any(_is_odd(one) for one in samples):
        return None
    return data.decode("utf-8", "replace")


def windows(pieces: Iterable[bytes]) -> Iterator[Window]:
    """All bytes, `WINDOW_BYTES` at a time; each begins with the last `OVERLAP_BYTES` of the one before."""
    held = bytearray()
    first = True
    for piece in pieces:
        held += piece
        while len(held) > WINDOW_BYTES:
            yield Window(bytes(held[:WINDOW_BYTES]), first, False)
            del held[: WINDOW_BYTES - OVERLAP_BYTES]
            first = False
    if held:
        yield Window(bytes(held), first, True)


def _utf_16(data: bytes) -> str | None:
    """The order of bytes of UTF-16, by its mark or by where its zeros are."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    sample = data[: 2 * _SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 6 < len(sample) or min(even, odd) * 8 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_odd(sample: bytes) -> bool:
    text = sample.decode("utf-8", "replace")
    odd = sum(1 for one in text if one == "\ufffd" or (one < " " and one not in "\t\n\r\f"))
    return odd > max(8, len(text) * _MOST_ODD)
