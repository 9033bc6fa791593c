"""custody.csv: where each item comes from and what was done with it, chained row by row."""

import csv
import io
import subprocess
import uuid
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given

from archiver.errors import IntegrityError
from archiver.evidence.model import Exhibit, PackFile
from archiver.evidence.tables import CUSTODY_COLUMNS, CustodyEvent, custody, evidence_id
from tests.exhibit_parts import FETCHED, HOUR_MS
from tests.exhibits import exhibits, files, production, strange
from tests.programs import require_program
from tests.unit.evidence.tables.hostile import hostile_exhibits, pack_files


def _made(made: list[Exhibit], **more: Any) -> bytes:
    return b"".join(custody(production(), made, pack_files(files(made)), **more))


def _rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_the_columns_have_every_field_of_custody() -> None:
    rows = _rows(_made(exhibits()))
    first = rows[0]
    assert tuple(first) == CUSTODY_COLUMNS
    expected = {
        "exhibit": "ABC/1/1", "exhibit_file": "ABC_1_1", "parent_exhibit": "ABC/1", "case": "SP/2026/0417",
        "platform": "x", "platform_id": "1800001", "account": "451207733", "author_id": "451207733",
        "author_handle": "SpringfieldPolice", "posted_at": "2026-07-02T12:00:00.000Z",
        "captured_at": "2026-11-01T03:00:00.000Z", "route": "api", "status": "200", "tool": "archiver 0.5.0",
        "request": "GET /2/users/451207733/tweets?max_results=100", "operator": "A. B. C., Disclosure",
        "authority": "Complaint about replies to the notice on Main Street",
        "file": "data/records/ABC_1_1.json", "clock_source": "the collecting host's system clock",
        "location": "archives/2026-11-01/records-000.sqlite.zst.age part 7 offset 1024 bytes 217",
    }  # fmt: skip
    assert {name: first[name] for name in expected} == expected
    body = files()["data/records/ABC_1_1.json"]
    assert (first["bytes"], first["sha256"]) == (str(len(body)), sha256(body).hexdigest())
    assert len(first["sha512"]) == 128


def test_each_row_names_the_line_before_by_its_hash() -> None:
    lines = _made(exhibits()).split(b"\r\n")
    rows = _rows(_made(exhibits()))
    assert len(lines) == len(rows) + 2
    for line, row in zip(lines, rows, strict=False):
        assert row["previous_event_sha256"] == sha256(line).hexdigest()
    assert [row["event_number"] for row in rows] == [str(one) for one in range(1, len(rows) + 1)]


def test_the_chain_is_checked_with_programs_that_everybody_has(tmp_path: Path) -> None:
    require_program("sha256sum")
    path = tmp_path / "custody.csv"
    path.write_bytes(_made([*exhibits(), strange()]))
    for number, row in enumerate(_rows(path.read_bytes())[:6], 1):
        command = f"sed -n {number}p custody.csv | tr -d '\\r\\n' | sha256sum"
        said = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=True).stdout
        assert said.decode().split()[0] == row["previous_event_sha256"]


def test_each_version_was_captured_and_exported_with_equal_hashes() -> None:
    rows = [row for row in _rows(_made(exhibits())) if row["exhibit"] == "ABC/1/2"]
    assert [row["event"] for row in rows] == ["captured", "exported"] * 4
    assert len({row["evidence_id"] for row in rows}) == 4
    for captured, exported in zip(rows[::2], rows[1::2], strict=True):
        assert captured["evidence_id"] == exported["evidence_id"]
        assert captured["sha256_before"] == ""
        assert captured["sha256_after"] == exported["sha256_before"] == exported["sha256_after"]
        assert exported["event_to"] == "Springfield Complaints Authority"


def test_pictures_are_items_below_their_record() -> None:
    rows = [row for row in _rows(_made(exhibits())) if row["parent_exhibit"] == "ABC/1/4"]
    assert [row["exhibit"] for row in rows] == ["ABC/1/4/1", "ABC/1/4/2", "ABC/1/4/3"]
    assert [row["file"] for row in rows][2] == "data/media/ABC_1_4/clip.mp4"
    assert all(row["sha256_before"] == row["sha256_after"] == row["sha256"] != "" for row in rows)


def test_holds_and_what_the_log_says_stand_between() -> None:
    viewed = CustodyEvent(what="viewed", at_ms=FETCHED + HOUR_MS, by="disclosure", reason="a complaint")
    searched = CustodyEvent(what="disclosed", at_ms=FETCHED + HOUR_MS, by="disclosure", to="the court")
    rows = _rows(_made(exhibits(), events={"1800003": [viewed], "": [searched]}, timestamp="timestamp.tsr"))
    of_reply = [row for row in rows if row["exhibit"] == "ABC/1/3"]
    assert [row["event"] for row in of_reply] == ["captured", "held", "released", "viewed", "exported"]
    assert (of_reply[1]["event_by"], of_reply[1]["event_reason"]) == ("moderator-1", "complaint")
    assert of_reply[3]["event_at"] == "2026-11-01T04:00:00.000Z"
    assert {row["timestamp"] for row in rows} == {"timestamp.tsr"}
    named = {row["file"] for row in rows if row["file"]}
    of_pack = [row for row in rows if row["exhibit"] == "ABC/1"]
    assert [row["event"] for row in of_pack] == ["disclosed", "verified", "exported"]
    assert of_pack[1]["event_reason"].startswith(f"SHA-256 of {len(named)} files of the pack")


def test_what_was_done_with_a_record_stands_with_its_newest_version_alone() -> None:
    viewed = CustodyEvent(what="viewed", at_ms=FETCHED, by="disclosure")
    rows = _rows(_made(exhibits()[1:2], events={"1800002": [viewed]}))
    (row,) = [one for one in rows if one["event"] == "viewed"]
    assert row["description"] == "post on x, version 3"


def test_a_picture_that_several_versions_show_is_one_item() -> None:
    exhibit = exhibits()[3]
    twice = msgspec.structs.replace(exhibit, versions=exhibit.versions * 2)
    assert [row["file"] for row in _rows(_made([twice])) if row["parent_exhibit"] == "ABC/1/4"] == [
        "data/media/ABC_1_4/road.png", "data/media/ABC_1_4/plain.png", "data/media/ABC_1_4/clip.mp4",
    ]  # fmt: skip


def test_moderation_records_are_items_by_their_entries() -> None:
    rows = [row for row in _rows(_made(exhibits())) if row["exhibit"] == "ABC/1/12"]
    assert [(row["event"], row["event_to"]) for row in rows] == [
        ("captured", "the spool, not sealed yet"), ("exported", "Springfield Complaints Authority"),
    ]  # fmt: skip


def test_an_evidence_id_is_made_of_the_vault_the_record_and_its_version() -> None:
    exhibit = exhibits()[1]
    vault = production().vault
    name = "x\n451207733\npost\n1800002\n2"
    assert evidence_id(vault, exhibit, exhibit.versions[1]) == str(uuid.uuid5(uuid.UUID(vault), name))
    other = msgspec.structs.replace(exhibit, kind="quote")
    assert evidence_id(vault, other, exhibit.versions[1]) == evidence_id(vault, exhibit, exhibit.versions[1])
    assert evidence_id("no id", exhibit) != evidence_id("another", exhibit)


def test_a_file_with_another_hash_than_was_noted_is_refused() -> None:
    path = "data/records/ABC_1_1.json"
    altered = pack_files(files()) | {path: PackFile(1, "0" * 64, "0" * 128)}
    with pytest.raises(IntegrityError, match=f"{path} has the SHA-256 0000"):
        list(custody(production(), exhibits(), altered))
    with pytest.raises(IntegrityError, match=f"{path} is named by an exhibit and is not in the pack"):
        list(custody(production(), exhibits(), {}))


@given(hostile_exhibits())
def test_any_texts_leave_each_event_in_a_line_of_its_own(exhibit: Exhibit) -> None:
    data = _made([exhibit])
    assert len(data.decode().splitlines()) == 1 + len(_rows(data)) == 5
