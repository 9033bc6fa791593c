"""What an S3 store must do beyond what every store must: against a real server."""

import hashlib
import logging
import os
import pickle
import signal
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from archiver.errors import ArchiverError, IntegrityError, StoreError
from archiver.stores.base import ExistsInStoreError, Inspection, NotInStoreError
from archiver.stores.cache import StoreCache, WritersCache
from archiver.stores.s3 import S3Options, S3Store
from archiver.times import system_clock
from tests.programs import PROJECT
from tests.seaweed import DOMAIN, Kind, Seaweed, as_kind, seaweed

__all__ = ["seaweed"]

LARGE = 9_000_000
"""Two parts."""
RECORDS = "archives/2026-11-01/records-000.sqlite.zst.age"
KEY = "archives/2026-11-01/key.age"
MANIFEST = "archives/2026-11-01/manifest.json"


class Bucket:
    """A store in a bucket of its own, and what somebody else does to that bucket."""

    def __init__(self, server: Seaweed, kind: Kind, **options: Any) -> None:
        self.server = server
        self.name = server.make_bucket(kind)
        self.options = server.options(self.name, prefix="force/", **options)
        self.store = S3Store(self.options)
        self.somebody = server.client()

    def open_again(self) -> S3Store:
        return S3Store(self.options)

    def place(self, name: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": f"force/{name}"}

    def versions(self, name: str) -> list[str]:
        page = self.somebody.list_object_versions(Bucket=self.name, Prefix=f"force/{name}")
        return [one["VersionId"] for one in page.get("Versions", ())]

    def uploads(self) -> list[str]:
        page = self.somebody.list_multipart_uploads(Bucket=self.name)
        return [one["Key"] for one in page.get("Uploads", ())]


@pytest.fixture
def versioned(seaweed: Seaweed) -> Bucket:
    return Bucket(seaweed, "versioned")


@pytest.fixture
def locked(seaweed: Seaweed) -> Bucket:
    return Bucket(seaweed, "locked", object_lock="compliance", lock_days=3)


# Putting


def test_the_server_itself_refuses_bytes_that_have_not_their_sha256(versioned: Bucket) -> None:
    """As sent by this store's own clients: also by the one whose signature leaves out the bytes."""
    wrong = b64encode(hashlib.sha256(b"other bytes").digest()).decode()
    connection = versioned.store._connection
    place = versioned.place("a")
    for client in (connection.client, connection.part_client):
        with pytest.raises(ClientError, match="BadDigest"):
            client.put_object(**place, Body=b"bytes", ChecksumSHA256=wrong)
        upload = client.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")["UploadId"]
        with pytest.raises(ClientError, match="BadDigest"):
            client.upload_part(
                **place, UploadId=upload, PartNumber=1, Body=bytearray(b"bytes"), ChecksumSHA256=wrong
            )
        client.abort_multipart_upload(**place, UploadId=upload)
    assert versioned.versions("a") == []
    assert list(versioned.open_again().list()) == []


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt])
def test_a_broken_off_upload_leaves_no_parts(versioned: Bucket, kind: type[BaseException]) -> None:
    def break_off() -> None:
        with versioned.store.create(RECORDS) as writer:
            writer.write(bytes(LARGE))
            assert versioned.uploads() == [f"force/{RECORDS}"]
            raise kind

    with pytest.raises(kind):
        break_off()
    assert versioned.uploads() == []
    assert list(versioned.store.list()) == []


def test_a_large_file_that_somebody_else_put_meanwhile_is_refused_and_leaves_no_parts(
    versioned: Bucket,
) -> None:
    def write() -> None:
        with versioned.store.create(RECORDS) as writer:
            writer.write(bytes(LARGE))
            versioned.open_again().put_new(RECORDS, b"theirs")

    with pytest.raises(ExistsInStoreError):
        write()
    assert versioned.uploads() == []
    assert versioned.open_again().read(RECORDS, 10) == b"theirs"


WRITE_FOR_EVER = """
import pickle, sys
store = pickle.load(sys.stdin.buffer)
with store.create(sys.argv[1]) as writer:
    writer.write(bytes(20_000_000))
    print("writing", flush=True)
    while True:
        writer.write(bytes(1000))
"""


def kill_a_writer(bucket: Bucket, name: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, name],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(pickle.dumps(bucket.store))
    child.stdin.close()
    assert child.stdout.readline() == b"writing\n"
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    child.stdout.close()


def test_what_a_killed_writer_left_is_no_file_and_goes_with_its_archive(versioned: Bucket) -> None:
    versioned.store.put_new(KEY, b"key")
    kill_a_writer(versioned, RECORDS)
    assert versioned.uploads() == [f"force/{RECORDS}"]
    assert list(versioned.open_again().list()) == [KEY]
    assert versioned.open_again().delete_partial() == 0, "a live writer is not disturbed"
    versioned.open_again().discard_unfinished("2026-11-01")
    assert versioned.uploads() == []
    assert list(versioned.open_again().list()) == []


def test_what_a_writer_left_more_than_a_day_ago_is_deleted(versioned: Bucket) -> None:
    kill_a_writer(versioned, RECORDS)
    later = S3Store(versioned.options, clock=lambda: system_clock() + 25 * 3_600_000)
    assert later._objects.uploads("") != []
    with pytest.raises(ArchiverError):
        later.read(RECORDS, 10)
    assert later.delete_partial() == 1
    assert versioned.uploads() == []


MEASURED = """
import pickle, re, sys
store = pickle.load(sys.stdin.buffer)
with open(sys.argv[1], "rb") as source:
    store.put_new(sys.argv[2], source)
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
"""What the process itself held at most, in KiB: `ru_maxrss` would begin with that of its parent."""


def test_a_large_file_goes_up_in_little_memory(versioned: Bucket, tmp_path: Path) -> None:
    """200 MB; the limit is the same for any size up to 32 GB."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(200_000_000)
    result = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / "large"), RECORDS],
        cwd=PROJECT, input=pickle.dumps(versioned.store), capture_output=True, check=True,
    )  # fmt: skip
    assert versioned.open_again().size(RECORDS) == 200_000_000
    assert int(result.stdout) < 200 * 1024  # in KiB


@pytest.mark.parametrize("size", [10, LARGE])
def test_each_object_is_locked_by_its_put_and_the_server_holds_to_it(locked: Bucket, size: int) -> None:
    locked.store.put_new(RECORDS, bytes(size))
    version = locked.versions(RECORDS)[0]
    head = locked.somebody.head_object(**locked.place(RECORDS), VersionId=version)
    assert head["ObjectLockMode"] == "COMPLIANCE"
    until = head["ObjectLockRetainUntilDate"]
    assert timedelta(days=2, hours=23) < until - datetime.now(UTC) < timedelta(days=3, hours=1)
    with pytest.raises(ClientError, match="AccessDenied"):
        locked.somebody.delete_object(
            **locked.place(RECORDS), VersionId=version, BypassGovernanceRetention=True
        )
    assert locked.open_again().read(RECORDS, LARGE) == bytes(size)


def test_a_rewritten_key_is_locked_too_and_so_is_what_has_a_legal_hold(seaweed: Seaweed) -> None:
    bucket = Bucket(seaweed, "locked", object_lock="governance", lock_days=1, legal_hold=True)
    bucket.store.put_new(KEY, b"old")
    bucket.store.replace_key(KEY, b"new")
    assert bucket.open_again().read(KEY, 10) == b"new"
    versions = bucket.versions(KEY)
    assert len(versions) == 2
    for version in versions:
        head = bucket.somebody.head_object(**bucket.place(KEY), VersionId=version)
        assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "ON")
    assert bucket.store.inspect([KEY])[KEY] == Inspection(3, hashlib.sha256(b"new").hexdigest())


def test_a_key_under_a_lock_is_not_destroyed_and_until_when_is_said(seaweed: Seaweed) -> None:
    bucket = Bucket(seaweed, "locked", object_lock="compliance", lock_days=3)
    bucket.store.put_new(KEY, b"old")
    bucket.store.replace_key(KEY, b"new")
    until = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    with pytest.raises(StoreError, match=f"keeps {KEY} under a lock until {until}") as caught:
        bucket.store.destroy_key(KEY)
    assert "archiver retention dispose 2026-11-01" in (caught.value.hint or "")
    assert bucket.open_again().read(KEY, 10) == b"new"
    later = S3Store(bucket.options, clock=lambda: system_clock() + 4 * 86_400_000)
    with pytest.raises(StoreError):  # by our clock it is over, and the server goes by its own
        later.destroy_key(KEY)
    assert bucket.open_again().read(KEY, 10) == b"new"


def test_of_a_key_under_a_lock_what_is_not_locked_is_destroyed(seaweed: Seaweed) -> None:
    bucket = Bucket(seaweed, "locked")
    bucket.store.put_new(KEY, b"old")
    held = S3Store(replace(bucket.options, legal_hold=True))
    held.replace_key(KEY, b"new")
    assert len(bucket.versions(KEY)) == 2
    with pytest.raises(StoreError, match="under a legal hold"):
        bucket.store.destroy_key(KEY)
    (version,) = bucket.versions(KEY)
    place = bucket.place(KEY)
    bucket.somebody.put_object_legal_hold(**place, VersionId=version, LegalHold={"Status": "OFF"})
    bucket.store.destroy_key(KEY)
    assert bucket.versions(KEY) == []


def test_a_destroyed_key_is_in_no_cache_of_this_machine(seaweed: Seaweed, tmp_path: Path) -> None:
    bucket = Bucket(seaweed, "versioned")
    cache = StoreCache(tmp_path, 1 << 30, 60, system_clock)
    secret = b"what opens the archive, encrypted to its keyholders"
    bucket.store.put_new(KEY, secret)
    assert S3Store(bucket.options, cache=cache).read(KEY, 100) == secret
    cache.close()
    assert any(secret in path.read_bytes() for path in tmp_path.iterdir())
    S3Store(bucket.options, cache=WritersCache(cache)).destroy_key(KEY)
    cache.close()
    assert not any(secret in path.read_bytes() for path in tmp_path.iterdir())


# What somebody else does


def test_what_somebody_else_lays_over_a_file_changes_nothing_that_is_read_and_shows(
    locked: Bucket,
) -> None:
    right = os.urandom(LARGE)
    locked.store.put_new(RECORDS, right)
    locked.store.put_new("vault.json", b"{}")
    locked.somebody.put_object(**locked.place(RECORDS), Body=b"forged", ChecksumAlgorithm="SHA256")
    locked.somebody.put_object(**locked.place("vault.json"), Body=b"forged", ChecksumAlgorithm="SHA256")
    locked.somebody.delete_object(**locked.place("vault.json"))
    for store in (locked.store, locked.open_again()):
        assert list(store.list()) == [RECORDS, "vault.json"]
        assert store.read("vault.json", 10) == b"{}"
        assert store.size(RECORDS) == LARGE
        with store.open_random(RECORDS) as file:
            assert file.read_at(8_500_000, 1000) == right[8_500_000:8_501_000]
        with pytest.raises(ExistsInStoreError):
            store.put_new("vault.json", b"ours again")
    said = locked.store.inspect([RECORDS, "vault.json"])
    records, vault = said[RECORDS], said["vault.json"]
    assert isinstance(records, Inspection)
    assert isinstance(vault, Inspection)
    (over_records,), (marker, over_vault) = records.problems, vault.problems
    assert marker == "a delete marker lies over it"
    for problem in (over_records, over_vault):
        assert problem.startswith("1 later version lies over it, put there by somebody else")


def test_a_file_without_the_lock_that_is_asked_for_shows(seaweed: Seaweed) -> None:
    bucket = Bucket(seaweed, "locked")
    bucket.store.put_new("free", b"")
    for mode, days, name in (("governance", 9, "governance"), ("compliance", 2, "short")):
        S3Store(seaweed.options(bucket.name, prefix="force/", object_lock=mode, lock_days=days)).put_new(
            name, b""
        )
    asked = S3Store(
        seaweed.options(bucket.name, prefix="force/", object_lock="compliance", lock_days=9, legal_hold=True)
    )
    said = asked.inspect(["free", "governance", "short"])
    problems = {name: one.problems for name, one in said.items() if isinstance(one, Inspection)}
    assert problems["free"] == ("it is not locked", "it has no legal hold")
    assert problems["governance"][0] == "its lock is governance where compliance is asked for"
    assert problems["short"][0].startswith("it is locked until ")


def test_a_discarded_archive_is_gone_but_its_name_is_remembered(versioned: Bucket) -> None:
    for name in (KEY, RECORDS):
        versioned.store.put_new(name, b"data")
    versioned.store.discard_unfinished("2026-11-01")
    for store in (versioned.store, versioned.open_again()):
        assert list(store.list()) == list(store.list("archives/2026-11-01/")) == []
        assert not store.exists(RECORDS)
        with pytest.raises(NotInStoreError):
            store.read(RECORDS, 10)
        assert store.begun_archives() == {"2026-11-01"}
        with pytest.raises(ExistsInStoreError):
            store.put_new(RECORDS, b"again")


def test_a_sealed_archive_under_delete_markers_is_there_and_is_not_discarded(versioned: Bucket) -> None:
    for name in (KEY, RECORDS, MANIFEST):
        versioned.store.put_new(name, b"data")
        versioned.somebody.delete_object(**versioned.place(name))
    store = versioned.open_again()
    assert list(store.list("archives/")) == [KEY, MANIFEST, RECORDS]
    assert store.read(RECORDS, 10) == store.read(KEY, 10) == b"data"
    with pytest.raises(IntegrityError, match="is sealed and is never removed"):
        store.discard_unfinished("2026-11-01")


def test_two_vaults_in_one_bucket_do_not_see_each_other(versioned: Bucket) -> None:
    versioned.store.put_new("vault.json", b"ours")
    others = S3Store(versioned.server.options(versioned.name, prefix="other/"))
    whole = S3Store(versioned.server.options(versioned.name))
    assert not others.exists("vault.json")
    others.put_new("vault.json", b"theirs")
    assert list(versioned.open_again().list()) == list(others.list()) == ["vault.json"]
    assert versioned.open_again().read("vault.json", 10) == b"ours"
    assert others.begun_archives() == set()
    assert list(whole.list()) == ["force/vault.json", "other/vault.json"]


def test_what_is_no_name_of_a_store_is_not_listed(versioned: Bucket) -> None:
    versioned.store.put_new("archives/a/b", b"")
    for key in ("force/.DS_Store", "force/archives/", "force/archives/ä", "force/archives/a b/c", "force"):
        versioned.somebody.put_object(Bucket=versioned.name, Key=key, Body=b"")
    for start in ("", "archives/", "archives/a/"):
        assert list(versioned.open_again().list(start)) == ["archives/a/b"]


# Repair


def test_repair_takes_away_a_delete_marker_above_good_bytes(locked: Bucket) -> None:
    locked.store.put_new(RECORDS, b"right")
    locked.somebody.delete_object(**locked.place(RECORDS))
    locked.store.put_back(RECORDS, b"right", sha256=hashlib.sha256(b"right").hexdigest())
    assert locked.store.inspect([RECORDS])[RECORDS] == Inspection(5, hashlib.sha256(b"right").hexdigest())
    assert len(locked.versions(RECORDS)) == 1


def test_repair_cannot_take_away_wrong_bytes_that_are_locked_and_changes_nothing(locked: Bucket) -> None:
    locked.store.put_new(RECORDS, b"wrong")
    with pytest.raises(StoreError, match=r"keeps the wrong archives/.* under a lock until ") as caught:
        locked.store.put_back(RECORDS, b"right", sha256=hashlib.sha256(b"right").hexdigest())
    assert caught.value.hint is not None
    assert len(locked.versions(RECORDS)) == 1
    assert locked.store.read(RECORDS, 10) == b"wrong"


@pytest.mark.parametrize("kind", ["versioned", "plain"])
def test_repair_keeps_wrong_bytes_aside_where_they_can_be_taken_away(seaweed: Seaweed, kind: str) -> None:
    bucket = Bucket(seaweed, as_kind(kind))
    bucket.store.put_new(RECORDS, b"wrong")
    digest = hashlib.sha256(b"right").hexdigest()
    with pytest.raises(IntegrityError):
        bucket.store.put_back(RECORDS, b"neither", sha256=digest)
    assert list(bucket.open_again().list()) == [RECORDS]
    bucket.store.put_back(RECORDS, b"right", sha256=digest)
    assert bucket.open_again().read(RECORDS, 10) == b"right"
    assert len(bucket.versions(RECORDS)) == 1
    assert bucket.open_again().read(f"set-aside/{RECORDS}.1", 10) == b"wrong"


# The cost of reading


class Requests:
    """The names of the requests that a store makes."""

    def __init__(self, store: S3Store) -> None:
        self.made: list[str] = []
        for client in (store._connection.client, store._connection.part_client):
            client.meta.events.register("before-send.s3", self._note)

    def _note(self, event_name: str, **_: object) -> None:
        self.made.append(event_name.rpartition(".")[2])


def fill(store: S3Store) -> list[str]:
    names = [
        f"archives/2026-11-{day:02}/{one}" for day in range(1, 6) for one in ("key.age", "manifest.json")
    ]
    for name in [*names, "vault.json", "allowed_signers"]:
        store.put_new(name, name.encode())
    store.put_new("audit/reader/00000001.json.age", b"log")
    return [*names, "vault.json", "allowed_signers"]


def test_a_vault_is_opened_by_two_lists_and_a_request_for_each_small_file(versioned: Bucket) -> None:
    names = fill(versioned.store)
    lists = ["ListObjectVersions"] * 2
    for reads_first in (False, True):
        store = versioned.open_again()
        requests = Requests(store)
        if reads_first:
            store.read("vault.json", 100)
            assert requests.made == [*lists, "GetObject"]
        assert len(list(store.list("archives/"))) == 10
        read = store.read_many(dict.fromkeys(names, 100))
        assert read == {name: name.encode() for name in names}
        assert requests.made[:2] == lists
        assert requests.made[2:] == ["GetObject"] * (13 if reads_first else 12)


def test_with_a_warm_cache_nothing_is_asked(versioned: Bucket, tmp_path: Path) -> None:
    names = fill(versioned.store)
    versioned.store.put_new(RECORDS, data := os.urandom(LARGE))
    cache = StoreCache(tmp_path / "cache", 1 << 30, 60, system_clock)
    for turn in ("cold", "warm"):
        store = S3Store(versioned.options, cache=cache)
        requests = Requests(store)
        assert len(list(store.list("archives/"))) == 11
        assert store.read_many(dict.fromkeys(names, 100)) == {name: name.encode() for name in names}
        assert store.exists("vault.json")
        with store.open_random(RECORDS) as file:
            file.prefetch([(1_000_000, 65_552), (8_500_000, 65_552)])
            assert file.read_at(8_500_000, 65_552) == data[8_500_000:8_565_552]
        assert len(requests.made) == (2 + len(names) + 2 if turn == "cold" else 0)
    versioned.store.put_new("archives/2026-12-01/manifest.json", b"new")
    known = S3Store(versioned.options, cache=cache)
    assert known.exists("archives/2026-12-01/manifest.json"), "what a listing lacks is asked for by itself"
    known.put_new("archives/2026-12-02/manifest.json", b"new")
    assert len(list(S3Store(versioned.options, cache=cache).list("archives/"))) == 13


def test_a_key_that_another_process_rewrote_is_read_anew_in_spite_of_a_fresh_listing(
    seaweed: Seaweed, tmp_path: Path
) -> None:
    for kind in ("plain", "versioned"):
        bucket = Bucket(seaweed, "plain" if kind == "plain" else "versioned")
        cache = StoreCache(tmp_path / kind, 1 << 30, 60, system_clock)
        bucket.store.put_new(KEY, b"old")
        assert S3Store(bucket.options, cache=cache).read(KEY, 10) == b"old"
        S3Store(bucket.options, cache=cache).replace_key(KEY, b"newer")
        assert S3Store(bucket.options, cache=cache).read(KEY, 10) == b"newer"


# Credentials, and what cannot be


def without_keys(options: S3Options, **more: Any) -> S3Options:
    return replace(options, access_key_id=None, secret_access_key=None, **more)


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """boto3's usual places, all of them empty and of this test alone."""
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_credentials_come_from_the_environment_or_a_profile_or_are_asked_for(
    versioned: Bucket, tmp_path: Path, chain: pytest.MonkeyPatch
) -> None:
    server = versioned.server
    with pytest.raises(StoreError, match="no credentials were found"):
        list(S3Store(without_keys(versioned.options)).list())
    with pytest.raises(StoreError, match="there is no profile archive"):
        list(S3Store(without_keys(versioned.options, profile="archive")).list())
    (tmp_path / "credentials").write_text(
        f"[archive]\naws_access_key_id = {server.access_key}\naws_secret_access_key = {server.secret_key}\n"
    )
    assert list(S3Store(without_keys(versioned.options, profile="archive")).list()) == []
    chain.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    chain.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    assert list(S3Store(without_keys(versioned.options)).list()) == []


def test_no_secret_is_in_a_text_of_ours_or_a_log(versioned: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    secret = versioned.server.secret_key
    with caplog.at_level(logging.DEBUG):
        versioned.store.put_new("a", b"data")
        wrong = S3Store(versioned.server.options(versioned.name, secret_access_key="not-this-one"))
        with pytest.raises(StoreError) as caught:
            wrong.read("a", 10)
    assert "does not know these credentials" in caught.value.message
    told = [repr(versioned.store), repr(versioned.options), repr(wrong), str(caught.value), caplog.text]
    for text in told:
        assert secret not in text
        assert "not-this-one" not in text
    assert versioned.server.access_key not in "".join(told[:-1])
    address = S3Options("b", endpoint="https://me:hidden@s3.example/x")
    assert "hidden" not in address.location + repr(S3Store(address))


def refusal(options: S3Options) -> StoreError:
    with pytest.raises(StoreError) as caught:
        S3Store(options).put_new("a", b"data")
    return caught.value


def test_what_cannot_be_is_said_in_a_sentence_with_a_hint(versioned: Bucket, seaweed: Seaweed) -> None:
    missing = refusal(seaweed.options("no-such-bucket"))
    assert "there is no bucket no-such-bucket" in missing.message
    unlocked = refusal(seaweed.options(versioned.name, object_lock="compliance", lock_days=1))
    assert "the bucket has no Object Lock" in unlocked.message
    unknown = refusal(seaweed.options(versioned.name, access_key_id="UNKNOWN"))
    assert "does not know these credentials (InvalidAccessKeyId)" in unknown.message
    nobody = refusal(seaweed.options(versioned.name, endpoint="http://127.0.0.1:9", tries=1))
    assert "the server cannot be reached" in nobody.message
    for error in (missing, unlocked, unknown, nobody):
        assert error.message.count("s3://") == 1
        assert error.hint
        assert error.exit_code == 1


def test_a_private_authority_is_trusted_where_it_is_named(tmp_path: Path) -> None:
    with Seaweed(tmp_path / "server", tls=True) as server:
        bucket = server.make_bucket("locked")
        store = S3Store(server.options(bucket))
        store.put_new("a", b"data")
        untrusted = refusal(server.options(bucket, ca_file=None, tries=1))
        assert "certificate is not accepted" in untrusted.message
        assert "ca_file" in str(untrusted.hint)
        unfound = refusal(server.options(bucket, ca_file=tmp_path / "absent.pem", tries=1))
        assert "there is no file " in unfound.message
        assert store.read("a", 10) == b"data"


def test_a_bucket_is_reached_by_a_host_name_of_its_own(
    versioned: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name leads to the server here, so that it is its own proxy for `BUCKET.store.test`."""
    versioned.store.put_new("a", b"data")
    monkeypatch.setenv("HTTP_PROXY", versioned.server.endpoint)
    address = f"http://{DOMAIN}:{versioned.server.port}"
    virtual = S3Store(replace(versioned.options, endpoint=address, addressing="virtual"))
    asked: list[str] = []
    virtual._connection.client.meta.events.register(
        "before-send.s3", lambda request, **_: asked.append(request.url)
    )
    assert virtual.read("a", 10) == b"data"
    assert all(url.startswith(f"http://{versioned.name}.{DOMAIN}:") for url in asked)
    assert asked
