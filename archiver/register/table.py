"""Which moderation records there are, by ids and codes: kept in the spool's database and never emptied.

It holds no text, no name and no reason. So a record that was sealed can still be corrected, reversed or
finished on a host that cannot open archives. A row is saved in the transaction that makes its entry durable.
"""

from typing import Any

from msgspec import Struct, structs

from archiver.errors import IntegrityError
from archiver.local_database import LocalDatabase

SCHEMA = """
CREATE TABLE IF NOT EXISTS moderation (
    record_id TEXT PRIMARY KEY, entries INTEGER NOT NULL, last_entry TEXT NOT NULL, platform TEXT NOT NULL,
    account TEXT NOT NULL, item_type TEXT, item_id TEXT, author_id TEXT, action TEXT, state TEXT, way TEXT,
    entered_ms INTEGER NOT NULL, content_hash BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS moderation_item ON moderation (platform, account, item_id);
"""


class Registered(Struct, frozen=True, kw_only=True):
    """One record: how many entries it has, the last one's id, what it is about, how its last action stands.

    `entered_ms`: when its first entry was made. `content_hash`: of an imported row, keyed, so that the same
    row is known again."""

    record_id: str
    entries: int
    last_entry: str
    platform: str
    account: str
    item_type: str | None = None
    item_id: str | None = None
    author_id: str | None = None
    action: str | None = None
    state: str | None = None
    way: str | None = None
    entered_ms: int
    content_hash: bytes | None = None


_FIELDS = tuple(field.name for field in structs.fields(Registered))
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM moderation"  # noqa: S608  # names of our own struct


class RegisterTable:
    """The table in the spool's database."""

    def __init__(self, local: LocalDatabase) -> None:
        self._local = local

    def _rows(self, where: str, values: tuple[str, ...] = ()) -> list[Registered]:
        with self._local.translated():
            rows: list[Any] = self._local.connection.execute(
                f"{_SELECT} {where} ORDER BY entered_ms, record_id", values
            ).fetchall()
        return [Registered(**dict(zip(_FIELDS, row, strict=True))) for row in rows]

    def all(self) -> list[Registered]:
        """Every record, the one entered first at the beginning."""
        return self._rows("")

    def find(self, record_id: str) -> Registered | None:
        found = self._rows("WHERE record_id = ?", (record_id,))
        return found[0] if found else None

    def beginning_with(self, prefix: str) -> list[Registered]:
        """Records whose ids begin so."""
        return self._rows("WHERE substr(record_id, 1, length(?1)) = ?1", (prefix,))

    def about(self, platform: str, account: str, item_id: str) -> list[Registered]:
        """Records about one item, as one account dealt with it."""
        return self._rows("WHERE platform = ? AND account = ? AND item_id = ?", (platform, account, item_id))

    def pending(self) -> list[Registered]:
        """Records whose last action is planned, or failed and may yet be done another way."""
        return self._rows("WHERE state = 'planned' OR (state = 'failed' AND way IS NOT NULL)")

    def save(self, row: Registered) -> None:
        """Note a record's newest entry. Inside a transaction of the caller's. Raise IntegrityError where
        another entry has come between: then nothing of the transaction may stay."""
        database = self._local.connection
        marks = ",".join("?" * len(_FIELDS))
        changed = ", ".join(f"{name} = excluded.{name}" for name in _FIELDS if name != "record_id")
        database.execute(
            f"INSERT INTO moderation ({', '.join(_FIELDS)}) VALUES ({marks})"  # noqa: S608  # as above
            f" ON CONFLICT (record_id) DO UPDATE SET {changed} WHERE excluded.entries = entries + 1",
            structs.astuple(row),
        )
        if database.changes() != 1:
            raise IntegrityError(
                f"the moderation record {row.record_id} was changed by another run meanwhile",
                "look at it and decide again: archiver moderation show " + row.record_id,
            )
