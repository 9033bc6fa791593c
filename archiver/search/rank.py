"""Relevance: BM25 by sqlite-fts4, remembered.

A score depends on nothing but the bytes FTS4's matchinfo gives, and among hundreds of thousands of hits
those repeat, so most calls are a look-up.
"""

from functools import lru_cache

import apsw

_REMEMBERED = 65_536


def register_rank(connection: apsw.Connection) -> None:
    """Give a connection `rank(matchinfo(…, 'pcnalx'))`: the lower, the more relevant."""
    from sqlite_fts4 import rank_bm25  # type: ignore[import-untyped]  # the package has no types

    connection.create_scalar_function("rank", lru_cache(_REMEMBERED)(rank_bm25), 1, deterministic=True)
