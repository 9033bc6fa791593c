"""What searches need of all segments of a vault at once, so that a hundred need not be opened for it."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import apsw

from archiver.archive.manifest import File
from archiver.archive.read import SegmentReader
from archiver.keys import Identity
from archiver.search.catalogue.folder import CatalogueFolder
from archiver.search.catalogue.gathering import CataloguedSegment, Gathering
from archiver.search.catalogue.names import Names, known_as
from archiver.search.catalogue.part import Part
from archiver.search.catalogue.similarity import Form
from archiver.search.catalogue.vocabulary import Vocabulary

MOST_PARTS = 6
"""Each costs a search 1 ms to open; where there are more, all are put into one."""
GATHERED_BYTES = 128 * 1024 * 1024
"""Of 200 months of 8,000 posts."""
Place = tuple[str, str]
"""A segment: its archive's name, and the name of its file."""


class _Known(NamedTuple):
    number: int
    segment: CataloguedSegment


class Catalogue:
    """The catalogue of one vault: opened, brought up to date by `keep` and `add`, asked, saved.

    Segments are numbered from 0, for as long as this object lives. Not for several threads at once; several
    processes may each have one, and save it."""

    def __init__(self, folder: CatalogueFolder, *, gathered_bytes: int = GATHERED_BYTES) -> None:
        """`gathered_bytes`: of segments' words that are held in memory before a part is made of them."""
        self._folder = folder
        self._gathered_bytes = gathered_bytes
        self._parts: list[Part] = []
        self._known: dict[Place, _Known] = {}
        self._gathering = Gathering()
        self._next_number = 0
        for part in folder.load():
            self._take(part)

    @classmethod
    def open(cls, folder: Path | None, vault_id: str, identities: Sequence[Identity]) -> "Catalogue":
        """What is kept of a vault below the cache's folder for one of these identities; nothing where nothing
        is or can be read. None: in memory alone."""
        return cls(CatalogueFolder(folder, vault_id, identities))

    @property
    def problem(self) -> str | None:
        """Why something could not be kept or read; a search is none the worse for it, but slower."""
        return self._folder.problem

    def _take(self, part: Part) -> None:
        """Two processes may have catalogued the same segments: what overlaps with a part taken before, which
        had more of them, would count them twice."""
        places = [(one.archive, one.file) for one in part.segments]
        if any(place in self._known for place in places):
            self._folder.doom([part])
            part.close()
            return
        part.first = self._next_number
        self._next_number += len(places)
        for number, (place, segment) in enumerate(zip(places, part.segments, strict=True), part.first):
            self._known[place] = _Known(number, segment)
        self._parts.append(part)

    # Which segments are in it

    def keep(self, segments: Iterable[tuple[str, File]]) -> None:
        """Say which segments the whole vault has, by archive and file. A part that has another, or one whose
        file is another now, is dropped: its other segments are to be added anew, and `save` deletes it."""
        self._settle()
        sound = {(archive, file.name, file.sha256) for archive, file in segments}
        dropped = [
            part
            for part in self._parts
            if any((one.archive, one.file, one.sha256) not in sound for one in part.segments)
        ]
        for part in dropped:
            self._drop(part)

    def _drop(self, part: Part) -> None:
        self._parts.remove(part)
        self._folder.doom([part])
        for one in part.segments:
            del self._known[one.archive, one.file]
        part.close()

    def covers(self, archive: str, file: File) -> bool:
        """Whether a segment is catalogued, as the manifest has it now."""
        return self._find(archive, file) is not None

    def number_of(self, archive: str, file: File) -> int | None:
        """Its number: which bit it has in a bitmap of segments. None where it is not catalogued."""
        known = self._find(archive, file)
        return None if known is None else known.number

    def file_key(self, archive: str, file: File, key_sha256: str = "") -> bytes | None:
        """What opens a segment (`age.FileKeyIdentity`): a secret. None where it is not catalogued, or where
        the archive's `key.age` is another than when it was: who may open it has changed since."""
        known = self._find(archive, file)
        return (
            known.segment.file_key if known is not None and known.segment.key_sha256 == key_sha256 else None
        )

    def _find(self, archive: str, file: File) -> _Known | None:
        known = self._known.get((archive, file.name))
        return known if known is not None and known.segment.sha256 == file.sha256 else None

    def forget(self, archive: str, file: File) -> None:
        """Drop the part that a segment is in: it, and others with it, are to be added anew."""
        self._settle()
        for part in [one for one in self._parts if one.has(archive, file.name)]:
            self._drop(part)
            part.close()

    def add(self, archive: str, file: File, reader: SegmentReader, key_sha256: str = "") -> None:
        """Catalogue an open segment; do nothing if it is. `key_sha256`: of the archive's `key.age` now. Raise
        IntegrityError for altered bytes, StoreError where they cannot be had; then nothing of it is
        catalogued."""
        place = (archive, file.name)
        if place in self._known:
            if self.covers(archive, file):
                return
            self._settle()
            self._drop(next(part for part in self._parts if part.has(*place)))
        segment = CataloguedSegment(archive, file.name, file.sha256, reader.sealed.file_key, key_sha256)
        try:
            self._gathering.add_segment(segment, reader.connection)
        except apsw.Error as error:
            raise reader.translated(error) from error
        self._known[place] = _Known(self._next_number, segment)
        self._next_number += 1
        if self._gathering.held_bytes > self._gathered_bytes:
            self._settle()

    # What it says

    @property
    def vocabulary(self) -> Vocabulary:
        self._settle()
        return Vocabulary(self._parts)

    def stem_of(self, word: str) -> str | None:
        """A word's stem; None where no catalogued segment has the word."""
        return next(iter(self.vocabulary.stems_of(word)), None)

    def forms(self, word: str, language: str) -> tuple[Form, ...]:
        return self.vocabulary.forms(word, language)

    def glued(self, word: str) -> list[str]:
        return self.vocabulary.glued(word)

    def similar(self, word: str, edits: int) -> tuple[Form, ...]:
        return self.vocabulary.similar(word, edits)

    def suggest(self, word: str) -> tuple[Form, ...]:
        return self.vocabulary.suggest(word)

    def segments_with(self, words: Iterable[str]) -> int | None:
        return self.vocabulary.segments_with(words)

    def known_as(self, handle_or_id: str) -> Names:
        self._settle()
        return known_as(self._parts, handle_or_id)

    # Keeping it

    def _settle(self) -> None:
        """Make a part of what was added."""
        if not self._gathering.segments:
            return
        part = Part.of(self._gathering)
        part.first = self._next_number - len(part.segments)
        self._parts.append(part)
        self._gathering = Gathering()

    def save(self) -> None:
        """Keep what was added, as one part; where there are more than six, put all into one. Delete what is
        not to be kept and what cannot be used. Nothing that goes wrong is an error: see `problem`. Numbers of
        segments stay."""
        self._settle()
        chosen = self._parts
        if len(chosen) <= MOST_PARTS:
            chosen = [part for part in chosen if part.name is None]
        if len(chosen) < 2:
            self._folder.write(chosen[0] if chosen else None)
            return
        gathering = Gathering()
        for part in chosen:
            gathering.add_part(part.segments, part.connection)
        with closing(Part.of(gathering)) as whole:
            self._folder.write(whole, instead_of=chosen)

    def close(self) -> None:
        for part in self._parts:
            part.close()
        self._parts.clear()
        self._known.clear()
