"""What stands against erasing, and the decision on record."""

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence

from archiver.cli._custody import Opened, load_exhibits, load_register, open_finder, open_writer
from archiver.cli._session import Session
from archiver.cli.erase._asking import Request
from archiver.custody.entry import CustodyEntry, Draft, Scope
from archiver.custody.register import Custody
from archiver.evidence.register import FinishedEntry
from archiver.reseal.names import RecordName, parse_name
from archiver.reseal.refusing import Against, KeptError, listed
from archiver.reseal.survey import Surveyed
from archiver.reseal.tombstones import SALT_BYTES, name_hash
from archiver.retention.deciding import date_of, hold_in_words
from archiver.retention.due import due_of, later
from archiver.retention.holding import holds_on, undecided_appeals
from archiver.search.hit import SPOOL
from archiver.search.language.fields import plain_id
from archiver.times import system_clock
from archiver.vault import Archive, names_of


def find_against(
    session: Session, opened: Opened, custody: Custody, found: Surveyed, request: Request, *, in_spool: bool
) -> Against:
    """Every reason against it, of all archives that would be sealed anew, and of what is not sealed yet where
    anything of it is there (`in_spool`)."""
    exhibits = load_exhibits(session, opened)
    retention, now_ms = session.settings.retention, system_clock()
    about = {record for records in found.about.values() for record in records}
    holds: dict[str, list[str]] = {}
    packs: dict[str, list[str]] = {}
    kept: dict[str, str] = {}

    def note_holds(what: str, names: frozenset[str]) -> None:
        some = holds_on(names, custody, find, exhibits)
        if some:
            holds[what] = [hold_in_words(one) for one in some]

    with open_finder(session, opened, with_spool=in_spool and bool(custody.holds())) as find:
        for archive in opened.listed.archives:
            if archive.name not in found.archives:
                continue
            what, names = f"archive {archive.name}", names_of(archive.name, opened.listed.archives)
            note_holds(what, names)
            taken = [one.reference for one in exhibits if _may_hold(one.finished, names)]
            if taken and not request.not_in_evidence:
                packs[archive.name] = [str(one) for one in taken]
            floor_ms = due_of(archive.manifest, retention).floor_ms
            if now_ms < floor_ms:
                kept[what] = date_of(floor_ms)
        if in_spool:
            note_holds("the spool", frozenset([SPOOL]))
            if retention.minimum_years:
                kept["the spool"] = date_of(later(now_ms, years=retention.minimum_years))
        appeals = about & set(undecided_appeals(find.searcher.moderation()))
    return Against(holds, sorted(appeals), packs, kept)


def require_free(session: Session, opened: Opened, old: Archive, new: Archive) -> None:
    """Raise KeptError where a hold covers an archive that another has taken the place of, or that other one:
    it may have come since they were decided about."""
    custody = load_register(session, opened, to_dispose=True)
    if not custody.holds():
        return
    names = names_of(new.name, opened.listed.archives) | {old.name}
    with open_finder(session, opened) as find:
        holds = holds_on(names, custody, find, load_exhibits(session, opened))
    if holds:
        raise KeptError(
            f"archive {old.name}, whose place {new.name} has taken, is held, and its key stays:"
            f" {listed([hold_in_words(one) for one in holds])}",
            "once nothing holds it: the same command again",
        )


def _may_hold(finished: FinishedEntry | None, names: frozenset[str]) -> bool:
    """Whether a pack took from one of these archives, as far as its entry tells."""
    return finished is None or not finished.archives or bool(names & set(finished.archives))


def decide(
    session: Session, opened: Opened, request: Request, names: Sequence[RecordName], archives: Sequence[str]
) -> CustodyEntry:
    """The decision: new, or the one of a run that was cut off before it had sealed anything. It names
    archives and hashes, nothing of a record."""
    custody = load_register(session, opened, to_dispose=True)
    keyholder = session.settings.keyholder
    for entry in custody.erasures:
        is_mine = keyholder is not None and entry.by == keyholder.name
        covers = bool(archives) and set(archives) <= set(entry.scope.archives)
        if is_mine and covers and _is_of(entry, names):
            return entry
    draft = Draft(
        kind="erase",
        reason=request.reason,
        case=request.case,
        reviewer=request.reviewer,
        scope=Scope(archives=tuple(archives)),
        detail={
            "records": [_hashed(name, secrets.token_hex(SALT_BYTES)) for name in names],
            "everywhere": request.everywhere,
            "with_moderation": request.entries,
        },
    )
    return open_writer(session).add(draft)


def decided_before(custody: Custody, texts: Iterable[str]) -> dict[str, tuple[RecordName, CustodyEntry]]:
    """Of each name as typed for which an erasing was decided, the record that is meant, and the latest
    decision."""
    found: dict[str, tuple[RecordName, CustodyEntry]] = {}
    for text in texts:
        for entry in custody.erasures:
            for one in _records_of(entry):
                meant = next((name for name in _meant(text, one) if _fits(one, name)), None)
                if meant is not None:
                    found[text] = meant, entry
    return found


def _records_of(entry: CustodyEntry) -> list[dict[str, str]]:
    records = entry.detail.get("records")
    return [one for one in records if isinstance(one, dict)] if isinstance(records, list) else []


def _meant(text: str, record: Mapping[str, str]) -> list[RecordName]:
    named = parse_name(text)
    if isinstance(named, RecordName):
        return [named]
    return [RecordName(str(record.get("platform")), str(record.get("kind")), plain_id(named))]


def _fits(record: Mapping[str, str], name: RecordName) -> bool:
    return hmac.compare_digest(str(record.get("hash")), _hash(name, str(record.get("salt"))))


def _hashed(name: RecordName, salt: str) -> dict[str, str]:
    return {"platform": name.platform, "kind": name.kind, "salt": salt, "hash": _hash(name, salt)}


def _hash(name: RecordName, salt: str) -> str:
    return name_hash(bytes.fromhex(salt), name).hex()


def _is_of(entry: CustodyEntry, names: Sequence[RecordName]) -> bool:
    records = _records_of(entry)
    return len(records) == len(names) and all(any(_fits(one, name) for one in records) for name in names)
