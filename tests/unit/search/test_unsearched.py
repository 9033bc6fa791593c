"""Archives that cannot be searched: the others are answered for, and these are named with what is wrong."""

from contextlib import closing
from pathlib import Path

import pytest

from archiver.errors import IntegrityError, NoKeyError
from archiver.formats import age
from archiver.keys import seal_archive_key
from archiver.search.language import parse_query
from archiver.search.run import Searcher
from archiver.search.sql.statement import Order
from archiver.vault import Vault
from tests.made_vaults import VaultMaker, moderation, post
from tests.memory_store import MemoryStore

MONTHS = 5
POSTS = 30
ORDERS: tuple[Order, ...] = ("newest", "oldest", "relevance")


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    maker = VaultMaker(tmp_path / "vault")
    for month in range(MONTHS):
        made = [post(f"{month}-{n}", f"word w{n} " + "more " * n, month * 100 + n) for n in range(POSTS)]
        maker.add(f"2026-0{month + 1}-01", made, [moderation(f"m{month}", text="word", entered_ms=month)])
    return maker


def damage(maker: VaultMaker, month: int, part: float) -> None:
    """One byte of an archive's posts, so far into the file."""
    path = maker.folder / f"archives/2026-0{month}-01/records-000.sqlite.zst.age"
    data = bytearray(path.read_bytes())
    data[int(len(data) * part)] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def store_of(maker: VaultMaker, *, is_far: bool) -> MemoryStore:
    store = maker.far_store()
    return store if is_far else MemoryStore(is_near=True, contents=store.contents)


def opened(maker: VaultMaker, *, is_far: bool = False) -> Searcher:
    vault = Vault(store_of(maker, is_far=is_far))
    return Searcher(vault, vault.list_archives().require_sound(), [maker.holder])


@pytest.mark.parametrize("is_far", [False, True])
@pytest.mark.parametrize("part", [0.5, 0.999])
@pytest.mark.parametrize("order", ORDERS)
def test_a_damaged_archive_is_named_and_the_others_are_answered_for(
    maker: VaultMaker, is_far: bool, part: float, order: Order
) -> None:
    with closing(opened(maker)) as whole:
        every = whole.search(parse_query("word"), order="newest", limit=0).hits
    damage(maker, 3, part)
    with closing(opened(maker, is_far=is_far)) as searcher:
        result = searcher.search(parse_query("word"), order=order, limit=0)
        ((archive, error),) = searcher.unsearched
        assert archive == "2026-03-01"
        assert isinstance(error, IntegrityError)
        assert error.message.startswith("archives/2026-03-01/records-000")
        expected = sorted(hit.id for hit in every if hit.archive != "2026-03-01")
        assert sorted(hit.id for hit in result.hits) == expected
        assert len(expected) == (MONTHS - 1) * POSTS
        assert not result.more
        searcher.search(parse_query("w1"), limit=0)
        assert len(searcher.unsearched) == 1


@pytest.mark.parametrize("is_far", [False, True])
def test_several_archives_without_what_is_needed_are_each_named_once(maker: VaultMaker, is_far: bool) -> None:
    damage(maker, 1, 0.5)
    damage(maker, 4, 0.999)
    (maker.folder / "archives/2026-02-01/records-000.sqlite.zst.age").unlink()
    with closing(opened(maker, is_far=is_far)) as searcher:
        hits = searcher.search(parse_query("word"), limit=0).hits
        assert {hit.archive for hit in hits} == {"2026-03-01", "2026-05-01"}
        assert sorted(one.archive for one in searcher.unsearched) == [
            "2026-01-01",
            "2026-02-01",
            "2026-04-01",
        ]
        moderated = searcher.search(parse_query("kind:moderation word"), limit=0).hits
        assert {hit.archive for hit in moderated} == {"2026-03-01", "2026-05-01"}
        assert searcher.count(parse_query("word")) == 2 * POSTS
        assert len(searcher.unsearched) == 3


@pytest.mark.parametrize("is_far", [False, True])
def test_an_archive_whose_key_nobody_here_has_is_named(maker: VaultMaker, is_far: bool) -> None:
    stranger = age.X25519Identity.generate()
    mine, maker.holder = maker.holder, stranger
    maker.add("2026-06-01", [post("x", "word", 900)])
    maker.holder = mine
    with closing(opened(maker, is_far=is_far)) as searcher:
        hits = searcher.search(parse_query("word"), limit=0).hits
        ((archive, error),) = searcher.unsearched
    assert (archive, isinstance(error, NoKeyError)) == ("2026-06-01", True)
    assert len(hits) == MONTHS * POSTS


@pytest.mark.parametrize("is_far", [False, True])
@pytest.mark.parametrize("order", ORDERS)
def test_where_no_archive_can_be_searched_the_search_fails(
    maker: VaultMaker, is_far: bool, order: Order
) -> None:
    for month in range(MONTHS):
        damage(maker, month + 1, 0.999)
    with closing(opened(maker, is_far=is_far)) as searcher:
        with pytest.raises(IntegrityError, match=r"^archives/2026-0\d-01/records-000"):
            searcher.search(parse_query("word"), order=order)
        assert len(searcher.unsearched) == MONTHS


def test_what_the_others_were_read_for_is_not_read_again(maker: VaultMaker) -> None:
    """Each archive that fails begins the search anew: of the sound ones everything is at hand by then."""
    for month in (1, 2, 3):
        damage(maker, month, 0.5)
    with closing(opened(maker, is_far=True)) as searcher:
        searcher.search(parse_query("word"), limit=0)
        store = searcher.segments._vault.store
        assert isinstance(store, MemoryStore)
        rounds = store.rounds
    damage(maker, 1, 0.5)
    damage(maker, 2, 0.5)
    damage(maker, 3, 0.5)
    with closing(opened(maker, is_far=True)) as searcher:
        searcher.search(parse_query("word"), limit=0)
        assert searcher.unsearched == []
        store = searcher.segments._vault.store
        assert isinstance(store, MemoryStore)
        assert rounds <= 3 * store.rounds


def test_an_archive_without_its_key_is_named_also_where_the_catalogue_says_that_it_has_no_such_word(
    maker: VaultMaker,
) -> None:
    catalogue = maker.catalogue()
    (maker.folder / "archives/2026-02-01/key.age").unlink()
    with closing(maker.searcher(catalogue=catalogue)) as searcher:
        assert not searcher.search(parse_query("nowhere")).hits
        assert [one.archive for one in searcher.unsearched] == ["2026-02-01"]
        assert searcher.count(parse_query("word")) == (MONTHS - 1) * POSTS


def test_a_keyholder_who_was_removed_learns_nothing_from_the_catalogue(maker: VaultMaker) -> None:
    catalogue = maker.catalogue()
    other = age.X25519Identity.generate()
    for archive in maker.vault().list_archives().require_sound():
        identity = maker.vault().open_key(archive, [maker.holder])
        path = maker.folder / f"archives/{archive.name}/key.age"
        path.chmod(0o644)
        path.write_bytes(seal_archive_key(identity, [other.recipient()]))
    with closing(maker.searcher(catalogue=catalogue)) as searcher:
        for query in ("wrod", "nowhere", "word"):
            with pytest.raises(NoKeyError):
                searcher.search(parse_query(query))
        assert not searcher.suggest(parse_query("wrod"))
        assert len(searcher.unsearched) == MONTHS


def test_only_forms_of_words_that_were_searched_are_looked_for(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path)
    maker.add("2026-01-01", [post("1", "flood flooding")])
    maker.add("2026-02-01", [post("2", "floods \U0001f914flooded")])
    catalogue = maker.catalogue()
    vault = maker.vault()
    first, _ = vault.list_archives().require_sound()
    with closing(Searcher(vault, [first], [maker.holder], catalogue=catalogue)) as searcher:
        assert [hit.id for hit in searcher.search(parse_query("flood")).hits] == ["1"]
        assert searcher.looked_for().words == {"flood": ("flooding",)}


def test_what_is_catalogued_is_opened_without_any_archives_key_being_unwrapped(maker: VaultMaker) -> None:
    vault = maker.vault()
    archives = vault.list_archives().require_sound()
    with closing(Searcher(vault, archives, [], catalogue=maker.catalogue())) as searcher:
        assert len(searcher.search(parse_query("word"), limit=0).hits) == MONTHS * POSTS
    with closing(Searcher(vault, archives, [])) as searcher, pytest.raises(NoKeyError):
        searcher.search(parse_query("word"))
