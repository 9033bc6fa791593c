"""What an S3 server refuses is told in one sentence with a hint, whatever was being done, and nothing is
left half done."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, StoreError
from archiver.stores.s3 import S3Store
from tests.certificates import make_certificates
from tests.faults.buckets import Bucket, bucket_behind_proxy, verify_words
from tests.proxy_faults import Answer, s3_error
from tests.seaweed import Seaweed, seaweed
from tests.tcp_proxy import TcpProxy

__all__ = ["seaweed"]

NAME = "archives/2026-11-01/records-000.sqlite.zst.age"
ACTS: dict[str, Callable[[S3Store], object]] = {
    "put": lambda store: store.put_new(NAME, b"data"),
    "put in parts": lambda store: store.put_new(NAME, io.BytesIO(bytes(9_000_000))),
    "list": lambda store: list(store.list()),
    "read": lambda store: store.read("there", 100),
    "exists": lambda store: store.exists("archives/there"),
    "discard": lambda store: store.discard_unfinished("2026-11-01"),
}
WRITES = ("put", "put in parts")


@pytest.fixture(scope="module")
def shared(seaweed: Seaweed) -> Iterator[Bucket]:
    with bucket_behind_proxy(seaweed) as bucket:
        bucket.direct().put_new("there", b"data")
        yield bucket


@pytest.fixture
def bucket(shared: Bucket) -> Iterator[Bucket]:
    yield shared
    shared.proxy.heal()


def refused(act: str, store: S3Store) -> StoreError:
    with pytest.raises(StoreError) as caught:
        ACTS[act](store)
    return caught.value


REFUSALS: dict[str, tuple[Answer, str, str]] = {
    "expired": (
        s3_error(400, "ExpiredToken", "The provided token has expired."),
        "the credentials have expired",
        "renew them",
    ),
    "skewed": (
        s3_error(
            403, "RequestTimeTooSkewed", "The difference is too large.",
            headers={"Date": "Tue, 03 Nov 2020 10:00:00 GMT"},
        ),
        "the server's 2020-11-03T10:00:00.000Z",
        "clock",
    ),
    "moved": (
        s3_error(301, "PermanentRedirect", "Elsewhere.", headers={"x-amz-bucket-region": "eu-west-1"}),
        "the bucket is in another region",
        "eu-west-1",
    ),
    "malformed": (
        s3_error(
            400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-central-1'",
            headers={"x-amz-bucket-region": "eu-central-1"},
        ),
        "the bucket is in another region",
        "eu-central-1",
    ),
    "denied": (s3_error(403, "AccessDenied", "Access Denied"), "the server denies it", "rights"),
}  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("act", ACTS)
def test_a_refusal_is_told_with_its_cause_and_what_to_do(bucket: Bucket, act: str, refusal: str) -> None:
    answer, words, hint = REFUSALS[refusal]
    bucket.proxy.inject(answer, times=None)
    error = refused(act, bucket.store(tries=2))
    verify_words(error, bucket)
    assert words in error.message
    assert hint in (error.hint or "")
    assert bucket.versions() == ["there"]
    assert bucket.uploads() == []


@pytest.mark.parametrize(
    "answer", [s3_error(507, "InsufficientStorage"), s3_error(403, "QuotaExceeded", "The quota is exceeded.")]
)
@pytest.mark.parametrize("act", WRITES)
def test_a_bucket_that_is_full_is_told_so_and_keeps_no_parts(
    bucket: Bucket, act: str, answer: Answer
) -> None:
    bucket.proxy.inject(answer, method="PUT", times=None)
    error = refused(act, bucket.store(tries=2))
    verify_words(error, bucket)
    assert "it is full" in error.message
    assert bucket.versions() == ["there"]
    assert bucket.uploads() == []


@pytest.mark.parametrize("act", ACTS)
def test_a_wrong_secret_is_told_without_telling_it(bucket: Bucket, act: str) -> None:
    wrong = os.urandom(20).hex()
    error = refused(act, bucket.store(secret_access_key=wrong))
    verify_words(error, bucket)
    assert "does not know these credentials" in error.message
    assert wrong not in f"{error.message} {error.hint}"


@pytest.mark.parametrize("act", ACTS)
def test_an_unknown_key_is_told_without_telling_it(bucket: Bucket, act: str) -> None:
    error = refused(act, bucket.store(access_key_id="KEYUNKNOWN"))
    verify_words(error, bucket)
    assert "does not know these credentials" in error.message
    assert "KEYUNKNOWN" not in f"{error.message} {error.hint}"


@pytest.mark.parametrize("act", ACTS)
def test_a_bucket_that_is_missing_is_told_so(bucket: Bucket, act: str) -> None:
    absent = Bucket(bucket.server, bucket.proxy, "absent-bucket")
    error = refused(act, absent.store())
    verify_words(error, absent)
    assert "there is no bucket absent-bucket" in error.message


@pytest.mark.parametrize("act", WRITES)
@pytest.mark.parametrize("more", [{"object_lock": "governance", "lock_days": 1}, {"legal_hold": True}])
def test_a_lock_that_the_bucket_has_not_is_refused(bucket: Bucket, act: str, more: dict[str, object]) -> None:
    error = refused(act, bucket.store(**more))
    verify_words(error, bucket)
    assert "the bucket has no Object Lock" in error.message
    assert bucket.versions() == ["there"]
    assert bucket.uploads() == []


def test_a_server_that_is_not_there_is_told_so(seaweed: Seaweed, bucket: Bucket) -> None:
    store = S3Store(seaweed.options(bucket.name, prefix="force/", endpoint="http://127.0.0.1:9", tries=2))
    error = refused("list", store)
    verify_words(error, bucket)
    assert "the server cannot be reached" in error.message


def test_a_private_authority_is_trusted_by_its_file_and_by_nothing_else(
    seaweed: Seaweed, bucket: Bucket, tmp_path: Path
) -> None:
    for name in ("ours", "another"):
        (tmp_path / name).mkdir()
        make_certificates(tmp_path / name)
    pair = (tmp_path / "ours" / "server.pem", tmp_path / "ours" / "server.key")
    with TcpProxy(("127.0.0.1", seaweed.port), certificate=pair) as proxy:
        secure = Bucket(seaweed, proxy, bucket.name)
        store = secure.store(ca_file=tmp_path / "ours" / "ca.pem")
        assert store.read("there", 100) == b"data"
        with store.open_random("there") as file:
            assert file.read_at(1, 2) == b"at"
        for untrusting in (None, tmp_path / "another" / "ca.pem"):
            error = refused("list", secure.store(ca_file=untrusting, tries=2))
            verify_words(error, secure)
            assert "certificate is not accepted" in error.message
            assert "ca_file" in (error.hint or "")


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_an_authority_file_that_cannot_be_used_is_an_error_of_ours(
    bucket: Bucket, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    store = bucket.store(
        ca_file=tmp_path / "ca.pem", endpoint=f"https://localhost:{bucket.proxy.port}", tries=2
    )
    with pytest.raises(ArchiverError) as caught:
        list(store.list())
    assert "ca.pem" in caught.value.message or "ca_file" in (caught.value.hint or "")
