"""The words that were searched for, made to stand out in texts on a terminal."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import click

from archiver.cli._session import colours
from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Part, Words
from archiver.search.words import fold

_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")
"""A word as the index has it: letters and digits with their accents; an underscore parts words."""


class Wanted(NamedTuple):
    """What to mark, folded: whole words, beginnings of words, and what may stand anywhere."""

    words: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def wanted_of(root: Node, forms: Mapping[str, Iterable[str]]) -> Wanted:
    """What hits of a query have, its words with their other forms; nothing of what is excluded."""
    words: set[str] = set()
    prefixes: list[str] = []
    parts: list[str] = []
    for leaf in _asked(root):
        if isinstance(leaf, Part):
            parts.append(leaf.text)
            continue
        for one in leaf.parts if isinstance(leaf, Near) else (leaf,):
            whole = one.tokens[:-1] if one.prefix else one.tokens
            words.update(whole)
            prefixes += one.tokens[-1:] if one.prefix else ()
            if len(one.tokens) == 1 and (one.edits or not (one.exact or one.prefix)):
                words.update(forms.get(one.tokens[0], ()))
    return Wanted(frozenset(words), tuple(prefixes), tuple(part for part in parts if part))


def _asked(node: Node) -> Iterator[Words | Near | Part]:
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from _asked(part)
    elif not isinstance(node, Not | Filter):
        yield node


def highlighted(text: str, wanted: Wanted) -> str:
    """The text with what is wanted in bold, where there are colours."""
    if not colours():
        return text
    shown: list[str] = []
    at = 0
    for start, end in marked(text, wanted):
        shown += text[at:start], click.style(text[start:end], bold=True, fg="yellow")
        at = end
    return "".join((*shown, text[at:]))


def marked(text: str, wanted: Wanted) -> list[tuple[int, int]]:
    """From which character to which the text is to be marked, in order and apart from each other."""
    spans = [match.span() for match in _WORD.finditer(text) if _is_wanted(fold(match[0]), wanted)]
    if wanted.parts:
        spans += _parts(text, wanted.parts)
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            start, end = found[-1][0], max(end, found.pop()[1])
        found.append((start, end))
    return found


def _is_wanted(word: str, wanted: Wanted) -> bool:
    return word in wanted.words or (bool(wanted.prefixes) and word.startswith(wanted.prefixes))


def _parts(text: str, parts: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Folding changes how long a text is, so each folded character remembers where it came from."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        some = fold(character)
        folded.append(some)
        places += [place] * len(some)
    whole = "".join(folded)
    for part in parts:
        at = whole.find(part)
        while at >= 0:
            yield places[at], places[at + len(part) - 1] + 1
            at = whole.find(part, at + len(part))
