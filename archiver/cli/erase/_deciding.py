"""What stands against erasing, and the decision on record."""

import hmac
import secrets
from collections.abc import Sequence

from archiver.cli._custody import Opened, load_exhibits, load_register, open_finder, open_writer
from archiver.cli._session import Session
from archiver.cli.erase._asking import Request
from archiver.custody.entry import CustodyEntry, Draft, Scope
from archiver.custody.register import Custody
from archiver.evidence.register import FinishedEntry
from archiver.reseal.names import RecordName
from archiver.reseal.refusing import Against
from archiver.reseal.survey import Surveyed
from archiver.reseal.tombstones import SALT_BYTES, name_hash
from archiver.retention.deciding import date_of, hold_in_words
from archiver.retention.due import due_of
from archiver.retention.holding import holds_on, open_appeals
from archiver.times import system_clock
from archiver.vault import current_names


def find_against(
    session: Session, opened: Opened, custody: Custody, found: Surveyed, request: Request
) -> Against:
    """Every reason against it, of all archives that would be sealed anew."""
    exhibits = load_exhibits(session, opened)
    archives = [one for one in opened.listed.archives if one.name in found.archives]
    current = current_names(opened.listed.archives)
    about = {record for records in found.about.values() for record in records}
    holds: dict[str, list[str]] = {}
    appeals: set[str] = set()
    packs: dict[str, list[str]] = {}
    kept: dict[str, str] = {}
    with open_finder(session, opened) as find:
        for archive in archives:
            names = {archive.name, *(one for one, now in current.items() if now == archive.name)}
            some = {one.id: one for name in names for one in holds_on(name, custody, find, exhibits)}
            if some:
                holds[archive.name] = [hold_in_words(one) for one in some.values()]
            appeals |= about & set(open_appeals(find.searcher.moderation(), archive))
            taken = [one.reference for one in exhibits if _may_hold(one.finished, names)]
            if taken and not request.not_in_evidence:
                packs[archive.name] = [str(one) for one in taken]
            floor_ms = due_of(archive.manifest, session.settings.retention).floor_ms
            if system_clock() < floor_ms:
                kept[archive.name] = date_of(floor_ms)
    return Against(holds, sorted(appeals), packs, kept)


def _may_hold(finished: FinishedEntry | None, names: set[str]) -> bool:
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


def _hashed(name: RecordName, salt: str) -> dict[str, str]:
    return {"platform": name.platform, "kind": name.kind, "salt": salt, "hash": _hash(name, salt)}


def _hash(name: RecordName, salt: str) -> str:
    return name_hash(bytes.fromhex(salt), name).hex()


def _is_of(entry: CustodyEntry, names: Sequence[RecordName]) -> bool:
    records = entry.detail.get("records")
    if not isinstance(records, list) or len(records) != len(names):
        return False
    return all(
        any(
            isinstance(one, dict)
            and hmac.compare_digest(str(one.get("hash")), _hash(name, str(one.get("salt"))))
            for one in records
        )
        for name in names
    )
