"""custody.csv: where each item of the pack comes from, and what was done with it, an event a row.

Items are each version of each record, each entry of a moderation record, each picture or video, and, in the
last row, the pack. Rows of one item stand together and repeat what it is. Every row is one line: line breaks
in cells are spaces.

`previous_event_sha256` chains the rows: it is the SHA-256 of the line before, without its CR LF; of the first
event that of the header. So line 3 is checked by
`sed -n 2p custody.csv | tr -d '\\r\\n' | sha256sum`. The last line is covered by the pack's own manifest.

`evidence_id` is a UUIDv5 (RFC 9562, 5.5) that anybody can make again: in the vault's id as namespace, of the
lines platform, account, kind (`post` for all posts), id, and version, joined by LF; more lines follow where
they are needed to tell two items apart (`evidence_id` says which).
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final

from archiver.errors import IntegrityError
from archiver.evidence.model import Capture, Exhibit, Original, PackFile, Person, Production, ShownVersion
from archiver.evidence.tables.cells import CsvRows, number, plain, refuse_public, utc
from archiver.evidence.tables.custody_events import (
    CustodyEvent,
    captured,
    entered,
    exported,
    holds,
    verified,
)
from archiver.evidence.tables.summary import POST_KINDS, held_media
from archiver.records import Moderation

_ITEM: Final = (
    "evidence_id", "exhibit", "exhibit_file", "parent_exhibit", "case", "description", "source_url",
    "platform", "platform_id", "account", "author_id", "author_handle", "author_name", "posted_at",
    "captured_at", "route", "request", "response_headers", "status", "tool", "configuration_sha256",
    "clock_source", "operator", "authority", "capture", "capture_file", "capture_sha256",
)  # fmt: skip
_FILE: Final = ("file", "bytes", "sha256", "sha512", "timestamp", "location")
_EVENT: Final = (
    "event_number", "event", "event_at", "event_by", "event_to", "event_reason", "sha256_before",
    "sha256_after", "previous_event_sha256",
)  # fmt: skip
CUSTODY_COLUMNS: Final = (*_ITEM, *_FILE, *_EVENT)
_CLOCKS: Final = {
    "export": "the platform's, as written in its export",
    "api": "the collecting host's system clock",
    "manual": "the collecting host's system clock",
}
_OF_NO_CAPTURE: Final = ("",) * 8
_NO_CAPTURED_FILE: Final = ("",) * 3
_NO_FILE: Final = ("",) * 4
Cells = Sequence[str]


def custody(
    production: Production,
    exhibits: Iterable[Exhibit],
    files: Mapping[str, PackFile],
    events: Mapping[str, Sequence[CustodyEvent]] | None = None,
    *,
    timestamp: str = "",
) -> Iterator[bytes]:
    """The file, a row a piece, header first.

    `files`: size and hashes of the pack's files by path. `events`: what the log says was done before
    (viewed, copied, disclosed …), by the ids of the platform's or the register's records; under `""` what was
    done with all. `timestamp`: the name of the pack's time-stamp token. Raise IntegrityError where a file is
    not in the pack or has another hash than was noted of it, UsageError of a pack for the public."""
    refuse_public(production, "custody.csv")
    chain = _Chain()
    yield chain.header()
    rows = _Rows(production, files, events or {}, timestamp)
    for exhibit in exhibits:
        for cells, event in rows.of_exhibit(exhibit):
            yield chain.row(cells, event)
    for cells, event in rows.of_pack():
        yield chain.row(cells, event)


def evidence_id(vault: str, exhibit: Exhibit, version: ShownVersion | None = None, *more: str) -> str:
    """The lasting number of an item: of a version of a record, or of the record (version 0). Of what is the
    same as another version, captured another way, the archive and the first verbatim bytes' SHA-256 follow
    the version; of an entry, a picture or a file what `more` says."""
    kind = "post" if exhibit.kind in POST_KINDS else exhibit.kind
    lines = [exhibit.platform, exhibit.account, kind, exhibit.id, str(version.version if version else 0)]
    if version is not None and version.again:
        lines += [version.archive, version.originals[0].sha256 if version.originals else ""]
    return str(uuid.uuid5(_namespace(vault), plain("\n".join([*lines, *more]))))


@lru_cache(4)
def _namespace(vault: str) -> uuid.UUID:
    """The vault's id; of one that is none, a UUID made of it."""
    try:
        return uuid.UUID(vault)
    except ValueError:
        return uuid.uuid5(uuid.NAMESPACE_URL, plain(vault))


class _Chain:
    """Numbers the rows, and names in each the one before. What an item is, is written once for its rows."""

    def __init__(self) -> None:
        self._rows = CsvRows(one_line=True)
        self._previous = ""
        self._number = 0
        self._cells: Cells = ()
        self._item = ""

    def header(self) -> bytes:
        return self._linked(self._rows.part(CUSTODY_COLUMNS))

    def row(self, cells: Cells, event: CustodyEvent) -> bytes:
        if cells is not self._cells:
            self._cells, self._item = cells, self._rows.part(cells)
        self._number += 1
        told = (
            str(self._number), event.what, utc(event.at_ms), event.by, event.to, event.reason, event.before,
            event.after, self._previous,
        )  # fmt: skip
        return self._linked(f"{self._item},{self._rows.part(told)}")

    def _linked(self, line: str) -> bytes:
        ended = self._rows.ended(line)
        self._previous = sha256(ended[:-2]).hexdigest()
        return ended


class _Rows:
    """What each item is, with its events."""

    def __init__(
        self,
        production: Production,
        files: Mapping[str, PackFile],
        events: Mapping[str, Sequence[CustodyEvent]],
        timestamp: str,
    ) -> None:
        self._production = production
        self._files = files
        self._events = events
        self._timestamp = timestamp
        self._compared = 0

    def of_exhibit(self, exhibit: Exhibit) -> Iterator[tuple[Cells, CustodyEvent]]:
        own = [*holds(exhibit), *self._events.get(exhibit.id, ())] if exhibit.id else []
        if exhibit.kind == "moderation":
            for note in exhibit.moderation[:1]:
                originals = note.originals or [None] * len(note.entries)
                for entry, archive, original in zip(note.entries, note.archives, originals, strict=True):
                    yield from self._of_entry(exhibit, entry, archive, original, own)
        elif not exhibit.versions:
            cells = self._item(exhibit, None, Person(), "")
            location = exhibit.gone[-1].archive if exhibit.gone else ""
            for event in (*own, exported(self._production, "", "")):
                yield (*cells, *_NO_FILE, self._timestamp, location), event
        now = exhibit.now
        for version in exhibit.versions:
            yield from self._of_version(exhibit, version, own if version is now else ())
        yield from self._of_media(exhibit, now)

    def of_pack(self) -> Iterator[tuple[Cells, CustodyEvent]]:
        """What was done with all that is in it."""
        production = self._production
        name = plain(f"pack\n{production.exhibit}\n{production.made_ms}")
        item = dict.fromkeys(_ITEM, "") | {
            "evidence_id": str(uuid.uuid5(_namespace(production.vault), name)),
            "exhibit": production.exhibit, "exhibit_file": production.stem, "case": production.case,
            "description": f"evidence pack of {production.records} records", "tool": production.tool,
            "configuration_sha256": production.configuration, "operator": production.produced_by,
            "authority": production.purpose or "",
        }  # fmt: skip
        cells = (*item.values(), *_NO_FILE, self._timestamp, "")
        for event in self._events.get("", ()):
            yield cells, event
        yield cells, verified(production, self._compared)
        yield cells, exported(production, "", "")

    # One item

    def _of_version(
        self, exhibit: Exhibit, version: ShownVersion, own: Sequence[CustodyEvent]
    ) -> Iterator[tuple[Cells, CustodyEvent]]:
        item = self._item(
            exhibit, version, version.author, evidence_id(self._production.vault, exhibit, version)
        )
        originals: Sequence[Original | None] = version.originals or (None,)
        first = (*item, *self._original(originals[0]))
        yield first, captured(version)
        for event in own:
            yield first, event
        for original in originals:
            cells = first if original is originals[0] else (*item, *self._original(original))
            before = original.sha256 if original is not None else ""
            after = before if original is not None and original.path is not None else ""
            yield cells, exported(self._production, before, after)

    def _of_entry(
        self,
        exhibit: Exhibit,
        entry: Moderation,
        archive: str | None,
        original: Original | None,
        own: Sequence[CustodyEvent],
    ) -> Iterator[tuple[Cells, CustodyEvent]]:
        name = evidence_id(self._production.vault, exhibit, None, "entry", str(entry.number))
        author = Person(entry.author_id, entry.author_handle, entry.author_name)
        item = self._item(exhibit, None, author, name)
        cells = (*item, *_NO_FILE, self._timestamp, archive or "")
        if original is not None:
            cells = (*item, *self._original(original))
        for event in (entered(entry, archive), *(own if entry.number == 1 else ())):
            yield cells, event
        before = "" if original is None else original.sha256
        after = before if original is not None and original.path is not None else ""
        yield cells, exported(self._production, before, after)

    def _of_media(self, exhibit: Exhibit, now: ShownVersion | None) -> Iterator[tuple[Cells, CustodyEvent]]:
        """Of each that the pack holds that it was exported: it was captured with its record."""
        for position, medium in enumerate(held_media(exhibit), 1):
            path = medium.path or ""
            name = evidence_id(self._production.vault, exhibit, None, "media", medium.sha256 or path)
            item = list(self._item(exhibit, now, now.author if now else Person(), name))
            item[1:4] = f"{exhibit.reference}/{position}", f"{exhibit.stem}_{position}", exhibit.reference
            item[5:7] = f"{medium.media_type} of {exhibit.reference}", medium.url or ""
            file = self._file(path, medium.sha256)
            event = exported(self._production, medium.sha256 or "", file.sha256)
            yield (*item, *self._known(path, file), now.archive if now else ""), event

    def _item(
        self, exhibit: Exhibit, version: ShownVersion | None, author: Person, name: str
    ) -> tuple[str, ...]:
        production = self._production
        capture = version.capture if version is not None else None
        return (
            name or evidence_id(production.vault, exhibit), exhibit.reference, exhibit.stem,
            production.exhibit, production.case, _description(exhibit, version), exhibit.url or "",
            exhibit.platform, exhibit.id, exhibit.account, author.id or "", author.handle or "",
            author.name or "", utc(version.posted_ms if version is not None else None),
            *(_OF_NO_CAPTURE if capture is None else _capture(capture)), production.produced_by,
            production.purpose or "", *(_NO_CAPTURED_FILE if capture is None else _captured_file(capture)),
        )  # fmt: skip

    # Its file

    def _original(self, original: Original | None) -> tuple[str, ...]:
        """Of verbatim bytes that the pack does not hold, what was noted of them."""
        if original is None:
            return (*_NO_FILE, self._timestamp, "")
        location = f"{original.segment} part {original.part} offset {original.offset} bytes {original.size}"
        if original.path is None:
            return ("", str(original.size), original.sha256, "", self._timestamp, location)
        return (*self._known(original.path, self._file(original.path, original.sha256)), location)

    def _known(self, path: str, file: PackFile) -> tuple[str, ...]:
        return path, str(file.size), file.sha256, file.sha512, self._timestamp

    def _file(self, path: str, noted: str | None) -> PackFile:
        file = self._files.get(path)
        if file is None:
            raise IntegrityError(f"{path} is named by an exhibit and is not in the pack")
        if noted is not None and file.sha256 != noted:
            raise IntegrityError(
                f"{path} has the SHA-256 {file.sha256}, and {noted} was noted at capture",
                "make the pack again; if it stays so, archiver verify names what is wrong in the vault",
            )
        self._compared += 1
        return file


def _capture(capture: Capture) -> Cells:
    """From captured_at to clock_source."""
    return (
        utc(capture.fetched_ms), capture.route, capture.request, capture.headers or "",
        number(capture.status), capture.tool, capture.configuration, _CLOCKS.get(capture.route, ""),
    )  # fmt: skip


def _captured_file(capture: Capture) -> Cells:
    return capture.name, capture.path or "", capture.body_sha256 or ""


def _description(exhibit: Exhibit, version: ShownVersion | None) -> str:
    if version is None:
        return exhibit.kind if exhibit.kind == "moderation" else f"{exhibit.kind}, known by its absence alone"
    again = ", captured again" if version.again else ""
    return f"{exhibit.kind} on {exhibit.platform}, version {version.version}{again}"
