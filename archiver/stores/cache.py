"""What is kept on this machine of files that lie in stores far away.

It holds ciphertext only, byte for byte as it lies in the store, and the names that are listed there;
nothing decrypted ever. Each part has a checksum, so that a damaged cache is a part that is not there, and
never a damaged archive. Nothing that befalls the cache fails a search or alters what it finds
(`archiver/stores/cache_database.py`).
"""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import apsw

from archiver.stores.base import Range
from archiver.stores.cache_database import CacheDatabase, read_number, whole
from archiver.times import Clock

FILE_NAME = "store-cache.sqlite"
LISTING_MS = 24 * 60 * 60 * 1000
"""A listing older than this is dropped; it has been of no use for long."""
EVICT_TO = 0.9
"""Of the limit: so that not every further part means evicting one."""
MOST_USES_UNSAVED = 1024


class StoreCache:
    """The cache in a folder, which is made (0700) when first written to. `limit_bytes` bounds the parts and
    the listings it holds: of the parts the least recently used go first, of the listings the oldest; 0 is
    no cache, and the disk is not touched. A listing counts for less than `fresh_seconds` by `clock`. Each
    process opens the file for itself: it can be pickled, and survives a fork."""

    def __init__(self, folder: Path, limit_bytes: int, fresh_seconds: int, clock: Clock) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.fresh_seconds = fresh_seconds
        self.clock = clock
        self._used: set[int] = set()
        self._database = CacheDatabase(
            folder / FILE_NAME, enabled=limit_bytes > 0, before_close=self._save_uses
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return StoreCache, (self.folder, self.limit_bytes, self.fresh_seconds, self.clock)

    @property
    def problem(self) -> str | None:
        """Why the cache does not do what it could, where something is wrong with it."""
        return self._database.problem

    def file(self, key: str) -> "CachedFile":
        """The parts held of one file. The key names its store, its name and its version, so that other
        bytes have another key."""
        return CachedFile(self, key)

    def listing(self, key: str) -> bytes | None:
        """What was saved lately; None where it is not fresh, of a later time, damaged or absent."""
        row: tuple[Any, ...] | None = self._database.read(
            lambda database: database.execute(
                "SELECT saved_ms, digest, data FROM listing WHERE key = ?", (key,)
            ).fetchone()
        )
        if row is None:
            return None
        saved, digest, data = row
        sound = _sound(digest, key, saved, data)
        if sound is None or not 0 <= self.clock() - saved < self.fresh_seconds * 1000:
            return None
        return sound

    def put_listing(self, key: str, data: bytes) -> None:
        """Keep a listing in place of the one before. One that is larger than the whole cache may be is not
        kept."""
        now = self.clock()
        row = (key, now, _digest(key, now, data), data)
        if len(data) > self.limit_bytes * EVICT_TO:
            self.drop_listing(key)
        else:
            self._database.write(lambda database: self._replace_listing(database, row))

    def _replace_listing(self, database: apsw.Connection, row: Sequence[Any]) -> None:
        _, now, *_ = row
        with database:
            database.execute("INSERT OR REPLACE INTO listing VALUES (?, ?, ?, ?)", row)
            database.execute(
                "DELETE FROM listing WHERE NOT saved_ms BETWEEN ? AND ?", (now - LISTING_MS, now)
            )
            self._drop_listings(database)
            self._evict(database)
        _give_back(database)

    def _drop_listings(self, database: apsw.Connection) -> None:
        """Where the listings alone pass the limit, drop the oldest."""
        rows = database.execute(
            "SELECT key, length(data) FROM listing ORDER BY saved_ms DESC, key"
        ).fetchall()
        held, doomed = 0, []
        for key, length in rows:
            held += whole(length)
            if held > self.limit_bytes * EVICT_TO:
                doomed.append((key,))
        database.executemany("DELETE FROM listing WHERE key = ?", doomed)

    def drop_listing(self, key: str) -> None:
        self._database.change(lambda database: database.execute("DELETE FROM listing WHERE key = ?", (key,)))

    def drop_file(self, key: str) -> None:
        """Let go of all parts of a file, overwriting them: an archive's key was destroyed."""

        def drop(database: apsw.Connection) -> None:
            database.execute("PRAGMA secure_delete=ON")
            database.execute("DELETE FROM extent WHERE key = ?", (key,))
            database.execute("PRAGMA secure_delete=OFF")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        self._database.change(drop)

    def close(self) -> None:
        """Note what was used, and close the file. A later use opens it again."""
        self._database.close()

    def extents_of(self, key: str) -> list[Range]:
        found = self._database.read(
            lambda database: [
                (whole(start), whole(length))
                for start, length in database.execute(
                    "SELECT start, length FROM extent WHERE key = ? ORDER BY start", (key,)
                )
            ]
        )
        return found or []

    def get(self, key: str, start: int) -> bytes | None:
        row: tuple[Any, ...] | None = self._database.read(
            lambda database: database.execute(
                "SELECT id, digest, data FROM extent LEFT JOIN body USING (id) WHERE key = ? AND start = ?",
                (key, start),
            ).fetchone()
        )
        if row is None:
            return None
        number, digest, data = row
        sound = _sound(digest, key, start, data)
        if sound is None:
            self._database.change(
                lambda database: database.execute("DELETE FROM extent WHERE id = ?", (number,))
            )
        else:
            self._note_use(number)
        return sound

    def put(self, key: str, extents: Sequence[tuple[int, bytes]]) -> None:
        """Keep these parts in one transaction. One that begins where a longer one is held already, and one
        that is larger than the whole cache may be, is not kept."""
        rows = [
            (key, start, len(data), self.clock(), _digest(key, start, data), data)
            for start, data in extents
            if 0 < len(data) <= self.limit_bytes * EVICT_TO
        ]
        if rows:
            self._database.write(lambda database: self._insert(database, rows))

    def _insert(self, database: apsw.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        with database:
            for *place, data in rows:
                self._insert_one(database, place, data)
            self._save_uses(database)
            self._evict(database)
        _give_back(database)

    def _insert_one(self, database: apsw.Connection, place: Sequence[Any], data: bytes) -> None:
        key, start, length, *_ = place
        database.execute(
            "DELETE FROM extent WHERE key = ? AND start = ? AND length < ?", (key, start, length)
        )
        database.execute(
            "INSERT OR IGNORE INTO extent (key, start, length, used_ms, digest) VALUES (?, ?, ?, ?, ?)",
            place,
        )
        if database.changes():
            database.execute("INSERT INTO body VALUES (?, ?)", (database.last_insert_rowid(), data))

    def _evict(self, database: apsw.Connection) -> None:
        """Where the limit is passed, drop what was not used for longest."""
        held = read_number(database, "SELECT bytes FROM total") + read_number(
            database, "SELECT coalesce(sum(length(data)), 0) FROM listing"
        )
        if held <= self.limit_bytes:
            return
        doomed = []
        for number, length in database.execute("SELECT id, length FROM extent ORDER BY used_ms, id"):
            doomed.append((number,))
            held -= whole(length)
            if held <= self.limit_bytes * EVICT_TO:
                break
        database.executemany("DELETE FROM extent WHERE id = ?", doomed)

    def _note_use(self, number: int) -> None:
        """Remember a use; they are saved together, as each would be a write."""
        self._used.add(number)
        if len(self._used) >= MOST_USES_UNSAVED:
            self._database.write(self._save_uses)

    def _save_uses(self, database: apsw.Connection) -> None:
        now = self.clock()
        used, self._used = self._used, set()
        rows = [(now, number) for number in list(used)]
        if rows:
            with database:
                database.executemany("UPDATE extent SET used_ms = ? WHERE id = ?", rows)


class WritersCache:
    """The cache for whoever writes to a store or proves it: nothing is taken from it and nothing is put into
    it, and what it says of which names there are is dropped when that changes, so that a search on this
    machine sees it at once."""

    def __init__(self, cache: StoreCache) -> None:
        self._cache = cache

    def file(self, key: str) -> None:
        """Nothing is held."""

    def listing(self, key: str) -> None:
        """Nothing is known."""

    def put_listing(self, key: str, data: bytes) -> None:
        """Nothing is kept."""

    def drop_listing(self, key: str) -> None:
        self._cache.drop_listing(key)

    def drop_file(self, key: str) -> None:
        self._cache.drop_file(key)


class CachedFile:
    """What is held of one file: parts of it, each with the place it begins at."""

    def __init__(self, cache: StoreCache, key: str) -> None:
        self._cache = cache
        self.key = key

    def extents(self) -> list[Range]:
        """Offset and length of each part, in order. They may overlap."""
        return self._cache.extents_of(self.key)

    def get(self, start: int) -> bytes | None:
        """The part that begins there; None where it is damaged, evicted or was never held."""
        return self._cache.get(self.key, start)

    def put(self, extents: Sequence[tuple[int, bytes]]) -> None:
        self._cache.put(self.key, extents)


def _digest(key: str, number: int, data: bytes) -> bytes:
    """Of the bytes and of their place, so that a row that took another's place counts as damaged."""
    return blake2b(data, digest_size=16, key=blake2b(f"{number} {key}".encode()).digest()).digest()


def _sound(digest: object, key: str, number: object, data: object) -> bytes | None:
    """A row's bytes, if it still says what it said when it was written."""
    if isinstance(number, int) and isinstance(data, bytes) and digest == _digest(key, number, data):
        return data
    return None


def _give_back(database: apsw.Connection) -> None:
    """Shrink the file where most of it is free, as after the limit was lowered."""
    free = read_number(database, "PRAGMA freelist_count")
    if free > read_number(database, "PRAGMA page_count") // 2:
        database.execute("PRAGMA incremental_vacuum").fetchall()
