"""Statements run only as far as what is at hand lets them: whatever they broke off in, the same connection
then gives what one gives that never broke off."""

import hashlib
import random
from contextlib import closing
from typing import Any

import apsw
import pytest

from archiver.archive.segment_file import FRAME_BYTES, GrowingFile, Range
from archiver.archive.vfs import SegmentDatabase, Statement
from tests.made_vaults import Made, VaultMaker, post
from tests.unit.archive.test_vfs import Bytes

POSTS = 3_000
WORDS = "SELECT docid FROM post_fts WHERE post_fts MATCH ?"
RANKED = (
    "SELECT docid, length(matchinfo(post_fts, 'pcnalx')) FROM post_fts WHERE post_fts MATCH ?"
    " ORDER BY matchinfo(post_fts, 'pcnalx'), docid LIMIT 20"
)
WITHOUT = "SELECT platform_id FROM post WHERE key NOT IN (SELECT docid FROM post_fts WHERE post_fts MATCH ?)"
VERSIONS = (
    "SELECT r.version FROM post AS r WHERE coalesce(r.record_id, r.platform_id) = ?"
    " AND (r.version <> 1 OR r.record_id IS NOT NULL)"
)
STATEMENTS: list[Statement] = [
    (f"{WORDS} ORDER BY docid DESC", ["common"]),
    (f"{WORDS} ORDER BY docid LIMIT 7", ["common rare"]),
    (WORDS, ['"common and"']),
    (WORDS, ["comm* -rare"]),
    (WORDS, ["a1* OR b2* OR rare"]),
    (RANKED, ["common"]),
    ("SELECT text FROM post WHERE key = ?", [1]),
    ("SELECT text FROM post WHERE key = ?", [POSTS // 2]),
    ("SELECT max(text) FROM post", []),
    ("SELECT key FROM post ORDER BY text LIMIT 30", []),
    ("SELECT count(*), kind FROM post GROUP BY kind", []),
    (WITHOUT, ["rare"]),
    ("SELECT size FROM post_fts_docsize WHERE docid = ?", [POSTS - 1]),
    (VERSIONS, ["1000"]),
    ("SELECT length(body) FROM capture_part", []),
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database of a segment of some 40 frames."""
    maker = VaultMaker(tmp_path_factory.mktemp("lacking") / "vault")
    made = []
    for number in range(POSTS):
        words = hashlib.shake_128(b"%d" % number).hexdigest(150)
        pieces = " ".join(words[start : start + 4] for start in range(0, 300, 4))
        text = f"common and {pieces}{' rare' if number % 50 == 0 else ''}"
        made.append(Made(post(str(number), text, number)))
    made.append(Made(post("30000", "long " * 60_000, 10, record_id="1000"), 2))
    maker.add("2026-01-01", made)
    archive, *_ = maker.vault().list_archives().require_sound()
    with maker.vault().open_segment(archive, archive.manifest.files[0], [maker.holder]) as reader:
        return reader.frames.read_at(0, reader.frames.size)


class Held:
    """Which frames of a database are at hand."""

    def __init__(self) -> None:
        self.frames: set[int] = set()

    def add(self, ranges: set[Range]) -> None:
        for offset, length in ranges:
            self.frames |= set(range(offset // FRAME_BYTES, (offset + length - 1) // FRAME_BYTES + 1))

    def __call__(self, offset: int, length: int) -> bool:
        last = (offset + length - 1) // FRAME_BYTES
        return all(frame in self.frames for frame in range(offset // FRAME_BYTES, last + 1))


def answer(database: SegmentDatabase, statement: Statement) -> list[Any]:
    return database.connection.execute(*statement).fetchall()


@pytest.fixture(scope="module")
def answers(plain: bytes) -> list[list[Any]]:
    with closing(SegmentDatabase.read(Bytes(plain))) as database:
        found = [answer(database, one) for one in STATEMENTS]
    assert all(found)
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("cache_bytes", [0, 64 * 1024, 8 * 1024 * 1024])
def test_whatever_broke_off_before_a_statement_gives_its_rows(
    plain: bytes, answers: list[list[Any]], seed: int, cache_bytes: int
) -> None:
    """A hundred times: some statements are tried with other parts at hand each time, then one is run."""
    rng = random.Random(seed)  # noqa: S311 - which break off where
    held = Held()
    with closing(SegmentDatabase.read(Bytes(plain), cache_bytes=cache_bytes, is_at_hand=held)) as database:
        broke_off = 0
        for _ in range(100):
            held.frames = {frame for frame in range(len(plain) // FRAME_BYTES + 1) if rng.random() < 0.8}
            for some in [rng.sample(STATEMENTS, rng.randint(1, 6)) for _ in range(rng.randint(1, 3))]:
                lacking, unfinished = database.lacking(some)
                assert bool(lacking) == bool(unfinished)
                broke_off += len(unfinished)
            number = rng.randrange(len(STATEMENTS))
            assert answer(database, STATEMENTS[number]) == answers[number]
        assert broke_off > 50 or cache_bytes > 64 * 1024
        assert [answer(database, one) for one in STATEMENTS] == answers
        assert database.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.error is None


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_a_statement_lacks_is_found_step_by_step_until_it_runs_to_its_end(
    plain: bytes, statement: Statement
) -> None:
    held = Held()
    held.frames = {0}
    with closing(SegmentDatabase.read(Bytes(plain), cache_bytes=0, is_at_hand=held)) as database:
        steps = 0
        while (found := database.lacking([statement]))[0]:
            assert found[1] == [statement]
            assert not any(held(*one) for one in found[0])
            held.add(found[0])
            steps += 1
            assert steps <= len(plain) // FRAME_BYTES + 1
        assert found == (set(), [])


def test_a_cursor_that_is_open_while_others_break_off_goes_on(plain: bytes) -> None:
    held = Held()
    with closing(SegmentDatabase.read(Bytes(plain), cache_bytes=0, is_at_hand=held)) as database:
        rows = database.connection.execute("SELECT docid FROM post_fts WHERE post_fts MATCH 'common'")
        found = []
        for number, (key,) in enumerate(rows):
            found.append(key)
            if number % 100 == 0:
                held.frames = set()
                assert database.lacking(STATEMENTS[:5])[0]
        assert len(found) == POSTS


def test_a_segment_that_is_being_built_lacks_nothing() -> None:
    file = GrowingFile(hot_bytes=FRAME_BYTES, level=1)
    with closing(SegmentDatabase.create(file, page_bytes=4096, cache_bytes=1 << 16)) as database:
        with pytest.raises(TypeError):
            database.lacking([("SELECT 1", [])])
        assert isinstance(database.connection, apsw.Connection)


def test_a_statement_that_is_wrong_is_told_when_it_is_run(plain: bytes) -> None:
    with closing(SegmentDatabase.read(Bytes(plain))) as database:
        wrong: Statement = ("SELECT docid FROM post_fts WHERE post_fts MATCH ?", ['"'])
        assert database.lacking([wrong, STATEMENTS[0]]) == (set(), [wrong])
        with pytest.raises(apsw.Error):
            answer(database, wrong)
