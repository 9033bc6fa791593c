"""What `archiver run` remembers between runs: when each job was last begun, done and done well; how far the
checks have read; which reminders were sent. A file of its own beside the state, so that it can be written
while another run holds the collector's lock, and lost without harm: then everything is due.
"""

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from archiver.errors import IntegrityError
from archiver.local_database import LocalDatabase

SCHEMA = """
CREATE TABLE IF NOT EXISTS job (name TEXT PRIMARY KEY, times BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
RUN = "run"
"""The run as a whole, among the jobs: noted by every one, also where nothing was due."""
Value = TypeVar("Value")
Moment = Annotated[int, Meta(ge=0, le=221_845_392_000_000)]
"""Milliseconds since 1970, up to the year 9000: what is noted as another time, no clock has shown, and who
counts on from it leaves the years that a date can have."""
DAMAGED_HINT = "move it away: it is made anew, and everything is taken for due once"


class JobTimes(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a job was last begun, ended, and ended well (exit code 0 or 3), in milliseconds; the last exit
    code, None while it was cut off, and what was wrong; `excused`: what of that nobody has to do anything
    about. `before`: what was noted before, where this is only
    that nobody could tell whether it was due."""

    started_ms: Moment | None = None
    finished_ms: Moment | None = None
    good_ms: Moment | None = None
    code: int | None = None
    problems: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()
    before: "JobTimes | None" = None


class Journal:
    """The open file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = LocalDatabase(path, SCHEMA, damaged_hint=DAMAGED_HINT, cache_bytes=256 * 1024)

    def job(self, name: str) -> JobTimes:
        """Of a job or a part of one, as `collect` or `check read`; empty where it never ran."""
        return self._get("job", name, JobTimes) or JobTimes()

    def begin(self, name: str, at_ms: int) -> None:
        """Note that it is begun, before it is."""
        known = self.job(name)
        self._put(
            "job", name, JobTimes(started_ms=at_ms, finished_ms=known.finished_ms, good_ms=known.good_ms)
        )

    def end(
        self,
        name: str,
        at_ms: int,
        code: int,
        problems: tuple[str, ...] = (),
        *,
        excused: tuple[str, ...] = (),
        started_ms: int | None = None,
    ) -> None:
        """Note what it ended in. `started_ms`: of what was not noted when it was begun."""
        known = self.job(name)
        times = JobTimes(
            started_ms=known.started_ms if started_ms is None else started_ms,
            finished_ms=at_ms,
            good_ms=at_ms if code in (0, 3) else known.good_ms,
            code=code,
            problems=problems,
            excused=excused,
        )
        self._put("job", name, times)

    def unasked(self, name: str, at_ms: int, code: int, problem: str) -> None:
        """Note a job of which it could not be told whether it is due: it stands as failed until that can."""
        known = self.job(name)
        times = JobTimes(
            started_ms=at_ms,
            finished_ms=at_ms,
            good_ms=known.good_ms,
            code=code,
            problems=(problem,),
            before=known.before or known,
        )
        self._put("job", name, times)

    def asked(self, name: str) -> None:
        """Note that it could be told again, and nothing is due: what was noted before stands."""
        before = self.job(name).before
        if before is not None:
            self._put("job", name, before)

    def note(self, name: str, kind: type[Value]) -> Value | None:
        """A single fact that was noted, as a type that msgspec can make of JSON."""
        return self._get("note", name, kind)

    def set_note(self, name: str, value: object) -> None:
        """Note a fact, replacing what was noted under the name."""
        self._put("note", name, value)

    def _get(self, table: str, name: str, kind: type[Value]) -> Value | None:
        column = "times" if table == "job" else "value"
        sql = f"SELECT {column} FROM {table} WHERE name = ?"  # noqa: S608  # two names of ours
        with self._local.translated():
            row = self._local.connection.execute(sql, (name,)).fetchone()
        if row is None:
            return None
        try:
            return msgspec.json.decode(row[0], type=kind)
        except (msgspec.MsgspecError, TypeError, RecursionError) as error:
            raise IntegrityError(f"{self.path}: {name} cannot be read: {error}", DAMAGED_HINT) from error

    def _put(self, table: str, name: str, value: object) -> None:
        sql = f"INSERT OR REPLACE INTO {table} VALUES (?, ?)"  # noqa: S608  # two names of ours
        with self._local.transaction() as database:
            database.execute(sql, (name, msgspec.json.encode(value)))

    def close(self) -> None:
        """Close the file."""
        self._local.close()
