"""`archiver backup`: the whole job, for cron."""

import click

from archiver.backup import find_in_inbox, import_exports, move_taken
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._report import (
    clear_progress,
    progress_bar,
    report_import,
    report_seal,
    report_verification,
    step_progress,
)
from archiver.seal import seal
from archiver.times import system_clock
from archiver.verification import verify_vault
from archiver.wiring import open_collector, open_vault, seal_options


@click.command(
    "backup",
    epilog=examples(
        "archiver --config police-archive backup", "archiver --config police-archive backup --add-account"
    ),
)
@click.option("--add-account", is_flag=True, help="Take accounts that the settings do not name yet.")
@pass_session
def command(session: Session, add_account: bool) -> int:
    """Import every export in the inbox, seal what is new, and verify the vault.

    Exports whose records are sealed are moved to `taken/` in the inbox; one that is refused stays there
    and does not stop the others. Exit 0 means that nothing is missing."""
    settings = session.settings
    with open_collector(settings) as collector:
        vault = open_vault(settings)
        options = seal_options(settings)
        results = import_exports(
            collector,
            find_in_inbox(settings.inbox),
            may_add_account=add_account,
            clock=system_clock,
            progress=progress_bar(session),
        )
        clear_progress(session)
        imported = report_import(session, results)
        sealed = seal(collector.spool, collector.state, vault, options, system_clock, step_progress(session))
        move_taken(settings, results)
        clear_progress(session)
        not_understood = report_seal(session, sealed)
        verified = report_verification(
            session, verify_vault(vault, known_head=collector.state.head(), progress=step_progress(session))
        )
        clear_progress(session)
    return verified or imported or not_understood
