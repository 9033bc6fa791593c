"""Looking through what was sealed anew, as it lies in the store, for anything of what must be gone."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from io import BufferedIOBase
from typing import Any, Final

import apsw

from archiver.archive.manifest import File
from archiver.archive.read import SegmentReader
from archiver.archive.verify import HashingReader, plain_blocks
from archiver.cutting.needles import Needles
from archiver.errors import ArchiverError
from archiver.formats import age
from archiver.reseal.rows import OWN_WORDS, tables_of
from archiver.stores.base import Store

_PIECE: Final = 1 << 20
_SHADOW: Final = ("post_fts", "message_fts", "relation_fts")


class LeftoverError(ArchiverError):
    """Something of what must be gone is still there."""


def require_gone(store: Store, archive: str, file: File, identity: age.Identity, needles: Needles) -> None:
    """Search a sealed file byte by byte, and a segment's every column. Raise LeftoverError, naming the file
    and the table, never what was found."""
    name = f"archives/{archive}/{file.name}"
    raw = needles
    if file.kind == "records":
        with SegmentReader(store, name, identity) as segment:
            try:
                raw = needles.without_texts(_search_rows(segment.connection, name, needles))
            except apsw.Error as error:
                raise segment.translated(error) from error
    with (
        store.open_random(name) as stored,
        closing(age.DecryptReader(HashingReader(stored), [identity])) as plain,
    ):
        pieces = plain_blocks(plain) if file.kind == "records" else _plain(plain)
        if _is_in(pieces, raw.raw_forms()):
            raise _leftover(name, "its bytes")


def require_gone_from(name: str, data: bytes, needles: Needles) -> None:
    """The same of a small file, as a manifest."""
    if needles.in_bytes(data):
        raise _leftover(name, "its fields")


def _leftover(name: str, where: str) -> LeftoverError:
    return LeftoverError(
        f"{name}: something of what was to be erased is still in {where}",
        "the archive stays as it is, nothing is lost; tell the program's authors which kind of record it was",
    )


def _search_rows(connection: apsw.Connection, name: str, needles: Needles) -> set[str]:
    """Look at every column of every table; the texts that records which stay say in the same words."""
    same: set[str] = set()
    rows: list[Any] = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for table in sorted(str(one) for (one,) in rows):
        if table == "capture_part":
            same |= _search_bodies(connection, name, needles)
        elif not table.startswith(_SHADOW):
            same |= _search_table(connection, name, table, needles)
    return same


def _search_table(connection: apsw.Connection, name: str, table: str, needles: Needles) -> set[str]:
    """Each text of a table. A row that says a text itself is no quote of another's."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    own = [columns.index(one) for one in OWN_WORDS.get(table, ()) if one in columns]
    same: set[str] = set()
    for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608  # names of the schema
        texts = [value for value in row if type(value) is str]
        if not needles.may_be_in("\n".join(texts).encode("utf-8", "surrogatepass")):
            continue
        words = {row[one].strip() for one in own if type(row[one]) is str} & needles.texts
        same |= words
        left = needles.without_texts(words)
        if any(left.within(one) for one in texts):
            raise _leftover(name, f"the table {table}")
    return same


def _search_bodies(connection: apsw.Connection, name: str, needles: Needles) -> set[str]:
    """Verbatim bytes; of texts only those that no record there says itself."""
    there = tables_of(connection)
    texts = {
        text.strip()
        for table, columns in OWN_WORDS.items()
        if table in there
        for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608  # constants
        for text in row
        if text and text.strip() in needles.texts
    }
    left = needles.without_texts(texts)
    for (body,) in connection.execute("SELECT body FROM capture_part"):
        if left.in_bytes(body):
            raise _leftover(name, "the verbatim bytes")
    return texts


def _plain(plain: BufferedIOBase) -> Iterator[bytes]:
    while piece := plain.read(_PIECE):
        yield piece


def _is_in(pieces: Iterable[bytes], forms: list[bytes]) -> bool:
    """Whether any of these is in the pieces, also over the border of two."""
    if not forms:
        return False
    longest, rest = max(map(len, forms)), b""
    for piece in pieces:
        window = rest + piece
        if any(form in window for form in forms):
            return True
        rest = window[-(longest - 1) :] if longest > 1 else b""
    return False
