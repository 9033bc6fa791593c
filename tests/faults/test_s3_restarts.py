"""A server that is killed and comes back while files are written and read; and one that is addressed by the
bucket's own host name."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from archiver.errors import StoreError
from archiver.search.language import parse_query
from archiver.search.run import Searcher
from archiver.stores.base import Store
from archiver.stores.s3 import S3Store
from archiver.vault import Vault
from tests.faults.buckets import Bucket, bucket_behind_proxy, verify_words
from tests.made_vaults import DAY_MS, VaultMaker, post
from tests.proxy_faults import CutAnswer, Exchange, Fault, Hold, Reset
from tests.seaweed import REGION, Seaweed

NAME = "archives/2026-11-01/records-000.sqlite.zst.age"
DATA = os.urandom(17_000_000)
DOMAIN = "s3.archive.test"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with Seaweed(tmp_path_factory.mktemp("own-seaweed"), domain=DOMAIN, encrypts=True) as server:
        yield server


@pytest.fixture
def bucket(own_server: Seaweed) -> Iterator[Bucket]:
    with bucket_behind_proxy(own_server) as bucket:
        yield bucket


@contextmanager
def restart_while_a_part_is_on_its_way(bucket: Bucket) -> Iterator[None]:
    """Kill the server when it has a part of which it has not told yet, and start it again."""
    with restart_at(bucket, method="PUT", target="partNumber=2"):
        yield


@contextmanager
def restart_at(bucket: Bucket, **where: Any) -> Iterator[None]:
    """Kill the server when it has answered such a request, and before the answer arrives; start it again."""
    hold = Hold()
    bucket.proxy.inject(hold, **where)

    def restart() -> None:
        assert hold.reached.wait(20)
        bucket.server.stop(kill=True)
        bucket.proxy.break_connections()
        hold.released.set()
        bucket.server.start()

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        yield
    finally:
        thread.join(90)


def test_an_upload_goes_on_when_the_server_comes_back(bucket: Bucket) -> None:
    with restart_while_a_part_is_on_its_way(bucket):
        bucket.store(tries=14, first_wait_seconds=0.1).put_new(NAME, DATA)
    assert bucket.versions() == [NAME]
    assert bucket.uploads() == []
    with bucket.direct().open_random(NAME) as file:
        assert file.read_at(0, len(DATA)) == DATA


def test_an_upload_that_does_not_wait_for_the_server_leaves_nothing_that_counts(bucket: Bucket) -> None:
    with (
        restart_while_a_part_is_on_its_way(bucket),
        pytest.raises(StoreError, match=r"writing .* failed") as caught,
    ):
        bucket.store(tries=1).put_new(NAME, DATA)
    verify_words(caught.value, bucket)
    assert bucket.versions() == []
    bucket.store().discard_unfinished("2026-11-01")
    assert bucket.uploads() == []
    bucket.store(tries=14, first_wait_seconds=0.1).put_new(NAME, b"later")
    assert bucket.versions() == [NAME]


def test_parts_are_read_on_when_the_server_comes_back(bucket: Bucket) -> None:
    bucket.direct().put_new(NAME, DATA)
    with bucket.store(tries=14, first_wait_seconds=0.1).open_random(NAME) as file:
        assert file.read_at(0, 65_552) == DATA[:65_552]
        bucket.server.stop(kill=True)
        bucket.proxy.break_connections()
        starting = threading.Thread(target=bucket.server.start)
        starting.start()
        file.prefetch([(place, 65_552) for place in range(1_000_000, 16_000_000, 2_000_000)])
        starting.join(60)
        for place in range(1_000_000, 16_000_000, 2_000_000):
            assert file.read_at(place, 65_552) == DATA[place : place + 65_552]


# Search


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    """Three archives with three segments in all, of several pages each."""
    maker = VaultMaker(tmp_path_factory.mktemp("vault"))
    for archive in range(3):
        posts = []
        for number in range(archive * 800, archive * 800 + 800):
            words = hashlib.shake_128(str(number).encode()).hexdigest(100)  # what does not compress
            rare = " rare" if number % 100 == 0 else ""
            posts.append(post(str(number), f"common {words}{rare}", number * DAY_MS // 100))
        maker.add(f"2026-{archive + 1:02d}-01", posts)
    return maker


@pytest.fixture
def filled(bucket: Bucket, maker: VaultMaker) -> Bucket:
    store = bucket.direct()
    for name in maker.store.list():
        store.put_new(name, (maker.folder / name).read_bytes())
    return bucket


def hits(store: Store, maker: VaultMaker, words: str, before: Callable[[], None] = lambda: None) -> list[str]:
    """What a search finds; `before` happens when the vault is open."""
    vault = Vault(store)
    archives = vault.list_archives().require_sound()
    before()
    with closing(Searcher(vault, archives, [maker.holder])) as searcher:
        return [one.id for one in searcher.search(parse_query(words), limit=40).hits]


def in_a_segment(exchange: Exchange) -> bool:
    return "records-" in exchange.target and "versionId" in exchange.target


def test_a_search_finds_what_there_is_when_the_server_comes_back(filled: Bucket, maker: VaultMaker) -> None:
    right = hits(maker.store, maker, "rare")
    assert len(right) == 24
    with restart_at(filled, where=in_a_segment, skip=1):
        assert hits(filled.store(tries=14, first_wait_seconds=0.1), maker, "rare") == right


@pytest.mark.parametrize("fault", [Reset(), CutAnswer(50), CutAnswer(5_000, reset=True)])
@pytest.mark.parametrize("times", [2, None])
def test_a_search_of_parts_that_do_not_come_whole_finds_all_or_says_what_failed(
    filled: Bucket, maker: VaultMaker, fault: Fault, times: int | None
) -> None:
    right = hits(maker.store, maker, "rare")

    def break_off() -> None:
        filled.proxy.inject(fault, where=in_a_segment, times=times)

    if times is not None:
        assert hits(filled.store(), maker, "rare", break_off) == right
        return
    with pytest.raises(StoreError) as caught:
        hits(filled.store(), maker, "rare", break_off)
    verify_words(caught.value, filled)


def test_a_search_of_a_server_that_stays_away_says_so_and_another_finds_all(
    filled: Bucket, maker: VaultMaker
) -> None:
    def go_away() -> None:
        filled.server.stop(kill=True)
        filled.proxy.break_connections()

    try:
        with pytest.raises(StoreError) as caught:
            hits(filled.store(tries=2), maker, "rare", go_away)
        verify_words(caught.value, filled)
    finally:
        filled.server.start()
    assert hits(filled.store(tries=14, first_wait_seconds=0.1), maker, "rare") == hits(
        maker.store, maker, "rare"
    )


@pytest.mark.parametrize("size", [300_000, 8_500_000])
def test_the_server_encrypts_what_it_is_asked_to(bucket: Bucket, size: int) -> None:
    data = DATA[:size]
    bucket.store(encryption="AES256").put_new(NAME, data)
    head = bucket.server.client().head_object(Bucket=bucket.name, Key=f"force/{NAME}")
    assert head["ServerSideEncryption"] == "AES256"
    with bucket.store().open_random(NAME) as file:
        assert file.read_at(100_000, 65_552) == data[100_000:165_552]
    assert bucket.direct().read(NAME, len(data)) == data


def test_a_server_that_stays_away_is_an_error_and_reading_goes_on_later(bucket: Bucket) -> None:
    bucket.direct().put_new(NAME, DATA)
    with bucket.store(tries=2).open_random(NAME) as file:
        bucket.server.stop(kill=True)
        try:
            with pytest.raises(StoreError):
                file.read_at(5_000_000, 100)
        finally:
            bucket.server.start()
        assert file.read_at(5_000_000, 100) == DATA[5_000_000:5_000_100]


def test_the_bucket_may_be_part_of_the_servers_name_or_of_the_path(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy stands for the name service: clients that have an HTTP proxy send it the name as it is."""
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HTTP_PROXY", bucket.proxy.endpoint)
    monkeypatch.setenv("http_proxy", bucket.proxy.endpoint)
    for addressing in ("virtual", "path", "auto"):
        name = f"archives/2026-11-01/{addressing}"
        options = bucket.server.options(
            bucket.name, endpoint=f"http://{DOMAIN}", region=REGION, addressing=addressing
        )
        bucket.proxy.log.clear()
        store = S3Store(options)
        store.put_new(name, DATA[:9_000_000])
        assert store.size(name) == 9_000_000
        with store.open_random(name) as file:
            assert file.read_at(8_000_000, 100) == DATA[8_000_000:8_000_100]
        in_path = [
            one.target.startswith(f"/{bucket.name}/")
            for one in bucket.proxy.log
            if "partNumber" in one.target
        ]
        assert set(in_path) == {addressing != "virtual"}
