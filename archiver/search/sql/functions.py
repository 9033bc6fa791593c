"""SQL functions that a search gives to each segment's connection.

They see what posts hold: none raises, whatever the text. Each is called for thousands of rows, so texts of
plain ASCII, which most are, take a short way.
"""

import re
from collections.abc import Callable
from typing import Any

import apsw

from archiver.search.sql.finding import finder
from archiver.search.words import fold

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/@]*@)?")


def contains(part: str, text: str | None, alt_text: str | None) -> bool:
    """Whether one of two texts has these characters somewhere, whatever their case and accents. `part` is
    folded already."""
    has = finder(part)
    return (text is not None and has(text)) or (alt_text is not None and has(alt_text))


def has_url(wanted: str, url: str | None) -> bool:
    """Whether an address is at a domain, or below it, or begins with a path, there or anywhere. `wanted` as
    `archiver.search.language.fields` normalises it."""
    if url is None:
        return False
    host, slash, path = url_parts(url)
    wanted_host, wanted_slash, wanted_path = wanted.partition("/")
    if not wanted_host:  # a path, at whichever domain
        return bool(slash) and _is_below(path, wanted_path)
    if host != wanted_host and not host.endswith("." + wanted_host):
        return False
    return not wanted_slash or (bool(slash) and _is_below(path, wanted_path))


def _is_below(path: str, wanted: str) -> bool:
    """Whether a path is another, or goes on from it at a border: /news is not /newsletter."""
    if not path.casefold().startswith(wanted.casefold()):
        return False
    rest = path[len(wanted) :]
    return not rest or rest[0] in "/?#" or wanted[-1:] in ("/", "?", "#", "=")


def url_parts(url: str) -> tuple[str, str, str]:
    """Host without www. and port, a slash if one follows, and what comes after."""
    lowered = url.strip()
    scheme = _SCHEME.match(lowered.lower())
    rest = lowered[scheme.end() :] if scheme else lowered
    host, slash, path = rest.partition("/")
    for sign in "?#":
        before, found, after = host.partition(sign)
        if found:
            host, slash, path = before, "/", found + after
    return host.lower().partition(":")[0].removeprefix("www."), slash, path


def _fold(text: str | None) -> str | None:
    return None if text is None else fold(text)


Score = Callable[[int, bytes, bytes], float | None]


def register_functions(connection: apsw.Connection, score: Score) -> None:
    """Give a connection `contains`, `has_url`, `fold` and `rank(number, lengths, matchinfo(…, 'y'))`: the
    lower, the more relevant."""
    functions: list[tuple[str, Any, int]] = [
        ("contains", contains, 3),
        ("has_url", has_url, 2),
        ("fold", _fold, 1),
        ("rank", score, 3),
    ]
    for name, function, arguments in functions:
        connection.create_scalar_function(name, function, arguments, deterministic=True)
