"""Which records go into a pack: what a query finds, a file of ids names, or a recorded search found."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from archiver import __version__
from archiver.audit.acts import Act
from archiver.chain import encode_document
from archiver.cli._restricted import hidden_records, learn_from_spool, require_not_restricted
from archiver.cli._search_notes import explain
from archiver.cli._search_opening import Opened, Progress, Spool, open_catalogue
from archiver.cli._search_recording import expansion_of
from archiver.cli._session import Session
from archiver.disk import os_errors_reported
from archiver.errors import ArchiverError, IntegrityError, UsageError
from archiver.evidence.gathering import found_names
from archiver.keys import Identity
from archiver.search.hit import SPOOL, record_of
from archiver.search.language import MODERATION, Query
from archiver.search.language.fields import POST_KINDS, plain_id
from archiver.search.record import find_records
from archiver.search.record.sightings import RecordName
from archiver.search.repeating.cursor import Chosen
from archiver.search.repeating.search_record import (
    FoundId,
    SearchRecord,
    find_archives,
    make_search_record,
)
from archiver.search.run import Searcher
from archiver.times import format_time, system_clock
from archiver.vault import ArchiveList, Vault
from archiver.wiring.seal import available_cores
from archiver.wiring.spool import has_spool

_MAXIMUM_IDS_BYTES = 256 * 1024 * 1024
_MOST_NAMED = 10


@dataclass(frozen=True)
class Selected:
    """`names`: the records, oldest first. `question`: the query as typed, or how the records were named.
    `record`: what search-record.json of the pack says. `missing`: what was named and is not held."""

    names: tuple[RecordName, ...]
    question: str
    record: bytes
    missing: tuple[str, ...] = ()


@contextmanager
def open_sealed(
    session: Session,
    vault: Vault,
    listed: ArchiveList,
    identities: Sequence[Identity],
    act: Act,
    *,
    restricted: bool,
) -> Iterator[Opened]:
    """The archives of a vault without any spool: only what is sealed proves anything. The log was told of the
    `act`."""
    hidden = hidden_records(session, listed.archives, identities, shown=restricted)
    catalogue = open_catalogue(session, vault, listed, identities)
    progress = Progress(session)
    searcher = Searcher(
        vault,
        listed.archives,
        identities,
        catalogue=catalogue,
        language=session.settings.language,
        processes=available_cores(),
        restricted=hidden,
        progress=progress,
    )
    spool = Spool(has_spool(session.settings), is_wanted=False)
    try:
        learn_from_spool(session, searcher.restricted)
        yield Opened(
            vault, listed.archives, listed.problems, Chosen(listed.archives), spool, searcher, progress, act
        )
    finally:
        progress.clear()
        searcher.close()
        catalogue.close()


def select_by_query(session: Session, opened: Opened, query: Query) -> Selected:
    """All that a search finds. Raise as `Searcher.search`."""
    hits = opened.searcher.search(query, order="oldest", limit=0).hits
    explained = explain(session, query, opened)
    record = make_search_record(
        query,
        hits,
        tool=f"archiver {__version__}",
        made_ms=system_clock(),
        vault_id=opened.vault.id,
        order="oldest",
        limit=0,
        versions=False,
        expansion=expansion_of(explained),
        archives=opened.archives,
        unsearched=explained.unsearched,
        head=opened.archives[-1] if opened.archives else None,
    )
    names = tuple(dict.fromkeys(record_of(hit) for hit in hits))
    return Selected(names, query.text, encode_document(msgspec.to_builtins(record)))


def select_by_ids(opened: Opened, ids: Sequence[str], named: str) -> Selected:
    """The records with these ids, in the order of time; posts and messages where several have one id.
    `named`: where the ids are from, in words."""
    found = opened.searcher.without_unreadable(lambda: find_records(opened.searcher, ids))
    _require_shown(opened, ids)
    known = {one.record.id: one.record for one in opened.searcher.moderation() if one.archive is not None}
    times = found_names(found)
    held = {str(one.fields["platform_id"]) for one in found.versions}
    held |= {str(one.fields.get("record_id")) for one in found.versions}
    for record in (known[one] for one in ids if one in known):
        now = record.now
        times[now.platform, now.account, MODERATION, record.id] = record.entries[0].entered_ms
    missing = tuple(one for one in ids if one not in held and one not in known)
    document = {
        "format": "archiver-ids-1",
        "tool": f"archiver {__version__}",
        "made_at": format_time(system_clock()),
        "vault": opened.vault.id,
        "named": named,
        "ids": list(ids),
        "missing": list(missing),
        "archives": [
            {"archive": one.name, "sequence": one.head.sequence, "manifest_sha256": one.head.sha256}
            for one in opened.archives
        ],
    }
    return Selected(tuple(sorted(times, key=times.__getitem__)), named, encode_document(document), missing)


def select_by_record(opened: Opened, record: SearchRecord, data: bytes, path: Path) -> Selected:
    """What a recorded search found. Raise UsageError where it was of another vault, IntegrityError where an
    archive that it was over is missing or another one."""
    if record.vault != opened.vault.id:
        raise UsageError(
            f"{path} records a search of another vault, {ascii(record.vault)[:80]}",
            "give --config of the vault that was searched",
        )
    archives = find_archives(record, opened.archives)
    for name in (*archives.missing, *archives.different):
        error = IntegrityError(
            f"archive {name[:80]}, which {path} says was searched, is missing or another one now",
            "see archiver verify, and archiver search --replay",
        )
        error.archive = name
        raise error
    opened.searcher.segments.know_restricted()
    _require_shown(opened, [one.id for one in record.ids])
    spooled = [one for one in record.ids if one.archive == SPOOL]
    names = dict.fromkeys(
        _name_of(one) for one in record.ids if one.archive != SPOOL or _is_held(opened, one)
    )
    missing = tuple(one.id for one in spooled if _name_of(one) not in names)
    return Selected(tuple(names), record.query, data, missing)


def _require_shown(opened: Opened, ids: Iterable[str]) -> None:
    """Raise ArchiverError for what is named and restricted: the pack would name it, and not have it."""
    hidden = opened.searcher.restricted.all_ids
    for one in ids:
        require_not_restricted(one, hidden)


def _is_held(opened: Opened, one: FoundId) -> bool:
    """Whether an archive has by now what lay in the spool when the search was made."""
    found = find_records(opened.searcher, [one.record_id or one.id])
    return _name_of(one) in found_names(found)


def _name_of(one: FoundId) -> RecordName:
    kind = "post" if one.kind in POST_KINDS else one.kind
    return one.platform, one.account, kind, one.record_id or one.id


# A file of ids


def read_ids(path: Path) -> list[str]:
    """Ids or addresses of records, one a line, each once; lines that are empty or begin with # are passed
    over. `-` is standard input. Raise ArchiverError where it cannot be read, UsageError where it has none."""
    name = "standard input" if str(path) == "-" else str(path)
    with os_errors_reported("reading", name):
        descriptor = 0 if str(path) == "-" else os.open(path, os.O_RDONLY)
        with open(descriptor, "rb", closefd=descriptor != 0) as file:
            data = file.read(_MAXIMUM_IDS_BYTES + 1)
    if len(data) > _MAXIMUM_IDS_BYTES:
        raise ArchiverError(f"{name} is larger than any list of ids", "give ids, one a line")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ArchiverError(
            f"{name}: byte {error.start} is not UTF-8 text",
            "give ids, one a line, as search --ids prints them",
        ) from error
    ids: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        if len(word) > 300 or any(character.isspace() for character in word):
            raise UsageError(
                f"{name}: line {number} is no id: {word[:60]!a}",
                "give ids, one a line, as archiver search --ids prints them",
            )
        ids[plain_id(word)] = None
    if not ids:
        raise UsageError(f"{name} names no record", "give ids, one a line")
    return list(ids)


def missing_in_words(missing: Sequence[str]) -> str:
    named = ", ".join(ascii(one[:60])[1:-1] for one in missing[:_MOST_NAMED])
    more = len(missing) - _MOST_NAMED
    return f"{named} and {more:,} more" if more > 0 else named
