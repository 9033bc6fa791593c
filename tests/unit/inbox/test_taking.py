"""The inbox from run to run: what is taken when, where it goes, and what a person is told."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.inbox.taking import Inbox
from archiver.jobs.importing import JOB
from archiver.jobs.noting import do_job
from archiver.jobs.work.imported import import_inbox
from archiver.schedule.due import NOW
from tests.faults.folders import LATER, rewrite, sample
from tests.unit.inbox.boxes import DAY_MS, HOUR_MS, MINUTE_MS, Box, split


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("export") / "whole.zip")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(tmp_path / "home")
    made.know_the_account()
    return made


def test_a_whole_export_is_taken_stays_until_it_is_sealed_and_then_is_done(box: Box, export: Path) -> None:
    assert box.due_ms() is None
    shutil.copy(export, box.inbox / "a.zip")
    assert box.due_ms() == NOW
    report = box.run()
    assert (report.code, report.problems) == (0, [])
    assert report.facts["exports"] == 1
    assert box.names() == ["a.zip"]
    assert box.due_ms() is None, "it is not read again"
    box.seal()
    assert box.put_away() == []
    assert (box.names(), box.names("done")) == ([], ["a.zip"])
    assert box.due_ms() is None


def test_after_a_kill_between_sealing_and_moving_the_next_run_moves(box: Box, export: Path) -> None:
    shutil.copy(export, box.inbox / "a.zip")
    box.run()
    box.seal()
    assert box.due_ms() == NOW
    report = box.run()
    assert report.facts == {"exports": 0, "records": 0, "refused": 0, "failed": 0, "done": 1, "waiting": 0}
    assert box.names("done") == ["a.zip"]
    assert box.due_ms() is None


def test_an_export_that_is_taken_again_after_the_journal_was_lost_brings_nothing_twice(
    box: Box, export: Path
) -> None:
    shutil.copy(export, box.inbox / "a.zip")
    box.run()
    box.home.settings.journal.unlink()
    report = box.run()
    assert (report.facts["exports"], report.facts["records"]) == (1, 0)
    assert box.names() == ["a.zip"]
    box.seal()
    box.put_away()
    assert box.names("done") == ["a.zip"]


def test_a_file_that_was_written_a_moment_ago_is_taken_by_the_next_run(box: Box, export: Path) -> None:
    shutil.copy(export, box.inbox / "a.zip")
    box.now_ms = (box.inbox / "a.zip").stat().st_ctime_ns // 1_000_000 + MINUTE_MS // 2
    assert box.due_ms() == NOW, "it has to be noted"
    report = box.run()
    assert (report.facts["exports"], report.facts["waiting"]) == (0, 1)
    due_ms = box.due_ms()
    assert due_ms is not None
    assert box.now_ms < due_ms <= box.now_ms + MINUTE_MS
    assert box.run(after_ms=HOUR_MS).facts["exports"] == 1


def test_a_file_that_grows_is_not_taken_until_it_stays_as_it_is(box: Box, export: Path) -> None:
    data = export.read_bytes()
    path = box.inbox / "a.zip"
    for size in (1_000, len(data) // 2, len(data)):
        with path.open("ab") as file:
            file.write(data[path.stat().st_size : size])
        report = box.run(after_ms=HOUR_MS)
        assert (report.code, report.facts["exports"], report.facts["waiting"]) == (0, 0, 1)
    assert box.run(after_ms=HOUR_MS).facts["exports"] == 1


def test_a_file_that_comes_for_more_than_a_day_is_told_of_once_and_again_after_a_week(box: Box) -> None:
    said = []
    for hour in range(5, 24 * 9, 5):
        with (box.inbox / "slow.zip").open("ab") as file:
            file.write(b"PK\x03\x04")
        report = box.run(after_ms=5 * HOUR_MS)
        if report.problems:
            said.append(hour)
            assert report.code == 3
            assert report.problems[0].startswith("a file lies in the inbox for more than a day and is")
    assert said == [30, 30 + 170]
    assert box.names() == ["slow.zip"]


def test_a_file_that_is_cut_off_fails_after_a_day_and_not_before(box: Box, export: Path) -> None:
    (box.inbox / "cut.zip").write_bytes(export.read_bytes()[:-5_000])
    for _ in range(24):
        assert box.run(after_ms=HOUR_MS).code == 0
    assert box.names() == ["cut.zip"]
    report = box.run(after_ms=HOUR_MS)
    assert report.code == 1
    assert report.problems == [
        "1 export was refused: see failed/ in the inbox, where the reason lies beside each"
    ]
    assert box.names("failed") == ["cut.zip", "cut.zip.reason.txt"]
    assert "cut off" in (box.inbox / "failed" / "cut.zip.reason.txt").read_text()
    assert box.due_ms() is None


def test_a_failed_file_that_is_put_back_is_tried_again(box: Box, export: Path) -> None:
    (box.inbox / "a.zip").write_bytes(b"PK\x03\x04 no zip")
    box.run()
    box.run(after_ms=DAY_MS + HOUR_MS)
    failed = box.inbox / "failed" / "a.zip"
    failed.write_bytes(export.read_bytes())  # as if it had been mended
    failed.rename(box.inbox / "a.zip")
    box.run(after_ms=HOUR_MS)
    assert box.run(after_ms=HOUR_MS).facts["exports"] in (0, 1)
    box.seal()
    box.put_away()
    assert box.names("done") == ["a.zip"]
    assert box.names("failed") == []


def test_once_a_person_has_dealt_with_what_was_refused_a_run_notes_that_all_is_well(
    box: Box, export: Path
) -> None:
    (box.inbox / "half.zip").write_bytes(export.read_bytes()[:1000])
    with box.context() as context:
        report = import_inbox(context, "backup")
        context.journal.end("import", box.now_ms, report.code)
    assert report.failed == 1
    box.now_ms += 2 * DAY_MS
    assert box.due_ms() is None, "the file is still there"
    for path in (box.inbox / "failed").iterdir():
        path.unlink()
    due_ms = box.due_ms()
    assert due_ms is not None
    assert due_ms <= box.now_ms
    with box.context() as context:
        do_job(context, "import", JOB.work)
    assert box.due_ms() is None


def test_a_file_that_somebody_has_open_for_writing_waits(box: Box, export: Path) -> None:
    shutil.copy(export, box.inbox / "a.zip")
    script = "import sys; file = open(sys.argv[1], 'r+b'); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(box.inbox / "a.zip")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert box.run().facts["waiting"] == 1
        by_hand = box.by_hand()
        assert [one.message for one in by_hand.problems] == [
            f"a.zip is still being written by process {process.pid}"
        ]
        assert by_hand.code == 3
        process.communicate("")
    assert box.run(after_ms=HOUR_MS).facts["exports"] == 1


def test_another_accounts_export_fails_and_what_is_told_names_nobody(tmp_path: Path, export: Path) -> None:
    box = Box(tmp_path / "home")
    shutil.copy(export, box.inbox / "a.zip")
    report = box.run()
    assert report.code == 2
    assert "SpringfieldPolice" not in str(report)
    reason = (box.inbox / "failed" / "a.zip.reason.txt").read_text()
    assert "@SpringfieldPolice" in reason
    assert "which the settings do not name" in reason
    assert "put it back into the inbox, and then: archiver backup --add-account" in reason


def test_parts_wait_for_each_other_and_are_taken_as_one(box: Box, export: Path, tmp_path: Path) -> None:
    split(export, tmp_path / "1.zip", tmp_path / "2.zip")
    shutil.copy(tmp_path / "1.zip", box.inbox / "x-part1.zip")
    assert box.run().facts["waiting"] == 1
    due_ms = box.due_ms()
    assert due_ms == box.now_ms + DAY_MS, "it is not opened again before"
    shutil.copy(tmp_path / "2.zip", box.inbox / "x-part2.zip")
    assert box.due_ms() == NOW
    report = box.run(after_ms=HOUR_MS)
    assert (report.code, report.facts["exports"]) == (0, 1)
    box.seal()
    box.put_away()
    assert box.names("done") == ["x-part1.zip", "x-part2.zip"]


def test_parts_in_the_other_order_are_taken_as_one_too(box: Box, export: Path, tmp_path: Path) -> None:
    split(export, tmp_path / "1.zip", tmp_path / "2.zip")
    shutil.copy(tmp_path / "2.zip", box.inbox / "x-part2.zip")
    assert box.run().facts["waiting"] == 1
    shutil.copy(tmp_path / "1.zip", box.inbox / "x-part1.zip")
    report = box.run(after_ms=HOUR_MS)
    assert (report.code, report.facts["exports"]) == (0, 1)


def test_a_part_that_waits_for_others_in_vain_is_taken_as_incomplete_after_a_day(
    box: Box, export: Path, tmp_path: Path
) -> None:
    split(export, box.inbox / "a.zip", tmp_path / "2.zip")
    assert box.run().facts["waiting"] == 1
    assert box.run(after_ms=DAY_MS - MINUTE_MS).facts["exports"] == 0
    report = box.run(after_ms=2 * MINUTE_MS)
    assert (report.code, report.facts["exports"]) == (3, 1)
    assert report.problems[0].startswith("the export of @SpringfieldPolice lacks something")
    shutil.copy(tmp_path / "2.zip", box.inbox / "b.zip")  # it comes after all, before the sealing
    report = box.run(after_ms=HOUR_MS)
    assert (report.code, report.facts["exports"]) == (0, 1)


def test_a_later_part_alone_fails_after_a_day_with_what_to_do(box: Box, export: Path, tmp_path: Path) -> None:
    split(export, tmp_path / "1.zip", box.inbox / "b.zip")
    assert box.run().code == 0
    assert box.by_hand().code == 1, "a person is told at once"
    assert box.names() == ["b.zip"]
    assert box.run(after_ms=DAY_MS).code == 1
    reason = (box.inbox / "failed" / "b.zip.reason.txt").read_text()
    assert "put all parts of the export into the inbox together" in reason


def test_a_person_need_not_wait_for_parts_or_for_a_file_to_get_old(
    box: Box, export: Path, tmp_path: Path
) -> None:
    split(export, box.inbox / "a.zip", tmp_path / "2.zip")
    box.now_ms = (box.inbox / "a.zip").stat().st_ctime_ns // 1_000_000
    report = box.by_hand()
    assert report.code == 3
    assert [one.error for one in report.imported] == [None]


def test_a_broken_file_that_a_person_put_there_long_ago_fails_at_once(box: Box) -> None:
    (box.inbox / "a.zip").write_bytes(b"no zip")
    report = box.by_hand()
    assert (report.code, report.failed) == (1, 1)
    assert box.names("failed") == ["a.zip", "a.zip.reason.txt"]


def test_an_empty_file_is_left_alone_as_a_browser_may_make_it_before_it_fetches(box: Box) -> None:
    (box.inbox / "a.zip").touch()
    report = box.by_hand()
    assert report.code == 3
    assert [one.message for one in report.problems] == ["a.zip is empty so far"]
    assert box.names() == ["a.zip"]


def test_the_same_export_under_two_names_is_a_no_op_and_done(box: Box, export: Path) -> None:
    shutil.copy(export, box.inbox / "a.zip")
    box.run()
    box.seal()
    box.put_away()
    shutil.copy(export, box.inbox / "b.zip")
    report = box.run(after_ms=HOUR_MS)
    assert (report.code, report.facts["records"], report.facts["done"]) == (0, 0, 1)
    assert box.names("done") == ["a.zip", "b.zip"]
    assert len(box.home.archives) == 1


def test_an_export_in_the_folder_of_older_versions_stays_there(box: Box, export: Path) -> None:
    (box.inbox / "taken").mkdir()
    shutil.copy(export, box.inbox / "taken" / "old.zip")
    assert box.due_ms() is None
    box.run()
    assert box.names() == ["taken"]


def test_what_is_no_file_is_told_of_once_and_left_alone(box: Box, export: Path) -> None:
    (box.inbox / "unpacked").mkdir()
    (box.inbox / "link.zip").symlink_to(export)
    (box.inbox / "other.zip").symlink_to(export)
    report = box.run()
    assert report.code == 3
    assert report.problems == [
        "something in the inbox is a symbolic link, which is not followed: put the file itself there",
        "something in the inbox is a folder, where the ZIP file is wanted as X delivered it",
    ]
    assert box.due_ms() is None
    assert box.run(after_ms=HOUR_MS).problems == []
    assert box.names() == ["link.zip", "other.zip", "unpacked"]
    assert len(box.run(after_ms=7 * DAY_MS).problems) == 2


def test_a_file_that_cannot_be_moved_is_told_of_and_stops_nothing(box: Box, export: Path) -> None:
    (box.inbox / "done").write_bytes(b"a file, where the folder should be")
    shutil.copy(export, box.inbox / "a.zip")
    box.run()
    box.seal()
    (problem,) = box.put_away()
    assert problem.exit_code == 3
    assert problem.message.startswith("a file stays in the inbox: ")
    (box.inbox / "done").unlink()
    assert box.run().facts["done"] == 1


def test_an_export_that_comes_while_another_waits_to_be_sealed_goes_with_it(box: Box, export: Path) -> None:
    shutil.copy(export, box.inbox / "a.zip")
    box.run()
    box.seal()
    sample(box.inbox / "b.zip", until=LATER, months=3)
    box.run(after_ms=HOUR_MS)
    assert (box.names("done"), box.names()) == (["a.zip"], ["b.zip"])


@pytest.mark.parametrize("back_ms", [DAY_MS // 2, 2 * DAY_MS, 400 * DAY_MS, -4_000 * DAY_MS])
def test_a_clock_that_was_wrong_keeps_no_file_for_ever(box: Box, export: Path, back_ms: int) -> None:
    (box.inbox / "a.zip").write_bytes(export.read_bytes()[:-1])
    box.run()
    box.now_ms -= back_ms
    with (box.inbox / "a.zip").open("ab") as file:
        file.write(export.read_bytes()[-1:])
    taken = [box.run(after_ms=HOUR_MS).facts["exports"] for _ in range(3)]
    assert sum(map(int, map(str, taken))) == 1


def test_a_file_that_was_first_seen_by_a_clock_that_was_years_ahead_waits_no_longer_than_others(
    box: Box,
) -> None:
    (box.inbox / "cut.zip").write_bytes(b"PK\x03\x04")
    box.run(after_ms=4_000 * DAY_MS)
    box.run(after_ms=-4_000 * DAY_MS)
    assert box.run(after_ms=DAY_MS).facts["failed"] == 1


def test_a_thousand_files_of_every_kind_are_looked_at_in_a_moment(box: Box) -> None:
    for number in range(1_000):
        (box.inbox / f"{number}\n.zip").write_bytes(b"PK\x03\x04")
    assert box.due_ms() == NOW
    assert box.run().facts["waiting"] == 1_000
    due_ms = box.due_ms()
    assert due_ms is not None
    assert due_ms > box.now_ms, "until then nothing is done again"


def test_a_file_that_cannot_be_read_any_more_when_it_is_taken_has_not_failed(box: Box, export: Path) -> None:
    shutil.copy(export, box.inbox / "a.zip")
    with box.context() as context:
        inbox = Inbox(context.settings, context.journal, context.clock, patient=True)
        survey = inbox.look()
        (box.inbox / "a.zip").rename(box.inbox / "elsewhere")
        taken = inbox.take(survey, context.collector, may_add_account=False)
    (result,) = taken.imported
    assert result.error is not None
    assert not result.is_refused
    assert (taken.failed, taken.unmoved, box.names("failed")) == (0, [], [])
    (box.inbox / "elsewhere").rename(box.inbox / "a.zip")
    assert box.run(after_ms=HOUR_MS).facts["exports"] == 1


def test_a_file_that_vanishes_is_forgotten(box: Box, export: Path) -> None:
    shutil.copy(export, box.inbox / "a.zip")
    box.run()
    os.unlink(box.inbox / "a.zip")
    assert box.due_ms() is None
    box.seal()
    assert box.put_away() == []


def test_an_export_that_lacks_records_is_taken_told_of_and_done(box: Box, export: Path) -> None:
    rewrite(export, box.inbox / "a.zip", {"data/block.js": b"window.YTD.block.part0 = ["})
    report = box.run()
    assert report.code == 3
    (problem,) = report.problems
    assert problem.startswith(
        "the export of @SpringfieldPolice lacks something: pictures and videos missing 0"
    )
    box.seal()
    box.put_away()
    assert box.names("done") == ["a.zip"]
