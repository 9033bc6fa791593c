"""What is well, what is not, and what a snapshot says of it."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.errors import IntegrityError, NoVaultError, UsageError
from archiver.health.gather import gather, take_snapshot
from archiver.health.judging import Found, troubles
from archiver.health.local import read_local
from archiver.health.more import Seen, add_more
from archiver.health.snapshot import JobHealth, Snapshot
from archiver.health.vaults import Trouble, look_at_vaults
from archiver.progress import Spend
from archiver.schedule.checks import Problem, StoreNote, save_store_notes
from archiver.schedule.drills import note_drill
from archiver.schedule.journal import Journal
from archiver.schedule.reminded import Reminded, Said, save_reminded
from archiver.settings import Settings, load_settings
from archiver.settings.api import MICRO_USD
from archiver.settings.stores import S3StoreSettings
from archiver.spool import Spool
from archiver.state import Sealing, State
from archiver.wiring.spool import load_identity
from tests.homes import Home
from tests.long_kept import (
    DAY_MS,
    HOUR_MS,
    NOW_MS,
    account_id,
    add_gap,
    collect,
    make_long_kept,
    note_checked,
)
from tests.unit.search.moderated import decision, keep


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("health") / "home"
    make_long_kept(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "home"))


@pytest.fixture
def settings(folder: Path) -> Settings:
    settings = load_settings(folder / "archiver.toml")
    note_checked(settings)
    return settings


def look(settings: Settings, now_ms: int = NOW_MS) -> Snapshot:
    return take_snapshot(settings, now_ms, os.environ)


@contextmanager
def spool_of(settings: Settings) -> Iterator[Spool]:
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        yield spool


def the_problem(snapshot: Snapshot, part: str) -> tuple[str, str]:
    """The one problem that says this, and what to do about it."""
    (found,) = [
        (what, advice)
        for what, advice in zip(snapshot.problems, snapshot.advice, strict=True)
        if part in what
    ]
    return found


def test_where_all_was_done_an_hour_ago_all_is_well(settings: Settings) -> None:
    snapshot = look(settings)
    assert snapshot.problems == ()
    assert (snapshot.healthy, snapshot.code, snapshot.error) == (True, 0, None)
    assert snapshot.archives == 3
    assert snapshot.last_archive is not None
    assert snapshot.last_archive.sealed_ms == NOW_MS - HOUR_MS
    assert snapshot.last_archive.records == 90
    assert snapshot.head is not None
    assert snapshot.head.sequence == 3
    (store,) = snapshot.stores
    assert (store.archives, store.is_read, store.verified_ms) == (3, True, NOW_MS - HOUR_MS)
    assert store.read_ms == NOW_MS - 30 * DAY_MS
    assert store.free_bytes
    first, second = snapshot.accounts
    assert (first.id, second.handle) == (account_id(0), "ExamplePolice1")
    assert first.newest_ms is not None
    assert abs(first.newest_ms - (NOW_MS - HOUR_MS - DAY_MS)) < 10
    assert (first.spent_micro_usd, first.most_micro_usd) == (8 * 15_000, 25 * MICRO_USD)
    assert {job.job: job.code for job in snapshot.jobs}["collect"] == 0
    assert snapshot.keyholders == ("records",)


def test_what_is_due_is_not_yet_stale(settings: Settings) -> None:
    snapshot = look(settings, NOW_MS + 2 * DAY_MS)
    assert snapshot.problems == ()
    kinds = {kind.kind: kind for kind in snapshot.accounts[0].kinds}
    day_later = NOW_MS - HOUR_MS + DAY_MS
    assert day_later - 3 * HOUR_MS <= kinds["posts"].due_ms <= day_later, "a little before its time"
    assert kinds["blocks"].due_ms > NOW_MS + 2 * DAY_MS


def test_kinds_that_are_late_by_stale_days_are_named_by_account(settings: Settings) -> None:
    snapshot = look(settings, NOW_MS + 4 * DAY_MS)
    assert snapshot.code == 3
    what, advice = the_problem(snapshot, "ExamplePolice0")
    assert what == (
        "x @ExamplePolice0 (1000000001): profile, posts, mentions, messages not collected since 2026-10-26"
    )
    assert advice == "archiver collect --account 1000000001, and read what it says"
    assert {kind.kind for kind in snapshot.accounts[0].kinds if kind.stale} == {
        "profile", "posts", "mentions", "messages",
    }  # fmt: skip
    assert the_problem(snapshot, "sync ended well last on 2026-10-26")
    assert the_problem(snapshot, "check ended well last on 2026-10-26")
    assert look(settings, NOW_MS + 4 * DAY_MS - 2 * HOUR_MS).problems == ()


def test_an_account_that_was_never_collected_is_not_well(settings: Settings) -> None:
    (settings.home / "archiver.toml").open("a").write(
        '\n[[account]]\nplatform = "x"\nid = "77"\n[account.api]\nbearer_token = "env:NOT_THERE"\n'
    )
    what, _ = the_problem(look(load_settings(settings.path)), "(77)")
    assert what == "x @? (77): profile, posts, mentions, following never collected"


def test_a_walk_that_was_cut_off_is_due_and_told_but_not_stale(settings: Settings) -> None:
    with spool_of(settings) as spool:
        collect(spool, account_id(0), NOW_MS, cut_off=True)
    snapshot = look(settings)
    assert snapshot.problems == ()
    assert all(kind.unfinished and kind.due_ms == 0 and not kind.stale for kind in snapshot.accounts[0].kinds)


def test_where_the_months_money_is_spent_that_is_what_is_said(settings: Settings) -> None:
    with spool_of(settings) as spool:
        spool.save_spend(Spend("2026-10", "x", account_id(0), "posts", 1, 1, 24 * MICRO_USD))
    snapshot = look(settings, NOW_MS + 4 * DAY_MS)
    assert "max_spend_usd" in the_problem(snapshot, "ExamplePolice0")[1]
    assert "max_spend_usd" not in the_problem(snapshot, "ExamplePolice1")[1]


def test_an_account_without_an_interface_wants_exports(settings: Settings) -> None:
    (settings.home / "archiver.toml").open("a").write(
        '\n[[account]]\nplatform = "x"\nid = "77"\nhandle = "ExampleOnly"\nexport_every_days = 30\n'
    )
    settings = load_settings(settings.path)
    what, advice = the_problem(look(settings), "(77)")
    assert what.endswith("no export was ever taken in; one is wanted every 30 days")
    assert str(settings.inbox) in advice
    with closing(State(settings.state)) as state:
        state.begin_import("ab", "x", "77", "name", NOW_MS, False, NOW_MS)
        state.end_import("ab", NOW_MS, {})
    snapshot = look(settings)
    assert snapshot.problems == ()
    assert snapshot.accounts[2].export_due_ms == NOW_MS + 30 * DAY_MS
    assert not look(settings, NOW_MS + 32 * DAY_MS).accounts[2].export_stale
    what, advice = the_problem(look(settings, NOW_MS - 2 * DAY_MS), "(77)")
    assert what.endswith("which has not come yet by this host's clock")
    assert advice.startswith("set the clock right")
    assert look(settings, NOW_MS + 33 * DAY_MS).accounts[2].export_stale


def test_a_gap_is_told_until_an_archive_names_it_and_is_known_after(settings: Settings) -> None:
    with spool_of(settings) as spool:
        add_gap(spool, account_id(1), NOW_MS)
        what, _ = the_problem(look(settings), "a gap in what was collected")
        assert what.startswith("x @ExamplePolice1 (1000000002): ")
        assert what.endswith("the last in posts: X shows the newest 3,200 only")
        spool.empty(0, 0, 0, 1)
    snapshot = look(settings)
    assert snapshot.problems == ()
    assert [len(account.gaps) for account in snapshot.accounts] == [0, 1]


# Jobs


def test_a_job_that_failed_or_was_incomplete_is_told_with_its_first_problem(settings: Settings) -> None:
    with closing(Journal(settings.journal)) as journal:
        journal.begin("sync", NOW_MS - HOUR_MS)
        journal.end("sync", NOW_MS, 1, ("store offsite: no answer", "another", "third"))
        journal.begin("collect", NOW_MS - HOUR_MS)
        journal.end("collect", NOW_MS, 3, ("one answer was not whole",))
    snapshot = look(settings)
    what, advice = the_problem(snapshot, "sync")
    assert what == "sync failed on 2026-10-26 with exit code 1: store offsite: no answer, and 2 more"
    assert advice.endswith("archiver run --only sync")
    assert the_problem(snapshot, "collect ended incomplete on 2026-10-26: one answer was not whole")


def test_what_to_do_about_a_refused_export_is_where_its_reason_lies(settings: Settings) -> None:
    with closing(Journal(settings.journal)) as journal:
        journal.end("import", NOW_MS, 3, ("1 export was refused",), started_ms=NOW_MS)
    _, advice = the_problem(look(settings), "import ended incomplete")
    assert str(settings.inbox / "failed") in advice
    assert advice.endswith("archiver backup"), "archiver run --only import finds nothing due then"


def test_what_nobody_has_to_do_anything_about_is_no_problem_and_the_rest_is(settings: Settings) -> None:
    with closing(Journal(settings.journal)) as journal:
        journal.end("sync", NOW_MS, 3, ("named",), excused=("named",), started_ms=NOW_MS)
        assert look(settings).problems == ()
        journal.end("sync", NOW_MS, 3, ("named", "lost"), excused=("named",), started_ms=NOW_MS)
        assert the_problem(look(settings), "sync ended")[0].endswith(" on 2026-10-26: lost")
        journal.end("sync", NOW_MS, 1, ("named",), excused=("named",), started_ms=NOW_MS)
        assert the_problem(look(settings), "sync failed")


def test_a_sealing_that_failed_is_no_problem_once_all_is_sealed(settings: Settings) -> None:
    """The newest archive is an hour old, and nothing waits."""
    with closing(Journal(settings.journal)) as journal:
        journal.end("seal", NOW_MS - 2 * HOUR_MS, 10, ("no folder",), started_ms=NOW_MS - 2 * HOUR_MS)
        assert look(settings).problems == ()
        journal.end("seal", NOW_MS, 1, ("no time stamp",), started_ms=NOW_MS)
        assert the_problem(look(settings), "seal failed")
        journal.end("sync", NOW_MS, 0, started_ms=NOW_MS)
        assert look(settings).problems == (), "what a store lacked it was given since"
        journal.end("seal", NOW_MS - 2 * HOUR_MS, 10, ("no folder",), started_ms=NOW_MS - 2 * HOUR_MS)
    keep(Home(settings.home), decision(1, state="done"))
    assert the_problem(look(settings), "seal failed"), "something waits, and the next run tries again"


def test_a_sealing_that_was_begun_and_not_ended_is_not_past(settings: Settings) -> None:
    with closing(Journal(settings.journal)) as journal:
        journal.begin("seal", NOW_MS - 2 * HOUR_MS)
    assert look(settings).problems == (), "another has sealed all since"
    with closing(State(settings.state)) as state, state.transaction():
        state.set_sealing(Sealing("2026-10-26.2", "0" * 32, 0, 0, 0, 0))
    assert the_problem(look(settings), "seal was cut off")


def test_collecting_that_failed_is_no_problem_where_no_account_is_asked_for_any_more(
    settings: Settings,
) -> None:
    with closing(Journal(settings.journal)) as journal:
        journal.end("collect", NOW_MS, 1, ("this token has ended",), started_ms=NOW_MS)
    assert the_problem(look(settings), "collect failed")
    without = tuple(replace(one, api=None) for one in settings.accounts)
    assert look(replace(settings, accounts=without)).problems == ()


def test_a_run_that_failed_before_its_first_job_is_told_until_a_job_is_begun(settings: Settings) -> None:
    with closing(Journal(settings.journal)) as journal:
        journal.end("run", NOW_MS, 11, ("another host keeps this vault",), started_ms=NOW_MS)
        what, _ = the_problem(look(settings), "archiver run failed on 2026-10-26 with exit code 11")
        assert what.endswith("another host keeps this vault")
        journal.end("sync", NOW_MS, 1, ("no answer",), started_ms=NOW_MS)
    (problem,) = look(settings).problems
    assert problem.startswith("sync failed"), "the job explains it"


def test_an_inbox_that_cannot_be_read_is_not_well(settings: Settings) -> None:
    settings.inbox.rename(settings.home / "elsewhere")
    what, advice = the_problem(look(settings), "the inbox cannot be read")
    assert (str(settings.inbox) in what, "mounted" in advice) == (True, True)
    reader = replace(settings, spool_identity=settings.home / "not-here")
    assert look(reader).problems == (), "a host that only reads has none"


def test_a_job_that_is_at_work_is_no_problem_and_one_that_was_cut_off_is(settings: Settings) -> None:
    with closing(Journal(settings.journal)) as journal:
        journal.begin("seal", NOW_MS - HOUR_MS)
    settings.lock.write_text(f"{os.getpid()}\n")
    snapshot = look(settings)
    assert snapshot.problems == ()
    assert [job.job for job in snapshot.jobs if job.is_at_work] == ["seal"]
    settings.lock.write_text("4194305\n")  # above what Linux gives
    snapshot = look(settings)
    assert the_problem(snapshot, "seal was cut off when it last ran")
    assert not any(job.is_at_work for job in snapshot.jobs)
    with Lock(settings.lock):
        mark = settings.lock.read_text()
        assert look(settings).problems == ()
    settings.lock.write_text(mark.replace(f"{os.getpid()}\n", f"{os.getppid()}\n"))
    assert the_problem(look(settings), "seal was cut off"), "another process has its number by now"


def test_where_run_was_never_started_no_job_is_missed(settings: Settings) -> None:
    settings.journal.unlink()
    snapshot = look(settings)
    assert (snapshot.jobs, snapshot.problems) == ((), ())


def test_a_clock_that_was_set_back_is_told(settings: Settings) -> None:
    snapshot = look(settings, NOW_MS - 2 * DAY_MS)
    what, _ = the_problem(snapshot, "the clock shows 2026-10-24 07:33 UTC")
    assert "noted at 2026-10-26 06:33 UTC" in what
    assert look(settings, NOW_MS - HOUR_MS).problems == ()


# Sealing and moderation


def test_what_waits_longer_than_its_month_and_the_days_of_grace_is_not_sealed(settings: Settings) -> None:
    keep(Home(settings.home), decision(1, state="done"))
    with closing(sqlite3.connect(settings.spool / "spool.sqlite")) as database:
        database.execute("UPDATE capture SET taken_ms = ?", (NOW_MS,))
        database.commit()
    first_of_november = 1_793_491_200_000
    late = "what was captured since 2026-10-26 is not sealed"

    def problems(now_ms: int) -> list[str]:
        return [one for one in look(settings, now_ms).problems if "sealed" in one]

    assert problems(first_of_november + 3 * DAY_MS - 1) == []
    assert problems(first_of_november + 3 * DAY_MS) == [late]


def test_without_any_archive_what_waits_is_due_at_once(settings: Settings) -> None:
    keep(Home(settings.home), decision(1, state="done"))
    with closing(sqlite3.connect(settings.spool / "spool.sqlite")) as database:
        database.execute("UPDATE capture SET taken_ms = ?", (NOW_MS - 3 * DAY_MS,))
        database.commit()
    shutil.rmtree(settings.home / "vault" / "archives")
    settings.state.unlink()
    assert look(settings, NOW_MS - 1).problems == ()
    assert the_problem(look(settings), "what was captured since 2026-10-23 is not sealed")


def test_a_moderation_act_that_is_pending_for_a_day_is_told(settings: Settings) -> None:
    keep(Home(settings.home), decision(1), decision(2))
    since = read_local(settings, NOW_MS).spool.pending_since_ms
    assert since is not None

    def problems(now_ms: int) -> list[str]:
        return [one for one in look(settings, now_ms).problems if "moderation" in one]

    assert problems(since + DAY_MS - 1) == []
    (said,) = problems(since + DAY_MS)
    assert said.startswith("2 moderation acts are pending since ")


# Vault and stores


def test_a_vault_that_is_not_there_is_said_and_what_the_host_remembers_is_told(settings: Settings) -> None:
    (settings.home / "vault").rename(settings.home / "elsewhere")
    snapshot = look(settings)
    assert isinstance(snapshot.error, NoVaultError)
    assert snapshot.code == 10
    assert "there is no folder" in snapshot.problems[0]
    assert (snapshot.archives, snapshot.last_archive) == (3, None)
    assert snapshot.head is not None
    assert snapshot.stores[0].archives is None


def test_an_altered_chain_is_damage(settings: Settings) -> None:
    (path,) = (settings.home / "vault" / "archives").glob("2026-09-*/manifest.json")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b'"bytes', b'"bites').replace(b"40", b"41", 1))
    snapshot = look(settings)
    assert isinstance(snapshot.error, IntegrityError)
    assert snapshot.code == 20
    assert snapshot.stores[0].problem == snapshot.error.message


def test_archives_that_were_cut_off_at_the_end_are_missed(settings: Settings) -> None:
    shutil.rmtree(settings.home / "vault" / "archives" / "2026-10-26")
    snapshot = look(settings)
    assert snapshot.code == 20
    assert "number 3 was noted as written, but the chain ends at 2" in snapshot.problems[0]


def with_stores(settings: Settings, *blocks: str) -> Settings:
    with settings.path.open("a") as file:
        file.writelines(f"\n[[store]]\n{block}\n" for block in blocks)
    return load_settings(settings.path)


def test_a_second_folder_that_lacks_archives_or_holds_another_vault_is_told(
    settings: Settings, tmp_path: Path
) -> None:
    shutil.copytree(settings.home / "vault", settings.home / "second")
    shutil.rmtree(settings.home / "second" / "archives" / "2026-09-26")
    shutil.rmtree(settings.home / "second" / "archives" / "2026-10-26")
    settings = with_stores(settings, 'name = "second"\nkind = "local"\npath = "second"')
    snapshot = look(settings)
    what, advice = the_problem(snapshot, "store second")
    assert what == "store second: it lacks 2026-09-26 and 1 more"
    assert advice == "archiver sync --store second, then: archiver verify --store second"
    assert snapshot.code == 3
    other = make_long_kept(tmp_path / "other", accounts=0, archives=0)
    shutil.rmtree(settings.home / "second")
    shutil.copytree(other.home / "vault", settings.home / "second")
    assert the_problem(look(settings), "store second: it holds another vault than store vault")


def test_an_archive_that_is_being_sealed_is_not_missed_in_other_stores(settings: Settings) -> None:
    """The first store has it, and the others get it before this host has done with it."""
    shutil.copytree(settings.home / "vault", settings.home / "second")
    shutil.rmtree(settings.home / "second" / "archives" / "2026-10-26")
    settings = with_stores(settings, 'name = "second"\nkind = "local"\npath = "second"')
    (second,) = [one for one in gather(settings, NOW_MS, {}).archives if one.head.sequence == 2]
    with closing(State(settings.state)) as state:
        state.set_head(second.head)
    assert look(settings).problems == ()


def test_a_store_that_need_not_have_everything_may_be_away_for_a_month(settings: Settings) -> None:
    settings = with_stores(
        settings, 'name = "drawer"\nkind = "local"\npath = "/nowhere/drawer"\nrequired = false'
    )
    snapshot = look(settings)
    assert snapshot.problems == ()
    assert "there is no folder" in str(snapshot.stores[1].problem)
    with closing(Journal(settings.journal)) as journal:
        known = StoreNote(place="/nowhere/drawer", whole_ms=NOW_MS - 35 * DAY_MS)
        save_store_notes(journal, {"drawer": known})
    assert the_problem(look(settings), "store drawer: there is no folder")


def test_what_a_check_found_in_a_store_stays_a_problem(settings: Settings) -> None:
    with closing(Journal(settings.journal)) as journal:
        problem = Problem("IntegrityError", "archives/2026-09-26/media-000.tar.age is altered", "repair it")
        place = settings.stores[0].place
        save_store_notes(journal, {"vault": StoreNote(place=place, whole_ms=1, problems=(problem,))})
        assert the_problem(look(settings), "store vault: archives/2026-09-26/media-000.tar.age is altered")
        save_store_notes(journal, {"vault": StoreNote(place="elsewhere", problems=(problem,))})
    assert look(settings).problems == ()


def test_a_store_far_away_is_not_asked_and_its_secrets_are_not_read(settings: Settings) -> None:
    touched = settings.home / "touched"
    far = (
        'name = "far"\nkind = "s3"\nbucket = "police-archive"\nendpoint = "https://192.0.2.1:9"\n'
        f'access_key_id = "command:touch {touched}"\nsecret_access_key = "command:touch {touched}"\n'
    )
    settings = with_stores(settings, far)
    began = time.monotonic()
    snapshot = look(settings)
    assert time.monotonic() - began < 5
    assert snapshot.problems == ()
    assert [store.archives for store in snapshot.stores] == [3, None]
    assert not touched.exists()


def test_where_the_vault_is_far_away_alone_what_this_host_remembers_is_told(settings: Settings) -> None:
    far = S3StoreSettings(name="far", required=True, bucket="b", endpoint="https://192.0.2.1:9")
    snapshot = look(replace(settings, stores=(far,)))
    assert (snapshot.archives, snapshot.last_archive, snapshot.error) == (3, None, None)
    assert snapshot.problems == ()


def test_a_store_that_is_none_is_a_mistake(settings: Settings) -> None:
    with pytest.raises(UsageError, match="there is no store nowhere"):
        gather(settings, NOW_MS, {}, store="nowhere")


def test_a_disk_that_is_nearly_full_is_told(settings: Settings) -> None:
    facts = read_local(settings, NOW_MS)
    vaults = look_at_vaults(settings, facts)
    found = Found(settings, facts, (), vaults, None, (), ("records",), 1 << 20, NOW_MS)
    assert "the spool has 1 MiB left to write to" in [one.what for one in troubles(found)]
    stores = tuple(replace(store, free_bytes=0) for store in vaults.stores)
    found = replace(found, spool_free_bytes=None, vaults=replace(vaults, stores=stores))
    assert "store vault has 0 MiB left to write to" in [one.what for one in troubles(found)]


def test_a_list_of_keyholders_that_cannot_be_read_is_told(settings: Settings) -> None:
    settings.recipients.write_text("nothing of that kind")
    snapshot = look(settings)
    assert snapshot.keyholders == ()
    assert str(settings.recipients) in snapshot.problems[0]
    assert snapshot.code == 3


# A host that only reads


def test_on_a_host_that_only_reads_the_newest_archive_tells(settings: Settings) -> None:
    settings = replace(settings, spool_identity=settings.home / "not-here")
    snapshot = look(settings)
    assert (snapshot.is_collector, snapshot.problems, snapshot.archives) == (False, (), 3)
    assert snapshot.accounts[0].kinds == ()
    due = 1_793_491_200_000  # the first of November, when the next is due
    assert look(settings, due + 3 * DAY_MS - 1).problems == ()
    what, advice = the_problem(look(settings, due + 3 * DAY_MS), "the newest archive is of 2026-10-26")
    assert what.endswith("one is sealed monthly")
    assert "the host that collects" in advice
    shutil.rmtree(settings.home / "vault" / "archives")
    assert the_problem(look(settings), "there is no archive yet")


# What other parts add


def test_other_parts_add_facts_and_one_that_fails_stops_no_other(settings: Settings) -> None:
    def refuse(seen: Seen) -> tuple[dict[str, object], list[Trouble]]:
        raise IntegrityError("the register is altered", "keep it")

    def tell(seen: Seen) -> tuple[dict[str, object], list[Trouble]]:
        return {"archives_seen": len(seen.archives)}, [Trouble("two reviews are due", "review them")]

    more: dict[str, object] = {}
    archives = gather(settings, NOW_MS, {}).archives
    found = add_more(Seen(settings, None, archives, NOW_MS, {}), more, (refuse, tell))
    assert more == {"archives_seen": 3}
    assert found == [
        Trouble("the register is altered", "keep it"),
        Trouble("two reviews are due", "review them"),
    ]


def test_reminders_that_stand_are_counted(settings: Settings) -> None:
    assert "reminders" not in look(settings).more
    with closing(Journal(settings.journal)) as journal:
        said = {"export x:1": Said(said_ms=1), "drill": Said(said_ms=NOW_MS, is_late=True)}
        save_reminded(journal, Reminded(looked_ms=NOW_MS, said=said))
    assert look(settings).more["reminders"] == 2


def test_a_drill_that_was_noted_counts_as_one_and_one_that_failed_is_told(settings: Settings) -> None:
    def drill() -> JobHealth:
        (found,) = [job for job in look(settings).jobs if job.job == "drill"]
        return found

    with closing(Journal(settings.journal)) as journal:
        note_drill(journal, NOW_MS, 0)
        assert (drill().finished_ms, drill().code) == (NOW_MS, 0)
        assert drill().due_ms == NOW_MS + 6 * 30 * DAY_MS
        note_drill(journal, NOW_MS + 1, 20)
    assert the_problem(look(settings), "drill failed on 2026-10-26 with exit code 20")


def test_a_job_that_was_never_begun_is_not_late(settings: Settings) -> None:
    """As `check` where an earlier version ran that had no such job, or `archiver run --only collect`."""
    with closing(sqlite3.connect(settings.journal)) as database:
        database.execute("DELETE FROM job WHERE name IN ('check', 'sync')")
        database.commit()
    assert look(settings).problems == ()
