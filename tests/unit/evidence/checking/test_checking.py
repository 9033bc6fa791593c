"""Each check of a pack by itself, on packs that somebody made to mislead it."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import IntegrityError
from archiver.evidence.bag import FolderSource, ZipSource
from archiver.evidence.checking import check_pack
from archiver.evidence.checking.chain import check_chain
from archiver.evidence.checking.files import Files
from archiver.evidence.checking.log import check_log
from archiver.evidence.checking.records import check_custody, check_records
from archiver.evidence.checking.signed import check_signature, check_token
from archiver.formats.ssh_signature import SigningKey, allowed_signers_line
from tests.packs import write_folder, write_zip

KEY = SigningKey.generate("disclosure")
SIGNERS = f"{allowed_signers_line('disclosure', KEY.public_line(), ['archiver-evidence'])}\n".encode()
SIGNED = "tagmanifest-sha512.txt"


@pytest.fixture
def made(tmp_path: Path) -> Any:
    def make(files: dict[str, bytes]) -> Files:
        return Files(FolderSource(write_folder(tmp_path / "p", files)))

    return make


def test_what_is_not_there_is_not_checked(made: Any) -> None:
    files = made({"bagit.txt": b""})
    checks = (check_chain, check_log, check_records, check_custody)
    assert [check(files) for check in checks] == [None] * 4
    assert check_token(files, ()) is None
    with pytest.raises(IntegrityError, match="allowed_signers is missing"):
        check_signature(files, None)


def test_one_check_that_fails_hides_no_other(tmp_path: Path) -> None:
    pack = write_folder(tmp_path / "p", {"custody.csv": b'a,"b\r\n', "log-extract.jsonl": b"x"})
    checks = {one.title: one.result for one in check_pack(FolderSource(pack))}
    assert len(checks) == 7
    assert list(checks.values()) == [
        "wrong",
        "wrong",
        "not there",
        "not there",
        "wrong",
        "not there",
        "wrong",
    ]


def test_an_empty_pack_is_wrong_whatever_holds_it(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    zipped = write_zip(tmp_path / "p.zip", {})
    with zipped.open("rb") as file:
        for source in (FolderSource(tmp_path / "p"), ZipSource(file)):
            first, signature, *_ = check_pack(source)
            assert (first.result, signature.result) == ("wrong", "wrong")


# Files


def test_files_are_read_whole_in_lines_and_by_folder(made: Any) -> None:
    files = made({"a/1.json": b"one\ntwo\n", "a/2.txt": b"", "ab/3.json": b"x"})
    assert files.below("a") == ["a/1.json", "a/2.txt"]
    assert files.below("a", ".json") == ["a/1.json"]
    assert list(files.lines("a/1.json")) == [b"one", b"two"]
    assert list(files.lines("a/2.txt")) == []
    assert (files.count, files.size) == (3, 9)


@pytest.mark.parametrize("way", ["read", "lines"])
def test_a_file_that_is_missing_is_named_in_a_folder_and_in_a_zip_file(tmp_path: Path, way: str) -> None:
    with write_zip(tmp_path / "p.zip", {"a": b""}).open("rb") as file:
        for source in (FolderSource(write_folder(tmp_path / "p", {"a": b""})), ZipSource(file)):
            with pytest.raises(IntegrityError, match=r"^manifest-sha256\.txt is missing"):
                list(getattr(Files(source), way)("manifest-sha256.txt"))


def test_lines_end_with_the_last_one_and_are_not_endless(made: Any) -> None:
    files = made({"cut": b"one\ntwo", "endless": b"x" * (65 * 1024 * 1024)})
    with pytest.raises(IntegrityError, match="cut does not end with its last line"):
        list(files.lines("cut"))
    with pytest.raises(IntegrityError, match="endless has a line that is too long"):
        list(files.lines("endless"))
    with pytest.raises(IntegrityError, match="endless is too large"):
        files.read("endless")


# The signature


@pytest.mark.parametrize(
    "change",
    [lambda s: s.rstrip(b"\n"), lambda s: s + b"\n", lambda s: s.replace(b"\n", b"\r\n"), lambda s: s[:-9]],
)
def test_a_signature_written_otherwise_is_altered(made: Any, change: Any) -> None:
    signature = KEY.sign(b"list", "archiver-evidence")
    good = made({SIGNED: b"list", "allowed_signers": SIGNERS, f"{SIGNED}.sig": signature})
    assert check_signature(good, KEY.fingerprint()) == [f"by disclosure, {KEY.fingerprint()}"]
    spoilt = made({SIGNED: b"list", "allowed_signers": SIGNERS, f"{SIGNED}.sig": change(signature)})
    with pytest.raises(IntegrityError, match=r"^tagmanifest-sha512\.txt\.sig"):
        check_signature(spoilt, None)


def test_a_signature_for_another_purpose_is_none(made: Any) -> None:
    signature = KEY.sign(b"list", "archiver-log")
    files = made({SIGNED: b"list", "allowed_signers": SIGNERS, f"{SIGNED}.sig": signature})
    with pytest.raises(IntegrityError, match=r"\.sig"):
        check_signature(files, None)


@pytest.mark.parametrize("data", [b"\xff", b"nobody", b"x ssh-rsa AAAA\n", b"x" * 200_000])
def test_a_list_of_signers_that_is_none_is_named(made: Any, data: bytes) -> None:
    files = made({SIGNED: b"list", "allowed_signers": data, f"{SIGNED}.sig": b"x"})
    with pytest.raises(IntegrityError, match=r"allowed_signers|sig"):
        check_signature(files, None)


@pytest.mark.parametrize("token", [b"", b"x", b"\x30\x80", bytes(5_000)])
def test_a_time_stamp_that_is_none_is_named(made: Any, token: bytes) -> None:
    files = made({SIGNED: b"list", f"{SIGNED}.tsr": token, "timestamp-authorities.pem": b"none"})
    with pytest.raises(IntegrityError, match="tsr"):
        check_token(files, ())


# Records


def line(**fields: Any) -> bytes:
    return json.dumps({"reference": "ABC/1/1", **fields}).encode() + b"\n"


def test_bytes_are_held_against_the_list_wherever_a_record_names_them(made: Any) -> None:
    digest = hashlib.sha256(b"body").hexdigest()
    manifest = f"{digest}  data/a\n".encode()
    nested = {"versions": [{"originals": [{"path": "data/a", "sha256": digest}]}]}
    files = made({"data/records.jsonl": line(**nested), "manifest-sha256.txt": manifest})
    assert check_records(files) == ["1 records, 1 files of bytes and pictures that they name"]
    wrong = {"moderation": [{"media": [{"path": "data/a", "sha256": "0" * 64}]}]}
    files = made({"data/records.jsonl": line() + line(**wrong), "manifest-sha256.txt": manifest})
    with pytest.raises(IntegrityError, match="ABC/1/1: data/a has other bytes than the record says"):
        check_records(files)


@pytest.mark.parametrize(
    "data", [b"{\n", b"[]\n", b"1\n", b"{}\n", b"\n", b'{"reference": "\xff"}\n', line()[:-1]]
)
def test_a_line_that_is_no_record_is_named(made: Any, data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"records\.jsonl"):
        check_records(made({"data/records.jsonl": data, "manifest-sha256.txt": b""}))


def test_a_record_that_is_nested_without_end_is_refused(made: Any) -> None:
    deep = b'{"reference": "x", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    with pytest.raises(IntegrityError, match=r"records\.jsonl"):
        check_records(made({"data/records.jsonl": deep, "manifest-sha256.txt": b""}))


# Custody


def rows(*cells: str) -> bytes:
    """A header, and events that each name the row before them."""
    made = [b"event,previous"]
    for cell in cells:
        made.append(f"{cell},{hashlib.sha256(made[-1]).hexdigest()}".encode())
    return b"\r\n".join(made) + b"\r\n"


def test_events_follow_each_other_also_where_a_cell_has_several_lines(made: Any) -> None:
    assert check_custody(made({"custody.csv": rows("a", '"b\r\nc ""d"" "', "e")})) == ["3 events"]


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_an_event_that_was_taken_out_is_noticed(made: Any, missing: int) -> None:
    lines = rows("a", "b", "c", "d").split(b"\r\n")
    del lines[missing]
    with pytest.raises(IntegrityError, match=rf"row {missing + 1} does not follow"):
        check_custody(made({"custody.csv": b"\r\n".join(lines)}))


# The log


def test_an_entry_of_a_key_that_did_not_sign_the_pack_is_wrong(made: Any) -> None:
    other = SigningKey.generate("other")
    link = json.dumps({"chain": "x"}).encode()
    fields = {
        "link_base64": base64.b64encode(link).decode(),
        "signature_base64": base64.b64encode(other.sign(link, "archiver-log")).decode(),
        "entry_base64": "", "link": {"chain": "x"}, "entry": None,
    }  # fmt: skip
    files = made({"allowed_signers": SIGNERS, "log-extract.jsonl": json.dumps(fields).encode() + b"\n"})
    with pytest.raises(IntegrityError, match=r"log-extract\.jsonl: line 1"):
        check_log(files)


@pytest.mark.parametrize(
    "data", [b"{}\n", b"[]\n", b"x\n", b'{"link_base64": "!", "signature_base64": "", "entry_base64": ""}\n',
             b'\xff\n', b'{"a": "\xff"}\n', b"[" * 100_000 + b"\n",
             b'{"link_base64": 1, "signature_base64": "", "entry_base64": ""}\n']
)  # fmt: skip
def test_a_line_that_is_no_entry_is_named(made: Any, data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"log-extract\.jsonl: line 1"):
        check_log(made({"allowed_signers": SIGNERS, "log-extract.jsonl": data}))
