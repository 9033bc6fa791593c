"""Direct-message files read as one run: every event of every conversation, and their headers held against
them."""

from collections.abc import Iterator, Sequence
from typing import Final

from archiver.sources.base import Capture, Event, Item, Problem
from archiver.sources.x_export.cut import BrokenJsonError, JsonReader
from archiver.sources.x_export.expected import Expected
from archiver.sources.x_export.layouts import Family
from archiver.sources.x_export.messages import message_id_of, message_items, read_conversations
from archiver.sources.x_export.part import DataFile
from archiver.sources.x_export.reconcile import IdTally, missing_problems
from archiver.sources.x_export.session import Session
from archiver.sources.x_export.zip_file import BrokenMemberError

KIND: Final = "message"


class ConversationReading:
    """Reads the message files, then their headers. `read_any` says whether there was a message file."""

    def __init__(self, session: Session, data: Sequence[DataFile], expected: Expected) -> None:
        self._session = session
        self._data = data
        self._expected = expected
        self._conversations = 0
        self._messages, self._headers = IdTally(), IdTally()
        self.read_any = False

    def events(self) -> Iterator[Event]:
        for each in self._of("message"):
            self.read_any = True
            yield from self._read(each)
        headers = self._of("message_headers")
        for each in headers:
            capture = self._session.capture(each.part, each.member, each.kind.body_kind)
            yield from self._session.read(each.part, each.member, capture, self._walk_headers)
        if headers and not self._headers.agrees(self._messages):
            yield from self._missing()

    def _of(self, family: Family) -> list[DataFile]:
        return [each for each in self._data if each.kind.family == family]

    def _read(self, file: DataFile) -> Iterator[Event]:
        """One message file. The manifest's count is of conversations, or of messages: either will do."""
        self._conversations = 0
        before = self._messages.count
        capture = self._session.capture(file.part, file.member, file.kind.body_kind)
        sound = yield from self._session.read(file.part, file.member, capture, self._walk)
        if not sound:
            self._session.short.add(KIND)
            return
        expected = self._expected.count_of(file)
        found = self._messages.count - before
        if expected is not None and expected not in (self._conversations, found):
            self._session.short.add(KIND)
            detail = (
                f"has {self._conversations:,} conversations with {found:,} messages,"
                f" and the export's own count is {expected:,}"
            )
            yield Problem(capture.request, "count differs", detail)

    def _opened(self) -> None:
        self._conversations += 1

    def _walk(self, blocks: Iterator[bytes], capture: Capture) -> Iterator[tuple[int, list[Item]]]:
        reader = JsonReader(blocks, self._session.limits.element_bytes)
        reader.skip_assignment()
        for conversation, pairs in read_conversations(reader, self._opened):
            items = message_items(conversation, pairs, capture.key, self._session.problems)
            if len(items) < len(pairs):
                self._session.short.add(KIND)
            # Only messages have ids of X's making, and only those are in the headers.
            self._messages.add([each.id for each in items if each.id.isdigit()])
            yield len(pairs), items
        reader.finish()

    def _walk_headers(self, blocks: Iterator[bytes], _capture: Capture) -> Iterator[tuple[int, list[Item]]]:
        for ids in _header_ids(blocks, self._session.limits.element_bytes):
            self._headers.add(ids)
            yield len(ids), []

    def _missing(self) -> Iterator[Problem]:
        limits = self._session.limits

        def read(family: Family) -> Iterator[list[str]]:
            for each in self._of(family):
                try:
                    yield from _header_ids(each.part.archive.blocks(each.member), limits.element_bytes)
                except (BrokenJsonError, BrokenMemberError):
                    continue

        problems = missing_problems(
            "message",
            self._headers.count,
            lambda: read("message_headers"),
            lambda: read("message"),
            limits.named_ids,
        )
        if problems:
            self._session.short.add(KIND)
        yield from problems


def _header_ids(blocks: Iterator[bytes], element_limit: int) -> Iterator[list[str]]:
    """Ids of the messages in a message file or its headers, which are shaped alike."""
    reader = JsonReader(blocks, element_limit)
    reader.skip_assignment()
    for _, pairs in read_conversations(reader, lambda: None):
        ids = [message_id_of(event) for _, event in pairs]
        yield [each for each in ids if each and each.isdigit()]
    reader.finish()
