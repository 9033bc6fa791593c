"""What a search of a real bucket asks of it, counted on the line: bounds that hold whatever the words are."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from archiver.search.hit import Effort
from archiver.search.language import parse_query
from archiver.search.run import Result, Searcher
from archiver.search.sql.statement import Order
from archiver.stores.cache import StoreCache
from archiver.stores.s3 import S3Options, S3Store
from archiver.times import system_clock
from archiver.vault import Vault
from tests.made_vaults import DAY_MS, Made, VaultMaker, post
from tests.seaweed import Seaweed, seaweed
from tests.tcp_proxy import TcpProxy, rounds

__all__ = ["seaweed"]
ARCHIVES = 7
SEGMENTS = 2 * ARCHIVES
POSTS = 800
DELAY_SECONDS = 0.05
"""Before each answer: what goes out together is then seen to be under way together."""


def _segment(number: int) -> list[Made]:
    """Of a megabyte, several times what opening one fetches. `common` is in every eighth post, `rare` in two
    that lie apart."""
    made = []
    for index in range(POSTS):
        key = number * POSTS + index
        noise = hashlib.shake_128(b"%d" % key).hexdigest(600)
        words = "common " * (index % 8 == 0) + "rare " * (index in (250, 550))
        made.append(Made(post(str(key), f"{words}{noise}", key * DAY_MS // 100)))
    return made


@pytest.fixture(scope="module")
def maker(module_memory_path: Path) -> VaultMaker:
    maker = VaultMaker(module_memory_path / "vault")
    for number in range(ARCHIVES):
        maker.add(f"2026-{number + 1:02d}-01", _segment(2 * number), _segment(2 * number + 1))
    return maker


@pytest.fixture(scope="module")
def bucket(maker: VaultMaker, seaweed: Seaweed) -> str:
    """The vault, put there by boto3 alone."""
    name = seaweed.make_bucket("versioned")
    client = seaweed.client()

    def put(path: Path) -> None:
        client.put_object(Bucket=name, Key=str(path.relative_to(maker.folder)), Body=path.read_bytes())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, (path for path in maker.folder.rglob("*") if path.is_file())))
    return name


@pytest.fixture
def proxy(seaweed: Seaweed) -> Iterator[TcpProxy]:
    with TcpProxy(("127.0.0.1", seaweed.port), answer_delay_seconds=DELAY_SECONDS) as proxy:
        yield proxy


@pytest.fixture
def options(seaweed: Seaweed, bucket: str, proxy: TcpProxy) -> S3Options:
    return seaweed.options(bucket, endpoint=proxy.endpoint)


def ask(
    maker: VaultMaker, store: S3Store, text: str, order: Order = "newest", limit: int = 50
) -> tuple[Result, Effort]:
    """As a process of its own would: open the vault, list it, search it."""
    vault = Vault(store)
    archives = vault.list_archives().require_sound()
    with closing(Searcher(vault, archives, [maker.holder])) as searcher:
        return searcher.search(parse_query(text), order=order, limit=limit), searcher.effort()


def near(maker: VaultMaker, text: str, order: Order = "newest", limit: int = 50) -> Result:
    with closing(maker.searcher()) as searcher:
        return searcher.search(parse_query(text), order=order, limit=limit)


def test_segments_are_larger_than_what_opening_them_fetches(maker: VaultMaker) -> None:
    sizes = [path.stat().st_size for path in maker.folder.rglob("records-*")]
    assert len(sizes) == SEGMENTS
    assert min(sizes) > 1_000_000


@pytest.mark.parametrize(
    ("text", "order", "most_rounds", "most_requests", "segments"),
    [
        ("common", "newest", 7, 35, 1),
        ("rare", "newest", 12, 90 + SEGMENTS, SEGMENTS),
        ("absent", "newest", 12, 75 + SEGMENTS, SEGMENTS),
        ("rare", "relevance", 9, 90 + SEGMENTS, SEGMENTS),
    ],
)
def test_with_nothing_at_hand_a_search_takes_few_rounds_and_bounded_requests(
    maker: VaultMaker,
    options: S3Options,
    proxy: TcpProxy,
    text: str,
    order: Order,
    most_rounds: int,
    most_requests: int,
    segments: int,
) -> None:
    """Where the machine is busy, what was asked together may go out apart, and counts as more: then with
    answers that take longer than such a wait."""
    for proxy.answer_delay_seconds in (DELAY_SECONDS, 4 * DELAY_SECONDS, 16 * DELAY_SECONDS):
        proxy.log.clear()
        result, effort = ask(maker, S3Store(options), text, order)
        assert result == near(maker, text, order)
        assert effort.segments == segments
        assert rounds(proxy.log) >= 3
        assert segments < len(proxy.log) <= most_requests
        if rounds(proxy.log) <= most_rounds:
            return
    raise AssertionError(f"{rounds(proxy.log)} rounds, and {most_rounds} were to be enough")


@pytest.mark.parametrize("order", ["newest", "relevance"])
def test_what_was_searched_once_is_found_again_without_any_request(
    maker: VaultMaker, options: S3Options, proxy: TcpProxy, tmp_path: Path, order: Order
) -> None:
    """Each time with a store and a cache of its own, on the same folder."""

    def search() -> Result:
        cache = StoreCache(tmp_path / "cache", 1 << 28, 600, system_clock)
        with closing(cache):
            return ask(maker, S3Store(options, cache=cache), "rare", order)[0]

    first = search()
    assert len(first.hits) == 2 * SEGMENTS
    assert len(proxy.log) > SEGMENTS
    proxy.log.clear()
    assert search() == first
    assert list(proxy.log) == []
