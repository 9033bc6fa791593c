"""`archiver backup`: the whole job, for cron."""

import click

from archiver.audit.entry import Asked
from archiver.backup import Imported, find_in_inbox, import_exports, move_taken
from archiver.cli._acted import collected_of, imported_of, sealed_of
from archiver.cli._acts import host_act, put_log, share_log
from archiver.cli._copies import first_name, open_first, other_stores, verify_after_sealing
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, progress_bar, step_progress
from archiver.cli._report import report_copies, report_import, report_seal, report_shortage
from archiver.cli._stamps import report_stamping
from archiver.seal import SealOptions, SealResult, seal
from archiver.times import system_clock
from archiver.vault import Vault
from archiver.wiring import Collector, open_collector, seal_options
from archiver.wiring_claims import hold_vault, require_holder


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

    Exports whose records are sealed are moved to `taken/` in the inbox; one that is refused stays there
    and does not stop the others. Exit 0 means that nothing is missing."""
    settings = session.settings
    require_holder(settings)
    with open_collector(settings) as collector:
        options = seal_options(settings)
        results, imported = _import(session, collector, may_add_account=add_account)
        collected = _collect(session, collector)
        vault = open_first(settings)  # only now: what is collected is kept while a store is away
        sealed = _seal(session, collector, vault, options)
        move_taken(settings, results)
        not_understood = report_seal(session, sealed, first_name(settings))
        not_understood = not_understood or report_shortage(session, sealed.archive)
        not_copied = report_copies(session, sealed.copies) or report_stamping(session, sealed.stamping)
        with host_act(session, Asked("verify", "backup"), must=False):
            verified = verify_after_sealing(session, vault, collector.state.head(), sealed.copies)
    unlogged = share_log(session)
    return verified or unlogged or not_copied or imported or collected or not_understood


def _import(session: Session, collector: Collector, *, may_add_account: bool) -> tuple[list[Imported], int]:
    """Take in what lies in the inbox, if anything; what became of it, and the exit code."""
    exports = find_in_inbox(session.settings.inbox)
    if not exports:
        return [], report_import(session, [])
    with host_act(session, Asked("import", "backup", ids=[one.name for one in exports])) as act:
        results = import_exports(
            collector,
            exports,
            may_add_account=may_add_account,
            clock=system_clock,
            progress=progress_bar(session),
        )
        clear_progress(session)
        act.end(**imported_of(results))
    return results, report_import(session, results)


def _seal(session: Session, collector: Collector, vault: Vault, options: SealOptions) -> SealResult:
    settings = session.settings
    with host_act(session, Asked("seal", "backup")) as act:
        hold_vault(settings, collector.spool, collector.state, vault, system_clock)
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
