"""Putting back what is damaged or missing, from whichever store has it right, and nothing that is not."""

import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from archiver.chain import Head
from archiver.disk import PARTIAL_PREFIX
from archiver.errors import (
    ArchiverError,
    IncompleteError,
    IntegrityError,
    NoVaultError,
    StoreError,
    UsageError,
)
from archiver.formats import age
from archiver.keys import seal_archive_key
from archiver.repair import FileOutcome, Repair, repair_archive
from archiver.stores.base import Store, StoredFile
from archiver.stores.local import SET_ASIDE, LocalStore
from archiver.stores.named import OpenedStore
from archiver.stores.s3 import S3Options, S3Store
from archiver.vault import Vault
from archiver.verification import verify_vault
from tests.fakes.weak_s3 import Answer, weak_server
from tests.made_vaults import VAULT_ID, VaultMaker, post
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]

NAMES = ["2026-01-01", "2026-02-01", "2026-03-01"]
ARCHIVE = NAMES[1]
FOLDER = f"archives/{ARCHIVE}"
SEGMENT = f"{FOLDER}/records-000.sqlite.zst.age"
OTHER_SEGMENT = f"{FOLDER}/records-001.sqlite.zst.age"
KEY = f"{FOLDER}/key.age"
EVERY_FILE = [
    SEGMENT,
    OTHER_SEGMENT,
    f"{FOLDER}/key.age",
    f"{FOLDER}/manifest.json.sig",
    f"{FOLDER}/manifest.json",
]


class Pair:
    """The same vault in two folders, `near` and `far`."""

    def __init__(self, maker: VaultMaker, folder: Path) -> None:
        self.maker = maker
        for name in ("near", "far"):
            shutil.copytree(maker.folder, folder / name)
        self.near, self.far = folder / "near", folder / "far"
        self.before = contents(self.near)

    @property
    def stores(self) -> list[OpenedStore]:
        return [
            OpenedStore("near", True, LocalStore(self.near)),
            OpenedStore("far", False, LocalStore(self.far)),
        ]

    def repair(self, **options: object) -> Repair:
        return repair_archive(self.stores, ARCHIVE, **{"known_head": self.maker.head, **options})  # type: ignore[arg-type]

    def check_whole(self) -> None:
        for folder in (self.near, self.far):
            assert contents(folder) == self.before


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    maker = VaultMaker(tmp_path_factory.mktemp("made") / "vault")
    for number, name in enumerate(NAMES):
        maker.add(name, [post(f"{number}1", "one")], [post(f"{number}2", "two")])
    return maker


@pytest.fixture
def pair(maker: VaultMaker, tmp_path: Path) -> Pair:
    return Pair(maker, tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a vault, without what was set aside."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and SET_ASIDE not in path.parts
    }


def write(folder: Path, name: str, data: bytes | None) -> bytes:
    """Put other bytes there, or take them away; return those."""
    path = folder / name
    path.unlink(missing_ok=True)
    if data is not None:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(data)
    return data or b""


def flip(folder: Path, name: str, place: int = -100) -> bytes:
    data = bytearray((folder / name).read_bytes())
    data[place] ^= 1
    return write(folder, name, bytes(data))


def not_good(result: Repair) -> list[tuple[str, str, str, str | None]]:
    return [(one.store, one.name, one.state, one.source) for one in result.files if one.state != "good"]


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As on a disk that is full (setrlimit(2), RLIMIT_FSIZE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_where_all_is_right_nothing_is_done(pair: Pair) -> None:
    result = pair.repair()
    assert [(one.store, one.name) for one in result.files] == [
        (store, name) for store in ("near", "far") for name in EVERY_FILE
    ]
    assert (not_good(result), result.errors, result.reference) == ([], [], "near")
    assert not (pair.near / SET_ASIDE).exists()


@pytest.mark.parametrize("name", EVERY_FILE)
@pytest.mark.parametrize("store", ["near", "far"])
@pytest.mark.parametrize("damage", ["flip", "first byte", "cut", "longer", "missing", "other"])
def test_whatever_happened_to_a_file_it_is_put_back_and_what_lay_there_is_kept(
    pair: Pair, name: str, store: str, damage: str
) -> None:
    folder, other = (pair.near, pair.far) if store == "near" else (pair.far, pair.near)
    data = (folder / name).read_bytes()
    anothers = (folder / name.replace(ARCHIVE, NAMES[0])).read_bytes()
    damaged = {
        "flip": data[:-100] + bytes([data[-100] ^ 1]) + data[-99:],
        "first byte": b"\0" + data[1:],
        "cut": data[: len(data) // 2],
        "longer": data + b"\0",
        "missing": None,
        "other": anothers,
    }[damage]
    write(folder, name, damaged)
    result = pair.repair(identities=[pair.maker.holder])
    assert not_good(result) == [(store, name, "put back", "far" if store == "near" else "near")]
    assert result.errors == []
    pair.check_whole()
    aside = folder / SET_ASIDE / f"{name}.1"
    assert (aside.read_bytes() if aside.exists() else None) == damaged
    assert not (other / SET_ASIDE).exists()
    assert not_good(pair.repair()) == []


def test_an_archive_that_is_gone_altogether_is_put_back_whole(pair: Pair) -> None:
    shutil.rmtree(pair.near / FOLDER)
    result = pair.repair()
    assert result.reference == "far"
    assert not_good(result) == [("near", name, "put back", "far") for name in EVERY_FILE]
    pair.check_whole()
    assert verify_vault(Vault(LocalStore(pair.near)), known_head=pair.maker.head).problems == []


def test_each_store_is_repaired_from_the_other(pair: Pair) -> None:
    flip(pair.near, SEGMENT)
    flip(pair.near, f"{FOLDER}/manifest.json")
    flip(pair.far, OTHER_SEGMENT)
    write(pair.far, f"{FOLDER}/key.age", None)
    result = pair.repair()
    assert not_good(result) == [
        ("near", SEGMENT, "put back", "far"),
        ("near", f"{FOLDER}/manifest.json", "put back", "far"),
        ("far", OTHER_SEGMENT, "put back", "near"),
        ("far", f"{FOLDER}/key.age", "put back", "near"),
    ]
    pair.check_whole()


def test_a_manifest_is_told_right_though_its_neighbours_are_damaged_in_that_store(pair: Pair) -> None:
    flip(pair.near, f"{FOLDER}/manifest.json")
    flip(pair.far, f"archives/{NAMES[0]}/manifest.json")
    write(pair.far, f"archives/{NAMES[2]}/manifest.json", None)
    result = pair.repair()
    assert result.reference == "far"
    assert not_good(result) == [("near", f"{FOLDER}/manifest.json", "put back", "far")]


def test_what_is_damaged_everywhere_is_an_error_that_names_all_stores_and_stops_nothing_else(
    pair: Pair,
) -> None:
    damaged = [flip(pair.near, SEGMENT), flip(pair.far, SEGMENT, -50)]
    write(pair.near, OTHER_SEGMENT, None)
    result = pair.repair()
    assert not_good(result) == [
        ("near", SEGMENT, "not repaired", None),
        ("near", OTHER_SEGMENT, "put back", "far"),
        ("far", SEGMENT, "not repaired", None),
    ]
    assert [type(one) for one in result.errors] == [IntegrityError] * 2
    told = result.errors[0].message
    assert told.startswith(
        f"{SEGMENT} in store near was altered, and no other store has a good copy (in far: "
    )
    assert [(folder / SEGMENT).read_bytes() for folder in (pair.near, pair.far)] == damaged
    assert not list(pair.near.rglob(f"{PARTIAL_PREFIX}*"))


def test_with_one_store_it_is_said_that_there_is_no_other_copy(pair: Pair) -> None:
    flip(pair.near, SEGMENT)
    result = repair_archive(pair.stores[:1], ARCHIVE, known_head=None)
    (error,) = result.errors
    assert error.message == f"{SEGMENT} in store near was altered, and there is no other store"
    assert "name a copy of the vault in the settings" in str(error.hint)
    assert error.exit_code == 20


def test_a_manifest_that_is_damaged_everywhere_ends_it(pair: Pair) -> None:
    flip(pair.near, f"{FOLDER}/manifest.json")
    write(pair.far, f"{FOLDER}/manifest.json.sig", None)
    with pytest.raises(IntegrityError, match=f"{FOLDER}/manifest.json is missing or altered in near, far"):
        pair.repair()


def test_an_archive_that_nobody_has_is_a_usage_error(pair: Pair) -> None:
    with pytest.raises(UsageError, match=r"there is no archive 2020-01-01 in near, far"):
        repair_archive(pair.stores, "2020-01-01", known_head=None)


def test_a_manifest_that_is_rightly_signed_and_not_in_the_chain_is_not_taken(pair: Pair) -> None:
    """The collector's own key made it, of another history: nothing tells but the chain."""
    forked = VaultMaker(pair.near.parent / "forked")
    forked.key, forked.holder = pair.maker.key, pair.maker.holder
    for name in NAMES[:2]:
        forked.add(name, [post("9", "another history")])
    shutil.rmtree(pair.near / FOLDER)
    shutil.copytree(forked.folder / FOLDER, pair.near / FOLDER)
    result = pair.repair(identities=[pair.maker.holder])
    assert result.reference == "far"
    assert {one.state for one in result.files if one.store == "far"} == {"good"}
    assert all((pair.near / name).read_bytes() == (pair.far / name).read_bytes() for name in EVERY_FILE)


def test_the_last_archive_must_be_the_one_that_was_noted(pair: Pair) -> None:
    known = Head(3, sha256(b"another").hexdigest())
    with pytest.raises(IntegrityError, match="is missing or altered in near, far"):
        repair_archive(pair.stores, NAMES[2], known_head=known)
    with pytest.raises(IntegrityError, match="is missing or altered in near, far"):
        repair_archive(pair.stores, NAMES[1], known_head=known)


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(pair: Pair) -> None:
    flip(pair.near, SEGMENT)
    write(pair.near, f"{FOLDER}/manifest.json", None)
    write(pair.far, f"{FOLDER}/key.age", b"garbage")
    flip(pair.near, OTHER_SEGMENT)
    flip(pair.far, OTHER_SEGMENT)
    before = contents(pair.near), contents(pair.far)
    result = pair.repair(dry_run=True)
    assert not_good(result) == [
        ("near", SEGMENT, "to be put back", "far"),
        ("near", OTHER_SEGMENT, "not repaired", None),
        ("near", f"{FOLDER}/manifest.json", "to be put back", "far"),
        ("far", OTHER_SEGMENT, "not repaired", None),
        ("far", f"{FOLDER}/key.age", "to be put back", "near"),
    ]
    assert (contents(pair.near), contents(pair.far)) == before
    assert not (pair.near / SET_ASIDE).exists()


def test_only_the_store_named_is_repaired_and_all_others_may_be_taken_from(pair: Pair) -> None:
    flip(pair.near, SEGMENT)
    kept = flip(pair.far, OTHER_SEGMENT)
    result = pair.repair(only="near")
    assert {one.store for one in result.files} == {"near"}
    assert not_good(result) == [("near", SEGMENT, "put back", "far")]
    assert (pair.far / OTHER_SEGMENT).read_bytes() == kept


def test_a_full_disk_leaves_the_damaged_file_in_its_place(pair: Pair) -> None:
    damaged = flip(pair.near, SEGMENT)
    write(pair.near, f"{FOLDER}/manifest.json.sig", None)
    with no_file_larger_than(2_000):
        result = pair.repair()
    assert not_good(result) == [
        ("near", SEGMENT, "not repaired", "far"),
        ("near", f"{FOLDER}/manifest.json.sig", "put back", "far"),
    ]
    assert "the disk is full while writing" in result.errors[0].message
    assert (pair.near / SEGMENT).read_bytes() == damaged
    assert not (pair.near / SET_ASIDE / SEGMENT).exists()
    assert not list(pair.near.rglob(f"{PARTIAL_PREFIX}*"))
    assert not_good(pair.repair()) == [("near", SEGMENT, "put back", "far")]


# The key, which is in no manifest


def another_key(pair: Pair) -> bytes:
    """A key of the right keyholder to a wrong archive."""
    return seal_archive_key(age.X25519Identity.generate(), [pair.maker.holder.recipient()])


def test_without_an_identity_a_key_that_is_no_age_file_is_replaced_by_the_one_that_is(pair: Pair) -> None:
    write(pair.near, f"{FOLDER}/key.age", b"age-encryption.org/v1\nnothing more")
    assert not_good(pair.repair()) == [("near", f"{FOLDER}/key.age", "put back", "far")]
    pair.check_whole()


def test_without_an_identity_nothing_is_done_to_keys_that_differ(pair: Pair) -> None:
    other = write(pair.near, f"{FOLDER}/key.age", another_key(pair))
    result = pair.repair()
    assert [one[2] for one in not_good(result)] == ["not repaired"] * 2
    assert "no identity here tells which is right" in result.errors[0].message
    assert (pair.near / f"{FOLDER}/key.age").read_bytes() == other


def test_an_identity_tells_which_of_two_keys_is_right(pair: Pair) -> None:
    write(pair.near, f"{FOLDER}/key.age", another_key(pair))
    result = pair.repair(identities=[pair.maker.holder])
    assert not_good(result) == [("near", f"{FOLDER}/key.age", "put back", "far")]
    pair.check_whole()


def test_two_keys_that_both_open_are_both_left_as_they_are(pair: Pair) -> None:
    identity = Vault(LocalStore(pair.near)).open_key(
        Vault(LocalStore(pair.near)).list_archives().archives[1], [pair.maker.holder]
    )
    rewritten = seal_archive_key(identity, [pair.maker.holder.recipient()])
    write(pair.near, f"{FOLDER}/key.age", rewritten)
    assert not_good(pair.repair(identities=[pair.maker.holder])) == []
    assert (pair.near / f"{FOLDER}/key.age").read_bytes() == rewritten


def test_keys_that_are_garbage_everywhere_are_an_error(pair: Pair) -> None:
    write(pair.near, f"{FOLDER}/key.age", b"garbage")
    write(pair.far, f"{FOLDER}/key.age", None)
    result = pair.repair()
    assert [one[2] for one in not_good(result)] == ["not repaired"] * 2
    assert "key.age in store far is missing" in result.errors[1].message


def test_a_link_in_a_time_stamps_place_is_not_copied_to_where_it_leads_from(
    pair: Pair, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"AGE-SECRET-KEY-1NOBODYS")
    (pair.far / FOLDER / "manifest.json.tsr").symlink_to(tmp_path / "secret")
    assert not_good(pair.repair()) == []
    assert contents(pair.near) == pair.before


def test_of_two_keys_that_are_both_right_none_is_put_where_there_is_none(pair: Pair, tmp_path: Path) -> None:
    """One of them is from before a keyholder was removed."""
    removed = age.X25519Identity.generate()
    archive = Vault(LocalStore(pair.near)).list_archives().archives[1]
    own = Vault(LocalStore(pair.near)).open_key(archive, [pair.maker.holder])
    holders = [pair.maker.holder.recipient(), removed.recipient()]
    write(pair.near, f"{FOLDER}/key.age", seal_archive_key(own, holders))
    third = shutil.copytree(pair.far, tmp_path / "third")
    write(third, f"{FOLDER}/key.age", None)
    stores = [*pair.stores, OpenedStore("third", True, LocalStore(third))]
    result = repair_archive(stores, ARCHIVE, known_head=None, identities=[pair.maker.holder])
    assert not_good(result) == [("third", f"{FOLDER}/key.age", "not repaired", None)]
    assert "archiver keys rewrap" in str(result.errors[0].hint)
    assert not (third / FOLDER / "key.age").exists()


# A store that somebody else wrote anew, his own list of signers beside it


@pytest.fixture
def stranger(pair: Pair) -> Pair:
    """Of which `near`, the first store, holds another history, each archive rightly signed there."""
    shutil.rmtree(pair.near)
    other = VaultMaker(pair.near)
    for name in NAMES:
        other.add(name, [post("666", "of a stranger")])
    return pair


def test_what_a_stranger_signed_is_not_put_over_what_is_right(stranger: Pair) -> None:
    with pytest.raises(IntegrityError, match="store near and store far do not have the same archive"):
        stranger.repair(known_head=None)
    assert contents(stranger.far) == stranger.before
    result = stranger.repair(identities=[stranger.maker.holder])
    assert result.reference == "far", "the head tells"
    assert result.errors == []
    assert contents(stranger.far) == stranger.before
    assert (stranger.near / SEGMENT).read_bytes() == (stranger.far / SEGMENT).read_bytes()


def test_what_a_stranger_signed_is_not_put_where_the_right_manifest_is_damaged(stranger: Pair) -> None:
    flip(stranger.far, f"{FOLDER}/manifest.json")
    before = contents(stranger.far)
    result = stranger.repair(known_head=None)
    assert "store far: archive" in result.errors[0].message
    assert contents(stranger.far) == before


def test_into_a_store_without_a_vault_nothing_is_put_before_it_was_proven(pair: Pair) -> None:
    write(pair.near, "vault.json", None)
    flip(pair.near, SEGMENT)
    before = contents(pair.near)
    result = pair.repair()
    ((name, error),) = result.away
    assert (name, type(error), error.hint) == (
        "near", NoVaultError, "fill it, which proves it first: archiver sync --store near",
    )  # fmt: skip
    assert (not_good(result), contents(pair.near)) == ([], before)
    with pytest.raises(NoVaultError):
        pair.repair(only="near")


def test_between_stores_of_different_vaults_nothing_is_put(pair: Pair) -> None:
    described = (pair.far / "vault.json").read_bytes()
    write(pair.far, "vault.json", described.replace(VAULT_ID.encode(), b"another-one"))
    flip(pair.near, SEGMENT)
    before = contents(pair.near), contents(pair.far)
    for only in (None, "near", "far"):
        with pytest.raises(
            IntegrityError, match=r"store far .* holds another vault, another-one, than store near"
        ):
            pair.repair(only=only)
    assert (contents(pair.near), contents(pair.far)) == before


@pytest.mark.parametrize("name", ["vault.json", "allowed_signers"])
@pytest.mark.parametrize("data", [b"garbage\n", b"", b"\xff\x00"])
def test_what_makes_a_store_a_vault_is_put_back_with_an_archive_or_alone(
    pair: Pair, name: str, data: bytes
) -> None:
    for archive in (ARCHIVE, None):
        write(pair.near, name, data)
        flip(pair.near, SEGMENT)
        result = repair_archive(pair.stores, archive, known_head=None)
        expected = [("near", name, "put back", "far"), ("near", SEGMENT, "put back", "far")]
        assert not_good(result) == expected[: 1 if archive is None else 2]
        assert result.errors == []
    write(pair.near, SEGMENT, pair.before[SEGMENT])
    pair.check_whole()
    assert (pair.near / SET_ASIDE / f"{name}.1").read_bytes() == data


def test_of_two_lists_of_signers_none_is_put_where_there_is_none(pair: Pair, tmp_path: Path) -> None:
    shutil.copytree(pair.near, tmp_path / "third")
    write(tmp_path / "third", "allowed_signers", pair.before["allowed_signers"] + b"# another\n")
    write(pair.near, "allowed_signers", None)
    stores = [*pair.stores, OpenedStore("third", True, LocalStore(tmp_path / "third"))]
    result = repair_archive(stores, None, known_head=None)
    assert not_good(result) == [("near", "allowed_signers", "not repaired", None)]
    assert result.errors[0].hint == "compare them, and put the right one there"


def test_a_list_that_does_not_name_who_signed_what_is_there_is_not_put_there(stranger: Pair) -> None:
    write(stranger.near, "allowed_signers", b"garbage\n")
    result = repair_archive(stranger.stores, None, known_head=None)
    assert not_good(result) == [("near", "allowed_signers", "not repaired", None)]
    assert "does not name who signed archive" in result.errors[0].message
    assert (stranger.near / "allowed_signers").read_bytes() == b"garbage\n"


# A bucket


@pytest.fixture
def bucket(seaweed: Seaweed, pair: Pair) -> tuple[S3Store, list[OpenedStore]]:
    """The same vault in a bucket as well; what is `near` is the first."""
    store = S3Store(seaweed.options(seaweed.make_bucket("versioned"), prefix="vault/"))
    for name, data in contents(pair.near).items():
        store.put_new(name, data)
    return store, [pair.stores[0], OpenedStore("bucket", False, store)]


def repaired(stores: list[OpenedStore]) -> list[tuple[str, str, str, str | None]]:
    result = repair_archive(stores, ARCHIVE, known_head=None)
    assert result.errors == []
    return not_good(result)


def fresh(store: S3Store) -> Store:
    return S3Store(store.options)


def test_a_bucket_is_repaired_from_a_folder_and_a_folder_from_a_bucket(
    pair: Pair, bucket: tuple[S3Store, list[OpenedStore]], seaweed: Seaweed
) -> None:
    store, stores = bucket
    flip(pair.near, OTHER_SEGMENT)
    client, place = seaweed.client(), {"Bucket": store.options.bucket, "Key": f"vault/{SEGMENT}"}
    (version,) = client.list_object_versions(Bucket=place["Bucket"], Prefix=place["Key"])["Versions"]
    client.delete_object(**place, VersionId=version["VersionId"])
    client.put_object(**place, Body=b"other bytes")
    stores = [stores[0], OpenedStore("bucket", False, fresh(store))]
    assert repaired(stores) == [
        ("near", OTHER_SEGMENT, "put back", "bucket"),
        ("bucket", SEGMENT, "put back", "near"),
    ]
    again = fresh(store)
    assert again.read(SEGMENT, 1 << 20) == pair.before[SEGMENT]
    assert contents(pair.near) == pair.before
    assert repaired([stores[0], OpenedStore("bucket", False, again)]) == []


def test_a_delete_marker_over_good_bytes_is_taken_away(
    bucket: tuple[S3Store, list[OpenedStore]], seaweed: Seaweed
) -> None:
    store, stores = bucket
    seaweed.client().delete_object(Bucket=store.options.bucket, Key=f"vault/{SEGMENT}")
    (problem,) = verify_vault(Vault(fresh(store)), known_head=None).problems
    assert problem.message == f"{SEGMENT}: a delete marker lies over it"
    stores = [stores[0], OpenedStore("bucket", False, fresh(store))]
    assert repaired(stores) == [("bucket", SEGMENT, "put back", "bucket")]
    assert verify_vault(Vault(fresh(store)), known_head=None).problems == []


def test_what_somebody_else_put_over_good_bytes_is_set_aside_and_taken_away(
    pair: Pair, bucket: tuple[S3Store, list[OpenedStore]], seaweed: Seaweed
) -> None:
    store, stores = bucket
    client = seaweed.client()
    for name in (SEGMENT, "vault.json"):
        client.put_object(Bucket=store.options.bucket, Key=f"vault/{name}", Body=b"somebody else's")
    client.delete_object(Bucket=store.options.bucket, Key="vault/allowed_signers")
    problems = verify_vault(Vault(fresh(store)), known_head=None, deep=True).problems
    assert {type(problem) for problem in problems} == {IncompleteError}
    told = sorted(problem.message.partition(": version ")[0] for problem in problems)
    assert told == [
        "allowed_signers: a delete marker lies over it",
        f"{SEGMENT}: 1 later version lies over it, put there by somebody else",
        "vault.json: 1 later version lies over it, put there by somebody else",
    ]
    stores = [stores[0], OpenedStore("bucket", False, fresh(store))]
    assert repaired(stores) == [
        ("bucket", "vault.json", "put back", "bucket"),
        ("bucket", "allowed_signers", "put back", "bucket"),
        ("bucket", SEGMENT, "put back", "bucket"),
    ]
    assert verify_vault(Vault(fresh(store)), known_head=None).problems == []
    assert fresh(store).read(SEGMENT, 1 << 20) == pair.before[SEGMENT]
    assert fresh(store).read(f"{SET_ASIDE}/{SEGMENT}.1", 100) == b"somebody else's"


def test_what_the_server_keeps_over_good_bytes_is_named_and_is_no_damage(
    pair: Pair, seaweed: Seaweed
) -> None:
    store = S3Store(seaweed.options(seaweed.make_bucket("locked"), object_lock="compliance", lock_days=1))
    for name, data in contents(pair.near).items():
        store.put_new(name, data)
    until = datetime.now(UTC) + timedelta(days=3)
    lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
    client = seaweed.client()
    put = client.put_object(Bucket=store.options.bucket, Key=SEGMENT, Body=b"somebody else's", **lock)
    stores = [pair.stores[0], OpenedStore("bucket", False, fresh(store))]
    result = repair_archive(stores, ARCHIVE, known_head=None)
    (error,) = result.errors
    assert isinstance(error, IncompleteError)
    assert error.message == (
        f"{SEGMENT} in store bucket is read unharmed, but 1 later version lies over it, put there by somebody"
        f" else: version {put['VersionId']} under a lock until {until:%Y-%m-%d}"
    )
    (problem,) = verify_vault(Vault(fresh(store)), known_head=None).problems
    assert isinstance(problem, IncompleteError)
    assert problem.hint == f"what is read is unharmed; mend it: archiver repair {ARCHIVE}"


def test_who_may_take_no_version_away_is_told_that_nothing_is_harmed(pair: Pair, seaweed: Seaweed) -> None:
    store = S3Store(seaweed.options(seaweed.make_bucket("versioned")))
    for name, data in contents(pair.near).items():
        store.put_new(name, data)
    seaweed.client().put_object(Bucket=store.options.bucket, Key=SEGMENT, Body=b"somebody else's")

    def deny(request: BaseHTTPRequestHandler) -> Answer | None:
        refusal = 403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"}
        return refusal if request.command == "DELETE" else None

    with weak_server(seaweed, deny) as endpoint:
        weak = S3Store(seaweed.options(store.options.bucket, endpoint=endpoint))
        result = repair_archive([OpenedStore("bucket", True, weak)], ARCHIVE, known_head=None)
    (error,) = result.errors
    assert isinstance(error, IncompleteError)
    assert "is read unharmed, but 1 later version lies over it" in error.message
    assert "mending that failed: removing" in error.message
    assert "the server denies it" in error.message


def test_a_lock_that_is_not_in_force_is_said_and_put_in_force(pair: Pair, seaweed: Seaweed) -> None:
    bucket = seaweed.make_bucket("locked")
    store = S3Store(seaweed.options(bucket))
    for name, data in contents(pair.near).items():
        store.put_new(name, data)
    asked = {"object_lock": "governance", "lock_days": 2, "legal_hold": True}
    locking = S3Store(seaweed.options(bucket, **asked))
    problems = verify_vault(Vault(locking), known_head=None).problems
    assert f"{SEGMENT}: it is not locked" in [problem.message for problem in problems]
    for archive in NAMES:
        stores = [OpenedStore("bucket", True, S3Store(seaweed.options(bucket, **asked)))]
        assert repair_archive(stores, archive, known_head=None).errors == []
    assert verify_vault(Vault(S3Store(seaweed.options(bucket, **asked))), known_head=None).problems == []
    head = seaweed.client().head_object(Bucket=bucket, Key=SEGMENT)
    assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "ON")


@pytest.fixture
def locked(pair: Pair, seaweed: Seaweed) -> S3Store:
    """The vault in a bucket alone, under a lock that nobody can lift."""
    store = S3Store(seaweed.options(seaweed.make_bucket("locked"), object_lock="compliance", lock_days=1))
    for name, data in contents(pair.near).items():
        store.put_new(name, data)
    return store


def repair_alone(store: S3Store, **options: Any) -> Repair:
    stores = [OpenedStore("bucket", True, fresh(store))]
    return repair_archive(stores, ARCHIVE, known_head=None, **options)


@pytest.mark.parametrize("stranger_is_sound", [False, True])
def test_a_key_that_somebody_put_something_over_is_encrypted_anew_to_the_keyholders(
    pair: Pair, locked: S3Store, seaweed: Seaweed, stranger_is_sound: bool
) -> None:
    holder, another = pair.maker.holder, age.X25519Identity.generate()
    stranger = age.X25519Identity.generate()
    over = age.encrypt([stranger.recipient()], b"nothing\n") if stranger_is_sound else b"garbage"
    seaweed.client().put_object(Bucket=locked.options.bucket, Key=KEY, Body=over)
    recipients = [holder.recipient(), another.recipient()]
    dry = repair_alone(locked, identities=[holder], recipients=recipients, dry_run=True)
    assert not_good(dry) == [("bucket", KEY, "to be put back", "an older version of it")]
    result = repair_alone(locked, identities=[holder], recipients=recipients)
    assert not_good(result) == [("bucket", KEY, "put back", "an older version of it")]
    assert result.errors == []
    own = age.decrypt([holder], pair.before[KEY])
    for identity in (holder, another):
        assert age.decrypt([identity], fresh(locked).read(KEY, 1 << 20)) == own
    assert (
        verify_vault(Vault(fresh(locked)), known_head=None, identities=[another], only=[ARCHIVE]).problems
        == []
    )


def test_a_key_is_not_given_back_to_a_keyholder_who_was_removed(pair: Pair, locked: S3Store) -> None:
    remaining = age.X25519Identity.generate()
    key = age.encrypt([remaining.recipient()], age.decrypt([pair.maker.holder], pair.before[KEY]))
    locked.replace_key(KEY, key)
    result = repair_alone(locked, identities=[pair.maker.holder], recipients=[remaining.recipient()])
    assert not_good(result) == [], "a sound key that others open is none of this one's business"
    assert fresh(locked).read(KEY, 1 << 20) == key


def test_garbage_over_a_key_is_left_where_nobody_can_tell_whether_an_older_one_is_right(
    pair: Pair, locked: S3Store, seaweed: Seaweed
) -> None:
    seaweed.client().put_object(Bucket=locked.options.bucket, Key=KEY, Body=b"garbage")
    (error,) = repair_alone(locked).errors
    assert str(error.hint).startswith("an older version of it is an age file: run this where a keyholder")
    assert fresh(locked).read(KEY, 100) == b"garbage"
    stores = [pair.stores[0], OpenedStore("bucket", True, fresh(locked))]
    assert repaired(stores) == [("bucket", KEY, "put back", "near")], "another store tells"


def unreachable(name: str, *, required: bool = False) -> OpenedStore:
    """Nobody listens there."""
    options = S3Options("bucket", endpoint="http://127.0.0.1:9", region="us-east-1", access_key_id="key",
                        secret_access_key="none", tries=1, connect_timeout_seconds=2)  # fmt: skip
    return OpenedStore(name, required, S3Store(options))


def test_a_store_that_cannot_be_reached_is_named_and_the_others_are_repaired(pair: Pair) -> None:
    flip(pair.near, SEGMENT)
    away = unreachable("away")
    result = repair_archive([away, *pair.stores], ARCHIVE, known_head=None)
    assert [(name, type(error)) for name, error in result.away] == [("away", StoreError)]
    assert not_good(result) == [("near", SEGMENT, "put back", "far")]
    assert result.errors == []
    with pytest.raises(StoreError, match="the server cannot be reached"):
        repair_archive([*pair.stores, away], ARCHIVE, known_head=None, only="away")
    with pytest.raises(StoreError):
        repair_archive([away], ARCHIVE, known_head=None)


def test_a_store_that_goes_away_meanwhile_is_out_of_reach_file_by_file(pair: Pair, seaweed: Seaweed) -> None:
    class GoesAway(LocalStore):
        def open_random(self, name: str) -> StoredFile:
            if name.startswith(FOLDER) and ".age" in name:
                raise StoreError("no answer came in time")
            return super().open_random(name)

    flip(pair.near, OTHER_SEGMENT)
    stores = [pair.stores[0], OpenedStore("far", False, GoesAway(pair.far))]
    result = repair_archive(stores, ARCHIVE, known_head=None)
    assert [one for one in not_good(result) if one[0] == "near"] == [
        ("near", OTHER_SEGMENT, "not repaired", None)
    ]
    assert "(in far: no answer came in time)" in result.errors[0].message
    assert {one.found for one in result.files if one.store == "far" and one.error} == {"out of reach"}


def test_a_file_that_cannot_be_read_is_put_back(pair: Pair) -> None:
    class BadSector(LocalStore):
        """Until the file is written anew."""

        def open_random(self, name: str) -> StoredFile:
            if name == SEGMENT and not (self.root / SET_ASIDE / f"{name}.1").exists():
                raise ArchiverError(f"{name}: input/output error while reading it")
            return super().open_random(name)

    stores = [OpenedStore("near", True, BadSector(pair.near)), pair.stores[1]]
    result = repair_archive(stores, ARCHIVE, known_head=None)
    assert not_good(result) == [("near", SEGMENT, "put back", "far")]
    assert [one.found for one in result.files if one.found] == [
        f"cannot be read ({SEGMENT}: input/output error while reading it)"
    ]


def test_a_folder_in_a_files_place_is_set_aside(pair: Pair) -> None:
    (pair.near / SEGMENT).unlink()
    (pair.near / SEGMENT).mkdir()
    assert not_good(pair.repair()) == [("near", SEGMENT, "put back", "far")]
    pair.check_whole()
    assert (pair.near / SET_ASIDE / f"{SEGMENT}.1").is_dir()


def test_every_outcome_says_what_was_found(pair: Pair) -> None:
    write(pair.near, SEGMENT, (pair.near / SEGMENT).read_bytes()[:-1])
    (one,) = [one for one in pair.repair().files if one.state != "good"]
    size = len(pair.before[SEGMENT])
    assert one == FileOutcome(
        "near", SEGMENT, "put back", f"has {size - 1:,} bytes where {size:,} are right", "far"
    )
