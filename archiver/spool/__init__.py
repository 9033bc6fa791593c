"""What was captured and is not yet sealed: encrypted pages and media, durable before anything follows.

`spool.sqlite` (WAL, synchronous=FULL) has one row a page. A page's body is an age file to the spool's
own recipient, inside it a Zstandard frame, inside that a MessagePack `Page`. A page is at most about a
mebibyte of verbatim bytes of one capture and becomes one capture_part of an archive, byte for byte.
Media lie beside it in `media/`, an age file each.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec
import zstandard

from archiver.disk import delete_partial_files, new_file, os_errors_reported
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
CREATE TABLE IF NOT EXISTS media (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, file_name TEXT NOT NULL,
    sha256 TEXT, size INTEGER, missing TEXT, UNIQUE (account, file_name));
CREATE TABLE IF NOT EXISTS problem (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source_sha256 TEXT NOT NULL, source_name TEXT NOT NULL,
    noticed_ms INTEGER NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    UNIQUE (source_sha256, what, reason, detail));
"""


class Spool:
    """The open spool. The caller holds the collector's lock, or only reads."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self.folder = folder
        self.identity = identity
        self._decoder = msgspec.msgpack.Decoder(Page)
        self._decompressor = zstandard.ZstdDecompressor()
        self._local = LocalDatabase(
            folder / "spool.sqlite",
            _SCHEMA + PROGRESS_SCHEMA + REGISTER_SCHEMA,
            damaged_hint="keep it for examination; move it and the state's file aside, and take all anew",
        )
        self._database = self._local.connection
        self.progress = ProgressNotes(self._local)
        self.register = RegisterTable(self._local)
        with os_errors_reported("creating", folder / "media"):
            (folder / "media").mkdir(mode=0o700, exist_ok=True)

    def close(self) -> None:
        self._local.close()

    def _rows(self, sql: str, values: tuple[str | int, ...] = ()) -> list[Any]:
        with self._local.translated():
            return self._database.execute(sql, values).fetchall()

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

    def captures(self) -> dict[int, SpooledCapture]:
        """Every capture by its id."""
        rows = self._rows(
            "SELECT id, source_sha256, description, taken_ms, body_size, body_sha256 FROM capture"
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

    def _insert_missing(self, missing: Sequence[MissingMedia]) -> None:
        self._database.executemany(
            "INSERT INTO media (account, file_name, missing) VALUES (?,?,?) ON CONFLICT DO NOTHING",
            [(one.account, one.file_name, one.reason) for one in missing],
        )

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

    def save_step(self, step: Step) -> None:
        """Move a cursor, durably, where there is no page before it."""
        with self._local.transaction():
            self.progress.save(step)

    def save_spend(self, spend: Spend) -> None:
        """Note what a request cost, durably, before its page is."""
        with self._local.transaction():
            self.progress.save_spend(spend)

    def pages(self, after: int = 0) -> list[PageInfo]:
        """The pages with a higher id than `after`, in order."""
        rows = self._rows(
            "SELECT id, capture, kind, records, posted_from, posted_to, plain_bytes FROM page"
            " WHERE id > ? ORDER BY id",
            (after,),
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

    # Media

    def media(self) -> list[SpooledMedia]:
        """Every media file in the spool, in the order taken."""
        rows = self._rows(
            "SELECT id, account, file_name, sha256, size, missing FROM media"
            " WHERE missing IS NULL ORDER BY id"
        )
        return [SpooledMedia(*row) for row in rows]

    def count_missing_media(self) -> list[tuple[str, str, int]]:
        """How many files records show that their source did not have: (account, reason, number)."""
        return [
            (account, reason, number)
            for account, reason, number in self._rows(
                "SELECT account, missing, count(*) FROM media WHERE missing IS NOT NULL"
                " GROUP BY account, missing ORDER BY account, missing"
            )
        ]

    def find_media(self, account: str, file_name: str) -> SpooledMedia | None:
        """What the spool knows of a file: that it is there, or why it is missing."""
        rows = self._rows(
            "SELECT id, account, file_name, sha256, size, missing FROM media"
            " WHERE account = ? AND file_name = ?",
            (account, file_name),
        )
        return SpooledMedia(*rows[0]) if rows else None

    def holds_media(self, account: str) -> bool:
        """Whether any media file of an account is in the spool."""
        return bool(
            self._rows("SELECT 1 FROM media WHERE account = ? AND missing IS NULL LIMIT 1", (account,))
        )

    def has_media(self, account: str, file_name: str) -> bool:
        """Whether the file itself is in the spool."""
        found = self.find_media(account, file_name)
        return found is not None and found.missing is None

    def add_media(self, account: str, file_name: str, stream: IO[bytes]) -> int:
        """Encrypt a media file into the spool, then name it there; its size.

        A kill between the two leaves a file without a name, which `sweep_media` removes."""
        size, sha256 = self.write_media(account, file_name, stream)
        self.name_media(account, file_name, size, sha256)
        return size

    def write_media(self, account: str, file_name: str, stream: IO[bytes]) -> tuple[int, str]:
        """The first half of `add_media`, which touches no database: the file; its size and SHA-256."""
        digest = hashlib.sha256()
        size = 0
        with (
            new_file(self._media_path(account, file_name), replace=True) as file,
            age.encrypt_stream([self.identity.recipient()], file) as writer,
        ):
            while block := stream.read(1024 * 1024):
                digest.update(block)
                size += len(block)
                writer.write(block)
        return size, digest.hexdigest()

    def name_media(self, account: str, file_name: str, size: int, sha256: str) -> None:
        """The second half of `add_media`: from now on the file is there."""
        with self._local.transaction():
            self._database.execute(
                # Under a new id even where it was missing before: a sealing that was cut off, and is finished
                # later, must not take it for one of its own.
                "INSERT OR REPLACE INTO media (account, file_name, sha256, size) VALUES (?,?,?,?)",
                (account, file_name, sha256, size),
            )

    @contextmanager
    def open_media(self, media: SpooledMedia) -> Iterator[age.DecryptReader]:
        """The plain bytes of a media file in the spool, to be read in order. Raise IntegrityError, here or
        while reading, where the file is missing or was altered."""
        path = self._media_path(media.account, media.file_name)
        try:
            with os_errors_reported("reading", path):
                file = path.open("rb")
            with file, age.DecryptReader(file, [self.identity]) as reader:
                yield reader
        except age.AgeError as error:
            raise IntegrityError(
                f"{path}: {error}", "the spool was altered, or its identity replaced"
            ) from error

    def _media_path(self, account: str, file_name: str) -> Path:
        # A platform's file name is not ours to trust as a path, so the file is named by its hash.
        name = hashlib.sha256(f"{account}/{file_name}".encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / "media" / f"{name}.age"

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

    def problems(self) -> list[SpooledProblem]:
        """Everything that went wrong with what is in the spool."""
        return [SpooledProblem(*row) for row in self._rows("SELECT * FROM problem ORDER BY id")]

    # Emptying

    def last_page_ever(self) -> int:
        """The highest id that a page ever had, sealed ones included."""
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'page'")
        return int(rows[0][0]) if rows else 0

    def is_empty(self) -> bool:
        """Whether there is nothing to seal."""
        return not self._rows("SELECT 1 FROM page LIMIT 1")

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
        with self._local.translated():
            if self.is_empty():
                self._database.execute("VACUUM")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def sweep_media(self) -> None:
        """Delete media files that no row names."""
        named = {
            self._media_path(one.account, one.file_name).name for one in self.media() if one.missing is None
        }
        with os_errors_reported("cleaning", self.folder / "media"):
            for path in (self.folder / "media").iterdir():
                if path.suffix == ".age" and path.name not in named:
                    path.unlink()
        delete_partial_files(self.folder / "media")
