"""Pieces of HTML made without a template, where one would cost more than all the rest.

A value of type `Html` is safe to write: it is constant, or was escaped, or is joined of such. `Markup` says
the same while a program runs, at a microsecond for each; it is made where a template takes over.
"""

from collections.abc import Iterable
from html import escape
from typing import NewType

Html = NewType("Html", str)


def escaped(text: str) -> Html:
    """The text as it may stand between tags and in quoted attributes."""
    return Html(text if text.isalnum() else escape(text))  # numbers and hashes are many, and need nothing


def joined(parts: Iterable[Html], between: str = ", ") -> Html:
    """One after the other; `between` is written as it is."""
    return Html(between.join(parts))
