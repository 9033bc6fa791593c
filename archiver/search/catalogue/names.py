"""Who was called what: handles to user ids and back, over all segments that are catalogued."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archiver.search.catalogue.part import Part
from archiver.search.words import fold


class Names(NamedTuple):
    """An account's ids and all handles it had, as they were spelled; none where nothing is known."""

    ids: tuple[str, ...]
    handles: tuple[str, ...]


def known_as(parts: Sequence[Part], handle_or_id: str) -> Names:
    """Everybody who ever had this handle (with or without @, in any case), or has this id; and all handles
    that they ever had."""
    wanted = handle_or_id.removeprefix("@")
    by_handle = "SELECT DISTINCT user_id FROM name WHERE handle = ?"
    by_id = "SELECT user_id FROM name WHERE user_id = ? LIMIT 1"
    ids = _all(parts, by_handle, fold(wanted)) | _all(parts, by_id, wanted)
    by_ids = "SELECT spelling FROM name WHERE user_id = ?"
    handles = {handle for user_id in ids for handle in _all(parts, by_ids, user_id)}
    return Names(tuple(sorted(ids)), tuple(sorted(handles)))


def _all(parts: Iterable[Part], sql: str, value: str) -> set[str]:
    return {found for part in parts for (found,) in part.rows(sql, (value,))}
