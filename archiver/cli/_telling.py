"""Where a run meets the notices: at its beginning, at its end, and where an error ended it."""

from pathlib import Path

from archiver.cli._session import Session
from archiver.errors import ArchiverError
from archiver.schedule.report import RunReport


def tell_begin(session: Session) -> None:
    """A run begins. Nobody is to be told yet: `archiver.wiring_notify` opens who is."""


def tell_end(session: Session, report: RunReport) -> int:
    """A run has ended. The exit code that telling makes: 3 where somebody could not be told, else 0."""
    return 0


def tell_error(path: Path | None, error: ArchiverError) -> None:
    """An error ended a run, or it could not begin. `path`: of the settings, where they were found."""
