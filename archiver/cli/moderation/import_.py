"""`archiver moderation import`: a log that was kept until now, into the register."""

from contextlib import nullcontext
from pathlib import Path

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import Unlogged, host_act
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, progress_bar
from archiver.cli._session import printable
from archiver.cli.moderation._lines import number_of
from archiver.moderation.decision import require_text
from archiver.moderation.importing import Imported, import_log
from archiver.moderation.log_entry import RowReader
from archiver.moderation.log_reading import BadRow, Log, open_log
from archiver.moderation.mapping import load_mapping, own_mapping
from archiver.state import KeyedHash
from archiver.times import system_clock
from archiver.wiring.claims import require_holder
from archiver.wiring.spool import open_spool, require_spool

INCOMPLETE = 3
FAILED = 1
NAMED = 20
"""So many bad rows are told of in words."""


@click.command(
    "import",
    epilog=examples(
        "archiver moderation import log.csv --mapping log.toml --dry-run",
        "archiver moderation import log.csv --mapping log.toml --by 'web team'",
        "archiver moderation import records.jsonl",
    ),
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    metavar="MAP.toml",
    help="What the log's columns and words mean; else they are those of an export.",
)
@click.option(
    "--account",
    metavar="ID|HANDLE",
    help="Whose rows they are, where a row does not say; not needed where the settings have one account.",
)
@click.option("--by", metavar="WHO", help="Who entered them in the log, where a row does not say.")
@click.option("--dry-run", is_flag=True, help="Say what would be imported, and every bad row; keep nothing.")
@pass_session
def command(
    session: Session, file: Path, mapping: Path | None, account: str | None, by: str | None, dry_run: bool
) -> int:
    """Take a log into the register: CSV or JSON lines, each row a decision that was made.

    config/moderation-log.sample.toml is a mapping to begin with. A row keeps its cells as they stood, with
    the file's SHA-256 and the line. Bad rows are named and left out (exit 3; 1 where no row is good): put
    them right in the log and import it again. What was imported before is known and not taken twice. What is
    imported cannot be taken out again: try --dry-run first.

    An export of this register needs no mapping. It is taken as it stands: what is still to be done there is
    so here, and nothing else. Pictures do not come along."""
    settings = session.settings
    reading = own_mapping() if mapping is None else load_mapping(mapping, settings.moderation)
    entered_by = require_text(by, "--by")
    bad = _BadRows(session)
    show = progress_bar(session)
    asked = Asked("alter", "moderation import", ids=[file.name], detail={"by": by} if by else {})
    logged = nullcontext(Unlogged()) if dry_run else host_act(session, asked)
    require_spool(settings)
    if not dry_run:
        require_holder(settings)
    with open_log(file, reading) as log, logged as act, open_spool(settings) as spool:
        reader = RowReader(
            mapping=reading,
            accounts=settings.accounts,
            reasons=settings.moderation.reason_codes,
            now_ms=system_clock(),
            account=require_text(account, "--account"),
            entered_by=entered_by,
            is_guarded=log.is_guarded,
            is_export=log.is_export,
        )
        result = import_log(
            spool,
            log,
            reader,
            KeyedHash.of(spool.identity),
            dry_run=dry_run,
            on_bad_row=bad.add,
            on_batch=lambda rows: show("rows", rows),
        )
        act.end(results=result.imported, detail={"sha256": log.sha256, "bad": result.bad})
    clear_progress(session)
    _report(session, log, result, dry_run=dry_run)
    bad.print()
    if result.bad and not (result.imported or result.known):
        return FAILED
    return INCOMPLETE if result.bad else 0


class _BadRows:
    """As JSON each at once; in words the first ones, when all is done."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._first: list[BadRow] = []
        self._number = 0

    def add(self, row: BadRow) -> None:
        self._number += 1
        if self._session.json:
            self._session.print_json("bad_row", line=row.line, problems=list(row.problems))
        elif len(self._first) < NAMED:
            self._first.append(row)

    def print(self) -> None:
        for row in self._first:
            click.echo(printable(f"  BAD line {row.line:,}: {'; '.join(row.problems)}").replace("\n", "\\n"))
        if self._first and self._number > NAMED:
            more = number_of(self._number - NAMED, "bad row")
            click.echo(f"  BAD and {more} more; --json names all")


def _report(session: Session, log: Log, result: Imported, *, dry_run: bool) -> None:
    if session.json:
        session.print_json(
            "moderation_import",
            file=log.path.name,
            sha256=log.sha256,
            imported=result.imported,
            known=result.known,
            bad=result.bad,
            dry_run=dry_run,
        )
        return
    parts = [
        f"{number_of(result.imported, 'record')} {'would be ' if dry_run else ''}imported",
        f"{result.known:,} known already",
        number_of(result.bad, "bad row"),
    ]
    click.echo(printable(f"{log.path.name}: {', '.join(parts)}"))
