"""`archiver schedule systemd`: a hardened service, and a timer that starts it."""

import os
import pwd
import re
from pathlib import Path

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli.schedule._started import PROGRAM, every_option, read_started
from archiver.disk import make_directories, os_errors_reported, write_atomically
from archiver.errors import ArchiverError, UsageError
from archiver.schedule.starting import Touched, touched_by
from archiver.schedule.systemd import CREDENTIAL_FOLDER, MARK, Units, make_units, unit_paths
from archiver.settings import Settings

SYSTEM_UNITS = Path("/etc/systemd/system")
USER_UNITS = Path(".config/systemd/user")
RUNNING = Path("/run/systemd/system")
"""Is there where systemd runs: sd_booted(3)."""
MOST_UNIT_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]{0,99}")


@click.command(
    "systemd",
    epilog=examples(
        "archiver --config /etc/archiver schedule systemd",
        "archiver --config /etc/archiver schedule systemd --install",
        "archiver --config police-archive schedule systemd --install --user-units",
    ),
)
@click.option("--install", is_flag=True, help=f"Write them to {SYSTEM_UNITS}; start nothing.")
@every_option
@click.option("--user", metavar="NAME", help="Run as this user; else as the owner of the spool's key.")
@click.option("--user-units", is_flag=True, help="For your own systemd: no root needed, less shut off.")
@click.option("--name", default=PROGRAM, show_default=True, metavar="NAME", help="What the units are called.")
@pass_session
def command(
    session: Session, install: bool, every: str, user: str | None, user_units: bool, name: str
) -> None:
    """Print a service and a timer for systemd that start `archiver run`; with --install, write them.

    The service may write to the folders that the settings name, and to nothing else. Each secret that the
    settings take as credential:NAME is loaded from /etc/credstore.encrypted/NAME, which systemd-creds makes.
    Units that somebody else wrote are never replaced. Nothing is started: the commands for that are
    printed. When the settings name other folders, install anew."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name[:40]!r} cannot be a unit's name", "letters, digits, : _ . and -")
    if user is not None and user_units:
        raise UsageError("--user and --user-units contradict each other", "units of a user run as that user")
    settings = session.settings
    owner = None if user_units else _require_user(user) if user else _owner_of(settings)
    started = read_started(session, every, owner)
    touched = touched_by(settings, started.program)
    units = make_units(started, touched, of_user=user_units)
    folder = Path.home() / USER_UNITS if user_units else SYSTEM_UNITS
    service, timer = unit_paths(folder, name)
    changed = _write(service, timer, units, of_user=user_units) if install else False
    if session.json:
        for path, text in ((service, units.service), (timer, units.timer)):
            session.print_json("unit", path=str(path), text=text, installed=install, changed=changed)
        return
    if not install:
        click.echo(f"# {service}\n{units.service}\n# {timer}\n{units.timer}", nl=False)
        session.note("\nWrite them there with --install.")
        return
    if owner == "root":
        session.note("It would run as root, which it does not need: give --user NAME.")
    click.echo(f"{'Wrote' if changed else 'There already:'} {service} and {timer}.")
    _say_what_next(touched, name, of_user=user_units)


def _require_user(name: str) -> str:
    try:
        return pwd.getpwnam(name).pw_name
    except KeyError as error:
        raise UsageError(
            f"there is no user {name[:40]} on this machine", f"make one: useradd --system {PROGRAM}"
        ) from error


def _owner_of(settings: Settings) -> str:
    """Who owns the spool's key, which nobody else may read; who runs this, where there is none."""
    try:
        number = settings.spool_identity.stat().st_uid
    except OSError:
        number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _write(service: Path, timer: Path, units: Units, *, of_user: bool) -> bool:
    """Write both, whole or not at all; whether anything was changed. Raise UsageError, writing nothing, where
    one that somebody else wrote is there."""
    wanted = {service: units.service.encode(), timer: units.timer.encode()}
    there = {path: _existing(path) for path in wanted}
    if of_user:
        make_directories(service.parent)
    for path, data in wanted.items():
        if there[path] != data:
            _put(path, data)
    return there != wanted


def _put(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data, 0o644)
    except ArchiverError as error:
        if path.is_relative_to(SYSTEM_UNITS) and os.getuid() != 0:
            raise ArchiverError(error.message, "as root: sudo; or for yourself: --user-units") from error
        raise


def _existing(path: Path) -> bytes | None:
    """What is there, if it is ours to replace."""
    if not os.path.lexists(path):
        return None
    data = b""
    if path.is_file() and not path.is_symlink():
        with os_errors_reported("reading", path), path.open("rb") as file:
            data = file.read(MOST_UNIT_BYTES)
    if not data.startswith(MARK.encode()):
        raise UsageError(
            f"{path} was not written by archiver schedule systemd",
            "move it away, or choose another name: --name NAME",
        )
    return data


def _say_what_next(touched: Touched, name: str, *, of_user: bool) -> None:
    systemctl = "systemctl --user" if of_user else "systemctl"
    if not RUNNING.is_dir():
        click.echo("systemd does not run here: they are used when it does.")
    for credential in touched.credentials:
        click.echo(
            f"  systemd-creds encrypt --name={credential} - {CREDENTIAL_FOLDER}/{credential}"
            "      # unless it is there"
        )
    click.echo(f"  {systemctl} daemon-reload")
    click.echo(f"  {systemctl} enable --now {name}.timer")
    click.echo(f"  {systemctl} list-timers {name}.timer      # when it runs next")
    if of_user:
        click.echo("  loginctl enable-linger      # so that it runs while you are not logged in")
