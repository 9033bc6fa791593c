"""What is kept and not shown, also where an edit of a post has another id and lies in another archive."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from archiver.records import Gone
from archiver.search.record import find_record
from archiver.search.restricted import Restricted
from archiver.search.run import Searcher
from tests.made_vaults import ACCOUNT, Made, VaultMaker, message, moderation, post

FIRST, EDIT, OTHER = "101", "102", "103"


@pytest.fixture(params=["near", "far"])
def maker(tmp_path: Path, request: pytest.FixtureRequest) -> VaultMaker:
    """A post, its edit, that the edit is gone, and decisions: each in an archive of its own."""
    maker = VaultMaker(tmp_path / "vault", is_far=request.param == "far")
    maker.add("2026-01-01", [moderation("m1", item_id=EDIT), moderation("m2", item_id=OTHER), _gone(EDIT)])
    maker.add("2026-02-01", [post(FIRST, "first words", 1), post(OTHER, "other words", 2)])
    maker.add("2026-03-01", [Made(post(EDIT, "later words", 1, record_id=FIRST), 2), message("104", "a", 3)])
    maker.add("2026-04-01", [_gone(EDIT), _gone(OTHER)])
    return maker


def _gone(own: str) -> Gone:
    return Gone(platform="x", platform_id=own, account=ACCOUNT, kind="post", noticed_ms=9, how="absent")


def searcher_of(maker: VaultMaker, names: Iterable[tuple[str, str, str]]) -> Searcher:
    vault = maker.vault()
    return Searcher(vault, vault.list_archives().require_sound(), [maker.holder], restricted=names)


def decisions(searcher: Searcher) -> list[str]:
    return [one.record.id for one in searcher.moderation()]


def test_a_decision_about_an_edit_is_hidden_with_the_post(maker: VaultMaker) -> None:
    with closing(searcher_of(maker, [("x", "post", FIRST)])) as searcher:
        assert decisions(searcher) == ["m2"]
        assert searcher.hidden_moderation == 1
    with closing(searcher_of(maker, [])) as searcher:
        assert decisions(searcher) == ["m1", "m2"]


def test_notices_that_an_edit_is_gone_are_hidden_with_the_post(maker: VaultMaker) -> None:
    with closing(searcher_of(maker, [("x", "post", FIRST)])) as searcher:
        list(searcher.readers())  # opened before more ids are known
        for own in (FIRST, EDIT):
            found = find_record(searcher, own)
            assert (found.versions, found.gone) == ([], [])
        assert len(find_record(searcher, OTHER).gone) == 1
    with closing(searcher_of(maker, [])) as searcher:
        assert len(find_record(searcher, EDIT).gone) == 2


def test_an_archive_that_is_not_searched_tells_the_ids_all_the_same(maker: VaultMaker) -> None:
    vault = maker.vault()
    archives = vault.list_archives().require_sound()
    names = [("x", "post", FIRST)]
    with closing(
        Searcher(vault, archives[:1], [maker.holder], restricted=names, known_from=archives)
    ) as searcher:
        assert decisions(searcher) == ["m2"]


def test_an_archive_that_cannot_be_read_is_passed_over(maker: VaultMaker) -> None:
    path = maker.folder / "archives" / "2026-02-01" / "records-000.sqlite.zst.age"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    with closing(searcher_of(maker, [("x", "post", FIRST)])) as searcher:
        assert decisions(searcher) == ["m2"]


def test_segments_with_posts_are_opened_only_where_a_post_is_restricted(maker: VaultMaker) -> None:
    for names, opened in (
        ([], 1),
        ([("x", "message", "104"), ("x", "moderation", "m2")], 1),
        ([("x", "post", "104")], 3),
    ):
        with closing(searcher_of(maker, names)) as searcher:
            searcher.moderation()
            assert searcher.effort().segments == opened


def test_looking_for_the_rows_reads_no_table_through(maker: VaultMaker) -> None:
    restricted = Restricted([("x", "post", FIRST), ("x", "message", "104")])
    asked: dict[str, None] = {}
    with closing(searcher_of(maker, [])) as searcher:
        for _, reader, file in searcher.readers():
            reader.connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: asked.setdefault(event["sql"]))
            restricted.hide(reader.connection, file.records)
            restricted.other_names(reader.connection)
            reader.connection.trace_v2(0, None)
        wanted = [sql for sql in asked if sql.startswith("SELECT") and "main." in sql]
        assert len(wanted) == 4
        for sql in wanted:
            values = ("x", "[]", "post")[: 3 if "?3" in sql else 2]
            plan = [step for *_, step in reader.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            assert [step for step in plan if step.startswith("SCAN") and "json_each" not in step] == []
