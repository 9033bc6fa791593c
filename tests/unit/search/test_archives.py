"""In which archives a query finds anything: what holds by query go by."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.search.language import parse_query
from archiver.search.run import Searcher
from archiver.stores.local import LocalStore
from archiver.vault import Vault
from tests.made_vaults import DAY_MS, Made, VaultMaker, like, message, moderation, post

NAMES = ("2026-01-01", "2026-02-01", "2026-03-01")


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    """A post that was changed, the same post once more by another way, a message, a like, a decision."""
    maker = VaultMaker(tmp_path_factory.mktemp("made") / "vault")
    first = post("1", "the parade is on", DAY_MS)
    maker.add(NAMES[0], [first, message("2", "where is it?", DAY_MS)], [post("3", "flood", 2 * DAY_MS)])
    changed = post("1", "the parade is off", DAY_MS)
    maker.add(NAMES[1], [Made(changed, 2), like("9", "a cake", 40 * DAY_MS)])
    maker.add(NAMES[2], [Made(first, again=True), moderation("m1", text="a cake", item_id="7")])
    return maker


@pytest.fixture
def searcher(maker: VaultMaker) -> Iterator[Searcher]:
    searcher = maker.searcher()
    yield searcher
    searcher.close()


def found(searcher: Searcher, query: str) -> list[str]:
    return sorted(searcher.archives_with(parse_query(query)))


def test_every_archive_that_has_a_version_counts_also_one_that_another_has_too(searcher: Searcher) -> None:
    shown = searcher.search(parse_query("parade"), limit=0).hits
    assert len(shown) == 1, "a search shows a record once"
    assert found(searcher, "parade") == [*NAMES]
    assert found(searcher, "parade off") == [NAMES[1]]
    assert found(searcher, "parade on") == [NAMES[0], NAMES[2]]


@pytest.mark.parametrize(
    ("query", "archives"),
    [
        ("nothing-at-all", []),
        ("flood", NAMES[:1]),
        ("where", NAMES[:1]),
        ("kind:message", NAMES[:1]),
        ("kind:like", NAMES[1:2]),
        ("kind:moderation", NAMES[2:]),
        ("kind:moderation cake", NAMES[2:]),
        ("until:1970-01-02", NAMES),
        ("account:1001", NAMES),
        ("-parade kind:post", NAMES[:1]),
    ],
)
def test_all_that_a_search_takes_is_taken(searcher: Searcher, query: str, archives: tuple[str, ...]) -> None:
    assert found(searcher, query) == [*archives]


def test_a_damaged_archive_is_named_and_the_others_are_told(maker: VaultMaker, tmp_path: Path) -> None:
    folder = shutil.copytree(maker.folder, tmp_path / "vault")
    segment = folder / "archives" / NAMES[1] / "records-000.sqlite.zst.age"
    data = bytearray(segment.read_bytes())
    for place in range(200, len(data), 50):
        data[place] ^= 1
    segment.chmod(0o644)
    segment.write_bytes(data)
    vault = Vault(LocalStore(folder))
    searcher = Searcher(vault, vault.list_archives().require_sound(), [maker.holder])
    assert found(searcher, "parade") == [NAMES[0], NAMES[2]]
    assert [one.archive for one in searcher.unsearched] == [NAMES[1]]
    searcher.close()
