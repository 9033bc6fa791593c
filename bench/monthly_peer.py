"""The peer of the monthly vault: FTS5 as one would use it without any encryption, one database of all posts.

    python -m bench.monthly_peer build FOLDER PEER.db
    python -m bench.monthly_peer search PEER.db EXPRESSION [--what newest|relevance] [--since MS --until MS]
    python -m bench.monthly_peer scan PEER.db CHARACTERS

FTS5 with external content, `optimize`d, rows in rising order of time, so that "newest first" needs no sort.
Posts and texts are those of the archives in FOLDER; the verbatim JSON, which makes rows ten times as long and
so searches slower, is left out. Of the two SQLites at hand it is given ours (`apsw`), which ranked the
commonest word in two thirds of the time that Python's own took.
"""

import argparse
import json
import time
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import apsw

What = Literal["newest", "relevance"]
LIMIT = 50
CACHE_KIB = 262_144
SCHEMA = """
CREATE TABLE post(
    rowid INTEGER PRIMARY KEY, id TEXT NOT NULL, posted_ms INTEGER NOT NULL, author TEXT, kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE VIRTUAL TABLE post_fts USING fts5(
    text, content='post', content_rowid='rowid', tokenize='unicode61 remove_diacritics 2'
);
"""
INDEXES = "CREATE UNIQUE INDEX post_id ON post(id); CREATE INDEX post_posted ON post(posted_ms);"
_ROWS = "SELECT platform_id, posted_ms, author_handle, kind, text FROM post ORDER BY key"
_NEWEST = (
    "SELECT p.id, p.posted_ms, p.author, p.text FROM post_fts f JOIN post p ON p.rowid = f.rowid"
    " WHERE post_fts MATCH ?1{within} ORDER BY f.rowid DESC LIMIT 50"
)
_WITHIN = (
    " AND f.rowid >= (SELECT rowid FROM post WHERE posted_ms >= ?2 ORDER BY posted_ms LIMIT 1)"
    " AND f.rowid <= (SELECT rowid FROM post WHERE posted_ms < ?3 ORDER BY posted_ms DESC LIMIT 1)"
)
"""Rows are in order of time: that is how one who knows it asks for times."""
_RELEVANCE = (
    "SELECT p.id, p.posted_ms, p.author, p.text FROM"
    " (SELECT rowid, rank FROM post_fts WHERE post_fts MATCH ? ORDER BY rank LIMIT ?) f"
    " JOIN post p ON p.rowid = f.rowid ORDER BY f.rank"
)
_HAVING = "SELECT count(*) FROM post_fts f WHERE post_fts MATCH ?1{within}"
_ALL_TIMES = "SELECT posted_ms FROM post"
_TIMES = "SELECT p.posted_ms FROM post_fts f JOIN post p ON p.rowid = f.rowid WHERE post_fts MATCH ?"
_SCAN = "SELECT id FROM post WHERE text LIKE ? ORDER BY rowid DESC LIMIT ?"


class Times(NamedTuple):
    """Posts from a millisecond up to, not including, another."""

    since: int = 0
    until: int = 1 << 62


ALL = Times()


def open_peer(database: Path) -> apsw.Connection:
    connection = apsw.Connection(str(database))
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def build(home: Path, database: Path) -> dict[str, Any]:
    """Make the database of all posts that the vault in `home` has."""
    for ending in ("", "-journal"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    started = time.perf_counter()
    connection = open_peer(database)
    connection.execute(SCHEMA)
    with connection:
        connection.executemany(
            "INSERT INTO post(id, posted_ms, author, kind, text) VALUES (?, ?, ?, ?, ?)", _posts(home)
        )
        connection.execute("INSERT INTO post_fts(post_fts) VALUES ('rebuild')")
        connection.execute(INDEXES)
        connection.execute("INSERT INTO post_fts(post_fts) VALUES ('optimize')")
    posts = connection.execute("SELECT count(*) FROM post").get
    connection.close()
    return {
        "posts": posts,
        "bytes": database.stat().st_size,
        "seconds": time.perf_counter() - started,
        "sqlite": apsw.sqlite_lib_version(),
    }


def _posts(home: Path) -> Iterator[tuple[Any, ...]]:
    """Every post of the vault, oldest first."""
    from archiver.keys import load_identities
    from archiver.settings import load_settings
    from archiver.wiring.stores import open_vault

    settings = load_settings(home / "archiver.toml")
    if settings.keyholder is None:
        return
    identities = load_identities(settings.keyholder, {}, lambda question: "")
    vault = open_vault(settings)
    for archive in vault.list_archives().require_sound():
        for file in archive.manifest.segments:
            with vault.open_segment(archive, file, identities) as reader:
                yield from reader.connection.execute(_ROWS)


def find(connection: apsw.Connection, expression: str, what: What, times: Times = ALL) -> list[Any]:
    """The newest, or the best, posts that an expression of FTS5 finds; the best are of all times."""
    if what == "relevance":
        return connection.execute(_RELEVANCE, (expression, LIMIT)).fetchall()
    return connection.execute(*_within(_NEWEST, expression, times)).fetchall()


def _within(sql: str, expression: str, times: Times) -> tuple[str, tuple[object, ...]]:
    """A statement with its values, bounded where times are."""
    if times == ALL:
        return sql.format(within=""), (expression,)
    return sql.format(within=_WITHIN), (expression, *times)


def search(database: Path, expression: str, what: What, times: Times) -> dict[str, Any]:
    """One search, opening included, and again: milliseconds, the ids, and how many posts there are."""
    started = time.perf_counter()
    connection = open_peer(database)
    rows = find(connection, expression, what, times)
    found = time.perf_counter()
    find(connection, expression, what, times)
    again = time.perf_counter()
    having = connection.execute(*_within(_HAVING, expression, times)).get
    return {
        "total_ms": (found - started) * 1e3,
        "warm_ms": (again - found) * 1e3,
        "having": having,
        "ids": [row[0] for row in rows],
    }


def scan(database: Path, characters: str) -> dict[str, Any]:
    """The newest posts with some characters anywhere in the text; no index helps."""
    started = time.perf_counter()
    connection = open_peer(database)
    rows = connection.execute(_SCAN, (f"%{characters}%", LIMIT)).fetchall()
    found = time.perf_counter()
    connection.execute(_SCAN, (f"%{characters}%", LIMIT)).fetchall()
    again = time.perf_counter()
    return {
        "total_ms": (found - started) * 1e3,
        "warm_ms": (again - found) * 1e3,
        "ids": [row[0] for row in rows],
    }


def count_by_month(database: Path, bounds: list[int], expression: str | None = None) -> list[int]:
    """How many posts lie between each two bounds (milliseconds, rising), all or those of an expression."""
    connection = open_peer(database)
    found = (
        connection.execute(_ALL_TIMES) if expression is None else connection.execute(_TIMES, (expression,))
    )
    counts = [0] * (len(bounds) + 1)
    for (posted_ms,) in found:
        counts[bisect_right(bounds, posted_ms)] += 1
    connection.close()
    return counts[1:-1]


def main() -> None:
    """Build or search as the command line asks; print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Plain FTS5 over the posts of a vault.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build")
    building.add_argument("folder", type=Path)
    building.add_argument("database", type=Path)
    searching = commands.add_parser("search")
    searching.add_argument("database", type=Path)
    searching.add_argument("expression")
    searching.add_argument("--what", choices=("newest", "relevance"), default="newest")
    searching.add_argument("--since", type=int, default=ALL.since)
    searching.add_argument("--until", type=int, default=ALL.until)
    scanning = commands.add_parser("scan")
    scanning.add_argument("database", type=Path)
    scanning.add_argument("characters")
    arguments = parser.parse_args()
    if arguments.command == "build":
        figures = build(arguments.folder, arguments.database)
    elif arguments.command == "search":
        times = Times(arguments.since, arguments.until)
        figures = search(arguments.database, arguments.expression, arguments.what, times)
    else:
        figures = scan(arguments.database, arguments.characters)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
