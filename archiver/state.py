"""What the collector remembers: which records it has seen, which exports it took, what is being sealed.

`state.sqlite` holds the platform's ids, and for each a keyed hash of what makes a version of it. No
content. It follows the spool: a page is durable there first, then what it holds is noted here with the
page's number, in one transaction; what a kill leaves unnoted is noted from the spool when next opened.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import repeat
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec

from archiver.chain import Head
from archiver.errors import IntegrityError
from archiver.keys import Identity
from archiver.local_database import LocalDatabase
from archiver.sources.base import CONTENT_DIGEST_BYTES, Route
from archiver.spool import Page, Spool
from archiver.spool.reading import SnapshotDatabase

SCHEMA = """
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, platform TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL,
    full_ms INTEGER NOT NULL DEFAULT 0, UNIQUE (platform, account, kind));
CREATE TABLE IF NOT EXISTS seen (
    series INTEGER NOT NULL, id NOT NULL, digest BLOB NOT NULL, version INTEGER NOT NULL,
    generated_ms INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0, record_id TEXT,
    PRIMARY KEY (series, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS other (
    series INTEGER NOT NULL, id NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (series, id, digest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_record ON seen (series, record_id) WHERE record_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS media (
    account TEXT NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
    archive TEXT NOT NULL, pack TEXT NOT NULL, offset INTEGER NOT NULL,
    PRIMARY KEY (account, file_name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased (hash BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import (
    id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, platform TEXT NOT NULL, account TEXT NOT NULL,
    name TEXT NOT NULL, generated_ms INTEGER NOT NULL, partial INTEGER NOT NULL,
    started_ms INTEGER NOT NULL, finished_ms INTEGER, summary BLOB);
"""

CACHE_BYTES = 32 * 1024 * 1024
"""An export looks a million ids up in one go."""
_DAMAGED = "keep it aside; what it remembers can be made again by importing an export"
_HIGHEST_INTEGER_ID = 2**63 - 1
# Texts go in as bytes: a carray of text takes no NUL, and an id from an export may hold one.
_FIND_SEEN = """
SELECT id, digest, version, gone, generated_ms FROM seen WHERE series = ? AND id IN
    (SELECT CASE typeof(value) WHEN 'blob' THEN CAST(value AS TEXT) ELSE value END FROM carray(?))"""
_NOTE_UNCHANGED = """
UPDATE seen SET generated_ms = max(generated_ms, ?) WHERE series = ? AND id IN
    (SELECT CASE typeof(value) WHEN 'blob' THEN CAST(value AS TEXT) ELSE value END FROM carray(?))"""

_SERIES_OF = {"post": ("post", "mention", "context", "like"), "account": ("account", "context")}
"""The series in which an id of this kind of record stands, where there are others than its own."""


def as_key(platform_id: str) -> int | str:
    """A decimal id as the integer it is (smaller and quicker as a key), any other as it stands."""
    if platform_id.isascii() and platform_id.isdigit() and platform_id[0] != "0":
        number = int(platform_id) if len(platform_id) < 20 else _HIGHEST_INTEGER_ID + 1
        if number <= _HIGHEST_INTEGER_ID:
            return number
    return platform_id


def _arrays(keys: Sequence[int | str]) -> Iterator[Any]:
    """The keys as carrays, integers and texts apart."""
    numbers = array("q", [key for key in keys if type(key) is int])
    names = tuple([key.encode() for key in keys if type(key) is str])
    if numbers:
        yield apsw.carray(numbers)
    if names:
        yield apsw.carray(names)


def _series_name(kind: str, route: Route) -> str:
    """Exports' series are called after the kind alone, as they were before there was another route."""
    return kind if route == "export" else f"{kind} by {route}"


def same_content(known: bytes, new: bytes) -> bool:
    """Whether two digests, as `digest_of` makes them, are of the same content of one route. Those noted by
    version 0.1 have no hash of the words."""
    return known[:CONTENT_DIGEST_BYTES] == new[:CONTENT_DIGEST_BYTES]


def other_words(known: bytes, new: bytes) -> bool:
    """Whether what two routes brought of one record reads differently, where both have all of its words."""
    words, new_words = known[CONTENT_DIGEST_BYTES:], new[CONTENT_DIGEST_BYTES:]
    return bool(words and new_words and words != new_words)


class Seen(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is known of one record: its last version's keyed hash and number, when the export was made that
    first showed it gone (0: it is there), and when
    the newest export that had it was made."""

    digest: bytes
    version: int
    gone: int
    generated_ms: int


class SealedMedia(msgspec.Struct, frozen=True):
    """Where a media file lies that an earlier sealing took."""

    sha256: str
    size: int
    archive: str
    pack: str
    offset: int


class Sealing(msgspec.Struct, frozen=True):
    """A sealing under way: the archive's name, its mark in the manifest, the last ids it takes."""

    archive: str
    mark: str
    last_page: int
    last_media: int
    last_problem: int = 0
    last_gap: int = 0


class HeldClaim(msgspec.Struct, frozen=True):
    """A claim on the vault (`archiver.claims`), and who made it: a folder may be copied to another host."""

    head: Head
    host: str
    key: str


class ImportRun(msgspec.Struct, frozen=True):
    id: int
    digest: str
    platform: str
    account: str
    name: str
    generated_ms: int
    partial: bool
    started_ms: int
    finished_ms: int | None
    summary: dict[str, object] | None


def _import_run(row: tuple[Any, ...]) -> ImportRun:
    number, digest, platform, account, name, generated_ms, partial, started_ms, finished_ms, summary = row
    said = None if summary is None else msgspec.json.decode(summary, type=dict[str, object])
    return ImportRun(
        number, digest, platform, account, name, generated_ms, bool(partial), started_ms, finished_ms, said
    )


_Noted = TypeVar("_Noted")


class State:
    """The open state. The caller holds the collector's lock, or only reads."""

    def __init__(self, path: Path, *, cache_bytes: int = CACHE_BYTES) -> None:
        self.path = path
        self._local = LocalDatabase(path, SCHEMA, damaged_hint=_DAMAGED, cache_bytes=cache_bytes)
        self._database = self._local.connection

    def transaction(self) -> AbstractContextManager[apsw.Connection]:
        """Everything inside, durable; or nothing."""
        return self._local.transaction()

    def close(self) -> None:
        self._local.close()

    # Notes: single facts

    def note(self, name: str) -> object:
        with self._local.translated():
            row = self._database.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def set_note(self, name: str, value: str | int | bytes | None) -> None:
        with self._local.translated():
            self._database.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def _decoded_note(self, name: str, kind: type[_Noted]) -> _Noted | None:
        note = self.note(name)
        if note is None:
            return None
        try:
            return msgspec.json.decode(str(note), type=kind)
        except msgspec.DecodeError as error:
            raise IntegrityError(f"{self.path}: its note {name} cannot be read: {error}", _DAMAGED) from error

    def sealing(self) -> Sealing | None:
        return self._decoded_note("sealing", Sealing)

    def set_sealing(self, sealing: Sealing | None) -> None:
        self.set_note("sealing", None if sealing is None else msgspec.json.encode(sealing).decode())

    def head(self) -> Head | None:
        return self._decoded_note("head", Head)

    def sealed_ms(self) -> int | None:
        """When the last archive was sealed, by this host's clock; None where none was, or by a version that
        did not note it."""
        noted = self.note("sealed_ms")
        return noted if isinstance(noted, int) else None

    def set_sealed_ms(self, at_ms: int) -> None:
        self.set_note("sealed_ms", at_ms)

    def claim(self) -> HeldClaim | None:
        """By which claim the vault is kept from here, as it was known last."""
        return self._decoded_note("claim", HeldClaim)

    def set_claim(self, claim: HeldClaim) -> None:
        self.set_note("claim", msgspec.json.encode(claim).decode())

    def set_head(self, head: Head) -> None:
        self.set_note("head", msgspec.json.encode(head).decode())

    # Records seen

    def series(self, platform: str, account: str, kind: str, route: Route = "export") -> int:
        """The number of one account's records of one kind that came by one route: what each has brought is
        known apart, so that a record is kept as each delivered it."""
        with self._local.translated():
            self._database.execute(
                "INSERT INTO series (platform, account, kind) VALUES (?,?,?) ON CONFLICT DO NOTHING",
                (platform, account, _series_name(kind, route)),
            )
        found = self.find_series(platform, account, kind, route)
        if found is None:
            raise IntegrityError(f"{self.path}: a series that was just made is not there", _DAMAGED)
        return found

    def find_series(self, platform: str, account: str, kind: str, route: Route) -> int | None:
        """As `series`; None where the route has brought none of the kind yet."""
        with self._local.translated():
            rows: list[Any] = self._database.execute(
                "SELECT id FROM series WHERE platform = ? AND account = ? AND kind = ?",
                (platform, account, _series_name(kind, route)),
            ).fetchall()
        return int(rows[0][0]) if rows else None

    def present(
        self,
        series: int,
        *,
        from_id: int | None = None,
        before_ms: int | None = None,
        gone: bool = False,
    ) -> list[str]:
        """Ids not marked gone, or those that are: of at least `from_id`, last seen before `before_ms`."""
        with self._local.translated():
            rows: list[Any] = self._database.execute(
                "SELECT id FROM seen WHERE series = ?1 AND (gone <> 0) = ?4 AND (?2 IS NULL OR id >= ?2)"
                " AND (?3 IS NULL OR generated_ms < ?3)",
                (series, from_id, before_ms, gone),
            ).fetchall()
        return [str(key) for (key,) in rows]

    def unseen_first_versions(self, series: int, gone: int) -> list[str]:
        """Ids of first versions that edits name and that were not seen, nor noted in the series `gone`."""
        with self._local.translated():
            rows: list[Any] = self._database.execute(
                "SELECT DISTINCT edit.record_id FROM seen AS edit"
                " WHERE edit.series = ?1 AND edit.record_id IS NOT NULL"
                " AND NOT EXISTS (SELECT 1 FROM seen AS first"
                "  WHERE first.series = ?1 AND first.id = CAST(edit.record_id AS INTEGER))"
                " AND NOT EXISTS (SELECT 1 FROM seen AS known"
                "  WHERE known.series = ?2 AND known.id = 'post:' || edit.record_id)",
                (series, gone),
            ).fetchall()
        return [str(record_id) for (record_id,) in rows]

    def count_present(self, series: int) -> int:
        """How many records are not marked gone, all versions of an edited one counted once."""
        with self._local.translated():
            rows: list[Any] = self._database.execute(
                "SELECT count(DISTINCT CAST(coalesce(record_id, id) AS TEXT)) FROM seen"
                " WHERE series = ? AND gone = 0",
                (series,),
            ).fetchall()
        return int(rows[0][0])

    def find_seen(self, series: int, keys: Sequence[int | str]) -> dict[int | str, Seen]:
        """Those of the ids (as `as_key` makes them) that were seen before."""
        found: dict[int | str, Seen] = {}
        for some in _arrays(keys):
            with self._local.translated():
                rows: Iterable[Any] = self._database.execute(_FIND_SEEN, (series, some))
                for key, digest, version, gone, generated_ms in rows:
                    found[key] = Seen(digest, version, gone, generated_ms)
        return found

    def versions_of(self, series: int, record_id: str) -> int:
        """The highest version number of a record that has edits, 0 for none."""
        with self._local.translated():
            row = self._database.execute(
                "SELECT max(version) FROM (SELECT version FROM seen WHERE series = ?1 AND record_id = ?2"
                " UNION ALL SELECT version FROM seen WHERE series = ?1 AND id = ?3)",
                (series, record_id, as_key(record_id)),
            ).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])

    def note_page(self, page_id: int, series: int, page: Page) -> None:
        """Note what a durable page of the spool holds. The same page twice changes nothing."""
        record_ids: Iterable[str | None] = repeat(None)
        if page.record_ids:
            record_ids = [page.record_ids.get(index) for index in range(len(page.ids))]
        rows: Iterable[tuple[Any, ...]] = zip(
            repeat(series),
            map(as_key, page.ids),
            page.digests,
            map(abs, page.versions),
            repeat(page.generated_ms),
            record_ids,
            strict=False,
        )
        if "other" in page.changes:
            rows = self._without_others(series, page, list(rows))
        with self._local.translated():
            self._database.executemany(
                "INSERT INTO seen (series, id, digest, version, generated_ms, record_id)"
                " VALUES (?,?,?,?,?,?)"
                " ON CONFLICT (series, id) DO UPDATE SET digest = excluded.digest,"
                " version = max(version, excluded.version),"
                " generated_ms = max(generated_ms, excluded.generated_ms)",
                rows,
            )
            if "back" in page.changes:
                there = [one for one, change in zip(page.ids, page.changes, strict=True) if change == "back"]
                self.mark_gone(series, there, 0)
            self.set_note("last_page", page_id)

    def _without_others(
        self, series: int, page: Page, rows: list[tuple[Any, ...]]
    ) -> Iterator[tuple[Any, ...]]:
        """Rows for `seen`, in which a version that is not newer leaves the newest one's hash as it is; its
        own is kept beside, so that it too is known again."""
        others = [row for row, change in zip(rows, page.changes, strict=True) if change == "other"]
        self._database.executemany(
            "INSERT OR IGNORE INTO other (series, id, digest) VALUES (?,?,?)", [row[:3] for row in others]
        )
        self._database.executemany(
            "UPDATE seen SET version = max(version, ?) WHERE series = ? AND id = ?",
            [(row[3], row[0], row[1]) for row in others],
        )
        return (row for row, change in zip(rows, page.changes, strict=True) if change != "other")

    def is_other(self, series: int, key: int | str, digest: bytes) -> bool:
        """Whether this is a version known beside the newest one."""
        with self._local.translated():
            return bool(
                self._database.execute(
                    "SELECT 1 FROM other WHERE series = ? AND id = ? AND substr(digest, 1, ?) = ?",
                    (series, key, CONTENT_DIGEST_BYTES, digest[:CONTENT_DIGEST_BYTES]),
                ).fetchall()
            )

    def note_unchanged(self, series: int, generated_ms: int, keys: Sequence[int | str]) -> None:
        """Note that an export made then still had these."""
        for some in _arrays(keys):
            with self._local.translated():
                self._database.execute(_NOTE_UNCHANGED, (generated_ms, series, some))

    def note_full(self, series: int, generated_ms: int) -> int:
        """Note that a full export made then was read whole for this series; when the newest such was made."""
        with self._local.translated():
            self._database.execute(
                "UPDATE series SET full_ms = max(full_ms, ?) WHERE id = ?", (generated_ms, series)
            )
            rows: list[Any] = self._database.execute(
                "SELECT full_ms FROM series WHERE id = ?", (series,)
            ).fetchall()
        newest: int = max([generated_ms, *(full_ms for (full_ms,) in rows)])
        return newest

    def find_gone(self, series: int) -> list[str]:
        """Ids that an export had and the newest full one has not, unless they are marked gone already."""
        with self._local.translated():
            rows = self._database.execute(
                "SELECT seen.id FROM seen JOIN series ON series.id = seen.series"
                " WHERE seen.series = ? AND seen.gone = 0 AND seen.generated_ms < series.full_ms",
                (series,),
            ).fetchall()
        return [str(key) for (key,) in rows]

    def mark_gone(self, series: int, ids: Iterable[str], generated_ms: int) -> None:
        """Note that an export made then showed these gone; 0: that they are there again."""
        with self._local.translated():
            self._database.executemany(
                "UPDATE seen SET gone = ? WHERE series = ? AND id = ?",
                [(generated_ms, series, as_key(one)) for one in ids],
            )

    def last_page(self) -> int:
        """The last page of the spool that is noted here; 0 for none."""
        noted = self.note("last_page")
        return int(noted) if isinstance(noted, int) else 0

    def recover(self, spool: Spool) -> int:
        """Note every page of the spool that a kill left unnoted; how many there were. Raise IntegrityError
        for a spool that lacks pages noted here: what they held would be taken for known for ever."""
        last_page = self.last_page()
        if last_page > spool.last_page_ever():
            raise lost_pages(spool.folder, self.path)
        pages = spool.pages(after=last_page)
        for info in pages:
            page = spool.read_page(info.id)
            series = self.series(page.platform, page.account, page.series or info.kind, page.route)
            with self.transaction():
                self.note_page(info.id, series, page)
                if info.kind == "gone":
                    self.note_gone_page(page)
        return len(pages)

    def note_gone_page(self, page: Page) -> None:
        """Mark as gone what "gone" items name: their ids are `KIND:ID`, or a post's id alone."""
        for one in page.ids:
            kind, colon, platform_id = one.partition(":")
            series = self.series(page.platform, page.account, kind if colon else "post", page.route)
            self.mark_gone(series, [platform_id if colon else one], page.generated_ms)

    # Media that earlier sealings took

    def find_media(self, account: str, file_name: str) -> SealedMedia | None:
        with self._local.translated():
            row = self._database.execute(
                "SELECT sha256, size, archive, pack, offset FROM media WHERE account = ? AND file_name = ?",
                (account, file_name),
            ).fetchone()
        return None if row is None else SealedMedia(*row)

    def holds_media(self, account: str) -> bool:
        """Whether any media of an account were sealed."""
        with self._local.translated():
            return bool(
                self._database.execute("SELECT 1 FROM media WHERE account = ? LIMIT 1", (account,)).fetchall()
            )

    def add_media(self, rows: Iterable[tuple[str, str, str, int, str, str, int]]) -> None:
        """(account, file name, sha256, size, archive, pack, offset) each."""
        with self._local.translated():
            self._database.executemany("INSERT OR REPLACE INTO media VALUES (?,?,?,?,?,?,?)", rows)

    def rename_media(self, old: str, new: str) -> None:
        """Files that lay in one archive's packs lie in those of the archive that replaces it, at the same
        places."""
        with self._local.translated():
            self._database.execute("UPDATE media SET archive = ? WHERE archive = ?", (new, old))

    def forget_media(self, spots: Iterable[tuple[str, str, int]]) -> None:
        """(archive, pack, offset) each: what was there is erased."""
        with self._local.translated():
            self._database.executemany(
                "DELETE FROM media WHERE archive = ? AND pack = ? AND offset = ?", list(spots)
            )

    # Records that were erased

    def note_erased(self, hashes: Iterable[bytes], records: Iterable[tuple[str, str, str]]) -> None:
        """Remember records (platform, kind, id) by a keyed hash of each alone, so that no source brings them
        back; what else was known of them is forgotten."""
        with self._local.translated():
            self._database.executemany("INSERT OR IGNORE INTO erased VALUES (?)", [(one,) for one in hashes])
            for platform, kind, own in records:
                for series in _SERIES_OF.get(kind, (kind,)):
                    self._forget_seen(platform, series, own, aspects=kind == "account")
                    self._forget_seen(platform, "gone", f"{series}:{own}")
                if kind == "post":
                    self._forget_seen(platform, "gone", own)

    def _forget_seen(self, platform: str, kind: str, own: str, *, aspects: bool = False) -> None:
        """In this kind's series of every account and route. `aspects`: also ids that go on after a colon."""
        rows: list[Any] = self._database.execute(
            "SELECT id, kind FROM series WHERE platform = ?", (platform,)
        ).fetchall()
        for series, name in rows:
            if name != kind and not name.startswith(f"{kind} by "):
                continue
            values = (series, as_key(own), own)
            self._database.execute(
                "DELETE FROM seen WHERE series = ?1 AND (id = ?2 OR record_id = ?3)", values
            )
            self._database.execute("DELETE FROM other WHERE series = ? AND id = ?", values[:2])
            if aspects:
                between = (series, f"{own}:", f"{own};")  # the character that comes after a colon
                for table in ("seen", "other"):
                    self._database.execute(
                        f"DELETE FROM {table} WHERE series = ? AND id >= ? AND id < ?",  # noqa: S608  # constants
                        between,
                    )

    def erased(self) -> frozenset[bytes]:
        """The hashes of all records that were erased: some, at the most."""
        with self._local.translated():
            return frozenset(one for (one,) in self._database.execute("SELECT hash FROM erased"))

    # Imports

    def find_import(self, digest: str) -> ImportRun | None:
        return next((run for run in self.imports() if run.digest == digest), None)

    def imports(self) -> list[ImportRun]:
        with self._local.translated():
            rows: list[Any] = self._database.execute(
                "SELECT id, digest, platform, account, name, generated_ms, partial, started_ms, finished_ms,"
                " summary FROM import ORDER BY id"
            ).fetchall()
        return [_import_run(row) for row in rows]

    def newest_exports(self) -> dict[tuple[str, str], int]:
        """When the newest export of each account was made that was read to its end, by platform and id."""
        with self._local.translated():
            rows: list[Any] = self._database.execute(
                "SELECT platform, account, max(generated_ms) FROM import WHERE finished_ms IS NOT NULL"
                " GROUP BY platform, account"
            ).fetchall()
        return {(platform, account): generated_ms for platform, account, generated_ms in rows}

    def begin_import(
        self,
        digest: str,
        platform: str,
        account: str,
        name: str,
        generated_ms: int,
        partial: bool,
        started_ms: int,
    ) -> None:
        with self.transaction():
            self._database.execute(
                "INSERT INTO import (digest, platform, account, name, generated_ms, partial, started_ms)"
                " VALUES (?,?,?,?,?,?,?) ON CONFLICT (digest) DO UPDATE SET started_ms = excluded.started_ms",
                (digest, platform, account, name, generated_ms, partial, started_ms),
            )

    def end_import(self, digest: str, finished_ms: int, summary: dict[str, object]) -> None:
        with self._local.translated():
            self._database.execute(
                "UPDATE import SET finished_ms = ?, summary = ? WHERE digest = ?",
                (finished_ms, msgspec.json.encode(summary), digest),
            )


class StateReader(State):
    """A state that is there, as it was when it was opened; whatever writes fails. See SnapshotDatabase."""

    def __init__(self, path: Path, *, at_rest: bool = True) -> None:
        self.path = path
        self.snapshot = SnapshotDatabase(path, SCHEMA, damaged_hint=_DAMAGED, at_rest=at_rest)
        self._local = self.snapshot
        self._database = self.snapshot.connection


def erased_content(platform: str, kind: str, own: str) -> bytes:
    """What is hashed, with a key, of a record that was erased."""
    return f"erased\n{platform}:{kind}:{own}".encode("utf-8", "surrogatepass")


class KeyedHash:
    """The hash by which the state knows content: without the key it cannot be guessed at.

    BLAKE2b with a key of its own (RFC 7693, section 2.9), 128 bits."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"archiver state\n" + secret).digest()

    @classmethod
    def of(cls, identity: Identity) -> "KeyedHash":
        """With a key that follows from the spool's identity."""
        return cls(hashlib.sha256(identity.encode().encode()).digest())

    def __call__(self, content: bytes) -> bytes:
        return hashlib.blake2b(content, key=self._key, digest_size=16).digest()


def lost_pages(spool: Path, state: Path) -> IntegrityError:
    """What is said of a spool that lacks pages which the state knows of."""
    return IntegrityError(
        f"{spool}: pages are missing that {state} knows of: it was replaced or lost",
        "bring it back; where it is lost, what was not sealed is lost with it: move what is left of"
        " spool.sqlite and the state's file aside, and everything is taken anew",
    )
