"""What another segment says of a record: that it is gone, edited, only repeated, moderated."""

from contextlib import closing
from pathlib import Path

import pytest

from archiver.records import Gone
from archiver.search.language import parse_query
from archiver.search.run import Searcher
from tests.made_vaults import ACCOUNT, OTHER_ACCOUNT, Made, VaultMaker, like, message, moderation, post


@pytest.fixture(params=["near", "far"])
def maker(tmp_path: Path, request: pytest.FixtureRequest) -> VaultMaker:
    return VaultMaker(tmp_path / "vault", is_far=request.param == "far")


def gone(platform_id: str, noticed_ms: int, kind: str = "post", account: str = ACCOUNT) -> Gone:
    return Gone(platform="x", platform_id=platform_id, account=account, kind=kind, noticed_ms=noticed_ms,
                how="absent")  # fmt: skip


def found(maker: VaultMaker, text: str) -> list[str]:
    with closing(maker.searcher()) as searcher:
        return [hit.id for hit in searcher.search(parse_query(text)).hits]


def test_what_was_found_missing_is_deleted_until_it_is_seen_again(maker: VaultMaker) -> None:
    maker.add(
        "2026-01-01", [post("1", "word", 1), post("2", "word", 2), message("3", "word", 3)], fetched_ms=5
    )
    assert found(maker, "is:deleted") == []
    maker.add("2026-02-01", [gone("1", 10), gone("3", 10, "message"), gone("2", 10, account=OTHER_ACCOUNT)],
              fetched_ms=10)  # fmt: skip
    assert found(maker, "is:deleted") == ["3", "1"]
    assert found(maker, "word -is:deleted") == ["2"]
    maker.add("2026-03-01", [Made(post("1", "word", 1), 2)], fetched_ms=20)
    assert found(maker, "is:deleted") == ["3"]
    maker.add("2026-04-01", [gone("1", 30)], fetched_ms=30)
    assert found(maker, "is:deleted") == ["3", "1"]


def test_a_hit_is_deleted_exactly_where_the_answer_shows_it_as_gone(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post(str(n), "word", n) for n in range(6)], [like("9", "word", 9)], fetched_ms=5)
    maker.add(
        "2026-02-01", [gone("1", 10), gone("2", 10), gone("9", 10, "like"), gone("8", 10)], fetched_ms=10
    )
    maker.add("2026-03-01", [Made(post("2", "word again", 2), 2)], fetched_ms=20)
    with closing(maker.searcher()) as searcher:
        every = searcher.search(parse_query("word (kind:post OR kind:like)"), limit=0).hits
        asked = searcher.search(parse_query("is:deleted (kind:post OR kind:like)"), limit=0).hits
    assert [hit.id for hit in asked] == [hit.id for hit in every if hit.gone] == ["9", "1"]


def test_edited_is_what_has_several_versions_and_not_what_was_taken_twice(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "word", 1), post("2", "word", 2), post("3", "word", 3),
                             post("4", "word", 4, edit_ids=("4", "44")),
                             message("5", "word", 5)])  # fmt: skip
    maker.add("2026-02-01", [Made(post("1", "word changed", 1), 2), Made(post("2", "word", 2), 2, again=True),
                             Made(post("33", "word edited", 9, record_id="3"), 2)])  # fmt: skip
    assert found(maker, "is:edited") == ["33", "4", "1"]
    assert found(maker, "word -is:edited") == ["5", "2"]
    with closing(maker.searcher()) as searcher:
        hits = searcher.search(parse_query("is:edited"), versions=True).hits
    assert [(hit.id, hit.version) for hit in hits] == [("33", 2), ("4", 1), ("3", 1), ("1", 1), ("1", 2)]


def test_moderated_is_what_an_entry_is_about_wherever_it_lies(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "word", 1), post("2", "word", 2), message("3", "word", 3)])
    assert found(maker, "is:moderated") == []
    maker.add("2026-02-01", [moderation("m1", item_id="1"), moderation("m2")])
    assert found(maker, "is:moderated") == ["1"]
    archives = maker.vault().list_archives().require_sound()
    with closing(
        Searcher(maker.vault(), archives, [maker.holder], spooled=[moderation("m3", item_id="3")])
    ) as searcher:
        assert [hit.id for hit in searcher.search(parse_query("is:moderated")).hits] == ["3", "1"]


def test_every_version_of_what_was_moderated_is(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "word", 1), post("2", "word", 2), post("3", "word", 3)])
    edited = [Made(post(own * 2, "word edited", 1, record_id=own), 2) for own in "12"]
    maker.add("2026-02-01", [*edited, moderation("m1", item_id="11")])
    with closing(maker.searcher()) as searcher:
        hits = searcher.search(parse_query("is:moderated"), versions=True).hits
    assert sorted(hit.id for hit in hits) == ["1", "11"]
