"""Reading one sealed segment in place: store, age, Zstandard, SQLite, each authenticated or checked."""

from types import TracebackType
from typing import Self

import apsw

from archiver.archive.vfs import SegmentDatabase
from archiver.errors import ArchiverError, IntegrityError, repair_hint
from archiver.formats import FormatError, age
from archiver.formats.seekable_zstd import SeekableReader
from archiver.stores.base import Store

NOT_ITS_KEY = "its beginning was altered, or it is another archive's: the archive's key does not open it"
"""The key itself was found to be the manifest's (`archiver.keys.open_archive_key`), so the file is wrong."""


class SegmentReader:
    """An open segment: `connection` is read only. Raise IntegrityError, naming the file, for altered
    bytes, and for a file that the archive's own key does not open."""

    def __init__(self, store: Store, name: str, identity: age.Identity) -> None:
        self.name = name
        self._stored = store.open_random(name)
        try:
            self.sealed = age.SeekReader(self._stored, [identity])
            self.frames = SeekableReader(self.sealed)
            self._database = SegmentDatabase.read(self.frames)
        except (FormatError, ArchiverError, apsw.Error) as error:
            self._stored.close()
            raise self._translated(error) from error
        self.connection = self._database.connection

    def _translated(self, error: Exception) -> ArchiverError:
        if isinstance(error, ArchiverError):
            return error
        if isinstance(error, age.NoMatchError):
            return IntegrityError(f"{self.name}: {NOT_ITS_KEY}", repair_hint(self._archive))
        return IntegrityError(f"{self.name}: {error}", repair_hint(self._archive))

    @property
    def _archive(self) -> str:
        return self.name.split("/")[-2] if "/" in self.name else self.name

    def translated(self, error: apsw.Error) -> ArchiverError:
        """Ours for a failed query: altered bytes below SQLite, or a database that is not one."""
        return self._translated(self._database.error or error)

    def close(self) -> None:
        self._database.close()
        self._stored.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
