"""What one store lacks, from another: what is copied, what is refused, what is left."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from functools import partial
from pathlib import Path

import pytest

from archiver.archive.manifest import NAMESPACE
from archiver.errors import ArchiverError, IntegrityError, NoVaultError, StoreError, UsageError
from archiver.formats.ssh_signature import SigningKey, allowed_signers_line
from archiver.keys import Identity, new_identity, open_archive_key, seal_archive_key
from archiver.stores.base import Inspection, Store
from archiver.stores.checks import Check
from archiver.stores.local import LocalStore
from archiver.stores.named import NamedStore
from archiver.sync import Synced, sync_stores
from archiver.vault import Vault
from archiver.verification import verify_vault
from tests.made_vaults import VaultMaker, post
from tests.memory_store import MemoryStore

ARCHIVES = ("2026-09-01", "2026-10-01", "2026-11-01")


def sound(store: Store) -> Sequence[Check]:
    return [Check("create-only", True, "a second put was refused")]


def away() -> Store:
    raise StoreError("s3://bucket cannot be reached", "check the line")


@dataclass
class Stores:
    """A vault of three archives in the folder `a`, and whatever other stores a test wants."""

    folder: Path
    maker: VaultMaker
    named: list[NamedStore] = field(default_factory=list)

    def add(self, name: str, store: Store | Callable[[], Store] | None = None, required: bool = True) -> Path:
        """One more store: the folder of this name, made and empty, unless another one is given."""
        path = self.folder / name
        if store is None:
            path.mkdir(exist_ok=True)
            store = partial(LocalStore, path)
        self.named.append(NamedStore(name, required, store if callable(store) else lambda: store))
        return path

    def sync(self, **options: object) -> Synced:
        return sync_stores(self.named, sound, **options)  # type: ignore[arg-type]  # whatever a test passes

    def files(self, name: str) -> dict[str, bytes]:
        root = self.folder / name
        return {str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*") if one.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    maker = VaultMaker(tmp_path_factory.mktemp("made") / "a")
    for number, name in enumerate(ARCHIVES):
        maker.add(name, [post(str(number), f"post {number}")], [post(f"9{number}", "other")])
    return maker


@pytest.fixture
def stores(made: VaultMaker, tmp_path: Path) -> Stores:
    shutil.copytree(made.folder, tmp_path / "a")
    stores = Stores(tmp_path, made)
    stores.add("a")
    return stores


def replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def fork(stores: Stores, name: str, archive: str) -> None:
    """Another third archive, rightly signed, in a store that has only the first two."""
    shutil.rmtree(stores.folder / name, ignore_errors=True)
    shutil.copytree(stores.folder / "a", stores.folder / name)
    shutil.rmtree(stores.folder / name / "archives" / ARCHIVES[2])
    store = LocalStore(stores.folder / name)
    other = VaultMaker.__new__(VaultMaker)
    other.folder, other.holder, other.store = stores.folder / name, stores.maker.holder, store
    other.key, other.head = stores.maker.key, Vault(store).list_archives().require_sound()[-1].head
    other.add(archive, [post("77", "made apart")])


def test_an_empty_store_gets_everything_byte_for_byte_and_is_a_sound_vault(stores: Stores) -> None:
    stores.add("b")
    steps: list[tuple[str, int, int]] = []
    result = stores.sync(progress=lambda what, done, total: steps.append((what, done, total)))
    assert result.exit_code == 0
    assert stores.files("b") == stores.files("a")
    a, b = result.stores
    assert (a.archives, a.files, b.archives, b.files) == ([], 0, list(ARCHIVES), 6)
    assert steps[-1][1] == steps[-1][2] == b.bytes
    assert steps[0][0] == "b: 2026-09-01/records-000.sqlite.zst.age"
    vault = Vault(LocalStore(stores.folder / "b"))
    assert verify_vault(vault, known_head=stores.maker.head, identities=[stores.maker.holder]).problems == []


def test_synchronised_twice_nothing_is_written(stores: Stores) -> None:
    b = stores.add("b")
    assert stores.sync().exit_code == 0
    times = {path: path.stat().st_mtime_ns for path in b.rglob("*")}
    result = stores.sync()
    assert result.exit_code == 0
    assert [(one.archives, one.files, one.bytes) for one in result.stores] == [([], 0, 0)] * 2
    assert {path: path.stat().st_mtime_ns for path in b.rglob("*")} == times


def test_whichever_store_has_more_gives(stores: Stores) -> None:
    b = stores.add("b")
    stores.sync()
    shutil.rmtree(stores.folder / "a" / "archives" / ARCHIVES[2])
    shutil.rmtree(b / "archives" / ARCHIVES[0])
    result = stores.sync()
    assert [one.archives for one in result.stores] == [[ARCHIVES[2]], [ARCHIVES[0]]]
    assert stores.files("a") == stores.files("b")
    assert len(stores.files("a")) == 2 + 5 * 3


def test_a_far_store_is_filled_and_gives_everything_back(stores: Stores) -> None:
    far = MemoryStore(is_near=False)
    stores.add("far", far)
    assert stores.sync().exit_code == 0
    whole = stores.files("a")
    assert far.contents.files == whole
    shutil.rmtree(stores.folder / "a")
    (stores.folder / "a").mkdir()
    assert stores.sync().exit_code == 0
    assert stores.files("a") == whole


def test_an_archive_cut_off_at_any_file_is_completed(stores: Stores) -> None:
    b = stores.add("b")
    stores.sync()
    whole = stores.files("b")
    order = [
        "records-000.sqlite.zst.age", "records-001.sqlite.zst.age", "key.age", "manifest.json.sig",
        "manifest.json",
    ]  # fmt: skip
    for kept in range(len(order)):
        for name in order[kept:]:
            (b / "archives" / ARCHIVES[2] / name).unlink()
        result = stores.sync()
        assert result.exit_code == 0
        assert result.stores[1].archives == [ARCHIVES[2]]
        assert stores.files("b") == whole


def test_a_file_lost_from_a_sealed_archive_is_brought_back(stores: Stores) -> None:
    b = stores.add("b")
    stores.sync()
    whole = stores.files("b")
    for name in ("records-001.sqlite.zst.age", "key.age", "manifest.json.sig"):
        (b / "archives" / ARCHIVES[1] / name).unlink()
        assert stores.sync().exit_code == 0
        assert stores.files("b") == whole


def test_the_manifest_comes_last_and_not_at_all_where_a_file_is_missing(stores: Stores) -> None:
    b = stores.add("b")
    (stores.folder / "a" / "archives" / ARCHIVES[1] / "records-001.sqlite.zst.age").unlink()
    result = stores.sync()
    assert result.exit_code == 20
    assert result.stores[1].lacking == [ARCHIVES[1]]
    assert "no other store that can be reached has a good copy" in result.stores[1].problems[0].message
    assert not (b / "archives" / ARCHIVES[1] / "manifest.json").exists()
    assert (b / "archives" / ARCHIVES[2] / "manifest.json").exists()


@pytest.mark.parametrize("data", [b"other", None])
def test_other_bytes_under_a_name_stay_and_are_an_integrity_error(stores: Stores, data: bytes | None) -> None:
    """Of another size, and of the same."""
    b = stores.add("b")
    name = f"archives/{ARCHIVES[0]}/records-000.sqlite.zst.age"
    other = data or bytes(len(stores.files("a")[name]))
    LocalStore(b).put_new(name, other)
    result = stores.sync()
    assert result.exit_code == 20
    (problem,) = result.stores[1].all_problems
    assert problem.message == f"store b: {name} is in {b} with other bytes than were sealed"
    assert "archiver repair 2026-09-01" in str(problem.hint)
    assert (b / name).read_bytes() == other
    assert result.stores[1].lacking == [ARCHIVES[0]]
    assert not (b / "archives" / ARCHIVES[0] / "manifest.json").exists()


def test_other_bytes_in_a_far_store_are_found_too(stores: Stores) -> None:
    far = MemoryStore(is_near=False)
    name = f"archives/{ARCHIVES[0]}/records-000.sqlite.zst.age"
    far.put_new(name, bytes(len(stores.files("a")[name])))
    stores.add("far", far)
    assert stores.sync().exit_code == 20
    assert f"archives/{ARCHIVES[0]}/manifest.json" not in far.contents.files


def test_a_sealed_file_that_was_cut_short_is_reported_and_stays(stores: Stores) -> None:
    b = stores.add("b", required=False)
    stores.sync()
    path = b / "archives" / ARCHIVES[0] / "records-000.sqlite.zst.age"
    replace(path, b"short")
    result = stores.sync()
    assert result.exit_code == 3
    assert "has 5 bytes, its manifest says" in result.stores[1].problems[0].message
    assert path.read_bytes() == b"short"


def test_a_source_that_is_damaged_is_passed_over_and_reported(stores: Stores) -> None:
    b, c = stores.add("b"), stores.add("c")
    stores.sync()
    name = f"archives/{ARCHIVES[1]}/records-000.sqlite.zst.age"
    data = bytearray((b / name).read_bytes())
    data[100] ^= 1
    replace(stores.folder / "a" / name, bytes(data))
    shutil.rmtree(c)
    c.mkdir()
    result = stores.sync()
    assert stores.files("c") == stores.files("b")
    assert result.exit_code == 20  # a is required, and damaged
    (problem,) = result.stores[0].problems
    assert problem.message.startswith(f"{name} in {stores.folder / 'a'} was altered")
    assert "archiver repair 2026-10-01" in str(problem.hint)


def test_a_store_that_is_away_does_not_stop_the_others(stores: Stores) -> None:
    for required, code in ((False, 3), (True, 1)):
        stores.named = stores.named[:1]
        stores.add("away", away, required=required)
        stores.add("b")
        result = stores.sync()
        assert result.exit_code == code
        assert result.stores[1].error is not None
        assert result.stores[1].error.message == "store away: s3://bucket cannot be reached"
        assert result.stores[1].lacking == list(ARCHIVES)
        assert stores.files("b") == stores.files("a")


def test_a_folder_that_is_not_there_is_no_empty_vault(stores: Stores) -> None:
    b = stores.add("b", required=True)
    b.rmdir()
    result = stores.sync()
    assert result.exit_code == NoVaultError.exit_code
    assert not b.exists()
    assert "mkdir" in str(result.stores[1].all_problems[0].hint)
    b.mkdir()
    assert stores.sync().exit_code == 0
    assert stores.files("b") == stores.files("a")


def test_a_store_of_another_vault_is_refused_before_anything_is_written(stores: Stores) -> None:
    b, c = stores.add("b"), stores.add("c")
    LocalStore(c).put_new("vault.json", b'{"vault":"another"}')
    with pytest.raises(IntegrityError, match=r"store c \(.*/c\) holds another vault, another, than store a"):
        stores.sync()
    assert list(b.iterdir()) == []
    assert stores.files("c") == {"vault.json": b'{"vault":"another"}'}


@pytest.mark.parametrize("archive", [ARCHIVES[2], "2026-12-01"])
def test_two_chains_are_refused_before_anything_is_written(stores: Stores, archive: str) -> None:
    """Under the same name, and under another in the same place."""
    stores.add("b")
    fork(stores, "b", archive)
    c = stores.add("c")
    before = stores.files("b")
    with pytest.raises(IntegrityError, match=r"store a \(.*\) and store b \(.*\) do not have the same"):
        stores.sync()
    assert list(c.iterdir()) == []
    assert stores.files("b") == before


def test_a_manifest_by_a_stranger_counts_for_nothing(stores: Stores) -> None:
    b = stores.add("b")
    stores.sync()
    manifest = b / "archives" / ARCHIVES[2] / "manifest.json"
    replace(manifest, manifest.read_bytes().replace(b'"a test"', b'"a tent"'))
    c = stores.add("c")
    result = stores.sync()
    assert result.exit_code == 20
    assert result.stores[1].lacking == [ARCHIVES[2]]
    assert "manifest.json" in result.stores[1].problems[0].message
    assert b'"a tent"' in manifest.read_bytes()
    assert stores.files("c") == stores.files("a")
    assert c.is_dir()


def test_an_archive_missing_in_all_stores_is_an_integrity_error(stores: Stores) -> None:
    b = stores.add("b")
    shutil.rmtree(stores.folder / "a" / "archives" / ARCHIVES[1])
    with pytest.raises(IntegrityError, match="has number 3 where 2 is due"):
        stores.sync()
    assert list(b.iterdir()) == []


def test_an_end_that_was_cut_off_in_all_stores_shows_against_the_remembered_head(stores: Stores) -> None:
    stores.add("b")
    shutil.rmtree(stores.folder / "a" / "archives" / ARCHIVES[2])
    result = stores.sync(known_head=stores.maker.head)
    assert result.exit_code == 20
    assert "number 3 was noted as written" in result.problems[0].message
    assert stores.files("b") == stores.files("a")


def test_folders_without_a_manifest_are_left_alone(stores: Stores) -> None:
    b = stores.add("b")
    LocalStore(stores.folder / "a").put_new("archives/2026-12-01/records-000.sqlite.zst.age", b"under way")
    assert stores.sync().exit_code == 0
    assert not (b / "archives" / "2026-12-01").exists()


def test_a_new_store_is_proven_first_and_refused_where_it_fails(stores: Stores) -> None:
    b = stores.add("b")
    proven: list[str] = []

    def prove(store: Store) -> Sequence[Check]:
        proven.append(store.location)
        return [
            Check("versions", True, "on"),
            Check("public access", False, "anybody can read", "block public access"),
        ]

    result = sync_stores(stores.named, prove)
    assert proven == [str(b)]
    assert result.exit_code == 1
    (error,) = result.stores[1].all_problems
    assert error.message == f"store b: {b}: public access: anybody can read"
    assert error.hint == "block public access"
    assert list(b.iterdir()) == []
    stores.sync()
    proven.clear()
    sync_stores(stores.named, prove)
    assert proven == []


def test_only_the_store_named_is_filled(stores: Stores) -> None:
    b, c = stores.add("b"), stores.add("c")
    result = stores.sync(only="c")
    assert [one.name for one in result.stores] == ["c"]
    assert list(b.iterdir()) == []
    assert stores.files("c") == stores.files("a")
    assert c.is_dir()
    with pytest.raises(UsageError, match="there is no store d"):
        stores.sync(only="d")


def test_without_any_vault_there_is_nothing_to_copy(tmp_path: Path) -> None:
    stores = Stores(tmp_path, None)  # type: ignore[arg-type]  # there is none
    stores.add("a")
    stores.add("b")
    with pytest.raises(NoVaultError, match="no store has a vault yet"):
        stores.sync()
    stores.named = []
    stores.add("away", away)
    with pytest.raises(ArchiverError, match="store away: s3://bucket cannot be reached"):
        stores.sync()


def test_an_archive_whose_key_is_nowhere_is_not_made_to_exist(stores: Stores) -> None:
    b = stores.add("b")
    (stores.folder / "a" / "archives" / ARCHIVES[0] / "key.age").unlink()
    result = stores.sync()
    assert result.exit_code == 20
    message = result.stores[1].problems[0].message
    assert message == f"store b: no other store that can be reached has archives/{ARCHIVES[0]}/key.age"
    assert not (b / "archives" / ARCHIVES[0] / "manifest.json").exists()


def test_a_sealed_file_that_a_far_store_calls_altered_is_reported(stores: Stores) -> None:
    far = MemoryStore(is_near=False)
    stores.add("far", far)
    stores.sync()
    name = f"archives/{ARCHIVES[0]}/records-000.sqlite.zst.age"
    far.contents.files[name] = bytes(len(far.contents.files[name]))
    result = stores.sync()
    assert result.exit_code == 20
    assert f"{name} in memory was altered" in result.stores[1].problems[0].message


@pytest.mark.parametrize("small", ["manifest.json.sig", "key.age"])
def test_small_files_of_a_begun_archive_with_other_bytes_stay(stores: Stores, small: str) -> None:
    b = stores.add("b")
    name = f"archives/{ARCHIVES[0]}/{small}"
    LocalStore(b).put_new(name, b"of somebody else")
    result = stores.sync()
    assert result.exit_code == 20
    assert (b / name).read_bytes() == b"of somebody else"
    assert not (b / "archives" / ARCHIVES[0] / "manifest.json").exists()
    assert result.stores[1].lacking == [ARCHIVES[0]]
    assert f"{name} " in result.stores[1].problems[0].message


def test_a_description_or_a_list_of_signers_that_is_none_is_named_with_its_store(stores: Stores) -> None:
    b = stores.add("b")
    stores.sync()
    replace(b / "vault.json", b"[]")
    result = stores.sync()
    assert result.exit_code == 20
    assert result.stores[1].error is not None
    assert str(result.stores[1].error).startswith(f"store b: vault.json in {b} is not a vault's description")
    replace(stores.folder / "a" / "allowed_signers", b"nonsense nonsense\n")
    with pytest.raises(IntegrityError, match=r"allowed_signers in .*/a is no list of signers: "):
        stores.sync()


def test_a_manifest_that_was_moved_counts_for_nothing(stores: Stores) -> None:
    b = stores.add("b")
    stores.sync()
    folder = b / "archives"
    for name in ("manifest.json", "manifest.json.sig"):
        shutil.copy(folder / ARCHIVES[0] / name, folder / ARCHIVES[1] / f"{name}.new")
        (folder / ARCHIVES[1] / f"{name}.new").replace(folder / ARCHIVES[1] / name)
    result = stores.sync()
    assert result.exit_code == 20
    assert result.stores[1].lacking == [ARCHIVES[1]]
    assert "belongs to the archive '2026-09-01'" in result.stores[1].problems[0].message


def test_why_an_archive_is_missing_everywhere_is_told_where_it_is_known(stores: Stores) -> None:
    manifest = stores.folder / "a" / "archives" / ARCHIVES[1] / "manifest.json"
    replace(manifest, b"nonsense")
    stores.add("b")
    with pytest.raises(IntegrityError, match=r"archives/2026-10-01/manifest.json is not a manifest"):
        stores.sync()


# Keys


def give_other_key(stores: Stores, name: str, *holders: Identity) -> bytes:
    """Another key.age of the second archive for one store: the same identity, encrypted anew."""
    source = LocalStore(stores.folder / "a")
    own = open_archive_key(source, ARCHIVES[1], [stores.maker.holder])
    data = seal_archive_key(own, [one.recipient() for one in holders])
    LocalStore(stores.folder / name).replace_key(f"archives/{ARCHIVES[1]}/key.age", data)
    return data


def test_keys_that_differ_are_named_and_none_is_put_over_another(stores: Stores) -> None:
    stores.add("b")
    stores.add("c")
    stores.sync()
    other = give_other_key(stores, "b", new_identity(classic=True), stores.maker.holder)
    name = f"archives/{ARCHIVES[1]}/key.age"
    first = stores.files("a")[name]
    result = stores.sync()
    assert result.exit_code == 3
    (problem,) = result.problems
    assert problem.message == f"{name} is not the same in the stores a and b and c"
    assert "archiver keys rewrap" in str(problem.hint)
    assert [stores.files(one)[name] for one in "abc"] == [first, other, first]


def test_who_may_sign_is_not_changed_and_a_difference_is_named(stores: Stores) -> None:
    b = stores.add("b")
    stores.sync()
    path = b / "allowed_signers"
    replace(path, path.read_bytes() + b"# one more\n")
    result = stores.sync()
    assert result.exit_code == 3
    assert result.problems[0].message == "allowed_signers in store b is not that of store a"
    assert path.read_bytes().endswith(b"# one more\n")


def test_an_older_key_is_not_spread_and_none_is_where_stores_differ(stores: Stores) -> None:
    """Store b was away when a keyholder was removed: its key would let them into c."""
    stores.add("b")
    stores.sync()
    give_other_key(stores, "b", new_identity(classic=True), stores.maker.holder)
    c = stores.add("c")
    stores.named.reverse()
    result = stores.sync()
    assert result.exit_code == 20
    filled = result.stores[0]
    assert (filled.name, filled.lacking) == ("c", [ARCHIVES[1]])
    assert "key.age in" in filled.problems[0].message
    assert "archiver keys rewrap" in str(filled.problems[0].hint)
    assert not (c / "archives" / ARCHIVES[1] / "key.age").exists()
    give_other_key(stores, "a", stores.maker.holder)
    shutil.copy(stores.folder / "a/archives" / ARCHIVES[1] / "key.age", stores.folder / "key.age")
    LocalStore(stores.folder / "b").replace_key(
        f"archives/{ARCHIVES[1]}/key.age", (stores.folder / "key.age").read_bytes()
    )
    assert stores.sync().exit_code == 0
    assert stores.files("c") == stores.files("a")


@pytest.mark.parametrize("small", ["key.age", "manifest.json.tsr"])
def test_a_link_to_a_secret_of_this_host_is_not_copied_into_another_store(
    stores: Stores, small: str, tmp_path: Path
) -> None:
    secret = tmp_path / "spool.identity"
    secret.write_bytes(b"# created: today\nAGE-SECRET-KEY-1NOBODYS\n")
    path = stores.folder / "a" / "archives" / ARCHIVES[0] / small
    path.unlink(missing_ok=True)
    path.symlink_to(secret)
    b = stores.add("b")
    stores.sync()
    assert not any(data == secret.read_bytes() for data in stores.files("b").values())
    assert not (b / "archives" / ARCHIVES[0] / small).exists()


# Strangers


def add_as_a_stranger(folder: Path, stores: Stores, archive: str) -> None:
    """One more archive by a key of somebody else's, which that store's own list names."""
    store = LocalStore(folder)
    other = VaultMaker.__new__(VaultMaker)
    other.folder, other.holder, other.store = folder, stores.maker.holder, store
    other.key, other.head = SigningKey.generate("stranger"), stores.maker.head
    line = allowed_signers_line("stranger", other.key.public_line(), [NAMESPACE])
    replace(folder / "allowed_signers", (folder / "allowed_signers").read_bytes() + f"{line}\n".encode())
    other.add(archive, [post("666", "made by a stranger")])


def test_a_strangers_archives_do_not_spread_while_the_first_store_is_away(stores: Stores) -> None:
    hostile, ours = stores.add("hostile"), stores.add("ours")
    stores.sync()
    add_as_a_stranger(hostile, stores, "2026-12-01")
    before = stores.files("ours")
    stores.named[0] = NamedStore("a", True, away)
    result = stores.sync()
    assert result.exit_code == 20
    assert stores.files("ours") == before
    assert result.stores[2].lacking == ["2026-12-01"]
    message = result.stores[2].problems[0].message
    assert message.startswith(
        f"store ours: archive 2026-12-01 is not signed by whom allowed_signers in {ours}"
    )


def test_a_strangers_archives_do_not_spread_from_a_store_after_ours(stores: Stores) -> None:
    hostile = stores.add("hostile")
    stores.sync()
    add_as_a_stranger(hostile, stores, "2026-12-01")
    before = stores.files("a")
    result = stores.sync()
    assert result.exit_code == 20
    assert stores.files("a") == before


def test_a_list_of_signers_that_was_deleted_is_brought_back(stores: Stores) -> None:
    b = stores.add("b")
    stores.sync()
    for folder in (stores.folder / "a", b):
        before = stores.files("a")
        (folder / "allowed_signers").unlink()
        assert stores.sync().exit_code == 0
        assert stores.files("a") == stores.files("b") == before


@pytest.mark.parametrize("odd", ["an odd name", "x" * 220, "+"])
def test_a_folder_with_an_odd_name_makes_no_store_unusable(stores: Stores, odd: str) -> None:
    b = stores.add("b")
    shutil.copytree(stores.folder / "a" / "archives" / ARCHIVES[0], b / "archives" / odd)
    result = stores.sync()
    assert result.stores[1].error is None
    assert result.stores[1].archives == list(ARCHIVES)
    assert result.exit_code == 1
    assert not (stores.folder / "a" / "archives" / odd).exists()


# What is said where several things are wrong


def test_each_store_gets_from_the_others_what_it_lost(stores: Stores) -> None:
    """Three stores, each with another archive damaged by another cause."""
    b, c = stores.add("b"), stores.add("c")
    stores.sync()
    before = stores.files("a")
    segment = "records-000.sqlite.zst.age"
    shutil.rmtree(stores.folder / "a" / "archives" / ARCHIVES[0])
    (b / "archives" / ARCHIVES[1] / segment).unlink()
    (b / "archives" / ARCHIVES[0] / "key.age").unlink()
    (c / "archives" / ARCHIVES[2] / "manifest.json.sig").unlink()
    assert stores.sync().exit_code == 0
    assert [stores.files(one) for one in "abc"] == [before] * 3


def test_an_archive_that_lost_a_file_is_lacking_though_an_error_came_before_it(stores: Stores) -> None:
    """Or the spool would be emptied: its manifest is there."""

    class Full(MemoryStore):
        def create(self, name: str, *, sha256: str | None = None):  # type: ignore[no-untyped-def]  # as there
            if self.is_full:
                raise StoreError("the store is full")
            return super().create(name, sha256=sha256)

        is_full = False

    far = Full(is_near=False)
    stores.add("far", far)
    stores.sync()
    for name in (ARCHIVES[0], ARCHIVES[2]):
        del far.contents.files[f"archives/{name}/records-000.sqlite.zst.age"]
    far.is_full = True
    result = stores.sync()
    assert result.exit_code == 1
    assert result.stores[1].lacking == [ARCHIVES[0], ARCHIVES[2]]


def test_damage_in_one_store_counts_before_another_that_is_away(stores: Stores) -> None:
    b = stores.add("b")
    stores.sync()
    stores.named.insert(0, NamedStore("away", True, away))
    replace(b / "archives" / ARCHIVES[0] / "records-000.sqlite.zst.age", b"")
    assert stores.sync().exit_code == 20


def test_the_same_folder_under_two_names_is_no_copy(stores: Stores) -> None:
    link = stores.folder / "link"
    link.symlink_to(stores.folder / "a")
    stores.add("link", lambda: LocalStore(link))
    result = stores.sync()
    assert result.exit_code == 20
    assert (result.stores[1].reached, result.stores[1].lacking) == (False, list(ARCHIVES))
    assert str(result.stores[1].error) == f"store link: {link} is the folder of store a: that is no copy"


def test_a_changed_signing_key_needs_to_be_named_in_the_first_store_only(stores: Stores) -> None:
    """A bucket's list may be locked; it is named as differing."""
    b = stores.add("b")
    stores.sync()
    add_as_a_stranger(stores.folder / "a", stores, "2026-12-01")
    result = stores.sync()
    assert result.exit_code == 3
    assert result.stores[1].archives == ["2026-12-01"]
    assert "allowed_signers in store b is not that of store a" in result.problems[0].message
    assert (b / "archives" / "2026-12-01" / "manifest.json").exists()


def test_a_lock_that_was_asked_for_since_does_not_make_a_begun_archive_unfinishable(stores: Stores) -> None:
    class Unlocked(MemoryStore):
        def inspect(self, names: Sequence[str]) -> dict[str, Inspection | ArchiverError]:
            said = super().inspect(names)
            return {
                name: replace_fields(one, problems=("its lock is too short",))
                if isinstance(one, Inspection) and name == first
                else one
                for name, one in said.items()
            }

    first = f"archives/{ARCHIVES[0]}/records-000.sqlite.zst.age"
    far = Unlocked(is_near=False)
    far.put_new(first, (stores.folder / "a" / first).read_bytes())
    stores.add("far", far)
    result = stores.sync()
    assert result.exit_code == 20, "it is said"
    assert [one.message for one in result.stores[1].problems] == [f"{first} in memory: its lock is too short"]
    assert result.stores[1].lacking == []
    assert far.contents.files == stores.files("a")
