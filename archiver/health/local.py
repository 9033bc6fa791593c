"""What this host's own files tell: spool, state, journal. Read as they are at one instant, without a lock or
a key, while another run may be at work; nothing is written."""

import os
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from archiver.chain import Head
from archiver.errors import ArchiverError
from archiver.local_database import LocalDatabase
from archiver.progress import Cursor, Gap, ProgressNotes
from archiver.register.table import RegisterTable
from archiver.schedule.checks import StoreNote, load_store_notes
from archiver.schedule.drills import DrillNote, drill_due_ms, load_drill
from archiver.schedule.journal import RUN, JobTimes
from archiver.schedule.journal_reading import JournalReader
from archiver.schedule.reminded import load_reminded
from archiver.schedule.report import JOB_NAMES
from archiver.settings import Settings
from archiver.sources.x.times import snowflake_ms
from archiver.spool import DAMAGED_HINT, SCHEMA
from archiver.spool.counting import SPOOL_FILE
from archiver.spool.reading import SnapshotDatabase
from archiver.state import StateReader, lost_pages
from archiver.times import format_date

_TRIES_AT_REST = 2
"""As often a file without a log is read as lying at rest (`archiver/spool/reading.py`), if it is written each
time meanwhile."""
_TIMED_SERIES = ("post", "post by api", "message", "message by api")
"""Series of an account's own records whose ids hold the time when they were posted."""
Found = TypeVar("Found")
AccountKey = tuple[str, str]
"""Platform and account id."""


@dataclass(frozen=True)
class SpoolFacts:
    """What waits to be sealed, and how far collecting came. `since_ms`, `until_ms`: when the oldest and the
    newest of it were captured. `gaps_unsealed`: those of the gaps that no archive names yet.
    `spent`: this month, in millionths of a dollar by account. `pending_since_ms`: when the oldest moderation
    record was entered whose act is not done. `last_page`: the highest number that a page of it ever had."""

    records: int = 0
    bytes: int = 0
    since_ms: int | None = None
    until_ms: int | None = None
    cursors: Mapping[tuple[str, str, str], Cursor] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    gaps_unsealed: tuple[Gap, ...] = ()
    spent: Mapping[AccountKey, int] = field(default_factory=dict)
    pending: int = 0
    pending_since_ms: int | None = None
    last_page: int = 0


@dataclass(frozen=True)
class StateFacts:
    """When each account's newest export was made, when its newest record was posted, the chain's end as this
    host left it, the last page of the spool that it knows of, and whether a sealing was begun and is not
    ended."""

    exports: Mapping[AccountKey, int] = field(default_factory=dict)
    newest: Mapping[AccountKey, int] = field(default_factory=dict)
    head: Head | None = None
    last_page: int = 0
    is_sealing: bool = False


@dataclass(frozen=True)
class JournalFacts:
    """What `archiver run` noted; None for jobs where it never ran here. `reminders`: how many stand.
    `drill`: the last one, done here or noted of another host; `drill_due_ms`: when the next is."""

    jobs: Mapping[str, JobTimes] | None = None
    stores: Mapping[str, StoreNote] = field(default_factory=dict)
    reminders: int = 0
    drill: DrillNote | None = None
    drill_due_ms: int | None = None


@dataclass(frozen=True)
class LocalFacts:
    """All of it, and why any of it could not be read. `is_collector`: whether this host collects."""

    is_collector: bool
    spool: SpoolFacts = SpoolFacts()
    state: StateFacts = StateFacts()
    journal: JournalFacts = JournalFacts()
    errors: tuple[ArchiverError, ...] = ()


def read_local(settings: Settings, now_ms: int) -> LocalFacts:
    """Look at this host's files. What is not there is empty; what cannot be read is empty and named. Raise
    nothing."""
    if not settings.spool_identity.exists():
        return LocalFacts(is_collector=False)
    errors: list[ArchiverError] = []

    def attempt(path: Path, read: Callable[[Path, bool], tuple[Found, bool]], empty: Found) -> Found:
        if not os.path.lexists(path):
            return empty
        try:
            return at_one_instant(path, read)
        except ArchiverError as error:
            errors.append(error)
            return empty

    month = format_date(now_ms)[:7]
    # The state before the spool and the vault, so that what is sealed meanwhile is known twice, not nowhere.
    state = attempt(settings.state, _read_state, StateFacts())
    spool = attempt(
        settings.spool / SPOOL_FILE, lambda path, at_rest: _read_spool(path, month, at_rest), SpoolFacts()
    )
    if spool.last_page < state.last_page and not errors:
        errors.append(lost_pages(settings.spool, settings.state))
    journal = attempt(
        settings.journal,
        lambda path, at_rest: _read_journal(path, settings, state.head, now_ms, at_rest),
        JournalFacts(),
    )
    return LocalFacts(True, spool, state, journal, tuple(errors))


def at_one_instant(path: Path, read: Callable[[Path, bool], tuple[Found, bool]]) -> Found:
    """What `read` finds; it also says whether the file was written meanwhile, and is then asked again. Raise
    its error, unless that came of such a writing."""
    for _ in range(_TRIES_AT_REST):
        try:
            found, was_written = read(path, True)
        except ArchiverError:
            continue
        if not was_written:
            return found
    return read(path, False)[0]


# The spool


def _read_spool(path: Path, month: str, at_rest: bool) -> tuple[SpoolFacts, bool]:
    """Without its identity: nothing that is encrypted is looked at."""
    with closing(SnapshotDatabase(path, SCHEMA, damaged_hint=DAMAGED_HINT, at_rest=at_rest)) as database:
        waiting, progress = _waiting(database), ProgressNotes(database)
        pending = RegisterTable(database).pending()
        spent: dict[AccountKey, int] = {}
        for one in progress.spent(month):
            key = (one.platform, one.account)
            spent[key] = spent.get(key, 0) + one.micro_usd
        facts = SpoolFacts(
            records=waiting.records,
            bytes=waiting.bytes,
            since_ms=waiting.since_ms,
            until_ms=waiting.until_ms,
            cursors=progress.cursors(),
            gaps=tuple(gap for _, gap in progress.gaps()),
            gaps_unsealed=tuple(gap for _, gap in progress.gaps(unsealed=True)),
            spent=spent,
            pending=len(pending),
            pending_since_ms=min((one.entered_ms for one in pending), default=None),
            last_page=_last_page(database),
        )
        return facts, database.was_written()


def _last_page(database: SnapshotDatabase) -> int:
    """Of the file's own list, not of that of the tables in memory that stand for those it lacks."""
    if not database.is_made:
        return 0
    sql = "SELECT coalesce(max(seq), 0) FROM main.sqlite_sequence WHERE name = 'page'"
    return int(_rows(database, sql)[0][0])


def _waiting(database: LocalDatabase) -> SpoolFacts:
    records, plain_bytes = _rows(
        database, "SELECT coalesce(sum(records), 0), coalesce(sum(plain_bytes), 0) FROM page"
    )[0]
    since_ms, until_ms = _rows(
        database,
        "SELECT min(taken_ms), max(taken_ms) FROM capture WHERE id IN (SELECT capture FROM page)",
    )[0]
    return SpoolFacts(int(records), int(plain_bytes), since_ms, until_ms)


def _rows(database: LocalDatabase, sql: str, values: tuple[str | int, ...] = ()) -> list[Any]:
    with database.translated():
        return database.connection.execute(sql, values).fetchall()


# The state


def _read_state(path: Path, at_rest: bool) -> tuple[StateFacts, bool]:
    with closing(StateReader(path, at_rest=at_rest)) as state:
        if not state.snapshot.is_made:
            return StateFacts(), state.snapshot.was_written()
        exports: dict[AccountKey, int] = {}
        for run in state.imports():
            key = (run.platform, run.account)
            if run.finished_ms is not None:
                exports[key] = max(run.generated_ms, exports.get(key, 0))
        facts = StateFacts(
            exports,
            _newest_records(state.snapshot),
            state.head(),
            state.last_page(),
            state.sealing() is not None,
        )
        return facts, state.snapshot.was_written()


def _newest_records(database: LocalDatabase) -> dict[AccountKey, int]:
    """When each account's newest record was posted: the highest number among its ids holds the time. Texts
    sort behind all numbers, so that one look into the index finds it."""
    newest: dict[AccountKey, int] = {}
    marks = ",".join("?" * len(_TIMED_SERIES))
    series = _rows(
        database,
        f"SELECT id, platform, account FROM series WHERE kind IN ({marks})",  # noqa: S608  # question marks
        _TIMED_SERIES,
    )
    for number, platform, account in series:
        sql = "SELECT id FROM seen WHERE series = ? AND id < '' ORDER BY id DESC LIMIT 1"
        for (highest,) in _rows(database, sql, (number,)):
            posted_ms = snowflake_ms(str(highest)) if platform == "x" else None
            if posted_ms is not None:
                key = (str(platform), str(account))
                newest[key] = max(posted_ms, newest.get(key, 0))
    return newest


# The journal


def _read_journal(
    path: Path, settings: Settings, head: Head | None, now_ms: int, at_rest: bool
) -> tuple[JournalFacts, bool]:
    with closing(JournalReader(path, at_rest=at_rest)) as journal:
        if not journal.snapshot.is_made:
            return JournalFacts(), journal.snapshot.was_written()
        jobs = {name: journal.job(name) for name in (RUN, *JOB_NAMES)}
        facts = JournalFacts(
            jobs,
            load_store_notes(journal),
            len(load_reminded(journal).said),
            load_drill(journal),
            drill_due_ms(settings, journal, now_ms, head=head),
        )
        return facts, journal.snapshot.was_written()
