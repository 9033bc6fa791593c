"""Units for systemd, judged by systemd-analyze, and what a run of theirs may write to."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from archiver.errors import UsageError
from archiver.schedule.starting import Started, Touched, outermost, touched_by, written_folders
from archiver.schedule.systemd import MARK, Units, make_units, quote
from archiver.settings import Settings, load_settings
from tests.faults.folders import make_folder
from tests.programs import PROJECT, require_program
from tests.unit.schedule.layout import STARTED, TOUCHED

MOST_EXPOSED = 1.5
"""Of ten; what is left is that it reaches the network and is no dynamic user."""


def write(folder: Path, units: Units) -> tuple[Path, Path]:
    service, timer = folder / "archiver.service", folder / "archiver.timer"
    service.write_text(units.service)
    timer.write_text(units.timer)
    return service, timer


def analyze(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    program = require_program("systemd-analyze")
    with tempfile.TemporaryDirectory() as runtime:  # which a user's own systemd asks for
        environ = {**os.environ, "XDG_RUNTIME_DIR": runtime}
        return subprocess.run(
            [program, *map(str, words)], capture_output=True, text=True, check=False, env=environ
        )


def startable(tmp_path: Path, name: str = "archiver") -> Started:
    """systemd-analyze looks whether the program is there."""
    program = tmp_path / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return Started(program, tmp_path / "archiver.toml", user="root")


@pytest.mark.parametrize("of_user", [False, True], ids=["system", "user"])
@pytest.mark.parametrize("minutes", [5, 60, 480, 1440])
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path, minutes: int, of_user: bool) -> None:
    started = Started(startable(tmp_path).program, tmp_path / "archiver.toml", minutes, "root")
    touched = Touched((tmp_path / "a", tmp_path / "b c"), ("x-token", "passphrase"))
    paths = write(tmp_path, make_units(started, touched, of_user=of_user))
    done = analyze("verify", *(["--user"] if of_user else []), *paths)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_wrong_unit_would_be_found(tmp_path: Path) -> None:
    units = make_units(startable(tmp_path), TOUCHED)
    for wrong in (("OnCalendar=hourly", "OnCalendar=now and then"), ("Persistent", "Perishable")):
        paths = write(tmp_path, Units(units.service, units.timer.replace(*wrong)))
        assert analyze("verify", *paths).stderr


@pytest.mark.parametrize("name", ["a b", "100%", 'a"b', "it's", "a\\b", "$HOME", "${X}", "ü", "a;b", "%h"])
def test_paths_of_all_kinds_are_read_back_as_they_are(tmp_path: Path, name: str) -> None:
    touched = Touched((tmp_path / name,))
    settings = Started(startable(tmp_path).program, tmp_path / name / "archiver.toml", user="root")
    done = analyze("verify", *write(tmp_path, make_units(settings, touched)))
    assert (done.returncode, done.stderr) == (0, "")
    if set(name) & set("'\"\\"):  # of which systemd says "Executable name contains special characters"
        with pytest.raises(UsageError, match="systemd starts no program"):
            make_units(startable(tmp_path, f"{name}/archiver"), touched)
    else:  # it says so where the program is not there
        done = analyze(
            "verify", *write(tmp_path, make_units(startable(tmp_path, f"{name}/archiver"), touched))
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_a_program_that_is_not_there_would_be_told(tmp_path: Path) -> None:
    paths = write(tmp_path, make_units(Started(tmp_path / "no", tmp_path / "x", user="root"), TOUCHED))
    assert "is not executable" in analyze("verify", *paths).stderr


def test_the_service_is_little_exposed(tmp_path: Path) -> None:
    service, _ = write(tmp_path, make_units(STARTED, TOUCHED))
    shown = analyze("security", "--offline=true", service).stdout
    (score,) = re.findall(r"Overall exposure level for archiver\.service: ([0-9.]+)", shown)
    assert float(score) <= MOST_EXPOSED


def test_the_samples_are_what_the_command_makes() -> None:
    units = make_units(STARTED, TOUCHED)
    assert (PROJECT / "config" / "archiver.service").read_text() == units.service
    assert (PROJECT / "config" / "archiver.timer").read_text() == units.timer


def test_control_characters_are_refused() -> None:
    for folder in ("/a\nb", "/a\x1bb", "/\udcff"):
        with pytest.raises(UsageError, match="cannot stand there"):
            make_units(Started(STARTED.program, Path(folder), user="root"), TOUCHED)
        with pytest.raises(UsageError, match="cannot stand there"):
            make_units(STARTED, Touched((Path(folder),)))
    assert quote("/plain/path") == "/plain/path"


def test_only_what_the_settings_name_may_be_written_to() -> None:
    touched = Touched((Path("/srv/vault"), Path("/var/lib/archiver")), ("x-token",))
    service = make_units(STARTED, touched).service
    assert service.startswith(MARK)
    assert "\nReadWritePaths=-/srv/vault -/var/lib/archiver\n" in service
    assert "\nProtectHome=yes\nPrivateTmp=yes\n" in service
    assert "\nLoadCredentialEncrypted=x-token:/etc/credstore.encrypted/x-token\n" in service
    assert "\nUser=archiver\n" in service
    at_home = make_units(STARTED, Touched((), in_home=True, in_temporary=True)).service
    assert "\nProtectHome=read-only\nPrivateTmp=no\n" in at_home
    of_user = make_units(STARTED, touched, of_user=True).service
    assert "User=" not in of_user
    assert "ProtectSystem" not in of_user
    assert "NoNewPrivileges=yes" in of_user


# What a run writes to


def settings_of(folder: Path, text: str) -> Settings:
    path = make_folder(folder) / "archiver.toml"
    path.write_text(text + path.read_text())
    return load_settings(path)


def test_the_folders_of_the_settings_are_those_written_to(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = settings_of(home, "")
    path = settings.path
    text = (
        path.read_text().replace('vault = "vault"\n', "").replace('state = "state.sqlite"', 'state = "s/x"')
    )
    text = text.replace("[collector]\n", '[collector]\nhost = "here"\n')
    stores = "".join(
        f'[[store]]\nname = "{name}"\nkind = "local"\npath = "{tmp_path}/{name}"\n' for name in ("one", "two")
    )
    api = (
        '[[account]]\nplatform = "x"\nid = "1"\n[account.api]\n'
        f'token = "file:{tmp_path}/tokens/x.token"\n[cache]\nfolder = "{tmp_path}/cache"\n'
    )
    path.write_text(f"{text}\n{stores}{api}")
    settings = load_settings(path)
    assert set(written_folders(settings)) == {
        tmp_path / "one", tmp_path / "two", home / "spool", home / "s", home / "inbox", tmp_path / "cache",
        tmp_path / "tokens",
    }  # fmt: skip


def test_credentials_are_found_wherever_they_stand(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", "")
    text = settings.path.read_text()
    more = (
        '[[account]]\nplatform = "x"\nid = "1"\n[account.api]\nbearer_token = "credential:x-app"\n'
        '[[account]]\nplatform = "x"\nid = "2"\n[account.api]\nbearer_token = "credential:x-app"\n'
    )
    key = '[keyholder]\npassphrase = "credential:records passphrase"\n'
    settings.path.write_text(text.replace("[keyholder]\n", key, 1) + more)
    touched = touched_by(load_settings(settings.path), Path("/opt/archiver"))
    assert touched.credentials == ("records passphrase", "x-app")
    assert touched.in_temporary == str(tmp_path).startswith("/tmp")
    assert not touched.in_home


def test_a_folder_in_another_is_not_named_twice() -> None:
    named = [Path("/a/b"), Path("/a"), Path("/ab"), Path("/a/../c"), Path("/a/b/c")]
    assert outermost(named) == [Path("/a"), Path("/ab"), Path("/c")]


def test_what_notices_need_is_touched_too(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", "")
    metrics = settings.home / "metrics" / "archiver.prom"
    with settings.path.open("a") as file:
        file.write(
            f'\n[[notice]]\nname = "m"\nkind = "textfile"\npath = "{metrics}"\n'
            '[[notice]]\nname = "w"\nkind = "webhook"\nurl = "credential:hook"\n'
            'headers = ["Authorization: credential:hook-token"]\n'
        )
    touched = touched_by(load_settings(settings.path), Path("/opt/archiver"))
    assert {"hook", "hook-token"} <= set(touched.credentials)
    assert any(metrics.is_relative_to(folder) for folder in touched.folders)
