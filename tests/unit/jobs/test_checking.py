"""The job `check`: what happened to a store shows in the next run, and is said until it is mended."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from archiver.audit.entry import Asked
from archiver.errors import IncompleteError, IntegrityError
from archiver.jobs.work.synced import fill_stores
from archiver.schedule.due import DAY_MS, HOUR_MS
from archiver.schedule.journal import Journal
from archiver.wiring.collector import open_collector
from archiver.wiring.log import collector_act, collector_queue, flush_log
from tests.cli.stores import add_store
from tests.faults.folders import copy_folder, sample
from tests.homes import NOW_MS, Home, make_home
from tests.unit.jobs.checked import Checked

PERIOD_DAYS = 28


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = make_home(tmp_path_factory.mktemp("checking"))
    with (home.folder / "archiver.toml").open("a") as file:
        file.write("\n[checks]\nread_all_months = 1\n")
    return home


@pytest.fixture
def checked(sealed: Home, tmp_path: Path) -> Checked:
    return Checked(Home(copy_folder(sealed.folder, tmp_path / "home")))


def segment(checked: Checked) -> Path:
    (archive,) = checked.home.archives
    return checked.home.folder / "vault" / archive.path(archive.manifest.segments[0])


def alter(path: Path, *, keep_time: bool = False) -> bytes:
    """Alter the last byte; what was there."""
    data = path.read_bytes()
    found = path.stat()
    path.chmod(0o600)
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    if keep_time:
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    return data


def mend(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def test_a_whole_vault_is_looked_at_once_a_day(checked: Checked) -> None:
    report = checked.must_run()
    assert (report.code, report.problems, report.facts["stores"]) == (0, [], ["vault"])
    assert [name for name, _ in checked.told] == ["check.store", "check.read"]
    for hours in (1, 10, 19):
        assert checked.run(hours) is None
    assert checked.must_run(24).code == 0
    assert checked.run(25) is None
    note = checked.note()
    assert note.looked_ms == note.whole_ms == NOW_MS + DAY_MS


def test_every_byte_is_read_within_the_period_and_looked_into_where_the_identity_opens(
    checked: Checked,
) -> None:
    (archive,) = checked.home.archives
    read = opened = 0
    for day in range(PERIOD_DAYS + 1):
        report = checked.must_run(24 * day)
        assert report.code == 0
        read += int(str(report.facts["read_bytes"]))
        opened += int(str(report.facts["opened_files"]))
    assert read == sum(file.size for file in archive.manifest.files)
    assert opened == len(archive.manifest.files)
    assert checked.note().read_to_ms is not None


def test_an_altered_file_is_read_at_once_and_said_until_it_is_mended(checked: Checked) -> None:
    checked.must_run()
    data = alter(segment(checked))
    for hours in (1, 2, 30):
        report = checked.must_run(hours)
        assert report.code == 20
        (problem,) = report.problems
        (archive,) = checked.home.archives
        assert f"archives/{archive.name}/records-000.sqlite.zst.age" in problem
        assert problem.endswith(f"(restore it from another store: archiver repair {archive.name})")
    assert checked.note().whole_ms == NOW_MS
    mend(segment(checked), data)
    assert checked.must_run(31).code == 0
    assert checked.run(32) is None
    assert checked.note().whole_ms == NOW_MS + 31 * 3_600_000


def test_what_is_known_to_be_wrong_is_not_read_again_each_hour(checked: Checked) -> None:
    checked.must_run()
    alter(segment(checked))
    checked.must_run(1)
    path = segment(checked)
    found = path.stat()
    path.write_bytes(b"0" * found.st_size)  # were it read, another problem would be said
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    before = checked.note().damaged
    checked.must_run(2)
    assert checked.note().damaged == before
    checked.must_run(26)
    assert checked.note().damaged != before


def test_a_file_altered_by_whoever_sets_its_time_back_is_found_within_the_period(checked: Checked) -> None:
    checked.must_run()
    alter(segment(checked), keep_time=True)
    found = [day for day in range(1, PERIOD_DAYS + 1) if (checked.must_run(24 * day)).code == 20]
    assert found
    assert found == list(range(found[0], PERIOD_DAYS + 1))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("manifest.json", "has no manifest.json"),
        ("manifest.json.sig", "has no signature beside it"),
        ("key.age", "key.age is missing"),
        ("records-000.sqlite.zst.age", "is missing from"),
    ],
)
def test_a_file_that_vanishes_shows_in_the_next_run(checked: Checked, name: str, words: str) -> None:
    checked.must_run()
    (segment(checked).parent / name).unlink()
    for hours in (1, 2):
        report = checked.must_run(hours)
        assert report.code == 20
        assert any(words in problem for problem in report.problems)
        assert len(report.problems) == len(set(report.problems))


def test_an_altered_manifest_shows_in_the_next_run(checked: Checked) -> None:
    checked.must_run()
    alter(segment(checked).with_name("manifest.json"), keep_time=True)
    assert checked.must_run(1).code == 20


def test_a_cut_off_end_of_the_chain_shows_against_the_state(checked: Checked, tmp_path: Path) -> None:
    checked.must_run()
    shutil.rmtree(segment(checked).parent)
    report = checked.must_run(1)
    assert report.code == 20


def test_an_altered_key_is_damage_and_what_it_opens_is_read_all_the_same(checked: Checked) -> None:
    key = segment(checked).with_name("key.age")
    data = alter(key)
    codes = {checked.must_run(24 * day).code for day in range(PERIOD_DAYS + 1)}
    assert codes == {0, 20}  # found once its archive's turn comes
    assert [name.rpartition("/")[2] for name in checked.note().damaged] == ["key.age"]
    assert len(checked.read_note().files) == 2
    mend(key, data)
    assert checked.must_run(24 * PERIOD_DAYS + 25).code == 0


def test_a_vault_that_is_not_there_is_said_each_time(checked: Checked) -> None:
    checked.must_run()
    vault = checked.home.folder / "vault"
    vault.rename(vault.with_name("away"))
    for hours in (1, 2):
        report = checked.must_run(hours)
        assert report.code == 10
        assert len(report.problems) == 1
    vault.with_name("away").rename(vault)
    assert checked.must_run(3).code == 0


def test_a_second_store_is_held_against_the_first(checked: Checked) -> None:
    add_store(checked.home, "copy", required=False)
    report = checked.must_run()
    assert report.code == 3
    assert report.problems[0].startswith("store copy: there is no folder")
    vault, copy = checked.home.folder / "vault", checked.home.folder / "copy"
    shutil.copytree(vault, copy)
    assert checked.must_run(1).code == 0
    checked.home.take(
        sample(checked.home.folder / "later.zip", months=2, seed=2), now_ms=NOW_MS + 5 * 3_600_000
    )
    report = checked.must_run(6)
    assert report.code == 3
    assert "lacks" in report.problems[0]
    assert "archiver sync" in report.problems[0]


def test_a_store_that_may_be_away_is_looked_for_once_a_day_and_counts_after_a_month(
    checked: Checked,
) -> None:
    home, days = checked.home, 24
    add_store(home, "drawer", required=False)
    shutil.copytree(home.folder / "vault", home.folder / "drawer")
    assert checked.must_run().code == 0
    (home.folder / "drawer").rename(home.folder / "elsewhere")
    report = checked.must_run(1)
    assert (report.code, report.excused) == (3, report.problems)
    assert "store drawer: there is no folder" in report.problems[0]
    assert checked.note("drawer").away_ms == NOW_MS, "when it was last whole"
    assert checked.run(2) is None, "it is said once, and looked for once a day"
    (home.folder / "elsewhere").rename(home.folder / "drawer")
    assert checked.must_run(3).code == 0, "it is back"
    assert checked.note("drawer").away_ms is None
    (home.folder / "drawer").rename(home.folder / "elsewhere")
    for day in range(1, 34):
        report = checked.must_run(3 + day * days)
        assert report.excused == report.problems, day
        assert checked.run(4 + day * days) is None, day
    report = checked.must_run(4 + 34 * days)
    assert (report.code, report.excused) == (3, [])
    assert checked.run(5 + 34 * days) is not None, "from now on with every run"


def test_another_vault_in_the_place_of_a_store_that_may_be_away_is_damage(
    checked: Checked, tmp_path: Path
) -> None:
    add_store(checked.home, "drawer", required=False)
    other = make_home(tmp_path / "other")
    shutil.copytree(other.folder / "vault", checked.home.folder / "drawer")
    report = checked.must_run()
    assert (report.code, report.excused) == (20, [])
    assert checked.note("drawer").away_ms is None
    assert checked.run(1) is not None


def test_files_of_a_store_that_is_new_are_read_in_their_time(checked: Checked) -> None:
    add_store(checked.home, "copy", required=True)
    shutil.copytree(checked.home.folder / "vault", checked.home.folder / "copy")
    for day in range(PERIOD_DAYS + 1):
        assert checked.must_run(24 * day).code == 0
    for store in ("vault", "copy"):
        assert checked.note(store).read_to_ms is not None


def test_a_store_that_moved_is_begun_anew(checked: Checked) -> None:
    checked.must_run()
    settings = checked.home.folder / "archiver.toml"
    (checked.home.folder / "vault").rename(checked.home.folder / "elsewhere")
    settings.write_text(settings.read_text().replace('vault = "vault"', 'vault = "elsewhere"'))
    assert checked.must_run(1).code == 0
    assert checked.note().place.endswith("elsewhere")
    assert checked.read_note().since_ms == NOW_MS + 3_600_000


def test_without_an_identity_bytes_are_read_and_nothing_is_on_record(checked: Checked) -> None:
    keyholder = checked.home.settings.keyholder
    assert keyholder is not None
    keyholder.identity.unlink()
    alter(segment(checked), keep_time=True)
    codes = [checked.must_run(24 * day).code for day in range(PERIOD_DAYS + 1)]
    assert codes[-1] == 20
    assert "SHA-256 is not the manifest's" in checked.must_run(24 * PERIOD_DAYS + 1).problems[0]
    assert collector_queue(checked.home.settings).waiting() == []


def test_what_is_opened_is_in_the_log_and_a_look_alone_is_not(checked: Checked) -> None:
    checked.must_run()
    assert collector_queue(checked.home.settings).waiting() == []
    for day in range(1, PERIOD_DAYS + 1):
        opened = checked.must_run(24 * day).facts["opened_files"]
        assert len(collector_queue(checked.home.settings).waiting()) == (2 if opened else 0)
        if opened:
            return
    pytest.fail("nothing was opened")


def test_where_the_log_cannot_be_written_nothing_is_opened_and_that_is_said(checked: Checked) -> None:
    queue = checked.home.settings.log_queue
    shutil.rmtree(queue)
    queue.write_text("no folder")
    reports = [checked.must_run(24 * day) for day in range(PERIOD_DAYS + 1)]
    assert [report.code for report in reports if report.facts["read_files"]] == [1, 1]
    assert sum(int(str(report.facts["opened_files"])) for report in reports) == 0


def test_a_passphrase_that_is_not_to_be_had_is_said_and_bytes_are_read(checked: Checked) -> None:
    settings = checked.home.folder / "archiver.toml"
    text = settings.read_text()
    identity = 'identity = "keys/records.identity"'
    assert identity in text
    settings.write_text(text.replace(identity, f'{identity}\npassphrase = "env:NOT_THERE"'))
    path = checked.home.folder / "keys" / "records.identity"
    path.write_text("-----BEGIN AGE ENCRYPTED FILE-----\n")
    reports = [checked.must_run(24 * day) for day in range(PERIOD_DAYS + 1)]
    (report, _) = [one for one in reports if one.facts["read_files"]]
    assert report.code == 2
    assert report.problems == ["the environment has no variable NOT_THERE (set NOT_THERE for this command)"]


def test_a_clock_that_was_wrong_hides_nothing_for_ever(checked: Checked) -> None:
    checked.must_run(24 * 3650)
    assert checked.must_run(0).code == 0
    assert checked.run(1) is None
    alter(segment(checked), keep_time=True)
    assert 20 in {checked.must_run(24 * day).code for day in range(1, PERIOD_DAYS + 2)}


def test_a_damaged_log_shows_within_a_week(checked: Checked) -> None:
    checked.must_run()
    settings = checked.home.settings
    with collector_act(settings, {}, Asked("verify", "verify"), lambda: NOW_MS):
        pass
    flush_log(settings, checked.home.vault.store)
    bundle = next((checked.home.folder / "vault" / "audit").rglob("*.tar"))
    data = alter(bundle)
    codes = [checked.must_run(24 * day).code for day in range(1, 9)]
    assert codes[-1] == IntegrityError.exit_code
    mend(bundle, data)
    assert checked.must_run(24 * 8 + 1).code == 0


def test_a_log_that_is_behind_since_the_last_sync_alarms_nobody_before_the_next(checked: Checked) -> None:
    add_store(checked.home, "other", required=False)
    (checked.home.folder / "other").mkdir()
    settings = checked.home.settings
    with open_collector(settings) as collector:
        fill_stores(settings, collector.state.head())
    checked.must_run()
    with collector_act(settings, {}, Asked("verify", "verify"), lambda: NOW_MS):
        pass
    flush_log(settings, checked.home.vault.store)
    with closing(Journal(settings.journal)) as journal:
        journal.end("sync", NOW_MS + 8 * DAY_MS - HOUR_MS, 0)
    assert list(checked.must_run(24 * 8).problems) == []
    with closing(Journal(settings.journal)) as journal:
        journal.end("sync", NOW_MS + 14 * DAY_MS - HOUR_MS, 0)
    behind = checked.must_run(24 * 16)
    assert behind.code == IncompleteError.exit_code
    assert "store other: the log of _collector is behind" in behind.problems[0]
