"""`archiver search --record FILE`: the search kept, so that it can be repeated."""

import os
from collections.abc import Sequence
from pathlib import Path

from archiver.cli._search_notes import Explained
from archiver.cli._search_opening import Opened
from archiver.cli._search_options import Options
from archiver.disk import TakenError
from archiver.search.hit import Hit
from archiver.search.language import Query
from archiver.search.repeating.search_record import Expansion, make_search_record, save_search_record
from archiver.times import system_clock


def check_new(path: Path) -> None:
    """Raise TakenError before anything is searched, where the record could not be kept after it."""
    if os.path.lexists(path):
        raise TakenError(path)


def expansion_of(explained: Explained) -> Expansion:
    return Expansion(explained.forms, explained.names, [part.text for part in explained.scanned])


def keep_record(
    path: Path,
    query: Query,
    options: Options,
    opened: Opened,
    explained: Explained,
    hits: Sequence[Hit],
    tool: str,
) -> None:
    """Before anything is printed: an answer that was shown is one that was kept."""
    record = make_search_record(
        query,
        hits,
        tool=tool,
        made_ms=system_clock(),
        vault_id=opened.vault.id,
        order=options.order,
        limit=options.limit,
        versions=options.versions,
        expansion=expansion_of(explained),
        archives=opened.chosen.archives,
        unsearched=explained.unsearched,
        spool_included=opened.spool.is_included,
        spool_records=opened.spool.records,
        head=opened.archives[-1] if opened.archives else None,
    )
    save_search_record(path, record)
