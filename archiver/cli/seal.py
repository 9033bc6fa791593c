"""`archiver seal`: the spool into one archive."""

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._report import clear_progress, report_seal, step_progress
from archiver.seal import seal
from archiver.times import system_clock
from archiver.wiring import open_collector, open_vault, seal_options


@click.command("seal", epilog=examples("archiver --config police-archive seal"))
@pass_session
def command(session: Session) -> int:
    """Seal everything in the spool into one new archive, read it back and verify it.

    The spool is emptied only after that. With an empty spool nothing is made."""
    settings = session.settings
    with open_collector(settings) as collector:
        result = seal(
            collector.spool,
            collector.state,
            open_vault(settings),
            seal_options(settings),
            system_clock,
            step_progress(session),
        )
    clear_progress(session)
    return report_seal(session, result)
