"""records.jsonl: everything of a record, with the same keys in each line."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from archiver.errors import UsageError
from archiver.evidence.model import Exhibit, ShownVersion
from archiver.evidence.tables import custody, flat_records, json_records, load_file, text_files
from archiver.evidence.tables.cells import REPLACEMENT
from tests.exhibits import exhibits, production, strange
from tests.unit.evidence.tables.hostile import hostile_exhibits


def _records(made: list[Exhibit]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(json_records(production(), made)).splitlines()]


def _public_names(kind: type[msgspec.Struct]) -> list[str]:
    names = [field.name for field in msgspec.structs.fields(kind)]
    return [f"{name.removesuffix('_ms')}_at" if name.endswith("_ms") else name for name in names]


def test_every_line_has_every_field_under_the_same_keys() -> None:
    records = _records(exhibits())
    assert len(records) == len(exhibits())
    for record in records:
        assert list(record) == ["exhibit", *_public_names(Exhibit), "captures"]
        for version in record["versions"]:
            assert list(version) == _public_names(ShownVersion)


def test_versions_name_captures_that_stand_in_the_same_line() -> None:
    edited = _records(exhibits())[1]
    assert [one["capture"] for one in edited["versions"]] == ["C000020", "C000002", "C000002", "C000021"]
    assert sorted(edited["captures"]) == ["C000002", "C000020", "C000021"]
    assert edited["captures"]["C000020"]["request"] == "twitter-2026-10-31.zip: data/tweets.js"
    assert edited["captures"]["C000002"]["fetched_at"] == "2026-11-01T03:00:00.000Z"


def test_what_changed_and_facts_are_objects() -> None:
    records = _records(exhibits())
    changed = records[1]["versions"][1]
    assert changed["changes"][1] == {"name": "client", "before": "Web", "after": None}
    assert {one["kind"] for one in changed["changed_text"]} == {"same", "removed", "added"}
    assert records[9]["versions"][0]["facts"][0] == {"name": "user id", "value": "715556419"}


def test_threads_and_moderation_are_whole() -> None:
    reply = _records(exhibits())[2]
    assert [one["id"] for one in reply["thread"]] == ["1800001", "1800003", "1800099"]
    (note,) = reply["moderation"]
    assert [one["entry"] for one in note["entries"]] == [
        "decision", "outcome", "correction", "reversal", "appeal",
    ]  # fmt: skip
    assert note["entries"][0]["entered_at"] == "2026-11-01T05:00:00.000Z"
    assert note["entries"][2]["imported"]["cells"] == {"Reason": "abuse", "By whom": "M1"}
    assert note["media"][0]["path"] == "data/media/ABC_1_3/screen.png"


@pytest.mark.parametrize("odd", ["\0", "\ud83d", "\0\ud83d"])
def test_nul_and_halves_of_characters_are_replaced_and_all_else_is_kept(odd: str) -> None:
    (record,) = _records([strange(f"odd {odd} tab \t end")])
    assert record["versions"][0]["text"] == f"odd {len(odd) * REPLACEMENT} tab \t end"


@given(hostile_exhibits())
def test_any_record_is_one_line_of_json_with_its_text(exhibit: Exhibit) -> None:
    data = b"".join(json_records(production(), [exhibit]))
    assert data.count(b"\n") == 1
    now = exhibit.now
    assert now is not None
    expected = now.text.replace("\0", "\ufffd")
    expected = "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in expected)
    assert json.loads(data)["versions"][0]["text"] == expected


def test_only_records_csv_is_made_for_the_public() -> None:
    pack = production(public=True)
    for made in (
        json_records(pack, exhibits()), load_file(pack, exhibits()), text_files(pack, exhibits()),
        flat_records(pack, exhibits()), custody(pack, exhibits(), {}),
    ):  # fmt: skip
        with pytest.raises(UsageError, match="no part of a pack for the public"):
            list(made)
