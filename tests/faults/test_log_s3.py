"""The log in a bucket: what goes over the wire for an entry, and an answer that is lost on the way."""

from pathlib import Path

import pytest

from archiver.errors import ArchiverError
from archiver.stores.base import ExistsInStoreError
from tests.faults.buckets import Bucket, bucket_behind_proxy
from tests.proxy_faults import LoseAnswer, s3_error
from tests.seaweed import Kind, Seaweed, seaweed
from tests.unit.audit.logs import act, log_of, problems

__all__ = ["seaweed"]
VAULT_JSON = b'{"vault": "6a1f0e0a-0000-4000-8000-000000000001"}'
KINDS: tuple[Kind, ...] = ("plain", "versioned", "locked")


def requests(bucket: Bucket) -> list[tuple[str, str]]:
    """What went over the wire, without the bucket's address and the query."""
    return [(one.method, one.target.partition("?")[0].rpartition("/audit/")[2]) for one in bucket.proxy.log]


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_is_one_request_where_the_end_is_remembered(
    seaweed: Seaweed, tmp_path: Path, kind: Kind
) -> None:
    lock = {"object_lock": "governance", "lock_days": 1} if kind == "locked" else {}
    with bucket_behind_proxy(seaweed, kind) as bucket:
        bucket.store(**lock).put_new("vault.json", VAULT_JSON)
        log = log_of([("bucket", bucket.store(**lock))], tmp_path)
        act(log)
        bucket.proxy.log.clear()
        act(log, 2)
        puts = [("PUT", f"records/0000000{number}.tar") for number in range(3, 7)]
        assert requests(bucket) == puts
        assert problems(bucket.store()) == []


def test_another_process_looks_once_for_what_was_written_last(seaweed: Seaweed, tmp_path: Path) -> None:
    with bucket_behind_proxy(seaweed) as bucket:
        bucket.store().put_new("vault.json", VAULT_JSON)
        act(log_of([("bucket", bucket.store())], tmp_path))
        bucket.proxy.log.clear()
        act(log_of([("bucket", bucket.store())], tmp_path))
        assert requests(bucket)[-3:] == [
            ("GET", "records/00000002.tar"),
            ("PUT", "records/00000003.tar"),
            ("PUT", "records/00000004.tar"),
        ]
        assert len(bucket.proxy.log) == 4, "and once whether the bucket holds this vault"


def test_an_entry_whose_answer_is_lost_is_there_once(seaweed: Seaweed, tmp_path: Path) -> None:
    with bucket_behind_proxy(seaweed) as bucket:
        bucket.store().put_new("vault.json", VAULT_JSON)
        log = log_of([("bucket", bucket.store())], tmp_path)
        act(log)
        bucket.proxy.inject(LoseAnswer(), method="PUT", target="00000003.tar")
        act(log)
        assert len([one for one in bucket.store().list("audit/records/") if one.endswith(".tar")]) == 4
        assert problems(bucket.store()) == []


def test_a_bucket_that_takes_no_entry_stops_the_act(seaweed: Seaweed, tmp_path: Path) -> None:
    with bucket_behind_proxy(seaweed) as bucket:
        bucket.store().put_new("vault.json", VAULT_JSON)
        log = log_of([("bucket", bucket.store())], tmp_path)
        act(log)
        bucket.proxy.inject(s3_error(403, "AccessDenied"), method="PUT", target="audit/", times=None)
        with pytest.raises(ArchiverError, match="the log cannot be written") as caught:
            act(log)
        assert caught.value.exit_code == 1


def test_two_hosts_that_write_to_one_chain_in_a_bucket_follow_each_other(
    seaweed: Seaweed, tmp_path: Path
) -> None:
    with bucket_behind_proxy(seaweed) as bucket:
        bucket.store().put_new("vault.json", VAULT_JSON)
        logs = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            logs.append(log_of([("bucket", bucket.store())], tmp_path / name))
        for log in (*logs, *logs):
            act(log)
        assert problems(bucket.store()) == []
        with pytest.raises(ExistsInStoreError):
            bucket.store().append("audit/records/00000008.tar", b"x")
