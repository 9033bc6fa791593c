"""Which moderation records there are, by ids and codes: kept in the spool's database and never emptied.

It holds no text, no name and no reason. So a record that was sealed can still be corrected, reversed or
finished on a host that cannot open archives. A row is saved in the transaction that makes its entry durable.
"""

from typing import Any

from msgspec import Struct, ValidationError, convert, structs

from archiver.errors import IntegrityError, LockedError
from archiver.local_database import LocalDatabase
from archiver.times import format_time

SCHEMA = """
CREATE TABLE IF NOT EXISTS moderation (
    record_id TEXT PRIMARY KEY, entries INTEGER NOT NULL, last_entry TEXT NOT NULL, platform TEXT NOT NULL,
    account TEXT NOT NULL, item_type TEXT, item_id TEXT, author_id TEXT, decided TEXT, action TEXT,
    state TEXT, way TEXT, entered_ms INTEGER NOT NULL, content_hash BLOB,
    said_hashes BLOB, taken_back INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS moderation_item ON moderation (platform, account, item_id);
CREATE INDEX IF NOT EXISTS moderation_author ON moderation (platform, account, author_id);
"""


class OvertakenError(LockedError):
    """Another run was quicker: nothing was added."""


class Registered(Struct, frozen=True, kw_only=True):
    """One record: how many entries it has, the last one's id, what it is about, how its last action stands.

    `decided`: the action that its first entry decided on, `action` the last one: to undo it, or none where it
    was called off. `entered_ms`: when its first entry was made. `content_hash`: of an imported row,
    `said_hashes`: of what persons said of it here, one after the other; all keyed, so that the same is known
    again.
    `taken_back`: 1 where an act that cannot be undone was taken back in the record."""

    record_id: str
    entries: int
    last_entry: str
    platform: str
    account: str
    item_type: str | None = None
    item_id: str | None = None
    author_id: str | None = None
    decided: str | None = None
    action: str | None = None
    state: str | None = None
    way: str | None = None
    entered_ms: int
    content_hash: bytes | None = None
    said_hashes: bytes | None = None
    taken_back: int = 0

    @property
    def is_pending(self) -> bool:
        """Whether its last action is still to be done."""
        return is_pending(self.state, self.way)


def is_pending(state: str | None, way: str | None) -> bool:
    """Whether an action is planned, or was tried in vain and may be done another way. Where the item was not
    there any more nobody acts, and nothing is left to do."""
    return state == "planned" or (state == "failed" and way is not None)


_PENDING = "state = 'planned' OR (state = 'failed' AND way IS NOT NULL)"
"""`is_pending` for SQLite."""
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
        return [self._registered(dict(zip(_FIELDS, row, strict=True))) for row in rows]

    def _registered(self, row: dict[str, Any]) -> Registered:
        """A row; raise IntegrityError where it holds what this program does not write."""
        try:
            found = convert(row, Registered)
            format_time(found.entered_ms)
        except (ValidationError, OverflowError) as error:
            raise IntegrityError(
                f"{self._local.path}: a row of the moderation register cannot be read: {error}",
                "the spool was altered; keep it for examination",
            ) from error
        return found

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

    def by_author(self, platform: str, account: str, author_id: str) -> list[Registered]:
        """Records about one author's items, as one account dealt with them."""
        return self._rows(
            "WHERE platform = ? AND account = ? AND author_id = ?", (platform, account, author_id)
        )

    def pending(self) -> list[Registered]:
        """Records whose last action is still to be done, as `is_pending` says."""
        return self._rows(f"WHERE {_PENDING}")

    def save(self, row: Registered) -> None:
        """Note a record's newest entry. Inside a transaction of the caller's. Raise OvertakenError where
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
            raise OvertakenError(
                f"another run has added to the moderation record {row.record_id} meanwhile",
                f"look at it, and say it again if need be: archiver moderation show {row.record_id}",
            )
