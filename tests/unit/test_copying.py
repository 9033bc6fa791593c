"""One sealed file from a store to another, and what a check of a copy finds."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from archiver.archive.manifest import File
from archiver.copying import UnusableCopyError, copy_file, put_back_from, verify_copy
from archiver.errors import IntegrityError
from archiver.formats import age
from archiver.stores.base import ExistsInStoreError, Store
from archiver.stores.local import LocalStore
from tests.memory_store import MemoryStore

NAME = "archives/2026-11-01/media-000.tar.age"
OWN = age.X25519Identity.generate()
PLAIN_BYTES = 3_000_000
SEALED = age.encrypt([OWN.recipient()], os.urandom(PLAIN_BYTES))
FILE = File(
    name="media-000.tar.age",
    kind="media",
    size=len(SEALED),
    sha256=sha256(SEALED).hexdigest(),
    plain_size=PLAIN_BYTES,
)


@pytest.fixture
def near(tmp_path: Path) -> LocalStore:
    (tmp_path / "near").mkdir()
    store = LocalStore(tmp_path / "near")
    store.put_new(NAME, SEALED)
    return store


def far(data: bytes = SEALED) -> MemoryStore:
    store = MemoryStore(is_near=False)
    store.put_new(NAME, data)
    return store


def copy(source: Store, target: Store, act: Callable[..., None] = copy_file) -> None:
    act(source, target, NAME, size=FILE.size, sha256=FILE.sha256)


def altered(at: int) -> bytes:
    data = bytearray(SEALED)
    data[at] ^= 1
    return bytes(data)


def test_a_file_is_copied_between_near_and_far_byte_for_byte(near: LocalStore) -> None:
    away, counted = MemoryStore(is_near=False), []
    copy_file(near, away, NAME, size=FILE.size, sha256=FILE.sha256, copied=counted.append)
    assert away.read(NAME, FILE.size) == SEALED
    assert sum(counted) == FILE.size
    back = MemoryStore()
    copy(away, back)
    assert back.read(NAME, FILE.size) == SEALED


@pytest.mark.parametrize("data", [altered(0), altered(1_500_000), SEALED[:-1], SEALED + b"x"])
def test_a_bad_copy_is_not_copied_and_leaves_nothing(near: LocalStore, data: bytes) -> None:
    target = MemoryStore()
    with pytest.raises(
        UnusableCopyError, match=r"^archives/2026-11-01/media-000.tar.age in memory"
    ) as caught:
        copy(far(data), target)
    assert caught.value.exit_code == 20
    assert caught.value.hint is not None
    assert "archiver repair 2026-11-01" in caught.value.hint
    assert list(target.list()) == []
    assert near.read(NAME, FILE.size) == SEALED


def test_a_missing_copy_is_unusable_and_a_taken_name_is_not_the_sources_fault(near: LocalStore) -> None:
    with pytest.raises(UnusableCopyError, match="is missing from memory"):
        copy(MemoryStore(), MemoryStore())
    with pytest.raises(ExistsInStoreError):
        copy(near, far(b"other"))


def test_a_file_is_put_back_over_what_lies_there_only_from_a_good_copy(near: LocalStore) -> None:
    target = far(b"other")
    with pytest.raises(UnusableCopyError):
        copy(far(altered(7)), target, put_back_from)
    assert target.read(NAME, 10) == b"other"
    copy(near, target, put_back_from)
    assert target.read(NAME, FILE.size) == SEALED


def test_a_near_copy_is_read_whole(near: LocalStore) -> None:
    verify_copy(near, "2026-11-01", FILE)
    path = near.root / NAME
    path.chmod(0o644)
    path.write_bytes(altered(2_222_222))
    with pytest.raises(IntegrityError, match="was altered: its SHA-256 is not the manifest's"):
        verify_copy(near, "2026-11-01", FILE)


@pytest.mark.parametrize("at", [1000, 5 * 65_552 + 3_000, len(SEALED) - 1])
def test_of_a_far_copy_a_sample_is_decrypted_or_compared(near: LocalStore, at: int) -> None:
    """The first and last part always; between them where the dice fall: here all on the fifth chunk."""

    class Silent(MemoryStore):
        """Keeps no checksum, as some servers."""

        def inspect(self, names: object) -> dict[str, object]:  # type: ignore[override]
            from archiver.stores.base import Inspection

            return {str(name): Inspection(self.size(str(name))) for name in names}  # type: ignore[attr-defined]

    store = Silent(is_near=False)
    store.put_new(NAME, altered(at))
    with pytest.raises(IntegrityError, match="failed authentication"):
        verify_copy(store, "2026-11-01", FILE, identity=OWN, choose=lambda below: 5)
    with pytest.raises(IntegrityError, match="differs at byte"):
        verify_copy(store, "2026-11-01", FILE, like=near, choose=lambda below: min(below - 1, 5 * 65_552))
    good = Silent(is_near=False)
    good.put_new(NAME, SEALED)
    verify_copy(good, "2026-11-01", FILE, identity=OWN)
    verify_copy(good, "2026-11-01", FILE, like=near)


def test_a_sample_of_a_far_copy_costs_few_rounds(near: LocalStore) -> None:
    store = far()
    verify_copy(store, "2026-11-01", FILE, identity=OWN)
    assert store.bytes_read < FILE.size
    assert store.rounds <= 6
    store.forget_counts()
    verify_copy(store, "2026-11-01", FILE, like=near)
    assert store.rounds <= 3


def test_a_far_copy_of_another_size_or_checksum_is_found_without_reading_it() -> None:
    for data, message in ((SEALED + b"x", "its manifest says"), (altered(2_000_000), "was altered")):
        with pytest.raises(IntegrityError, match=message):
            verify_copy(far(data), "2026-11-01", FILE)


def test_an_empty_far_file_is_checked_too(near: LocalStore) -> None:
    nothing = File(name="e", kind="media", size=0, sha256=sha256(b"").hexdigest(), plain_size=0)
    store = MemoryStore(is_near=False)
    for each in (store, near):
        each.put_new("archives/a/e", b"")
    verify_copy(store, "a", nothing, like=near)
