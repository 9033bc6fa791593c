"""The page's one style sheet: what is the same in every pack, and what its printed pages are marked with."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from markupsafe import Markup

from archiver.evidence.model import Production

_MOST_MARKED: Final = 60
"""Characters of the case's name in the margin of a printed page; the page itself has all."""


def marking_of(production: Production) -> str:
    """What stands on every printed page about the pack as a whole."""
    if production.public:
        return "Redacted, for publication" if production.is_redacted else "For publication"
    return "Redacted copy" if production.is_redacted else "Not redacted"


def style_of(production: Production) -> Markup:
    """The style sheet, with the margins of printed pages. CSS Paged Media, 'Page-margin boxes'."""
    case = f"Case {production.case}"
    case = case if len(case) <= _MOST_MARKED else f"{case[: _MOST_MARKED - 1]}…"
    boxes = {
        "@top-left": _quoted(f"Exhibit {production.exhibit}"),
        "@top-right": _quoted(case),
        "@bottom-left": _quoted(marking_of(production)),
        "@bottom-right": '"Page " counter(page) " of " counter(pages)',
    }
    margins = "".join(f"{name}{{content:{content}}}" for name, content in boxes.items())
    return Markup(f"{_sheet()}@page{{{margins}}}\n")  # neither holds a `<`


def hash_of(style: str) -> str:
    """As a policy names it. CSP Level 3, 'hash-source'."""
    return "sha256-" + b64encode(sha256(style.encode()).digest()).decode("ascii")


@cache
def _sheet() -> str:
    return (files(__package__) / "templates" / "page.css").read_text("utf-8")


def _quoted(text: str) -> str:
    """The text as a string of CSS: whatever is no plain letter is written by its number, so that nothing ends
    the string, the style or the element. CSS Syntax Level 3, 'Escaping'."""
    return '"' + "".join(one if one.isascii() and one.isalnum() else _numbered(one) for one in text) + '"'


def _numbered(character: str) -> str:
    """What has no character of its own, and what steers the order, is left out of a margin."""
    return f"\\{ord(character):06x}" if character.isprintable() else " "
