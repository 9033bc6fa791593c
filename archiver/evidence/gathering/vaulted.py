"""Reads in the vault what a pack takes whole: answers of a platform's interface, pictures and videos."""

from collections.abc import Iterator

from archiver.errors import IntegrityError
from archiver.evidence.gathering.captures import Answer
from archiver.evidence.gathering.media import MediaPlace, MediaReader
from archiver.search.run import Searcher

_BODY = "SELECT body FROM capture_part WHERE id = ?"


class VaultReader:
    """Of the archives that are searched. Raise IntegrityError for altered bytes, StoreError where the store
    cannot be reached."""

    def __init__(self, searcher: Searcher, media: MediaReader) -> None:
        self._segments = searcher.segments
        self._media = media
        self._by_path = {one.archive.path(one.file): one for one in searcher.segments.sealed}

    def answer(self, place: Answer) -> bytes:
        """A whole answer, as the platform sent it."""
        segment = self._by_path[place.segment]
        rows = self._segments.rows(segment, _BODY, [place.part])
        if not rows:
            raise IntegrityError(f"{place.segment} has no part {place.part} of its captures")
        return bytes(rows[0][0])

    def media(self, place: MediaPlace) -> Iterator[bytes]:
        """A picture's or video's bytes, in blocks, checked at the end."""
        return self._media.read(place)
