"""Sealing beside other stores: what is refused before it begins, which names are free, what is done."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

from archiver.errors import ArchiverError, IntegrityError, StoreError
from archiver.inbox.exports import import_exports
from archiver.seal import SealResult, seal
from archiver.seal.copies import Others
from archiver.state import Sealing
from archiver.stores.base import Store
from archiver.stores.local import LocalStore
from archiver.stores.named import NamedStore
from archiver.sync import sync_stores
from archiver.vault import Vault
from archiver.verification import verify_vault
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from tests.faults.folders import copy_folder, make_folder, sample
from tests.homes import NOW_MS, Home
from tests.memory_store import MemoryStore


@dataclass
class Sealer:
    """A folder with an export in its spool, sealed into its vault or another first store, and others."""

    home: Home
    first: Store
    named: list[NamedStore] = field(default_factory=list)

    def add(self, name: str, store: Store | ArchiverError, required: bool = True) -> None:
        def opened() -> Store:
            if isinstance(store, ArchiverError):
                raise store
            return store

        self.named.append(NamedStore(name, required, opened))

    def seal(self, now_ms: int = NOW_MS) -> SealResult:
        with open_collector(self.home.settings) as collector:
            return seal(
                collector.spool,
                collector.state,
                Vault(self.first),
                seal_options(self.home.settings),
                lambda: now_ms,
                others=Others("first", self.named),
            )

    def take(self, export: Path) -> None:
        with open_collector(self.home.settings) as collector:
            (result,) = import_exports(collector, [export], may_add_account=True, clock=lambda: NOW_MS)
            assert result.error is None

    @property
    def is_spooled(self) -> bool:
        with self.home.open_spool() as spool:
            return not spool.is_empty()


@pytest.fixture(scope="module")
def spooled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("spooled")
    home = Home(make_folder(base / "home"))
    Sealer(home, LocalStore(home.folder / "vault")).take(sample(base / "export.zip", months=1))
    return home.folder


@pytest.fixture
def sealer(spooled: Path, tmp_path: Path) -> Sealer:
    home = Home(copy_folder(spooled, tmp_path / "home"))
    return Sealer(home, LocalStore(home.folder / "vault"))


def begin(sealer: Sealer, store: Store) -> None:
    """Make another store begin with the vault that `init` made."""
    first = NamedStore("vault", True, lambda: LocalStore(sealer.home.folder / "vault"))
    sync_stores([first, NamedStore("new", True, lambda: store)], lambda store: ())


def all_files(store: Store) -> dict[str, bytes]:
    """All that sealing copies: the log is none of it."""
    names = [name for name in store.list() if not name.startswith("audit/")]
    found = store.read_many(dict.fromkeys(names, 1 << 30))
    return {name: data for name, data in found.items() if isinstance(data, bytes)}


def test_an_archive_goes_to_near_and_far_stores_alike(sealer: Sealer) -> None:
    far, near = MemoryStore(is_near=False), MemoryStore()
    sealer.add("far", far)
    sealer.add("near", near)
    result = sealer.seal()
    assert result.archive is not None
    assert [(one.name, one.archives, one.lacking) for one in result.copies] == [
        ("far", [result.archive.name], []),
        ("near", [result.archive.name], []),
    ]
    assert far.contents.files == all_files(near) == all_files(sealer.first)
    assert not sealer.is_spooled


def test_a_first_store_that_is_far_is_sealed_into_and_read_back_by_a_sample(sealer: Sealer) -> None:
    far = MemoryStore(is_near=False)
    begin(sealer, far)
    vault = sealer.first
    sealer.first = far
    sealer.add("vault", vault)
    result = sealer.seal()
    assert result.archive is not None
    assert all_files(vault) == all_files(far)
    identities = sealer.home.identities
    assert verify_vault(Vault(vault), known_head=None, identities=identities).problems == []


def test_a_name_that_any_store_ever_began_is_not_used_again(sealer: Sealer) -> None:
    store = MemoryStore()
    store.put_new("archives/2026-10-26/records-000.sqlite.zst.age", b"of another first store, cut off")
    store.contents.begun.add("2026-10-26.2")
    sealer.add("other", store, required=False)
    archive = sealer.seal().archive
    assert archive is not None
    assert archive.name == "2026-10-26.3"


def test_what_a_killed_sealing_left_in_a_store_that_was_the_first_is_removed(sealer: Sealer) -> None:
    left = MemoryStore()
    left.put_new("archives/2026-10-20/records-000.sqlite.zst.age", b"half")
    sealer.add("was-first", left)
    with open_collector(sealer.home.settings) as collector, collector.state.transaction():
        collector.state.set_sealing(Sealing("2026-10-20", "its mark", *collector.spool.last_ids()))
    result = sealer.seal()
    assert result.archive is not None
    assert all_files(left) == all_files(sealer.first)


def test_a_required_store_that_is_away_keeps_the_spool_and_the_others_have_the_archive(
    sealer: Sealer,
) -> None:
    near = MemoryStore()
    sealer.add("away", StoreError("s3://bucket cannot be reached", "check the line"))
    sealer.add("near", near, required=False)
    with pytest.raises(StoreError) as caught:
        sealer.seal()
    assert caught.value.message == (
        "archive 2026-10-26 is not in every required store: store away: s3://bucket cannot be reached"
    )
    assert caught.value.hint == ("check the line; the spool is kept, and the next run completes it")
    assert sealer.is_spooled
    assert all_files(near) == all_files(sealer.first)
    back = MemoryStore()
    sealer.named[0] = NamedStore("away", True, lambda: back)
    result = sealer.seal(NOW_MS + 86_400_000)
    assert result.finished_earlier
    assert result.archive is not None
    assert result.archive.name == "2026-10-26"
    assert all_files(back) == all_files(sealer.first)
    assert not sealer.is_spooled


def test_with_nothing_to_seal_a_store_that_was_away_is_filled_and_one_that_is_away_is_told(
    sealer: Sealer,
) -> None:
    assert sealer.seal().archive is not None
    late = MemoryStore()
    sealer.add("late", late)
    sealer.add("away", StoreError("away"))
    result = sealer.seal()
    assert result.archive is None
    assert all_files(late) == all_files(sealer.first)
    assert [(one.name, one.lacking) for one in result.copies] == [("late", []), ("away", ["2026-10-26"])]
    assert [str(one.error) for one in result.copies] == ["None", "store away: away"]


def test_an_optional_store_of_another_vault_is_left_alone_and_a_required_one_stops_the_sealing(
    sealer: Sealer,
) -> None:
    other = MemoryStore()
    other.put_new("vault.json", b'{"vault":"another"}')
    sealer.add("other", other, required=True)
    with pytest.raises(
        IntegrityError, match=r"store other .* holds another vault, another, than store first"
    ):
        sealer.seal()
    assert not (sealer.home.folder / "vault" / "archives").exists()
    assert sealer.is_spooled
    sealer.named.clear()
    sealer.add("other", other, required=False)
    result = sealer.seal()
    assert result.archive is not None
    (copy,) = result.copies
    assert copy.lacking == [result.archive.name]
    assert "holds another vault" in str(copy.error)
    assert list(other.contents.files) == ["vault.json"]


def test_a_first_store_that_lacks_an_archive_is_not_sealed_into(sealer: Sealer, tmp_path: Path) -> None:
    near = MemoryStore()
    sealer.add("near", near, required=False)
    assert sealer.seal().archive is not None
    sealer.take(sample(tmp_path / "later.zip", months=2))
    shutil.rmtree(sealer.home.folder / "vault" / "archives")
    (sealer.home.folder / "state.sqlite").unlink()
    for path in sealer.home.settings.spool.glob("spool.sqlite*"):
        path.unlink()
    sealer.take(sample(tmp_path / "again.zip", months=3))
    with pytest.raises(
        IntegrityError, match=r"store first .* lacks archive 2026-10-26, which store near has"
    ):
        sealer.seal()


def test_a_copy_that_came_out_damaged_keeps_the_spool(sealer: Sealer) -> None:
    class Forgetful(MemoryStore):
        """Loses a bit of every large file, as a failing disk."""

        def put_bit(self, name: str) -> None:
            data = bytearray(self.contents.files[name])
            data[len(data) // 2] ^= 1
            self.contents.files[name] = bytes(data)

        def open_random(self, name: str):  # type: ignore[no-untyped-def]  # as the store's own
            if name.endswith(".zst.age") and name in self.contents.files and name not in self.seen:
                self.seen.add(name)
                self.put_bit(name)
            return super().open_random(name)

        seen: set[str] = set()  # noqa: RUF012  # one store in this test

    store = Forgetful()
    sealer.add("forgetful", store)
    with pytest.raises(IntegrityError, match=r"is not in every required store: .* was altered"):
        sealer.seal()
    assert sealer.is_spooled
    assert not any(name.endswith("/manifest.json") for name in store.contents.files)


def test_progress_is_told_by_bytes_for_each_store(sealer: Sealer) -> None:
    sealer.add("near", MemoryStore())
    told: list[tuple[str, int, int]] = []
    with open_collector(sealer.home.settings) as collector:
        seal(
            collector.spool,
            collector.state,
            Vault(sealer.first),
            seal_options(sealer.home.settings),
            lambda: NOW_MS,
            lambda what, done, total: told.append((what, done, total)),
            Others("first", sealer.named),
        )
    copied = [one for one in told if one[0].startswith("near: 2026-10-26/")]
    assert copied
    assert copied[-1][1] == copied[-1][2]


def test_partial_files_of_killed_writers_are_removed_in_every_store(sealer: Sealer, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    (folder / ".partial-4711-0123456789ab").write_bytes(b"half")
    sealer.named.append(NamedStore("copy", True, partial(LocalStore, folder)))
    sealer.seal()
    assert list(folder.rglob(".partial-*")) == []


# Nothing is made twice, and nothing is in the way for ever


def test_an_archive_whose_store_is_away_is_not_made_once_more_elsewhere(sealer: Sealer) -> None:
    """It went into the first store only, which is then an optional one in the settings, and away."""
    vault, next_first = sealer.first, MemoryStore()
    begin(sealer, next_first)
    sealer.add("away", StoreError("s3://bucket cannot be reached"))
    with pytest.raises(StoreError):
        sealer.seal()
    sealer.first = next_first
    sealer.named.clear()
    sealer.add("vault", StoreError("not mounted"), required=False)
    with pytest.raises(StoreError, match=r"archive 2026-10-26 was sealed into .* store vault: not mounted"):
        sealer.seal()
    assert sealer.is_spooled
    sealer.named.clear()
    archive = sealer.seal().archive  # it is gone for good: at least no two archives have one name
    assert archive is not None
    assert (archive.name, archive.head.sequence) == ("2026-10-26.2", 1)
    assert not sealer.is_spooled
    sealer.add("vault", vault)
    with pytest.raises(IntegrityError, match="do not have the same"):
        sealer.seal()


def test_an_archive_that_a_killed_run_made_is_read_again_before_the_spool_is_emptied(sealer: Sealer) -> None:
    far = MemoryStore(is_near=False)
    begin(sealer, far)
    sealer.add("away", StoreError("s3://bucket cannot be reached"))
    sealer.add("far", far)
    with pytest.raises(StoreError):
        sealer.seal()
    (segment,) = [name for name in far.contents.files if name.endswith(".zst.age")]
    whole = far.contents.files[segment]
    far.contents.files[segment] = whole[:-1]
    sealer.named.pop(0)
    with pytest.raises(IntegrityError, match=r"is not in every required store: .*its manifest says"):
        sealer.seal()
    far.contents.files[segment] = whole
    path = sealer.home.folder / "vault" / segment
    path.chmod(0o644)
    path.write_bytes(bytes(len(whole)))
    with pytest.raises(IntegrityError, match="was altered"):
        sealer.seal()
    assert sealer.is_spooled
    path.write_bytes(whole)
    assert sealer.seal().finished_earlier
    assert not sealer.is_spooled


@pytest.mark.parametrize("required", [True, False])
def test_somebodys_manifest_under_the_name_of_a_killed_sealing_is_not_in_the_way_for_ever(
    sealer: Sealer, required: bool
) -> None:
    other = MemoryStore()
    other.put_new("archives/2026-10-20/manifest.json", b"somebody's")
    sealer.add("other", other, required=required)
    with open_collector(sealer.home.settings) as collector, collector.state.transaction():
        collector.state.set_sealing(Sealing("2026-10-20", "its mark", *collector.spool.last_ids()))
    assert sealer.seal().archive is not None
    assert other.contents.files["archives/2026-10-20/manifest.json"] == b"somebody's"
    assert not sealer.is_spooled


def test_a_name_that_another_collector_took_after_a_kill_is_not_in_the_way_for_ever(
    sealer: Sealer, tmp_path: Path
) -> None:
    first = sealer.seal().archive
    sealer.take(sample(tmp_path / "later.zip", months=2))
    assert first is not None
    with open_collector(sealer.home.settings) as collector, collector.state.transaction():
        collector.state.set_sealing(Sealing(first.name, "another mark", *collector.spool.last_ids()))
    second = sealer.seal().archive
    assert second is not None
    assert (second.name, second.head.sequence) == ("2026-10-26.2", 2)


class Meddled(MemoryStore):
    """Somebody else is at work in it just before an archive's manifest is put there."""

    def put_new(self, name: str, source: bytes | BinaryIO, *, sha256: str | None = None) -> None:
        if name.endswith("/manifest.json.sig") and self.meddle is not None:
            self.meddle()
        super().put_new(name, source, sha256=sha256)

    meddle: Callable[[], object] | None = None


def test_two_collectors_at_once_make_no_two_archives_of_one_number(sealer: Sealer) -> None:
    store = Meddled()
    begin(sealer, store)
    sealer.first = store
    store.meddle = lambda: store.contents.files.update({"archives/2026-10-25/manifest.json": b"theirs"})
    with pytest.raises(StoreError, match="archive 2026-10-25 was sealed meanwhile by somebody else"):
        sealer.seal()
    assert "archives/2026-10-26/manifest.json" not in store.contents.files
    assert sealer.is_spooled
    store.meddle = None
    del store.contents.files["archives/2026-10-25/manifest.json"]
    assert sealer.seal().archive is not None


def test_a_file_that_is_gone_when_the_manifest_is_put_keeps_the_spool(sealer: Sealer) -> None:
    """Another collector's run took it for what a killed one had left."""
    store = Meddled()
    begin(sealer, store)
    sealer.first = store
    store.meddle = lambda: store.contents.files.pop("archives/2026-10-26/records-000.sqlite.zst.age")
    with pytest.raises(IntegrityError, match="records-000"):
        sealer.seal()
    assert sealer.is_spooled
