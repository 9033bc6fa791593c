"""Moderation records as a pack says of them: their entries, files, and the bytes of both."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import apsw

from archiver.evidence.gathering.media import MediaBook
from archiver.evidence.gathering.shown import original
from archiver.evidence.model import Medium, ModerationNote
from archiver.search.moderation import TABLE, HeldRecord
from archiver.search.run import Searcher

_MEDIA = (
    "SELECT e.id AS entry, m.* FROM moderation AS e JOIN media AS m ON m.record_table = 'moderation'"
    " AND m.record_key = e.key WHERE e.record_id IN (SELECT value FROM json_each(?))"
    " ORDER BY e.number, m.position"
)


class Noted(NamedTuple):
    """What a pack says of a moderation record, and the bytes of its originals."""

    note: ModerationNote
    bodies: tuple[bytes, ...]


class ModerationIndex:
    """Every moderation record of a vault by what it is about."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._about: dict[str, list[HeldRecord]] = defaultdict(list)
        self._by_id: dict[str, HeldRecord] = {}
        for held in searcher.moderation():
            self._by_id[held.record.id] = held
            for name in dict.fromkeys(entry.item_id for entry in held.record.entries):
                if name is not None:
                    self._about[name].append(held)

    def find(self, record_id: str) -> HeldRecord | None:
        return self._by_id.get(record_id)

    def about(self, ids: Iterable[str]) -> list[HeldRecord]:
        """The sealed records about items with these ids, each once, oldest first."""
        found = {one.record.id: one for name in ids for one in self._about.get(name, ())}
        return [one for one in found.values() if one.archive is not None]

    def notes(self, held: Sequence[HeldRecord], media: MediaBook, stem: str) -> list[Noted]:
        """What is sealed of these records: entries that wait in the spool prove nothing yet."""
        files = self._files([one.record.id for one in held], media) if held else {}
        return [_noted(one, files.get(one.record.id, ()), f"{stem}.m{n}") for n, one in enumerate(held, 1)]

    def _files(self, ids: list[str], media: MediaBook) -> dict[str, list[Medium]]:
        found: dict[str, list[Medium]] = defaultdict(list)
        wanted = json.dumps(ids)
        for _, reader, _ in self._searcher.readers(TABLE):
            try:
                cursor = reader.connection.execute(_MEDIA, (wanted,))
                for row in cursor:
                    names = [column[0] for column in cursor.get_description()]
                    fields: dict[str, Any] = dict(zip(names, row, strict=True))
                    record = self._record_of(fields["entry"], ids)
                    found[record].append(media.medium(fields))
            except apsw.Error as error:
                raise reader.translated(error) from error
        return found

    def _record_of(self, entry: str, ids: Iterable[str]) -> str:
        for one in ids:
            if any(known.id == entry for known in self._by_id[one].record.entries):
                return one
        return ""


def _noted(held: HeldRecord, media: Sequence[Medium], stem: str) -> Noted:
    sealed = [one for one in held.held if one.archive is not None]
    originals = tuple(
        original(one.raw, f"archives/{one.archive}", 0, 0, f"{stem}.{number}")
        for number, one in enumerate(sealed, start=1)
    )
    note = ModerationNote(
        record_id=held.record.id,
        entries=tuple(one.entry for one in sealed),
        archives=tuple(one.archive for one in sealed),
        media=tuple(media),
        originals=originals,
    )
    return Noted(note, tuple(one.raw for one in sealed))
