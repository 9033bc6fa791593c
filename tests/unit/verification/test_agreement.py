"""Several stores verified side by side: each by itself, then what one has and another lacks or has
otherwise, and how bad that is."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from archiver.chain import Head
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
from archiver.stores.base import Inspection
from archiver.stores.local import LocalStore
from archiver.stores.named import NamedStore
from archiver.stores.s3 import S3Store
from archiver.verification import Depth
from archiver.verification.agreement import StoreVerification, verify_stores
from tests.made_vaults import VaultMaker, post
from tests.memory_store import MemoryStore
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]

NAMES = ["2026-01-01", "2026-02-01", "2026-03-01"]
SEGMENT = "records-000.sqlite.zst.age"


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    maker = VaultMaker(tmp_path_factory.mktemp("made") / "vault")
    for number, name in enumerate(NAMES):
        maker.add(name, [post(str(number), "word", number)])
    return maker


@pytest.fixture
def folders(maker: VaultMaker, tmp_path: Path) -> tuple[Path, Path]:
    """The same vault twice."""
    return shutil.copytree(maker.folder, tmp_path / "one"), shutil.copytree(maker.folder, tmp_path / "two")


def named(*folders: Path, required: bool = False) -> list[NamedStore]:
    """The first is required, the others as said."""
    return [
        NamedStore(folder.name, required or number == 0, partial(LocalStore, folder))
        for number, folder in enumerate(folders)
    ]


def problems(found: list[StoreVerification]) -> list[tuple[str, type, str]]:
    return [(one.store, type(each), each.message) for one in found for each in one.result.problems]


def alter(path: Path, place: int = 500) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def test_stores_that_hold_the_same_have_no_problems(maker: VaultMaker, folders: tuple[Path, Path]) -> None:
    found = verify_stores(named(*folders), known_head=maker.head)
    assert problems(found) == []
    assert [(one.store, one.required, one.away) for one in found] == [
        ("one", True, False),
        ("two", False, False),
    ]
    assert [(one.result.files, one.result.head) for one in found] == [(3, maker.head)] * 2


@pytest.mark.parametrize(("required", "kind"), [(True, IntegrityError), (False, IncompleteError)])
@pytest.mark.parametrize("lacking", [NAMES[2:], NAMES[1:], NAMES[:1], NAMES[1:2]])
def test_a_store_that_lacks_what_another_has_is_behind_and_that_is_all_that_is_said_of_it(
    maker: VaultMaker, folders: tuple[Path, Path], required: bool, kind: type, lacking: list[str]
) -> None:
    for name in lacking:
        shutil.rmtree(folders[1] / "archives" / name)
    found = verify_stores(named(*folders, required=required), known_head=maker.head)
    assert problems(found) == [("two", kind, f"lacks {', '.join(lacking)}, which one has")]
    assert found[1].result.files == 3 - len(lacking)
    assert problems(verify_stores(named(*folders, required=required), known_head=None)) == problems(found)


def test_the_first_store_can_be_the_one_that_is_behind(maker: VaultMaker, folders: tuple[Path, Path]) -> None:
    shutil.rmtree(folders[0] / "archives" / NAMES[2])
    found = verify_stores(named(*folders), known_head=maker.head)
    assert problems(found) == [("one", IntegrityError, f"lacks {NAMES[2]}, which two has")]


def test_what_was_half_copied_counts_as_lacking(maker: VaultMaker, folders: tuple[Path, Path]) -> None:
    (folders[1] / "archives" / NAMES[2] / "manifest.json").unlink()
    found = verify_stores(named(*folders), known_head=maker.head)
    assert problems(found) == [("two", IncompleteError, f"lacks {NAMES[2]}, which one has")]


def test_being_behind_hides_no_damage(maker: VaultMaker, folders: tuple[Path, Path]) -> None:
    shutil.rmtree(folders[1] / "archives" / NAMES[2])
    alter(folders[1] / "archives" / NAMES[0] / SEGMENT)
    alter(folders[1] / "archives" / NAMES[1] / "manifest.json", -20)
    told = problems(verify_stores(named(*folders), known_head=maker.head))
    assert told[0] == ("two", IncompleteError, f"lacks {NAMES[2]}, which one has")
    assert {kind for _, kind, _ in told[1:]} == {IntegrityError}
    assert any(f"{NAMES[0]}/{SEGMENT} was altered" in text for _, _, text in told)
    assert any(f"{NAMES[1]}/manifest.json" in text for _, _, text in told)


def test_an_end_that_no_store_has_is_damage_where_everything_must_be_and_else_behind(
    maker: VaultMaker, folders: tuple[Path, Path]
) -> None:
    for folder in folders:
        shutil.rmtree(folder / "archives" / NAMES[2])
    told = problems(verify_stores(named(*folders), known_head=maker.head))
    assert [(store, kind) for store, kind, _ in told] == [("one", IntegrityError), ("two", IncompleteError)]
    alone = [NamedStore("two", False, partial(LocalStore, folders[1]))]
    assert [kind for _, kind, _ in problems(verify_stores(alone, known_head=maker.head))] == [IncompleteError]
    other = Head(2, "0" * 64)
    assert [kind for _, kind, _ in problems(verify_stores(alone, known_head=other))] == [IntegrityError]


def test_a_store_that_is_away_is_said_to_be_and_how_bad_that_is(
    maker: VaultMaker, folders: tuple[Path, Path]
) -> None:
    shutil.rmtree(folders[1])
    found = verify_stores(named(*folders), known_head=maker.head)
    assert [(store, kind) for store, kind, _ in problems(found)] == [("two", IncompleteError)]
    assert found[1].away
    found = verify_stores(named(*folders, required=True), known_head=maker.head)
    assert [(store, kind) for store, kind, _ in problems(found)] == [("two", NoVaultError)]
    folders[1].mkdir()
    found = verify_stores(named(*folders), known_head=maker.head)
    assert [each.hint for each in found[1].result.problems] == ["fill it: archiver sync"]


def test_a_store_that_holds_another_vault_is_no_part_of_it(folders: tuple[Path, Path]) -> None:
    described = folders[1] / "vault.json"
    described.chmod(0o644)
    described.write_bytes(b'{"vault": "another"}')
    told = problems(verify_stores(named(*folders), known_head=None))
    assert [(store, kind) for store, kind, _ in told] == [("two", IntegrityError)]
    assert "holds another vault (another) than store one" in told[0][2]


def test_manifests_that_are_both_rightly_signed_and_differ_show(
    maker: VaultMaker, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    forked = VaultMaker(tmp_path / "forked")
    forked.key, forked.holder = maker.key, maker.holder
    for name in NAMES:
        forked.add(name, [post("9", "another history")])
    shutil.rmtree(folders[1] / "archives")
    shutil.copytree(forked.folder / "archives", folders[1] / "archives")
    told = problems(verify_stores(named(*folders), known_head=None))
    assert ("two", IntegrityError, f"archives/{NAMES[0]}/manifest.json is not the one in store one") in told
    assert {store for store, _, _ in told} == {"two"}


def test_keys_that_differ_or_are_none_or_are_missing_show(
    maker: VaultMaker, folders: tuple[Path, Path]
) -> None:
    first, second, third = (folders[1] / "archives" / name / "key.age" for name in NAMES)
    for path in (first, second):
        path.chmod(0o644)
    first.write_bytes(seal_archive_key(age.X25519Identity.generate(), [maker.holder.recipient()]))
    second.write_bytes(b"garbage")
    third.unlink()
    expected = [
        ("two", IntegrityError, f"archives/{NAMES[2]}/key.age is missing"),
        ("two", IntegrityError, f"archives/{NAMES[1]}/key.age is not an age file"),
        ("two", IncompleteError, f"archives/{NAMES[0]}/key.age is not the one in store one"),
    ]
    assert problems(verify_stores(named(*folders), known_head=None)) == expected
    (problem,) = verify_stores(named(*folders, required=True), known_head=None, only=NAMES[:1])[
        1
    ].result.problems
    assert isinstance(problem, IntegrityError)


def test_a_signer_more_in_one_of_the_stores_shows(maker: VaultMaker, folders: tuple[Path, Path]) -> None:
    path = folders[1] / "allowed_signers"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() * 2)
    assert problems(verify_stores(named(*folders), known_head=maker.head)) == [
        ("two", IntegrityError, "allowed_signers is not the one in store one")
    ]


def test_a_store_that_is_lost_on_the_way_does_not_stop_the_others(
    maker: VaultMaker, folders: tuple[Path, Path]
) -> None:
    class Lost(MemoryStore):
        def inspect(self, names: Sequence[str]) -> dict[str, Inspection | ArchiverError]:
            raise StoreError("the line is cut")

    far = Lost(is_near=False)
    far.contents.files |= {
        path.relative_to(folders[0]).as_posix(): path.read_bytes()
        for path in folders[0].rglob("*")
        if path.is_file()
    }
    alter(folders[1] / "archives" / NAMES[0] / SEGMENT)
    stores = [NamedStore("far", True, lambda: far), *named(*folders)]
    told = problems(verify_stores(stores, known_head=maker.head))
    assert told == [
        ("far", StoreError, "the line is cut"),
        (
            "two",
            IntegrityError,
            f"archives/{NAMES[0]}/{SEGMENT} was altered: its SHA-256 is not the manifest's",
        ),
    ]


def test_the_same_folder_under_two_names_is_no_copy(maker: VaultMaker, folders: tuple[Path, Path]) -> None:
    shutil.rmtree(folders[1])
    folders[1].symlink_to(folders[0])
    assert problems(verify_stores(named(*folders), known_head=maker.head)) == [
        ("two", IntegrityError, f"{folders[1]} is the folder of store one: that is no copy")
    ]


def test_a_garbage_key_in_the_first_store_is_not_what_others_are_held_against(
    maker: VaultMaker, folders: tuple[Path, Path]
) -> None:
    path = folders[0] / "archives" / NAMES[0] / "key.age"
    path.chmod(0o644)
    path.write_bytes(b"garbage")
    assert problems(verify_stores(named(*folders), known_head=None)) == [
        ("one", IntegrityError, f"archives/{NAMES[0]}/key.age is not an age file")
    ]


def test_only_the_archives_named_are_looked_at(maker: VaultMaker, folders: tuple[Path, Path]) -> None:
    alter(folders[0] / "archives" / NAMES[0] / SEGMENT)
    shutil.rmtree(folders[1] / "archives" / NAMES[2])
    assert problems(verify_stores(named(*folders), known_head=maker.head, only=NAMES[1:2])) == []
    told = problems(verify_stores(named(*folders), known_head=maker.head, only=NAMES[2:]))
    assert told == [("two", IncompleteError, f"lacks {NAMES[2]}, which one has")]
    with pytest.raises(UsageError, match="there is no archive 2020-01-01"):
        verify_stores(named(*folders), known_head=None, only=["2020-01-01"])


def test_an_archive_that_is_being_sealed_is_no_problem_anywhere(folders: tuple[Path, Path]) -> None:
    LocalStore(folders[0]).put_new("archives/2026-04-01/key.age", b"")
    assert problems(verify_stores(named(*folders), known_head=None, unfinished="2026-04-01")) == []
    told = problems(verify_stores(named(*folders), known_head=None))
    assert told == [("one", IntegrityError, "archives/2026-04-01 has no manifest.json")]


def test_a_bucket_is_read_only_where_that_is_asked_for(
    maker: VaultMaker, folders: tuple[Path, Path], seaweed: Seaweed
) -> None:
    """A multipart object's checksum is none of the whole: there a glance has the size, and parts that a near
    copy is compared with."""
    store = S3Store(seaweed.options(seaweed.make_bucket("versioned")))
    altered = f"archives/{NAMES[0]}/{SEGMENT}"
    resized = f"archives/{NAMES[1]}/{SEGMENT}"
    for path in sorted(maker.folder.rglob("*")):
        name = path.relative_to(maker.folder).as_posix()
        if path.is_file() and name not in (altered, resized):
            store.put_new(name, path.read_bytes())
    data = bytearray((maker.folder / altered).read_bytes())
    data[700] ^= 1
    put_in_parts(seaweed, store.options.bucket, altered, bytes(data))
    put_in_parts(seaweed, store.options.bucket, resized, bytes(data) + b"\0")

    def found(**depth: bool) -> list[str]:
        fresh = NamedStore("bucket", False, lambda: S3Store(store.options))
        results = verify_stores([named(folders[0])[0], fresh], known_head=maker.head, depth=Depth(**depth))
        assert results[1].result.read == bool(depth)
        return [text for _, _, text in problems(results)]

    size = (maker.folder / resized).stat().st_size
    wrong_size = f"{resized} has {len(data) + 1:,} bytes, its manifest says {size:,}"
    near, far = (f"{altered} in {place} differs" for place in (folders[0], store.location))
    told, differs = found()
    assert told == wrong_size
    assert differs.startswith(f"{far} at byte 0 from that in {folders[0]}")
    assert found(deep=True) == [f"{altered} was altered: its SHA-256 is not the manifest's", wrong_size]
    (folders[0] / altered).chmod(0o600)
    (folders[0] / altered).write_bytes(bytes(data))  # now the near copy is the wrong one too
    assert not any(text.startswith((near, far)) for text in found())


def test_parts_of_what_a_bucket_has_no_whole_checksum_of_are_compared_with_a_near_copy(
    maker: VaultMaker, folders: tuple[Path, Path], seaweed: Seaweed
) -> None:
    store = S3Store(seaweed.options(seaweed.make_bucket("versioned")))
    in_parts = f"archives/{NAMES[0]}/{SEGMENT}"
    for path in sorted(maker.folder.rglob("*")):
        name = path.relative_to(maker.folder).as_posix()
        if path.is_file() and name == in_parts:
            put_in_parts(seaweed, store.options.bucket, name, path.read_bytes())
        elif path.is_file():
            store.put_new(name, path.read_bytes())
    bucket = NamedStore("bucket", True, lambda: S3Store(store.options))
    far = verify_stores([bucket, named(folders[0])[0]], known_head=maker.head)[0].result
    assert far.problems == []
    assert (far.read, far.summed, far.sampled, far.sampled_like) == (False, far.files - 1, 1, "one")
    alone = verify_stores([bucket], known_head=maker.head)[0].result
    assert (alone.summed, alone.sampled, alone.sampled_like) == (far.files - 1, 0, None)


def test_a_checksum_that_the_bucket_has_of_the_whole_file_is_held_against_the_manifest(
    maker: VaultMaker, folders: tuple[Path, Path], seaweed: Seaweed
) -> None:
    store = S3Store(seaweed.options(seaweed.make_bucket("versioned")))
    altered = f"archives/{NAMES[0]}/{SEGMENT}"
    for path in sorted(maker.folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(maker.folder).as_posix()
            data = bytearray(path.read_bytes())
            data[-1] ^= name == altered
            store.put_new(name, bytes(data))
    bucket = NamedStore("bucket", True, lambda: S3Store(store.options))
    told = problems(verify_stores([named(folders[0])[0], bucket], known_head=maker.head))
    assert told == [("bucket", IntegrityError, f"{altered} was altered: its SHA-256 is not the manifest's")]


def put_in_parts(server: Seaweed, bucket: str, key: str, data: bytes) -> None:
    client, place = server.client(), {"Bucket": bucket, "Key": key}
    upload = client.create_multipart_upload(**place)["UploadId"]
    part = client.upload_part(**place, UploadId=upload, PartNumber=1, Body=data)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=parts)


def test_what_a_store_lacks_is_named_in_the_order_in_which_it_was_sealed(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "one")
    sealed = ["2026-01-01", *(f"2026-01-01.{number}" for number in range(2, 12))]
    for number, name in enumerate(sealed):
        maker.add(name, [post(str(number), "text")])
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    shutil.rmtree(tmp_path / "two" / "archives")
    (_, behind) = verify_stores(named(tmp_path / "one", tmp_path / "two"), known_head=None)
    assert behind.result.problems[0].message == f"lacks {', '.join(sealed)}, which one has"
