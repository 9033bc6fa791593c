from datetime import UTC, datetime
from typing import Any

import pytest

from archiver.stores.s3.versions import (
    History,
    Version,
    decode,
    encode,
    find_version,
    names_there,
    parse_pages,
)

MODIFIED = datetime(2026, 11, 1, tzinfo=UTC)


def version(name: str, number: str, *, latest: bool = False) -> dict[str, Any]:
    return {
        "Key": f"force/{name}",
        "VersionId": number,
        "Size": int(number),
        "ETag": '"e"',
        "IsLatest": latest,
        "LastModified": MODIFIED,
    }


def page(versions: list[dict[str, Any]], *marked: str) -> dict[str, Any]:
    """An answer of ListObjectVersions; `marked` names end in a delete marker."""
    markers = [{"Key": f"force/{name}", "VersionId": "m", "IsLatest": True} for name in marked]
    return {"Versions": versions, "DeleteMarkers": markers}


def counting(name: str, *pages: dict[str, Any]) -> str | None:
    found = find_version(name, parse_pages(pages, "force/"))
    return None if found is None else found.id


def test_the_oldest_version_counts_and_of_an_archives_key_the_newest() -> None:
    for name, expected in (("archives/a/records", "1"), ("vault.json", "1"), ("archives/a/key.age", "3")):
        versions = [version(name, "3", latest=True), version(name, "2"), version(name, "1")]
        assert counting(name, page(versions)) == expected
        assert counting(name, page(versions[:2]), page(versions[2:])) == expected, "cut between two answers"


def test_a_delete_marker_hides_only_what_belongs_to_an_archive_without_a_manifest() -> None:
    records, manifest = "archives/a/records", "archives/a/manifest.json"
    assert counting(records, page([version(records, "1")], records)) is None
    assert counting(records, page([version(records, "1"), version(manifest, "2")], records, manifest)) == "1"
    assert counting("vault.json", page([version("vault.json", "1")], "vault.json")) == "1"
    assert counting("gone", page([], "gone")) is None


def test_other_programs_keys_are_not_names() -> None:
    strange = ["a b", ".hidden", "a//b", "archives/", "../x"]
    other = {**version("a", "1"), "Key": "other/a"}
    histories = parse_pages([page([version(name, "1") for name in [*strange, "right"]] + [other])], "force/")
    assert list(names_there(histories)) == ["right"]


def test_an_answer_without_anything_is_an_empty_index() -> None:
    assert parse_pages([{}, {"Versions": None}], "") == {}


def test_an_index_is_the_same_when_it_was_written_down() -> None:
    histories = {
        "a": History((Version("2", 5, '"e"', 7), Version("null", 0, "", 0)), ("m",), True),
        "archives/b/c": History(),
    }
    assert decode(encode(histories)) == histories


@pytest.mark.parametrize("data", [[["../a", [], [], False]], [["a"]], [1], None, [["a", [["1"]], [], 0]]])
def test_what_was_not_written_down_by_us_is_refused(data: Any) -> None:
    with pytest.raises(Exception):  # noqa: B017 - the reader takes any for "there is none"
        decode(data)
