"""The check of a bag: each file altered, removed, added or renamed in turn is named, in a folder and in a ZIP
file; hostile names and ZIP files are named and never followed."""

import hashlib
import io
import os
import socket
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import ArchiverError, IntegrityError
from archiver.evidence.bag import FolderSource, Problem, open_pack, verify_bag
from tests.unit.evidence.bag.bags import (
    PAYLOAD,
    TAGS,
    UNLISTED,
    as_zip,
    check_folder,
    check_zip,
    read_bag,
    write_bag,
)

OWN = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "manifest-sha512.txt")
TAG_MANIFESTS = ("tagmanifest-sha256.txt", "tagmanifest-sha512.txt")
LISTED = (*PAYLOAD, *TAGS, *OWN)
Check = Callable[[dict[str, bytes]], list[Problem]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return read_bag(write_bag(tmp_path_factory.mktemp("bag") / "ABC_1"))


@pytest.fixture(params=["folder", "zip"])
def check(request: pytest.FixtureRequest, tmp_path: Path) -> Check:
    """Check a bag of these files."""

    def check_in_folder(files: dict[str, bytes]) -> list[Problem]:
        for name, data in files.items():
            (tmp_path / "bag" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "bag" / name).write_bytes(data)
        return check_folder(tmp_path / "bag")

    return check_in_folder if request.param == "folder" else lambda files: check_zip(as_zip(files))


def named(problems: list[Problem]) -> set[str]:
    return {each.path for each in problems}


def test_a_good_bag_has_no_problem_as_a_folder_and_as_a_zip_file(tmp_path: Path) -> None:
    for name in ("ABC_1", "ABC_1.zip"):
        with open_pack(write_bag(tmp_path / name)) as source:
            assert verify_bag(source, UNLISTED) == []
            assert named(verify_bag(source)) == set(UNLISTED)


def test_a_bag_packed_by_another_program_is_as_good(files: dict[str, bytes]) -> None:
    folders = {"data/": b"", "data/media/": b"", "data/media/ABC_1_1/": b"", "manifest-chain/": b""}
    assert check_zip(as_zip(folders | files)) == []
    assert check_zip(as_zip(files, zipfile.ZIP_STORED)) == []


@pytest.mark.parametrize("path", [*LISTED, *TAG_MANIFESTS])
def test_any_altered_file_is_named(check: Check, files: dict[str, bytes], path: str) -> None:
    data = files[path]
    altered = bytes([data[0] ^ 1]) + data[1:] if data else b"x"
    problems = check(files | {path: altered})
    if path in LISTED:
        assert path in named(problems)
        assert {path, *OWN, *TAG_MANIFESTS, *PAYLOAD} >= named(problems)
    else:
        assert any(path in str(each) for each in problems)


@pytest.mark.parametrize("path", [*LISTED, *TAG_MANIFESTS])
@pytest.mark.parametrize("more", [b"\n", b" ", b"\0", b"x"])
def test_any_file_with_a_byte_more_is_named(
    check: Check, files: dict[str, bytes], path: str, more: bytes
) -> None:
    assert any(path in str(each) for each in check(files | {path: files[path] + more}))


@pytest.mark.parametrize("path", [*LISTED, *TAG_MANIFESTS])
def test_any_removed_file_is_named(check: Check, files: dict[str, bytes], path: str) -> None:
    problems = check({name: data for name, data in files.items() if name != path})
    assert any(each.path == path and "missing" in each.fault for each in problems)


@pytest.mark.parametrize("path", [*LISTED, *TAG_MANIFESTS])
def test_any_renamed_file_is_named_by_both_names(check: Check, files: dict[str, bytes], path: str) -> None:
    problems = check({(f"{name}2" if name == path else name): data for name, data in files.items()})
    assert named(problems) >= {path, f"{path}2"}


@pytest.mark.parametrize(
    "path",
    ["x", "data/x", "data/records/x.json", "manifest-chain/x", "a/b/c", "fetch.txt", "manifest-md5.txt"],
)
def test_any_added_file_is_named(check: Check, files: dict[str, bytes], path: str) -> None:
    problems = check(files | {path: b"added"})
    assert named(problems) - {"bag-info.txt"} == {path}
    assert ("bag-info.txt" in named(problems)) == path.startswith("data/")


def test_a_signature_with_another_name_or_in_the_payload_is_named(
    check: Check, files: dict[str, bytes]
) -> None:
    assert named(check(files | {"tagmanifest-sha256.txt.sig": b"x"})) == {"tagmanifest-sha256.txt.sig"}


def test_nothing_in_the_payload_is_left_unlisted_even_if_the_caller_names_it(
    tmp_path: Path,
) -> None:
    bag = write_bag(tmp_path / "ABC_1")
    (bag / "data" / "x").write_bytes(b"x")
    assert "data/x" in named(verify_bag(FolderSource(bag), (*UNLISTED, "data/x")))


def test_a_file_changed_together_with_one_algorithms_manifests_is_named_by_the_other(
    tmp_path: Path,
) -> None:
    """As by somebody who can make two files of one SHA-256."""
    bag, other = (
        write_bag(tmp_path / "a"),
        write_bag(tmp_path / "b", PAYLOAD | TAGS | {"data/empty.txt": b"x"}),
    )
    for name in ("data/empty.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"):
        (bag / name).write_bytes((other / name).read_bytes())
    assert [str(each) for each in check_folder(bag) if each.path == "data/empty.txt"] == [
        "data/empty.txt: is altered: its SHA-512 is not that in manifest-sha512.txt"
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("../../etc/passwd", "lists what has no place in it: ../../etc/passwd"),
        ("/etc/passwd", "lists what has no place in it: /etc/passwd"),
        ("case.jsonld", "lists what has no place in it: case.jsonld"),
        ("data/records.csv", "names a file for the second time"),
    ],
)
def test_a_manifest_that_lists_what_is_none_of_its_files_is_named(
    check: Check, files: dict[str, bytes], line: str, fault: str
) -> None:
    lines = sorted(
        [*files["manifest-sha256.txt"].decode().splitlines(), f"{'0' * 64}  {line}"], key=lambda x: x[66:]
    )
    problems = check(files | {"manifest-sha256.txt": ("\n".join(lines) + "\n").encode()})
    assert any(each.path == "manifest-sha256.txt" and fault in each.fault for each in problems)


@pytest.mark.parametrize("oxum", ["", "0.0", "1.2", "x", "27.4\nPayload-Oxum: 27.4"])
def test_a_wrong_oxum_is_named(tmp_path: Path, files: dict[str, bytes], oxum: str) -> None:
    (tmp_path / "x").mkdir()
    info = files["bag-info.txt"].decode()
    info = info.replace("Payload-Oxum: 27.4", f"Payload-Oxum: {oxum}" if oxum else "Oxum: 27.4")
    problems = check_zip(as_zip(files | {"bag-info.txt": info.encode()}))
    assert any(each.path == "bag-info.txt" and "not 27.4" in each.fault for each in problems)


@pytest.mark.parametrize("version", ["0.97", "1.1"])
def test_a_bag_of_another_version_is_named_even_if_its_manifests_are_right(
    files: dict[str, bytes], version: str
) -> None:
    declared = files["bagit.txt"].replace(b"1.0", version.encode())
    altered = files | {"bagit.txt": declared}
    for algorithm in ("sha256", "sha512"):
        manifest = altered[f"tagmanifest-{algorithm}.txt"]
        before, after = (hashlib.new(algorithm, each).hexdigest() for each in (files["bagit.txt"], declared))
        altered[f"tagmanifest-{algorithm}.txt"] = manifest.replace(before.encode(), after.encode())
    expected = Problem("bagit.txt", "does not say that this is a bag of version 1.0 in UTF-8")
    assert check_zip(as_zip(altered)) == [expected]


@pytest.mark.parametrize("data", [b"\xff", b"a: \xff\n", b"no colon\n"])
def test_a_damaged_bag_info_is_named(files: dict[str, bytes], data: bytes) -> None:
    problems = [
        each for each in check_zip(as_zip(files | {"bag-info.txt": data})) if each.path == "bag-info.txt"
    ]
    assert len(problems) == 3  # two hashes, and what it is


def test_a_manifest_that_is_no_text_is_named(files: dict[str, bytes]) -> None:
    problems = check_zip(as_zip(files | {"manifest-sha512.txt": b"\xff\n"}))
    assert Problem("manifest-sha512.txt", "is not in UTF-8") in problems


# Folders


@pytest.mark.parametrize("target", ["/etc/hostname", "records.csv", "nowhere", "."])
def test_a_link_is_named_and_not_followed(tmp_path: Path, target: str) -> None:
    bag = write_bag(tmp_path / "ABC_1")
    for path in ("data/link", "data/empty.txt"):
        (bag / path).unlink(missing_ok=True)
        (bag / path).symlink_to(target)
    problems = check_folder(bag)
    assert Problem("data/link", "is a symbolic link") in problems
    assert Problem("data/empty.txt", "is a symbolic link") in problems


def test_a_folder_that_is_a_link_is_named_and_not_followed(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "ABC_1")
    (bag / "data").rename(tmp_path / "data")
    (bag / "data").symlink_to(tmp_path / "data")
    problems = check_folder(bag)
    assert Problem("data", "is a symbolic link") in problems
    assert any(each.path == "data/records.csv" and "missing" in each.fault for each in problems)


def test_pipes_and_sockets_are_named_and_nobody_waits_for_them(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "b")
    os.mkfifo(bag / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(bag / "socket"))
        assert named(check_folder(bag)) == {"pipe", "socket"}


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "ABC_1")
    (bag / "data" / "hidden" / "words").mkdir(parents=True)
    assert named(check_folder(bag)) == {"data/hidden/words"}


def test_names_that_are_none_everywhere_are_named(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "ABC_1")
    for name in (b"a\\b", b"x\xff", b"line\nend", b"c:x"):
        (bag / os.fsdecode(name)).write_bytes(b"")
    (bag / "CASE.jsonld").write_bytes(TAGS["case.jsonld"])
    problems = check_folder(bag)
    assert named(problems) == {"a\\b", "x\udcff", "line\nend", "c:x", "CASE.jsonld", "case.jsonld"}
    assert all("\n" not in str(each) for each in problems)
    assert {str(each).encode() for each in problems}


def test_a_pack_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArchiverError, match="no such file"), open_pack(tmp_path / "nowhere"):
        pass
    (tmp_path / "x.zip").write_bytes(b"no ZIP file")
    with pytest.raises(IntegrityError, match="no whole ZIP file"), open_pack(tmp_path / "x.zip"):
        pass


# ZIP files


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "data/../../x", "data\\x", "C:x", "data//x", "./bagit.txt", "x\ny", "x\x00y"],
)
def test_a_hostile_name_in_a_zip_file_is_named(files: dict[str, bytes], path: str) -> None:
    problems = check_zip(with_entry(files, path, b"x"))
    assert any(each.path == path and "listed" not in each.fault for each in problems), problems


def with_entry(files: dict[str, bytes], path: str, data: bytes, mode: int = 0, flags: int = 0) -> bytes:
    """A ZIP file with an entry more, of exactly this name."""
    member = zipfile.ZipInfo("x" * len(path.encode()))
    member.external_attr = mode << 16
    made = io.BytesIO(as_zip(files))
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(member, data)
    return made.getvalue().replace(member.filename.encode(), path.encode()) if path else b""


def test_a_name_that_is_there_twice_is_named(files: dict[str, bytes]) -> None:
    made = io.BytesIO(as_zip(files))
    with zipfile.ZipFile(made, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("case.jsonld", TAGS["case.jsonld"])
    assert named(check_zip(made.getvalue())) == {"case.jsonld"}


@pytest.mark.parametrize(
    "path", ["DATA/records.csv", "data/Records.CSV", "data/media/ABC_1_1/e\u0301t\u00e9 ☂.jpg"]
)
def test_names_that_differ_in_case_or_composition_only_are_named(files: dict[str, bytes], path: str) -> None:
    problems = check_zip(as_zip(files | {path: b"x"}))
    assert any(each.path == path and "letters" in each.fault for each in problems)


@pytest.mark.parametrize(
    ("mode", "fault"),
    [
        (stat.S_IFLNK | 0o777, "is a symbolic link"),
        (stat.S_IFCHR | 0o600, "is no ordinary file"),
        (stat.S_IFDIR | 0o700, "is no ordinary file"),
    ],
)
def test_what_would_become_a_link_or_a_device_is_named(
    files: dict[str, bytes], mode: int, fault: str
) -> None:
    assert Problem("link", fault) in check_zip(with_entry(files, "link", b"/etc/passwd", mode))


def test_an_empty_folder_in_a_zip_file_is_named(files: dict[str, bytes]) -> None:
    assert named(check_zip(as_zip(files | {"hidden words/": b""}))) == {"hidden words/"}


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_file_that_others_may_not_open_is_named(files: dict[str, bytes], compression: int) -> None:
    assert all(path in named(check_zip(as_zip(files, compression))) for path in PAYLOAD)


@pytest.mark.parametrize("place", ["before", "after", "between", "comment"])
def test_bytes_of_a_zip_file_that_belong_to_no_file_are_told(files: dict[str, bytes], place: str) -> None:
    made = io.BytesIO(b"hidden" * 10 if place == "before" else b"")
    made.seek(0, io.SEEK_END)
    with zipfile.ZipFile(made, "a") as archive:
        for number, (name, data) in enumerate(files.items()):
            archive.writestr(name, data)
            if place == "between" and number == 3:
                archive.fp.write(b"hidden" * 10)  # type: ignore[union-attr]  # it is open
                archive.start_dir = archive.fp.tell()  # type: ignore[union-attr]
        if place == "comment":
            archive.comment = b"hidden"
        if place == "after":
            archive.fp.write(b"hidden" * 10)  # type: ignore[union-attr]
            archive.start_dir = archive.fp.tell()  # type: ignore[union-attr]
    assert check_zip(made.getvalue()) == [
        Problem("", "the ZIP file holds bytes that belong to no file of it")
    ]


def test_two_files_of_a_zip_file_that_share_bytes_are_told(files: dict[str, bytes]) -> None:
    """The way to make a small ZIP file huge: many names for one place."""
    made = io.BytesIO(as_zip(files))
    with zipfile.ZipFile(made, "a") as archive:
        twin = archive.getinfo("case.jsonld")
        double = zipfile.ZipInfo("twin")
        for field in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
            setattr(double, field, getattr(twin, field))
        archive.filelist.append(double)
        archive._didModify = True  # type: ignore[attr-defined]
    problems = check_zip(made.getvalue())
    assert Problem("", "the ZIP file holds bytes that belong to no file of it") in problems
    assert "twin" in named(problems)


@settings(max_examples=300)
@given(st.data())
def test_a_zip_file_altered_anywhere_is_refused_and_raises_nothing_but_ours(data: st.DataObject) -> None:
    good = _good_zip()
    at = data.draw(st.integers(0, len(good) - 1))
    octet = data.draw(st.integers(0, 255))
    altered = good[:at] + bytes([octet]) + good[at + data.draw(st.integers(0, 2)) :]
    try:
        problems = check_zip(altered)
    except IntegrityError:
        return
    assert problems or read_zip(altered) == read_zip(good)


def read_zip(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _good_zip(made: list[bytes] = []) -> bytes:  # noqa: B006  # made once for all examples
    if not made:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            made.append(write_bag(Path(folder, "x.zip")).read_bytes())
    return made[0]
