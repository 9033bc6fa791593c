"""What CASE's own validation lets pass is refused here: ends before starts, times without a date, ids that
are no text, files that are others."""

import json
import subprocess
import sys
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.errors import ArchiverError, IntegrityError
from archiver.evidence.graph import render_graph
from archiver.evidence.graph.terms import Ids, as_interval, as_string, as_time, encode, join_names
from archiver.evidence.model import PackFile, Person
from archiver.times import parse_time
from tests.exhibit_parts import FETCHED, make_capture, make_version
from tests.exhibits import exhibits, production
from tests.programs import PROJECT
from tests.unit.evidence.graph.graphs import of_type, pack_files, render

ANY_TEXT = st.text(st.characters(exclude_categories=()))
MOMENTS = st.integers(-62_135_596_800_000, 253_402_300_799_999)
NAMES = st.lists(st.text(max_size=3), max_size=3)


@given(MOMENTS)
def test_a_time_comes_with_its_zone(milliseconds: int) -> None:
    said = as_time(milliseconds)
    assert said["@value"].endswith("Z")
    assert parse_time(said["@value"]) == milliseconds


@given(MOMENTS, MOMENTS)
def test_an_action_never_ends_before_it_starts(start_ms: int, end_ms: int) -> None:
    if start_ms > end_ms:
        with pytest.raises(ArchiverError, match="would end before it starts"):
            as_interval(start_ms, end_ms, "C000001")
    else:
        said = as_interval(start_ms, end_ms, "C000001")
        assert said["uco-action:startTime"]["@value"] <= said["uco-action:endTime"]["@value"]


@given(st.one_of(st.integers(), st.none(), st.floats(), st.binary()))
def test_an_id_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ArchiverError, match="and not text"):
        as_string(value, "the id")


@given(NAMES, NAMES)
def test_ids_are_uuids_of_version_5_and_differ_with_any_name(one: list[str], other: list[str]) -> None:
    ids = Ids(uuid.NAMESPACE_URL)
    expected = uuid.uuid5(uuid.NAMESPACE_URL, join_names(*one).decode())
    assert ids.make(*one) == f"urn:uuid:{expected}"
    assert (ids.make(*one) == ids.make(*other)) == (one == other)


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_comes_through_with_only_halves_of_characters_replaced(text: str, name: str) -> None:
    shown = replace(
        exhibits()[0], versions=(make_version(1, text, author=Person("1", name, text), originals=()),)
    )
    document = render(shown=[shown])
    json.loads(document)
    facets = [each for each in of_type(document, "MessageFacet") if "uco-observable:messageText" in each]
    expected = "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in text)
    assert [each["uco-observable:messageText"] for each in facets] == [expected]


def test_a_node_deep_inside_another_has_its_halves_of_characters_replaced() -> None:
    assert json.loads(encode({"a": [{"b": ["\ud800x", 1, True]}]})) == {"a": [{"b": ["\ufffdx", 1, True]}]}


@pytest.mark.parametrize("milliseconds", [10**15, -(10**15)])
def test_a_time_outside_the_calendar_is_refused_with_the_exhibits_number(milliseconds: int) -> None:
    version = replace(exhibits()[1].versions[0], posted_ms=milliseconds)
    with pytest.raises(ArchiverError, match="ABC/1/2 has a time outside the years 1 to 9999"):
        render(shown=[replace(exhibits()[1], versions=(version,))])


def test_a_record_with_a_number_for_an_id_is_refused() -> None:
    with pytest.raises(ArchiverError, match="the id of ABC/1/1 is int and not text"):
        render(shown=[replace(exhibits()[0], id=1800001)])
    version = make_version(1, "x", author=Person(7, None, None))  # type: ignore[arg-type]  # as no parser should
    with pytest.raises(ArchiverError, match="the id of an account at ABC/1/1#1 author is int"):
        render(shown=[replace(exhibits()[0], versions=(version,))])


@pytest.mark.parametrize("order", [(0, 0), (1, 0)])
def test_exhibits_out_of_order_or_twice_are_refused(order: tuple[int, int]) -> None:
    with pytest.raises(ArchiverError, match="cannot follow"):
        render(shown=[exhibits()[number] for number in order])


def test_an_exhibit_of_another_pack_is_refused() -> None:
    with pytest.raises(ArchiverError, match="ABC/2/1 cannot follow ABC/1/0 in the pack ABC/1"):
        render(shown=[replace(exhibits()[0], reference="ABC/2/1")])


def test_a_clock_that_was_set_back_gives_no_end_before_the_start() -> None:
    version = make_version(1, "x", originals=(), capture=make_capture(1, taken_ms=FETCHED - 5))
    action = of_type(render(shown=[replace(exhibits()[0], versions=(version,))]), "InvestigativeAction")[1]
    assert action["uco-action:startTime"]["@value"] == "2026-11-01T03:00:00.000Z"
    assert "uco-action:endTime" not in action


def test_an_answer_is_captured_from_its_coming_until_it_was_kept() -> None:
    action = of_type(render(), "InvestigativeAction")[1]
    assert action["uco-action:startTime"]["@value"] == "2026-11-01T03:00:00.000Z"
    assert action["uco-action:endTime"]["@value"] == "2026-11-01T03:00:00.250Z"


def test_an_export_is_captured_when_it_was_taken_not_when_the_platform_made_it() -> None:
    version = make_version(
        1, "x", originals=(), capture=make_capture(1, route="export", taken_ms=FETCHED - 5)
    )
    action = of_type(render(shown=[replace(exhibits()[0], versions=(version,))]), "InvestigativeAction")[1]
    assert action["uco-action:startTime"] == action["uco-action:endTime"]
    assert action["uco-action:endTime"]["@value"] == "2026-11-01T02:59:59.995Z"


def test_a_file_that_the_pack_does_not_hold_is_named() -> None:
    held = pack_files()
    del held["data/media/ABC_1_4/clip.mp4"]
    with pytest.raises(
        IntegrityError, match=r"names data/media/ABC_1_4/clip.mp4, which the pack does not hold"
    ):
        list(render_graph(production(), exhibits(), held))


@pytest.mark.parametrize("path", ["data/media/ABC_1_4/clip.mp4", "data/records/ABC_1_1.json"])
def test_a_file_that_is_not_the_one_its_record_names_is_refused(path: str) -> None:
    held = pack_files() | {path: PackFile(1, "0" * 64, "0" * 128)}
    with pytest.raises(IntegrityError, match=f"{path} in the pack is not the file"):
        list(render_graph(production(), exhibits(), held))


def test_files_may_be_closed_while_the_graph_is_written() -> None:
    shown = exhibits()
    whole, held = pack_files(), dict[str, PackFile]()
    pieces = render_graph(production(), shown, held)
    early = [next(pieces) for _ in range(4)]
    held |= whole
    document = b"".join([*early, *pieces])
    paths = [each["uco-observable:filePath"] for each in of_type(document, "FileFacet")]
    assert sorted(paths) == sorted(whole)


_MANY = """
import sys, tracemalloc
from msgspec.structs import replace
from archiver.evidence.graph import render_graph
from tests.exhibit_parts import make_capture, make_version
from tests.exhibits import exhibits, production
post, capture = exhibits()[0], make_capture(1, path=None)
def many(count):
    for number in range(1, count + 1):
        version = make_version(1, "The road is open.", capture=capture, originals=())
        yield replace(
            post, number=number, reference=f"ABC/1/{number}", id=str(number), versions=(version,)
        )
tracemalloc.start()
peaks = []
for count in (200, 4000):
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    for piece in render_graph(production(), many(count), {}):
        pass
    peaks.append(tracemalloc.get_traced_memory()[1] - before)
print(peaks[1] - peaks[0])
"""


def test_memory_does_not_grow_with_the_records() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MANY], capture_output=True, text=True, check=True, timeout=120, cwd=PROJECT
    )
    assert int(done.stdout) < 100_000
