"""What a text says once its escapes are undone: of JSON, HTML and addresses, also one within the other."""

import html
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

LEVELS: Final = 3
"""How often escapes are undone: an address within a text of HTML within JSON."""
_ESCAPE: Final = re.compile(
    r"[\\&%](?:(?<=\\)(?:u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*|x[0-9a-fA-F]{2}(?:\\x[0-9a-fA-F]{2})*"
    r"|u\{[0-9a-fA-F]{1,6}\}|.)"
    r"|(?<=&)(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});?"
    r"|(?<=%)[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2})*)",
    re.DOTALL,
)
"""Begins with a class of characters, by which Python's re looks for it 20 times as fast as by a choice."""
_LETTER: Final = re.compile(
    r"[\\&%](?:(?<=\\)[ux]|(?<=%)(?:2[56]|[4-9a-f])"
    r"|(?<=&)(?:#(?!39;|34;|x27;)|amp;[#a-z]|(?!amp;|quot;|lt;|gt;|apos;|nbsp;)[a-z][a-z0-9]{1,30};))"
)
_SIGNS: Final = ("\\", "&", "%")
_SINGLE: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


def has_escapes(text: str) -> bool:
    """Whether anything in a text may be escaped."""
    return any(sign in text for sign in _SIGNS)


def unescaped(text: str) -> Iterator[str]:
    """The text with its escapes undone once, twice, and so on, as long as that changes it."""
    for _ in range(LEVELS):
        if not has_escapes(text):
            return
        before, text = text, _ESCAPE.sub(_undo, text.replace("\\/", "/"))
        if text == before:
            return
        yield text


def may_hide_letters(folded: str) -> bool:
    """Whether letters may be escaped in a folded text, at whatever level. Where none are, escapes only part
    words: each word stands there as it is."""
    return _LETTER.search(folded) is not None


def _undo(match: re.Match[str]) -> str:
    escape = match[0]
    if escape[0] == "%":
        return unquote_to_bytes(escape).decode("utf-8", "replace")
    if escape[0] == "&":
        return html.unescape(escape)
    if len(escape) == 2:
        return _SINGLE.get(escape[1], escape[1])
    if escape[1] == "x":
        return bytes.fromhex(escape.replace("\\x", "")).decode("utf-8", "replace")
    if escape[2] == "{":
        number = int(escape[3:-1], 16)
        return chr(number) if number < 0x110000 else escape
    return bytes.fromhex(escape.replace("\\u", "")).decode("utf-16-be", "surrogatepass")
