"""Searches, each in a process of its own and with the files searched dropped from the page cache.

    python -m bench.search ours FOLDER WORD [--order relevance] [--loaded]
    python -m bench.search peer DATABASE WORD [--order relevance] [--page-size BYTES]

One process measures one query, cold and then again, and prints its figures; `measure` and
`measure_relevance` run them all. The clock starts after Python and all imports, and before the identity is
read.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, Literal

from bench.main_job import DEFAULT_PAGES, TUNED_PAGES, ensure_built
from bench.page_cache import drop_from_cache
from bench.peer import TUNED_PAGE_BYTES, open_peer, search_newest, search_relevance
from bench.results import Asked, Detail, Row, significant
from bench.words import query_words
from bench.workplace import BenchError, Workplace, module, run, say

Order = Literal["newest", "relevance"]
LIMIT = 50
STEPS = ("identity_ms", "list_ms", "catalogue_ms", "search_ms")
HEADER = (
    *("word", "posts with it", "hits", "segments", "chunks", "frames", "bytes read"),
    *("cold ms", "cold, not loaded, ms", "warm ms", "peer cold ms", "peer warm ms"),
)
RELEVANCE_ROUNDS = 5
DROPPED = "the files searched are dropped from the page cache before each query"

# One query, in a process of its own


def search_ours(home: Path, word: str, order: Order, *, loaded: bool) -> dict[str, Any]:
    """One query over the vault, as `timed`, and the ids found. The peer knows no other forms of a word."""

    def ask(searcher: Any, query: Any) -> dict[str, Any]:
        return {"ids": [hit.id for hit in searcher.search(query, order=order, limit=LIMIT).hits]}

    return timed(home, word, ask, exact=True, loaded=loaded)


def timed(
    home: Path, text: str, ask: Callable[[Any, Any], dict[str, Any]], *, exact: bool, loaded: bool
) -> dict[str, Any]:
    """What is asked of a searcher and a query, cold and again: its figures in milliseconds by step, what was
    read, and what it gave."""
    from archiver.keys import load_identities
    from archiver.search.catalogue import Catalogue
    from archiver.search.language import parse_query
    from archiver.search.run import Searcher
    from archiver.settings import load_settings
    from archiver.wiring.seal import available_cores
    from archiver.wiring.stores import open_vault

    settings = load_settings(home / "archiver.toml")
    if settings.keyholder is None:
        raise BenchError(f"{home} names no keyholder")
    query = parse_query(text, exact=exact)
    import_module("sqlite_fts4")  # a search imports it with its first segment; imports are not counted
    if loaded:
        load_post_quantum_code()
    marks = [time.perf_counter()]
    identities = load_identities(settings.keyholder, {}, lambda question: "")
    marks.append(time.perf_counter())
    vault = open_vault(settings)
    archives = vault.list_archives().require_sound()
    marks.append(time.perf_counter())
    catalogue = Catalogue.open(settings.cache.folder, vault.id, identities)
    catalogue.keep((archive.name, file) for archive in archives for file in archive.manifest.segments)
    marks.append(time.perf_counter())
    searcher = Searcher(
        vault,
        archives,
        identities,
        catalogue=catalogue,
        language=settings.language,
        processes=available_cores(),
    )
    found = ask(searcher, query)
    marks.append(time.perf_counter())
    effort = searcher.effort()
    again = time.perf_counter()
    ask(searcher, query)
    warm = time.perf_counter() - again
    searcher.close()
    steps = {name: (end - start) * 1e3 for name, start, end in zip(STEPS, marks, marks[1:], strict=False)}
    return {
        **steps,
        "total_ms": (marks[-1] - marks[0]) * 1e3,
        "warm_ms": warm * 1e3,
        **effort._asdict(),
        **found,
    }


def load_post_quantum_code() -> None:
    """Encrypt and decrypt once with a throw-away key: OpenSSL loads its ML-KEM and HPKE at first use."""
    from archiver.formats import age

    identity = age.HybridIdentity.generate()
    age.decrypt([identity], age.encrypt([identity.recipient()], b"warm"))


def search_peer(database: Path, word: str, order: Order, page_size: int | None) -> dict[str, Any]:
    """One query of the peer: opening with its key derivation, the search, again, and the ids found."""
    search = search_newest if order == "newest" else search_relevance
    started = time.perf_counter()
    connection = open_peer(database, page_size)
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    opened = time.perf_counter()
    rows = search(connection, word, LIMIT)
    found = time.perf_counter()
    search(connection, word, LIMIT)
    again = time.perf_counter()
    counting = "SELECT count(*) FROM post_fts WHERE post_fts MATCH ?"
    having = connection.execute(counting, (f'"{word}"',)).fetchone()[0]
    return {
        "open_ms": (opened - started) * 1e3,
        "search_ms": (found - opened) * 1e3,
        "warm_ms": (again - found) * 1e3,
        "having": having,
        "ids": [row[0] for row in rows],
    }


# All of them


def cold_ours(place: Workplace, word: str, order: Order = "newest", *, loaded: bool = True) -> dict[str, Any]:
    """One query of ours in a new process, nothing of the vault, keys and settings in the page cache."""
    searched = [
        path
        for name in ("vault", "keys", "cache")
        for path in (place.home / name).rglob("*")
        if path.is_file()
    ]
    drop_from_cache(searched)
    arguments = ["--order", order, *(["--loaded"] if loaded else [])]
    found: dict[str, Any] = json.loads(
        run(module("search", "ours", str(place.home), word, *arguments)).output
    )
    return found


def cold_peer(
    place: Workplace, word: str, order: Order = "newest", page_size: int | None = None
) -> dict[str, Any]:
    """One query of the peer in a new process, nothing of its database in the page cache."""
    database = place.peer(page_size)
    drop_from_cache([database])
    arguments = ["--order", order, *([] if page_size is None else ["--page-size", str(page_size)])]
    found: dict[str, Any] = json.loads(run(module("search", "peer", str(database), word, *arguments)).output)
    return found


@dataclass(frozen=True)
class Searches:
    """Every word's figures: ours with OpenSSL's code loaded before, ours without, the peer's."""

    posts: int
    words: Sequence[str]
    ours: Sequence[dict[str, Any]]
    unloaded: Sequence[dict[str, Any]]
    peers: Sequence[dict[str, Any]]

    def rows(self) -> list[Row]:
        counts = f"{len(self.words)} words, rarest to commonest, in {self.posts:,} posts; {LIMIT} newest"
        opening = _median(self.peers, "open_ms")
        cold_peer = f"{_milliseconds(self.peers, 'search_ms')}, and {opening:.0f} ms to open"
        return [
            Row(
                "search cold, opening included",
                counts,
                _milliseconds(self.ours, "total_ms"),
                cold_peer,
                _median(self.ours, "total_ms"),
                f"median over the words, each in a new process; {DROPPED}. From reading the identity through"
                " opening the vault, checking signatures and opening the catalogue, which a search before has"
                " left, to the records. Not counted: Python's start, its imports, and OpenSSL's loading of"
                " its post-quantum code (one dummy key is unwrapped before the clock starts). The peer's"
                " opening, which derives its key from a passphrase, is shown apart.",
                Asked(15, "ms"),
                "ms",
            ),
            Row(
                "the same, OpenSSL's post-quantum code not yet loaded",
                counts,
                _milliseconds(self.unloaded, "total_ms"),
                cold_peer,
                _median(self.unloaded, "total_ms"),
                "as the row above, without the dummy key: the first unwrapping of a process loads that code.",
                None,
                "ms",
            ),
            Row(
                "search warm",
                counts,
                _milliseconds(self.ours, "warm_ms"),
                _milliseconds(self.peers, "warm_ms"),
                _median(self.ours, "warm_ms"),
                "median over the words; each query a second time in its process, the vault still open.",
                Asked(3, "ms"),
                "ms",
            ),
        ]

    def detail(self) -> Detail:
        same = sum(ours["ids"] == peer["ids"] for ours, peer in zip(self.ours, self.peers, strict=True))
        steps = ", ".join(
            f"{label} {_median(self.ours, name):.1f}"
            for label, name in (
                ("identity", "identity_ms"),
                ("opening and signatures", "list_ms"),
                ("catalogue", "catalogue_ms"),
                ("search", "search_ms"),
            )
        )
        return Detail(
            "Search, word by word",
            f"{LIMIT} newest. For {same} of {len(self.words)} words the records are the peer's, in the same"
            f" order. Of the cold time, medians in ms: {steps}. Segments, chunks (of age, 64 KiB), frames (of"
            " Zstandard) and bytes are what the cold query read from the segments; “not loaded” is OpenSSL's"
            " post-quantum code.",
            HEADER,
            [
                self._line(*figures)
                for figures in zip(self.words, self.ours, self.unloaded, self.peers, strict=True)
            ],
        )

    @staticmethod
    def _line(word: str, ours: dict[str, Any], unloaded: dict[str, Any], peer: dict[str, Any]) -> list[str]:
        counts = (
            peer["having"],
            len(ours["ids"]),
            ours["segments"],
            ours["chunks"],
            ours["frames"],
            ours["bytes"],
        )
        times = (
            ours["total_ms"],
            unloaded["total_ms"],
            ours["warm_ms"],
            peer["search_ms"],
            peer["warm_ms"],
        )
        return [word, *(f"{count:,}" for count in counts), *(significant(spent) for spent in times)]


def measure(place: Workplace) -> Searches:
    """The newest records for each word, ours both ways and the peer's, a process each."""
    ensure_built(place)
    words = query_words()
    cold_ours(place, words[-1])  # leaves the catalogue
    ours, unloaded, peers = [], [], []
    for word in words:
        ours.append(cold_ours(place, word))
        unloaded.append(cold_ours(place, word, loaded=False))
        peers.append(cold_peer(place, word))
    found = Searches(place.posts, words, ours, unloaded, peers)
    say(
        f"search: cold {_milliseconds(ours, 'total_ms')}, without OpenSSL's code"
        f" {_milliseconds(unloaded, 'total_ms')}, warm {_milliseconds(ours, 'warm_ms')};"
        f" peer {_milliseconds(peers, 'search_ms')}"
    )
    return found


def measure_relevance(place: Workplace) -> list[Row]:
    """The commonest word by relevance, cold, ours and the peer's in turns; the medians."""
    ensure_built(place)
    word = query_words()[-1]
    cold_ours(place, word)  # leaves the catalogue
    ours, peers, tuned = [], [], []
    for _ in range(RELEVANCE_ROUNDS):
        ours.append(cold_ours(place, word, "relevance"))
        peers.append(cold_peer(place, word, "relevance"))
        tuned.append(cold_peer(place, word, "relevance", TUNED_PAGE_BYTES))
    spent = _median(ours, "total_ms")
    counts = f"“{word}”, in {peers[0]['having']:,} of {place.posts:,} posts; {LIMIT} best"
    rows = []
    for which, found, asked in ((DEFAULT_PAGES, peers, Asked(0.5)), (TUNED_PAGES, tuned, None)):
        search, opening = _median(found, "search_ms"), _median(found, "open_ms")
        rows.append(
            Row(
                "relevance order, cold" if asked else f"relevance order, cold, peer with {TUNED_PAGES}",
                counts,
                f"{spent:.0f} ms, opening included",
                f"{search:.0f} ms, and {opening:.0f} ms to open",
                spent / search,
                f"the commonest word; median of {RELEVANCE_ROUNDS} new processes each, in turns; {DROPPED}."
                " Ours is the whole from reading the identity on; the peer's is `ORDER BY rank` alone. With"
                f" the peer's opening counted the ratio is {significant(spent / (search + opening))}."
                f" Peer: {which}.",
                asked,
            )
        )
    say(f"relevance: ours {spent:.0f} ms, peer {rows[0].peer}")
    return rows


def _median(found: Sequence[dict[str, Any]], name: str) -> float:
    return float(median(one[name] for one in found))


def _milliseconds(found: Sequence[dict[str, Any]], name: str) -> str:
    """The median and the range."""
    values = [one[name] for one in found]
    return f"{significant(median(values))} ms ({significant(min(values))}–{significant(max(values))})"


def main() -> None:
    """Run one query as the command line asks and print its figures as JSON."""
    parser = argparse.ArgumentParser(description="One search, cold and again.")
    parser.add_argument("who", choices=("ours", "peer"))
    parser.add_argument("path", type=Path)
    parser.add_argument("word")
    parser.add_argument("--order", choices=("newest", "relevance"), default="newest")
    parser.add_argument("--loaded", action="store_true", help="load OpenSSL's post-quantum code before")
    parser.add_argument("--page-size", type=int)
    arguments = parser.parse_args()
    if arguments.who == "ours":
        found = search_ours(arguments.path, arguments.word, arguments.order, loaded=arguments.loaded)
    else:
        found = search_peer(arguments.path, arguments.word, arguments.order, arguments.page_size)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
