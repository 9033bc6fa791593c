"""The spool: encrypted, durable, emptied of exactly what was sealed."""

import hashlib
import io
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from archiver.errors import ArchiverError, IntegrityError, LockedError
from archiver.formats import age
from archiver.progress import Cursor, Gap, Spend, Step
from archiver.register import OvertakenError, Registered
from archiver.sources.base import Capture, Problem
from archiver.spool import AnswerToKeep, MissingMedia, Page, PageInfo, PageSealer, Spool, media
from tests.programs import PROJECT

IDENTITY = age.X25519Identity.generate()
SECRET = b"what nobody else shall read"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(tmp_path / "spool", IDENTITY)) as opened:
        yield opened


def capture(member: str, key: int = 1) -> Capture:
    return Capture(
        key=key, source="x_export", route="export", platform="x", account="1001", handle="a", name="A",
        request=f"export.zip!{member}", body_kind="tweets", layout="x-2022", fetched_ms=5,
    )  # fmt: skip


def page(*ids: str, payload: bytes = SECRET) -> Page:
    count = len(ids)
    return Page(
        "x", "1001", 5, list(ids), list(range(count)), [1] * count, ["new"] * count, [b"d"] * count,
        [len(payload)] * count, {}, {}, payload,
    )  # fmt: skip


def add_page(spool: Spool, capture_id: int, *ids: str, missing: tuple[MissingMedia, ...] = ()) -> int:
    info = PageInfo(0, capture_id, "post", len(ids), 0, len(ids) - 1, len(SECRET))
    (number,) = spool.add_pages([(info, PageSealer(IDENTITY.recipient()).seal(page(*ids)))], missing)
    return number


def test_pages_are_read_back_as_they_were_stored(spool: Spool) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    first, second = add_page(spool, number, "1", "2"), add_page(spool, number, "3")
    assert spool.read_page(first) == page("1", "2")
    assert [one.id for one in spool.pages()] == [first, second]
    assert spool.pages(after=first) == [PageInfo(second, number, "post", 1, 0, 0, len(SECRET))]
    assert spool.last_ids() == (second, 0, 0, 0)
    assert not spool.is_empty()


def test_offsets_say_where_each_records_bytes_begin() -> None:
    bodies = [b"one", b"", b"three"]
    stored = page("1", "2", "3", payload=b"\n".join(bodies))
    stored = Page(*[*[getattr(stored, name) for name in Page.__struct_fields__[:8]],
                    [len(body) for body in bodies], {}, {}, stored.payload])  # fmt: skip
    found = [
        stored.payload[at : at + size] for at, size in zip(stored.offsets(), stored.lengths, strict=True)
    ]
    assert found == bodies


def test_no_content_lies_readable_on_the_disk(spool: Spool) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    add_page(spool, number, "1")
    spool.add_media("1001", "picture.png", io.BytesIO(SECRET))
    files = [path for path in spool.folder.rglob("*") if path.is_file()]
    assert len(files) >= 3
    for path in files:
        assert SECRET not in path.read_bytes()
        assert b"picture.png" not in path.name.encode()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_page_survives_a_kill_right_after_it_was_stored(spool: Spool, tmp_path: Path) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    add_page(spool, number, "1")
    copied = tmp_path / "copied"  # the files as a kill leaves them: the write-ahead log not taken in
    copied.mkdir()
    for path in spool.folder.glob("spool.sqlite*"):
        (copied / path.name).write_bytes(path.read_bytes())
    with closing(Spool(copied, IDENTITY)) as again:
        assert again.read_page(1) == page("1")


def test_pages_are_stored_all_or_none(spool: Spool) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    good = (PageInfo(0, number, "post", 1, 0, 0, 5), b"body")
    bad = (PageInfo(0, number, None, 1, 0, 0, 5), b"body")  # which SQLite refuses
    with pytest.raises(ArchiverError):
        spool.add_pages([good, bad])
    assert spool.pages() == []


def test_a_capture_begun_again_by_the_same_source_is_the_same_one(spool: Spool) -> None:
    first = spool.begin_capture("aa", capture("tweets.js"), 7)
    assert spool.begin_capture("aa", capture("tweets.js"), 99) == first
    assert spool.begin_capture("bb", capture("tweets.js"), 99) != first
    assert spool.begin_capture("aa", capture("like.js"), 99) != first
    spool.end_capture(first, 123, "cc")
    held = spool.captures()[first]
    assert (held.body_size, held.body_sha256, held.taken_ms, held.source_sha256) == (123, "cc", 7, "aa")
    assert held.capture == capture("tweets.js")


@pytest.mark.parametrize("harm", ["flip", "cut", "other key", "no page", "garbage"])
def test_an_altered_page_is_named(spool: Spool, tmp_path: Path, harm: str) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    sealed = PageSealer(IDENTITY.recipient()).seal(page("1"))
    body = {
        "flip": sealed[:-5] + bytes([sealed[-5] ^ 1]) + sealed[-4:],
        "cut": sealed[:-1],
        "other key": PageSealer(age.X25519Identity.generate().recipient()).seal(page("1")),
        "no page": age.encrypt([IDENTITY.recipient()], b"no frame"),
        "garbage": b"",
    }[harm]
    spool.add_pages([(PageInfo(0, number, "post", 1, 0, 0, 5), body)])
    with pytest.raises(IntegrityError, match=r"spool\.sqlite: page 1: ") as caught:
        spool.read_page(1)
    assert caught.value.hint == "the spool was altered, or its identity replaced"


def test_a_missing_page_is_named(spool: Spool) -> None:
    with pytest.raises(IntegrityError, match=r"spool\.sqlite: page 5 is missing"):
        spool.read_page(5)


def test_a_damaged_spool_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "spool.sqlite").write_bytes(b"no database " * 1000)
    with pytest.raises(IntegrityError, match=r"spool\.sqlite is damaged") as caught:
        Spool(tmp_path, IDENTITY)
    assert caught.value.hint == (
        "keep it for examination; move it and the state's file aside, and take all anew"
    )


def test_media_are_read_back_with_size_and_hash(spool: Spool) -> None:
    content = bytes(range(256)) * 9000
    assert spool.add_media("1001", "../a picture.png", io.BytesIO(content)) == len(content)
    (held,) = spool.media()
    assert (held.size, held.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    with spool.open_media(held) as stream:
        assert stream.read() == content
    assert spool.has_media("1001", "../a picture.png")
    assert not spool.has_media("1002", "../a picture.png")
    assert spool.holds_media("1001")
    assert not spool.holds_media("1002")


@pytest.mark.parametrize("harm", ["flip", "empty", "no age"])
def test_altered_media_are_named(spool: Spool, harm: str) -> None:
    spool.add_media("1001", "a.png", io.BytesIO(SECRET))
    (held,) = spool.media()
    (path,) = (spool.folder / "media").iterdir()
    data = path.read_bytes()
    path.write_bytes({"flip": data[:-1] + bytes([data[-1] ^ 1]), "empty": b"", "no age": b"x" * 500}[harm])
    with pytest.raises(IntegrityError, match=path.name) as caught, spool.open_media(held) as stream:
        stream.read()
    assert caught.value.hint == "the spool was altered, or its identity replaced"


def test_missing_media_files_are_named(spool: Spool) -> None:
    spool.add_media("1001", "a.png", io.BytesIO(SECRET))
    (held,) = spool.media()
    (path,) = (spool.folder / "media").iterdir()
    path.unlink()
    with pytest.raises(ArchiverError, match=path.name), spool.open_media(held):
        pass


def test_media_noted_as_missing_are_counted_by_reason_and_replaced_when_found(spool: Spool) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    missing = tuple(MissingMedia("1001", name, "not in the export") for name in ("a.png", "b.png"))
    add_page(spool, number, "1", missing=missing)
    add_page(spool, number, "2", missing=(MissingMedia("1001", "a.png", "broken in the export"),))
    assert spool.count_missing_media() == [("1001", "not in the export", 2)]
    assert not spool.has_media("1001", "a.png")
    assert not spool.holds_media("1001")
    _, last_media, _, _ = spool.last_ids()
    spool.add_media("1001", "a.png", io.BytesIO(SECRET))
    assert spool.count_missing_media() == [("1001", "not in the export", 1)]
    assert [one.file_name for one in spool.media()] == ["a.png"]
    spool.empty(0, last_media, 0)  # of a sealing begun before it was found
    assert [one.file_name for one in spool.media()] == ["a.png"]
    found = spool.find_media("1001", "a.png")
    assert found is not None
    with spool.open_media(found) as stream:
        assert stream.read() == SECRET
    add_page(spool, number, "3", missing=missing[:1])
    assert spool.has_media("1001", "a.png")


def test_emptying_removes_what_was_sealed_and_its_files_and_nothing_later(spool: Spool) -> None:
    first = spool.begin_capture("aa", capture("tweets.js"), 7)
    add_page(spool, first, "1")
    spool.add_media("1001", "a.png", io.BytesIO(b"a"))
    sealed = spool.last_ids()
    second = spool.begin_capture("bb", capture("tweets.js"), 8)
    joined = spool.begin_capture("bb", capture("note-tweet.js"), 8)
    later = add_page(spool, second, "2")
    spool.add_media("1001", "b.png", io.BytesIO(b"b"))
    (spool.folder / "media" / ("0" * 64 + ".age")).write_bytes(b"left by a kill before it was named")
    spool.empty(*sealed)
    assert [one.id for one in spool.pages()] == [later]
    assert [one.file_name for one in spool.media()] == ["b.png"]
    assert len(list((spool.folder / "media").iterdir())) == 1
    assert set(spool.captures()) == {second, joined}
    spool.empty(*spool.last_ids())
    assert spool.is_empty()
    assert spool.captures() == {}
    assert list((spool.folder / "media").iterdir()) == []


def test_what_is_asked_for_up_to_an_id_has_nothing_later(spool: Spool) -> None:
    first = spool.begin_capture("aa", capture("tweets.js"), 7)
    empty = spool.begin_capture("aa", capture("note-tweet.js"), 7)
    add_page(spool, first, "1", missing=(MissingMedia("1001", "m.png", "404"),))
    spool.add_media("1001", "a.png", io.BytesIO(b"a"))
    spool.add_problems("aa", "one.zip", 5, [Problem("data/like.js", "broken", "cut")])
    page_id, media_id, problem_id, _ = spool.last_ids()
    later = spool.begin_capture("bb", capture("tweets.js"), 8)
    add_page(spool, first, "2", missing=(MissingMedia("1001", "n.png", "404"),))
    add_page(spool, later, "3")
    spool.add_media("1001", "b.png", io.BytesIO(b"b"))
    spool.add_problems("bb", "two.zip", 5, [Problem("data/like.js", "broken", "cut")])
    assert [one.id for one in spool.pages(last=page_id)] == [page_id]
    assert [one.id for one in spool.pages(page_id, page_id + 1)] == [page_id + 1]
    assert set(spool.captures(page_id)) == {first, empty}
    assert set(spool.captures()) == {first, empty, later}
    assert [one.file_name for one in spool.media(media_id)] == ["a.png"]
    assert spool.count_missing_media(media_id) == [("1001", "404", 1)]
    assert [one.source_name for one in spool.problems(problem_id)] == ["one.zip"]


def test_problems_are_kept_once_each_until_they_are_sealed(spool: Spool) -> None:
    broken, missing = Problem("data/like.js", "broken", "cut"), Problem("data/block.js", "missing", "absent")
    spool.add_problems("aa", "one.zip", 5, [broken, missing])
    spool.add_problems("aa", "one.zip", 9, [broken])
    spool.add_problems("bb", "two.zip", 9, [broken])
    assert [(one.source_name, one.what, one.noticed_ms) for one in spool.problems()] == [
        ("one.zip", "data/like.js", 5), ("one.zip", "data/block.js", 5), ("two.zip", "data/like.js", 9),
    ]  # fmt: skip
    sealed = spool.problems()[1].id
    spool.empty(0, 0, sealed)
    assert [one.source_name for one in spool.problems()] == ["two.zip"]


def test_numbers_are_never_given_twice(spool: Spool) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    last = add_page(spool, number, "1")
    spool.empty(last, 0, 0)
    number = spool.begin_capture("bb", capture("tweets.js"), 7)
    assert add_page(spool, number, "1") > last


def test_an_emptied_spool_gives_its_bytes_back(spool: Spool) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    info = PageInfo(0, number, "post", 1, 0, 0, 5)
    spool.add_pages([(info, SECRET * 40_000)] * 3)
    spool.empty(*spool.last_ids())
    size = sum(path.stat().st_size for path in spool.folder.glob("spool.sqlite*"))
    assert size < 200_000
    connection = apsw.Connection(str(spool.folder / "spool.sqlite"))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


# Several runs at once


def test_the_first_file_of_a_name_stays_and_the_second_is_told_so(spool: Spool) -> None:
    spool.add_media("1001", "a.png", io.BytesIO(b"first"))
    (held,) = spool.media()
    size, sha256 = spool.write_media("1001", "a.png", io.BytesIO(b"second"))
    with spool.open_media(held) as stream:
        assert stream.read() == b"first", "the file of one that is perhaps being sealed was exchanged"
    assert spool.name_media("1001", "a.png", size, sha256) == held.sha256
    assert spool.media() == [held]
    spool.sweep_media()
    assert len(list((spool.folder / "media").iterdir())) == 1
    with spool.open_media(held) as stream:
        assert stream.read() == b"first"


def test_two_runs_that_write_one_name_at_once_leave_a_file_that_is_what_its_row_says(spool: Spool) -> None:
    one = spool.write_media("1001", "a.png", io.BytesIO(b"one"))
    other = spool.write_media("1001", "a.png", io.BytesIO(b"other"))
    assert spool.name_media("1001", "a.png", *one) == one[1]
    assert spool.name_media("1001", "a.png", *other) == one[1]
    (held,) = spool.media()
    with spool.open_media(held) as stream:
        assert stream.read() == b"one"


def test_media_that_an_earlier_version_put_into_the_spool_are_read_and_kept(spool: Spool) -> None:
    spool.add_media("1001", "a.png", io.BytesIO(SECRET))
    (path,) = (spool.folder / "media").iterdir()
    old = hashlib.sha256(b"1001/a.png").hexdigest()
    path.rename(path.with_name(f"{old}.age"))
    spool.sweep_media()
    (held,) = spool.media()
    with spool.open_media(held) as stream:
        assert stream.read() == SECRET


APPEND = """
import io, sys
from pathlib import Path
from archiver.formats import age
from archiver.spool import Spool
spool = Spool(Path(sys.argv[1]), age.parse_identity(sys.stdin.readline().strip()))
with spool.appending():
    size, sha256 = spool.write_media("1001", "late.png", io.BytesIO(b"late"))
    print("written", flush=True)
    sys.stdin.readline()
    spool.name_media("1001", "late.png", size, sha256)
print("named", flush=True)
"""


def start(script: str, spool: Spool, *arguments: object) -> "subprocess.Popen[str]":
    """A process that opens the same spool; it is given the identity first."""
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(spool.folder), *map(str, arguments)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    child.stdin.write(IDENTITY.encode() + "\n")
    child.stdin.flush()
    return child


def test_a_file_that_another_run_has_written_and_not_named_yet_is_not_swept_away(spool: Spool) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    add_page(spool, number, "1")
    spool.add_media("1001", "sealed.png", io.BytesIO(b"sealed"))
    left = spool.folder / "media" / ("0" * 64 + ".age")
    left.write_bytes(b"left by a kill before it was named")
    child = start(APPEND, spool)
    assert child.stdout is not None
    assert child.stdout.readline() == "written\n"
    spool.empty(*spool.last_ids())
    assert left.exists(), "sweeping was not left to the next time"
    child.communicate("go on\n", timeout=30)
    (held,) = spool.media()
    with spool.open_media(held) as stream:
        assert stream.read() == b"late"
    spool.empty(0, 0, 0)
    assert len(list((spool.folder / "media").iterdir())) == 1
    assert not left.exists()


def test_many_append_at_once(spool: Spool) -> None:
    child = start(APPEND, spool)
    assert child.stdout is not None
    assert child.stdout.readline() == "written\n"
    with spool.appending():
        spool.add_media("1001", "soon.png", io.BytesIO(b"soon"))
    child.communicate("go on\n", timeout=30)
    assert {one.file_name for one in spool.media()} == {"late.png", "soon.png"}


def test_one_run_registers_at_a_time_and_another_waits_for_so_long_and_no_longer(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = start(APPEND.replace("appending", "registering"), spool)
    assert child.stdout is not None
    assert child.stdout.readline() == "written\n"
    monkeypatch.setattr(media, "APPENDING_WAIT_SECONDS", 0.2)
    with pytest.raises(LockedError, match=f"process {child.pid} is at work"), spool.registering():
        pass
    monkeypatch.setattr(media, "APPENDING_WAIT_SECONDS", 30)
    release = threading.Timer(0.2, child.communicate, ("go on\n",))
    release.start()
    with spool.registering():
        assert spool.has_media("1001", "late.png")
    release.join()


def test_a_spool_that_holds_something_opens_with_its_own_identity_alone(spool: Spool) -> None:
    other = age.X25519Identity.generate()
    spool.close()
    Spool(spool.folder, other).close()  # nothing lies here yet
    with closing(Spool(spool.folder, IDENTITY)) as mine:
        number = mine.begin_capture("aa", capture("tweets.js"), 7)
        add_page(mine, number, "1")
    with pytest.raises(IntegrityError, match="for another identity"):
        Spool(spool.folder, other)
    connection = apsw.Connection(str(spool.folder / "spool.sqlite"))
    connection.execute("DELETE FROM made_for")  # as version 0.2 left it
    with pytest.raises(IntegrityError, match="page 1"):
        Spool(spool.folder, other)
    with closing(Spool(spool.folder, IDENTITY)) as mine:
        assert mine.read_page(1).ids == ["1"]
    assert len(connection.execute("SELECT * FROM made_for").fetchall()) == 1
    connection.close()


def test_compacting_is_left_to_the_next_time_where_another_run_is_writing(spool: Spool) -> None:
    number = spool.begin_capture("aa", capture("tweets.js"), 7)
    info = PageInfo(0, number, "post", 1, 0, 0, 5)
    spool.add_pages([(info, SECRET * 40_000)] * 3)
    other = apsw.Connection(str(spool.folder / "spool.sqlite"))
    other.execute("BEGIN")
    assert other.execute("SELECT count(*) FROM page").fetchall() == [(3,)]
    began = time.monotonic()
    spool.empty(*spool.last_ids())
    assert time.monotonic() - began < 10
    assert spool.is_empty()
    assert other.execute("SELECT count(*) FROM page").fetchall() == [(3,)], "it still sees what was there"
    other.execute("COMMIT")
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    spool._compact()
    assert time.monotonic() - began < 10
    other.execute("COMMIT")
    other.close()
    spool.empty(0, 0, 0)
    assert sum(path.stat().st_size for path in spool.folder.glob("spool.sqlite*")) < 200_000
    assert spool._database.pragma("busy_timeout") == 30_000


MANY = """
import io, sys
from pathlib import Path
from archiver.formats import age
from archiver.register import Registered
from archiver.spool import Spool
from tests.unit.test_spool import add_page, answer, capture, page
spool = Spool(Path(sys.argv[1]), age.parse_identity(sys.stdin.readline().strip()))
me = sys.argv[2]
def row(number):
    return Registered(
        record_id=f"{me}-{number}", entries=1, last_entry="e", platform="x", account="1001", entered_ms=1
    )
for n in range(40):
    spool.add_answer(answer(source_sha256=f"{me}{n}"))
    spool.add_entries([answer(("post", page(f"{me}{n}")), source_sha256=f"{me}{n}")], [row(n)])
    spool.add_entries([], [row(n + 1000)])
    number = spool.begin_capture(f"{me}-{n}", capture("tweets.js"), 7)
    spool.end_capture(number, n, "cc")
    add_page(spool, number, str(n))
    with spool.appending():
        spool.add_media("1001", f"{me}-{n}.png", io.BytesIO(b"x"))
print("done", flush=True)
"""


def test_no_write_of_one_run_fails_because_another_has_just_written(spool: Spool) -> None:
    """A transaction that began by reading would: SQLITE_BUSY_SNAPSHOT, however long it may wait."""
    children = [start(MANY, spool, name) for name in ("a", "b")]
    while any(child.poll() is None for child in children):
        spool.empty(1, 1, 1, 1)
    assert [child.communicate()[0] for child in children] == ["done\n"] * 2
    assert spool.last_page_ever() == 2 * 80
    assert len(spool.register.all()) == 2 * 80
    held = spool.media()
    assert len(held) == 2 * 40
    for one in held:
        with spool.open_media(one) as stream:
            assert stream.read() == b"x"


def test_entries_are_kept_with_their_rows_or_not_at_all(spool: Spool) -> None:
    row = Registered(record_id="m1", entries=1, last_entry="m1", platform="x", account="1001", entered_ms=1)
    spool.add_entries([answer(("moderation", page("m1")))], [row])
    assert spool.register.find("m1") == row
    assert len(spool.pages()) == 1
    with pytest.raises(OvertakenError, match="another run has added"):
        spool.add_entries([answer(("moderation", page("m1-2")), request="GET /2/2")], [row])
    assert len(spool.pages()) == 1
    assert len(spool.captures()) == 1


# Answers of an interface


BODY = b'{"data":[{"id":"1"},{"id":"2"}],"includes":{"users":[{"id":"9"}]}}'


def page_of_answer(*ids: str) -> Page:
    """Its payload is the whole body, and each record says where in it it lies."""
    found = [b'{"id":"%s"}' % one.encode() for one in ids]
    starts = [BODY.index(one) for one in found]
    user = BODY.index(b'{"id":"9"}')
    return Page(
        "x", "1001", 5, list(ids), [0] * len(ids), [1] * len(ids), ["new"] * len(ids), [b"d"] * len(ids),
        [len(one) for one in found], {}, {}, BODY, "api", "mention", starts, {0: [(user, 10)]},
    )  # fmt: skip


def answer(
    *pages: tuple[str, Page],
    request: str = "GET /2/1",
    cursor: str = "2",
    broken: bool = False,
    **more: object,
) -> AnswerToKeep:
    """`broken`: SQLite refuses its last part."""
    sealer = PageSealer(IDENTITY.recipient())
    gap = Gap(
        platform="x", account="1001", kind="posts", after_id="1", after_ms=1, before_id="2", before_ms=2,
        noticed_ms=3, reason=None if broken else "out of reach",  # type: ignore[arg-type]  # on purpose
    )  # fmt: skip
    told = Capture(
        key=0, source="x_api", route="api", platform="x", account="1001", handle="a", name=None,
        request=request, body_kind="posts", layout="x-api-post", fetched_ms=5, status=200,
        headers={"date": "now"},
    )  # fmt: skip
    made: dict[str, object] = {
        "source_sha256": "aa" * 32, "source_name": "posts of a", "capture": told, "taken_ms": 7,
        "body_size": len(BODY), "body_sha256": hashlib.sha256(BODY).hexdigest(),
        "pages": [
            (PageInfo(0, 0, kind, len(one.ids), 0, 0, len(one.payload)), sealer.seal(one))
            for kind, one in pages
        ],
        "missing": [MissingMedia("1001", "a.jpg", "404")],
        "problems": [Problem("post 3", "missing", "X said nothing of it")],
        "step": Step(
            platform="x", account="1001", kind="posts", cursor=Cursor(mark=cursor),
            spend=Spend("2026-11", "x", "1001", "posts", 1, 2, 10_000), gaps=(gap,),
        ),
    }  # fmt: skip
    return AnswerToKeep(**made | more)  # type: ignore[arg-type]


def test_an_answer_is_kept_with_its_pages_and_the_cursor_behind_it(spool: Spool) -> None:
    ids = spool.add_answer(answer(("post", page_of_answer("1", "2")), ("gone", page("post:5"))))
    assert [one.id for one in spool.pages()] == ids
    assert spool.read_page(ids[0]) == page_of_answer("1", "2")
    ((number, held),) = spool.captures().items()
    assert {one.capture for one in spool.pages()} == {number}
    assert (held.body_size, held.body_sha256) == (len(BODY), hashlib.sha256(BODY).hexdigest())
    assert (held.capture.status, held.capture.headers, held.taken_ms) == (200, {"date": "now"}, 7)
    assert spool.count_missing_media() == [("1001", "404", 1)]
    assert [(one.source_name, one.what) for one in spool.problems()] == [("posts of a", "post 3")]
    assert spool.progress.cursor("x", "1001", "posts") == Cursor(mark="2")
    assert spool.progress.spent_by("2026-11", "x", "1001") == 10_000
    assert len(spool.progress.gaps()) == 1


def test_the_bytes_of_each_record_of_an_answer_are_found_in_its_body(spool: Spool) -> None:
    (number,) = spool.add_answer(answer(("post", page_of_answer("2", "1"))))
    held = spool.read_page(number)
    assert (held.route, held.series) == ("api", "mention")
    cut = [held.payload[at : at + size] for at, size in zip(held.offsets(), held.lengths, strict=True)]
    assert cut == [b'{"id":"2"}', b'{"id":"1"}']
    ((at, size),) = held.within[0]
    assert held.payload[at : at + size] == b'{"id":"9"}'


def test_an_answer_is_kept_all_or_not_at_all(spool: Spool) -> None:
    spool.save_step(answer(cursor="1").step)
    before = (spool.last_ids(), spool.progress.spent_by("2026-11", "x", "1001"))
    with pytest.raises(ArchiverError):
        spool.add_answer(answer(("post", page_of_answer("1")), broken=True))
    assert spool.pages() == []
    assert spool.captures() == {}
    assert spool.problems() == []
    assert spool.count_missing_media() == []
    assert spool.progress.cursor("x", "1001", "posts") == Cursor(mark="1")
    assert (spool.last_ids(), spool.progress.spent_by("2026-11", "x", "1001")) == before


def test_an_answer_with_a_page_that_cannot_be_stored_does_not_move_the_cursor(spool: Spool) -> None:
    bad = PageInfo(0, 0, None, 1, 0, 0, 5)  # type: ignore[arg-type]  # which SQLite refuses
    with pytest.raises(ArchiverError):
        spool.add_answer(answer(pages=[(bad, b"body")]))
    assert spool.progress.cursors() == {}
    assert spool.captures() == {}


def test_an_answer_without_anything_new_moves_the_cursor_and_is_not_kept(spool: Spool) -> None:
    assert spool.add_answer(answer()) == []
    assert spool.captures() == {}
    assert spool.is_empty()
    assert spool.progress.cursor("x", "1001", "posts") == Cursor(mark="2")
    assert len(spool.problems()) == 1


def test_an_answer_survives_a_kill_right_after_it_was_kept(spool: Spool, tmp_path: Path) -> None:
    (number,) = spool.add_answer(answer(("post", page_of_answer("1"))))
    copied = tmp_path / "copied"  # the files as a kill leaves them: the write-ahead log not taken in
    copied.mkdir()
    for path in spool.folder.glob("spool.sqlite*"):
        (copied / path.name).write_bytes(path.read_bytes())
    with closing(Spool(copied, IDENTITY)) as again:
        assert again.read_page(number) == page_of_answer("1")
        assert again.progress.cursor("x", "1001", "posts") == Cursor(mark="2")


def test_two_pages_of_one_walk_are_two_captures_and_the_same_request_again_one(spool: Spool) -> None:
    first = ("post", page_of_answer("1"))
    spool.add_answer(answer(first))
    spool.add_answer(answer(first, request="GET /2/2"))
    assert len(spool.captures()) == 2
    spool.add_answer(answer(first))
    assert len(spool.captures()) == 2
    assert len(spool.pages()) == 3


def test_emptying_takes_the_answers_that_were_sealed_and_leaves_how_far_collecting_came(spool: Spool) -> None:
    spool.add_answer(answer(("post", page_of_answer("1"))))
    sealed = spool.last_ids()
    later = spool.add_answer(answer(("post", page_of_answer("2")), cursor="3", source_sha256="bb" * 32))
    spool.empty(*sealed)
    assert [one.id for one in spool.pages()] == later
    assert [one.source_sha256 for one in spool.captures().values()] == ["bb" * 32]
    assert spool.progress.cursor("x", "1001", "posts") == Cursor(mark="3")
    assert spool.progress.gaps(unsealed=True) == spool.progress.gaps()[1:]
