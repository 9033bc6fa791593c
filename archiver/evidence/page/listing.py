"""Facts as lists and lines of tables: names, and what they say."""

from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup

from archiver.evidence.page.html import Html
from archiver.evidence.page.texts import Texts

Fact = tuple[str, Html]
"""A name as a text, and what it says."""
_NAMES = Texts(marks_redacted=True)


def listing(facts: Iterable[Fact]) -> Markup:
    """Names and values, one below the other; nothing where there are none."""
    rows = "".join([f"<div><dt>{label(name)}</dt><dd>{value}</dd></div>\n" for name, value in facts])
    return Markup(f"<dl>\n{rows}</dl>" if rows else "")


def row(head: Html, *cells: Html) -> Html:
    """A line of a table that begins with what the line is about."""
    return Html(f'<tr><th scope="row">{head}</th>{"".join([f"<td>{one}</td>" for one in cells])}</tr>\n')


@lru_cache(maxsize=256)
def label(name: str) -> Html:
    """The name of a fact; most are of our own words, and come again in every record."""
    return _NAMES.words(name)
