"""A search of a store that is far away: few rounds of requests, however much lies scattered there."""

import hashlib
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archiver.errors import IntegrityError, StoreError
from archiver.formats.age.payload import CHUNK_BYTES
from archiver.search.language import parse_query
from archiver.search.record import find_record
from archiver.search.run import Result, Searcher
from archiver.search.segments import SIDE_BY_SIDE
from archiver.search.sql.statement import Order
from archiver.stores.base import StoredFile
from archiver.vault import Vault
from tests.made_vaults import DAY_MS, Made, VaultMaker, like, moderation, post
from tests.memory_store import MemoryStore

SEGMENTS = 12
POSTS = 4_000


@pytest.fixture(scope="module")
def maker(module_memory_path: Path) -> VaultMaker:
    """Twelve archives of a segment each, of some 25 pages of 64 KiB: every post says "common", every 500th
    "rare"; every 80th was edited in the same segment, and that says "edited"."""
    maker = VaultMaker(module_memory_path / "ahead", is_far=True)
    for number in range(SEGMENTS):
        maker.add(f"2026-{number + 1:02d}-01", _posts(number))
    return maker


@pytest.fixture(scope="module")
def unedited(module_memory_path: Path) -> VaultMaker:
    """Three archives as those, in which nothing was edited: no hit is asked about elsewhere."""
    maker = VaultMaker(module_memory_path / "unedited", is_far=True)
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
    if order == "relevance" and not parse_query(text).has_words:
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


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("from:nobody", "newest"),
        ("from:nobody", "oldest"),
        ("common from:nobody", "relevance"),
        ("kind:quote", "newest"),
        ("common kind:quote", "oldest"),
    ],
)
def test_a_filter_that_nothing_passes_reads_every_row_in_few_rounds(
    maker: VaultMaker, text: str, order: Order
) -> None:
    """Some 25 pages a segment, which were a round each."""
    cost = Cost(maker, text, order)
    assert cost.result.hits == []
    assert cost.rounds <= 2 + 12 * SEGMENTS


def test_of_a_ranked_search_only_the_rows_of_the_best_are_fetched(unedited: VaultMaker) -> None:
    one, few = (Cost(unedited, "common", "relevance", limit) for limit in (1, 50))
    assert few.result == near_result(unedited, "common", "relevance")
    assert one.effort.frames < few.effort.frames
    missing = Cost(unedited, "nothing", "relevance")
    assert missing.effort.requests <= 3 * 3 + 3  # of each two to open it, the forms and the words


def test_segments_that_can_hold_no_version_of_a_hit_are_not_asked(memory_path: Path) -> None:
    """Five years, a month an archive, with edits in each; and segments of other things between them."""
    maker = VaultMaker(memory_path / "vault", is_far=True)
    for number in range(60):
        when = number * 30 * DAY_MS
        edited = Made(post(f"{number}1", "word", when + 1000, record_id=str(number)), 2)
        entries = [moderation(f"m{number}", entered_ms=when)]
        maker.add(f"{1970 + number // 12}-{number % 12 + 1:02d}-28",
                  [post(str(number), f"word{number}", when), edited], [], entries)  # fmt: skip
    assert Cost(maker, "word59").effort.segments == 60  # looked for, newest first, in all
    newest = Cost(maker, "word", limit=1)
    assert [hit.versions for hit in newest.result.hits] == [2]
    assert newest.effort.segments <= 14
    old = Cost(maker, "word until:1972-06", limit=2)
    assert old.result == near_result(maker, "word until:1972-06", limit=2)
    assert old.effort.segments <= 28
    assert near_result(maker, "word5").hits[0].superseded


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


def test_the_first_error_ends_what_was_not_begun_and_leaves_no_thread(maker: VaultMaker) -> None:
    store = FailingStore(maker.far_store(), "/records")
    vault = Vault(store)
    archives = vault.list_archives().require_sound()
    threads = set(threading.enumerate())
    with (
        closing(Searcher(vault, archives, [maker.holder])) as searcher,
        pytest.raises(StoreError, match="the connection was cut"),
    ):
        searcher.search(parse_query("rare"))
    left = [one for one in set(threading.enumerate()) - threads if one.name.startswith("segment")]
    assert left == []


class SlowStore(MemoryStore):
    """Each part of a segment takes four seconds; `begun` are the segments opened so far."""

    def __init__(self, like: MemoryStore) -> None:
        super().__init__(is_near=False, contents=like.contents)
        self.begun: list[str] = []

    def open_random(self, name: str) -> StoredFile:
        self.begun.append(name)
        time.sleep(4)
        return super().open_random(name)


def test_a_search_that_is_interrupted_ends_at_once_and_begins_no_more(memory_path: Path) -> None:
    maker = VaultMaker(memory_path / "vault", is_far=True)
    for number in range(SIDE_BY_SIDE * 2):
        maker.add(f"2026-01-{number % 28 + 1:02d}.{number + 2}", [post(str(number), "word", number)])
    store = SlowStore(maker.far_store())
    vault = Vault(store)
    archives = vault.list_archives().require_sound()
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with closing(Searcher(vault, archives, [maker.holder])) as searcher:
            began = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(KeyboardInterrupt):
                searcher.search(parse_query("word"), order="relevance", limit=0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        ended = time.monotonic()
    assert ended - began < 3
    for thread in threading.enumerate():
        if thread.name.startswith("segment"):
            thread.join(10)
            assert not thread.is_alive()
    assert 1 <= len(store.begun) <= SIDE_BY_SIDE


def test_more_rows_than_are_fetched_in_one_go_are_read_in_order_in_few_rounds(memory_path: Path) -> None:
    maker = VaultMaker(memory_path / "vault", is_far=True)
    maker.add("2026-01-01", [post("0", "word", 0)])
    maker.add("2026-02-01", [post(str(number), "word", number) for number in range(1, 10_100)])
    cost = Cost(maker, "word", limit=0)
    assert [hit.id for hit in cost.result.hits] == [str(number) for number in reversed(range(10_100))]
    assert cost.result == near_result(maker, "word", limit=0)
    assert cost.rounds <= 2 + 2 * 12


def test_likes_whose_order_no_key_tells_are_read_through_in_few_rounds(memory_path: Path) -> None:
    maker = VaultMaker(memory_path / "vault", is_far=True)
    for archive in range(3):
        numbers = range(archive * 2_000, (archive + 1) * 2_000)
        noise = [hashlib.shake_128(b"%d" % number).hexdigest(100) for number in numbers]
        likes = [like(str(n), f"word {text}", n * 7 % 6_000) for n, text in zip(numbers, noise, strict=True)]
        maker.add(f"2026-0{archive + 1}-01", likes)
    cost = Cost(maker, "word kind:like", limit=30)
    assert cost.result == near_result(maker, "word kind:like", limit=30)
    times = [hit.posted_ms for hit in cost.result.hits]
    assert times == list(range(5_999, 5_969, -1))
    assert cost.rounds <= 2 + 3 * 12


def test_a_row_that_cannot_be_read_is_an_error_of_its_archive_also_where_it_is_only_looked_at_ahead(
    maker: VaultMaker,
) -> None:
    """All but the first and the last part of a segment are altered, so that it opens."""
    store = maker.far_store()
    name = "archives/2026-03-01/records-000.sqlite.zst.age"
    data = bytearray(store.contents.files[name])
    for place in range(len(data) - 2 * CHUNK_BYTES, CHUNK_BYTES, -CHUNK_BYTES):
        data[place] ^= 1
    store.contents.files[name] = bytes(data)
    archives = Vault(store).list_archives().require_sound()
    with closing(Searcher(Vault(store), archives, [maker.holder])) as searcher:
        found = searcher.search(parse_query("rare kind:reply"), limit=0).hits
        assert [one.archive for one in searcher.unsearched] == ["2026-03-01"]
    wanted = near_result(maker, "rare kind:reply", limit=0).hits
    assert found == [hit for hit in wanted if hit.archive != "2026-03-01"]


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
    with closing(Searcher(vault, archives, [maker.holder])) as searcher:
        hits = searcher.search(parse_query("rare"), limit=0).hits
        ((archive, error),) = searcher.unsearched
    assert (archive, isinstance(error, IntegrityError)) == ("2026-03-01", True)
    assert error.message.startswith(f"{name}: chunk ")
    wanted = near_result(maker, "rare", limit=0).hits
    assert hits == [hit for hit in wanted if hit.archive != "2026-03-01"]
