from pathlib import Path

import pytest

from archiver.records import Post
from archiver.sources.x_export import Limits
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import read, record_of

LONG = "Officers &amp; staff will be at the town hall on Saturday from nine. " * 10
CUT = f"{LONG[:250]}… https://t.co/more"


def long_post(post_id: str = "21", text: str = CUT, **changes: make.Json) -> dict[str, make.Json]:
    return make.post(post_id, text, **changes)


def test_a_long_post_gets_its_whole_text_and_keeps_both_bytes(tmp_path: Path) -> None:
    links = [
        {"expandedUrl": "https://example.org/a", "shortUrl": "https://t.co/a", "displayUrl": "example.org/a"}
    ]
    notes = [
        make.note(
            "900", LONG, urls=links, mentions=[{"screenName": "firebrigade"}], hashtags=[{"tag": "Open"}]
        )
    ]
    found = read(make.export(tmp_path / "x.zip", {"tweets": make.wrapped(long_post()), "note-tweet": notes}))
    (item,) = found.of("post")
    assert item.id == "21"
    assert [found.captures[key].body_kind for key, _ in item.slices] == ["tweets", "noteTweet"]
    assert b'"noteTweetId" : "900"' in item.slices[1][1]
    record = record_of(found, item)
    assert isinstance(record, Post)
    assert record.text == LONG.replace("&amp;", "&")
    assert not record.truncated
    assert [each.expanded for each in record.links] == ["https://example.org/a"]
    assert [each.handle for each in record.mentions] == ["firebrigade"]
    assert record.hashtags == ("Open",)
    assert found.problems == []


def test_a_long_post_without_its_note_says_that_it_is_cut(tmp_path: Path) -> None:
    found = read(make.export(tmp_path / "x.zip", {"tweets": make.wrapped(long_post())}))
    record = record_of(found, found.of("post")[0])
    assert isinstance(record, Post)
    assert record.truncated


def test_another_note_makes_another_version(tmp_path: Path) -> None:
    contents = []
    for number, text in enumerate((LONG, f"{LONG} And Sunday.")):
        data = {"tweets": make.wrapped(long_post()), "note-tweet": [make.note("900", text)]}
        contents.append(read(make.export(tmp_path / f"{number}.zip", data)).of("post")[0].content)
    assert contents[0] != contents[1]


@pytest.mark.parametrize(
    ("post", "note"),
    [
        ("Short & bold", "Short &amp; bold"),
        ("@resident @other Short answer", "Short answer"),
        (f"{LONG[:250]}...", LONG),
        (LONG[:270], LONG),
    ],
)
def test_openings_agree_whatever_stands_around_them(tmp_path: Path, post: str, note: str) -> None:
    data = {"tweets": make.wrapped(long_post(text=post)), "note-tweet": [make.note("900", note)]}
    found = read(make.export(tmp_path / "x.zip", data))
    assert found.ids("post") == ["21"]
    assert found.problems == []


@pytest.mark.parametrize(
    ("post", "note", "second"),
    [
        (CUT, "Something else entirely. " * 20, 26),
        (CUT, LONG, 27),
        ("Off", LONG.replace("Off", "Off", 1), 26),
        ("https://t.co/only", LONG, 26),
    ],
)
def test_a_note_whose_post_is_not_found_is_kept_alone_and_named(
    tmp_path: Path, post: str, note: str, second: int
) -> None:
    row = make.note("900", note, f"2022-11-03T08:50:{second}.000Z")
    data = {"tweets": make.wrapped(long_post(text=post)), "note-tweet": [row]}
    found = read(make.export(tmp_path / "x.zip", data))
    assert found.ids("post") == ["21", "note-900"]
    assert [(each.what, each.reason) for each in found.problems] == [("note 900", "conflict")]
    record = record_of(found, found.of("post")[1])
    assert isinstance(record, Post)
    assert (record.kind, record.platform_id, record.text) == ("post", "note-900", note.replace("&amp;", "&"))


def test_two_notes_that_fit_one_post_are_both_kept_alone(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(long_post()),
        "note-tweet": [make.note("900", LONG), make.note("901", f"{LONG} again")],
    }
    found = read(make.export(tmp_path / "x.zip", data))
    assert found.ids("post") == ["21", "note-900", "note-901"]
    assert [each.what for each in found.problems] == ["note 900", "note 901"]


def test_two_posts_that_fit_one_note_are_reported(tmp_path: Path) -> None:
    data = {"tweets": make.wrapped(long_post("21"), long_post("22")), "note-tweet": [make.note("900", LONG)]}
    found = read(make.export(tmp_path / "x.zip", data))
    assert [(item.id, len(item.slices)) for item in found.of("post")] == [("21", 2), ("22", 1)]
    assert [(each.what, each.reason) for each in found.problems] == [("note-900", "conflict")]


def test_a_post_that_two_parts_hold_is_joined_twice_alike(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(long_post()),
        "tweets-part1": make.wrapped(long_post()),
        "note-tweet": [make.note("900", LONG)],
    }
    found = read(make.export(tmp_path / "x.zip", data))
    assert found.ids("post") == ["21", "21"]
    assert found.of("post")[0].content == found.of("post")[1].content
    assert found.problems == []


def test_a_capture_of_notes_ends_after_everything_that_uses_it(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(long_post()),
        "note-tweet": [make.note("900", LONG), make.note("901", "alone")],
    }
    found = read(make.export(tmp_path / "x.zip", data))
    (key,) = [key for key, each in found.captures.items() if each.body_kind == "noteTweet"]
    uses = [
        number
        for number, event in enumerate(found.events)
        for item in getattr(event, "items", ())
        if any(used == key for used, _ in item.slices)
    ]
    assert len(uses) == 2
    assert max(uses) < found.events.index(found.ends[key])


def test_notes_past_the_limit_are_taken_alone_at_once(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(long_post()),
        "note-tweet": [make.note("900", LONG), make.note("901", "b")],
    }
    found = read(make.export(tmp_path / "x.zip", data), limits=Limits(note_bytes=200))
    assert set(found.ids("post")) == {"21", "note-900", "note-901"}
    assert found.reasons() == ["conflict", "conflict"]


def test_a_note_without_time_is_kept(tmp_path: Path) -> None:
    found = read(make.export(tmp_path / "x.zip", {"note-tweet": [make.note("900", LONG, "soon")]}))
    assert found.ids("post") == ["note-900"]
    assert found.reasons() == ["conflict"]


def test_a_deleted_note_is_joined_to_its_deleted_post(tmp_path: Path) -> None:
    deleted = long_post(deleted_at="2022-11-04T08:50:26.000Z")
    data = {"deleted-tweets": make.wrapped(deleted), "deleted-note-tweet": [make.note("900", LONG)]}
    found = read(make.export(tmp_path / "x.zip", data))
    (item,) = found.of("post")
    record = record_of(found, item)
    assert isinstance(record, Post)
    assert record.text == LONG.replace("&amp;", "&")
    assert found.ids("gone") == ["21"]


def test_an_element_that_holds_no_note_is_reported(tmp_path: Path) -> None:
    data = {"note-tweet": [{}, 5, make.note("900", LONG)]}
    found = read(make.export(tmp_path / "x.zip", data))
    assert found.ids("post") == ["note-900"]
    assert found.reasons() == ["broken", "broken", "conflict"]
