"""Words right beside emoji that the indexes of schema 1 to 3 took for letters."""

from pathlib import Path

import pytest

from archiver.archive.build import SegmentBuilder
from archiver.keys import archive_key_name, new_identity, seal_archive_key
from archiver.search.language import parse_query
from tests.made_vaults import NOWHERE, Made, VaultMaker, _fill, post

OLD_INDEX = (
    'CREATE VIRTUAL TABLE post_fts USING fts4 (content="post", text, alt_text,'
    ' tokenize=unicode61 "remove_diacritics=2", order=desc)'
)
TEXTS = {
    "1": "Flood\U0001f914 warning",
    "2": "Warning: floods\U0001f914\U0001f914",
    "3": "flood",
    "4": "\U0001f914flood",
    "5": "Road closed\U0001f914",
    "6": "floodlight",
}


def old_vault(folder: Path, *, is_far: bool = False) -> VaultMaker:
    """A vault of one archive whose index is as versions before made it."""
    maker = VaultMaker(folder, is_far=is_far)
    identity = new_identity(classic=True)
    builder = SegmentBuilder(lambda account, name: NOWHERE, language="english")
    builder.connection.execute("DROP TABLE post_fts")
    builder.connection.execute(OLD_INDEX)
    _fill(builder, [Made(post(own, text, int(own))) for own, text in TEXTS.items()], 0)
    file = maker.seal_segment("2020-01-01", "records-000.sqlite.zst.age", builder, identity)
    builder.close()
    key = seal_archive_key(identity, [maker.holder.recipient()])
    maker.store.put_new(archive_key_name("2020-01-01"), key)
    maker.sign("2020-01-01", maker.manifest("2020-01-01", [file], identity))
    return maker


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("flood", "1234"),
        ('"flood"', "134"),
        ("flood warning", "12"),
        ('"road closed"', "5"),
        ('"flood warning"', "1"),
        ("flood -warning", "34"),
        ("warning NEAR/2 flood", "12"),
        ("*flood*", "12346"),
    ],
)
def test_an_old_archive_finds_words_right_beside_them(tmp_path: Path, query: str, found: str) -> None:
    searcher = old_vault(tmp_path).searcher()
    assert "".join(sorted(hit.id for hit in searcher.search(parse_query(query)).hits)) == found
    assert searcher.count(parse_query(query)) == len(found)
    searcher.close()


def test_far_away_an_old_archive_finds_the_word_itself_where_they_follow(tmp_path: Path) -> None:
    searcher = old_vault(tmp_path, is_far=True).searcher()
    for query, found in (("flood", "13"), ('"flood"', "13"), ('"road closed"', "5")):
        assert "".join(sorted(hit.id for hit in searcher.search(parse_query(query)).hits)) == found
    searcher.close()


def test_a_new_archive_finds_words_right_beside_them_by_its_index(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path)
    maker.add("2026-01-01", [post(own, text, int(own)) for own, text in TEXTS.items()])
    searcher = maker.searcher()
    assert {hit.id for hit in searcher.search(parse_query('"flood"')).hits} == set("134")
    assert {hit.id for hit in searcher.search(parse_query("flood")).hits} == set("1234")
    assert searcher.looked_for().words == {"flood": ("floods",)}
    searcher.close()
