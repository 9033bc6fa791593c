"""What `archiver stores check` proves: a store that can do it all passes, and for each thing that a store
cannot do, or lets others do, there is one here that fails by just that."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import StoreError
from archiver.stores.checks import (
    LONGEST_SECONDS,
    Check,
    attempted,
    check_folder,
    check_store,
    find_vault_id,
    probe_name,
)
from archiver.stores.local import LocalStore
from archiver.stores.s3 import S3Store
from archiver.stores.s3.checks import check_bucket
from archiver.stores.s3.connection import Connection
from archiver.stores.s3.probing import Probing
from archiver.times import system_clock
from tests.fakes.weak_s3 import weak_server
from tests.seaweed import Seaweed, seaweed
from tests.unit.stores.test_weak_checks import DENIED, when

__all__ = ["seaweed"]


def failures(checks: list[Check]) -> list[str]:
    return [one.what for one in checks if not one.ok]


def said(checks: list[Check], what: str) -> str:
    (found,) = [one for one in checks if one.what == what]
    return found.said


# A folder


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "vault").mkdir(mode=0o755)
    return LocalStore(tmp_path / "vault")


def test_a_folder_proves_all_that_is_asked_of_it_and_nothing_is_left(store: LocalStore) -> None:
    checks = check_store(store)
    assert failures(checks) == []
    assert [one.what for one in checks] == [
        "takes a file", "reads exactly", "create-only", "checksum", "hard links", "durable", "free space",
        "who may write", "holds this vault",
    ]  # fmt: skip
    assert list(store.root.iterdir()) == []


def test_a_folder_that_everybody_may_write_to_fails(store: LocalStore) -> None:
    store.root.chmod(0o777)
    checks = check_store(store)
    assert failures(checks) == ["who may write"]
    assert checks[-2].hint == f"chmod o-w {store.root}"
    store.root.chmod(0o775)
    (store.root / "archives").mkdir()
    (store.root / "archives").chmod(0o757)
    assert failures(check_store(store)) == ["who may write"]
    (store.root / "archives").chmod(0o755)
    assert "its owner and group" in said(check_store(store), "who may write")


def test_a_folder_that_takes_nothing_fails_and_the_rest_is_looked_at(store: LocalStore) -> None:
    (store.root / "checks").write_bytes(b"in the way")
    checks = check_store(store)
    assert failures(checks) == ["takes a file"]
    assert {"free space", "who may write"} <= {one.what for one in checks}


def test_probes_of_a_check_that_was_killed_are_removed_by_the_next(store: LocalStore) -> None:
    (store.root / "checks").mkdir()
    (store.root / probe_name()).write_bytes(b"probe")
    check_folder(store.root)
    assert list(store.root.iterdir()) == []


def test_what_somebody_else_keeps_under_the_name_of_the_probes_stays(store: LocalStore) -> None:
    (store.root / "checks" / "2026").mkdir(parents=True)
    kept = [store.root / "checks" / name for name in ("cheque-0001.pdf", "2026/cheque-0002.pdf")]
    for path in kept:
        path.write_bytes(b"somebody's")
    assert failures(check_store(store)) == []
    assert sorted(path for path in store.root.rglob("*") if path.is_file()) == sorted(kept)


def test_a_file_system_without_room_fails() -> None:
    """The kernel's own: it has none at all."""
    (space,) = [one for one in check_folder(Path("/proc")) if one.what == "free space"]
    assert (space.ok, space.hint) == (False, "free some, or move the store to a larger disk")


def test_a_store_that_replaces_keeps_other_bytes_or_takes_wrong_ones_fails(store: LocalStore) -> None:
    class Weak(LocalStore):
        def put_new(self, name: str, source: Any, *, sha256: str | None = None) -> None:
            path = self._path(name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(source[:99_999])

    assert failures(check_store(Weak(store.root))) == ["reads exactly", "create-only", "checksum"]


def test_a_store_that_holds_another_vault_fails(store: LocalStore) -> None:
    assert "holds no vault yet" in said(check_store(store, "mine"), "holds this vault")
    store.put_new("vault.json", b'{"vault": "mine"}')
    assert find_vault_id(store) == "mine"
    assert failures(check_store(store, "mine")) == failures(check_store(store)) == []
    checks = check_store(store, "another")
    assert failures(checks) == ["holds this vault"]
    assert said(checks, "holds this vault") == "holds another vault, mine, not another"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_a_vaults_description_that_is_none_fails(store: LocalStore, data: bytes) -> None:
    store.put_new("vault.json", data)
    assert failures(check_store(store)) == ["holds this vault"]


def test_whatever_goes_wrong_is_a_check_that_is_not_ok() -> None:
    def fail() -> list[Check]:
        raise StoreError("no answer", "look at it")

    assert attempted("proofs", fail) == [Check("proofs", False, "no answer", "look at it")]


# A bucket


def checked(server: Seaweed, bucket: str, **options: Any) -> list[Check]:
    return check_store(S3Store(server.options(bucket, **options)))


def keys(server: Seaweed, bucket: str) -> list[str]:
    """All that lies in a bucket, versions, markers and unended uploads."""
    client = server.client()
    page = client.list_object_versions(Bucket=bucket)
    uploads = client.list_multipart_uploads(Bucket=bucket).get("Uploads") or []
    return [one["Key"] for one in [*page.get("Versions", []), *page.get("DeleteMarkers", []), *uploads]]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("versioned", {}),
        ("locked", {"object_lock": "governance", "lock_days": 30, "prefix": "some/where/"}),
        ("locked", {"object_lock": "compliance", "lock_days": 30, "legal_hold": True}),
        ("locked", {"legal_hold": True, "storage_class": "STANDARD_IA"}),
    ],
)
def test_a_bucket_proves_all_that_is_asked_of_it_and_only_what_is_locked_stays(
    seaweed: Seaweed, kind: Any, options: dict[str, Any]
) -> None:
    bucket = seaweed.make_bucket(kind)
    checks = checked(seaweed, bucket, **options)
    assert failures(checks) == []
    left = keys(seaweed, bucket)
    assert len(left) == 2 * (options.get("object_lock") == "compliance")  # one of them came in parts
    assert all(key.startswith(f"{options.get('prefix', '')}checks/") for key in left)
    whats = {one.what for one in checks}
    assert {"bucket", "clock", "versions", "create-only", "create-only, in parts", "checksum"} <= whats
    assert {"checksum, in parts", "ending uploads", "no public reading", "no public writing"} <= whats
    assert {"lock holds", "lock holds, in parts"} <= whats or "object_lock" not in options
    assert ("lock holds" in whats) == ("object_lock" in options)
    assert {one.what for one in checks if not one.proven} == {"public access block"}, "SeaweedFS has none"
    assert ("legal hold" in whats) == ("legal_hold" in options)
    assert said(checks, "as asked").startswith(f"storage class {options.get('storage_class', 'STANDARD')},")


def test_what_was_locked_is_removed_by_a_check_after_its_time_is_over(seaweed: Seaweed) -> None:
    bucket = seaweed.make_bucket("locked")
    until = datetime.now(UTC) + timedelta(seconds=3)
    lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
    key = probe_name()
    seaweed.client().put_object(Bucket=bucket, Key=key, Body=b"probe", **lock)

    def cleaning() -> str:
        connection = Connection(seaweed.options(bucket), system_clock)
        return said(check_bucket(connection, stale_seconds=0), "cleaning")

    assert "1 probe is kept" in cleaning()
    assert keys(seaweed, bucket) == [key]
    time.sleep(max(0, (until - datetime.now(UTC)).total_seconds()) + 1)
    assert cleaning() == "every probe was removed"
    assert keys(seaweed, bucket) == []


def test_what_somebody_else_keeps_in_the_bucket_under_the_name_of_the_probes_stays(seaweed: Seaweed) -> None:
    """Whatever its age; and the probes of a check that runs at the same time, its uploads too."""
    bucket, running = seaweed.make_bucket("versioned"), [probe_name(), probe_name()]
    client = seaweed.client()
    for key in ("checks/cheque-0001.pdf", "checks/2026/cheque-0002.pdf", running[0]):
        client.put_object(Bucket=bucket, Key=key, Body=b"somebody's")
    client.create_multipart_upload(Bucket=bucket, Key=running[1])
    before = sorted(keys(seaweed, bucket))
    assert failures(checked(seaweed, bucket)) == []
    assert sorted(keys(seaweed, bucket)) == before
    check_bucket(Connection(seaweed.options(bucket), system_clock), stale_seconds=0)
    assert sorted(keys(seaweed, bucket)) == ["checks/2026/cheque-0002.pdf", "checks/cheque-0001.pdf"]


def test_a_bucket_without_versions_fails_and_is_told_how_to_have_them(seaweed: Seaweed) -> None:
    checks = checked(seaweed, bucket := seaweed.make_bucket("plain"))
    assert failures(checks) == ["versions"]
    (found,) = [one for one in checks if one.what == "versions"]
    assert f"put-bucket-versioning --versioning-configuration Status=Enabled --bucket {bucket}" in str(
        found.hint
    )
    assert keys(seaweed, bucket) == []


@pytest.mark.parametrize("lock", [{"object_lock": "compliance", "lock_days": 1}, {"legal_hold": True}])
def test_a_bucket_without_the_lock_that_is_asked_for_fails(seaweed: Seaweed, lock: dict[str, Any]) -> None:
    checks = checked(seaweed, seaweed.make_bucket("versioned"), **lock)
    assert failures(checks) == ["lock"]
    assert said(checks, "lock") == "the bucket has no Object Lock"


def test_credentials_that_may_bypass_a_governance_lock_are_told_of(seaweed: Seaweed) -> None:
    checks = checked(seaweed, seaweed.make_bucket("locked"), object_lock="governance", lock_days=1)
    assert said(checks, "lock and these credentials").startswith("THEY MAY BYPASS IT: ")


def test_probes_are_spared_the_lock_that_a_bucket_gives_everything(seaweed: Seaweed) -> None:
    bucket = seaweed.make_bucket("locked")
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 9}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    client = seaweed.client()
    client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=configuration)
    assert failures(checked(seaweed, bucket)) == []
    for one in client.list_object_versions(Bucket=bucket)["Versions"]:
        head = client.head_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        assert head["ObjectLockRetainUntilDate"] < datetime.now(UTC) + timedelta(minutes=5), one["Key"]


def test_what_cannot_be_reached_fails_once_and_nothing_more_is_tried(seaweed: Seaweed) -> None:
    (found,) = checked(seaweed, "no-such-bucket")
    assert (found.what, found.ok) == ("bucket", False)
    assert found.said.endswith("there is no bucket no-such-bucket")
    secret = "a-key-that-nobody-may-see"
    (found,) = checked(seaweed, seaweed.make_bucket("plain"), secret_access_key=secret)
    assert not found.ok
    assert secret not in f"{found}"


def test_a_clock_that_differs_by_minutes_fails(seaweed: Seaweed) -> None:
    """Not by so much that the server refuses: that it does from a quarter of an hour on."""
    options = seaweed.options(seaweed.make_bucket("locked"), object_lock="compliance", lock_days=1)
    for seconds, expected in ((-400, ["clock"]), (400, ["clock"]), (100, [])):
        store = S3Store(options, clock=lambda ahead=seconds: system_clock() + ahead * 1000)  # type: ignore[misc]
        checks = check_store(store)
        assert failures(checks) == expected
        assert "ahead" in said(checks, "clock") or seconds > 0


def test_another_region_than_the_settings_say_fails_where_the_server_tells_it(seaweed: Seaweed) -> None:
    options = seaweed.options(seaweed.make_bucket("versioned"), region="eu-west-1")
    first = check_bucket(Connection(options, system_clock))[0]
    assert first.what == "bucket"
    assert first.ok or first.hint == 'set region = "us-east-1"'


def test_a_key_of_the_servers_encryption_that_it_does_not_have_fails(seaweed: Seaweed) -> None:
    checks = checked(seaweed, seaweed.make_bucket("versioned"), encryption="AES256")
    assert "takes a file" in failures(checks)


def test_what_is_not_tried_in_time_is_said_not_to_be(seaweed: Seaweed) -> None:
    probing = Probing(Connection(seaweed.options("any"), system_clock))
    probing._until = time.monotonic() - 1
    check = probing.attempt("lock", lambda: pytest.fail("it was tried"))
    assert check == Check("lock", False, f"not tried: the checks took longer than {LONGEST_SECONDS} seconds")


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """One that lets anybody do anything, and knows a collector who may do less than its owner."""
    server = Seaweed(tmp_path_factory.mktemp("open"))
    path = server.folder / "s3.json"
    identities = json.loads(path.read_text())["identities"]
    identities.append({"name": "anonymous", "actions": ["Read", "List", "Write"]})
    less = [{"accessKey": "LESS", "secretKey": "less-secret"}]
    actions = ["Read", "Write", "List", "Tagging", "PutObjectRetention", "GetBucketObjectLockConfiguration"]
    identities.append({"name": "less", "credentials": less, "actions": actions})
    path.write_text(json.dumps({"identities": identities}))
    with server:
        yield server


def test_a_bucket_that_is_open_to_the_public_fails(open_server: Seaweed) -> None:
    bucket = open_server.make_bucket("versioned")
    checks = checked(open_server, bucket)
    assert failures(checks) == ["no public reading", "no public listing", "no public writing"]
    assert said(checks, "no public reading") == "reading works WITHOUT CREDENTIALS"
    assert keys(open_server, bucket) == []


def test_a_bucket_that_anybody_may_read_fails_though_the_probes_marker_cannot_be_removed(
    open_server: Seaweed,
) -> None:
    """Without leave to delete versions: what lies under a marker is not there for a stranger, and proves
    nothing."""
    bucket = open_server.make_bucket("versioned")
    refuse = when("DELETE", "versionId=", answer=DENIED)
    with weak_server(open_server, refuse) as endpoint:
        checks = check_store(S3Store(open_server.options(bucket, endpoint=endpoint)))
    assert "no public reading" in failures(checks)
    assert said(checks, "no public reading") == "reading works WITHOUT CREDENTIALS"


def test_credentials_that_may_not_bypass_a_lock_are_said_not_to(open_server: Seaweed) -> None:
    bucket = open_server.make_bucket("locked")
    less = {"access_key_id": "LESS", "secret_access_key": "less-secret"}
    checks = checked(open_server, bucket, object_lock="governance", lock_days=1, **less)
    assert said(checks, "lock and these credentials") == "they may not bypass it (AccessDenied)"
    assert "no version at all" not in said(checks, "lock holds")
