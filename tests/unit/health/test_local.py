"""What a host's own files tell, without a lock or a key, while others write."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.chain import Head
from archiver.disk import Lock
from archiver.errors import IntegrityError
from archiver.health.local import JournalFacts, LocalFacts, SpoolFacts, StateFacts, at_one_instant, read_local
from archiver.inbox.exports import import_exports
from archiver.progress import Cursor, Spend, Step
from archiver.settings import Settings
from archiver.spool import Spool
from archiver.spool.counting import SPOOL_FILE
from archiver.wiring.collector import open_collector
from archiver.wiring.spool import load_identity
from tests.faults.folders import make_folder, sample
from tests.homes import NOW_MS, Home
from tests.long_kept import DAY_MS, add_gap, make_long_kept
from tests.unit.search.moderated import decision, keep


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder with its size and when it was last changed."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def test_a_new_folder_tells_nothing_and_nothing_is_made_in_it(home: Home) -> None:
    before = files_of(home.folder)
    assert read_local(home.settings, NOW_MS) == LocalFacts(is_collector=True)
    assert files_of(home.folder) == before


def test_a_host_without_the_spools_identity_does_not_collect(home: Home) -> None:
    settings = home.settings
    settings.spool_identity.unlink()
    assert read_local(settings, NOW_MS) == LocalFacts(is_collector=False)


def test_without_a_state_all_that_the_spool_knows_is_told(home: Home) -> None:
    """As after `archiver moderate`, before anything was collected or sealed."""
    keep(home, decision(1), decision(2), decision(3, state="done"))
    cursor = Cursor(mark="5", finished_ms=7)
    with home.open_spool() as spool:
        for micro_usd, account in ((185_000, "1"), (15_000, "1"), (5, "2")):
            spool.save_spend(Spend("2026-10", "x", account, "moderation", 1, 1, micro_usd))
        spool.save_spend(Spend("2026-09", "x", "1", "moderation", 1, 1, 99))
        spool.save_step(Step(platform="x", account="1", kind="mentions", cursor=cursor))
    facts = read_local(home.settings, NOW_MS)
    assert facts.spool.spent == {("x", "1"): 200_000, ("x", "2"): 5}
    assert facts.spool.cursors == {("x", "1", "mentions"): cursor}
    assert (facts.spool.records, facts.spool.pending) == (3, 2)
    assert facts.spool.bytes > 500
    assert facts.spool.since_ms is not None
    assert facts.spool.pending_since_ms is not None
    assert facts.state == StateFacts()
    assert facts.errors == ()
    assert not home.settings.state.exists()


def test_what_waits_and_what_is_remembered_is_told_while_another_run_holds_the_lock(
    home: Home, tmp_path: Path
) -> None:
    export = sample(tmp_path / "sample.zip")
    with open_collector(home.settings) as collector:
        (taken,) = import_exports(collector, [export], may_add_account=True, clock=lambda: NOW_MS)
        assert taken.report is not None
        with collector.state.transaction():
            collector.state.set_head(Head(4, "ab" * 32))
        during = read_local(home.settings, NOW_MS)
    counts = taken.report.counts.values()
    stored = sum(number for one in counts for change, number in one.items() if change != "unchanged")
    assert during.spool.records == stored > 100
    assert (during.spool.since_ms, during.spool.until_ms) == (NOW_MS, NOW_MS)
    key = ("x", taken.report.account)
    assert during.state.exports == {key: taken.report.generated_ms}
    assert taken.report.generated_ms - DAY_MS < during.state.newest[key] < taken.report.generated_ms
    assert during.state.head == Head(4, "ab" * 32)
    before = files_of(home.folder)
    with Lock(home.settings.lock):
        assert read_local(home.settings, NOW_MS) == during
    after = files_of(home.folder)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed <= {"state.sqlite.lock"}, "the lock is this test's own"


def test_an_export_that_was_not_taken_to_its_end_is_not_the_last_one(home: Home) -> None:
    with home.open_state() as state:
        state.begin_import("ab", "x", "1", "name", 5, False, 6)
        assert read_local(home.settings, NOW_MS).state.exports == {}
        state.end_import("ab", 7, {})
    assert read_local(home.settings, NOW_MS).state.exports == {("x", "1"): 5}


def test_gaps_are_told_with_those_that_no_archive_names(tmp_path: Path) -> None:
    settings = make_long_kept(tmp_path / "home", accounts=1)
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        add_gap(spool, "1", NOW_MS - DAY_MS)
        spool.empty(0, 0, 0, 1)
        add_gap(spool, "1", NOW_MS)
    facts = read_local(settings, NOW_MS).spool
    assert [gap.noticed_ms for gap in facts.gaps] == [NOW_MS - DAY_MS, NOW_MS]
    assert [gap.noticed_ms for gap in facts.gaps_unsealed] == [NOW_MS]


def test_a_run_that_writes_meanwhile_is_read_as_of_one_instant(tmp_path: Path) -> None:
    """Its transaction is open, with what nobody else sees yet."""
    settings = make_long_kept(tmp_path / "home", accounts=1)
    before = read_local(settings, NOW_MS)
    with closing(sqlite3.connect(settings.spool / SPOOL_FILE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM cursor")
        assert read_local(settings, NOW_MS) == before
        writer.execute("COMMIT")
        assert read_local(settings, NOW_MS).spool.cursors == {}


def test_a_spool_of_the_first_version_has_no_cursors_gaps_or_register(home: Home) -> None:
    with home.open_spool():
        pass
    with closing(sqlite3.connect(home.settings.spool / SPOOL_FILE)) as database:
        for table in ("cursor", "gap", "spend", "moderation"):
            database.execute(f"DROP TABLE {table}")
        database.execute("INSERT INTO capture VALUES (1, 's', 'r', x'', 42, NULL, NULL)")
        database.execute("INSERT INTO page VALUES (1, 1, 'post', 3, NULL, NULL, 100, x'')")
        database.commit()
    facts = read_local(home.settings, NOW_MS)
    assert facts.errors == ()
    assert facts.spool == SpoolFacts(records=3, bytes=100, since_ms=42, until_ms=42, last_page=1)


@pytest.mark.parametrize("name", ["state", "spool", "journal"])
def test_a_damaged_file_is_named_and_the_others_are_told(tmp_path: Path, name: str) -> None:
    settings = make_long_kept(tmp_path / "home", accounts=1)
    whole = read_local(settings, NOW_MS)
    path = {"state": settings.state, "spool": settings.spool / SPOOL_FILE, "journal": settings.journal}[name]
    path.write_bytes(b"This is not a database. " * 4096)
    facts = read_local(settings, NOW_MS)
    (error,) = facts.errors
    assert isinstance(error, IntegrityError)
    assert str(path) in error.message
    empty = {"state": StateFacts(), "spool": SpoolFacts(), "journal": JournalFacts()}
    for each, nothing in empty.items():
        assert getattr(facts, each) == (nothing if each == name else getattr(whole, each))


def test_a_folder_in_a_files_place_and_a_file_without_rights_are_named(tmp_path: Path) -> None:
    settings = make_long_kept(tmp_path / "home", accounts=1)
    settings.journal.unlink()
    settings.journal.mkdir()
    settings.state.unlink()
    os.symlink(tmp_path / "nowhere", settings.state)
    facts = read_local(settings, NOW_MS)
    assert sorted(error.exit_code for error in facts.errors) == [1, 1]
    assert facts.spool.cursors != {}


def test_what_a_file_of_a_newer_version_says_more_is_not_asked(tmp_path: Path) -> None:
    settings = make_long_kept(tmp_path / "home", accounts=1)
    with closing(sqlite3.connect(settings.journal)) as database:
        database.execute("CREATE TABLE later (x)")
    assert read_local(settings, NOW_MS).errors == ()


def test_reading_many_times_while_a_run_writes_never_fails(tmp_path: Path) -> None:
    settings: Settings = make_long_kept(tmp_path / "home", accounts=2)
    identity = load_identity(settings.spool_identity)
    for number in range(30):
        with closing(Spool(settings.spool, identity)) as spool:
            spool.save_spend(Spend("2026-10", "x", "7", f"kind {number}", 1, 1, 1))
            seen = read_local(settings, NOW_MS)
            assert seen.errors == ()
            assert seen.spool.spent[("x", "7")] == number + 1
        assert read_local(settings, NOW_MS).spool.spent[("x", "7")] == number + 1
    shutil.rmtree(settings.spool)
    assert read_local(settings, NOW_MS).spool == SpoolFacts()


def test_what_was_written_while_it_was_read_is_read_again(tmp_path: Path) -> None:
    """As lying at rest it is tried twice, and then with its log, as another run goes on writing."""
    asked: list[bool] = []

    def read(path: Path, at_rest: bool) -> tuple[int, bool]:
        asked.append(at_rest)
        if len(asked) == 1:
            raise IntegrityError("torn")
        return len(asked), len(asked) < 4

    assert at_one_instant(tmp_path, read) == 3
    assert asked == [True, True, False]
    assert at_one_instant(tmp_path, read) == 4
    assert asked[3:] == [True]
