"""A log that was kept until now into the register: each row one decision, in batches, nothing twice.

A batch is durable before the next is read, so a run that was killed is finished by running it again. A row
is known by its record's id, which follows from the account, the platform and what the row says (RFC 9562,
UUIDv5), or from what the log itself calls it; and by a keyed hash of its entry.
"""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

import msgspec

from archiver.moderation.keeping import MAXIMUM_ENTRY_BYTES, keep_entries
from archiver.moderation.log_entry import Read, RowReader
from archiver.moderation.log_lines import BadRow, Row
from archiver.moderation.log_reading import Log
from archiver.records import LogRow, Moderation
from archiver.register import Registered
from archiver.sources.moderation import encode_entry
from archiver.spool import Spool

BATCH_ENTRIES: Final = 500
BATCH_BYTES: Final = 1024 * 1024
_NAMESPACE: Final = UUID("5f1c4a52-9d0e-4c8b-8a77-6b1f0f6f2d3e")
"""Of ids of imported rows, and of nothing else."""
_NOT_CONTENT: Final = frozenset(
    {"id", "record_id", "number", "entry", "entered_by", "account_handle", "imported", "schema_version"}
)
"""What may differ when the same row is imported again: who does it, from which file, the handle of today."""

KeyedHash = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Imported:
    """What became of a log's rows. `imported`: in a dry run those that would be."""

    imported: int
    known: int
    bad: int


@dataclass(frozen=True)
class _Waiting:
    """A row of a batch, with its entry."""

    line: int
    entry: Moderation
    content_hash: bytes


def import_log(
    spool: Spool,
    log: Log,
    reader: RowReader,
    key: KeyedHash,
    *,
    dry_run: bool = False,
    on_bad_row: Callable[[BadRow], None] = lambda row: None,
    on_batch: Callable[[int], None] = lambda rows: None,
) -> Imported:
    """Take every good row that is not known yet, and hand on every bad one in the order of the file. A
    `dry_run` keeps nothing. Raise as `Log.rows`, `Spool.registering` and `keep_entries`: whole batches
    stay."""
    run = _Run(spool, log, reader, key, dry_run, on_bad_row)
    rows = 0
    for rows, row in enumerate(log.rows(), start=1):
        run.take(row)
        if run.is_full:
            run.end_batch()
            on_batch(rows)
    run.end_batch()
    on_batch(rows)
    return Imported(run.imported, run.known, run.bad)


class _Run:
    """One import. It remembers 16 bytes and a count of every row, about 150 bytes as Python holds them."""

    def __init__(
        self,
        spool: Spool,
        log: Log,
        reader: RowReader,
        key: KeyedHash,
        dry_run: bool,
        on_bad_row: Callable[[BadRow], None],
    ) -> None:
        self.imported = self.known = self.bad = 0
        self._spool = spool
        self._log = log
        self._reader = reader
        self._key = key
        self._dry_run = dry_run
        self._on_bad_row = on_bad_row
        self._equal: Counter[bytes] = Counter()
        self._taken: dict[bytes, bytes] = {}
        self._batch: list[_Waiting | BadRow] = []
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return len(self._batch) >= BATCH_ENTRIES or self._bytes >= BATCH_BYTES

    def take(self, row: Row | BadRow) -> None:
        """Put a row into the batch."""
        if isinstance(row, BadRow):
            self._batch.append(row)
            return
        read = self._reader.read(row)
        if isinstance(read, BadRow):
            self._batch.append(read)
            return
        entry = self._numbered(row, read)
        size = len(encode_entry(entry))
        if size > MAXIMUM_ENTRY_BYTES:
            what = f"its entry would have {size:,} bytes, and {MAXIMUM_ENTRY_BYTES:,} are taken at most"
            self._batch.append(BadRow(row.line, (what,)))
            return
        self._bytes += size
        self._batch.append(_Waiting(row.line, entry, self._key(_content(entry))))

    def _numbered(self, row: Row, read: Read) -> Moderation:
        """The entry with its record's id and the row it comes from."""
        record_id = str(self._record_id(row, read))
        cells = dict(row.cells)
        imported = LogRow(file=self._log.path.name, sha256=self._log.sha256, line=row.line, cells=cells)
        return msgspec.structs.replace(read.entry, id=record_id, record_id=record_id, imported=imported)

    def _record_id(self, row: Row, read: Read) -> UUID:
        of = [read.entry.platform, read.entry.account]
        if read.reference is not None:
            if self._reader.mapping.is_own:
                with suppress(ValueError):
                    return UUID(read.reference)
            return uuid5(_NAMESPACE, _canonical([*of, "reference", read.reference]))
        content = _canonical([*of, sorted(row.cells.items())])
        equal = self._key(content.encode())
        self._equal[equal] += 1
        return uuid5(_NAMESPACE, _canonical([content, self._equal[equal]]))

    def end_batch(self) -> None:
        """Keep what is new, looked up and kept under one lock; then tell of bad rows, for whoever is told may
        take long over it."""
        with self._spool.registering():
            judged = [self._judged(one) for one in self._batch]
            new = [one for one in judged if isinstance(one, _Waiting)]
            if new and not self._dry_run:
                hashes = {one.entry.record_id: one.content_hash for one in new}
                keep_entries(
                    self._spool,
                    [one.entry for one in new],
                    content_hashes=hashes,
                    taken_ms=self._reader.now_ms,
                )
        self.imported += len(new)
        self.known += judged.count(None)
        self._batch, self._bytes = [], 0
        for one in judged:
            if isinstance(one, BadRow):
                self.bad += 1
                self._on_bad_row(one)

    def _judged(self, one: _Waiting | BadRow) -> _Waiting | BadRow | None:
        """What is to be kept, or is bad; None for what is known."""
        if isinstance(one, BadRow):
            return one
        record = UUID(one.entry.record_id).bytes
        before = self._taken.get(record)
        registered = None if before is not None else self._spool.register.find(one.entry.record_id)
        if before is None and registered is None:
            self._taken[record] = one.content_hash
            return one
        if one.content_hash == (before if registered is None else registered.content_hash):
            return None
        return BadRow(one.line, (_conflict(one.entry.record_id, registered),))


def _conflict(record_id: str, registered: Registered | None) -> str:
    """What speaks against a row whose id is known with something else."""
    if registered is None:
        return "an earlier row of this log has the same reference, and says something else"
    known = "row already, and it said something else"
    if registered.content_hash is None:
        known = "record already, and not from a log"
    return f"the register has this {known}; put it right by: archiver moderation correct {record_id}"


def _content(entry: Moderation) -> bytes:
    """What a row says, by which it is known again."""
    said = {
        name: value
        for name, value in msgspec.structs.asdict(entry).items()
        if name not in _NOT_CONTENT and value not in (None, ())
    }
    if entry.attachments:
        said["attachments"] = [one.file_name for one in entry.attachments]
    return _canonical(said).encode()


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
