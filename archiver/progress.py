"""How far each kind of each account was collected through an interface, what it cost, and what it missed.

Kept in the spool's database, so that a cursor moves in the same transaction that makes the page durable
which it follows: no kill leaves a hole or takes a page twice.
"""

import hashlib
import secrets
from typing import Any

import msgspec
from msgspec import Struct

from archiver.errors import IntegrityError
from archiver.local_database import LocalDatabase

SCHEMA = """
CREATE TABLE IF NOT EXISTS cursor (
    platform TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL, position BLOB NOT NULL,
    PRIMARY KEY (platform, account, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spend (
    month TEXT NOT NULL, platform TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL,
    requests INTEGER NOT NULL, resources INTEGER NOT NULL, micro_usd INTEGER NOT NULL,
    PRIMARY KEY (month, platform, account, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gap (
    id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL,
    after_id TEXT, after_ms INTEGER, before_id TEXT, before_ms INTEGER, noticed_ms INTEGER NOT NULL,
    reason TEXT NOT NULL, sealed INTEGER NOT NULL DEFAULT 0);
"""


def walk_digest() -> str:
    """A number of its own for each walk: what its captures share in a vault."""
    return hashlib.sha256(secrets.token_bytes(32)).hexdigest()


class Walk(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A way through pages that is under way. `newest` becomes the mark once the walk has met it. `oldest`
    and `token` say where to go on. `met`: what an earlier walk had was reached. `complete`: all pages are
    taken, and what is absent from them is still to be noted."""

    digest: str
    started_ms: int
    since: str | None = None
    newest: str | None = None
    oldest: str | None = None
    token: str | None = None
    taken: int = 0
    met: bool = False
    complete: bool = False
    sound: bool = True
    """No answer was short of its own count."""


class Stretch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may lie between two ids of a walk that was cut off and gone on with later: how many records the
    walk took decides, once it is known how many came meanwhile."""

    after_id: str | None
    before_id: str | None
    taken: int


class Cursor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Up to where one kind of one account was collected. `mark`: the newest record up to which nothing is
    missing. `started_ms`, `finished_ms`: when the last whole walk began and ended, with `taken` records.
    `shortfall`: by how much X's own count was higher at that time. `doubted`: how many a walk took that was
    so much shorter than the one before that it is not believed until another takes as few. `stretch`: what
    may be missing."""

    mark: str | None = None
    walk: Walk | None = None
    started_ms: int | None = None
    finished_ms: int | None = None
    taken: int | None = None
    shortfall: int | None = None
    doubted: int | None = None
    stretch: Stretch | None = None
    counts: dict[str, int] = {}
    """What X last said of the account: followers, following, posts, likes."""


class Spend(Struct, frozen=True):
    """What requests returned and cost in one month, `2026-11`, in millionths of a dollar."""

    month: str
    platform: str
    account: str
    kind: str
    requests: int
    resources: int
    micro_usd: int


class Gap(Struct, frozen=True, kw_only=True):
    """Records that no walk can reach any more: those between two ids, None where there is no bound."""

    platform: str
    account: str
    kind: str
    after_id: str | None
    after_ms: int | None
    before_id: str | None
    before_ms: int | None
    noticed_ms: int
    reason: str


class Step(Struct, frozen=True, kw_only=True):
    """What is saved with one page: where to go on, what it cost, what is found to be out of reach."""

    platform: str
    account: str
    kind: str
    cursor: Cursor
    spend: Spend | None = None
    gaps: tuple[Gap, ...] = ()


class ProgressNotes:
    """The three tables in the spool's database."""

    def __init__(self, local: LocalDatabase) -> None:
        self._local = local

    def _rows(self, sql: str, values: tuple[str | int, ...] = ()) -> list[Any]:
        with self._local.translated():
            return self._local.connection.execute(sql, values).fetchall()

    def cursor(self, platform: str, account: str, kind: str) -> Cursor:
        """Where one kind of one account stands; an empty cursor where nothing was collected."""
        rows = self._rows(
            "SELECT position FROM cursor WHERE platform = ? AND account = ? AND kind = ?",
            (platform, account, kind),
        )
        return Cursor() if not rows else self._decoded(rows[0][0], kind)

    def cursors(self) -> dict[tuple[str, str, str], Cursor]:
        """Every cursor by platform, account and kind."""
        rows = self._rows("SELECT platform, account, kind, position FROM cursor")
        return {(row[0], row[1], row[2]): self._decoded(row[3], row[2]) for row in rows}

    def _decoded(self, position: bytes, kind: str) -> Cursor:
        try:
            return msgspec.json.decode(position, type=Cursor)
        except msgspec.MsgspecError as error:
            raise IntegrityError(
                f"{self._local.path}: the cursor of {kind} cannot be read: {error}",
                "the spool was altered; keep it for examination",
            ) from error

    def save(self, step: Step) -> None:
        """Inside a transaction of the caller's."""
        database = self._local.connection
        database.execute(
            "INSERT OR REPLACE INTO cursor VALUES (?,?,?,?)",
            (step.platform, step.account, step.kind, msgspec.json.encode(step.cursor)),
        )
        if step.spend is not None:
            self.save_spend(step.spend)
        for gap in step.gaps:
            database.execute(
                "INSERT INTO gap (platform, account, kind, after_id, after_ms, before_id, before_ms,"
                " noticed_ms, reason) VALUES (?,?,?,?,?,?,?,?,?)",
                msgspec.structs.astuple(gap),
            )

    def save_spend(self, spend: Spend) -> None:
        """Add what a request cost. Inside a transaction of the caller's."""
        self._local.connection.execute(
            "INSERT INTO spend VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
            " requests = requests + excluded.requests, resources = resources + excluded.resources,"
            " micro_usd = micro_usd + excluded.micro_usd",
            msgspec.structs.astuple(spend),
        )

    def spent(self, month: str) -> list[Spend]:
        """What each kind of each account cost in a month."""
        rows = self._rows(
            "SELECT month, platform, account, kind, requests, resources, micro_usd FROM spend"
            " WHERE month = ? ORDER BY platform, account, kind",
            (month,),
        )
        return [Spend(*row) for row in rows]

    def spent_by(self, month: str, platform: str, account: str) -> int:
        """What one account cost in a month, in millionths of a dollar."""
        rows = self._rows(
            "SELECT coalesce(sum(micro_usd), 0) FROM spend WHERE month = ? AND platform = ? AND account = ?",
            (month, platform, account),
        )
        return int(rows[0][0])

    def gaps(self, *, unsealed: bool = False) -> list[tuple[int, Gap]]:
        """Every gap with its number; those that no archive names yet, if asked."""
        rows = self._rows(
            "SELECT id, platform, account, kind, after_id, after_ms, before_id, before_ms, noticed_ms, reason"
            " FROM gap WHERE sealed <= ? ORDER BY id",
            (0 if unsealed else 1,),
        )
        return [
            (
                row[0],
                Gap(
                    platform=row[1],
                    account=row[2],
                    kind=row[3],
                    after_id=row[4],
                    after_ms=row[5],
                    before_id=row[6],
                    before_ms=row[7],
                    noticed_ms=row[8],
                    reason=row[9],
                ),
            )
            for row in rows
        ]

    def mark_sealed(self, last: int) -> None:
        """An archive's manifest names the gaps up to this one. Inside a transaction of the caller's."""
        self._local.connection.execute("UPDATE gap SET sealed = 1 WHERE id <= ?", (last,))
