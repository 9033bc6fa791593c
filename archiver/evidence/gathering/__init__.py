"""Records of a vault to exhibits: all versions, verbatim bytes, captures, threads, moderation, media.

Only what is sealed goes into a pack: what waits in a spool is in no signed manifest, and proves nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from archiver.errors import ArchiverError
from archiver.evidence.gathering.moderated import ModerationIndex, Noted
from archiver.evidence.gathering.shown import Books, gone_notice, shown_version, thread_lines
from archiver.evidence.gathering.withheld import Withheld
from archiver.evidence.model import Exhibit, GoneNotice, ShownVersion, ThreadLine
from archiver.search.hit import table_of
from archiver.search.language.fields import MODERATION
from archiver.search.record import Record, Version, find_records
from archiver.search.record.sightings import Comparisons, RecordName, Sightings, find_sightings, name_of
from archiver.search.record.thread import Anchor, Line, Thread, find_thread
from archiver.search.run import Searcher

_CHUNK = 500
"""Records that are read together: 10,000 took 0.35 s so, one by one 9 s."""
THREAD_LINES = 10
"""Shown of a thread on each side of a record."""


class Gathered(NamedTuple):
    """An exhibit and the bytes of its originals, by their paths in the pack."""

    exhibit: Exhibit
    bodies: dict[str, bytes]


class Pack(NamedTuple):
    """Who the pack's exhibits are numbered by: initials and the pack's own number."""

    initials: str
    number: int


class Gatherer:
    """Makes the exhibits of one pack. `names`: the records, in the order of their numbers; `disposed`: the
    archives that nothing opens any more. Raise ArchiverError for one that no archive holds, and as
    `Searcher.search`."""

    def __init__(
        self, searcher: Searcher, pack: Pack, names: Sequence[RecordName], disposed: Collection[str] = ()
    ) -> None:
        self.books = Books(disposed, Withheld.of(searcher))
        self._searcher = searcher
        self._pack = pack
        self._names = names
        self._numbers = {name: number for number, name in enumerate(names, start=1)}
        self._comparisons = Comparisons(searcher)
        self._moderation = ModerationIndex(searcher)

    def gather(self) -> Iterator[Gathered]:
        """Every exhibit, in order."""
        names = iter(self._names)
        while chunk := list(islice(names, _CHUNK)):
            yield from self._chunk(chunk)

    def _chunk(self, names: list[RecordName]) -> Iterator[Gathered]:
        held = [name for name in names if name[2] != MODERATION]
        found = find_records(self._searcher, [name[3] for name in held])
        sightings = find_sightings(self._searcher, found, self._comparisons)
        versions = _by_name(found.versions)
        threads = self._threads(held, versions)
        gone = {
            (row["noticed_ms"], row["how"], row["archive"], row["platform_id"]): row for row in found.gone
        }
        for name in names:
            if name[2] == MODERATION:
                yield self._moderation_record(name)
            elif name in versions:
                yield self._exhibit(name, versions[name], sightings[name], threads.get(name), gone)
            else:
                raise _not_held(name)

    def _threads(
        self, names: Iterable[RecordName], versions: dict[RecordName, list[Version]]
    ) -> dict[RecordName, Thread]:
        anchors = {}
        for name in names:
            newest = versions[name][-1] if name in versions else None
            if newest is not None and newest.table in ("post", "message"):
                own, posted_ms = str(newest.fields["platform_id"]), int(newest.fields["posted_ms"])
                anchors[name] = Anchor(newest.table, name[0], name[1], own, posted_ms)
        found = find_thread(self._searcher, list(anchors.values()), before=THREAD_LINES, after=THREAD_LINES)
        return dict(zip(anchors, found, strict=True))

    def _exhibit(
        self,
        name: RecordName,
        versions: list[Version],
        sightings: Sightings,
        thread: Thread | None,
        gone: dict[tuple[Any, ...], dict[str, Any]],
    ) -> Gathered:
        platform, account, kind, own = name
        _, stem = self._reference(name)
        bodies: dict[str, bytes] = {}
        shown = tuple(self._versions(versions, stem, bodies))
        newest = next((one for one in reversed(shown) if not one.again), shown[-1])
        ids = dict.fromkeys(str(one.fields["platform_id"]) for one in versions)
        noted = self._moderation.notes(self._moderation.about(ids), self.books.media, stem)
        exhibit = Exhibit(
            **self._numbered(name),
            platform=platform,
            account=account,
            account_handle=versions[-1].capture["handle"],
            kind=newest.kind if kind == "post" else kind,
            id=own,
            url=_url_of(platform, kind, own),
            versions=shown,
            captured=sightings.captured,
            last_seen_ms=sightings.last_seen_ms,
            gone=tuple(self._gone(sightings, ids, gone, stem, bodies)),
            thread=self._lines(name, thread),
            more_before=thread.more_before if thread is not None else 0,
            more_after=thread.more_after if thread is not None else 0,
            moderation=_notes(noted, bodies),
        )
        return Gathered(exhibit, bodies)

    def _versions(
        self, versions: list[Version], stem: str, bodies: dict[str, bytes]
    ) -> Iterator[ShownVersion]:
        before = None
        for number, version in enumerate(versions, start=1):
            shown = shown_version(version, None if version.again else before, self.books, f"{stem}.v{number}")
            before = before if version.again else version
            bodies.update(
                (one.path, raw)
                for one, raw in zip(shown.originals, version.raw, strict=True)
                if one.path is not None
            )
            yield shown

    def _gone(
        self,
        sightings: Sightings,
        ids: Iterable[str],
        gone: dict[tuple[Any, ...], dict[str, Any]],
        stem: str,
        bodies: dict[str, bytes],
    ) -> Iterator[GoneNotice]:
        for number, missing in enumerate(sightings.missing, start=1):
            keys = ((missing.noticed_ms, missing.how, missing.archive, one) for one in ids)
            row = next((gone[key] for key in keys if key in gone), None)
            notice = gone_notice(missing, row, self.books, f"{stem}.gone{number}")
            if notice.original is not None and row is not None:
                bodies[str(notice.original.path)] = row["raw"]
            yield notice

    def _lines(self, name: RecordName, thread: Thread | None) -> tuple[ThreadLine, ...]:
        return () if thread is None else thread_lines(thread, self._reference_of_line)

    def _reference_of_line(self, line: Line) -> str | None:
        name = line.platform, line.account, table_of(line.kind), line.record_id
        return self._reference(name)[0] if name in self._numbers else None

    def _moderation_record(self, name: RecordName) -> Gathered:
        held = self._moderation.find(name[3])
        if held is None or held.archive is None:
            raise _not_held(name)
        bodies: dict[str, bytes] = {}
        noted = self._moderation.notes([held], self.books.media, self._reference(name)[1])
        now = held.record.now
        exhibit = Exhibit(
            **self._numbered(name),
            platform=name[0],
            account=name[1],
            account_handle=now.account_handle,
            kind=MODERATION,
            id=name[3],
            url=now.item_url,
            moderation=_notes(noted, bodies),
        )
        return Gathered(exhibit, bodies)

    def _reference(self, name: RecordName) -> tuple[str, str]:
        number = self._numbers[name]
        initials, pack = self._pack
        return f"{initials}/{pack}/{number}", f"{initials}_{pack}_{number}"

    def _numbered(self, name: RecordName) -> dict[str, Any]:
        reference, stem = self._reference(name)
        return {"number": self._numbers[name], "reference": reference, "stem": stem}


def _by_name(versions: Iterable[Version]) -> dict[RecordName, list[Version]]:
    found: dict[RecordName, list[Version]] = {}
    for version in versions:
        found.setdefault(name_of(version), []).append(version)
    return found


def _notes(noted: Sequence[Noted], bodies: dict[str, bytes]) -> Any:
    for one in noted:
        bodies.update(
            (str(place.path), raw) for place, raw in zip(one.note.originals, one.bodies, strict=True)
        )
    return tuple(one.note for one in noted)


def _not_held(name: RecordName) -> ArchiverError:
    return ArchiverError(
        f"{name[2]} {name[3]} of account {name[1]} is in no archive",
        "what is not sealed yet is sealed by: archiver seal",
    )


def _url_of(platform: str, kind: str, own: str) -> str | None:
    """The address of a post on X works with any name in it, and none is claimed."""
    return f"https://x.com/i/status/{own}" if platform == "x" and kind == "post" and own.isdigit() else None


def found_names(record: Record) -> dict[RecordName, int]:
    """Of each id: the posts and messages that have it, and what else has it where none of these does. With
    when each was posted, or captured, oldest first."""
    written = {
        own
        for one in record.versions
        if one.table in ("post", "message")
        for own in (one.fields["platform_id"], one.fields.get("record_id"))
    }
    found: dict[RecordName, int] = {}
    for one in record.versions:
        if one.table in ("post", "message") or one.fields["platform_id"] not in written:
            posted_ms = one.fields.get("posted_ms") or one.fields.get("captured_ms") or 0
            found.setdefault(name_of(one), posted_ms)
    return found


def archives_of(exhibits: Iterable[Exhibit], books: Books) -> tuple[str, ...]:
    """The archives that anything of these records is from, their pictures too."""
    found: set[str] = {place.archive for place in books.media.places.values()}
    for one in exhibits:
        found.update(version.archive for version in one.versions)
        found.update(notice.archive for notice in one.gone)
        found.update(name for note in one.moderation for name in note.archives if name is not None)
    return tuple(sorted(found))
