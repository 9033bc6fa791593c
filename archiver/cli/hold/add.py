"""`archiver hold add`."""

from collections.abc import Sequence

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import share_log
from archiver.cli._custody import (
    Opened,
    find_archive,
    load_exhibits,
    open_finder,
    open_to_decide,
    open_writer,
)
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._session import one_line, print_error
from archiver.cli.hold._shown import hold_fields
from archiver.custody.entry import CustodyEntry, Draft, Scope
from archiver.errors import UsageError
from archiver.retention.deciding import hold_in_words
from archiver.retention.holding import BY_CASE, case_archives
from archiver.search.hit import SPOOL
from archiver.search.language import parse_query
from archiver.vault import require_not_disposed


@click.command(
    "add",
    epilog=examples(
        'archiver hold add --archive 2026-11-01 --case CO/17/26 --reason "complaint of 3 November"',
        'archiver hold add --query "account:SpringfieldPD parade" --reason "FOI 2026-119"',
        'archiver hold add --case CO/17/26 --reason "letter before action"',
    ),
)
@click.option("--archive", "archives", multiple=True, metavar="NAME", help="This archive; may be repeated.")
@click.option("--query", metavar="QUERY", help="Every archive in which this finds anything, then or later.")
@click.option("--everything", is_flag=True, help="All that is sealed, and that will be.")
@click.option("--case", metavar="REF", help="The case. Alone: what its evidence packs took.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept.")
@store_option
@pass_session
def command(
    session: Session,
    archives: tuple[str, ...],
    query: str | None,
    everything: bool,
    case: str | None,
    reason: str,
    store: str | None,
) -> int:
    """Hold archives: nothing of them is disposed of or erased until the hold is released.

    A query's hold covers the archives in which it finds anything now, and any that it finds something in when
    somebody would dispose of it. A case alone holds the archives that its evidence packs took from, and
    everything where that is not known of all of them."""
    if sum((bool(archives), query is not None, everything)) > 1:
        raise UsageError("--archive, --query and --everything exclude each other", "give one hold for each")
    if not (archives or query is not None or everything or case):
        raise UsageError("a hold of what?", "give --archive, --query, --everything or --case")
    if query is not None:
        parse_query(query)
    opened = open_to_decide(session, store)
    for name in archives:
        require_not_disposed(find_archive(opened.listed, name))
    asked = Asked("hold", "hold add", query=query, ids=archives, case=case, reason=reason)
    with session.act(asked) as act:
        draft = _draft(session, opened, archives, query, everything=everything, case=case, reason=reason)
        entry = open_writer(session).add(draft)
        act.end(results=len(entry.scope.archives), ids=[entry.id])
    code = share_log(session)
    _report(session, opened, entry)
    return session.worst(code, named=True)


def _draft(
    session: Session,
    opened: Opened,
    archives: Sequence[str],
    query: str | None,
    *,
    everything: bool,
    case: str | None,
    reason: str,
) -> Draft:
    if query is not None:
        with open_finder(session, opened) as find:
            found = tuple(sorted(find(query) - {SPOOL}))
            for name, error in find.unsearched:
                print_error(error, f"archive {name} could not be searched, and is held")
        return Draft(kind="hold", reason=reason, case=case, scope=Scope(archives=found, query=query))
    if archives or everything:
        scope = Scope(archives=tuple(sorted(set(archives))), everything=everything)
        return Draft(kind="hold", reason=reason, case=case, scope=scope)
    of_case = case_archives(case or "", load_exhibits(session, opened))
    scope = Scope(archives=of_case.archives, everything=not of_case.is_known)
    return Draft(kind="hold", reason=reason, case=case, scope=scope, detail={"by": BY_CASE})


def _report(session: Session, opened: Opened, entry: CustodyEntry) -> None:
    if session.json:
        session.print_json("hold", **hold_fields(entry))
        return
    click.echo(one_line(hold_in_words(entry)))
    if entry.detail.get("by") == BY_CASE and entry.scope.everything:
        session.note("Which archives packs of this case took from is not known, so everything is held.")
    if entry.scope.query is not None and not entry.scope.archives:
        session.note("The query finds nothing now; it will be asked again before anything is disposed of.")
    disposed = [one.name for one in opened.listed.disposed]
    if disposed and entry.scope.everything:
        session.note(one_line(f"disposed of before, and held by nothing: {', '.join(disposed)}"))
