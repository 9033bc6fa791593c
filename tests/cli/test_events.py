"""`--log FILE`: JSON lines for whatever collects logs."""

import json
import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from archiver.cli._events import MOST_BYTES, EventLog
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, LockedError
from tests.cli.runner import PROGRAM, Runner, start_process
from tests.cli.stores import add_store
from tests.collected import Asked, add_force, fake_x, make_x_home
from tests.faults.folders import copy_folder
from tests.homes import Home, make_home
from tests.programs import PROJECT

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("events"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


def read(path: Path) -> list[dict[str, Any]]:
    """Every line, each a whole JSON object with what each has."""
    lines = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    for line in lines:
        assert list(line) == ["time", "level", "event", "run", "pid", "facts"]
        assert TIME.fullmatch(line["time"])
    return lines


def events(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(line["level"], line["event"]) for line in lines]


def test_a_run_tells_its_beginning_each_job_and_its_end(run: Runner, home: Home, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    assert run("--config", home.folder, "run", "--only", "sync", "--log", path).code == 0
    lines = read(path)
    assert events(lines) == [("info", name) for name in ("begin", "job.begin", "job.end", "end")]
    assert lines[0]["facts"]["command"] == "archiver run"
    assert lines[2]["facts"] | {"seconds": 0} == {
        "job": "sync", "code": 0, "seconds": 0, "archives": 1, "given": {"vault": 0}, "bytes": 0,
        "unreached": [], "lacking": [], "problems": 0,
    }  # fmt: skip
    assert lines[3]["facts"]["code"] == 0
    assert 0 < lines[3]["facts"]["seconds"] < 60
    assert {line["pid"] for line in lines} == {os.getpid()}
    assert len({line["run"] for line in lines}) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_run_is_appended_under_a_number_of_its_own_also_after_rotation(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    for _ in range(2):
        assert run("--log", path, "--config", home.folder, "run", "--only", "sync").code == 0
    assert len({line["run"] for line in read(path)}) == 2
    path.rename(tmp_path / "run.jsonl.1")
    assert run("--log", path, "--config", home.folder, "run", "--only", "sync").code == 0
    assert events(read(path)) == [("info", "begin"), ("info", "end")]


def test_the_environment_names_it_and_the_option_goes_before(
    run: Runner, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVER_LOG", str(tmp_path / "environment"))
    assert run("--config", home.folder, "config", "check").code == 0
    assert read(tmp_path / "environment")[0]["facts"]["command"] == "archiver config check"
    assert run("--config", home.folder, "config", "check", "--log", tmp_path / "option").code == 0
    assert len(read(tmp_path / "environment")) == 2
    assert len(read(tmp_path / "option")) == 2
    monkeypatch.setenv("ARCHIVER_LOG", "")
    assert run("--config", home.folder, "config", "check").code == 0


def test_a_problem_and_what_it_ends_in_are_told_with_what_to_do(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    add_store(home, "second", required=True)
    assert run("--config", home.folder, "run", "--only", "sync", "--log", tmp_path / "log").code == 10
    lines = read(tmp_path / "log")
    (end,) = [line for line in lines if line["event"] == "job.end"]
    assert (end["level"], end["facts"]["code"], end["facts"]["problems"]) == ("error", 10, 1)
    (problem,) = [line for line in lines if line["event"] == "problem"]
    assert problem["level"] == "warning"
    assert (problem["facts"]["job"], "second" in problem["facts"]["problem"]) == ("sync", True)
    assert (lines[-1]["level"], lines[-1]["facts"]["code"]) == ("error", 10)
    assert run("--config", home.folder, "sync", "--log", tmp_path / "sync").code == 10
    kinds = [(line["event"], line["facts"].get("kind")) for line in read(tmp_path / "sync")]
    assert kinds == [("begin", None), ("problem", "NoVaultError"), ("end", None)]


def test_an_error_that_ends_a_command_is_told_before_its_end(run: Runner, home: Home, tmp_path: Path) -> None:
    path = tmp_path / "log"
    (home.folder / "archiver.toml").write_text("nonsense = 1\nanother = 2\n")
    run.fails(2, "--config", home.folder, "run", "--log", path)
    error, end = read(path)[1:]
    assert (error["event"], error["facts"]["kind"], error["facts"]["code"]) == ("error", "SettingsError", 2)
    assert "nonsense" in error["facts"]["message"]
    assert error["facts"]["hint"]
    assert (end["event"], end["facts"]["code"]) == ("end", 2)


def test_nobody_is_told_what_was_searched_for_or_whom_a_record_is_about(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    for words in (
        ("search", "burglary"),
        ("search", "frm:burglary"),
        ("search", "burglary", "--limit", "burglary"),
        ("search", "--burglary"),
        ("show", "burglary"),
        ("burglary", "x"),
        ("moderate", "burglary", "--reason", "burglary"),
        ("moderation", "list", "burglary"),
        ("evidence", "export", "burglary", "--case", "burglary", "--output", str(tmp_path / "burglary")),
        ("log", "show", "burglary"),
    ):
        run("--log", path, "--config", home.folder, *words)
    lines = read(path)
    assert [line["event"] for line in lines].count("begin") == 10
    assert [line["event"] for line in lines].count("end") == 10
    assert [line["event"] for line in lines].count("error") >= 8
    assert "burglary" not in path.read_text()


def test_neither_secrets_nor_posts_are_in_it(run: Runner, tmp_path: Path) -> None:
    with fake_x() as x:
        force = add_force(x, posts=3, mentions=2)
        home = make_x_home(
            tmp_path / "home", x, Asked(force, kinds=("posts", "mentions"), token="a-token-nobody-sees")
        )
        path = tmp_path / "log"
        assert run("--config", home.folder, "run", "--log", path).code == 0
        assert run("--config", home.folder, "search", "Main", "--log", path).code == 0
    text = path.read_text()
    for word in ("a-token-nobody-sees", "Main Street", "question", "person_", "Person", "AGE-SECRET-KEY"):
        assert word not in text
    kinds = [line["facts"] for line in read(path) if line["event"] == "collect.kind"]
    assert [(one["account"], one["kind"], one["new"]) for one in kinds] == [
        (force.id, "posts", 3),
        (force.id, "mentions", 2),
    ]


def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)  # that nobody reads
    settings = home.folder / "archiver.toml"
    described = home.folder / "vault" / "vault.json"  # begins with "{", as a line of a log
    before = settings.read_bytes(), described.read_bytes()
    for path in (tmp_path, tmp_path / "absent" / "log", Path("/dev/full"), fifo, settings, described):
        result = run("--config", home.folder, "run", "--only", "seal", "--log", path)
        assert (result.code, result.output) == (0, "Nothing is due.\n")
        (line,) = result.errors.splitlines()
        assert line.startswith(f"archiver: the log {path} cannot be written: ")
    assert (settings.read_bytes(), described.read_bytes()) == before


def test_a_log_of_which_the_first_line_was_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"ti')
    log = EventLog(lambda text: pytest.fail(text))
    log.path = str(path)
    log.begin("archiver run")
    assert json.loads(path.read_text().splitlines()[1])["event"] == "begin"


def test_a_line_that_a_full_disk_cut_off_spoils_no_other(run: Runner, home: Home, tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert run("--config", home.folder, "config", "check", "--log", path).code == 0
    path.write_bytes(path.read_bytes() + b'{"time": "2026-')
    assert run("--config", home.folder, "config", "check", "--log", path).code == 0
    lines = path.read_text().splitlines()
    assert len(lines) == 5
    assert [json.loads(line)["event"] for number, line in enumerate(lines) if number != 2] == [
        "begin", "end", "begin", "end",
    ]  # fmt: skip


def test_help_writes_nothing(run: Runner, tmp_path: Path) -> None:
    for words in (("--help",), ("run", "--help"), ("--version",)):
        assert run("--log", tmp_path / "log", *words).code == 0
    assert not (tmp_path / "log").exists()


def test_to_standard_error_between_other_lines(home: Home) -> None:
    process = start_process("--config", home.folder, "run", "--log", "-", "--only", "seal")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "Nothing is due.\n")
    assert [json.loads(line)["event"] for line in errors.splitlines()] == ["begin", "end"]
    assert json.loads(errors.splitlines()[0])["pid"] == process.pid


def test_lines_of_processes_that_write_at_once_do_not_mix(tmp_path: Path) -> None:
    script = (
        "import sys; from archiver.cli._events import EventLog;"
        "log = EventLog(lambda text: sys.exit(text)); log.path = sys.argv[1]; log.begin('archiver run');"
        "[log.event('job.end', {'number': n, 'text': 'x' * (n % 400)}) for n in range(500)]; log.end(0)"
    )
    path = tmp_path / "log"
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=PROJECT) for _ in range(4)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0, 0]
    lines = read(path)
    assert len(lines) == 4 * 502
    assert len({(line["run"], line["facts"].get("number")) for line in lines}) == 4 * 501


def test_whatever_is_told_a_line_fits_a_pipe_and_is_one(tmp_path: Path) -> None:
    warned: list[str] = []
    log = EventLog(warned.append)
    log.path = str(tmp_path / "log")
    log.event("early", {"text": "a\nb\x85c\u2028d\udcff"})
    log.event("long", {"text": "ü" * 10_000, "list": list(range(100)), "map": {"path": Path("/x")}})
    log.event("huge", {f"fact {number}": "x" * 400 for number in range(100)})
    assert warned == []
    early, long, huge = read(tmp_path / "log")
    assert early["facts"]["text"] == "a\nb\x85c\u2028d\udcff"
    assert len(long["facts"]["text"]) == 501
    assert long["facts"]["list"][-1] == "and 80 more"
    assert long["facts"]["map"] == {"path": "/x"}
    assert huge["facts"]["left_out_bytes"] > 40_000
    assert max(map(len, (tmp_path / "log").read_bytes().splitlines())) < MOST_BYTES


@pytest.mark.parametrize(
    ("command", "error", "is_told"),
    [
        ("archiver search", ArchiverError("a word"), False),
        ("archiver search", IntegrityError("a word"), False),
        ("archiver search", LockedError("a lock"), True),
        ("archiver run", IntegrityError("archives/x"), True),
        ("archiver of a later version", ArchiverError("a word"), False),
    ],
)
def test_the_words_of_an_error_are_told_where_they_can_name_nobody(
    tmp_path: Path, command: str, error: ArchiverError, is_told: bool
) -> None:
    log = EventLog(pytest.fail)
    log.path = str(tmp_path / "log")
    log.begin(command)
    log.error(error, ends=True)
    assert ("message" in read(tmp_path / "log")[1]["facts"]) == is_told


def test_what_is_incomplete_is_a_warning_and_a_defect_is_told_without_its_words(tmp_path: Path) -> None:
    log = EventLog(pytest.fail)
    log.path = str(tmp_path / "log")
    log.begin("archiver run")
    log.error(IncompleteError("something is missing", "look"), "store second")
    log.defect(ZeroDivisionError("a secret word"))
    log.end(1)
    _, problem, error, end = read(tmp_path / "log")
    assert (problem["level"], problem["event"]) == ("warning", "problem")
    assert problem["facts"]["message"] == "store second: something is missing"
    assert (error["facts"]["kind"], "secret" in str(error)) == ("ZeroDivisionError", False)
    assert end["level"] == "error"


def test_threads_may_tell_at_once(tmp_path: Path) -> None:
    log = EventLog(pytest.fail)
    log.path = str(tmp_path / "log")
    threads = [
        threading.Thread(target=lambda: [log.event("collect.kind", {"n": n}) for n in range(200)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read(tmp_path / "log")) == 800


def test_the_program_is_not_slower_for_it() -> None:
    """Nothing is imported for it that `--version` or a search would pay for."""
    code = "import sys; import archiver.cli._events; print('msgspec' in sys.modules, 'click' in sys.modules)"
    ended = subprocess.run([PROGRAM[0], "-c", code], cwd=PROJECT, capture_output=True, check=True)
    assert ended.stdout == b"False False\n"
