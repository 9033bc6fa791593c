"""`archiver seal`: the spool into one archive, in every store."""

import click

from archiver.cli._copies import first_name, open_first, other_stores
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._report import report_copies, report_seal
from archiver.cli._stamps import report_stamping
from archiver.seal import seal
from archiver.times import system_clock
from archiver.wiring import open_collector, seal_options


@click.command("seal", epilog=examples("archiver --config police-archive seal"))
@pass_session
def command(session: Session) -> int:
    """Seal everything in the spool into one new archive, put it into every store, read it back and verify it.

    The spool is emptied only when every required store has it. With an empty spool nothing is made; a store
    that was away is given what it lacks, and an older archive the time stamp that it lacks. Exit 3 where an
    optional store could not be given all of it, or a time stamp was not to be had."""
    settings = session.settings
    with open_collector(settings) as collector:
        result = seal(
            collector.spool,
            collector.state,
            open_first(settings),
            seal_options(settings),
            system_clock,
            step_progress(session),
            other_stores(settings),
        )
    clear_progress(session)
    not_understood = report_seal(session, result, first_name(settings))
    not_stamped = report_stamping(session, result.stamping)
    return report_copies(session, result.copies) or not_understood or not_stamped
