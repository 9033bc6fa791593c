"""`archiver backup`: import, collect and seal now, due or not, and verify what was sealed."""

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act, report_log, share_log
from archiver.cli._copies import verify_after_sealing
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, progress_bar, step_progress
from archiver.cli._report import print_errors, report_copies, report_inbox, report_seal, report_shortage
from archiver.cli._stamps import report_stamping
from archiver.errors import worse_code
from archiver.jobs.base import JobContext
from archiver.jobs.noting import note_done
from archiver.jobs.run import open_context
from archiver.jobs.work.imported import import_inbox, import_problems, put_away
from archiver.jobs.work.sealed import SpoolSealed, seal_code, seal_excused, seal_problems, seal_spool
from archiver.times import system_clock
from archiver.wiring.claims import require_holder
from archiver.wiring.seal import first_name, seal_options


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
    require_holder(settings)
    with open_context(settings, session.environ, system_clock) as context:
        options, started_ms = seal_options(settings), system_clock()
        inbox = import_inbox(context, "backup", may_add_account=add_account, progress=progress_bar(session))
        clear_progress(session)
        import_code = report_inbox(session, inbox)
        note_done(context, "import", started_ms, import_code, import_problems(inbox))
        collect_code = _collect(session, context)
        sealed = seal_spool(context, "backup", options=options, progress=step_progress(session))
        clear_progress(session)
        report_log(sealed.unlogged)
        import_code = worse_code(import_code, print_errors(put_away(context)))
        not_copied, not_understood = _report_sealed(session, sealed)
        problems, excused = seal_problems(sealed), seal_excused(sealed)
        note_done(context, "seal", started_ms, seal_code(sealed), problems, excused)
        with host_act(session, Asked("verify", "backup"), must=False):
            head = context.collector.state.head()
            verified = verify_after_sealing(session, sealed.vault, head, sealed.result.copies)
    unlogged = share_log(session)
    return verified or unlogged or not_copied or import_code or collect_code or not_understood


def _report_sealed(session: Session, sealed: SpoolSealed) -> tuple[int, int]:
    """Say what was sealed: the code of what failed of the copies, and that of what the archive lacks."""
    result = sealed.result
    short = report_seal(session, result, first_name(session.settings))
    short = short or report_shortage(session, result.archive)
    return report_copies(session, result.copies) or report_stamping(session, result.stamping), short


def _collect(session: Session, context: JobContext) -> int:
    """Take in what is due from X, where the settings ask for it."""
    if not any(account.api for account in session.settings.accounts):
        return 0
    from archiver.cli._collected import report_collected
    from archiver.jobs.work.collected import collect_due, collect_problems

    show, started_ms = progress_bar(session), system_clock()
    reports = collect_due(
        context,
        "backup",
        seen=lambda account, kind: show(f"of {account.handle or account.id} {kind.kind}", kind.resources),
    )
    clear_progress(session)
    code = report_collected(session, reports)
    note_done(context, "collect", started_ms, code, collect_problems(reports))
    return code
