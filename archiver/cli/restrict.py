"""`archiver restrict`: records are kept, and not shown any more."""

from collections.abc import Mapping, Sequence

import click
from msgspec import structs

from archiver.audit.entry import Asked
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._records import open_named_records
from archiver.cli._restricted import load_register
from archiver.cli._session import one_line
from archiver.custody.entry import CustodyEntry, Draft, RecordId, Scope, record_ids
from archiver.custody.register import Custody
from archiver.errors import ArchiverError, UsageError
from archiver.reseal.names import RecordName, parse_name
from archiver.reseal.survey import Surveyed, Surveyor, Wanted
from archiver.search.language.fields import plain_id
from archiver.times import system_clock
from archiver.vault import readable
from archiver.wiring.custody import open_custody_writer


@click.command(
    "restrict",
    epilog=examples(
        "archiver restrict 1588091220244369409 --reason 'evidence, not for daily use' --case CO/17/26",
        "archiver restrict --release x:post:1588091220244369409 --reason 'the case is closed'",
        "archiver restrict --list",
    ),
)
@click.argument("records", nargs=-1, metavar="ID…")
@click.option("--release", is_flag=True, help="Show them again.")
@click.option("--list", "listing", is_flag=True, help="Say what is restricted, by whom and why.")
@click.option("--reason", metavar="TEXT", help="Why; it is kept in the register and in the log.")
@click.option("--case", metavar="REF", help="The case that it is done for.")
@pass_session
def command(
    session: Session,
    records: tuple[str, ...],
    release: bool,
    listing: bool,
    reason: str | None,
    case: str | None,
) -> int:
    """Keep records and show them no more: search, show, counts, moderation records and evidence packs leave
    them out, all their versions, sealed or not, until they are released. Whoever needs one says --restricted
    and a reason, and the log keeps both.

    A record is named by its id, its address, or as platform:kind:id where several have one id. What quotes
    it is named and not restricted: name that too where it has to be."""
    if listing:
        if records or release:
            raise UsageError("--list takes nothing else", "archiver restrict --list")
        return _list(session, reason, case)
    if not records:
        raise UsageError("missing argument 'ID…'", "see: archiver restrict --help")
    if not (reason or "").strip():
        raise UsageError("a reason must be given for this, and there is none", '--reason "…"')
    draft = Draft(kind="unrestrict" if release else "restrict", reason=str(reason), case=case)
    return _release(session, records, draft) if release else _restrict(session, records, draft)


def _restrict(session: Session, records: Sequence[str], draft: Draft) -> int:
    identities = session.identities()
    with open_named_records(session) as held:
        vault = session.open_vault()
        archives = readable(session.list_archives(vault).require_sound())
        asked = Asked("restrict", "restrict", ids=list(records), case=draft.case, reason=draft.reason)
        with session.act(asked) as act:
            found = held.find(vault, archives, identities, records)
            names = set().union(*found.values())
            known = load_register(session, archives, identities).restricted()
            new = names - {RecordName(*one) for one in known}
            entry = _decide(session, draft, record_ids(tuple(new))) if new else None
            surveyor = Surveyor(vault, archives, identities, step_progress(session))
            quotes = _still_shown(surveyor.survey(Wanted(tuple(sorted(new))))) if new else {}
            clear_progress(session)
            act.end(results=len(new))
    _say(session, "restricted", new, entry)
    for name in sorted(names - new):
        session.note(one_line(f"{name} is restricted already"))
    _name_quotes(session, quotes)
    return session.worst(0)


def _release(session: Session, records: Sequence[str], draft: Draft) -> int:
    identities = session.identities()
    vault = session.open_vault()
    archives = session.list_archives(vault).require_sound()
    custody = load_register(session, archives, identities)
    chosen = {text: _among(custody.restricted(), text) for text in records}
    for text, some in chosen.items():
        if not some:
            raise ArchiverError(f"no record {text} is restricted", "see what is: archiver restrict --list")
    names = frozenset().union(*chosen.values())
    of = tuple(one.id for one, restricted in custody.restrictions() if restricted & names)
    asked = Asked("restrict", "restrict --release", ids=list(records), case=draft.case, reason=draft.reason)
    with session.act(asked) as act:
        entry = _decide(session, draft, record_ids(tuple(names)), of)
        act.end(results=len(names))
    _say(session, "released", {RecordName(*one) for one in names}, entry)
    return session.worst(0)


def _among(restricted: frozenset[RecordId], text: str) -> frozenset[RecordId]:
    named = parse_name(text)
    if isinstance(named, RecordName):
        return restricted & {RecordId(*named)}
    own = plain_id(named)
    return frozenset(one for one in restricted if one.id == own)


def _decide(
    session: Session, draft: Draft, records: tuple[RecordId, ...], of: tuple[str, ...] = ()
) -> CustodyEntry:
    assert session.opened is not None  # noqa: S101 - by whoever began the act
    writer = open_custody_writer(
        session.settings,
        session.environ,
        session.identities(),
        session.opened,
        lambda: session.last_archive,
        system_clock,
    )
    return writer.add(structs.replace(draft, scope=Scope(records=records), of=of))


def _say(session: Session, what: str, names: "set[RecordName]", entry: CustodyEntry | None) -> None:
    decision = None if entry is None else entry.id
    for name in sorted(names):
        if session.json:
            session.print_json(what, platform=name.platform, kind=name.kind, id=name.id, decision=decision)
        else:
            click.echo(one_line(f"{name} is {what}; decision {decision}"))


def _still_shown(found: Surveyed) -> dict[str, list[str]]:
    """By archive, what quotes or names them: but for decisions about them, which are not shown either."""
    about: set[str] = set().union(*found.about.values())
    return {
        archive: [str(one) for one in some if one.table != "moderation" or one.id not in about]
        for archive, some in found.quotes.items()
    }


def _name_quotes(session: Session, quotes: Mapping[str, Sequence[str]]) -> None:
    for archive, some in quotes.items():
        for one in some:
            session.note(one_line(f"archive {archive}: {one} quotes or names it, and is still shown"))


# What there is


def _list(session: Session, reason: str | None, case: str | None) -> int:
    session.require_reason(reason)
    identities = session.identities()
    vault = session.open_vault()
    archives = session.list_archives(vault).require_sound()
    with session.act(Asked("search", "restrict --list", case=case, reason=reason)) as act:
        custody: Custody = load_register(session, archives, identities)
        act.end(results=len(custody.restricted()))
    for entry, records in custody.restrictions():
        for one in sorted(records):
            if session.json:
                session.print_json(
                    "restricted", platform=one.platform, kind=one.kind, id=one.id, decision=entry.id,
                    at=entry.at, by=entry.by, reason=entry.reason, case=entry.case,
                )  # fmt: skip
            else:
                case_ = f", case {entry.case}" if entry.case else ""
                click.echo(
                    one_line(f"{RecordName(*one)}  {entry.at[:10]}  by {entry.by}: {entry.reason}{case_}")
                )
    if not custody.restricted() and not session.json:
        session.note("nothing is restricted")
    return session.worst(0)
