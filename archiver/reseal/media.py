"""Which files of media packs only records show that are to go."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import apsw


class MediaSpot(NamedTuple):
    """A file in a pack: `offset` is that of its first byte in the tar."""

    archive: str
    pack: str
    offset: int


def spots_of(
    connection: apsw.Connection, keys: Mapping[str, Collection[int]]
) -> tuple[set[MediaSpot], set[MediaSpot]]:
    """The files that rows with these keys show, and those that the segment's other rows show."""
    gone: set[MediaSpot] = set()
    shown: set[MediaSpot] = set()
    rows = connection.execute(
        "SELECT record_table, record_key, archive, pack, offset FROM media WHERE pack IS NOT NULL"
    )
    for table, key, *spot in rows:
        (gone if key in keys.get(table, ()) else shown).add(MediaSpot(*spot))
    return gone, shown
