"""A record of one search: what was asked of which archives and what came of it, so that it can be repeated
and shown to be the same. It names records and holds none of their text.

A file of JSON, `archiver-search-1`: one object, keys sorted. `ids_sha256` is over its list of ids as
`jq -cjS .ids` writes it. Nothing is signed: the file proves what it says by being repeated.
(Records of a platform are in `archiver/search/record/`.)
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from archiver.chain import Head, encode_document, parse_document
from archiver.disk import create_exclusively, os_errors_reported
from archiver.errors import ArchiverError, IntegrityError
from archiver.search.hit import SPOOL, Hit
from archiver.search.language import Query, format_query
from archiver.search.sql.statement import Order
from archiver.times import format_time
from archiver.vault import Archive, with_successors

FORMAT = "archiver-search-1"
MAXIMUM_BYTES = 512 * 1024 * 1024
"""Some 3 million results."""
_HINT = "take it from where it was kept; a search record is never written to again"


class FoundId(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One result. `record_id` where the record is called by another id than its version found, as an edited
    post; `archive` is `spool` for what was in none."""

    platform: str
    account: str
    kind: str
    id: str
    version: int
    archive: str
    record_id: str | None = None

    @property
    def record(self) -> tuple[str, str, str]:
        """What all versions of it have in common, wherever they lie."""
        return self.platform, self.account, self.record_id or self.id


class SearchedArchive(Struct, frozen=True, forbid_unknown_fields=True):
    archive: str
    sequence: int
    manifest_sha256: str


class SearchedSpool(Struct, frozen=True, forbid_unknown_fields=True):
    """`records`: how many were not sealed yet. `ids`: of the results that lay there."""

    included: bool
    records: int
    ids: list[str]


class LeftOut(Struct, frozen=True, forbid_unknown_fields=True):
    """An archive that could not be searched, and why."""

    archive: str | None
    error: str


class SearchRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """`query` as typed, `canonical` as it was read, times in UTC. `head`: the vault's last archive then.
    `count` and `ids` are of all results, whatever `limit` showed."""

    format: str
    tool: str
    made_at: str
    vault: str
    query: str
    canonical: str
    order: Order
    limit: int
    exact: bool
    versions: bool
    kinds: list[str]
    word_forms: dict[str, list[str]]
    names: dict[str, list[str]]
    scanned: list[str]
    archives: list[SearchedArchive]
    head: SearchedArchive | None
    spool: SearchedSpool
    unsearched: list[LeftOut]
    count: int
    ids: list[FoundId]
    ids_sha256: str


class Expansion(Struct, frozen=True):
    """What was looked for beside what was typed."""

    word_forms: Mapping[str, Sequence[str]]
    names: Mapping[str, Sequence[str]]
    scanned: Sequence[str] = ()


def make_search_record(
    query: Query,
    hits: Iterable[Hit],
    *,
    tool: str,
    made_ms: int,
    vault_id: str,
    order: Order,
    limit: int,
    versions: bool,
    expansion: Expansion,
    archives: Sequence[Archive],
    unsearched: Sequence[tuple[str | None, ArchiverError]] = (),
    spool_included: bool = False,
    spool_records: int = 0,
    head: Archive | None = None,
) -> SearchRecord:
    """`hits`: all of them, in order. `archives`: those asked, of which the unsearched are left out. `head`:
    the vault's last."""
    ids = [found_id(hit) for hit in hits]
    failed = {name for name, _ in unsearched}
    return SearchRecord(
        format=FORMAT,
        tool=tool,
        made_at=format_time(made_ms),
        vault=vault_id,
        query=query.text,
        canonical=format_query(query.root),
        order=order,
        limit=limit,
        exact=query.exact,
        versions=versions,
        kinds=sorted(query.kinds),
        word_forms={word: list(some) for word, some in expansion.word_forms.items()},
        names={name: list(some) for name, some in expansion.names.items()},
        scanned=list(expansion.scanned),
        archives=[_searched(one) for one in archives if one.name not in failed],
        head=None if head is None else _searched(head),
        spool=SearchedSpool(spool_included, spool_records, [one.id for one in ids if one.archive == SPOOL]),
        unsearched=[LeftOut(name, error.message) for name, error in unsearched],
        count=len(ids),
        ids=ids,
        ids_sha256=ids_sha256(ids),
    )


def found_id(hit: Hit) -> FoundId:
    record_id = None if hit.record_id == hit.id else hit.record_id
    return FoundId(hit.platform, hit.account, hit.kind, hit.id, hit.version, hit.archive, record_id)


def _searched(archive: Archive) -> SearchedArchive:
    return SearchedArchive(archive.name, archive.head.sequence, archive.head.sha256)


def ids_sha256(ids: Sequence[FoundId]) -> str:
    """Over the list as JSON, UTF-8, keys sorted, no space in it and no line end."""
    text = json.dumps(msgspec.to_builtins(ids), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


# Files


def save_search_record(path: Path, record: SearchRecord) -> None:
    """A new file, whole or not at all, for its owner alone. Raise TakenError where there is one already."""
    create_exclusively(path, encode_document(msgspec.to_builtins(record)), mode=0o600)


def load_search_record(path: Path) -> SearchRecord:
    """Raise ArchiverError where it cannot be read, is no search record or of a format unknown here,
    IntegrityError where its ids are not those that were written."""
    with os_errors_reported("reading", path), path.open("rb") as file:
        is_large = os.fstat(file.fileno()).st_size > MAXIMUM_BYTES
        data = b"" if is_large else file.read(MAXIMUM_BYTES + 1)  # a pipe has no size
    if is_large or len(data) > MAXIMUM_BYTES:
        raise ArchiverError(f"{path} is larger than any search record", "is it the file that --record wrote?")
    return parse_search_record(data, str(path))


def parse_search_record(data: bytes, name: str) -> SearchRecord:
    """As `load_search_record`, of bytes."""
    try:
        document: dict[str, Any] = parse_document(data, name)
    except IntegrityError as error:
        raise ArchiverError(f"{name} is no search record: it is not JSON", _HINT) from error
    if document.get("format") != FORMAT:
        raise ArchiverError(
            f"{name} is no search record that this version knows: its format is {_shown(document)}",
            f"one that archiver search --record wrote has {FORMAT}; a newer version may know others",
        )
    try:
        record = msgspec.convert(document, SearchRecord)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{name} was altered: {error}", _HINT) from error
    spooled = [one.id for one in record.ids if one.archive == SPOOL]
    if (
        record.count != len(record.ids)
        or record.spool.ids != spooled
        or _hash(record.ids) != record.ids_sha256
    ):
        raise IntegrityError(f"{name} was altered: its count, ids and hash do not fit together", _HINT)
    return record


def _shown(document: dict[str, Any]) -> str:
    return ascii(document.get("format"))[:40]


def _hash(ids: Sequence[FoundId]) -> str | None:
    try:
        return ids_sha256(ids)
    except UnicodeEncodeError:  # half characters, which JSON can escape and no id has
        return None


# Which archives it was over


class FoundArchives(Struct, frozen=True):
    """Of the archives recorded those that are as they were, those that are missing or others now, and what
    was sealed since."""

    same: list[Archive]
    missing: list[str]
    different: list[str]
    since: list[Archive]


def find_archives(record: SearchRecord, archives: Sequence[Archive]) -> FoundArchives:
    there = {one.name: one for one in archives}
    same = [one for one in record.archives if one.archive in there and _is_same(one, there[one.archive].head)]
    different = [one.archive for one in record.archives if one.archive in there and one not in same]
    last = 0 if record.head is None else record.head.sequence
    found = with_successors([there[one.archive] for one in same], archives)
    names = {one.name for one in found}
    return FoundArchives(
        found,
        [one.archive for one in record.archives if one.archive not in there],
        different,
        [
            one
            for one in archives
            if one.head.sequence > last and one.name not in different and one.name not in names
        ],
    )


def _is_same(one: SearchedArchive, head: Head) -> bool:
    return (one.sequence, one.manifest_sha256) == (head.sequence, head.sha256)
