"""What is to be taken out, as it may stand in bytes that are no text: in a picture's description, a font, a
stream. There a place must be long enough that no chance makes it: six bytes without regard to case are
there once in some 10 GB of noise."""

import json
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from ahocorasick_rs import BytesAhoCorasick

from archiver.evidence.redaction.folding import fold
from archiver.evidence.redaction.needles import Needle

LEAST_BYTES: Final = 6
_AROUND: Final = 400
_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "cp1252")


class ByteForms:
    """Finds needles in bytes of any kind, in the spellings that they most often have."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._needles: list[Needle] = []
        forms: list[bytes] = []
        for needle in needles:
            for form in sorted(set(_forms(needle))):
                forms.append(form)
                self._needles.append(needle)
        self._automaton = BytesAhoCorasick(forms) if forms else None

    def rules_in(self, data: bytes) -> set[int]:
        """The rules of all that is found."""
        if self._automaton is None:
            return set()
        lowered = data.lower()
        return {
            self._needles[number].rule
            for number, start, end in self._automaton.find_matches_as_indexes(lowered, overlapping=True)
            if not self._needles[number].is_word or _is_apart(lowered, start, end)
        }


def _forms(needle: Needle) -> Iterator[bytes]:
    for text in _spellings(needle.raw.strip()):
        encoded = [text.encode(one, "ignore") for one in _ENCODINGS if _fits(text, one)]
        encoded += [json.dumps(text)[1:-1].encode(), quote(text.encode("utf-8", "ignore")).encode()]
        encoded.append(text.encode("utf-16-be", "ignore").hex().encode())
        yield from (one.lower() for one in encoded if len(one) >= LEAST_BYTES and len(text) > 1)


def _fits(text: str, encoding: str) -> bool:
    return text.encode(encoding, "ignore").decode(encoding) == text


def _spellings(raw: str) -> set[str]:
    cases = {raw, raw.upper(), raw.lower(), raw.title()}
    forms = {unicodedata.normalize(form, one) for form in ("NFC", "NFD") for one in cases}
    return {one for one in {*forms, fold(raw)} if one}


def _is_apart(data: bytes, start: int, end: int) -> bool:
    """Whether neither neighbour is a letter or digit of ASCII."""
    before, after = data[start - 1 : start] if start else b"", data[end : end + 1]
    return not (before.isalnum() or after.isalnum())
