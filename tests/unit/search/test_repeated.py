"""Rows that may not be the only ones of their records: versions and their first ones, repeats, twins."""

from contextlib import closing
from pathlib import Path

import pytest

from archiver.search.repeated import Repeated
from archiver.search.revised import TABLES, Revised
from tests.made_vaults import DAY_MS, Made, VaultMaker, like, message, post


@pytest.fixture(params=["near", "far"])
def maker(memory_path: Path, request: pytest.FixtureRequest) -> VaultMaker:
    return VaultMaker(memory_path / "vault", is_far=request.param == "far")


def repeated(maker: VaultMaker) -> set[tuple[str, str]]:
    """Archive and id of each such row."""
    with closing(maker.searcher()) as searcher:
        found = Repeated(Revised(searcher.segments))
        return {
            (segment.archive.name, own)
            for segment in searcher.segments.all
            for table in TABLES
            if segment.file.records.get(table)
            for key, own in searcher.segments.rows(segment, f"SELECT key, platform_id FROM {table}", ())  # noqa: S608
            if key in found.keys(segment, table)
        }


def test_a_vault_where_each_record_has_one_row_has_none(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "a", 1), message("2", "a", 5), like("3", "a", 1)])
    maker.add("2026-02-01", [post("4", "a", 2), message("5", "a", 3), like("6", "a", 1)])
    assert repeated(maker) == set()


def test_versions_are_found_with_the_first_one_that_does_not_know_of_them(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "a", 1), post("2", "a", 2), message("3", "a", 3), post("9", "a", 4)])
    edited = post("11", "b", 300 * DAY_MS, record_id="1")
    maker.add("2026-02-01", [Made(edited, 2), Made(message("3", "b", 3), 2)])
    maker.add("2026-03-01", [Made(post("2", "a", 2), 1, again=True)])
    assert repeated(maker) == {
        ("2026-01-01", "1"), ("2026-02-01", "11"), ("2026-01-01", "2"), ("2026-03-01", "2"),
        ("2026-01-01", "3"), ("2026-02-01", "3"),
    }  # fmt: skip


@pytest.mark.parametrize("own", ["7", 'a"b', "a\nb\\", "ä', '🚓", "https://a.example/@b/1"])
def test_the_same_id_in_two_archives_is_found_whatever_it_is_written_with(
    maker: VaultMaker, own: str
) -> None:
    others = [[post(f"{archive}{number}", "a", number) for number in range(20)] for archive in "abc"]
    maker.add("2026-01-01", [*others[0], post(own, "a", 9)], [message(own, "a", 3), like(own, "a")])
    maker.add("2026-02-01", [message("m", "a", 1), like(own, "a")], [*others[1], post(own, "a", 9)])
    maker.add("2026-03-01", [*others[2], message(own, "a", 3)])
    with closing(maker.searcher()) as searcher:
        found = Repeated(Revised(searcher.segments))
        keys = [
            (segment.archive.name, table, len(found.keys(segment, table)))
            for segment in searcher.segments.all
            for table in TABLES
            if found.keys(segment, table)
        ]
    assert keys == [
        ("2026-01-01", "post", 1), ("2026-01-01", "message", 1), ("2026-01-01", "relation", 1),
        ("2026-02-01", "relation", 1), ("2026-02-01", "post", 1), ("2026-03-01", "message", 1),
    ]  # fmt: skip


def test_archives_of_other_times_are_not_compared_nor_segments_of_one_archive(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "a", 1), post("2", "a", 5)], [post("1", "a", 1), post("3", "a", 5)])
    maker.add("2026-02-01", [post("4", "a", 6), post("2", "a", 9)])
    assert repeated(maker) == set()  # a record keeps its time, so these are none of the same


def test_of_an_archive_of_everything_only_what_others_have_too_is_found(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post(str(number), "a", number) for number in range(300)])
    for month in range(3):
        first = month * 100
        new = [post(f"n{number}", "a", number) for number in range(first, first + 50)]
        maker.add(f"2026-0{month + 2}-01", new, [post(str(first + 70), "a", first + 70)])
    twins = {("2026-01-01", str(own)) for own in (70, 170, 270)}
    assert repeated(maker) == twins | {
        ("2026-02-01", "70"), ("2026-03-01", "170"), ("2026-04-01", "270"),
    }  # fmt: skip
