"""`archiver import`: exports into the spool."""

from pathlib import Path

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, progress_bar
from archiver.cli._report import report_import
from archiver.inbox.exports import import_exports
from archiver.inbox.files import holds_refused
from archiver.jobs.noting import note_by_hand
from archiver.jobs.work.imported import imported_of
from archiver.times import system_clock
from archiver.wiring.claims import require_holder
from archiver.wiring.collector import open_collector


@click.command(
    "import",
    epilog=examples(
        "archiver import --add-account twitter-2026-11-01.zip",
        "archiver import twitter-part1.zip twitter-part2.zip",
    ),
)
@click.argument("exports", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="EXPORT.zip…")
@click.option("--add-account", is_flag=True, help="Take an account that the settings do not name yet.")
@pass_session
def command(session: Session, exports: tuple[Path, ...], add_account: bool) -> int:
    """Take X data exports into the spool, as they come from X: nothing is unpacked.

    What was taken before and is unchanged is skipped; what changed, and what is gone, is noted. Files of
    one split export may be given together. Exit 3 where something is missing: it is listed."""
    require_holder(session.settings)
    started_ms = system_clock()
    asked = Asked("import", "import", ids=[one.name for one in exports])
    with host_act(session, asked) as act:
        with open_collector(session.settings) as collector:
            results = import_exports(
                collector,
                exports,
                may_add_account=add_account,
                clock=system_clock,
                progress=progress_bar(session),
            )
        clear_progress(session)
        act.end(**imported_of(results))
    code = report_import(session, results)
    # What was refused lies there still, for somebody to see to.
    if code == 0 and not holds_refused(session.settings.inbox):
        note_by_hand(session.settings, "import", started_ms, system_clock(), code)
    return code
