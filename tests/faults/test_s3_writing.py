"""Writing to S3 over a connection and to a server with faults: what was put is there once and whole, or not
at all, whatever became of the answers."""

import io
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from archiver.errors import StoreError
from archiver.stores.base import ExistsInStoreError
from archiver.stores.s3 import S3Store
from archiver.times import system_clock
from tests.faults.buckets import Bucket, bucket_behind_proxy, verify_words
from tests.programs import PROJECT
from tests.proxy_faults import CutAnswer, CutRequest, Fault, LoseAnswer, Reset, Slow, s3_error
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]

MANIFEST = "archives/2026-11-01/manifest.json"
RECORDS = "archives/2026-11-01/records-000.sqlite.zst.age"
SMALL = os.urandom(300_000)
LARGE = os.urandom(9_000_000)
"""Two parts."""
PASSING: dict[str, Fault] = {
    "cut": CutRequest(100_000),
    "cut by a reset": CutRequest(100_000, reset=True),
    "reset": Reset(),
    "busy": s3_error(503, "SlowDown", "Reduce your request rate."),
    "a fault": s3_error(500, "InternalError", "We encountered an internal error."),
    "done, and a fault told": s3_error(500, "InternalError", pass_on=True),
    "done, and busy told": s3_error(503, "SlowDown", pass_on=True),
    "done, and the answer lost": LoseAnswer(),
    "done, and the answer lost by a reset": LoseAnswer(reset=True),
    "slow": Slow(bytes_per_second=4_000_000, delay_seconds=0.3),
}
STEPS = {
    "create": {"method": "POST", "target": r"\?uploads"},
    "part": {"method": "PUT", "target": "partNumber=2"},
    "complete": {"method": "POST", "target": "uploadId="},
}


@pytest.fixture
def bucket(seaweed: Seaweed) -> Iterator[Bucket]:
    with bucket_behind_proxy(seaweed) as bucket:
        yield bucket


@pytest.mark.parametrize("fault", PASSING)
def test_a_small_file_is_there_once_after_a_fault_that_passes(bucket: Bucket, fault: str) -> None:
    rule = bucket.proxy.inject(PASSING[fault], method="PUT")
    bucket.store().put_new(MANIFEST, SMALL)
    assert rule.hits == 1
    assert bucket.versions() == [MANIFEST]
    assert bucket.direct().read(MANIFEST, 1 << 20) == SMALL


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        *(("complete", fault) for fault in PASSING if not fault.startswith("cut")),
        *(
            (step, fault)
            for step in ("create", "part")
            for fault in ("reset", "busy", "done, and the answer lost")
        ),
        ("part", "slow"),
        ("part", "done, and a fault told"),
    ],
)
def test_a_large_file_is_there_once_after_a_fault_that_passes(bucket: Bucket, step: str, fault: str) -> None:
    rule = bucket.proxy.inject(PASSING[fault], **STEPS[step])
    bucket.store().put_new(RECORDS, io.BytesIO(LARGE))
    assert rule.hits == 1
    assert bucket.versions() == [RECORDS]
    with bucket.direct().open_random(RECORDS) as file:
        assert file.read_at(0, len(LARGE)) == LARGE
    assert bucket.uploads() == []


@pytest.mark.parametrize("fault", ["cut", "cut by a reset"])
def test_a_part_that_breaks_off_is_sent_again_alone(bucket: Bucket, fault: str) -> None:
    bucket.proxy.inject(PASSING[fault], **STEPS["part"])
    bucket.store().put_new(RECORDS, io.BytesIO(LARGE))
    sent = [
        one.target.partition("partNumber=")[2][:1] for one in bucket.proxy.log if "partNumber" in one.target
    ]
    assert sorted(sent) == ["1", "2", "2"]
    assert bucket.versions() == [RECORDS]
    assert bucket.uploads() == []


def test_an_upload_begun_twice_for_a_lost_answer_is_dropped_at_the_end_or_a_day_later(bucket: Bucket) -> None:
    somebody = bucket.server.client()
    another = somebody.create_multipart_upload(Bucket=bucket.name, Key=f"force/{RECORDS}-2")["UploadId"]
    bucket.proxy.inject(LoseAnswer(), **STEPS["create"])
    bucket.store().put_new(RECORDS, io.BytesIO(LARGE))
    assert bucket.uploads() == [(f"{RECORDS}-2", 0)], "another's"
    somebody.abort_multipart_upload(Bucket=bucket.name, Key=f"force/{RECORDS}-2", UploadId=another)
    bucket.proxy.inject(LoseAnswer(), **STEPS["create"])
    bucket.proxy.inject(s3_error(403, "AccessDenied"), method="GET", target="uploads", times=None)
    bucket.store().put_new(f"{RECORDS}.2", io.BytesIO(LARGE))
    assert bucket.uploads() == [(f"{RECORDS}.2", 0)]
    tomorrow = timedelta(days=1, minutes=1) // timedelta(milliseconds=1)
    assert bucket.direct().delete_partial() == 0
    options = bucket.server.options(bucket.name, prefix="force/")
    assert S3Store(options, clock=lambda: system_clock() + tomorrow).delete_partial() == 1
    assert bucket.uploads() == []
    assert sorted(bucket.versions()) == [RECORDS, f"{RECORDS}.2"]


def test_an_upload_that_fails_drops_what_it_began_without_hearing_of_it(bucket: Bucket) -> None:
    somebody = bucket.server.client()
    others = [
        somebody.create_multipart_upload(Bucket=bucket.name, Key=f"force/{RECORDS}{end}")["UploadId"]
        for end in ("-2", "/x")
    ]
    bucket.proxy.inject(LoseAnswer(), **STEPS["create"], times=2)
    with pytest.raises(StoreError):
        bucket.store(tries=2).put_new(RECORDS, io.BytesIO(LARGE))
    bucket.proxy.inject(LoseAnswer(), **STEPS["create"])
    bucket.proxy.inject(s3_error(403, "AccessDenied"), **STEPS["part"])
    with pytest.raises(StoreError):
        bucket.store(tries=2).put_new(RECORDS, io.BytesIO(LARGE))
    left = somebody.list_multipart_uploads(Bucket=bucket.name).get("Uploads", ())
    assert sorted(one["UploadId"] for one in left) == sorted(others)


@pytest.mark.parametrize("act", ["read", "write"])
def test_an_interrupted_client_does_not_wait_for_a_server_that_is_away(bucket: Bucket, act: str) -> None:
    """In a process of its own, as only that can be interrupted by a signal at any place."""
    bucket.direct().put_new("large", LARGE)
    target = "versionId=" if act == "read" else "partNumber"
    rule = bucket.proxy.inject(s3_error(503, "SlowDown"), target=target, times=None)
    store = bucket.store(tries=20, first_wait_seconds=15)
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, act], cwd=PROJECT, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stderr is not None
        child.stdin.write(pickle.dumps(store))
        child.stdin.close()
        deadline = time.monotonic() + 20
        while rule.hits < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        try:
            child.wait(20)
        finally:
            child.kill()
        assert time.monotonic() - sent < 5
        assert b"KeyboardInterrupt" in child.stderr.read()
    assert bucket.uploads() == []


INTERRUPTED = """
import io, pickle, sys
store = pickle.load(sys.stdin.buffer)
if sys.argv[1] == "read":
    with store.open_random("large") as file:
        file.prefetch([(place, 1000) for place in range(0, 9_000_000, 1_000_000)])
else:
    store.put_new("new", io.BytesIO(bytes(20_000_000)))
"""


LASTING: dict[str, Fault] = {
    "cut": CutRequest(10_000),
    "reset": Reset(),
    "busy": s3_error(503, "SlowDown"),
    "a fault": s3_error(500, "InternalError"),
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_small_file_that_cannot_be_put_is_not_there_and_can_be_put_later(
    bucket: Bucket, fault: str
) -> None:
    rule = bucket.proxy.inject(LASTING[fault], method="PUT", times=None)
    with pytest.raises(StoreError) as caught:
        bucket.store(tries=2).put_new(MANIFEST, SMALL)
    verify_words(caught.value, bucket)
    assert f"writing {MANIFEST} to" in caught.value.message
    assert rule.hits == 2
    assert bucket.versions() == []
    bucket.proxy.heal()
    bucket.store().put_new(MANIFEST, b"{}")
    assert bucket.versions() == [MANIFEST]


@pytest.mark.parametrize(
    ("step", "fault"),
    [("create", "reset"), ("create", "busy"), ("part", "cut"), ("part", "busy"), ("complete", "a fault")],
)
def test_a_large_file_that_cannot_be_put_leaves_no_parts(bucket: Bucket, step: str, fault: str) -> None:
    bucket.proxy.inject(LASTING[fault], **STEPS[step], times=None)
    store = bucket.store(tries=2)
    with pytest.raises(StoreError) as caught:
        store.put_new(RECORDS, io.BytesIO(LARGE))
    verify_words(caught.value, bucket)
    assert bucket.versions() == []
    assert bucket.uploads() == []
    assert not store.exists(RECORDS)
    bucket.proxy.heal()
    store.put_new(RECORDS, b"later")
    assert bucket.versions() == [RECORDS]


@pytest.mark.parametrize("name", ["small", "large"])
@pytest.mark.parametrize(
    "fault", [LoseAnswer(), LoseAnswer(reset=True), s3_error(500, "InternalError", pass_on=True)]
)
def test_what_is_there_counts_as_put_though_no_answer_ever_says_so(
    bucket: Bucket, name: str, fault: Fault
) -> None:
    bucket.proxy.inject(fault, method="PUT" if name == "small" else "POST",
                        target="" if name == "small" else "uploadId=", times=None)  # fmt: skip
    bucket.store(tries=2).put_new(RECORDS, io.BytesIO(SMALL if name == "small" else LARGE))
    assert bucket.versions() == [RECORDS]
    assert bucket.uploads() == []


def test_a_network_that_is_gone_leaves_parts_that_discarding_removes(bucket: Bucket) -> None:
    store = bucket.store(tries=2)
    bucket.proxy.inject(Reset(), times=None, where=lambda exchange: len(bucket.proxy.log) > 4)
    with pytest.raises(StoreError) as caught:
        store.put_new(RECORDS, io.BytesIO(LARGE))
    verify_words(caught.value, bucket)
    bucket.proxy.heal()
    assert bucket.uploads() != []
    assert bucket.versions() == []
    store.discard_unfinished("2026-11-01")
    assert bucket.uploads() == []


def test_the_answer_to_a_lost_put_of_somebody_else_is_not_taken_for_ones_own(bucket: Bucket) -> None:
    """The put is refused as another's is there by now, and that answer is lost."""

    def put_late() -> None:
        with bucket.store(tries=2).create(MANIFEST) as writer:
            writer.write(b"ours")
            bucket.direct().put_new(MANIFEST, b"theirs")
            bucket.proxy.inject(LoseAnswer(), method="PUT", times=None)

    with pytest.raises(ExistsInStoreError):
        put_late()
    assert bucket.versions() == [MANIFEST]
    assert bucket.direct().read(MANIFEST, 100) == b"theirs"


@pytest.mark.parametrize("fault", [CutAnswer(20), LoseAnswer(), s3_error(500, "InternalError")])
def test_looking_after_what_was_put_survives_faults_of_its_own(bucket: Bucket, fault: Fault) -> None:
    bucket.proxy.inject(LoseAnswer(), method="PUT")
    bucket.proxy.inject(fault, method="GET", target="versions", skip=1)
    bucket.proxy.inject(Reset(), method="HEAD")
    bucket.store().put_new(MANIFEST, SMALL)
    assert bucket.versions() == [MANIFEST]


def test_a_rewritten_key_is_the_old_one_or_the_new_one_and_a_lost_answer_changes_nothing(
    bucket: Bucket,
) -> None:
    key = "archives/2026-11-01/key.age"
    bucket.direct().put_new(key, b"old")
    store = bucket.store(tries=2)
    bucket.proxy.inject(s3_error(503, "SlowDown"), method="PUT", times=2)
    with pytest.raises(StoreError):
        store.replace_key(key, b"new")
    assert bucket.store().read(key, 100) == b"old"
    bucket.proxy.heal()
    bucket.proxy.inject(LoseAnswer(), method="PUT")
    store.replace_key(key, b"new")
    assert store.read(key, 100) == b"new"
    assert bucket.store().read(key, 100) == b"new"
