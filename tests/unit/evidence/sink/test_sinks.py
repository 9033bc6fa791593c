"""Both sinks: what comes in is there, with its size and hashes; names are checked; failures leave nothing."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from archiver.disk import TakenError
from archiver.errors import ArchiverError
from archiver.evidence.model import PackFile
from archiver.evidence.sink import Sink, new_pack
from tests.unit.evidence.sink.packs import FILES, MADE_MS, fail_in, read_folder, read_zip, write_all

Reader = Callable[[Path], dict[str, bytes]]


class Place:
    """Where a pack goes to, and how it is read again."""

    def __init__(self, path: Path, read: Reader) -> None:
        self.path = path
        self.read = read

    def pack(self) -> AbstractContextManager[Sink]:
        return new_pack(self.path, MADE_MS)


@pytest.fixture(params=["folder", "zip"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(tmp_path / "out" / "ABC_1", read_folder)
    return Place(tmp_path / "out" / "ABC_1.zip", read_zip)


@pytest.fixture(autouse=True)
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_what_is_written_is_there_with_its_size_and_hashes(place: Place) -> None:
    with place.pack() as sink:
        write_all(sink)
        assert list(sink.files) == list(FILES)
        for path, data in FILES.items():
            assert sink.files[path] == PackFile(
                len(data), hashlib.sha256(data).hexdigest(), hashlib.sha512(data).hexdigest()
            )
    assert place.read(place.path) == FILES


def test_files_may_be_open_at_once_and_stand_in_the_order_in_which_they_are_closed(place: Place) -> None:
    with place.pack() as sink:
        long, other = sink.open("long"), sink.open("other")
        for number in range(2000):
            long.write(b"%d\n" % number * 20)
            other.write(bytearray(b"x"))
            with sink.open(f"small/{number}") as small:
                small.write(memoryview(b"y"))
        first = long.close()
        assert long.close() is first
        other.close()
        assert list(sink.files)[-2:] == ["long", "other"]
    found = place.read(place.path)
    assert found["long"] == b"".join(b"%d\n" % number * 20 for number in range(2000))
    assert found["other"] == b"x" * 2000
    assert len(found) == 2002


def test_a_large_file_of_known_size_lets_others_come_and_go_meanwhile(place: Place) -> None:
    with place.pack() as sink:
        page = sink.open("page")
        page.write(b"before")
        large = sink.open("large.mp4", size=600_000)
        second = sink.open("second.mp4", size=600_000)
        for _ in range(10):
            large.write(b"1" * 60_000)
            second.write(b"2" * 60_000)
        with sink.open("small") as small:
            small.write(b"s")
        second.close()
        page.write(b"after")
        page.close()
        large.close()
        with sink.open("third.mp4", size=100_000) as third:
            third.write(b"3" * 100_000)
    assert place.read(place.path) == {
        "page": b"beforeafter",
        "small": b"s",
        "large.mp4": b"1" * 600_000,
        "second.mp4": b"2" * 600_000,
        "third.mp4": b"3" * 100_000,
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("data/a", "data/a"),
        ("data/a", "data/A"),
        ("data/a", "Data/a"),
        ("é", "e\u0301"),
        ("data", "data/a"),
        ("data/a", "data"),
        ("data/a/b", "DATA/a"),
        ("data/a", "data/a/b/c"),
    ],
)
def test_a_name_is_taken_once_whatever_its_case_and_composition(
    place: Place, first: str, second: str
) -> None:
    with place.pack() as sink:
        sink.open(first).close()
        with pytest.raises(ArchiverError, match="already"):
            sink.open(second)
        assert list(sink.files) == [first]
    assert list(place.read(place.path)) == [first]


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "a\\b", "a\nb", "", "c:x", "100%.txt"])
def test_a_name_that_leads_out_of_the_pack_is_refused(place: Place, out: Path, path: str) -> None:
    with place.pack() as sink:
        with pytest.raises(ArchiverError, match="no file of the pack can be called so"):
            sink.open(path)
        sink.open("good").close()
    assert [each.name for each in out.iterdir()] == [place.path.name]


def test_a_file_that_is_given_up_is_not_in_the_pack_and_its_name_is_free(place: Place) -> None:
    with place.pack() as sink:
        sink.open("data/a").abort()
        bad = sink.open("data/b")
        with suppress(KeyError), bad:
            bad.write(b"half")
            raise KeyError
        with pytest.raises(ValueError, match="closed"):
            bad.write(b"more")
        with pytest.raises(ValueError, match="given up"):
            bad.close()
        with sink.open("data/b") as good:
            good.write(b"whole")
        good.abort()
        assert list(sink.files) == ["data/b"]
    assert place.read(place.path) == {"data/b": b"whole"}


@pytest.mark.parametrize("size", [5, 100_000])
@pytest.mark.parametrize("more", [-1, 1])
def test_a_file_of_another_size_than_was_said_is_refused_with_the_pack(
    place: Place, out: Path, size: int, more: int
) -> None:
    with (
        pytest.raises(ArchiverError, match=f"data/x should have {size} bytes and has {size + more}"),
        place.pack() as sink,
        sink.open("data/x", size=size) as file,
    ):
        file.write(bytes(size + more))
    assert list(out.iterdir()) == []


def test_a_large_file_that_is_given_up_takes_the_zip_file_with_it(out: Path) -> None:
    def give_up_one() -> None:
        with new_pack(out / "x.zip", MADE_MS) as sink:
            file = sink.open("x", size=100_000)
            file.write(bytes(80_000))
            file.abort()

    with pytest.raises(ValueError, match="given up"):
        give_up_one()
    assert list(out.iterdir()) == []


def test_nothing_is_left_where_the_making_fails(place: Place, out: Path) -> None:
    for wrong in (RuntimeError("wrong"), KeyboardInterrupt()):
        with pytest.raises(type(wrong)):
            fail_in(place.pack(), wrong)
        assert list(out.iterdir()) == []


def test_a_pack_with_a_file_that_is_still_open_is_refused(place: Place, out: Path) -> None:
    with pytest.raises(ValueError, match="still open at the end of the pack: open"), place.pack() as sink:
        sink.open("open").write(b"half")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("there", ["file", "folder", "empty folder", "dangling link"])
def test_a_place_that_is_taken_is_refused_and_stays_as_it_is(place: Place, out: Path, there: str) -> None:
    if there == "file":
        place.path.write_bytes(b"mine")
    elif there == "dangling link":
        place.path.symlink_to("nowhere")
    else:
        place.path.mkdir()
        if there == "folder":
            (place.path / "mine").write_bytes(b"mine")
    before = [(each.name, each.lstat().st_ino) for each in out.rglob("*")]
    with pytest.raises(TakenError), place.pack():
        pytest.fail("the body must not run")
    assert [(each.name, each.lstat().st_ino) for each in out.rglob("*")] == before


def test_a_place_that_is_taken_meanwhile_is_refused_and_stays_as_it_is(place: Place, out: Path) -> None:
    def write_two() -> None:
        with place.pack() as sink:
            write_all(sink)
            with place.pack() as other:
                other.open("other").close()

    with pytest.raises(TakenError):
        write_two()
    assert list(place.read(place.path)) == ["other"]
    assert [each.name for each in out.iterdir()] == [place.path.name]


def test_a_folder_above_that_is_not_there_is_named(place: Place, out: Path) -> None:
    out.rmdir()
    expected = pytest.raises(ArchiverError, match=r"ABC_1.*: no such file or directory while creating it")
    with expected, place.pack():
        pytest.fail("the body must not run")
