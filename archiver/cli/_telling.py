"""Where a run meets the notices: at its beginning, at its end, and where an error ended it. What could not be
sent is said on standard error, and changes no exit code but 0."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archiver.cli._session import Session, print_error
from archiver.errors import ArchiverError, IncompleteError
from archiver.schedule.report import RunReport
from archiver.times import system_clock

if TYPE_CHECKING:
    from archiver.jobs.telling import Telling


def tell_begin(session: Session) -> int:
    """A run begins. Return as `tell_end`."""
    telling = _open(session)
    return 0 if telling is None else _say(telling.begin())


def tell_end(session: Session, report: RunReport) -> int:
    """A run has ended. The exit code that telling makes: 3 where somebody could not be told, else 0."""
    telling = _open(session)
    return 0 if telling is None else _say(telling.end(report))


def tell_error(session: Session, error: ArchiverError, started_ms: int | None = None) -> None:
    """An error ended a run, or kept it from beginning; also that another is at work, which is told to nobody
    unless something is late. Where the settings cannot be read, nobody can be told."""
    try:
        telling = _open(session)
    except ArchiverError:
        return
    if telling is not None:
        _say(telling.error(system_clock() if started_ms is None else started_ms, error))


def _open(session: Session) -> "Telling | None":
    """None where the settings name nobody: then nothing is imported."""
    if not session.settings.notices:
        return None
    from archiver.jobs.telling import open_telling

    return open_telling(session.settings, session.environ, system_clock)


def _say(errors: Sequence[ArchiverError]) -> int:
    for error in errors:
        print_error(error)
    return IncompleteError.exit_code if errors else 0
