"""records.csv: one row a record, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from hypothesis import given

from archiver.csv_guard import needs_guard, without_guard
from archiver.evidence.model import Exhibit
from archiver.evidence.tables import COLUMNS, PUBLIC_COLUMNS, csv_records
from archiver.evidence.tables.cells import plain
from tests.exhibit_parts import FORMULA, OWN_RECORD_ID, RECORD_ID
from tests.exhibits import exhibits, production, strange
from tests.unit.evidence.tables.hostile import hostile_exhibits


def _rows(made: Iterable[Exhibit], *, public: bool = False) -> list[dict[str, str]]:
    data = b"".join(csv_records(production(public=public), made))
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    assert tuple(header) == (PUBLIC_COLUMNS if public else COLUMNS)
    assert all(len(row) == len(header) for row in rows)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_each_record_is_one_row_in_the_order_given() -> None:
    rows = _rows(exhibits())
    assert [row["exhibit"] for row in rows] == [one.reference for one in exhibits()]
    assert [row["file_stem"] for row in rows] == [one.stem for one in exhibits()]


def test_of_an_edited_post_the_newest_version_stands_there_with_the_number_of_versions() -> None:
    row = _rows(exhibits())[1]
    assert row["text"] == "Main Street is open again. Please drive carefully."
    assert (row["versions"], row["archive"], row["capture"]) == ("3", "2026-11-20.2", "C000002")
    now = exhibits()[1].now
    assert now is not None
    assert row["sha256"] == now.originals[0].sha256
    assert row["captured_first_at"] == "2026-11-01T03:00:00.000Z"
    assert row["captured_last_at"] == "2026-11-03T03:00:00.000Z"


def test_a_reply_says_what_it_answers_when_it_went_and_who_dealt_with_it() -> None:
    row = _rows(exhibits())[2]
    assert (row["in_reply_to_id"], row["in_reply_to_handle"]) == ("1800001", "SpringfieldPolice")
    assert (row["found_missing_at"], row["found_missing_how"]) == (
        "2026-11-10T03:00:00.000Z", "deleted-tweets.js",
    )  # fmt: skip
    assert (row["deleted_at"], row["seen_again_at"]) == ("2026-11-09T03:00:00.000Z", "")
    assert row["moderation_records"] == RECORD_ID
    assert (row["posted_at"], row["posted_at_uk"]) == ("2026-07-04T12:00:00.000Z", "2026-07-04 13:00:00 BST")


def test_media_that_the_pack_lacks_are_named_with_the_reason() -> None:
    row = _rows(exhibits())[3]
    assert row["media_files"].split("; ") == [
        "data/media/ABC_1_4/road.png", "data/media/ABC_1_4/plain.png", "data/media/ABC_1_4/clip.mp4",
        "lost.jpg (missing: the platform answered 404)",
    ]  # fmt: skip


def test_what_is_no_post_has_its_people_and_facts() -> None:
    block = _rows(exhibits())[9]
    assert "blocked" in block["people"]
    assert block["people"].endswith("@SpringfieldRes08 (715556419)")
    assert block["facts"].startswith("user id: 715556419; ")


def test_a_moderation_record_and_a_record_that_is_only_missing_have_rows() -> None:
    alone, missing = _rows(exhibits())[11:13]
    assert (alone["kind"], alone["id"], alone["versions"]) == ("moderation", OWN_RECORD_ID, "1")
    assert (missing["versions"], missing["text"], missing["archive"]) == ("0", "", "2026-11-01")


def test_what_was_taken_out_is_said() -> None:
    row = _rows(exhibits())[6]
    assert row["redacted"] == "text: an address; person: a witness; media: shows a house"
    assert (row["author_name"], row["sha256"]) == ("[redacted]", "")


def test_a_formula_is_text() -> None:
    row = _rows(exhibits())[13]
    assert row["text"].startswith("'=HYPERLINK")
    assert without_guard(row["text"]).startswith(FORMULA)


def test_nul_and_halves_of_characters_are_written_as_replacements() -> None:
    row = _rows([strange()])[0]
    assert "lone half \ufffd" in row["text"]
    assert row["text"].startswith("nul \ufffd, bell \x07")


@given(hostile_exhibits())
def test_any_text_reads_back_and_none_runs(exhibit: Exhibit) -> None:
    (row,) = _rows([exhibit])
    now = exhibit.now
    assert now is not None
    assert without_guard(row["text"]) == plain(now.text)
    assert without_guard(row["url"]) == plain(exhibit.url or "")
    assert without_guard(row["author_name"]) == plain(now.author.name or "")
    assert not any(needs_guard(cell) and not cell.startswith("'") for cell in row.values())


@given(hostile_exhibits())
def test_rows_for_the_public_are_as_safe(exhibit: Exhibit) -> None:
    (row,) = _rows([exhibit], public=True)
    assert not any(needs_guard(cell) and not cell.startswith("'") for cell in row.values())


def test_the_table_for_the_public_has_neither_hashes_nor_places() -> None:
    text = b"".join(csv_records(production(public=True), exhibits())).decode()
    assert not {"sha256", "archive", "capture", "author_id", "account"} & set(PUBLIC_COLUMNS)
    for exhibit in exhibits():
        for version in exhibit.versions:
            hidden = [version.manifest_sha256, version.capture.name, version.client]
            hidden += [one for original in version.originals for one in (original.sha256, original.segment)]
            assert not [one for one in hidden if one and one in text]
    rows = _rows(exhibits(), public=True)
    assert [row["author"] for row in rows][:3] == [
        "SpringfieldPolice", "SpringfieldPolice", "member of the public",
    ]  # fmt: skip
    assert rows[2]["moderation"] == "hidden, unhidden (abusive)"
