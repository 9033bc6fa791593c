"""Reads in the vault what a pack takes whole: answers of a platform's interface, pictures and videos."""

from collections.abc import Iterator

from archiver.evidence.gathering.answers import Answer, AnswerReader
from archiver.evidence.gathering.media import MediaPlace, MediaReader
from archiver.search.run import Searcher


class VaultReader:
    """Of the archives that are searched. Raise IntegrityError for altered bytes, StoreError where the store
    cannot be reached."""

    def __init__(self, searcher: Searcher, media: MediaReader) -> None:
        self._answers = AnswerReader(searcher)
        self._media = media

    def answer(self, place: Answer) -> bytes:
        """A whole answer, as the platform sent it."""
        return self._answers.read(*place)

    def media(self, place: MediaPlace) -> Iterator[bytes]:
        """A picture's or video's bytes, in blocks, checked at the end."""
        return self._media.read(place)
