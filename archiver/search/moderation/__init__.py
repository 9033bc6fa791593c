"""Moderation records as they are held: their entries in sealed segments and in the open spool."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apsw

from archiver.errors import IntegrityError
from archiver.records import Moderation
from archiver.register import ModerationRecord, compose
from archiver.search.language.fields import MODERATION
from archiver.search.spool_segment import OpenSegment
from archiver.sources.moderation import KIND, decode_entry, encode_entry
from archiver.spool import Spool
from archiver.vault import Archive

TABLE = MODERATION
"""What a manifest calls the entries of a segment, where it has any."""
_ENTRIES = "SELECT part, offset, length FROM moderation ORDER BY part, offset"
"""Where their bytes lie. The view `moderation_raw` has them too, but reads a whole part for each."""
_PART = "SELECT body FROM capture_part WHERE id = ?"
_FILES = (
    "SELECT e.id, m.file_name, m.archive, m.pack, m.missing FROM moderation AS e JOIN media AS m"
    " ON m.record_table = 'moderation' AND m.record_key = e.key WHERE e.record_id = ?"
)


READ_ENTRIES: tuple[tuple[str, list[object]], ...] = (
    (_ENTRIES, []),
    ("SELECT body FROM capture_part WHERE id IN (SELECT part FROM moderation)", []),
)
"""All that `sealed_entries` reads, to be fetched before where a segment is far away."""


class FilePlace(NamedTuple):
    """Where a file of an entry lies in the vault, or why it is missing."""

    entry: str
    file_name: str
    archive: str | None
    pack: str | None
    missing: str | None


class Held(NamedTuple):
    """An entry, its line of JSON, and the archive that holds it; None where it lies in the spool alone."""

    entry: Moderation
    raw: bytes
    archive: str | None = None


class HeldRecord(NamedTuple):
    """A record, and how each of its entries is held, in their order."""

    record: ModerationRecord
    held: tuple[Held, ...]

    @property
    def archive(self) -> str | None:
        """The archive of the last entry that is sealed; None where none is."""
        return next((one.archive for one in reversed(self.held) if one.archive is not None), None)

    @property
    def in_spool(self) -> bool:
        """Whether an entry of it is in no archive yet."""
        return any(one.archive is None for one in self.held)


def sealed_entries(archive: str, reader: OpenSegment) -> Iterator[Held]:
    """Every entry of one segment that has any. Raise IntegrityError for altered bytes, SourceError for an
    entry that a newer version of this program made."""
    number, body = None, b""
    try:
        rows: list[Any] = reader.connection.execute(_ENTRIES).fetchall()
        for part, offset, length in rows:
            if part != number:
                found: list[Any] = reader.connection.execute(_PART, (part,)).fetchall()
                number, body = part, found[0][0] if found else b""
            raw = body[offset : offset + length]
            yield Held(decode_entry(raw), raw, archive)
    except apsw.Error as error:
        raise reader.translated(error) from error


def sealed_files(reader: OpenSegment, record_id: str) -> list[FilePlace]:
    """Where the files of a record's entries in one segment lie."""
    try:
        rows: list[Any] = reader.connection.execute(_FILES, (record_id,)).fetchall()
    except apsw.Error as error:
        raise reader.translated(error) from error
    return [FilePlace(*row) for row in rows]


def spooled_entries(spool: Spool) -> Iterator[Moderation]:
    """Every entry that is in no archive yet, in the order made. A page that a seal takes away meanwhile is
    passed over: the archive that holds it was there before. Raise IntegrityError for altered pages."""
    for info in spool.pages():
        if info.kind != KIND:
            continue
        try:
            page = spool.read_page(info.id)
        except IntegrityError:
            if any(one.id == info.id for one in spool.pages(info.id - 1)):
                raise
            continue
        for offset, length in zip(page.offsets(), page.lengths, strict=True):
            yield decode_entry(page.payload[offset : offset + length])


def hold(sealed: Iterable[Held], spooled: Iterable[Moderation]) -> list[HeldRecord]:
    """Entries made into records, the one entered first at the beginning. An entry that a sealing is just
    moving may be in both; it counts as sealed."""
    by_id = {one.id: Held(one, encode_entry(one)) for one in spooled}
    by_id.update((one.entry.id, one) for one in sealed)
    by_record: dict[str, list[Held]] = {}
    for one in by_id.values():
        by_record.setdefault(one.entry.record_id, []).append(one)
    records = [_held_record(some) for some in by_record.values()]
    return sorted(records, key=lambda one: (one.record.now.entered_ms, one.record.id))


def _held_record(some: list[Held]) -> HeldRecord:
    record = compose(one.entry for one in some)
    places = {one.entry.id: one for one in some}
    return HeldRecord(record, tuple(places[entry.id] for entry in record.entries))


def count_sealed(archives: Iterable[Archive]) -> int:
    """How many entries archives hold, as their manifests say."""
    return sum(file.records.get(TABLE, 0) for one in archives for file in one.manifest.segments)


def count_begun(archives: Iterable[Archive]) -> int:
    """How many records archives hold: those whose first entry is in one, as their manifests say."""
    return sum(count.decisions for one in archives for count in one.manifest.moderation)


def about_item(records: Iterable[HeldRecord], name: str) -> list[HeldRecord]:
    """The records about an item: a post, a message or a user by its id or its address."""
    return [
        one for one in records if any(name in (entry.item_id, entry.item_url) for entry in one.record.entries)
    ]


# What occurs, to tell what was mistyped


def reasons_that_occur(records: Iterable[HeldRecord]) -> list[str]:
    """Every reason that any of the records was ever given."""
    return sorted({code for one in records for code in one.record.reason_codes})


def accounts_that_occur(records: Iterable[HeldRecord]) -> list[tuple[str, str | None]]:
    """Every account that any of the records is of, by its id and each handle that an entry has of it; None
    where no entry has one."""
    handles: dict[str, set[str]] = {}
    for entry in (entry for one in records for entry in one.record.entries):
        known = handles.setdefault(entry.account, set())
        if entry.account_handle:
            known.add(entry.account_handle)
    found: list[tuple[str, str | None]] = []
    for account, known in sorted(handles.items()):
        found += [(account, handle) for handle in sorted(known)] or [(account, None)]
    return found


def people_that_occur(records: Iterable[HeldRecord]) -> list[str]:
    """Everyone who entered, acted, allowed or decided anything in any of the records."""
    return sorted({person for one in records for person in one.record.people})
