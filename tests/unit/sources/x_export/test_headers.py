from pathlib import Path

import pytest

from archiver.records import Gone
from archiver.sources.x_export import Limits
from archiver.sources.x_export.reconcile import BUCKET_IDS, IdTally, missing_problems
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import read, record_of


def header(post_id: str, **more: str) -> make.Json:
    return {"tweet": {"tweet_id": post_id, "user_id": make.ACCOUNT, "created_at": make.FIRST_TIME} | more}


def test_headers_that_agree_prove_that_all_posts_are_there(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(make.post("21"), make.post("22")),
        "tweet-headers": [header("22"), header("21")],
    }
    found = read(make.export(tmp_path / "x.zip", data, counts={"tweets": None}))
    assert found.problems == []
    assert "post" in found.absences


def test_without_counts_and_headers_no_post_is_taken_for_gone(tmp_path: Path) -> None:
    data = {"tweets": make.wrapped(make.post("21"))}
    found = read(make.export(tmp_path / "x.zip", data, counts={"tweets": None}))
    assert "post" not in found.absences


def test_posts_that_headers_name_in_vain_are_named(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(make.post("21")),
        "tweet-headers": [header("21"), header("23"), header("22")],
    }
    found = read(make.export(tmp_path / "x.zip", data))
    assert [(each.what, each.reason) for each in found.problems] == [
        ("post 22", "missing"),
        ("post 23", "missing"),
    ]
    assert "post" not in found.absences


def test_a_post_without_header_and_a_post_twice_are_nothing_missing(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(make.post("21"), make.post("22")),
        "tweets-part1": make.wrapped(make.post("22")),
        "tweet-headers": [header("21")],
    }
    found = read(make.export(tmp_path / "x.zip", data))
    assert found.problems == []
    assert "post" in found.absences


def test_a_header_may_name_a_post_of_a_community(tmp_path: Path) -> None:
    data = {"community-tweet": make.wrapped(make.post("21")), "tweet-headers": [header("21")]}
    assert read(make.export(tmp_path / "x.zip", data)).problems == []


def test_only_so_many_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    data = {"tweets": [], "tweet-headers": [header(str(number)) for number in range(100, 150)]}
    found = read(make.export(tmp_path / "x.zip", data), limits=Limits(named_ids=3))
    assert len(found.problems) == 4
    assert found.problems[-1].detail == "and 47 more of 50 named in the headers"


def test_a_broken_post_file_is_held_against_the_headers_too(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(make.post("21"), make.post("22")),
        "tweet-headers": [header("21"), header("22")],
    }
    files = make.export_files(data)
    body = str(files["data/tweets.js"])
    files["data/tweets.js"] = body[: body.index('"22"')]
    found = read(make.write_zip(tmp_path / "x.zip", files))
    assert found.ids("post") == ["21"]
    assert [(each.what, each.reason) for each in found.problems] == [
        ("x.zip!data/tweets.js", "broken"), ("post 22", "missing"),
    ]  # fmt: skip
    assert "post" not in found.absences


def test_deleted_posts_are_kept_and_said_to_be_gone(tmp_path: Path) -> None:
    deleted = make.post("21", deleted_at="Fri Nov 04 08:50:26 +0000 2022")
    found = read(make.export(tmp_path / "x.zip", {"deleted-tweets": make.wrapped(deleted)}))
    assert (found.ids("post"), found.ids("gone")) == (["21"], ["21"])
    record = record_of(found, found.of("gone")[0])
    assert record == Gone(
        platform="x", platform_id="21", account=make.ACCOUNT, kind="post", noticed_ms=1_685_599_200_000,
        how="deleted-tweets.js", deleted_ms=make.FIRST_MS + 86_400_000,
    )  # fmt: skip


def test_a_post_is_the_same_version_before_and_after_its_deletion(tmp_path: Path) -> None:
    alive = read(make.export(tmp_path / "a.zip", {"tweets": make.wrapped(make.post("21"))}))
    deleted = make.post("21", deleted_at="Fri Nov 04 08:50:26 +0000 2022")
    dead = read(make.export(tmp_path / "b.zip", {"deleted-tweets": make.wrapped(deleted)}))
    assert alive.of("post")[0].content == dead.of("post")[0].content


@pytest.mark.parametrize("key", ["deleted_at", "deletedAt"])
def test_a_deleted_header_tells_the_same_as_the_deleted_post(tmp_path: Path, key: str) -> None:
    moment = "Fri Nov 04 08:50:26 +0000 2022"
    data = {
        "deleted-tweets": make.wrapped(make.post("21", deleted_at=moment)),
        "deleted-tweet-headers": [header("21", **{key: moment})],
    }
    found = read(make.export(tmp_path / "x.zip", data))
    first, second = found.of("gone")
    assert (first.id, first.content) == (second.id, second.content)
    record = record_of(found, second)
    assert isinstance(record, Gone)
    assert (record.how, record.deleted_ms) == ("deleted-tweet-headers.js", make.FIRST_MS + 86_400_000)
    assert found.problems == []


def test_a_deleted_header_without_post_is_gone_and_missing(tmp_path: Path) -> None:
    found = read(
        make.export(tmp_path / "x.zip", {"deleted-tweet-headers": [header("21", deleted_at=make.FIRST_TIME)]})
    )
    assert found.ids("gone") == ["21"]
    assert [(each.what, each.reason) for each in found.problems] == [("deleted post 21", "missing")]
    assert "post" in found.absences


def test_tallies_agree_whatever_the_order_and_differ_for_one_id() -> None:
    ids = [str(number) for number in range(10_000)]
    first, second, third = IdTally(), IdTally(), IdTally()
    first.add(ids)
    second.add(ids[5_000:])
    second.add(ids[:5_000])
    third.add([*ids[1:], "x"])
    assert first.agrees(second)
    assert not first.agrees(third)


def test_what_is_missing_is_found_bucket_by_bucket() -> None:
    stated = BUCKET_IDS * 2 + 5
    ids = [str(number) for number in range(1_000)]
    problems = missing_problems("post", stated, lambda: iter([ids, ["x", "y"]]), lambda: iter([ids]), 20)
    assert {each.what for each in problems} == {"post x", "post y"}


@pytest.mark.parametrize(
    "row",
    [
        {"tweet_id": "21"},
        {"tweet": {"tweet_id": 21}},
        {"tweet": {"tweetId": "21"}},
        {"tweet": {"tweet_id": "21", "x": 5}},
    ],
)
def test_a_header_shaped_otherwise_is_understood(tmp_path: Path, row: make.Json) -> None:
    data = {"tweets": make.wrapped(make.post("21")), "tweet-headers": [row]}
    found = read(make.export(tmp_path / "x.zip", data, counts={"tweets": None}))
    assert found.problems == []
    assert "post" in found.absences


def test_headers_that_hold_nothing_prove_nothing(tmp_path: Path) -> None:
    data = {"tweets": make.wrapped(make.post("21")), "tweet-headers": [5, {}]}
    found = read(make.export(tmp_path / "x.zip", data, counts={"tweets": None}))
    assert found.reasons() == ["missing"]
    assert "post" not in found.absences


def test_headers_that_break_off_are_reported_and_prove_nothing(tmp_path: Path) -> None:
    data = {"tweets": make.wrapped(make.post("21")), "tweet-headers": [header("21"), header("22")]}
    files = make.export_files(data, counts={"tweets": None})
    files["data/tweet-headers.js"] = str(files["data/tweet-headers.js"])[:-8]
    found = read(make.write_zip(tmp_path / "x.zip", files))
    assert found.reasons() == ["broken"]
    assert "post" not in found.absences
