"""A search of a store that is far away: few rounds of requests, however much lies scattered there."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archiver.errors import IntegrityError, StoreError
from archiver.search.query import parse_query
from archiver.search.record import find_record
from archiver.search.run import Result, Searcher
from archiver.search.statement import Order
from archiver.stores.base import StoredFile
from archiver.vault import Vault
from tests.made_vaults import DAY_MS, Made, VaultMaker, post
from tests.memory_store import MemoryStore

SEGMENTS = 12
POSTS = 4_000


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    """Twelve archives of a segment each, of some 25 pages of 64 KiB: every post says "common", every 500th
    "rare"; every 80th was edited in the same segment, and that says "edited"."""
    maker = VaultMaker(tmp_path_factory.mktemp("ahead") / "vault", is_far=True)
    for number in range(SEGMENTS):
        maker.add(f"2026-{number + 1:02d}-01", _posts(number))
    return maker


@pytest.fixture(scope="module")
def unedited(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    """Three archives as those, in which nothing was edited: no hit is asked about elsewhere."""
    maker = VaultMaker(tmp_path_factory.mktemp("unedited") / "vault", is_far=True)
    for number in range(3):
        maker.add(f"2026-{number + 1:02d}-01", [one for one in _posts(number) if one.version == 1])
    return maker


def _posts(segment: int) -> list[Made]:
    made = []
    for number in range(POSTS):
        key, day = str(segment * POSTS + number), (segment * POSTS + number) * DAY_MS // 1000
        words = hashlib.shake_128(key.encode()).hexdigest(100)  # what does not compress
        rare = " rare" if number % 500 == 0 else ""
        kind = "reply" if number % 100 == 0 else "post"
        made.append(Made(post(key, f"common {words}{rare}", day, kind=kind)))
        if number % 80 == 0:
            edited = post(f"{key}0000", f"edited {words}", day + 1, kind=kind, record_id=key)
            made.append(Made(edited, 2))
    return made


class Cost:
    """What one search of a vault just opened cost, and what it gave."""

    def __init__(self, maker: VaultMaker, text: str, order: Order = "newest", limit: int = 50) -> None:
        store = maker.far_store()
        vault = Vault(store)
        archives = vault.list_archives().require_sound()
        with closing(Searcher(vault, archives, [maker.holder])) as searcher:
            self.result: Result = searcher.search(parse_query(text), order=order, limit=limit)
            self.effort = searcher.effort()
        self.requests, self.rounds, self.bytes = store.requests, store.rounds, store.bytes_read


def near_result(maker: VaultMaker, text: str, order: Order = "newest", limit: int = 50) -> Result:
    vault = Vault(maker.store)
    archives = vault.list_archives().require_sound()
    with closing(Searcher(vault, archives, [maker.holder])) as searcher:
        return searcher.search(parse_query(text), order=order, limit=limit)


@pytest.mark.parametrize("order", ["newest", "oldest", "relevance"])
@pytest.mark.parametrize(
    "text",
    ["common", "rare", "edited", "rare kind:reply", "common kind:reply", "kind:reply", "-rare", "nothing",
     "common until:1970-03-01", "rare OR edited", "comm*"],
)  # fmt: skip
def test_what_is_found_far_away_is_what_is_found_near(maker: VaultMaker, text: str, order: Order) -> None:
    if order == "relevance" and not parse_query(text).groups:
        order = "oldest"
    found = Cost(maker, text, order).result
    assert found == near_result(maker, text, order)
    assert bool(found.hits) == (text != "nothing")


def test_rows_that_lie_scattered_over_all_segments_take_no_more_rounds_than_those_of_one(
    maker: VaultMaker,
) -> None:
    """MemoryStore counts a round for each wait of each segment, and segments wait side by side: a round each
    for opening, the words, the rows, and whatever of those took a second look."""
    rare = Cost(maker, "rare", limit=90)
    assert len(rare.result.hits) == 90
    assert rare.effort.segments == SEGMENTS
    assert rare.rounds <= 2 + 5 * SEGMENTS
    assert rare.requests <= 2 + 3 * SEGMENTS + 5 * SEGMENTS + 96


def test_a_word_that_the_newest_segment_has_enough_of_opens_no_other(unedited: VaultMaker) -> None:
    common = Cost(unedited, "common kind:post")
    assert common.effort.segments == 1
    assert common.rounds <= 7
    assert common.effort.requests <= 8


def test_the_oldest_are_looked_for_at_the_other_end(unedited: VaultMaker) -> None:
    assert Cost(unedited, "common kind:post", "oldest").effort.segments == 1


def test_one_record_is_shown_whole_from_far_away_in_rounds_that_do_not_grow_with_the_vault(
    maker: VaultMaker,
) -> None:
    store = maker.far_store()
    vault = Vault(store)
    archives = vault.list_archives().require_sound()
    with closing(Searcher(vault, archives, [maker.holder])) as far:
        record = find_record(far, "8000")
    near = Vault(maker.store)
    with closing(Searcher(near, archives, [maker.holder])) as searcher:
        assert record == find_record(searcher, "8000")
    assert [one.fields["platform_id"] for one in record.versions] == ["8000", "80000000"]
    assert store.rounds <= 2 + 5 * SEGMENTS + 12


def test_a_second_search_of_what_is_at_hand_asks_nothing(maker: VaultMaker) -> None:
    store = maker.far_store()
    vault = Vault(store)
    archives = vault.list_archives().require_sound()
    with closing(Searcher(vault, archives, [maker.holder])) as searcher:
        first = searcher.search(parse_query("rare"), limit=20)
        store.forget_counts()
        assert searcher.search(parse_query("rare"), limit=20) == first
        assert (store.requests, store.rounds) == (0, 0)


def test_opening_a_vault_takes_two_rounds_however_many_archives_it_has(maker: VaultMaker) -> None:
    store = maker.far_store()
    archives = Vault(store).list_archives().require_sound()
    assert len(archives) == SEGMENTS
    assert store.rounds == 2


def test_a_vault_that_is_listed_again_is_read_again(maker: VaultMaker, tmp_path: Path) -> None:
    grown = VaultMaker(tmp_path / "vault")
    grown.add("2026-01-01", [post("1", "word")])
    store = grown.far_store()
    vault = Vault(store)
    assert len(vault.list_archives().require_sound()) == 1
    grown.add("2026-02-01", [post("2", "word")])
    for name in grown.store.list("archives/2026-02-01"):
        store.put_new(name, grown.store.read(name, 1 << 20))
    assert len(vault.list_archives().require_sound()) == 2


class FailingStore(MemoryStore):
    """A store far away that breaks off in the segments named."""

    def __init__(self, like: MemoryStore, broken: str) -> None:
        super().__init__(is_near=False, contents=like.contents)
        self._broken = broken

    def open_random(self, name: str) -> StoredFile:
        if self._broken in name:
            raise StoreError(f"{name}: the connection was cut", "try again")
        return super().open_random(name)


def test_a_store_that_breaks_off_in_one_of_many_segments_ends_the_search(unedited: VaultMaker) -> None:
    maker = unedited
    store = FailingStore(maker.far_store(), "2026-02-01/records")
    vault = Vault(store)
    archives = vault.list_archives().require_sound()
    with closing(Searcher(vault, archives, [maker.holder])) as searcher:
        with pytest.raises(StoreError, match="2026-02-01/records-000"):
            searcher.search(parse_query("rare"), limit=0)
        assert len(searcher.search(parse_query("common kind:post")).hits) == 50  # it is not needed for these


@pytest.mark.parametrize("place", [lambda size: 5_000, lambda size: size - 100])
def test_altered_bytes_are_named_whichever_of_the_segments_asked_together_has_them(
    maker: VaultMaker, place: Callable[[int], int]
) -> None:
    store = maker.far_store()
    name = "archives/2026-03-01/records-000.sqlite.zst.age"
    data = bytearray(store.contents.files[name])
    data[place(len(data))] ^= 1
    store.contents.files[name] = bytes(data)
    vault = Vault(store)
    archives = vault.list_archives().require_sound()
    with (
        closing(Searcher(vault, archives, [maker.holder])) as searcher,
        pytest.raises(IntegrityError, match=f"^{name}: chunk "),
    ):
        searcher.search(parse_query("common"), limit=0)
