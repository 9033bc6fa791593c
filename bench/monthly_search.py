"""One query over a vault of many archives, in a process of its own, cold and then again.

    python -m bench.monthly_search FOLDER QUERY [--what newest|relevance|month] [--exact]

Prints its figures as JSON. As in `bench.search`, the clock starts after Python, all imports and OpenSSL's
loading of its post-quantum code, and before the identity is read.
"""

import argparse
import json
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from bench.search import load_post_quantum_code
from bench.workplace import BenchError

What = Literal["newest", "relevance", "month"]
LIMIT = 50
STEPS = ("identity_ms", "list_ms", "catalogue_ms", "search_ms")


def search(home: Path, text: str, what: What, *, exact: bool) -> dict[str, Any]:
    """Its figures in milliseconds by step, what was read, and what was found: ids, or counts by month."""
    from archiver.keys import load_identities
    from archiver.search.catalogue import Catalogue
    from archiver.search.language import parse_query
    from archiver.search.run import Searcher
    from archiver.settings import load_settings
    from archiver.wiring import available_cores, open_vault

    settings = load_settings(home / "archiver.toml")
    if settings.keyholder is None:
        raise BenchError(f"{home} names no keyholder")
    query = parse_query(text, exact=exact)
    import_module("sqlite_fts4")  # a search imports it with its first segment; imports are not counted
    load_post_quantum_code()
    marks = [time.perf_counter()]
    identities = load_identities(settings.keyholder, {}, lambda question: "")
    marks.append(time.perf_counter())
    vault = open_vault(settings)
    archives = vault.list_archives().require_sound()
    marks.append(time.perf_counter())
    catalogue = Catalogue.open(settings.cache.folder, vault.id, identities)
    marks.append(time.perf_counter())
    searcher = Searcher(
        vault,
        archives,
        identities,
        catalogue=catalogue,
        language=settings.language,
        processes=available_cores(),
    )
    found = _ask(searcher, query, what)
    marks.append(time.perf_counter())
    effort = searcher.effort()
    again = time.perf_counter()
    _ask(searcher, query, what)
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


def _ask(searcher: Any, query: Any, what: What) -> dict[str, Any]:
    if what == "month":
        return {"counts": {group.name: group.records for group in searcher.count_by(query, "month")}}
    return {"ids": [hit.id for hit in searcher.search(query, order=what, limit=LIMIT).hits]}


def main() -> None:
    """Run one query as the command line asks and print its figures as JSON."""
    parser = argparse.ArgumentParser(description="One search over many archives, cold and again.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("query")
    parser.add_argument("--what", choices=("newest", "relevance", "month"), default="newest")
    parser.add_argument("--exact", action="store_true", help="no other forms of the words")
    arguments = parser.parse_args()
    print(json.dumps(search(arguments.folder, arguments.query, arguments.what, exact=arguments.exact)))


if __name__ == "__main__":
    main()
