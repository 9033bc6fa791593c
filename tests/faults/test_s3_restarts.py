"""A server that is killed and comes back while files are written and read; and one that is addressed by the
bucket's own host name."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from archiver.errors import StoreError
from archiver.stores.s3 import S3Store
from tests.faults.buckets import Bucket, bucket_behind_proxy, verify_words
from tests.proxy_faults import Hold
from tests.seaweed import REGION, Seaweed

NAME = "archives/2026-11-01/records-000.sqlite.zst.age"
DATA = os.urandom(26_000_000)
DOMAIN = "s3.archive.test"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with Seaweed(tmp_path_factory.mktemp("own-seaweed"), domain=DOMAIN) as server:
        yield server


@pytest.fixture
def bucket(own_server: Seaweed) -> Iterator[Bucket]:
    with bucket_behind_proxy(own_server) as bucket:
        yield bucket


@contextmanager
def restart_while_a_part_is_on_its_way(bucket: Bucket) -> Iterator[None]:
    """Kill the server when it has a part of which it has not told yet, and start it again."""
    hold = Hold()
    bucket.proxy.inject(hold, method="PUT", target="partNumber=2")

    def restart() -> None:
        assert hold.reached.wait(60)
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
        bucket.store(tries=12).put_new(NAME, DATA)
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
    bucket.store(tries=12).put_new(NAME, b"later")
    assert bucket.versions() == [NAME]


def test_parts_are_read_on_when_the_server_comes_back(bucket: Bucket) -> None:
    bucket.direct().put_new(NAME, DATA)
    with bucket.store(tries=12).open_random(NAME) as file:
        assert file.read_at(0, 65_552) == DATA[:65_552]
        bucket.server.stop(kill=True)
        bucket.proxy.break_connections()
        starting = threading.Thread(target=bucket.server.start)
        starting.start()
        file.prefetch([(place, 65_552) for place in range(1_000_000, 20_000_000, 2_000_000)])
        starting.join(60)
        for place in range(1_000_000, 20_000_000, 2_000_000):
            assert file.read_at(place, 65_552) == DATA[place : place + 65_552]


def test_a_server_that_stays_away_is_an_error_and_reading_goes_on_later(bucket: Bucket) -> None:
    bucket.direct().put_new(NAME, DATA)
    with bucket.store(tries=2).open_random(NAME) as file:
        bucket.server.stop(kill=True)
        try:
            with pytest.raises(StoreError):
                file.read_at(5_000_000, 100)
        finally:
            bucket.server.start()
        bucket.store(tries=12).read(NAME, len(DATA))  # it answers before it has all it had
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
