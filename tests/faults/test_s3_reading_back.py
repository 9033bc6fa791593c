"""What is looked at after an upload: the bytes, also where the server keeps no checksum; the lock; and the
encryption that was asked for."""

import io
import os
import re
from collections.abc import Iterator

import pytest

from archiver.errors import IntegrityError, StoreError
from tests.faults.buckets import Bucket, bucket_behind_proxy, verify_words
from tests.proxy_faults import Answer, EditHead, s3_error
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]

NAME = "archives/2026-11-01/records-000.sqlite.zst.age"
SIZES = {"one put": 300_000, "in parts": 8_500_000}
NO_CHECKSUM = EditHead(r"\r\nx-amz-checksum-[^\r]*")


@pytest.fixture(params=["versioned", "plain"])
def bucket(request: pytest.FixtureRequest, seaweed: Seaweed) -> Iterator[Bucket]:
    with bucket_behind_proxy(seaweed, request.param) as bucket:
        yield bucket


@pytest.fixture
def locked(seaweed: Seaweed) -> Iterator[Bucket]:
    with bucket_behind_proxy(seaweed, "locked") as bucket:
        yield bucket


@pytest.mark.parametrize("size", SIZES)
def test_where_the_server_keeps_no_checksum_all_is_read_back(bucket: Bucket, size: str) -> None:
    data = os.urandom(SIZES[size])
    bucket.proxy.inject(NO_CHECKSUM, method="HEAD", times=None)
    bucket.store().put_new(NAME, io.BytesIO(data))
    read = [one for one in bucket.proxy.log if one.method == "GET" and "versionId" in one.target]
    assert sum(one.answer_bytes for one in read) == len(data)
    assert bucket.direct().read(NAME, len(data)) == data


@pytest.mark.parametrize("size", SIZES)
def test_wrong_bytes_that_no_lock_keeps_are_removed(bucket: Bucket, size: str) -> None:
    """The server has them right, and shows others when they are read."""
    length = SIZES[size] if size == "one put" else 8 << 20
    bucket.proxy.inject(NO_CHECKSUM, method="HEAD", times=None)
    others = {"ETag": '"e"'} | (
        {} if size == "one put" else {"Content-Range": f"bytes 0-{length - 1}/{SIZES[size]}"}
    )
    bucket.proxy.inject(Answer(206 if len(others) > 1 else 200, bytes(length), others),
                        method="GET", target="versionId=", times=None)  # fmt: skip
    store = bucket.store()
    with pytest.raises(IntegrityError, match="is not what was written there a moment ago") as caught:
        store.put_new(NAME, io.BytesIO(os.urandom(SIZES[size])))
    assert "it was removed again" in str(caught.value.hint)
    assert bucket.versions() == []
    bucket.proxy.heal()
    store.put_new(NAME, b"later")
    assert bucket.direct().read(NAME, 10) == b"later"


def test_wrong_bytes_under_a_lock_stay_and_it_is_said(locked: Bucket) -> None:
    locked.proxy.inject(EditHead(r"(\r\nx-amz-checksum-sha256: )....", r"\1AAAA"), method="HEAD", times=None)
    with pytest.raises(IntegrityError) as caught:
        locked.store(object_lock="governance", lock_days=1).put_new(NAME, b"data")
    assert "it stays there, as the server keeps it" in str(caught.value.hint)
    assert locked.versions() == [NAME]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (EditHead(r"\r\nx-amz-object-lock-mode[^\r]*"), "it has no lock"),
        (EditHead(r"(\r\nx-amz-object-lock-mode: )COMPLIANCE", r"\1GOVERNANCE"), "it has a governance lock"),
        (EditHead(r"(\r\nx-amz-object-lock-retain-until-date: )20", r"\g<1>19"), "it is locked until 19"),
        (EditHead(r"\r\nx-amz-object-lock-legal-hold[^\r]*"), "it has no legal hold"),
    ],
)
def test_a_lock_that_is_not_as_asked_is_an_error_that_names_it(
    locked: Bucket, size: str, fault: EditHead, words: str
) -> None:
    locked.proxy.inject(fault, method="HEAD", times=None)
    store = locked.store(object_lock="compliance", lock_days=3, legal_hold=True)
    with pytest.raises(StoreError) as caught:
        store.put_new(NAME, io.BytesIO(bytes(SIZES[size])))
    verify_words(caught.value, locked)
    assert words in caught.value.message


def test_the_lock_of_a_bucket_is_asked_for_once_and_not_where_none_is_wanted(locked: Bucket) -> None:
    free, asking = locked.store(), locked.store(object_lock="governance", lock_days=1)
    for store, times in ((free, 0), (asking, 1)):
        locked.proxy.log.clear()
        for number in range(3):
            store.put_new(f"{times}/{number}", b"data")
        assert sum("object-lock" in one.target for one in locked.proxy.log) == times


@pytest.mark.parametrize("status", [403, 501])
def test_who_may_not_ask_for_a_buckets_lock_writes_and_looks(locked: Bucket, status: int) -> None:
    locked.proxy.inject(s3_error(status, "AccessDenied"), target=r"\?object-lock", times=None)
    locked.store(object_lock="governance", lock_days=1).put_new(NAME, b"data")
    assert locked.versions() == [NAME]


@pytest.mark.parametrize("size", SIZES)
def test_a_server_without_a_key_to_encrypt_with_keeps_nothing(bucket: Bucket, size: str) -> None:
    with pytest.raises(StoreError, match="the server has a fault") as caught:
        bucket.store(encryption="AES256").put_new(NAME, io.BytesIO(bytes(SIZES[size])))
    verify_words(caught.value, bucket)
    assert bucket.versions() == bucket.uploads() == []


@pytest.mark.parametrize("size", SIZES)
def test_a_server_that_cannot_encrypt_as_asked_is_told_so(bucket: Bucket, size: str) -> None:
    refusal = s3_error(400, "InvalidEncryptionAlgorithmError", "The encryption method is not supported")
    bucket.proxy.inject(refusal, where=lambda one: one.method in ("PUT", "POST"), times=None)
    with pytest.raises(StoreError) as caught:
        bucket.store(encryption="AES256").put_new(NAME, io.BytesIO(bytes(SIZES[size])))
    assert re.search("refuses it .InvalidEncryptionAlgorithmError: The encryption", caught.value.message)
    assert bucket.versions() == bucket.uploads() == []
