"""Reading from S3 over a connection and from a server with faults: the right bytes or an error, never other
bytes, and a listing that is old hides nothing."""

import os
from collections.abc import Iterator

import pytest

from archiver.errors import ArchiverError, IntegrityError, StoreError
from archiver.stores.base import NotInStoreError
from tests.faults.buckets import Bucket, bucket_behind_proxy, verify_words
from tests.proxy_faults import Answer, CutAnswer, Fault, LoseAnswer, Reset, Slow, s3_error
from tests.seaweed import Seaweed, seaweed
from tests.tcp_proxy import rounds

__all__ = ["seaweed"]

RECORDS = "archives/2026-11-01/records-000.sqlite.zst.age"
DATA = os.urandom(3_000_000)
SMALL = {f"archives/2026-11-{day:02}/manifest.json": bytes([day]) * 500 for day in range(1, 13)}
PARTS = [(place * 300_000, 65_552) for place in range(8)]
FAULTS: dict[str, Fault] = {
    "cut": CutAnswer(100),
    "cut by a reset": CutAnswer(100, reset=True),
    "reset": Reset(),
    "no answer": LoseAnswer(),
    "busy": s3_error(503, "SlowDown"),
    "a fault": s3_error(500, "InternalError"),
    "slow": Slow(bytes_per_second=500_000, delay_seconds=0.2),
}
LISTING = {"method": "GET", "target": r"\?.*versions"}
READING = {"method": "GET", "target": r"versionId="}


@pytest.fixture(scope="module")
def filled(seaweed: Seaweed) -> Iterator[Bucket]:
    """One bucket with some files, for all tests that only read."""
    with bucket_behind_proxy(seaweed, keep="versions") as bucket:
        store = bucket.direct()
        store.put_new(RECORDS, DATA)
        for name, data in SMALL.items():
            store.put_new(name, data)
        yield bucket


@pytest.fixture
def bucket(filled: Bucket) -> Iterator[Bucket]:
    filled.proxy.log.clear()
    yield filled
    filled.proxy.heal()


@pytest.mark.parametrize("fault", FAULTS)
def test_parts_are_right_after_a_fault_that_passes(bucket: Bucket, fault: str) -> None:
    rule = bucket.proxy.inject(FAULTS[fault], **READING, times=3)
    with bucket.store(tries=5).open_random(RECORDS) as file:
        assert file.read_at(1_000, 65_552) == DATA[1_000:66_552]
        file.prefetch(PARTS)
        for offset, length in PARTS:
            assert file.is_at_hand(offset, length)
            assert file.read_at(offset, length) == DATA[offset : offset + length]
    assert rule.hits == 3


@pytest.mark.parametrize("fault", ["cut", "cut by a reset", "reset", "busy", "a fault"])
def test_a_part_that_cannot_be_had_is_an_error_and_the_file_goes_on_when_it_can(
    bucket: Bucket, fault: str
) -> None:
    with bucket.store(tries=2).open_random(RECORDS) as file:
        bucket.proxy.inject(
            FAULTS[fault], **READING, where=lambda one: one.range == "bytes=900000-965551", times=None
        )
        with pytest.raises(StoreError) as caught:
            file.prefetch(PARTS)
        verify_words(caught.value, bucket)
        assert f"reading {RECORDS} from" in caught.value.message
        assert [file.is_at_hand(*part) for part in PARTS].count(False) == 1
        bucket.proxy.heal()
        assert file.read_at(900_000, 65_552) == DATA[900_000:965_552]


@pytest.mark.parametrize("fault", FAULTS)
def test_names_are_listed_after_a_fault_that_passes(bucket: Bucket, fault: str) -> None:
    rule = bucket.proxy.inject(FAULTS[fault], **LISTING)
    assert list(bucket.store().list("archives/")) == sorted([RECORDS, *SMALL])
    assert rule.hits == 1


@pytest.mark.parametrize("fault", ["cut", "reset", "busy"])
def test_a_listing_that_cannot_be_had_is_an_error_and_not_an_empty_store(bucket: Bucket, fault: str) -> None:
    bucket.proxy.inject(FAULTS[fault], **LISTING, times=None)
    store = bucket.store(tries=2)
    for attempt in (
        lambda: list(store.list("archives/")),
        store.begun_archives,
        lambda: store.exists("archives/2026-11-01/manifest.json"),
        lambda: store.discard_unfinished("2026-11-20"),
        lambda: store.put_new("archives/2026-11-20/manifest.json", b"{}"),
        lambda: store.read("archives/2026-11-01/manifest.json", 1000),
    ):
        with pytest.raises(StoreError) as caught:
            attempt()
        verify_words(caught.value, bucket)


@pytest.mark.parametrize("fault", FAULTS)
def test_many_small_files_are_read_after_faults_that_pass(bucket: Bucket, fault: str) -> None:
    bucket.proxy.inject(FAULTS[fault], **READING, skip=3, times=4)
    assert bucket.store(tries=6).read_many(dict.fromkeys(SMALL, 1000)) == SMALL


def test_of_many_small_files_one_that_cannot_be_read_does_not_hide_the_others(bucket: Bucket) -> None:
    bucket.proxy.inject(s3_error(503, "SlowDown"), method="GET", target="2026-11-05.*versionId", times=None)
    bucket.proxy.inject(s3_error(404, "NoSuchKey"), method="GET", target="2026-11-06.*versionId", times=None)
    found = bucket.store(tries=2).read_many(
        {**dict.fromkeys(SMALL, 1000), "archives/2026-11-07/manifest.json": 9}
    )
    wrong: dict[str, ArchiverError] = {}
    for name, result in found.items():
        if isinstance(result, ArchiverError):
            wrong[name[9:19]] = result
        else:
            assert result == SMALL[name]
    assert {day: type(error) for day, error in wrong.items()} == {
        "2026-11-05": StoreError, "2026-11-06": NotInStoreError, "2026-11-07": IntegrityError,
    }  # fmt: skip


def test_many_small_files_take_one_round_after_the_listing(bucket: Bucket) -> None:
    bucket.proxy.answer_delay_seconds = 0.15
    try:
        assert bucket.store().read_many(dict.fromkeys(SMALL, 1000)) == SMALL
    finally:
        bucket.proxy.answer_delay_seconds = 0.0
    assert rounds(bucket.proxy.log) == 2


@pytest.mark.parametrize("status", [200, 206])
def test_an_answer_of_other_bytes_than_asked_for_is_refused(bucket: Bucket, status: int) -> None:
    headers = {"ETag": '"e"'} | ({"Content-Range": "bytes 0-9/3000000"} if status == 206 else {})
    bucket.proxy.inject(Answer(status, b"0123456789", headers), **READING, times=None)
    with bucket.store(tries=2).open_random(RECORDS) as file, pytest.raises(IntegrityError) as caught:
        file.read_at(100, 10)
    assert RECORDS in caught.value.message
    assert caught.value.exit_code == 20


def test_a_file_that_a_stale_listing_does_not_show_is_read_all_the_same(seaweed: Seaweed) -> None:
    first, later = "archives/2026-11-01/manifest.json", "archives/2026-11-02/manifest.json"
    with bucket_behind_proxy(seaweed, keep="versions") as bucket:
        bucket.direct().put_new(first, b"first")
        assert list(bucket.store().list("archives/")) == [first]
        old = next(
            one for one in bucket.proxy.log if one.answer is not None and b"2026-11-01" in one.answer.body
        )
        bucket.direct().put_new(later, b"later")
        assert old.answer is not None
        rule = bucket.proxy.inject(
            old.answer, method="GET", where=lambda one: one.target == old.target, times=None
        )
        store = bucket.store()
        assert store.read(first, 100) == b"first"
        assert rule.hits > 0, "the old listing was given"
        assert store.read(later, 100) == b"later"
        with store.open_random(later) as file:
            assert file.read_at(0, 5) == b"later"
        assert store.exists(later)
        assert store.read_many({first: 10, later: 10}) == {first: b"first", later: b"later"}
