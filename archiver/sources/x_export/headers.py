"""Header files: the ids X says there are, held against the posts that were read."""

from collections.abc import Generator, Iterator, Sequence

from archiver.errors import SourceError
from archiver.sources.base import Capture, Event, Item, Problem
from archiver.sources.x.lenient import decode_leniently
from archiver.sources.x.times import parse_time
from archiver.sources.x_export import posts
from archiver.sources.x_export.cut import BrokenJsonError, JsonReader
from archiver.sources.x_export.expected import Expected
from archiver.sources.x_export.layouts import Family
from archiver.sources.x_export.part import DataFile
from archiver.sources.x_export.reconcile import (
    HeaderElement,
    IdTally,
    decode_header,
    header_of,
    missing_problems,
)
from archiver.sources.x_export.session import Session
from archiver.sources.x_export.zip_file import BrokenMemberError


class HeaderReading:
    """Reads tweet-headers.js and deleted-tweet-headers.js once, and the posts again only where ids are
    missing."""

    def __init__(self, session: Session, data: Sequence[DataFile], expected: Expected) -> None:
        self._session = session
        self._data = data
        self._expected = expected
        self._tally = IdTally()
        self.posts_agree = False

    def events(self, read_posts: IdTally, read_deleted: IdTally) -> Iterator[Event]:
        """Yield the header files' captures; deleted ones also as gone items; then what they name in vain."""
        sound = yield from self._read("post_headers", keep=False)
        if sound is not None:
            self.posts_agree = sound and self._tally.agrees(read_posts)
            if not self.posts_agree:
                missing = self._missing("post", "post_headers", ("post",))
                self.posts_agree = sound and not missing
                if missing:
                    self._session.short.add("post")
                    self._session.problems += missing
        self._tally = IdTally()
        sound = yield from self._read("deleted_post_headers", keep=True)
        if sound is not None and not self._tally.agrees(read_deleted):
            families: tuple[Family, ...] = ("post", "deleted_post")
            self._session.problems += self._missing("deleted post", "deleted_post_headers", families)
        yield from self._session.drain()

    def _read(self, family: Family, *, keep: bool) -> Generator[Event, None, bool | None]:
        """Add up the ids of a family's files; return whether all were read whole, None where there are
        none."""
        files = [each for each in self._data if each.kind.family == family]
        sound = True
        for each in files:
            capture = self._session.capture(each.part, each.member, each.kind.body_kind)
            walk = self._walk_and_keep if keep else self._walk
            expected = self._expected.count_of(each)
            sound &= yield from self._session.read(each.part, each.member, capture, walk, expected)
        return sound if files else None

    def _walk(self, blocks: Iterator[bytes], _capture: Capture) -> Iterator[tuple[int, list[Item]]]:
        for pairs in _elements(blocks, self._session.limits.element_bytes):
            self._tally.add(_ids_in(pairs))
            yield len(pairs), []

    def _walk_and_keep(self, blocks: Iterator[bytes], capture: Capture) -> Iterator[tuple[int, list[Item]]]:
        """Deleted posts' headers say more than an id: that the post is gone, and since when."""
        for pairs in _elements(blocks, self._session.limits.element_bytes):
            items = []
            for piece, each in pairs:
                post_id, deleted_at = header_of(_header(piece, each))
                self._tally.add([post_id or ""])
                if post_id:
                    items.append(posts.gone_item(post_id, parse_time(deleted_at), capture.key, piece))
            yield len(pairs), items

    def _missing(self, what: str, headers: Family, records: tuple[Family, ...]) -> list[Problem]:
        def read_headers() -> Iterator[list[str]]:
            return self._ids(headers)

        def read_records() -> Iterator[list[str]]:
            for family in records:
                yield from self._ids(family)

        named = self._session.limits.named_ids
        return missing_problems(what, self._tally.count, read_headers, read_records, named)

    def _ids(self, family: Family) -> Iterator[list[str]]:
        """Ids in a family's files, read once more; a break was reported the first time and ends the file
        here."""
        for each in self._data:
            if each.kind.family != family:
                continue
            blocks = each.part.archive.blocks(each.member)
            try:
                if family in ("post_headers", "deleted_post_headers"):
                    for headers in _elements(blocks, self._session.limits.element_bytes):
                        yield _ids_in(headers)
                else:
                    yield from _post_ids(blocks, self._session.limits.element_bytes)
            except (BrokenJsonError, BrokenMemberError):
                continue


def _elements(
    blocks: Iterator[bytes], element_limit: int
) -> Iterator[list[tuple[bytes, HeaderElement | None]]]:
    reader = JsonReader(blocks, element_limit)
    reader.skip_assignment()
    reader.expect("[")
    yield from reader.elements(decode_header)
    reader.finish()


def _post_ids(blocks: Iterator[bytes], element_limit: int) -> Iterator[list[str]]:
    reader = JsonReader(blocks, element_limit)
    reader.skip_assignment()
    reader.expect("[")
    for pairs in reader.elements(posts.post_decoder(reader.head(posts.HEAD_BYTES))):
        yield [each.id for each in posts.post_items(pairs, 0, None, [])]


def _ids_in(pairs: list[tuple[bytes, HeaderElement | None]]) -> list[str]:
    """The ids headers name; an empty one for a header that names none."""
    ids = [each.tweet.post_id if each is not None and each.tweet is not None else None for _, each in pairs]
    quick = [each for each in ids if each is not None]
    if len(quick) == len(pairs):
        return quick
    return [header_of(_header(piece, each))[0] or "" for piece, each in pairs]


def _header(piece: bytes, element: HeaderElement | None) -> HeaderElement:
    if element is not None:
        return element
    try:
        return decode_leniently(piece, HeaderElement)[0]
    except SourceError:
        return HeaderElement()


def parse_deleted_header(piece: bytes) -> tuple[str, int | None]:
    """Id of a deleted post and when it was deleted. Raise SourceError where it names none."""
    post_id, deleted_at = header_of(decode_leniently(piece, HeaderElement)[0])
    if not post_id:
        raise SourceError("a deleted post's header that names no post")
    return post_id, parse_time(deleted_at)
