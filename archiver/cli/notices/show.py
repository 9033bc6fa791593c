"""`archiver notices show`: what a notice says, without sending it."""

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import printable
from archiver.health.gather import take_snapshot
from archiver.health.month import gather_month
from archiver.health.monthly import monthly_notice
from archiver.health.notices import Origin, stale_notice, test_notice
from archiver.jobs.told import load_told
from archiver.notify.base import Notice
from archiver.times import format_time, system_clock

SHOWN = ("monthly", "stale", "test")


@click.command("show", epilog=examples("archiver --config police-archive notices show monthly"))
@click.argument("kind", type=click.Choice(SHOWN), metavar="KIND")
@pass_session
def command(session: Session, kind: str) -> int:
    """Print a notice as it would be sent now, and send nothing: monthly, stale or test.

    The monthly one tells of every archive since the last one that was sent. It needs no key. What the others
    say comes from a run."""
    notice = _notice(session, kind)
    if session.json:
        session.print_json(
            "notice",
            kind=notice.kind,
            subject=notice.subject,
            at=format_time(notice.at_ms),
            code=notice.code,
            text=notice.text,
            facts=dict(notice.facts),
        )
    else:
        click.echo(printable(f"Subject: {notice.subject}\n\n{notice.text}"), nl=False)
    return 0


def _notice(session: Session, kind: str) -> Notice:
    settings, now_ms = session.settings, system_clock()
    origin = Origin.of(settings)
    if kind == "test":
        return test_notice(origin, now_ms)
    snapshot = take_snapshot(settings, now_ms, session.environ)
    if kind == "stale":
        return stale_notice(origin, snapshot)
    month = gather_month(settings, load_told(settings.journal).monthly_sequence or None, now_ms)
    return monthly_notice(origin, settings, snapshot, month)
