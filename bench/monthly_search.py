"""One query over a vault of many archives, in a process of its own, cold and then again.

    python -m bench.monthly_search FOLDER QUERY [--what newest|relevance|month] [--exact]

Prints its figures as JSON. As in `bench.search`, the clock starts after Python, all imports and OpenSSL's
loading of its post-quantum code, and before the identity is read.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Literal

from bench.search import LIMIT, timed

What = Literal["newest", "relevance", "month"]


def search(home: Path, text: str, what: What, *, exact: bool) -> dict[str, Any]:
    """One query, as `bench.search.timed`, and what was found: ids, or counts by month."""
    return timed(home, text, lambda searcher, query: _ask(searcher, query, what), exact=exact, loaded=True)


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
