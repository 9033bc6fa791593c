"""Texts that anybody may have written, made safe to stand in the page and shown as they are.

Nothing here trusts a text: it is escaped, isolated from the direction of what stands around it, and what
nobody would see in it (controls, marks that turn the order, zero width, halves of characters) is written out
as its code. Unicode Standard Annex #9 and section 23; HTML, 'The bdi element'.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from archiver.evidence.model import REDACTED
from archiver.evidence.page.html import Html, escaped

_HIDDEN: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
"""Code points that show nothing, steer the page, or show something else on each machine."""
_JOINED: Final = (
    "\u0590-\u1fff\u203c\u2049\u2100-\u27ff\u2900-\ud7ff\uf900-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
    "\U00010000-\U0001bc9f\U0001bca4-\U0001d172\U0001d17b-\U0001fffd"
)
"""Of scripts and emoji in which a joiner between two characters says something."""
_MARKS: Final = "\u0300-\u034e\u0350-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_OTHER_MARKS: Final = (
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0711\u0730-\u074a"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u0f71-\u0f84\u0f8d-\u0fbc"
)
_STACKED: Final = rf"(?:[{_MARKS}]{{3,}}|[{_OTHER_MARKS}{_MARKS}]{{5,}})"
"""More marks on one letter than any language writes: three of the general ones, five of a script's own."""
_PATTERN: Final = (
    "(?P<kept>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f)"  # a country's flag
    rf"|(?P<stacked>(?![{_HIDDEN}])\S?{_STACKED})"
    rf"|(?P<hidden>[{_HIDDEN}]|(?<![{_JOINED}\ufe0e\ufe0f])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])"
    rf"|(?<![{_JOINED}\xa9\xae0-9#*])[\ufe00-\ufe0f])"
)
_SPECIAL: Final = re.compile(_PATTERN)
_WITH_REDACTED: Final = re.compile(rf"{_PATTERN}|(?P<redacted>{re.escape(REDACTED)})")
_MAY_BE_SPECIAL: Final = re.compile(rf"[{_HIDDEN}{_MARKS}{_OTHER_MARKS}\u200c\u200d\ufe00-\ufe0f\U0001f3f4]")
_MOST_NAMED: Final = 12
_RECENT: Final = 512
_NEEDS_NO_QUOTING: Final = re.compile("[A-Za-z0-9._/-]*")
_WEB_ADDRESS: Final = re.compile(r"https?://[^/?#\s\\]+[^\s\\]*", re.IGNORECASE)


class Texts:
    """Texts of one page. With `marks_redacted` what was taken out is styled as such; in a pack of which
    nothing was taken out the same words are somebody's own."""

    def __init__(self, *, marks_redacted: bool) -> None:
        self._special = _WITH_REDACTED if marks_redacted else _SPECIAL
        self._marks_redacted = marks_redacted
        self.words: Callable[[str], Html] = lru_cache(maxsize=_RECENT)(self._words)
        """A name, an address or the like within a line, its direction kept from what stands beside it. The
        same handles, archives and programs come again in every record."""

    def _is_plain(self, text: str) -> bool:
        """Whether nothing of it needs more than escaping. Nearly all texts are decided on in a microsecond;
        to look at every letter with the whole pattern takes a tenth of one for each."""
        if self._marks_redacted and REDACTED in text:
            return False
        if text.isascii():
            return text.isprintable() or text.replace("\n", "").isprintable()
        return _MAY_BE_SPECIAL.search(text) is None

    def visible(self, text: str) -> Html:
        """The text escaped, for a block of its own; line ends stay."""
        if self._is_plain(text):
            return escaped(text)
        if "\r\n" in text:
            text = text.replace("\r\n", "\n")
        parts, at = [], 0
        for match in self._special.finditer(text):
            parts += [escaped(text[at : match.start()]), _shown(match)]
            at = match.end()
        return Html("".join([*parts, escaped(text[at:])]))

    def _words(self, text: str) -> Html:
        if text.isascii() and text.isprintable() and not self._marks_redacted:
            return escaped(text)
        lines = ' class="lines"' if "\n" in text else ""
        shown = self.visible(text)
        return shown if shown.isascii() and not lines else Html(f"<bdi{lines}>{shown}</bdi>")

    def said(self, value: object) -> object:
        """What a template writes: text as `words` gives it; what is markup already, or no text, as it is.
        Every value comes through here."""
        return Markup(self.words(value)) if type(value) is str else value

    def block(self, text: str) -> Markup:
        """As `visible`, for a template."""
        return Markup(self.visible(text))


def attribute(text: str) -> Markup:
    """The text for an attribute's value, hidden characters by their codes."""
    if not (text.isascii() and text.isprintable()):
        text = _SPECIAL.sub(lambda match: _code(match[0]) if match["hidden"] else match[0], text)
    return Markup(escaped(text))


def hidden_names(text: str, shown: str) -> str:
    """Which characters of a text are shown by their codes, in words; empty where there are none. `shown`: as
    `visible` gave it."""
    if _CODE not in shown:
        return ""
    matches = _SPECIAL.finditer(text.replace("\r\n", "\n"))
    found = list(dict.fromkeys(match[0] for match in matches if match["hidden"]))
    more = f" and {len(found) - _MOST_NAMED} others" if len(found) > _MOST_NAMED else ""
    return ", ".join(f"{_code(one)} {_name(one)}" for one in found[:_MOST_NAMED]) + more


_CODE: Final = '<span class="char">'
REDACTION_MARK: Final = Html(f'<mark class="redacted">{REDACTED}</mark>')


def _shown(match: re.Match[str]) -> Html:
    if match["hidden"]:
        return Html(f"{_CODE}{_code(match[0])}</span>")
    if match["stacked"]:
        return Html(f'<span class="stack">{escaped(match[0])}</span>')
    return escaped(match[0]) if match["kept"] else REDACTION_MARK


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def _name(character: str) -> str:
    """As Unicode calls it, or what it belongs to."""
    kinds = {"Cc": "control character", "Cs": "half of a character", "Co": "private character"}
    return kinds.get(unicodedata.category(character)) or unicodedata.name(character, "unnamed").lower()


# Attributes


def web_address(address: str | None) -> str | None:
    """The address where it is one of the web that a link may lead to, else None: other schemes run programs,
    and what is not printable is not what it seems."""
    if address is None or not address.isprintable() or _WEB_ADDRESS.fullmatch(address) is None:
        return None
    return address


def file_address(path: str) -> str:
    """Where a file of the pack lies from data/report.html."""
    inside = path.removeprefix("data/")
    from_page = inside if inside != path else f"../{path}"
    if _NEEDS_NO_QUOTING.fullmatch(from_page):
        return f"./{from_page}"
    return "./" + quote(from_page.encode("utf-8", "surrogateescape"), safe="/")
