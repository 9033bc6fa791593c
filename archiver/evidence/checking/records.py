"""That what a pack says of its records fits the bytes that it has, and the chain of archives."""

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from archiver.errors import IntegrityError
from archiver.evidence.checking.chain import chain_hashes
from archiver.evidence.checking.files import Files
from archiver.evidence.tag_files import CHAIN

RECORDS = "data/records.jsonl"
CUSTODY = "custody.csv"
_NO_RECORD = (msgspec.DecodeError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


def check_records(files: Files) -> list[str] | None:
    """How many records and files; None where the pack has no `records.jsonl`. Raise IntegrityError where
    bytes are others than the record says, or an archive is not in the chain."""
    if not files.has(RECORDS):
        return None
    archives = set(chain_hashes(files)) if files.below(CHAIN) else None
    hashes = dict(_payload_hashes(files))
    records = checked = 0
    for number, line in enumerate(files.lines(RECORDS), start=1):
        try:
            record: Any = msgspec.json.decode(line)
            checked += _check_record(record, hashes, archives)
        except _NO_RECORD as error:
            raise IntegrityError(f"{RECORDS}: line {number} is no record") from error
        records += 1
    return [f"{records:,} records, {checked:,} files of bytes and pictures that they name"]


def _payload_hashes(files: Files) -> Iterator[tuple[str, str]]:
    """What the manifest lists; that the files are so is another check."""
    for line in files.lines("manifest-sha256.txt"):
        digest, _, path = line.decode("utf-8", "replace").partition("  ")
        yield path, digest


def _check_record(record: Any, hashes: dict[str, str], archives: set[str] | None) -> int:
    """How many files it names."""
    reference, checked = record["reference"], 0
    for struct in _objects(record):
        path, sha256 = struct.get("path"), struct.get("sha256")
        if isinstance(path, str) and isinstance(sha256, str):
            if hashes.get(path) not in (sha256, None):
                raise IntegrityError(f"{reference}: {path[:200]} has other bytes than the record says")
            checked += path in hashes
        manifest = struct.get("manifest_sha256")
        if archives is not None and isinstance(manifest, str) and manifest not in archives:
            raise IntegrityError(f"{reference} is from an archive that is not in the chain")
    return checked


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one)


def check_custody(files: Files) -> list[str] | None:
    """How many events; None where the pack has no `custody.csv`. Each line names the one before it by its
    SHA-256 in the last column: raise IntegrityError where one does not."""
    if not files.has(CUSTODY):
        return None
    before, events = "", -1
    for number, line in enumerate(_rows(files), start=1):
        named = line.rpartition(b",")[2].decode("ascii", "replace").strip('"')
        if number > 1 and named != before:
            raise IntegrityError(f"{CUSTODY}: row {number} does not follow the one before it")
        before = hashlib.sha256(line).hexdigest()  # the first event names the header
        events += 1
    return [f"{max(events, 0):,} events"]


def _rows(files: Files) -> Iterator[bytes]:
    """Rows of CSV without their CR LF: a quoted cell may hold line ends."""
    held = b""
    for line in files.lines(CUSTODY, b"\r\n"):
        held = line if not held else held + b"\r\n" + line
        if held.count(b'"') % 2 == 0:
            yield held
            held = b""
    if held:
        raise IntegrityError(f"{CUSTODY} ends within a row")
