"""What a run says of time stamps to a person, and the same as JSON."""

import click

from archiver.cli._session import Session, print_error, printable
from archiver.errors import IncompleteError
from archiver.sync.stamping import Stamping
from archiver.times import format_time
from archiver.verification.stamps import StampCounts

INCOMPLETE = IncompleteError.exit_code
NAMED = 10


def report_stamping(session: Session, stamping: Stamping) -> int:
    """Say which archives were given a time stamp, and which have none; 3 where one has none."""
    for archive, stamped in stamping.brought.items():
        at = format_time(stamped.time_ms)
        if session.json:
            session.print_json(
                "stamped", archive=archive, at=at, authority=stamped.authority, serial=str(stamped.serial)
            )
        else:
            click.echo(f"  time stamp of {archive}: {at} by {stamped.authority}")
        for failure in stamped.passed_over:
            session.note(printable(f"an authority before it gave no time stamp: {failure}"))
    for problem in stamping.problems:
        print_error(problem)
    if not stamping.lacking:
        return 0
    if session.json:
        session.print_json("unstamped", archives=stamping.lacking)
    else:
        more = f" and {len(stamping.lacking) - NAMED:,} more" if len(stamping.lacking) > NAMED else ""
        session.note(f"without a time stamp: {', '.join(stamping.lacking[:NAMED])}{more}")
    return INCOMPLETE


def stamp_fields(counts: StampCounts) -> dict[str, int]:
    """The counts of a verification, for JSON."""
    return {"right": counts.right, "not_checked": counts.unchecked, "lacking": counts.lacking}


def note_stamps(session: Session, counts: StampCounts, where: str = "") -> None:
    """Say what of time stamps was not checked or is not there. Neither is a fault: a certificate may have
    been taken out of the settings, and an authority may have been down."""
    if counts.unchecked:
        stamps = "time stamp" if counts.unchecked == 1 else "time stamps"
        why = "no certificate of the authority is in the settings"
        session.note(f"{where}{counts.unchecked:,} {stamps} not checked: {why}")
    if counts.lacking and session.settings.timestamps:
        have = "archive has" if counts.lacking == 1 else "archives have"
        session.note(f"{where}{counts.lacking:,} {have} no time stamp: archiver sync asks for it")
