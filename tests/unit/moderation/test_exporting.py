"""Records written out: what stands in which column, guarded for spreadsheets, verbatim for programs."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.csv_guard import without_guard
from archiver.errors import UsageError
from archiver.moderation.exporting import (
    COLUMN_NAMES,
    ENTRY_COLUMNS,
    RECORD_COLUMNS,
    Selection,
    accounts_called,
    csv_entries,
    csv_records,
    json_entries,
    json_records,
    selected_entries,
    selected_records,
)
from archiver.records import Attachment, LogRow, Moderation
from archiver.register import ModerationRecord, compose
from archiver.sources.moderation import decode_entry
from archiver.times import parse_time
from tests.unit.test_csv_guard import LEFT, RUN

DAY = parse_time("2026-11-24T00:00:00Z")
HOUR = 3_600_000


def decision(serial: int = 1, /, **fields: Any) -> Moderation:
    known: dict[str, Any] = {
        "id": f"{serial:08x}-0000-4000-8000-000000000001",
        "record_id": f"{serial:08x}-0000-4000-8000-000000000001",
        "number": 1,
        "entry": "decision",
        "entered_ms": DAY,
        "entered_by": "Clerk A",
        "platform": "x",
        "account": "1001",
        "account_handle": "SpringfieldPD",
    }
    return Moderation(**{**known, **fields})


def correction(before: Moderation, **fields: Any) -> Moderation:
    known: dict[str, Any] = {
        "id": before.id[:-1] + "2",
        "number": 2,
        "entry": "correction",
        "corrects": before.id,
    }
    return decision(
        **{"record_id": before.record_id, "entered_ms": before.entered_ms + HOUR, **known, **fields}
    )


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def record_rows(*records: ModerationRecord) -> list[dict[str, str]]:
    return csv_rows(b"".join(csv_records(records)))


def filled(row: dict[str, str]) -> dict[str, str]:
    return {name: cell for name, cell in row.items() if cell}


# Columns


def test_a_record_is_a_row_as_it_stands() -> None:
    first = decision(
        item_type="reply", item_id="771", text="old", reason_codes=("abusive", "spam"), action="hidden",
        state="done", action_ms=DAY + HOUR, until_ms=DAY + 2 * HOUR,
        attachments=(Attachment(role="media", file_name="a.jpg", media_type="image/jpeg"),),
        imported=LogRow(file="log.csv", sha256="aa", line=7, cells={"Unmapped": "a secret cell"}),
    )  # fmt: skip
    (row,) = record_rows(compose([first, correction(first, text="new", entry_note="mistyped")]))
    assert filled(row) == {
        "record_id": first.record_id, "entries": "2", "entered_at": "2026-11-24T00:00:00.000Z",
        "entered_by": "Clerk A", "platform": "x", "account": "1001", "account_handle": "SpringfieldPD",
        "item_type": "reply", "item_id": "771", "text": "new", "attachments": "a.jpg",
        "reason_codes": "abusive, spam", "action": "hidden", "state": "done",
        "action_at": "2026-11-24T01:00:00.000Z", "until_at": "2026-11-24T02:00:00.000Z",
        "imported_from": "log.csv, line 7",
    }  # fmt: skip


def test_every_entry_can_be_a_row_of_its_own() -> None:
    first = decision(text="old")
    second = correction(first, text="new", entry_note="mistyped", cleared=("hold", "until_ms"))
    rows = csv_rows(b"".join(csv_entries([first, second])))
    assert [
        tuple(row[name] for name in ("number", "entry", "text", "corrects", "entry_note", "cleared"))
        for row in rows
    ] == [
        ("1", "decision", "old", "", "", ""),
        ("2", "correction", "new", first.id, "mistyped", "hold, until_at"),
    ]


def test_the_columns_are_those_and_no_others() -> None:
    header, rest = b"".join(csv_records([])).split(b"\r\n", 1)
    assert header.decode().split(",") == list(RECORD_COLUMNS)
    assert rest == b""
    assert len(set(RECORD_COLUMNS)) == len(RECORD_COLUMNS)
    assert len(set(ENTRY_COLUMNS)) == len(ENTRY_COLUMNS)
    # What an entry has and no column shows: of whatever is added to an entry, somebody decides which it is.
    fields = {name.replace("_ms", "_at") for name in Moderation.__struct_fields__}
    assert fields - set(ENTRY_COLUMNS) == {"schema_version", "context_sha256", "context_missing", "imported"}
    assert {*RECORD_COLUMNS, *ENTRY_COLUMNS} <= COLUMN_NAMES


def test_lines_end_as_rfc_4180_says_and_text_is_utf_8() -> None:
    data = b"".join(csv_records([compose([decision(text="“Grüße” 🙂")])]))
    assert data.count(b"\r\n") == data.count(b"\n") == 2
    assert "“Grüße” 🙂".encode() in data


# Verbatim, and guarded


@pytest.mark.parametrize("text", [*RUN, *LEFT])
def test_a_text_that_a_spreadsheet_would_run_is_guarded_and_comes_back(text: str) -> None:
    record = compose([decision(text=text, author_name=text, reason_text=text)])
    (row,) = record_rows(record)
    for name in ("text", "author_name", "reason_text"):
        assert without_guard(row[name]) == text
        assert row[name] == (f"'{text}" if text in RUN else text)
    (line,) = [json.loads(line) for line in json_records([record])]
    assert line["text"] == text


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.sampled_from("=+-@'\",;\r\n\t ＝a")))
def test_every_text_comes_back_from_csv_and_stands_in_json_as_it_is(text: str, name: str) -> None:
    record = compose([decision(text=text, author_name=name)])
    (row,) = record_rows(record)
    assert (without_guard(row["text"]), without_guard(row["author_name"])) == (text, name)
    (line,) = [json.loads(line) for line in json_records([record])]
    assert (line["text"], line["author_name"]) == (text, name)


def test_no_cell_of_any_column_would_be_run() -> None:
    hostile = "=cmd|' /C calc'!A0"
    fields = {
        name: hostile
        for name in Moderation.__struct_fields__
        if Moderation.__annotations__[name] in ("str | None", str | None) or name in ("account", "entered_by")
    }
    attachment = Attachment(role="media", file_name=hostile, media_type="image/png")
    imported = LogRow(file=hostile, sha256="", line=1, cells={})
    (row,) = record_rows(
        compose([decision(**fields, attachments=(attachment,), reason_codes=(hostile,), imported=imported)])
    )
    assert len([cell for cell in row.values() if hostile in cell]) > 20
    assert not [name for name, cell in row.items() if cell.startswith("=")]


# JSON lines


def test_json_lines_have_the_columns_that_say_something() -> None:
    first = decision(reason_codes=("abusive",), action="none", state="done")
    (line,) = [json.loads(line) for line in json_records([compose([first])])]
    assert line == {
        "record_id": first.record_id, "entries": 1, "entered_at": "2026-11-24T00:00:00.000Z",
        "entered_by": "Clerk A", "platform": "x", "account": "1001", "account_handle": "SpringfieldPD",
        "reason_codes": ["abusive"], "action": "none", "state": "done",
    }  # fmt: skip
    assert set(line) <= set(RECORD_COLUMNS)


def test_entries_as_json_lines_are_as_the_register_keeps_them() -> None:
    entry = decision(imported=LogRow(file="log.csv", sha256="aa", line=7, cells={"Unmapped": "=1"}))
    (line,) = json_entries([entry])
    assert decode_entry(line) == entry


# Which


def test_records_are_chosen_by_account_and_day() -> None:
    records = [
        compose([decision(1)]),
        compose([decision(2, account="1002", account_handle=None)]),
        compose([decision(3, entered_ms=DAY + 24 * HOUR)]),
    ]

    def chosen(**selection: Any) -> list[int]:
        return [int(one.id[:8], 16) for one in selected_records(records, Selection(**selection))]

    assert chosen() == [1, 2, 3]
    assert chosen(accounts=frozenset({("x", "1001")})) == [1, 3]
    assert chosen(accounts=frozenset({("x", "1002"), ("facebook", "1001")})) == [2]
    assert chosen(since_ms=DAY + 1) == [3]
    assert chosen(until_ms=DAY + 24 * HOUR) == [1, 2]


KNOWN = [
    ("x", "1001", "SpringfieldPD"),
    ("x", "1001", None),
    ("x", "1001", "OldSpringfield"),
    ("x", "1002", None),
    ("facebook", "Our Page", None),
]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("1001", ("x", "1001")),
        ("SpringfieldPD", ("x", "1001")),
        ("@springfieldpd", ("x", "1001")),
        ("oldspringfield", ("x", "1001")),
        ("1002", ("x", "1002")),
        ("Our Page", ("facebook", "Our Page")),
    ],
)
def test_an_account_is_called_by_its_id_or_any_handle_it_had(name: str, found: tuple[str, str]) -> None:
    assert accounts_called(name, KNOWN) == {found}


@pytest.mark.parametrize("name", ["Nobody", "", "@", "100", "our page 2"])
def test_an_account_that_there_is_not_is_an_error_that_lists_those_there_are(name: str) -> None:
    with pytest.raises(UsageError, match="is no account of the settings or of any record") as caught:
        accounts_called(name, iter(KNOWN))
    shown = "@SpringfieldPD (1001), @OldSpringfield (1001), 1002, Our Page"
    assert caught.value.hint == f"there are: {shown}"


def test_of_many_accounts_the_first_are_listed() -> None:
    with pytest.raises(UsageError) as caught:
        accounts_called("Nobody", [("x", str(number), None) for number in range(30)])
    assert (caught.value.hint or "").endswith(", 19 and 10 more")
    with pytest.raises(UsageError) as caught:
        accounts_called("Nobody", [])
    assert caught.value.hint == "there are: none"


def test_entries_are_chosen_each_by_its_own_day() -> None:
    first = decision()
    records = [compose([first, correction(first, entered_ms=DAY + 24 * HOUR)])]
    assert [one.number for one in selected_entries(records, Selection(since_ms=DAY + 1))] == [2]
    assert [one.number for one in selected_entries(records, Selection())] == [1, 2]
