"""What the tables of several segments say together, and the database that a part of the catalogue is.

A month's segment has 20,000 to 30,000 words, a hundred of them have 200,000 different ones. So SQLite joins
the rows it gives into one text, which is cut in one go; and they are counted one stretch of the vocabulary
after the other.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from itertools import pairwise
from typing import Any, NamedTuple

import apsw

from archiver.archive.segment_file import GrowingFile
from archiver.archive.tokenizer import SEPARATORS
from archiver.archive.vfs import SegmentDatabase
from archiver.formats.seekable_zstd import SeekableWriter
from archiver.search.words import fold

PAGE_BYTES = 16 * 1024
"""Four to a frame: a word's row is found in two frames all the same, and a page is searched sooner."""
CACHE_BYTES = 16 * 1024 * 1024
HOT_BYTES = 32 * 1024 * 1024
LEVEL = 1

SCHEMA = """
CREATE TABLE segment (
    number   INTEGER PRIMARY KEY,         -- from 0: its place in every word's bitmap
    archive  TEXT NOT NULL,
    file     TEXT NOT NULL,
    sha256   TEXT NOT NULL,               -- of the sealed file, as the manifest has it
    file_key BLOB NOT NULL,               -- age's, of that file
    key_sha256 TEXT NOT NULL              -- of the archive's key.age by which it was found; '': not known
);
CREATE TABLE term (
    term     TEXT PRIMARY KEY,
    stem     TEXT NOT NULL,
    records  INTEGER NOT NULL,            -- of all segments together
    segments BLOB NOT NULL                -- which have the word: bit by number, the lowest byte first
) WITHOUT ROWID;
CREATE TABLE word_list (
    length INTEGER PRIMARY KEY,           -- in characters
    words  TEXT NOT NULL                  -- all words that long, with spaces between them
);
CREATE TABLE glued (
    piece TEXT NOT NULL,                  -- a word with signs taken off that an older index took for letters
    term  TEXT NOT NULL,
    PRIMARY KEY (piece, term)
) WITHOUT ROWID;
CREATE TABLE name (
    handle   TEXT NOT NULL,               -- folded
    user_id  TEXT NOT NULL,
    spelling TEXT NOT NULL,
    PRIMARY KEY (handle, user_id, spelling)
) WITHOUT ROWID;
"""
_GLUE = re.compile(f"[{re.escape(SEPARATORS)}]+")
_INDEXES = """
CREATE INDEX term_stem ON term (stem);
CREATE INDEX name_user_id ON name (user_id);
"""
_TERMS = """
SELECT group_concat(term, ' '), group_concat(stem, ' '), group_concat(records, ' ') FROM term
WHERE term >= ? AND term < ?
"""
_PART_TERMS = "SELECT term, stem, records, segments FROM term WHERE term >= ? AND term < ?"
_STRETCHES = tuple(pairwise(("", *"0123456789abcdefghijklmnopqrstuvwxyz{", "\U0010ffff" * 2)))
"""From one word up to another: stretches of the vocabulary that are counted one after the other. The words of
one fit into a processor's cache; all at once took two thirds longer."""
_NAMES = {
    "capture": "SELECT account, handle FROM capture",
    "account": "SELECT platform_id, handle FROM account",
    "mention": "SELECT user_id, handle FROM mention",
    "post": "SELECT DISTINCT author_id, author_handle FROM post"
    " UNION SELECT in_reply_to_user_id, in_reply_to_handle FROM post",
    "person": "SELECT user_id, handle FROM person",
    "moderation": "SELECT author_id, author_handle FROM moderation"
    " UNION SELECT account, account_handle FROM moderation",
}
"""Who had which handle, by table. A segment of an earlier version has not all of them."""


class CataloguedSegment(NamedTuple):
    """A segment, and what opens it. Holds a secret."""

    archive: str
    file: str
    sha256: str
    file_key: bytes
    key_sha256: str = ""

    def __repr__(self) -> str:
        return f"CataloguedSegment(archive={self.archive!r}, file={self.file!r})"


Columns = tuple[str, str, str]
"""Words, stems and numbers of records of one stretch, with spaces between them. No word has one in it
(unicode61's tokens are letters and digits)."""


class Gathering:
    """Segments' words and names, counted together; then the frames of a part's database."""

    def __init__(self) -> None:
        self.segments: list[CataloguedSegment] = []
        self.held_bytes = 0
        """Of memory, about: 600 kB for a month's segment."""
        self._columns: dict[int, list[Columns | None]] = {}
        self._parts: list[tuple[int, apsw.Connection]] = []
        self._names: set[tuple[str, str]] = set()

    def add_segment(self, segment: CataloguedSegment, connection: apsw.Connection) -> None:
        """Read a segment's tables; raise apsw.Error where they cannot be read, after which nothing of it is
        counted."""
        columns = [_read_terms(connection, stretch) for stretch in _STRETCHES]
        self._names |= _read_names(connection)
        self._columns[len(self.segments)] = columns
        self.held_bytes += sum(len(text) for column in columns for text in column or ())
        self.segments.append(segment)

    def add_part(self, segments: Iterable[CataloguedSegment], connection: apsw.Connection) -> None:
        """Count what a part of the catalogue says. It must stay open until the frames are made."""
        self._names.update(connection.execute("SELECT user_id, spelling FROM name"))
        self._parts.append((len(self.segments), connection))
        self.segments += segments

    def frames(self) -> bytes:
        """The database of all this, as a seekable Zstandard file; forgets the words meanwhile."""
        file = GrowingFile(hot_bytes=HOT_BYTES, level=LEVEL)
        database = SegmentDatabase.create(file, page_bytes=PAGE_BYTES, cache_bytes=CACHE_BYTES)
        try:
            connection = database.connection
            connection.execute(SCHEMA)
            connection.execute("BEGIN")
            self._write(connection)
            connection.execute(_INDEXES)
            connection.execute("COMMIT")
            database.close()
            packed = BytesIO()
            with SeekableWriter(packed) as writer:
                for frame, plain_size in file.frames():
                    writer.write_frame(frame, plain_size)
            return packed.getvalue()
        finally:
            with suppress(apsw.Error):
                database.close()
            file.release()

    def _write(self, connection: apsw.Connection) -> None:
        connection.executemany(
            "INSERT INTO segment VALUES (?,?,?,?,?,?)",
            ((number, *segment) for number, segment in enumerate(self.segments)),
        )
        by_length: defaultdict[int, list[str]] = defaultdict(list)
        glued: set[tuple[str, str]] = set()
        for stretch in range(len(_STRETCHES)):
            counted = self._count(stretch)
            words = sorted(counted.numbers)
            connection.executemany("INSERT INTO term VALUES (?,?,?,?)", counted.rows(words))
            for word in words:
                by_length[len(word)].append(word)
                if _GLUE.search(word):
                    glued.update((piece, word) for piece in _GLUE.split(word) if piece)
        connection.executemany(
            "INSERT INTO word_list VALUES (?,?)",
            ((length, " ".join(by_length[length])) for length in sorted(by_length)),
        )
        connection.executemany("INSERT INTO glued VALUES (?,?)", sorted(glued))
        names = sorted((fold(spelling), user_id, spelling) for user_id, spelling in self._names)
        connection.executemany("INSERT INTO name VALUES (?,?,?)", names)

    def _count(self, stretch: int) -> "_Counted":
        counted = _Counted(has_unstemmed=bool(self._parts))
        for offset, connection in self._parts:
            rows: list[Any] = connection.execute(_PART_TERMS, _STRETCHES[stretch]).fetchall()
            bitmaps = [int.from_bytes(row[3], "little") << offset for row in rows]
            counted.add([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows], bitmaps)
        for number, columns in self._columns.items():
            texts, columns[stretch] = columns[stretch], None
            if texts is not None:
                words, stems, records = (text.split(" ") for text in texts)
                counted.add(words, stems, list(map(int, records)), [1 << number] * len(words))
        return counted


class _Counted:
    """The words of one stretch, with what all segments say of each. `has_unstemmed`: whether some of them may
    be from a time when the settings said that words have no forms."""

    def __init__(self, *, has_unstemmed: bool) -> None:
        self.numbers: dict[str, int] = {}
        self._stems: list[str] = []
        self._records: list[int] = []
        self._bitmaps: list[int] = []
        self._has_unstemmed = has_unstemmed

    def add(self, words: list[str], stems: list[str], records: list[int], bitmaps: list[int]) -> None:
        """Runs for every word of every segment: written for speed."""
        all_records, all_bitmaps, all_stems = self._records, self._bitmaps, self._stems
        numbers = map(self.numbers.get, words)
        for word, stem, count, bitmap, number in zip(words, stems, records, bitmaps, numbers, strict=True):
            if number is None:
                self.numbers[word] = len(all_stems)
                all_stems.append(stem)
                all_records.append(count)
                all_bitmaps.append(bitmap)
            else:
                all_records[number] += count
                all_bitmaps[number] |= bitmap
        if self._has_unstemmed:
            self._prefer_stems(words, stems)
        self._has_unstemmed = self._has_unstemmed or words == stems

    def _prefer_stems(self, words: list[str], stems: list[str]) -> None:
        """Where a word had no stem of its own, what a later segment gives as one counts for all. Otherwise
        the segment that was read first decides."""
        for word, stem in zip(words, stems, strict=True):
            number = self.numbers[word]
            if stem != word and self._stems[number] == word:
                self._stems[number] = stem

    def rows(self, words: Iterable[str]) -> Iterator[tuple[str, str, int, bytes]]:
        """As the table `term` has them."""
        for word in words:
            number = self.numbers[word]
            bitmap = self._bitmaps[number]
            blob = bitmap.to_bytes((bitmap.bit_length() + 7) // 8, "little")
            yield word, self._stems[number], self._records[number], blob


def _read_terms(connection: apsw.Connection, stretch: tuple[str, str]) -> Columns | None:
    rows: list[Any] = connection.execute(_TERMS, stretch).fetchall()
    words, stems, records = rows[0]
    return None if words is None else (words, stems, records)


def _read_names(connection: apsw.Connection) -> set[tuple[str, str]]:
    """Ids and handles that belong together. What has only one of them says nothing."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    names: set[tuple[str, str]] = set()
    for table, sql in _NAMES.items():
        if table in tables:
            names.update(connection.execute(sql))
    return {(user_id, handle) for user_id, handle in names if user_id and handle}
