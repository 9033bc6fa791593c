"""One segment restored into memory, and all that can be proven of it there."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager

import apsw
import zstandard

from archiver.archive.manifest import File
from archiver.archive.read import NOT_ITS_KEY
from archiver.archive.verify import HashingReader, check_whole, plain_blocks
from archiver.archive.vfs import SegmentDatabase
from archiver.drill.proof import Drilled
from archiver.errors import IntegrityError, repair_hint
from archiver.formats import age
from archiver.rebuild import Rebuilt, rebuild_database
from archiver.stores.base import Store

MOST_NAMED = 20
_ANSWERS = """
SELECT p.capture, p.body, c.body_sha256 FROM capture_part AS p JOIN capture AS c ON c.id = p.capture
WHERE c.route = 'api' AND c.body_sha256 IS NOT NULL AND length(p.body) = c.body_size"""
"""Of an interface a part is a whole answer (docs/format.md, "capture_part")."""
_MEDIA = """
SELECT pack, offset, sha256, size FROM media WHERE archive = ? AND sha256 IS NOT NULL
GROUP BY pack, offset, sha256, size"""
_ELSEWHERE = "SELECT DISTINCT archive, pack, offset FROM media WHERE archive <> ?"


class _Plain:
    """A database's bytes, as SQLite is given them."""

    def __init__(self, data: bytearray) -> None:
        self._data = memoryview(data)
        self.size = len(data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        return bytes(self._data[offset : offset + length])


def restore_segment(store: Store, archive: str, file: File, identity: age.Identity) -> bytearray:
    """A segment's database, decrypted and decompressed in memory. Raise IntegrityError where its bytes are
    not the manifest's, or what is inside is not whole."""
    name = f"archives/{archive}/{file.name}"
    plain = bytearray()
    with store.open_random(name) as stored:
        reader = HashingReader(stored)
        try:
            with closing(age.DecryptReader(reader, [identity])) as opened:
                for block in plain_blocks(opened):
                    plain += block
                    if len(plain) > file.plain_size:
                        break  # whatever it is, memory ends
        except age.NoMatchError as error:
            raise IntegrityError(f"{name}: {NOT_ITS_KEY}", repair_hint(archive)) from error
        except (age.AgeError, zstandard.ZstdError) as error:
            raise IntegrityError(f"{name}: {error}", repair_hint(archive)) from error
        check_whole(name, archive, file, *reader.finish())
    if len(plain) != file.plain_size:
        size = f"{len(plain):,} bytes" if len(plain) < file.plain_size else "more bytes"
        raise IntegrityError(
            f"{name} holds {size}, its manifest says {file.plain_size:,}", repair_hint(archive)
        )
    return plain


def prove_segment(plain: bytearray, archive: str, file: File, drilled: Drilled) -> None:
    """Open the database and put into `drilled` what is found: SQLite's own check, rows as the manifest counts
    them, answers by their SHA-256, records as their captures give them; and where its media lie. Raise
    IntegrityError where the database cannot be read."""
    name = f"archives/{archive}/{file.name}"
    with _opened(plain, name, archive) as database:
        said = [str(one) for (one,) in database.execute("PRAGMA integrity_check(5)")]
        if said != ["ok"]:
            drilled.add(
                IntegrityError(f"{name}: SQLite's check says: {'; '.join(said)}", repair_hint(archive))
            )
        _count_rows(database, name, archive, file, drilled)
        _check_answers(database, name, archive, drilled)
        result = Rebuilt(archive, file.name)
        rebuild_database(database, result)
        drilled.add_rebuilt(result)
        for pack, offset, sha256, size in database.execute(_MEDIA, (archive,)):
            drilled.expected[pack, offset] = sha256, size
        drilled.elsewhere.update(database.execute(_ELSEWHERE, (archive,)))
    drilled.segments += 1
    drilled.plain_bytes += len(plain)


@contextmanager
def _opened(plain: bytearray, name: str, archive: str) -> Iterator[apsw.Connection]:
    try:
        with closing(SegmentDatabase.read(_Plain(plain))) as database:
            yield database.connection
    except apsw.Error as error:
        raise IntegrityError(f"{name}: {error}", repair_hint(archive)) from error


def _count_rows(database: apsw.Connection, name: str, archive: str, file: File, drilled: Drilled) -> None:
    for table, rows in file.records.items():
        quoted = table.replace('"', '""')
        found = next(database.execute(f'SELECT count(*) FROM "{quoted}"'))[0]  # noqa: S608  # as quoted
        if found != rows:
            text = f"{name} has {found:,} rows in {table}, its manifest says {rows:,}"
            drilled.add(IntegrityError(text, repair_hint(archive)))


def _check_answers(database: apsw.Connection, name: str, archive: str, drilled: Drilled) -> None:
    """What an interface answered has the SHA-256 that was noted when it came."""
    for capture, body, sha256 in database.execute(_ANSWERS):
        drilled.answers += 1
        if hashlib.sha256(body).hexdigest() != sha256:
            text = f"{name}: capture {capture} has not the SHA-256 that was noted when it was made"
            drilled.add(IntegrityError(text, repair_hint(archive)))
