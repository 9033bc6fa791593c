"""Pictures and videos in the spool: an age file each, and a row that names it.

A file is called after the account, its name and what is in it. So two runs that write the same name at the
same time do not write over each other, and a file that is being sealed is not exchanged beneath.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from archiver.disk import Lock, delete_partial_files, new_file, os_errors_reported
from archiver.errors import IntegrityError, LockedError
from archiver.formats import age
from archiver.keys import Identity
from archiver.local_database import LocalDatabase
from archiver.spool.items import MissingMedia, SpooledMedia

SCHEMA = """
CREATE TABLE IF NOT EXISTS media (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, file_name TEXT NOT NULL,
    sha256 TEXT, size INTEGER, missing TEXT, UNIQUE (account, file_name));
"""
ANY_ID = 2**63 - 1
"""Up to which ids, where there is no bound: SQLite's highest."""
APPENDING_WAIT_SECONDS = 60.0
_SELECT = "SELECT id, account, file_name, sha256, size, missing FROM media"


class MediaSpool:
    """The spool's part for media, in the folder `media/` beside its database."""

    def __init__(self, folder: Path, identity: Identity, local: LocalDatabase) -> None:
        self.folder = folder
        self.identity = identity
        self._local = local
        self._database = local.connection
        with os_errors_reported("creating", folder / "media"):
            (folder / "media").mkdir(mode=0o700, exist_ok=True)

    def _rows(self, sql: str, values: tuple[str | int, ...] = ()) -> list[Any]:
        with self._local.translated():
            return self._database.execute(sql, values).fetchall()

    # What is there

    def media(self, last: int = ANY_ID) -> list[SpooledMedia]:
        """Every media file in the spool up to an id, in the order taken."""
        rows = self._rows(f"{_SELECT} WHERE missing IS NULL AND id <= ? ORDER BY id", (last,))
        return [SpooledMedia(*row) for row in rows]

    def count_missing_media(self, last: int = ANY_ID) -> list[tuple[str, str, int]]:
        """How many files, up to an id, records show that their source did not have: (account, reason,
        number)."""
        return [
            (account, reason, number)
            for account, reason, number in self._rows(
                "SELECT account, missing, count(*) FROM media WHERE missing IS NOT NULL AND id <= ?"
                " GROUP BY account, missing ORDER BY account, missing",
                (last,),
            )
        ]

    def find_media(self, account: str, file_name: str) -> SpooledMedia | None:
        """What the spool knows of a file: that it is there, or why it is missing."""
        rows = self._rows(f"{_SELECT} WHERE account = ? AND file_name = ?", (account, file_name))
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

    # Adding

    @contextmanager
    def appending(self) -> Iterator[None]:
        """What a run holds that adds media without the collector's lock, while another may be collecting or
        sealing: from its first file written to the entry that names it. So no sweep takes away a file that is
        not named yet. Many may hold it at once; a sweep is waited for."""
        with Lock(self._appending_lock, wait_seconds=APPENDING_WAIT_SECONDS, shared=True):
            yield

    @contextmanager
    def registering(self) -> Iterator[None]:
        """What a run holds from looking whether something is in the register to entering it, so that two do
        not enter the same. Nothing is waited for in it but the disk. Not to be entered twice by one run.

        Wait up to a minute for others; then raise LockedError."""
        with Lock(self.folder / "register.lock", wait_seconds=APPENDING_WAIT_SECONDS):
            yield

    @property
    def _appending_lock(self) -> Path:
        return self.folder / "appending.lock"

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
            new_file(
                self._old_path(account, file_name),
                replace=True,
                named=lambda: self._path(account, file_name, digest.hexdigest()),
            ) as file,
            age.encrypt_stream([self.identity.recipient()], file) as writer,
        ):
            while block := stream.read(1024 * 1024):
                digest.update(block)
                size += len(block)
                writer.write(block)
        return size, digest.hexdigest()

    def name_media(self, account: str, file_name: str, size: int, sha256: str) -> str:
        """The second half of `add_media`: from now on the file is there; the SHA-256 of what is held under
        this name. That is another where another run has named another file so before: the first one stays,
        for it may be in an archive by now."""
        with self._local.transaction():
            # Under a new id where it was missing before: a sealing that was cut off, and is finished later,
            # must not take it for one of its own.
            self._database.execute(
                "DELETE FROM media WHERE account = ? AND file_name = ? AND missing IS NOT NULL",
                (account, file_name),
            )
            self._database.execute(
                "INSERT INTO media (account, file_name, sha256, size) VALUES (?,?,?,?)"
                " ON CONFLICT DO NOTHING",
                (account, file_name, sha256, size),
            )
            held: list[Any] = self._database.execute(
                "SELECT sha256 FROM media WHERE account = ? AND file_name = ?", (account, file_name)
            ).fetchall()
        return str(held[0][0])

    def _insert_missing(self, missing: Sequence[MissingMedia]) -> None:
        self._database.executemany(
            "INSERT INTO media (account, file_name, missing) VALUES (?,?,?) ON CONFLICT DO NOTHING",
            [(one.account, one.file_name, one.reason) for one in missing],
        )

    # Reading

    @contextmanager
    def open_media(self, media: SpooledMedia) -> Iterator[age.DecryptReader]:
        """The plain bytes of a media file in the spool, to be read in order. Raise IntegrityError, here or
        while reading, where the file is missing or was altered."""
        path = self._path(media.account, media.file_name, media.sha256 or "")
        try:
            with self._open_file(media, path) as file, age.DecryptReader(file, [self.identity]) as reader:
                yield reader
        except age.AgeError as error:
            raise IntegrityError(
                f"{path}: {error}", "the spool was altered, or its identity replaced"
            ) from error

    def _open_file(self, media: SpooledMedia, path: Path) -> BinaryIO:
        with os_errors_reported("reading", path):
            try:
                return path.open("rb")
            except FileNotFoundError:
                with suppress(FileNotFoundError):
                    return self._old_path(media.account, media.file_name).open("rb")
                raise

    def _path(self, account: str, file_name: str, sha256: str) -> Path:
        # A platform's file name is not ours to trust as a path, so the file is named by a hash.
        return self._hashed(f"{sha256}/{account}/{file_name}")

    def _old_path(self, account: str, file_name: str) -> Path:
        """Where versions up to 0.2 put the file."""
        return self._hashed(f"{account}/{file_name}")

    def _hashed(self, what: str) -> Path:
        name = hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / "media" / f"{name}.age"

    # Emptying

    def sweep_media(self) -> None:
        """Delete media files that no row names. Where another run is adding some, that is left to the next
        time: it names them when they are written."""
        with suppress(LockedError), Lock(self._appending_lock):
            named = {
                path.name
                for one in self.media()
                for path in (
                    self._path(one.account, one.file_name, one.sha256 or ""),
                    self._old_path(one.account, one.file_name),
                )
            }
            with os_errors_reported("cleaning", self.folder / "media"):
                for path in (self.folder / "media").iterdir():
                    if path.suffix == ".age" and path.name not in named:
                        path.unlink()
            delete_partial_files(self.folder / "media")
