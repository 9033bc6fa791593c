"""`archiver backup`: the whole job, for cron."""

from contextlib import closing

import click

from archiver.audit.entry import Asked
from archiver.cli._acted import collected_of, sealed_of
from archiver.cli._acts import host_act, put_log, share_log
from archiver.cli._copies import first_name, open_first, other_stores, verify_after_sealing
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, progress_bar, step_progress
from archiver.cli._report import print_errors, report_copies, report_inbox, report_seal, report_shortage
from archiver.cli._stamps import report_stamping
from archiver.errors import worse_code
from archiver.jobs.base import JobContext
from archiver.jobs.work.imported import import_inbox, put_away
from archiver.schedule.journal import Journal
from archiver.seal import SealOptions, SealResult, seal
from archiver.times import system_clock
from archiver.vault import Vault
from archiver.wiring import Collector, open_collector, seal_options


@click.command(
    "backup",
    epilog=examples(
        "archiver --config police-archive backup", "archiver --config police-archive backup --add-account"
    ),
)
@click.option("--add-account", is_flag=True, help="Take accounts that the settings do not name yet.")
@pass_session
def command(session: Session, add_account: bool) -> int:
    """Import every export in the inbox, collect what is due from X where the settings ask for it, seal what
    is new, put it into every store, and verify all of them.

    Exports whose records are sealed are moved to `done/` in the inbox. One that is refused is moved to
    `failed/`, with the reason beside it, and does not stop the others. Exit 0 means that nothing is
    missing."""
    settings = session.settings
    with open_collector(settings) as collector, closing(Journal(settings.journal)) as journal:
        context = JobContext(settings, collector, journal, session.environ, system_clock)
        options = seal_options(settings)
        inbox = import_inbox(context, "backup", may_add_account=add_account, progress=progress_bar(session))
        clear_progress(session)
        imported = report_inbox(session, inbox)
        collected = _collect(session, collector)
        vault = open_first(settings)  # only now: what is collected is kept while a store is away
        sealed = _seal(session, collector, vault, options)
        imported = worse_code(imported, print_errors(put_away(context)))
        not_understood = report_seal(session, sealed, first_name(settings))
        not_understood = not_understood or report_shortage(session, sealed.archive)
        not_copied = report_copies(session, sealed.copies) or report_stamping(session, sealed.stamping)
        with host_act(session, Asked("verify", "backup"), must=False):
            verified = verify_after_sealing(session, vault, collector.state.head(), sealed.copies)
    unlogged = share_log(session)
    return verified or unlogged or not_copied or imported or collected or not_understood


def _seal(session: Session, collector: Collector, vault: Vault, options: SealOptions) -> SealResult:
    settings = session.settings
    with host_act(session, Asked("seal", "backup")) as act:
        put_log(session, vault.store)  # so that the manifest names it
        sealed = seal(
            collector.spool,
            collector.state,
            vault,
            options,
            system_clock,
            step_progress(session),
            other_stores(settings),
        )
        clear_progress(session)
        act.end(**sealed_of(sealed))
    return sealed


def _collect(session: Session, collector: Collector) -> int:
    """Take in what is due from X, where the settings ask for it."""
    if not any(account.api for account in session.settings.accounts):
        return 0
    from archiver.cli._collected import report_collected
    from archiver.collect.connect import asked_accounts, collect_from_x

    show = progress_bar(session)
    accounts = asked_accounts(session.settings)
    with host_act(session, Asked("collect", "backup", ids=[one.id for one, _ in accounts])) as act:
        reports = collect_from_x(
            collector,
            accounts,
            session.environ,
            clock=system_clock,
            told=lambda account, kind: show(f"of {account.handle or account.id} {kind.kind}", kind.resources),
        )
        clear_progress(session)
        act.end(**collected_of(reports))
    return report_collected(session, reports)
