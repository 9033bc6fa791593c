"""The one CSV file that whoever used the service before knows how to read."""

import csv
import io
from typing import Any

from hypothesis import given

from archiver.csv_guard import needs_guard
from archiver.evidence.model import Exhibit, Medium, Person
from archiver.evidence.tables import flat_records
from tests.exhibit_parts import make_exhibit, make_version
from tests.exhibits import exhibits, production
from tests.unit.evidence.tables.hostile import hostile_exhibits


def _rows(made: list[Exhibit]) -> list[dict[str, str]]:
    data = b"".join(flat_records(production(), made))
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def _relation(kind: str, own: str, text: str = "", **fields: Any) -> dict[str, str]:
    version = make_version(1, text, kind=kind, author=Person(), posted_ms=None, **fields)
    (row,) = _rows([make_exhibit(1, kind=kind, id=own, versions=(version,), captured=(version.captured_ms,))])
    return row


def test_the_columns_are_those_of_the_service() -> None:
    assert next(flat_records(production(), [])).decode() == (
        "action,id,name,user,location,profile_desc,image_url,profile_url,is_protected,time,message\r\n"
    )


def test_all_kinds_have_rows() -> None:
    actions = [row["action"] for row in _rows(exhibits())]
    assert actions == [
        "post", "post", "reply", "moderation_hidden", "post", "quote", "repost", "post", "post", "message",
        "block", "profile", "moderation_blocked", "post", "post",
    ]  # fmt: skip


def test_a_post_is_its_author_its_time_and_its_text() -> None:
    row = _rows(exhibits())[2]
    assert (row["id"], row["user"]) == ("1800003", "SpringfieldRes07")
    assert row["profile_url"] == "https://x.com/SpringfieldRes07"
    assert row["time"] == "2026-07-04T12:00:00.000Z"
    assert row["message"].startswith("شكرا")


def test_a_follower_known_by_its_text_has_name_handle_and_description() -> None:
    row = _relation("follower", "77", "Example Fire @ExampleFire\nWe put out fires.\nDial 999.")
    assert (row["id"], row["name"], row["user"]) == ("77", "Example Fire", "ExampleFire")
    assert row["profile_desc"] == "We put out fires.\nDial 999."
    assert row["profile_url"] == "https://x.com/ExampleFire"
    assert row["time"] == "2026-11-01T03:00:00.000Z"
    assert row["message"] == ""


def test_a_follower_known_by_id_alone_has_an_address() -> None:
    row = _relation("follower", "77")
    assert (row["name"], row["user"], row["profile_url"]) == ("", "", "https://x.com/i/user/77")


def test_what_is_known_of_a_person_fills_the_columns() -> None:
    row = _relation(
        "own_list_member", "list-1/77", "", people=(Person("77", "ExampleFire", "Example Fire", "other"),),
        facts=(("location", "Springfield"), ("description", "Fires"), ("protected", "true")),
        media=(Medium(media_type="avatar", url="https://pbs.example.org/a.jpg"),),
    )  # fmt: skip
    assert (row["id"], row["user"], row["location"]) == ("77", "ExampleFire", "Springfield")
    assert (row["profile_desc"], row["is_protected"]) == ("Fires", "true")
    assert row["image_url"] == "https://pbs.example.org/a.jpg"


def test_likes_and_lists_have_their_own_columns() -> None:
    like = _relation("like", "88", "Well said", people=(Person("77", "ExampleFire", None, "author"),))
    assert (like["id"], like["user"], like["message"]) == ("88", "ExampleFire", "Well said")
    made = _relation(
        "list_created", "9", "Teams\nAll our teams", people=(Person("1", "Owner", None, "owner"),)
    )
    assert (made["name"], made["user"], made["profile_desc"]) == ("Teams", "Owner", "All our teams")


def test_what_a_profile_says_beside_its_columns_is_the_message() -> None:
    row = next(one for one in _rows(exhibits()) if one["action"] == "profile")
    assert (row["id"], row["location"]) == ("451207733", "Springfield (fictional)")
    assert row["message"] == "website: https://springfield-police.invalid; created: 2009-03-02 10:00:00 UTC"
    assert row["profile_desc"].startswith("Official account of a fictional force.")


def test_a_moderation_record_about_two_records_stands_there_once() -> None:
    reply = exhibits()[2]
    actions = [row["action"] for row in _rows([reply, reply])]
    assert actions == ["reply", "moderation_hidden", "reply"]
    assert _rows([reply])[1]["time"] == "2026-11-01T05:00:00.000Z"


def test_no_address_is_made_of_what_is_no_handle() -> None:
    assert [one["profile_url"] for one in _rows(exhibits()) if one["user"] == "[redacted]"] == ["", ""]


@given(hostile_exhibits())
def test_no_cell_runs(exhibit: Exhibit) -> None:
    for row in _rows([exhibit]):
        assert not any(needs_guard(cell) and not cell.startswith("'") for cell in row.values())
