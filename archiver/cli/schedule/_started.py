"""What the options of `archiver schedule cron` and `systemd` ask for."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from archiver.cli._group import Session
from archiver.errors import UsageError
from archiver.schedule.starting import EVERY_HINT, Started, parse_every

Command = TypeVar("Command", bound=Callable[..., Any])
PROGRAM = "archiver"

every_option = click.option(
    "--every", default="1h", show_default=True, metavar="TIME", help=f"How often: {EVERY_HINT}."
)


def read_started(session: Session, every: str, user: str | None) -> Started:
    """What is to be started: this installation of the program with these settings, which are read first.
    Raise UsageError where the program's own file is not found."""
    return Started(find_program(), Path(os.path.abspath(session.settings.path)), parse_every(every), user)


def find_program() -> Path:
    """The program as cron can start it: beside this Python, else where the shell finds it."""
    beside = Path(sys.executable).parent / PROGRAM
    if os.access(beside, os.X_OK) and beside.is_file():
        return beside.absolute()
    found = shutil.which(PROGRAM)
    if found is None:
        raise UsageError(
            f"there is no program {PROGRAM} beside {sys.executable} or on the PATH",
            "install it, so that cron and systemd have something to start: make setup",
        )
    return Path(found).absolute()
