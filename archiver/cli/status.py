"""`archiver status`: is all well, what there is, and what waits."""

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import one_line
from archiver.cli._stale_notice import open_ways, send_stale_notice
from archiver.cli._status_json import status_objects
from archiver.cli._status_lines import status_lines
from archiver.cycles import look_for_cycles_rarely
from archiver.errors import worse_code
from archiver.health.gather import gather
from archiver.times import system_clock


@click.command(
    "status",
    epilog=examples(
        "archiver --config police-archive status",
        "archiver --config police-archive status --ask --json",
        "archiver --config police-archive status --notify   # from cron on a second host",
    ),
)
@click.option("--store", metavar="NAME", help="Read this store only, wherever it is.")
@click.option("--ask", is_flag=True, help="Ask stores that are far away too.")
@click.option("--notify", is_flag=True, help="Send a notice, as [[notice]] says, if not all is well.")
@pass_session
def command(session: Session, store: str | None, ask: bool, notify: bool) -> int:
    """Say whether all is well, and what to do where it is not; then of each account what was collected when,
    the stores and archives, keyholders, what waits, and what archiver run did. Needs no key and no lock, and
    changes nothing.

    Folders are looked at; stores far away only with --ask or --store. Exit 0: all is well. 3: something is
    late or missing. Else as the error says, as 10 where there is no vault and 20 where it is damaged."""
    look_for_cycles_rarely()
    settings = session.settings
    ways = open_ways(session) if notify else ()
    gathered = gather(settings, system_clock(), session.environ, ask=ask, store=store)
    if session.json:
        for kind, fields in status_objects(settings, gathered):
            session.print_json(kind, **fields)
    else:
        for line in status_lines(settings, gathered):
            click.echo(one_line(line))
    snapshot = gathered.snapshot
    unsent = 0 if snapshot.healthy else send_stale_notice(session, ways, snapshot)
    if snapshot.error is not None:
        raise snapshot.error
    return worse_code(snapshot.code, unsent)
