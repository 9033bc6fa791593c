"""Search records: made, kept, read again, held against the same search."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from archiver.disk import TakenError
from archiver.errors import ArchiverError, IntegrityError
from archiver.search.hit import SPOOL, Hit
from archiver.search.language import parse_query
from archiver.search.repeating.search_comparison import Comparison, Repeated, compare
from archiver.search.repeating.search_record import (
    FORMAT,
    Expansion,
    SearchRecord,
    find_archives,
    load_search_record,
    make_search_record,
    parse_search_record,
    save_search_record,
)
from archiver.vault import Archive
from tests.made_vaults import VaultMaker, post
from tests.programs import require_program

QUERY = parse_query("flood since:2026-01")
NOTHING = Expansion({}, {})


def hit(number: int, archive: str, **fields: Any) -> Hit:
    made = Hit(
        "x", str(number), "post", "1001", "1001", "made", number, "flood\nsecret text", None, archive, 1,
        str(number), 0.0,
    )  # fmt: skip
    return made._replace(**fields)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Archive]:
    maker = VaultMaker(tmp_path_factory.mktemp("vault"))
    for name in "abc":
        maker.add(name, [post(name, "flood", 1)])
    return list(maker.vault().list_archives().require_sound())


def make(archives: list[Archive], *hits: Hit, **fields: Any) -> SearchRecord:
    known: dict[str, Any] = {
        "tool": "a test", "made_ms": 0, "vault_id": "v", "order": "newest", "limit": 50, "versions": False,
        "expansion": NOTHING, "archives": archives, "head": archives[-1] if archives else None,
    }  # fmt: skip
    return make_search_record(QUERY, hits, **{**known, **fields})


def compared(
    record: SearchRecord,
    archives: list[Archive],
    now: list[Hit],
    later: list[Hit] | None = None,
    **fields: Any,
) -> Comparison:
    known: dict[str, Any] = {
        "query": QUERY, "tool": "a test", "hits": now, "expansion": NOTHING,
        "later": now if later is None else later, "later_expansion": NOTHING,
    }  # fmt: skip
    return compare(record, find_archives(record, archives), Repeated(**{**known, **fields}))


def test_an_answer_that_was_not_whole_is_not_the_same_and_does_not_differ(archives: list[Archive]) -> None:
    """What was left out is compared with nothing, be it to be had now or not."""
    left_out = [("b", IntegrityError("chunk 12 failed"))]
    record = make(archives, hit(1, "a"), unsearched=left_out)
    assert [one.name for one in find_archives(record, archives).same] == ["a", "c"]
    for there in (archives, [archives[0], archives[2]]):
        one = compared(record, there, [hit(1, "a")])
        assert (one.is_same, one.differs, one.later_archives) == (False, False, 0)
        assert [each.archive for each in one.unsearched] == ["b"]
    assert compared(record, archives, []).differs


# Files


def test_a_record_is_kept_whole_for_its_owner_alone_and_read_as_it_was(
    tmp_path: Path, archives: list[Archive]
) -> None:
    left_out = [("b", IntegrityError("chunk 12 failed"))]
    record = make(
        archives, hit(2, "a"), hit(1, SPOOL, record_id="0"), unsearched=left_out, spool_included=True
    )
    path = tmp_path / "search.json"
    save_search_record(path, record)
    assert load_search_record(path) == record
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.archive for one in record.archives] == ["a", "c"]
    assert (record.count, record.spool.ids, record.format) == (2, ["1"], FORMAT)
    assert record.canonical == "flood since:2026-01-01T00:00:00.000Z"
    assert "secret" not in path.read_text()
    with pytest.raises(TakenError):
        save_search_record(path, record)


def test_the_hash_of_the_ids_is_one_that_jq_and_sha256sum_give(
    tmp_path: Path, archives: list[Archive]
) -> None:
    jq = require_program("jq")
    record = make(archives, hit(2, "a"), hit(1, "b", id="\N{POLICE CAR}é"))
    save_search_record(tmp_path / "r.json", record)
    written = subprocess.run([jq, "-cjS", ".ids", tmp_path / "r.json"], stdout=subprocess.PIPE, check=True)
    hashed = subprocess.run(["sha256sum"], input=written.stdout, stdout=subprocess.PIPE, check=True)
    assert hashed.stdout.decode().split()[0] == record.ids_sha256


def document(archives: list[Archive]) -> dict[str, Any]:
    record = make(archives, hit(2, "a"), hit(1, "b"))
    found: dict[str, Any] = json.loads(json.dumps(structs.asdict(record), default=structs.asdict))
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"count": 3}, {"ids": []}, {"ids_sha256": "00"}, {"order": "best"}, {"archives": None},
        {"note": "something more"}, {"spool": {"included": False, "records": 0, "ids": ["1"]}},
    ],
)  # fmt: skip
def test_an_altered_record_is_an_integrity_error_that_names_the_file(
    archives: list[Archive], change: dict[str, Any]
) -> None:
    good = document(archives)
    assert parse_search_record(json.dumps(good).encode(), "r.json").count == 2
    with pytest.raises(IntegrityError, match=r"r\.json was altered"):
        parse_search_record(json.dumps({**good, **change}).encode(), "r.json")


def test_another_id_in_it_shows(archives: list[Archive]) -> None:
    bad = document(archives)
    bad["ids"][0]["id"] = "3"
    with pytest.raises(IntegrityError, match="do not fit together"):
        parse_search_record(json.dumps(bad).encode(), "r.json")


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"a": 1, "a": 2}', b"[" * 100_000])
def test_what_is_no_json_object_is_no_search_record(data: bytes) -> None:
    with pytest.raises(ArchiverError, match=r"r\.json is no search record"):
        parse_search_record(data, "r.json")


def test_an_unknown_format_is_named(archives: list[Archive]) -> None:
    newer = {**document(archives), "format": "archiver-search-2"}
    with pytest.raises(ArchiverError, match="its format is 'archiver-search-2'") as caught:
        parse_search_record(json.dumps(newer).encode(), "r.json")
    assert "a newer version may know others" in str(caught.value.hint)


def test_an_endless_or_absent_file_is_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ArchiverError, match="larger than any search record"):
        load_search_record(huge)
    with pytest.raises(ArchiverError, match="no such file"):
        load_search_record(tmp_path / "absent.json")


@given(
    st.binary(max_size=300)
    | st.dictionaries(st.text(), st.integers()).map(lambda some: json.dumps(some).encode())
)
def test_any_bytes_are_a_record_or_one_of_our_errors(data: bytes) -> None:
    with pytest.raises(ArchiverError):
        parse_search_record(data, "r.json")


# Comparing


def test_the_same_search_is_the_same(archives: list[Archive]) -> None:
    hits = [hit(2, "b"), hit(1, "a")]
    one = compared(make(archives, *hits), archives, hits)
    assert one.is_same
    assert (one.then, one.now, one.later, one.later_archives) == (2, 2, 0, 0)


def test_what_differs_is_told_record_by_record(archives: list[Archive]) -> None:
    record = make(archives, hit(3, "a"), hit(2, "b"), hit(1, "a"))
    one = compared(record, archives, [hit(4, "c"), hit(3, "a"), hit(1, "a")])
    assert not one.is_same
    assert [found.id for found in one.added] == ["4"]
    assert [found.id for found in one.gone] == ["2"]
    assert (one.then, one.now) == (3, 3)
    another = compared(record, archives, [hit(3, "a", version=2), hit(2, "b"), hit(1, "a")])
    assert ([found.version for found in another.added], [found.version for found in another.gone]) == (
        [2],
        [1],
    )
    turned = compared(record, archives, [hit(2, "b"), hit(3, "a"), hit(1, "a")])
    assert (turned.is_reordered, turned.is_same, turned.added) == (True, False, [])


def test_other_forms_names_or_another_reading_are_a_difference_and_another_tool_is_told(
    archives: list[Archive],
) -> None:
    record = make(archives, hit(1, "a"), expansion=Expansion({"flood": ("floods",)}, {"made": ("1001",)}))
    same = Expansion({"flood": ("floods",)}, {"made": ("1001",)})
    assert compared(record, archives, [hit(1, "a")], expansion=same, tool="newer").is_same
    assert compared(record, archives, [hit(1, "a")], expansion=same, tool="newer").tool_now == "newer"
    other = Expansion({"flood": ("flooding",)}, {})
    one = compared(record, archives, [hit(1, "a")], expansion=other, later_expansion=other)
    assert (one.words, one.names, one.is_same) == (["flood"], ["made"], False)
    read = compared(record, archives, [hit(1, "a")], expansion=same, query=parse_query("floods"))
    assert (read.is_read_differently, read.is_same) == (True, False)


def test_missing_and_other_archives_are_named(archives: list[Archive]) -> None:
    record = make(archives, hit(1, "a"))
    one = compared(record, [archives[0]], [hit(1, "a")])
    assert (one.missing, one.different, one.is_same) == (["b", "c"], [], False)
    forged = structs.replace(record.archives[1], manifest_sha256="00")
    changed = structs.replace(record, archives=[record.archives[0], forged, record.archives[2]])
    two = compared(changed, archives, [hit(1, "a")])
    assert (two.missing, two.different) == ([], ["b"])


def test_archives_sealed_since_are_counted_apart(archives: list[Archive]) -> None:
    record = make(archives[:1], hit(1, "a"))
    one = compared(record, archives, [hit(1, "a")], [hit(3, "c"), hit(2, "b"), hit(1, "a")])
    assert one.is_same
    assert (one.later, one.later_archives) == (2, 2)


def test_what_lay_in_the_spool_is_the_same_once_it_is_sealed_or_while_it_still_is_there(
    archives: list[Archive],
) -> None:
    spool = {"spool_included": True, "spool_records": 1}
    record = make(archives[:1], hit(2, SPOOL), hit(1, "a"), **spool)
    for place in ("b", SPOOL):
        one = compared(record, archives, [hit(1, "a")], [hit(2, place), hit(1, "a")])
        assert one.is_same
        assert (one.then, one.now, one.later) == (2, 2, 0)
    lost = compared(record, archives, [hit(1, "a")])
    assert [found.id for found in lost.gone] == ["2"]


def test_an_older_version_of_what_lay_in_the_spool_is_nothing_new(archives: list[Archive]) -> None:
    edited = hit(2, SPOOL, id="22", version=2)
    record = make(archives[:1], edited, spool_included=True, spool_records=1)
    now, later = [hit(2, "a")], [edited._replace(archive="b")]
    assert compared(record, archives, now, later).is_same
