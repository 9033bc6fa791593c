"""What was captured and is not yet sealed: encrypted pages and media, durable before anything follows.

`spool.sqlite` (WAL, synchronous=FULL) has one row a page. A page's body is an age file to the spool's
own recipient, inside it a Zstandard frame, inside that a MessagePack `Page`. A page is at most about a
mebibyte of verbatim bytes of one capture and becomes one capture_part of an archive, byte for byte.
Media lie beside it in `media/`, an age file each.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw
import msgspec
import zstandard

from archiver.errors import IntegrityError
from archiver.formats import age
from archiver.keys import Identity
from archiver.local_database import LocalDatabase
from archiver.progress import SCHEMA as PROGRESS_SCHEMA
from archiver.progress import ProgressNotes, Spend, Step
from archiver.register.table import SCHEMA as REGISTER_SCHEMA
from archiver.register.table import Registered, RegisterTable
from archiver.sources.base import Capture, Problem
from archiver.spool.items import (
    NOT_WANTED,
    AnswerToKeep,
    MissingMedia,
    Page,
    PageInfo,
    PageSealer,
    SpooledCapture,
    SpooledMedia,
    SpooledProblem,
)
from archiver.spool.media import ANY_ID, MediaSpool
from archiver.spool.media import SCHEMA as MEDIA_SCHEMA
from archiver.spool.rewriting import SpoolRewriter

__all__ = [
    "NOT_WANTED",
    "AnswerToKeep",
    "MissingMedia",
    "Page",
    "PageInfo",
    "PageSealer",
    "Spool",
    "SpooledCapture",
    "SpooledMedia",
    "SpooledProblem",
]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS capture (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source_sha256 TEXT NOT NULL, request TEXT NOT NULL,
    description BLOB NOT NULL, taken_ms INTEGER NOT NULL, body_size INTEGER, body_sha256 TEXT,
    UNIQUE (source_sha256, request));
CREATE TABLE IF NOT EXISTS page (
    id INTEGER PRIMARY KEY AUTOINCREMENT, capture INTEGER NOT NULL REFERENCES capture (id),
    kind TEXT NOT NULL, records INTEGER NOT NULL, posted_from INTEGER, posted_to INTEGER,
    plain_bytes INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS problem (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source_sha256 TEXT NOT NULL, source_name TEXT NOT NULL,
    noticed_ms INTEGER NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    UNIQUE (source_sha256, what, reason, detail));
CREATE TABLE IF NOT EXISTS made_for (recipient TEXT NOT NULL);
"""
SCHEMA = _SCHEMA + MEDIA_SCHEMA + PROGRESS_SCHEMA + REGISTER_SCHEMA

DAMAGED_HINT = "keep it for examination; move it and the state's file aside, and take all anew"
_COMPACTING_WAIT_MS = 1_000


class Spool(MediaSpool):
    """The open spool. The caller holds the collector's lock, or only reads, or adds what nobody else adds:
    entries of the moderation register with what they stand on (`appending`, `add_entries`). So a sealing
    takes what is there up to the ids that it noted when it began, and leaves the rest for the next.

    Every transaction begins by writing. One that read first could find, when it came to write, that another
    run had written meanwhile, and SQLite would refuse it at once however long it might wait
    (SQLITE_BUSY_SNAPSHOT)."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self._decoder = msgspec.msgpack.Decoder(Page)
        self._decompressor = zstandard.ZstdDecompressor()
        local = LocalDatabase(folder / "spool.sqlite", SCHEMA, damaged_hint=DAMAGED_HINT)
        super().__init__(folder, identity, local)
        self.progress = ProgressNotes(local)
        self.register = RegisterTable(local)
        try:
            if not self.is_made_for_identity():
                self._note_identity()
        except BaseException:
            self.close()
            raise

    def is_made_for_identity(self) -> bool:
        """Whether it is noted whom the spool was made for. Raise IntegrityError where what lies here is for
        another identity: what was added now could never be sealed together with it."""
        made_for = [row[0] for row in self._rows("SELECT recipient FROM made_for")]
        if made_for == [self.identity.recipient().encode()]:
            return True
        if not self.is_empty():
            if made_for:
                raise IntegrityError(
                    f"{self.folder} holds what was captured for another identity than the settings name",
                    "bring back the file that collector.spool_identity names, as it was",
                )
            self.read_page(self.pages()[0].id)  # of a version that did not note whom it was made for
        return False

    def _note_identity(self) -> None:
        recipient = self.identity.recipient().encode()
        with self._local.transaction():
            self._database.execute("DELETE FROM made_for")
            self._database.execute("INSERT INTO made_for VALUES (?)", (recipient,))

    def close(self) -> None:
        self._local.close()

    # Captures

    def begin_capture(self, source_sha256: str, capture: Capture, taken_ms: int) -> int:
        """The id of a capture, made now or by an earlier run of the same source that was cut off."""
        with self._local.transaction():
            return self._insert_capture(source_sha256, capture, taken_ms)

    def _insert_capture(self, source_sha256: str, capture: Capture, taken_ms: int) -> int:
        self._database.execute(
            "INSERT INTO capture (source_sha256, request, description, taken_ms) VALUES (?,?,?,?)"
            " ON CONFLICT DO NOTHING",
            (source_sha256, capture.request, msgspec.json.encode(capture), taken_ms),
        )
        rows: list[Any] = self._database.execute(
            "SELECT id FROM capture WHERE source_sha256 = ? AND request = ?",
            (source_sha256, capture.request),
        ).fetchall()
        return int(rows[0][0])

    def end_capture(self, capture_id: int, size: int, sha256: str) -> None:
        """Note that the whole body was read, and its size and SHA-256."""
        with self._local.transaction():
            self._note_body(capture_id, size, sha256)

    def _note_body(self, capture_id: int, size: int, sha256: str) -> None:
        self._database.execute(
            "UPDATE capture SET body_size = ?, body_sha256 = ? WHERE id = ?", (size, sha256, capture_id)
        )

    def captures(self, last_page: int = ANY_ID) -> dict[int, SpooledCapture]:
        """Every capture by its id, but for those whose pages all come after this one."""
        rows = self._rows(
            "SELECT id, source_sha256, description, taken_ms, body_size, body_sha256 FROM capture"
            " WHERE id NOT IN (SELECT capture FROM page WHERE id > ?1)"
            " OR id IN (SELECT capture FROM page WHERE id <= ?1) ORDER BY id",
            (last_page,),
        )
        return {
            row[0]: SpooledCapture(row[0], row[1], msgspec.json.decode(row[2], type=Capture), *row[3:])
            for row in rows
        }

    # Pages

    def add_pages(
        self, pages: Sequence[tuple[PageInfo, bytes]], missing: Sequence[MissingMedia] = ()
    ) -> list[int]:
        """Store finished pages and what media they miss, all or none, durably; the pages' ids (those in
        `PageInfo` do not count)."""
        with self._local.transaction():
            ids = [self._insert_page(info, body) for info, body in pages]
            self._insert_missing(missing)
        return ids

    def _insert_page(self, info: PageInfo, body: bytes) -> int:
        self._database.execute(
            "INSERT INTO page (capture, kind, records, posted_from, posted_to, plain_bytes, body)"
            " VALUES (?,?,?,?,?,?,?)",
            (*msgspec.structs.astuple(info)[1:], body),
        )
        return self._database.last_insert_rowid()

    def add_answer(self, answer: AnswerToKeep) -> list[int]:
        """Store an answer's pages, what it misses, and how far it takes the collecting: all or none,
        durably; the pages' ids."""
        with self._local.transaction():
            return self._insert_answer(answer)

    def add_entries(self, answers: Sequence[AnswerToKeep], registered: Sequence[Registered]) -> None:
        """Store pages of the moderation register with the answers that they stand on, and note the records
        they are about: all or none, durably. Raise IntegrityError where another run's entry to one of the
        records has come between."""
        with self._local.transaction():
            for answer in answers:
                self._insert_answer(answer)
            for row in registered:
                self.register.save(row)

    def _insert_answer(self, answer: AnswerToKeep) -> list[int]:
        ids = []
        if answer.pages:
            capture = self._insert_capture(answer.source_sha256, answer.capture, answer.taken_ms)
            self._note_body(capture, answer.body_size, answer.body_sha256)
            for info, body in answer.pages:
                ids.append(self._insert_page(msgspec.structs.replace(info, capture=capture), body))
        self._insert_missing(answer.missing)
        self._insert_problems(answer.source_sha256, answer.source_name, answer.taken_ms, answer.problems)
        if answer.step is not None:
            self.progress.save(answer.step)
        return ids

    @contextmanager
    def rewriting(self) -> Iterator["SpoolRewriter"]:
        """Change what lies here, all or nothing, and leave nothing of what was there in the database's file:
        for what is erased, under the collector's lock alone."""
        with self._local.translated():
            self._database.execute("PRAGMA secure_delete=ON").fetchall()
        try:
            with self._local.transaction():
                yield SpoolRewriter(self._database)
        finally:
            with self._local.translated():
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                self._database.execute("PRAGMA secure_delete=OFF").fetchall()

    def save_step(self, step: Step) -> None:
        """Move a cursor, durably, where there is no page before it."""
        with self._local.transaction():
            self.progress.save(step)

    def save_spend(self, spend: Spend) -> None:
        """Note what a request cost, durably, before its page is."""
        with self._local.transaction():
            self.progress.save_spend(spend)

    def pages(self, after: int = 0, last: int = ANY_ID) -> list[PageInfo]:
        """The pages with a higher id than `after`, up to `last`, in order."""
        rows = self._rows(
            "SELECT id, capture, kind, records, posted_from, posted_to, plain_bytes FROM page"
            " WHERE id > ? AND id <= ? ORDER BY id",
            (after, last),
        )
        return [PageInfo(*row) for row in rows]

    def read_page(self, page_id: int) -> Page:
        """Decrypt one page. Raise IntegrityError if it is missing or was altered."""
        rows = self._rows("SELECT body FROM page WHERE id = ?", (page_id,))
        where = f"{self._local.path}: page {page_id}"
        if not rows:
            raise IntegrityError(f"{where} is missing")
        try:
            return self._decoder.decode(
                self._decompressor.decompress(age.decrypt([self.identity], rows[0][0]))
            )
        except (age.AgeError, zstandard.ZstdError, msgspec.DecodeError) as error:
            raise IntegrityError(
                f"{where}: {error}", "the spool was altered, or its identity replaced"
            ) from error

    # Problems

    def add_problems(
        self, source_sha256: str, source_name: str, noticed_ms: int, problems: Sequence[Problem]
    ) -> None:
        """Keep what went wrong with a source for the archive; the same again changes nothing."""
        with self._local.transaction():
            self._insert_problems(source_sha256, source_name, noticed_ms, problems)

    def _insert_problems(
        self, source_sha256: str, source_name: str, noticed_ms: int, problems: Sequence[Problem]
    ) -> None:
        self._database.executemany(
            "INSERT INTO problem (source_sha256, source_name, noticed_ms, what, reason, detail)"
            " VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING",
            [(source_sha256, source_name, noticed_ms, one.what, one.reason, one.detail) for one in problems],
        )

    def problems(self, last: int = ANY_ID) -> list[SpooledProblem]:
        """Everything that went wrong with what is in the spool, up to an id."""
        rows = self._rows("SELECT * FROM problem WHERE id <= ? ORDER BY id", (last,))
        return [SpooledProblem(*row) for row in rows]

    # Emptying

    def last_page_ever(self) -> int:
        """The highest id that a page ever had, sealed ones included. In the file: where a reader makes tables
        in memory for those that it lacks, there is another list of that name."""
        rows = self._rows("SELECT seq FROM main.sqlite_sequence WHERE name = 'page'")
        return int(rows[0][0]) if rows else 0

    def is_empty(self) -> bool:
        """Whether there is nothing to seal."""
        return not self._rows("SELECT 1 FROM page LIMIT 1")

    def holds_pages(self, last: int) -> bool:
        """Whether any page up to an id waits to be sealed."""
        return bool(self._rows("SELECT 1 FROM page WHERE id <= ? LIMIT 1", (last,)))

    def last_ids(self) -> tuple[int, int, int, int]:
        """The highest page, media, problem and gap ids, 0 where there are none."""
        page, media, problem, gap = self._rows(
            "SELECT (SELECT max(id) FROM page), (SELECT max(id) FROM media), (SELECT max(id) FROM problem),"
            " (SELECT max(id) FROM gap)"
        )[0]
        return page or 0, media or 0, problem or 0, gap or 0

    def empty(self, last_page: int, last_media: int, last_problem: int, last_gap: int = 0) -> None:
        """Remove what has been sealed: pages, media and problems up to these ids. Only called when the
        archive that holds them was written, read back and verified in every required store. Cursors, money
        and gaps stay."""
        with self._local.transaction():
            self.progress.mark_sealed(last_gap)
            self._database.execute("DELETE FROM page WHERE id <= ?", (last_page,))
            self._database.execute("DELETE FROM media WHERE id <= ?", (last_media,))
            self._database.execute("DELETE FROM problem WHERE id <= ?", (last_problem,))
            # Pages of a later source may stay, and need its captures without pages too: their records have
            # bytes joined from those.
            self._database.execute(
                "DELETE FROM capture WHERE source_sha256 NOT IN"
                " (SELECT source_sha256 FROM capture WHERE id IN (SELECT capture FROM page))"
            )
        self.sweep_media()
        self._compact()

    def _compact(self) -> None:
        """Give the bytes of what was removed back to the disk; where another run is writing, that is left to
        the next time."""
        waiting_ms = int(self._database.pragma("busy_timeout"))
        with self._local.translated(), suppress(apsw.BusyError, apsw.LockedError):
            self._database.set_busy_timeout(_COMPACTING_WAIT_MS)
            try:
                if self.is_empty():
                    self._database.execute("VACUUM")
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._database.set_busy_timeout(waiting_ms)
