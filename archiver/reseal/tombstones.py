"""What remains of an erased record: that one was erased, when and by which decision. Nothing of it."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import apsw
from msgspec import Struct

from archiver.archive.build import read_schema
from archiver.reseal.names import RecordName
from archiver.reseal.rows import tables_of

SALT_BYTES = 16
_COLUMNS = "platform, kind, salt, hash, versions, erased_ms, decision, replaces"


class Tombstone(Struct, frozen=True):
    """One record that was erased out of one segment. `hash` is over `salt` and the record's name, so that it
    tells nothing to whoever has not the id."""

    platform: str
    kind: str
    salt: bytes
    hash: bytes
    versions: int
    erased_ms: int
    decision: str
    replaces: str

    def is_of(self, name: RecordName) -> bool:
        """Whether it is this record's."""
        same = (name.platform, name.kind) == (self.platform, self.kind)
        return same and hmac.compare_digest(name_hash(self.salt, name), self.hash)


def name_hash(salt: bytes, name: RecordName) -> bytes:
    """SHA-256 of the salt and the record's name."""
    return hashlib.sha256(salt + str(name).encode("utf-8", "surrogatepass")).digest()


def make_tombstone(
    name: RecordName, *, salt: bytes, versions: int, erased_ms: int, decision: str, replaces: str
) -> Tombstone:
    """A record's tombstone; `salt` is random and its own."""
    return Tombstone(
        name.platform, name.kind, salt, name_hash(salt, name), versions, erased_ms, decision, replaces
    )


def read_tombstones(connection: apsw.Connection) -> list[Tombstone]:
    """Those of a segment."""
    if "tombstone" not in tables_of(connection):
        return []
    rows: list[Any] = connection.execute(f"SELECT {_COLUMNS} FROM tombstone ORDER BY key").fetchall()  # noqa: S608  # constants
    return [Tombstone(*row) for row in rows]


def write_tombstones(connection: apsw.Connection, tombstones: Sequence[Tombstone]) -> None:
    """Add the table to a segment that is being made."""
    connection.execute(read_schema("tombstone.sql"))
    connection.executemany(
        f"INSERT INTO tombstone ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)",  # noqa: S608  # constants
        [
            (
                one.platform, one.kind, one.salt, one.hash, one.versions, one.erased_ms, one.decision,
                one.replaces,
            )
            for one in tombstones
        ],
    )  # fmt: skip
