"""`archiver seal`: the spool into one archive, in every store."""

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act, put_log, share_log
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._report import report_copies, report_seal
from archiver.cli._stamps import report_stamping
from archiver.errors import worse_code
from archiver.jobs.noting import note_by_hand
from archiver.jobs.work.sealed import SpoolSealed, seal_code, seal_excused, seal_problems, sealed_of
from archiver.seal import seal
from archiver.times import system_clock
from archiver.wiring.claims import hold_vault, require_holder
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import first_name, open_first, other_stores, seal_options


@click.command("seal", epilog=examples("archiver --config police-archive seal"))
@pass_session
def command(session: Session) -> int:
    """Seal everything in the spool into one new archive, put it into every store, read it back and verify it.

    The spool is emptied only when every required store has it. With an empty spool nothing is made; a store
    that was away is given what it lacks, and an older archive the time stamp that it lacks. Exit 3 where an
    optional store could not be given all of it, or a time stamp was not to be had."""
    settings = session.settings
    require_holder(settings)
    started_ms = system_clock()
    with host_act(session, Asked("seal", "seal")) as act:
        with open_collector(settings) as collector:
            vault = open_first(settings)
            hold_vault(settings, collector.spool, collector.state, vault, system_clock)
            unlogged = put_log(session, vault.store)  # so that the manifest names it
            result = seal(
                collector.spool,
                collector.state,
                vault,
                seal_options(settings),
                system_clock,
                step_progress(session),
                other_stores(settings),
            )
        clear_progress(session)
        act.end(**sealed_of(result))
    not_understood = report_seal(session, result, first_name(settings))
    not_copied = report_copies(session, result.copies)
    not_stamped = report_stamping(session, result.stamping)
    done = SpoolSealed(result, vault)
    code = worse_code(seal_code(done), unlogged)
    note_by_hand(settings, "seal", started_ms, system_clock(), code, seal_problems(done), seal_excused(done))
    return unlogged or share_log(session) or not_copied or not_understood or not_stamped
