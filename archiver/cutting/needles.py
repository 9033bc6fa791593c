"""What must be gone: the ids and the texts of the records that are left out, in the spellings that verbatim
bytes may have."""

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

LEAST_TEXT: Final = 16
"""Characters of a text that is looked for: a shorter one is what anybody may say."""
LEAST_RAW_ID: Final = 12
"""Characters of an id that is looked for in a database's raw bytes, where it stands beside other digits."""
ERASED: Final = "[erased]"
"""What stands in its place where it cannot be cut out."""
_LINK: Final = re.compile(r"https?://\S+")


class Needles:
    """Ids and texts to look for. An id counts where no digit or letter stands beside it. `ids` of posts and
    messages alone: those of people stand in much that is not about them."""

    def __init__(self, ids: Iterable[str], texts: Iterable[str]) -> None:
        self.ids = frozenset(one for one in ids if one)
        self.texts = frozenset(one for text in texts for one in _worth(text))
        self._id_pattern = _pattern(self.ids)
        self._spelt = sorted({one for text in self.texts for one in _spellings(text)}, key=len, reverse=True)
        self._bytes = [one.encode("ascii", "ignore") for one in self.ids]
        self._text_bytes = sorted({one for text in self._spelt for one in _forms(text)})

    def without_texts(self, texts: Iterable[str]) -> "Needles":
        """These, but for some texts: those that others say in the same words."""
        return Needles(self.ids, self.texts - {one for text in texts for one in _worth(text)})

    def may_be_in(self, data: bytes) -> bool:
        """Whether anything may be in verbatim bytes: quickly, and rather once too often."""
        return any(one in data for one in self._bytes) or any(one in data for one in self._text_bytes)

    def in_bytes(self, data: bytes) -> bool:
        """Whether anything is in verbatim bytes, escaped or not."""
        if not self.may_be_in(data):
            return False
        return any(one in data for one in self._text_bytes) or self.id_in(data.decode("utf-8", "replace"))

    def id_in(self, text: str) -> bool:
        return bool(self.ids) and self._id_pattern.search(text) is not None

    def text_in(self, text: str) -> bool:
        return any(one in text for one in self._spelt)

    def within(self, text: str) -> bool:
        """Whether a text holds an id or one of the texts."""
        return self.id_in(text) or self.text_in(text)

    def is_id(self, text: str | None) -> bool:
        return text is not None and text in self.ids

    def taken_out(self, text: str) -> str:
        """The text without them."""
        for one in self._spelt:
            text = text.replace(one, ERASED)
        return self._id_pattern.sub(ERASED, text) if self.ids else text

    def raw_forms(self) -> list[bytes]:
        """What to look for in a database's raw bytes."""
        return [one for one in self._bytes if len(one) >= LEAST_RAW_ID] + self._text_bytes


def _pattern(ids: frozenset[str]) -> re.Pattern[str]:
    return re.compile(
        rf"(?<![0-9A-Za-z])(?:{'|'.join(re.escape(one) for one in sorted(ids))})(?![0-9A-Za-z])"
    )


def _worth(text: str) -> Iterator[str]:
    """The text where it is long enough to tell who said it; links, which X makes anew each time, do not
    count."""
    plain = text.strip()
    if len(_LINK.sub("", plain).strip()) >= LEAST_TEXT:
        yield plain


def _spellings(text: str) -> set[str]:
    return {text, html.escape(text, quote=False), html.escape(text)}


def _forms(text: str) -> Iterator[bytes]:
    for ascii_only in (False, True):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        for form in (escaped, escaped.replace("/", "\\/")):
            yield form.encode("utf-8", "surrogatepass")
    yield text.encode("utf-8", "surrogatepass")
