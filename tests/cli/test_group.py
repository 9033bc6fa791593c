"""The command line itself: help, versions, errors, exit codes, pipes, interruption."""

import os
import shlex
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from archiver import __version__
from archiver.cli._group import COMMANDS
from archiver.cli._session import printable
from tests.cli.runner import PROGRAM, Runner, start_process
from tests.programs import PROJECT

HEAVY = ("cryptography", "apsw", "boto3", "tweepy", "rich", "zstandard", "msgspec", "tomllib", "json")


UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
"""Without what lets a coverage run into every Python process: it imports and costs time."""


def loaded_after(*arguments: str) -> set[str]:
    """Which of the heavy modules a run has imported."""
    script = f"""
import sys
from archiver.cli import main
code = main({list(arguments)!r})
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT, env=UNMEASURED, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(result.stderr.strip("[]\n").replace("'", "").split(", ")) - {""}


def test_the_version_is_printed(run: Runner) -> None:
    assert run("--version").output == f"archiver {__version__}\n"
    assert run("--json", "--version").output == f"archiver {__version__}\n"


def test_version_and_help_import_nothing_heavy() -> None:
    assert loaded_after("--version") == set()
    assert loaded_after("--help") <= {"json"}


def test_the_version_takes_no_longer_than_promised() -> None:
    """0.15 s for the whole process; the best of several, as other work shares the machine."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([*PROGRAM, "--version"], cwd=PROJECT, env=UNMEASURED, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    assert min(times) <= 0.15


def test_the_help_lists_every_command_and_an_example(run: Runner) -> None:
    result = run("--help")
    assert result.code == 0
    for name, (_, text) in COMMANDS.items():
        assert f"  {name} " in result.output
        assert text in result.output
    assert "Example:\n    archiver init" in result.output


@pytest.mark.parametrize(
    "name", [name for name, (module, _) in COMMANDS.items() if find_spec(f"archiver.cli.{module}")]
)
def test_the_help_of_every_command_has_an_example_and_the_common_options(run: Runner, name: str) -> None:
    result = run(name, "--help")
    assert result.code == 0
    assert "Example:\n    archiver " in result.output
    assert "--config FILE" in result.output
    assert "--json" in result.output


def test_without_a_command_the_help_goes_to_standard_error(run: Runner) -> None:
    result = run()
    assert (result.code, result.output) == (2, "")
    assert result.errors.startswith("Usage: archiver")


def test_a_mistyped_command_is_answered_with_the_nearest(run: Runner) -> None:
    assert (
        run.fails(2, "serach", "x")
        == "there is no command serach\narchiver: hint: did you mean: archiver search"
    )
    assert run.fails(2, "zzz") == "there is no command zzz\narchiver: hint: see all of them: archiver --help"


def test_wrong_options_are_told_in_the_same_two_lines(run: Runner) -> None:
    assert run.fails(2, "init") == "missing argument 'DIR'\narchiver: hint: see: archiver init --help"
    assert run.fails(2, "--colour").startswith("no such option '--colour'")
    assert run.fails(2, "keys", "new").startswith("missing argument 'NAME'")


def test_an_error_says_what_and_a_hint_and_exits_with_its_code(run: Runner, tmp_path: Path) -> None:
    assert run.fails(2, "--config", tmp_path / "absent", "config", "check") == (
        f"there is no settings file {tmp_path}/absent\n"
        "archiver: hint: make a vault with: archiver init DIR --holder NAME; "
        "or name its settings: --config FILE"
    )


def test_what_could_steer_a_terminal_is_written_out(run: Runner) -> None:
    assert "\x1b" not in run.fails(2, "--config", "a\x1b[2Jb", "config", "check")
    assert printable("a\x1b]0;x\x07\x9b\u202eä\nb") == "a\\x1b]0;x\\x07\\x9b\\u202eä\nb"


def test_settings_come_from_the_environment_too(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVER_CONFIG", str(tmp_path / "from-the-environment"))
    assert "from-the-environment" in run.fails(2, "config", "check")
    assert "from-the-option" in run.fails(2, "config", "check", "--config", "from-the-option")


def test_a_reader_that_has_enough_ends_the_run_quietly(run: Runner, tmp_path: Path) -> None:
    run("init", tmp_path / "vault", "--holder", "records", "--no-passphrase")
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = start_process("--config", tmp_path / "vault", "keys", "list", output=write_end)
    os.close(write_end)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (141, "")


def test_output_that_cannot_be_written_is_an_error(run: Runner, tmp_path: Path) -> None:
    run("init", tmp_path / "vault", "--holder", "records", "--no-passphrase")
    with open("/dev/full", "w") as full:
        process = start_process("--config", tmp_path / "vault", "keys", "list", output=full.fileno())
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.startswith("archiver: error: no space left on device\n")


def test_a_closed_standard_output_stops_nothing(tmp_path: Path) -> None:
    for number, closed in enumerate((">&-", "2>&-", ">&- 2>&-")):
        home = tmp_path / f"demo-{number}"
        for words in (f"demo {home}", f"--config {home} search flooding"):
            line = f"{shlex.join(map(str, PROGRAM))} {words} {closed}"
            assert subprocess.run(["sh", "-c", line], capture_output=True, timeout=60).returncode == 0


def test_an_interrupted_run_ends_with_130(tmp_path: Path) -> None:
    script = f"import time; open({str(tmp_path / 'on')!r}, 'w'); time.sleep(60)"
    command = f'command:{sys.executable} -c "{script}"'
    process = start_process("init", tmp_path / "vault", "--holder", "records", "--passphrase-from", command)
    while not (tmp_path / "on").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (130, "", "\narchiver: interrupted\n")
    assert not (tmp_path / "vault").exists()


def test_shells_get_completions() -> None:
    environ = {"_ARCHIVER_COMPLETE": "bash_complete", "COMP_WORDS": "archiver ke", "COMP_CWORD": "1"}
    process = start_process(environ=environ)
    output, _ = process.communicate(timeout=30)
    assert output.split() == ["plain,keys"]
