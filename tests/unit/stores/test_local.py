"""A folder as a store, and what else than files may lie in it. What every store does is in
`tests/contracts/test_stores.py`."""

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.errors import IntegrityError
from archiver.stores.base import ExistsInStoreError, NotInStoreError
from archiver.stores.local import SET_ASIDE, LocalStore
from tests.programs import PROJECT

NO_MORE_FILES = """
import os, resource, sys
from pathlib import Path
from archiver.errors import ArchiverError
from archiver.stores.local import LocalStore
store = LocalStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
while True:
    try:
        os.dup(0)
    except OSError:
        break
for attempt in (lambda: store.open_random("a/b"), lambda: store.list("a/"), store.list):
    try:
        attempt()
    except ArchiverError as error:
        print(type(error).__name__, error.message.replace(sys.argv[1], "VAULT"))
"""


def test_what_cannot_be_read_is_an_error_and_not_taken_for_absent(tmp_path: Path) -> None:
    """By a process that may open no more files, as root may read everything."""
    LocalStore(tmp_path).put_new("a/b", b"data")
    result = subprocess.run(
        [sys.executable, "-c", NO_MORE_FILES, str(tmp_path)],
        cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.splitlines() == [
        "ArchiverError VAULT/a/b: too many open files while opening it",
        "ArchiverError VAULT/a: too many open files while listing it",
        "ArchiverError VAULT: too many open files while listing it",
    ]


def test_a_link_in_a_files_place_is_not_followed_and_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"secret")
    (tmp_path / "vault" / "a").mkdir(parents=True)
    store = LocalStore(tmp_path / "vault")
    links = {"a/link": tmp_path / "elsewhere", "a/loop": Path("loop"), "a/dangling": tmp_path / "absent"}
    for name, target in links.items():
        (store.root / name).symlink_to(target)
        for attempt in (store.open_random, store.size, lambda name: store.read(name, 10)):
            with pytest.raises(NotInStoreError, match=f"^{name} is a link, which is not followed, in "):
                attempt(name)
        assert not store.exists(name)
        assert isinstance(store.inspect([name])[name], NotInStoreError)
        with pytest.raises(ExistsInStoreError):
            store.put_new(name, b"ours")
    assert list(store.list()) == list(store.list("a/")) == []
    store.put_back("a/link", b"right", sha256=hashlib.sha256(b"right").hexdigest())
    assert store.read("a/link", 10) == b"right"
    assert (tmp_path / "elsewhere").read_bytes() == b"secret"
    assert (store.root / SET_ASIDE / "a" / "link.1").is_symlink()


ACTS_BEHIND_A_LINK: list[Callable[[LocalStore], object]] = [
    lambda store: store.put_new("archives/2026-11-01/records", b"ours"),
    lambda store: store.put_back("archives/2026-11-01/key.age", b"", sha256=hashlib.sha256().hexdigest()),
    lambda store: store.replace_key("archives/2026-11-01/key.age", b"ours"),
    lambda store: store.discard_unfinished("2026-11-01"),
]


def test_what_lies_behind_a_link_in_a_folders_place_is_no_part_of_the_store(tmp_path: Path) -> None:
    other = LocalStore(make_vault(tmp_path / "other"))
    names = [f"archives/2026-11-01/{name}" for name in ("key.age", "manifest.json")]
    for name in names:
        other.put_new(name, b"theirs")
    root = make_vault(tmp_path / "vault")
    (root / "archives").mkdir()
    (root / "archives" / "2026-11-01").symlink_to(other.root / "archives" / "2026-11-01")
    (tmp_path / "mounted").symlink_to(root)
    for store in (LocalStore(root), LocalStore(tmp_path / "mounted")):
        for start in ("", "archives/", "archives/2026-11-01", "archives/2026-11-01/"):
            assert list(store.list(start)) == []
        for name in names:
            assert not store.exists(name)
            with pytest.raises(
                NotInStoreError, match=f"^{name} is behind a link, which is not followed, in "
            ):
                store.open_random(name)
        assert store.begun_archives() == {"2026-11-01"}, "its name is not to be used"
        for act in ACTS_BEHIND_A_LINK:
            with pytest.raises(IntegrityError, match="link"):
                act(store)
    assert {name: other.read(name, 10) for name in other.list()} == dict.fromkeys(names, b"theirs")


def test_a_vault_may_lie_behind_a_link_itself(tmp_path: Path) -> None:
    (tmp_path / "vault").symlink_to(make_vault(tmp_path / "disk"))
    store = LocalStore(tmp_path / "vault")
    store.put_new("archives/2026-11-01/key.age", b"key")
    assert list(store.list()) == list(store.list("archives/")) == ["archives/2026-11-01/key.age"]
    assert LocalStore(tmp_path / "disk").read("archives/2026-11-01/key.age", 10) == b"key"


def test_what_is_no_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Opening a pipe waits for whoever writes to it, for ever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        store = LocalStore(tmp_path)
        for name in ("pipe", "folder", "socket"):
            with pytest.raises(NotInStoreError, match=f"^{name} is missing from "):
                store.open_random(name)
            assert not store.exists(name)
        assert list(store.list()) == []


def make_vault(path: Path) -> Path:
    path.mkdir()
    return path
