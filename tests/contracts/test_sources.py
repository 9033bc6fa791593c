"""What every source promises its reader, whatever it reads. A new source is added to SOURCES."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from archiver.records import RELATION_KINDS, TIMED_KINDS, Account, Gone, Message, Post, Record, Relation
from archiver.sample import write_sample_export
from archiver.sources.base import (
    Absence,
    Batch,
    Capture,
    CaptureEnd,
    Event,
    Item,
    Parser,
    Problem,
    Source,
    Unread,
)
from archiver.sources.x_api.answer import cut_answer
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.fields import Generation
from archiver.sources.x_api.parse import parse_item as parse_answer_item
from archiver.sources.x_api.people import LIST_OF
from archiver.sources.x_api.reading import read_answer
from archiver.sources.x_export import XExport, parse_item
from tests.programs import require_shared_data
from tests.unit.sources.x_api.test_answer import ACCOUNT, FETCHED_MS, spelled, told
from tests.unit.sources.x_api.test_reading import everything
from tests.unit.sources.x_export import builder as make

KINDS: dict[str, type[Record]] = {"post": Post, "message": Message, "account": Account, "gone": Gone}
Opened = tuple[Source, Parser]


def sample(folder: Path) -> Opened:
    write_sample_export(folder / "sample.zip", until=dt.date(2026, 10, 31))
    return XExport.open(folder / "sample.zip"), parse_item


def of_2018(folder: Path) -> Opened:
    return XExport.open(make.export_2018(folder / "x.zip", [make.post("21"), make.post("22")])), parse_item


def of_2020_minified(folder: Path) -> Opened:
    rows = make.wrapped(make.post("21"), make.post("22"))
    return XExport.open(make.export(folder / "x.zip", {"tweet": rows}, indent=None)), parse_item


def grailbird(folder: Path) -> Opened:
    months = {"2013_02": [make.grailbird_post("21", "Road closed", "Fri Feb 01 04:12:21 +0000 2013")]}
    return XExport.open(make.grailbird(folder / "x.zip", months)), parse_item


def with_everything_odd(folder: Path) -> Opened:
    """A partial export with a broken file, a note without post, a deleted post, an absent file."""
    data = {
        "tweets": make.wrapped(make.post("21"), make.post("22", created_at="never")),
        "deleted-tweets": make.wrapped(make.post("23", deleted_at=make.FIRST_TIME)),
        "note-tweet": [make.note("900", "alone")],
        "direct-messages": [make.conversation("c", make.message("30", "Hello"), {"joinConversation": {}})],
        "like": [{"like": {"tweetId": "5"}}],
    }
    files = make.export_files(data, counts={"block": 4}, archiveInfo={"isPartialArchive": True})
    files["data/like.js"] = str(files["data/like.js"])[:-5]
    return XExport.open(make.write_zip(folder / "x.zip", files | {"data/sso.js": "x"})), parse_item


def of_2022(_folder: Path) -> Opened:
    return XExport.open(require_shared_data("x-exports/andreruffert-2022.zip")), parse_item


def of_2021(_folder: Path) -> Opened:
    return XExport.open(require_shared_data("x-exports/rtiatmla-2021.zip")), parse_item


class Answers:
    """Answers of X's interface, one of each endpoint under one generation of its names, as a source."""

    platform = "x"
    account = ACCOUNT
    handle: str | None = "SpringfieldPD"
    name: str | None = None
    digest = "ab" * 32
    generated_ms = FETCHED_MS
    partial = True

    def __init__(self, generation: Generation) -> None:
        self.bodies = {name: spelled(everything(name), generation) for name in ENDPOINTS if name != "owner"}
        self.generation: Generation = generation

    def events(self) -> Iterator[Event]:
        for key, (name, body) in enumerate(self.bodies.items()):
            context = {LIST_OF: "14000"} if name == "list_members" else {}
            capture = msgspec.structs.replace(told(name, self.generation, context=context), key=key)
            answer = cut_answer(body)
            reading = read_answer(capture, answer, ENDPOINTS[name])
            yield capture
            yield Batch(key, reading.items)
            yield from [*reading.problems, *reading.remarks.values()]
            digest = hashlib.sha256(body).hexdigest()
            yield CaptureEnd(key, digest, len(body), len(answer.data), answer.meta.result_count)

    def open_media(self, file_name: str) -> None:
        return None


def answers_newer(_folder: Path) -> Opened:
    return Answers("post"), parse_answer_item


def answers_older(_folder: Path) -> Opened:
    return Answers("tweet"), parse_answer_item


SOURCES: list[Callable[[Path], Opened]] = [
    sample, of_2018, of_2020_minified, grailbird, with_everything_odd, of_2021, of_2022, answers_newer,
    answers_older,
]  # fmt: skip


@pytest.fixture(params=SOURCES, ids=lambda each: each.__name__)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    made: Opened = request.param(tmp_path)
    return made


def items_of(events: list[Event]) -> list[Item]:
    return [item for event in events if isinstance(event, Batch) for item in event.items]


def test_a_source_says_what_it_is_and_whose(opened: Opened) -> None:
    source, _ = opened
    assert source.platform.isalpha()
    assert source.account.isdigit()
    assert len(bytes.fromhex(source.digest)) == 32
    assert source.generated_ms > 1_136_073_600_000


def test_reading_twice_yields_the_same(opened: Opened) -> None:
    source, _ = opened
    assert list(source.events()) == list(source.events())


def test_every_capture_is_opened_once_and_ended_once_or_has_a_problem(opened: Opened) -> None:
    source, _ = opened
    captures: dict[int, Capture] = {}
    ended: set[int] = set()
    problems: set[str] = set()
    for event in source.events():
        if isinstance(event, Capture):
            assert event.key not in captures
            assert (event.platform, event.account) == (source.platform, source.account)
            captures[event.key] = event
        elif isinstance(event, Batch):
            assert event.capture_key in captures.keys() - ended
            assert event.items
        elif isinstance(event, CaptureEnd):
            assert event.capture_key in captures.keys() - ended
            assert len(bytes.fromhex(event.sha256)) == 32
            ended.add(event.capture_key)
        elif isinstance(event, Problem):
            problems.add(event.what)
            assert event.detail
        else:
            assert isinstance(event, Unread | Absence)
    assert captures
    assert all(captures[key].request in problems for key in captures.keys() - ended)


def test_items_are_cut_from_captures_already_opened(opened: Opened) -> None:
    source, _ = opened
    captures: set[int] = set()
    for event in source.events():
        if isinstance(event, Capture):
            captures.add(event.key)
        elif isinstance(event, Batch):
            for item in event.items:
                assert item.slices
                assert all(key in captures and piece for key, piece in item.slices)


def test_every_item_parses_to_a_record_of_its_kind_id_and_time(opened: Opened) -> None:
    source, parse = opened
    events = list(source.events())
    captures = {each.key: each for each in events if isinstance(each, Capture)}
    for item in items_of(events):
        capture = captures[item.slices[0][0]]
        record = parse(capture, item.kind, [piece for _, piece in item.slices])
        assert isinstance(record, KINDS.get(item.kind, Relation))
        assert record == parse(capture, item.kind, [piece for _, piece in item.slices])
        assert record.platform == source.platform
        if not isinstance(record, Account):
            assert (record.platform_id, record.account) == (item.id, source.account)
        if isinstance(record, Relation):
            assert record.kind == item.kind in RELATION_KINDS
        if isinstance(record, Post):
            assert record.record_id == (item.record_id or item.id)
        if isinstance(record, Post | Message):
            assert (item.kind in TIMED_KINDS, record.posted_ms) == (True, item.posted_ms)
        if isinstance(record, Post | Message | Account):
            assert record.media == item.media


def test_equal_ids_of_a_kind_have_equal_content(opened: Opened) -> None:
    source, _ = opened
    contents: dict[tuple[str, str], bytes] = {}
    for item in items_of(list(source.events())):
        assert item.content
        assert contents.setdefault((item.kind, item.id), item.content) == item.content


def test_media_is_a_stream_or_nothing(opened: Opened) -> None:
    source, _ = opened
    for item in items_of(list(source.events())):
        for media in item.media:
            assert media.file_name.isprintable()
            assert "/" not in media.file_name
            stream = source.open_media(media.file_name)
            if stream is not None:
                with stream:
                    assert stream.read(1)
    assert source.open_media("no such file") is None


def test_nothing_is_said_to_be_whole_that_has_a_problem(opened: Opened) -> None:
    source, _ = opened
    events = list(source.events())
    absences = [each.kind for each in events if isinstance(each, Absence)]
    assert len(absences) == len(set(absences))
    assert set(absences) <= {"post", "message", *RELATION_KINDS}
    if source.partial:
        assert not absences
