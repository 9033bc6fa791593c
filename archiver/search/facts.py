"""What is true of a record by what another segment says: that it is gone, was edited, was moderated.

Only segments that have versions or notices are asked, as their manifests tell, and only when a query wants to
know.
"""

import json
from collections.abc import Iterable

from archiver.search.moderation import HeldRecord
from archiver.search.revised import Item, Record, Revised, Row
from archiver.search.sql.conditions import Facts, fact_key


def read_facts(revised: Revised, needed: set[str], moderated: Iterable[HeldRecord]) -> Facts:
    """Those that are needed, by their names; `moderated`: every moderation record, where those are."""
    return Facts(
        gone=_listed(_gone(revised)) if "gone" in needed else "[]",
        edited=_listed(_edited(revised)) if "edited" in needed else "[]",
        moderated=_listed(_items(moderated, _revisions(revised))) if "moderated" in needed else "[]",
    )


def _listed(keys: Iterable[tuple[str, ...]]) -> str:
    return json.dumps(sorted(fact_key(*key) for key in keys), ensure_ascii=False)


def _revisions(revised: Revised) -> list[Row]:
    return [row for row in revised.rows() if row.is_revision]


def _gone(revised: Revised) -> set[Item]:
    """What was found missing and not seen again later."""
    gone, captured = revised.gone(), revised.captured_since()
    last: dict[Record, int] = {}
    record_of: dict[Item, Record] = {}
    for row in _revisions(revised):
        record_of[Item(row.record.table, row.record.platform, row.record.account, row.platform_id)] = (
            row.record
        )
        last[row.record] = max(row.captured_ms, last.get(row.record, 0))
    return {
        item
        for item, notice in gone.items()
        if max(captured.get(item, 0), last.get(record_of.get(item, Record(*item)), 0)) <= notice.noticed_ms
    }


def _edited(revised: Revised) -> set[Record]:
    """Records with more than one version, repeats apart."""
    highest: dict[Record, int] = {}
    repeats: dict[Record, int] = {}
    for row in _revisions(revised):
        highest[row.record] = max(abs(row.version), highest.get(row.record, 1))
        repeats[row.record] = repeats.get(row.record, 0) + row.is_repeat
    return {record for record, number in highest.items() if number - repeats[record] > 1}


def _items(moderated: Iterable[HeldRecord], revisions: Iterable[Row]) -> set[tuple[str, ...]]:
    """Platform and id of every version of what moderation records are about."""
    items = {
        (entry.platform, entry.item_id)
        for held in moderated
        for entry in held.record.entries
        if entry.item_id is not None
    }
    versions: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for row in revisions:
        first = (row.record.platform, row.record.record_id)
        versions.setdefault(first, {first}).add((first[0], row.platform_id))
    return {*items, *(each for some in versions.values() if some & items for each in some)}
