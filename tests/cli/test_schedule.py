"""`archiver schedule cron` and `systemd` as a person meets them; and that a run does with what they allow."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.schedule.starting import touched_by
from archiver.schedule.systemd import MARK
from archiver.settings import load_settings
from tests.cli.runner import PROGRAM, Runner
from tests.crontab import own_crontab
from tests.faults.folders import make_folder, sample
from tests.homes import Home
from tests.programs import PROJECT, require_program

OTHER = b"# somebody's own \xff\n0 1 * * * true\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("scheduled") / "a folder with 100% and 'quotes'")


def test_the_lines_for_cron_are_printed_and_a_person_is_told_what_to_do(run: Runner, folder: Path) -> None:
    result = run("--config", folder, "schedule", "cron", "--every", "15m")
    assert result.code == 0
    first, _, line, last = result.output.splitlines()
    assert first == f"# archiver: begin {folder}/archiver.toml"
    assert last == f"# archiver: end {folder}/archiver.toml"
    assert "/archiver --config " in line
    assert line.endswith(" run --quiet")
    assert "crontab -e" in result.errors
    (told,) = run("--config", folder, "--json", "schedule", "cron", "--every", "15m").json_lines()
    assert told["text"] == result.output


def test_installing_puts_the_lines_into_the_crontab_once(run: Runner, folder: Path) -> None:
    with own_crontab() as crontab:
        crontab.write(OTHER)
        words = ("--config", folder, "schedule", "cron", "--install")
        assert run(*words).output == "It is in your crontab.\n"
        printed = run("--config", folder, "schedule", "cron").output
        assert crontab.read() == OTHER + printed.encode()
        assert run(*words).output == "It is in your crontab already; nothing was changed.\n"
        assert crontab.read() == OTHER + printed.encode()
        assert run(*words, "--every", "1d").output == "It is in your crontab.\n"
        daily = run("--config", folder, "schedule", "cron", "--every", "1d").output
        assert crontab.read() == OTHER + daily.encode()
        crontab.write(None)
        assert run(*words).code == 0
        assert crontab.read() == printed.encode()


def test_where_cron_is_not_installed_or_refuses_it_is_said(
    run: Runner, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--config", folder, "schedule", "cron", "--install")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no program crontab on this machine" in run.fails(2, *words)
    refusing = tmp_path / "crontab"
    refusing.write_text("#!/bin/sh\necho 'You (somebody) are not allowed to use this program' >&2\nexit 1\n")
    refusing.chmod(0o755)
    assert "crontab refuses: You (somebody) are not allowed" in run.fails(1, *words)
    refusing.write_text("#!/bin/sh\nexit 0\n")
    assert "the crontab is not what was written" in run.fails(1, *words)


def test_the_line_is_what_a_shell_runs_in_crons_bare_environment(run: Runner, folder: Path) -> None:
    """`archiver run` stands at its end; `status` in its place shows that program and settings are found."""
    line = run("--config", folder, "schedule", "cron").output.splitlines()[2]
    command = line.split(" ", 5)[5].replace("\\%", "%").removesuffix("run --quiet") + "status --json"
    bare = {"HOME": "/", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "somebody"}
    done = subprocess.run(["/bin/sh", "-c", command], env=bare, cwd="/", capture_output=True, check=False)
    assert done.returncode in (0, 3), done
    assert b'"type": "waiting"' in done.stdout


# systemd


def test_the_units_are_printed_with_their_paths(run: Runner, folder: Path) -> None:
    result = run("--config", folder, "schedule", "systemd", "--user", "root")
    assert result.code == 0
    assert result.output.count(MARK) == 2
    assert "# /etc/systemd/system/archiver.service\n" in result.output
    lines = run("--config", folder, "--json", "schedule", "systemd", "--name", "second").json_lines()
    assert [Path(str(one["path"])).name for one in lines] == ["second.service", "second.timer"]
    assert not any(one["installed"] for one in lines)


def test_units_are_installed_once_and_those_of_others_stay(
    run: Runner, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    words = ("--config", folder, "schedule", "systemd", "--user-units", "--install")
    units = tmp_path / ".config" / "systemd" / "user"
    first = run(*words)
    assert first.code == 0
    assert first.output.startswith(f"Wrote {units}/archiver.service and {units}/archiver.timer.\n")
    assert "systemctl --user enable --now archiver.timer" in first.output
    assert sorted(path.name for path in units.iterdir()) == ["archiver.service", "archiver.timer"]
    assert run(*words).output.startswith("There already: ")
    assert run(*words, "--every", "1d").output.startswith("Wrote ")
    (units / "archiver.timer").write_text("[Timer]\nOnCalendar=daily\n")
    before = (units / "archiver.service").read_bytes()
    assert "was not written by archiver schedule systemd" in run.fails(2, *words)
    (units / "archiver.timer").unlink()
    (units / "archiver.timer").symlink_to("/dev/null")  # as `systemctl mask` does
    assert "was not written by archiver schedule systemd" in run.fails(2, *words)
    assert (units / "archiver.service").read_bytes() == before
    assert (units / "archiver.timer").is_symlink()


def test_what_makes_no_sense_for_systemd_is_refused(run: Runner, folder: Path) -> None:
    words = ("--config", folder, "schedule", "systemd")
    assert "there is no user nobody-of-that-name" in run.fails(2, *words, "--user", "nobody-of-that-name")
    assert "contradict each other" in run.fails(2, *words, "--user", "root", "--user-units")
    for name in ("a/b", "", "../x", "x y", "x\n"):
        assert "cannot be a unit's name" in run.fails(2, *words, "--name", name)
    assert "is no time between two runs" in run.fails(2, *words, "--every", "7m")


WITHOUT_WRITABLE_CODE = """
import ctypes, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE, which MemoryDenyWriteExecute= sets
    sys.exit(77)
from archiver.cli import main
sys.exit(main())
"""


def test_a_backup_does_without_memory_that_can_be_written_and_run(tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    sample(home.folder / "inbox" / "export.zip", months=1)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_WRITABLE_CODE, "--config", home.folder, "backup", "--add-account"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE")
    assert done.returncode == 0, done.stderr
    assert len(home.archives) == 1


def test_a_backup_writes_to_no_folder_but_those_that_the_unit_lets_it(tmp_path: Path) -> None:
    """The same as ProtectSystem=strict and ReadWritePaths= do: all of the test's folder is mounted to be read
    only, and over that what may be written to."""
    unshare = require_program("unshare")
    base = tmp_path / "base"
    home = Home(make_folder(base / "etc"))
    state = base / "state"
    state.mkdir()
    settings = home.folder / "archiver.toml"
    text = settings.read_text()
    for name in ("spool", "inbox", "vault"):
        shutil.move(home.folder / name, state / name)
        text = text.replace(f'{name} = "{name}"', f'{name} = "{state / name}"')
    settings.write_text(text.replace('state = "state.sqlite"', f'state = "{state / "state.sqlite"}"'))
    sample(state / "inbox" / "export.zip", months=1)
    add_account(settings)
    folders = touched_by(load_settings(settings), Path("/opt/archiver")).folders
    assert home.folder not in folders
    for folder in folders:
        folder.mkdir(exist_ok=True)
    # Each by itself, so that it stays as it is when what it lies in may not be written to any more.
    own = [f"mount --bind '{folder}' '{folder}'" for folder in (base, *folders)]
    mounts = " && ".join(["mount --make-rprivate /", *own, f"mount -o remount,bind,ro '{base}'"])
    script = f"({mounts}) || exit 77\n"
    script += f'if touch "{base}/etc/x" 2>/dev/null; then exit 78; fi\nexec "$@"\n'
    words = [unshare, *([] if os.getuid() == 0 else ["-r"]), "--mount", "sh", "-c", script, "sh", *PROGRAM]
    done = subprocess.run(
        [*words, "--config", home.folder, "backup"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode == 77 or done.stderr.startswith("unshare: "):
        pytest.skip("no mounts of one's own here")
    assert done.returncode == 0, done
    assert len(home.archives) == 1


def add_account(settings: Path) -> None:
    from archiver.sample import SAMPLE_ACCOUNT_ID

    with settings.open("a") as file:
        file.write(f'\n[[account]]\nplatform = "x"\nid = "{SAMPLE_ACCOUNT_ID}"\n')
