"""One run over an export: its members in an order that lets notes meet their posts, and what the counts say.

Order: unread names, what opening found, the account, notes, posts, deleted posts, headers, relations,
messages, articles, community notes, notes left over, absences. A capture of notes ends after the posts'
captures.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec

from archiver.errors import SourceError
from archiver.records import RELATION_KINDS
from archiver.sources.base import Absence, Batch, Capture, CaptureEnd, Event, Item, Problem, Unread
from archiver.sources.x_export import accounts, grailbird, long_texts, notes, posts, relations
from archiver.sources.x_export.conversations import ConversationReading
from archiver.sources.x_export.cut import JsonReader
from archiver.sources.x_export.expected import POST_STEMS, Expected
from archiver.sources.x_export.headers import HeaderReading
from archiver.sources.x_export.layouts import Family
from archiver.sources.x_export.limits import Limits
from archiver.sources.x_export.part import DataFile, ExportPart
from archiver.sources.x_export.reconcile import IdTally
from archiver.sources.x_export.session import Identity, Session, Walk

T = TypeVar("T")
ABSENT: Final = "absent from the export"
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
Decoder = Callable[[bytes], Callable[[bytes], T]]
"""Given the first bytes of the first element, what decodes the elements."""
Take = Callable[[list[tuple[bytes, T | None]], Capture], list[Item]]


class Reading:
    """Yields the events of one export, once."""

    def __init__(
        self, identity: Identity, parts: Sequence[ExportPart], data: Sequence[DataFile], limits: Limits
    ) -> None:
        self._parts = parts
        self._data = sorted(data, key=lambda each: (each.kind.stem, each.number, each.shown))
        layout = next((part.layout for part in parts if part.layout is not None), "x-2022")
        self._session = Session(identity, limits, layout)
        self._expected = Expected(parts, data)
        self._session.short |= self._expected.short
        self._notes = notes.NoteBook(limits.note_bytes, self._session.problems)
        self._note_ends: list[CaptureEnd] = []
        self._told: list[long_texts.Told] = []
        self._posts, self._deleted = IdTally(), IdTally()
        self._headers = HeaderReading(self._session, self._data, self._expected)
        self._conversations = ConversationReading(self._session, self._data, self._expected)

    def events(self) -> Iterator[Event]:
        yield from self._unread()
        yield from self._expected.problems
        yield from self._grailbird_account()
        yield from self._files(
            "account", lambda _: accounts.decode_account, self._take_account, count_items=True
        )
        yield from self._files("note", lambda _: notes.decode_note, self._take_notes, later=self._note_ends)
        yield from self._files("post", posts.post_decoder, self._take_posts)
        yield from self._grailbird_posts()
        yield from self._files("deleted_post", posts.post_decoder, self._take_deleted)
        yield from self._headers.events(self._posts, self._deleted)
        yield from self._files("relation", lambda _: relations.decode_relation, self._take_relations)
        yield from self._conversations.events()
        yield from self._files("article_metadata", lambda _: _decode_raw, self._take_article_metadata)
        yield from self._files("article", lambda _: _decode_raw, self._take_articles, count_items=False)
        yield from self._files("community_note", lambda _: _decode_raw, self._take_community_notes)
        yield from self._files("community_note_tombstone", lambda _: _decode_raw, self._take_tombstones)
        yield from self._notes_left()
        yield from self._absences()

    def _unread(self) -> Iterator[Unread]:
        for part in self._parts:
            yield from map(Unread, part.unread)
            if part.months:
                # The same rows as the months hold, with less in them.
                yield from (Unread(member.name) for member in part.csv_files.values())

    def _of(self, family: Family) -> list[DataFile]:
        return [each for each in self._data if each.kind.family == family]

    def _files(
        self,
        family: Family,
        decoder: "Decoder[T]",
        take: "Take[T]",
        *,
        count_items: bool = False,
        later: list[CaptureEnd] | None = None,
    ) -> Iterator[Event]:
        """Read every file of a family as an array of records; note which kinds were not read whole."""
        for each in self._of(family):
            capture = self._session.capture(each.part, each.member, each.kind.body_kind)
            walk = _array_walk(decoder, take, self._session.limits.element_bytes, count_items=count_items)
            expected = self._expected.count_of(each)
            sound = yield from self._session.read(each.part, each.member, capture, walk, expected, later)
            if not sound:
                self._session.short.add(each.kind.record)

    def _take_account(
        self, pairs: list[tuple[bytes, accounts.AccountElement | None]], capture: Capture
    ) -> list[Item]:
        return accounts.account_items(pairs, capture, self._session.problems)

    def _take_notes(
        self, pairs: list[tuple[bytes, notes.NoteElement | None]], capture: Capture
    ) -> list[Item]:
        return self._notes.add(pairs, capture.key)

    def _take_posts(
        self, pairs: list[tuple[bytes, posts.PostElement | None]], capture: Capture
    ) -> list[Item]:
        items = posts.post_items(pairs, capture.key, self._find_note, self._session.problems)
        self._check_all(pairs, items, "post")
        if capture.body_kind in POST_STEMS:
            self._posts.add([each.id for each in items])
        return items

    def _take_deleted(
        self, pairs: list[tuple[bytes, posts.PostElement | None]], capture: Capture
    ) -> list[Item]:
        items = posts.post_items(pairs, capture.key, self._find_note, self._session.problems)
        self._deleted.add([each.id for each in items])
        return items + posts.gone_items([piece for piece, _ in pairs], capture.key)

    @property
    def _find_note(self) -> posts.FindNote | None:
        return self._notes.find if self._notes else None

    def _take_relations(
        self, pairs: list[tuple[bytes, relations.RelationElement | None]], capture: Capture
    ) -> list[Item]:
        kind = relations.kind_of_body(capture.body_kind)
        items = relations.relation_items(pairs, kind, capture.key, self._session.problems)
        self._check_all(pairs, items, kind)
        return items

    def _take_article_metadata(self, pairs: list[tuple[bytes, Any]], capture: Capture) -> list[Item]:
        self._told += long_texts.article_metadata(pairs, capture.key, self._session.problems)
        return []

    def _take_articles(self, pairs: list[tuple[bytes, Any]], capture: Capture) -> list[Item]:
        return long_texts.article_items(pairs, self._told, capture.key, self._session.problems)

    def _take_community_notes(self, pairs: list[tuple[bytes, Any]], capture: Capture) -> list[Item]:
        items = long_texts.community_note_items(pairs, capture.key, self._session.problems, tombstones=False)
        self._check_all(pairs, items, "post")
        return items

    def _take_tombstones(self, pairs: list[tuple[bytes, Any]], capture: Capture) -> list[Item]:
        return long_texts.community_note_items(pairs, capture.key, self._session.problems, tombstones=True)

    def _check_all(self, pairs: Sequence[object], items: Sequence[object], kind: str) -> None:
        """A record that could not be taken must not make an earlier one look gone."""
        if len(items) < len(pairs):
            self._session.short.add(kind)

    def _grailbird_account(self) -> Iterator[Event]:
        for part in self._parts:
            member = part.small.get("data/js/user_details.js")
            if member is not None:
                capture = self._session.capture(part, member, accounts.GRAILBIRD_BODY)
                yield from self._session.read(part, member, capture, self._walk_details)

    def _walk_details(self, blocks: Iterator[bytes], capture: Capture) -> Iterator[tuple[int, list[Item]]]:
        reader = JsonReader(blocks, self._session.limits.element_bytes)
        reader.skip_assignment()
        piece = reader.value()
        yield 1, [accounts.user_details_item(capture, piece)]
        reader.finish()

    def _grailbird_posts(self) -> Iterator[Event]:
        months = self._expected.months or {}
        for part in self._parts:
            for month, member in sorted(part.months.items()):
                capture = self._session.capture(part, member, grailbird.BODY_KIND)
                walk = _array_walk(posts.post_decoder, self._take_posts, self._session.limits.element_bytes)
                sound = yield from self._session.read(part, member, capture, walk, months.get(month))
                if not sound:
                    self._session.short.add("post")
            if not part.months:
                yield from self._grailbird_rows(part)

    def _grailbird_rows(self, part: ExportPart) -> Iterator[Event]:
        """Comma-separated rows, only where nothing better is there."""
        whole = part.csv_files.get("tweets.csv")
        for member in (whole,) if whole is not None else part.csv_files.values():
            self._session.short.add("post")  # rows have no count of their own: they never prove an absence
            try:
                header = grailbird.read_header(part.archive.blocks(member))
            except SourceError as error:
                yield Problem(f"{part.archive.name}!{member.name}", "broken", error.message)
                continue
            capture = self._session.capture(
                part, member, grailbird.CSV_BODY_KIND, "x-grailbird-csv", {"header": header}
            )
            yield from self._session.read(part, member, capture, self._walk_rows)

    def _walk_rows(self, blocks: Iterator[bytes], capture: Capture) -> Iterator[tuple[int, list[Item]]]:
        header = grailbird.csv_fields(capture.context["header"].encode())
        first = True
        for rows in grailbird.csv_rows(blocks, self._session.limits.element_bytes):
            taken = rows[1:] if first and rows else rows
            first = first and not rows
            items = grailbird.csv_items(header, taken, capture.key, self._session.problems)
            yield len(items), items

    def _notes_left(self) -> Iterator[Event]:
        """Long posts' texts whose posts were not found, and the ends of their captures."""
        for end in self._note_ends:
            items = list(self._notes.left(end.capture_key))
            for start in range(0, len(items), 500):
                yield Batch(end.capture_key, items[start : start + 500])
            yield from self._session.drain()
            yield end

    def _absences(self) -> Iterator[Absence]:
        """What is whole: nothing of it is missing, and the export is a full one by its own word."""
        if self._session.identity.partial:
            return
        short = self._session.short
        kinds = {each.kind.record for each in self._data if each.kind.family == "relation"}
        if self._expected.has_manifest:
            for kind in RELATION_KINDS:
                if kind in kinds and kind not in short:
                    yield Absence(kind, ABSENT)
            if self._conversations.read_any and "message" not in short:
                yield Absence("message", ABSENT)
        if "post" not in short and (self._headers.posts_agree or self._posts_counted()):
            yield Absence("post", ABSENT)

    def _posts_counted(self) -> bool:
        """Every file of posts came with a count, and they were held against it."""
        if self._expected.months is not None:
            return all(
                self._expected.months.get(month) is not None for part in self._parts for month in part.months
            )
        files = [each for each in self._of("post") if each.kind.stem in POST_STEMS]
        return bool(files) and all(self._expected.count_of(each) is not None for each in files)


def _array_walk(
    decoder: "Decoder[T]", take: "Take[T]", element_limit: int, *, count_items: bool = False
) -> Walk:
    """How to read `name = [ … ]`: cut it, make items of the elements. Counts elements, or the items made."""

    def walk(blocks: Iterator[bytes], capture: Capture) -> Iterator[tuple[int, list[Item]]]:
        reader = JsonReader(blocks, element_limit)
        reader.skip_assignment()
        reader.expect("[")
        for pairs in reader.elements(decoder(reader.head(posts.HEAD_BYTES))):
            items = take(pairs, capture)
            yield len(items if count_items else pairs), items
        reader.finish()

    return walk
