"""`kill -9` at any instant of sealing into several stores and of `sync`: nothing captured is lost, and the
same command again makes all stores equal, byte for byte.

The steps of `killed_run.py`, over a folder that holds the vault, a required copy of it and an optional one.
ARCHIVER_SOAK=1 tries many more of them.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.cli import main
from archiver.disk import PARTIAL_PREFIX
from archiver.stores.local import LocalStore
from archiver.vault import Vault
from archiver.verification import verify_vault
from tests.faults.folders import (
    SOAK,
    Contents,
    check_nothing_half,
    copy_folder,
    make_folder,
    open_spool,
    read_contents,
    sample,
)
from tests.faults.test_kill import places, run_killed, run_to_the_end

STORES = """
[[store]]
name = "copy"
kind = "local"
path = "copy"

[[store]]
name = "stick"
kind = "local"
path = "stick"
required = false
"""
NAMES = ("vault", "copy", "stick")
ROUNDS = 60 if SOAK else 6


def add_stores(folder: Path) -> Path:
    """Two more stores, their folders made and empty."""
    with (folder / "archiver.toml").open("a", encoding="utf-8") as file:
        file.write(STORES)
    for name in NAMES[1:]:
        (folder / name).mkdir()
    return folder


def files(store: Path) -> dict[str, bytes]:
    """Every file of a store, what a killed writer left included."""
    return {str(one.relative_to(store)): one.read_bytes() for one in store.rglob("*") if one.is_file()}


def check_equal(folder: Path) -> None:
    """All three stores have the same files, each a sound vault by itself, and nothing is left half."""
    check_nothing_half(folder)
    assert files(folder / "vault") == files(folder / "copy") == files(folder / "stick")
    for name in NAMES:
        assert verify_vault(Vault(LocalStore(folder / name)), known_head=None).problems == []


class Ground:
    """A folder with an export spooled and empty copies, one that has sealed it, and what that holds."""

    def __init__(self, base: Path) -> None:
        self.spooled = add_stores(make_folder(base / "spooled"))
        export = sample(base / "export.zip", months=1)
        assert main(["--config", str(self.spooled), "import", "--add-account", str(export)]) == 0
        self.sealed = copy_folder(self.spooled, base / "sealed")
        code, self.seal_steps = run_to_the_end(self.sealed, "seal")
        assert code == 0
        check_equal(self.sealed)
        self.contents: Contents = read_contents(self.sealed)
        emptied = self.emptied("copy")(copy_folder(self.sealed, base / "emptied"))
        code, self.sync_steps = run_to_the_end(emptied, "sync")
        assert code == 0

    @staticmethod
    def emptied(name: str) -> Callable[[Path], Path]:
        def empty(folder: Path) -> Path:
            shutil.rmtree(folder / name)
            (folder / name).mkdir()
            return folder

        return empty


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path_factory.mktemp("ground"))


def first_copying_step(ground: Ground, base: Path) -> int:
    """The first step before which a kill leaves the archive in the first store and in no other."""
    low, high = 1, ground.seal_steps
    while low < high:
        middle = (low + high) // 2
        folder = copy_folder(ground.spooled, base / f"looked-{middle}")
        assert run_killed(folder, middle, "seal")
        if list(folder.glob("vault/archives/*/manifest.json")):
            high = middle
        else:
            low = middle + 1
    return low


def test_a_sealing_killed_while_it_is_copied_completes_when_run_again(ground: Ground, tmp_path: Path) -> None:
    first = first_copying_step(ground, tmp_path)
    steps = ground.seal_steps - first + 1
    assert steps > 30, "copying to two stores takes more steps"
    halves = set()
    for step in places("copies", steps, ROUNDS):
        folder = copy_folder(ground.spooled, tmp_path / str(step))
        assert run_killed(folder, first - 1 + step, "seal")
        missing = [name for name in NAMES if not list(folder.glob(f"{name}/archives/*/manifest.json"))]
        halves.add(tuple(missing))
        with open_spool(folder) as spool:
            assert "copy" not in missing or not spool.is_empty(), "emptied before the required copy was made"
        assert main(["--config", str(folder), "seal"]) == 0
        check_equal(folder)
        assert read_contents(folder) == ground.contents
    assert len(halves) > 1, "no kill came between two stores"


def test_a_sealing_killed_anywhere_completes_in_all_stores(ground: Ground, tmp_path: Path) -> None:
    for step in places("anywhere", ground.seal_steps, ROUNDS // 2):
        folder = copy_folder(ground.spooled, tmp_path / str(step))
        assert run_killed(folder, step, "seal")
        assert main(["--config", str(folder), "seal"]) == 0
        check_equal(folder)
        assert read_contents(folder) == ground.contents


def test_a_sealing_killed_while_it_is_copied_can_be_completed_by_sync_first(
    ground: Ground, tmp_path: Path
) -> None:
    for step in places("then sync", ground.seal_steps, ROUNDS // 3):
        folder = copy_folder(ground.spooled, tmp_path / str(step))
        assert run_killed(folder, step, "seal")
        assert main(["--config", str(folder), "sync"]) == 0
        assert main(["--config", str(folder), "seal"]) == 0
        check_equal(folder)
        assert read_contents(folder) == ground.contents


def test_a_sync_killed_before_any_step_completes_when_run_again(ground: Ground, tmp_path: Path) -> None:
    for step in places("sync", ground.sync_steps, ROUNDS):
        folder = Ground.emptied("copy")(copy_folder(ground.sealed, tmp_path / str(step)))
        assert run_killed(folder, step, "sync")
        assert main(["--config", str(folder), "sync"]) == 0
        check_equal(folder)
        assert list(folder.rglob(f"{PARTIAL_PREFIX}*")) == []


def test_keyholders_changed_and_killed_are_the_same_everywhere_when_repeated(
    ground: Ground, tmp_path: Path
) -> None:
    whole = copy_folder(ground.sealed, tmp_path / "whole")
    key = tmp_path / "bert.identity"
    assert main(["keys", "new", "bert", "--out", str(key), "--no-passphrase", "--classic"]) == 0
    public = tmp_path / "bert.pub"
    public.write_text(
        next(line for line in key.read_text().splitlines() if "age1" in line).rpartition(" ")[2]
    )
    add = ("keys", "add", "bert", str(public))
    code, steps = run_to_the_end(whole, *add)
    assert code == 0
    check_equal(whole)
    for step in places("keys", steps, ROUNDS // 2):
        folder = copy_folder(ground.sealed, tmp_path / str(step))
        assert run_killed(folder, step, *add)
        assert main(["--config", str(folder), *add]) == 0
        assert main(["--config", str(folder), "seal"]) == 0  # sweeps what a killed writer left
        check_equal(folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_store_that_was_wiped_is_restored_by_sync(ground: Ground, tmp_path: Path, name: str) -> None:
    folder = Ground.emptied(name)(copy_folder(ground.sealed, tmp_path / "home"))
    assert main(["--config", str(folder), "sync"]) == 0
    assert main(["--config", str(folder), "verify"]) == 0
    check_equal(folder)
    assert read_contents(folder) == ground.contents
