"""`archiver drill`: what was proven is said, it is in the log first, and nothing of it is on a disk."""

import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from archiver.schedule.drills import drill_due_ms, load_drill, note_drill
from archiver.schedule.journal import Journal
from tests.cli.runner import PROGRAM, Result, Runner
from tests.cli.stores import add_store
from tests.disposals import dispose_at_home
from tests.faults.folders import copy_folder, make_folder
from tests.homes import NOW_MS, Home, make_home
from tests.programs import PROJECT, require_program
from tests.unit.drill.resealed import edit_rows, reseal


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("drill"))


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


def noted(home: Home) -> tuple[int, bool] | None:
    """What the journal has: the exit code, and whether a drill went well."""
    with closing(Journal(home.settings.journal)) as journal:
        note = load_drill(journal)
    return None if note is None else (note.code, note.good_ms is not None)


def without_collector(home: Home) -> None:
    """A keyholder's own host: no spool, no signing key of the collector."""
    shutil.rmtree(home.folder / "collector")
    for path in home.folder.glob("state.sqlite*"):
        path.unlink()
    shutil.rmtree(home.folder / "spool")
    settings = home.folder / "archiver.toml"
    lines = [
        line
        for line in settings.read_text().splitlines()
        if not line.startswith(("signing_key", "spool_identity"))
    ]
    settings.write_text("\n".join(lines).replace("[collector]", "[collector]") + "\n")


def test_what_was_proven_is_said_and_noted(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    result = run("--config", home.folder, "drill")
    assert (result.code, result.errors) == (0, "")
    lines = result.output.splitlines()
    assert lines[0] == f"archive {archive.name}: restored in memory, all as it was captured."
    assert "  524 records derived again from their captures: all equal" in lines
    assert "  9 pictures and videos have the SHA-256 of their records" in lines
    assert noted(home) == (0, True)


def test_the_same_as_json(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    drilled, summary = run("--config", home.folder, "drill", "--json", archive.name).json_lines()
    assert (drilled["type"], drilled["archive"], drilled["problems"]) == ("drilled", archive.name, [])
    assert (drilled["records"], drilled["different"], drilled["media"]) == (524, 0, 9)
    assert summary == {"type": "summary", "archives": [f"vault/{archive.name}"], "code": 0}


def test_it_is_in_the_log_of_the_keyholder(run: Runner, home: Home) -> None:
    run("--config", home.folder, "drill", "--reason", "a test", "--case", "ABC/1")
    shown = run("--config", home.folder, "log", "show", "--json").json_lines()
    (entry,) = [one for one in shown if one.get("command") == "drill"]
    (archive,) = home.archives
    assert (entry["verb"], entry["keyholder"], entry["ids"]) == ("restore", "records", [archive.name])
    assert (entry["reason"], entry["case"]) == ("a test", "ABC/1")


def test_where_the_log_cannot_be_written_nothing_is_restored(run: Runner, home: Home) -> None:
    shutil.rmtree(home.folder / "vault" / "audit")
    (home.folder / "vault" / "audit").write_text("no folder")
    error = run.fails(1, "--config", home.folder, "drill")
    assert "audit" in error
    assert noted(home) is None


def test_what_differs_is_named_and_fails(run: Runner, home: Home) -> None:
    reseal(home, "records", edit_rows("UPDATE post SET like_count = 70000 WHERE key = 3"))
    result = run("--config", home.folder, "drill")
    assert (result.code, result.output) == (20, "")
    assert "differs: " in result.errors
    assert "post 3: like_count" in result.errors
    assert "1 row differs from what the captures give" in result.errors
    assert noted(home) == (20, False)


def test_a_damaged_archive_is_told_with_the_command_that_mends_it(run: Runner, home: Home) -> None:
    name = home.damage()
    result = run("--config", home.folder, "drill")
    assert result.code == 20
    assert f"archiver repair {name}" in result.errors


def test_bad_arguments_are_told(run: Runner, home: Home) -> None:
    assert "there is no archive 2020-01-01" in run.fails(2, "--config", home.folder, "drill", "2020-01-01")
    assert "there is no store nowhere" in run.fails(2, "--config", home.folder, "drill", "--store", "nowhere")
    assert "is no line of a drill" in run.fails(2, "--config", home.folder, "drill", "--noted", "drill/x")
    assert "stands alone" in run.fails(2, "--config", home.folder, "drill", "2020-01-01", "--noted", "x")


def test_an_empty_vault_proves_nothing(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    assert "there is nothing to restore" in run.fails(3, "--config", home.folder, "drill")
    assert noted(home) is None


def test_without_the_keyholders_identity_no_key_fits(run: Runner, home: Home) -> None:
    keyholder = home.settings.keyholder
    assert keyholder is not None
    keyholder.identity.unlink()
    assert "there is no identity file" in run.fails(12, "--config", home.folder, "drill")


def test_a_reason_that_the_settings_want_must_be_given(run: Runner, home: Home) -> None:
    with (home.folder / "archiver.toml").open("a") as file:
        file.write('\n[log]\nreason = "required"\n')
    assert "a reason must be given" in run.fails(2, "--config", home.folder, "drill")
    assert run("--config", home.folder, "drill", "--reason", "a test").code == 0


def test_every_store_is_drilled_and_one_that_is_away_is_told(run: Runner, home: Home) -> None:
    add_store(home, "copy", required=False)
    result = run("--config", home.folder, "drill")
    assert result.code == 3
    assert "store copy: there is no folder" in result.errors
    assert result.output.startswith("store vault, archive ")
    shutil.copytree(home.folder / "vault", home.folder / "copy")
    result = run("--config", home.folder, "drill")
    assert result.code == 0
    assert [line.split(",")[0] for line in result.output.splitlines() if line.startswith("store")] == [
        "store vault", "store copy",
    ]  # fmt: skip
    assert run("--config", home.folder, "drill", "--store", "copy").output.startswith("store copy, archive")


# A keyholder on another host


def drill_elsewhere(run: Runner, home: Home, tmp_path: Path) -> Result:
    other = Home(copy_folder(home.folder, tmp_path / "other"))
    without_collector(other)
    return run("--config", other.folder, "drill")


def test_a_host_that_does_not_collect_prints_a_line_that_the_collecting_one_notes(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    result = drill_elsewhere(run, home, tmp_path)
    assert result.code == 0, result
    *_, told, command = result.output.splitlines()
    assert (
        told == "Keep this line, or have it noted on the host that collects, which then reminds of the next:"
    )
    program, *arguments = command.split()
    assert (program, arguments[:2]) == ("archiver", ["drill", "--noted"])
    assert noted(home) is None
    result = run("--config", home.folder, *arguments)
    assert (result.code, result.errors) == (0, "")
    assert result.output.startswith("Noted: a drill of 20")
    assert result.output.endswith(", which compared 524 records.\n")
    assert noted(home) == (0, True)


def test_a_line_of_another_vault_or_of_times_to_come_is_refused(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    line = drill_elsewhere(run, home, tmp_path).output.split()[-1]
    kind, at, vault, head, records = line.split("/")
    for wrong, words in (
        ([kind, at, "another", head, records], "this line is of another vault"),
        ([kind, at, vault, f"9{head}", records], "this line is of another vault"),
        ([kind, f"2099{at[4:]}", vault, head, records], "is still to come"),
        ([kind, at.replace("-", "-9", 1), vault, head, records], "is no time"),
    ):
        assert words in run.fails(2, "--config", home.folder, "drill", "--noted", "/".join(wrong))
    assert noted(home) is None


def test_a_line_is_noted_only_where_there_is_a_journal(run: Runner, home: Home, tmp_path: Path) -> None:
    line = drill_elsewhere(run, home, tmp_path).output.split()[-1]
    error = run.fails(2, "--config", tmp_path / "other", "drill", "--noted", line)
    assert "names no spool on this host" in error


def test_where_every_archive_was_disposed_of_that_is_said_and_noted(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    dispose_at_home(home, archive.name)
    assert "every archive was disposed of" in run.fails(3, "--config", home.folder, "drill")
    with closing(Journal(home.settings.journal)) as journal:
        assert drill_due_ms(home.settings, journal, NOW_MS, head=archive.head) is None


def test_that_a_store_is_away_which_may_be_is_no_matter_for_half_a_year(run: Runner, home: Home) -> None:
    add_store(home, "drawer", required=False)
    assert run("--config", home.folder, "drill").code == 3
    assert noted(home) == (0, True)


def test_a_drill_of_a_store_that_has_lost_all_gives_no_line_to_keep(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    add_store(home, "copy", required=False)
    shutil.copytree(home.folder / "vault", home.folder / "copy")
    shutil.rmtree(home.folder / "vault" / "archives")
    other = Home(copy_folder(home.folder, tmp_path / "other"))
    without_collector(other)
    result = run("--config", other.folder, "drill")
    assert (result.code, "--noted" in result.output) == (3, False)


def test_a_later_failure_does_not_undo_what_went_well(home: Home) -> None:
    with closing(Journal(home.settings.journal)) as journal:
        note_drill(journal, NOW_MS, 0)
        note_drill(journal, NOW_MS + 1, 20)
        note = load_drill(journal)
    assert note is not None
    assert (note.good_ms, note.code) == (NOW_MS, 20)


def test_nothing_of_it_is_written_to_a_disk(home: Home, tmp_path: Path) -> None:
    """Seen from outside: what is written is the log, the journal, and what Python keeps of itself."""
    strace = require_program("strace")
    trace = tmp_path / "trace"
    ran = subprocess.run(
        [
            strace, "-f", "-y", "-e", "trace=openat,creat,memfd_create", "-o", trace,
            *PROGRAM, "--config", str(home.folder), "drill",
        ],
        cwd=PROJECT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if "ptrace" in ran.stderr.lower():
        pytest.skip("this host lets nobody trace a process")
    assert ran.returncode == 0, ran.stderr
    written = [
        line
        for line in trace.read_text(errors="replace").splitlines()
        if ("O_WRONLY" in line or "O_RDWR" in line or "memfd" in line or "creat(" in line)
        and "= -1" not in line
    ]
    allowed = (
        *("/vault/audit/", "/keys/records.log", "/keys/.partial-", "/schedule.sqlite", "/state.sqlite"),
        *("/dev/null", "__pycache__"),
    )
    assert [line for line in written if not any(name in line for name in allowed)] == []
    assert any("/vault/audit/" in line for line in written)
