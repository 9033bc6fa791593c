"""A growing file in compressed chunks holds what a plain one would, however it is written."""

import hashlib

import apsw
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.archive.segment_file import BULK_FRAME_BYTES, FRAME_BYTES, GrowingFile
from archiver.archive.vfs import SegmentDatabase

PAGE_SIZES = [4096, 16384, 65536]


def pattern(seed: int, length: int) -> bytes:
    return hashlib.sha256(b"%d" % seed).digest() * (length // 32)


def plain(file: GrowingFile) -> bytes:
    """What the finished frames hold, each opened by itself."""
    found = []
    for frame, size in file.frames():
        data = zstandard.ZstdDecompressor().decompress(frame)
        assert len(data) == size
        found.append(data)
    return b"".join(found)


operations = st.lists(
    st.tuples(st.sampled_from(["write", "write", "append", "hole", "read"]), st.integers(0, 10**6)),
    max_size=60,
)


@settings(max_examples=60)
@given(
    st.sampled_from(PAGE_SIZES),
    st.sampled_from([1, 2 * FRAME_BYTES, 3 * BULK_FRAME_BYTES]),
    operations,
    operations,
)
def test_pages_read_back_as_written_and_the_frames_hold_all_of_them(
    page: int, hot_bytes: int, before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    file = GrowingFile(hot_bytes=hot_bytes, level=1)
    model = bytearray()
    for phase in (before, after):
        for operation, number in phase:
            pages = len(model) // page
            if operation == "read":
                place = number % (pages + 2) * page
                assert file.xRead(page, place) == bytes(model[place : place + page])
                continue
            index = {"write": number % (pages + 1), "append": pages, "hole": pages + number % 5}[operation]
            data = pattern(number, page)
            file.xWrite(data, index * page)
            model.extend(bytes(max(0, (index + 1) * page - len(model))))
            model[index * page : (index + 1) * page] = data
            assert file.xFileSize() == len(model)
        if phase is before:
            file.begin_bulk(len(model))
    if model:  # SQLite ends with the file's last page, as pages are written in their order
        last = len(model) - page
        file.xWrite(bytes(model[last:]), last)
    assert plain(file) == bytes(model)


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.sampled_from(PAGE_SIZES), st.sampled_from([2, 8]))
def test_a_database_built_in_little_memory_is_whole(seed: int, page_bytes: int, hot: int) -> None:
    stream = [hashlib.sha256(b"%d %d" % (seed, number)).digest() for number in range(60)]
    bodies = [hashlib.shake_128(one).digest((10, 500, 70_000, 200_000)[one[0] % 4]) for one in stream]
    file = GrowingFile(hot_bytes=hot * BULK_FRAME_BYTES, level=1)
    database = SegmentDatabase.create(file, page_bytes=page_bytes, cache_bytes=8 * page_bytes)
    connection = database.connection
    connection.execute("CREATE TABLE body (id INTEGER PRIMARY KEY, data BLOB, digest BLOB); BEGIN")
    for number, body in enumerate(bodies):
        connection.execute("INSERT INTO body VALUES (?,?,?)", (number, body, hashlib.sha256(body).digest()))
        if number % 7 == 3 and number < 40:
            connection.execute("DELETE FROM body WHERE id = ?", (number - 2,))
        if number == 40:
            connection.execute("CREATE INDEX body_digest ON body (digest)")
            file.begin_bulk(connection.execute("PRAGMA page_count").fetchall()[0][0] * page_bytes)
    connection.execute("COMMIT")
    database.close()
    data = plain(file)
    opened = apsw.Connection(":memory:")
    opened.deserialize("main", data)
    assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = opened.execute("SELECT id, data, digest FROM body").fetchall()
    assert len(rows) == 60 - len([number for number in range(60) if number % 7 == 3 and number < 40])
    assert all(
        body == bodies[number] and hashlib.sha256(body).digest() == digest for number, body, digest in rows
    )


def test_a_page_past_the_end_reads_as_nothing() -> None:
    file = GrowingFile(hot_bytes=FRAME_BYTES, level=1)
    assert file.xRead(4096, 0) == b""
    file.xWrite(b"x" * 4096, 0)
    assert file.xRead(4096, 4096) == b""
    assert file.xRead(4096, FRAME_BYTES) == b""
    assert plain(file) == b"x" * 4096
