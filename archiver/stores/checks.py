"""Proofs that a store can do what is asked of it, each made by trying it.

Probes are small files of random bytes under random names in `checks/`; nothing of the vault is read but
`vault.json`, and nothing of it is written. What can be removed is removed at the end: the probes of this
check, and those of checks that are over; never what somebody else keeps in a folder of that name.
"""

import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from archiver.chain import require_known_format
from archiver.errors import ArchiverError, IntegrityError
from archiver.stores.base import ExistsInStoreError, NotInStoreError, Store

VAULT_FORMAT = "archiver-vault-1"
PROBE_FOLDER = "checks"
PROBE_BYTES = 100_000
LONGEST_SECONDS = 180
"""For all checks of a bucket; an older probe is of a check that was killed."""
LEAST_FREE_BYTES = 1 << 30
"""A folder with less room than this soon takes no archive: said, and failed."""
MEND_HINT = "put it back from another store: archiver repair"
"""For the two files that make a store a vault: its description and who may sign."""
_MAXIMUM_DESCRIPTION_BYTES = 1 << 20
_PROBE_BYTES_OF_NAME = 12
_PROBE = re.compile(rf"{PROBE_FOLDER}/[0-9a-f]{{{2 * _PROBE_BYTES_OF_NAME}}}")


@dataclass(frozen=True)
class Check:
    """One proof: what was tried, whether it holds, what was seen, and what to do where it does not.
    `proven`: False where it could not be tried and nothing speaks against it: told, and no failure."""

    what: str
    ok: bool
    said: str
    hint: str | None = None
    proven: bool = True


@runtime_checkable
class ProvesItself(Protocol):
    """A store that has proofs of its own kind."""

    def checks(self) -> Sequence[Check]:
        """Try everything that this kind of store is asked for."""
        ...


@runtime_checkable
class InFolder(Protocol):
    """A store that is a folder."""

    root: Path


def check_store(store: Store, vault: str | None = None) -> list[Check]:
    """Try everything that is asked of a store. `vault`: the id of the vault that it must hold, if any.

    Whatever fails is a check that is not ok; nothing is raised."""
    if isinstance(store, ProvesItself):
        checks = attempted("proofs", store.checks)
    else:
        checks = check_files(store)
        if isinstance(store, InFolder):
            checks += check_folder(store.root)
    if len(checks) == 1 and not checks[0].ok:  # it cannot be reached: the same would be said again
        return checks
    return [*checks, check_vault(store, vault)]


def is_same_place(one: Store, other: Store) -> bool:
    """Whether two stores are one folder under two names, as by a link or a mount: no copy of each other."""
    if not (isinstance(one, InFolder) and isinstance(other, InFolder)):
        return False
    with suppress(OSError):
        return one.root.samefile(other.root)
    return False


def attempted(what: str, act: Callable[[], Sequence[Check]]) -> list[Check]:
    """The checks of an act; where it fails itself, that."""
    try:
        return list(act())
    except ArchiverError as error:
        return [failed(what, error)]


def failed(what: str, error: ArchiverError) -> Check:
    """A check that ended in an error."""
    return Check(what, False, error.message, error.hint)


def find_vault_id(store: Store) -> str | None:
    """The id of the vault that a store holds; None where it holds none yet. Raise IntegrityError where its
    description is none."""
    try:
        return parse_vault_id(store.read("vault.json", _MAXIMUM_DESCRIPTION_BYTES), store.location)
    except NotInStoreError:
        return None


def parse_vault_id(data: bytes, location: str) -> str:
    """The id in a vault's description. Raise NewerVersionError, naming where it lies, where a later version
    made it, IntegrityError for anything else."""
    require_known_format(data, f"the vault in {location}", VAULT_FORMAT)
    try:
        return str(json.loads(data)["vault"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(f"vault.json in {location} is not a vault's description", MEND_HINT) from error


def check_vault(store: Store, vault: str | None) -> Check:
    """That a store holds the vault of this id, or none yet."""
    what = "holds this vault"
    try:
        found = find_vault_id(store)
    except ArchiverError as error:
        return failed(what, error)
    if found is None:
        return Check(what, True, "holds no vault yet; archiver sync fills it")
    if vault is not None and found != vault:
        return Check(
            what, False, f"holds another vault, {found}, not {vault}", "name another folder, bucket or prefix"
        )
    return Check(what, True, f"vault {found}")


# What every store is asked for


def probe_name() -> str:
    """A name that nobody has used."""
    return f"{PROBE_FOLDER}/{secrets.token_hex(_PROBE_BYTES_OF_NAME)}"


def is_probe(name: str) -> bool:
    """Whether a name is one that `probe_name` makes: anything else in that folder is somebody's data."""
    return _PROBE.fullmatch(name) is not None


def check_files(store: Store) -> list[Check]:
    """Put, refuse to replace, refuse a wrong checksum, read back: what any store can be asked for by its
    own methods."""
    name, data = probe_name(), secrets.token_bytes(PROBE_BYTES)
    try:
        store.put_new(name, data)
    except ArchiverError as error:
        return [failed("takes a file", error)]
    return [
        Check("takes a file", True, f"{PROBE_BYTES:,} bytes as {name}"),
        *attempted("reads exactly", lambda: [_check_read(store, name, data)]),
        *attempted("create-only", lambda: [_check_create_only(store, name, data)]),
        *attempted("checksum", lambda: [_check_checksum(store)]),
    ]


def _check_read(store: Store, name: str, data: bytes) -> Check:
    whole = store.read(name, PROBE_BYTES) == data
    with store.open_random(name) as file:
        parts = [(0, 1), (65_535, 2), (PROBE_BYTES - 10, 10), (PROBE_BYTES - 10, 100), (PROBE_BYTES, 10)]
        ranges = all(
            file.read_at(offset, length) == data[offset : offset + length] for offset, length in parts
        )
    said = f"{'the same' if whole else 'OTHER'} bytes, {'the same' if ranges else 'OTHER'} ranges"
    return Check("reads exactly", whole and ranges, said)


def _check_create_only(store: Store, name: str, data: bytes) -> Check:
    try:
        store.put_new(name, b"something else")
    except ExistsInStoreError:
        same = store.read(name, PROBE_BYTES) == data
        return Check("create-only", same, "a second put was refused" + ("" if same else ", but replaced it"))
    return Check("create-only", False, "a second put of the same name was taken")


def _check_checksum(store: Store) -> Check:
    name = probe_name()
    try:
        store.put_new(name, b"probe", sha256="0" * 64)
    except IntegrityError:
        there = store.exists(name)
        return Check("checksum", not there, "wrong bytes were refused" + (", but are there" if there else ""))
    return Check("checksum", False, "bytes with another SHA-256 than named were taken")


# A folder


def check_folder(root: Path) -> list[Check]:
    """What a file system must do for a store, and who may write there. Removes all probes, those that a
    killed check left too."""
    checks: list[Check] = []
    if (root / PROBE_FOLDER).is_dir():
        checks += [
            _tried("hard links", lambda: _check_links(root)),
            _tried("durable", lambda: _check_sync(root)),
        ]
    checks += [
        _tried("free space", lambda: _check_space(root)),
        _tried("who may write", lambda: _check_writers(root)),
    ]
    _remove_probes(root)
    return checks


def _remove_probes(root: Path) -> None:
    """What cannot be removed stays, and so does the folder where something else is in it."""
    with suppress(OSError):
        for path in (root / PROBE_FOLDER).iterdir():
            if is_probe(f"{PROBE_FOLDER}/{path.name}"):
                path.unlink(missing_ok=True)
        (root / PROBE_FOLDER).rmdir()


def _tried(what: str, act: Callable[[], Check]) -> Check:
    try:
        return act()
    except OSError as error:
        return Check(
            what, False, (error.strerror or str(error)).lower(), f"look at the folder: {error.filename}"
        )


def _check_links(root: Path) -> Check:
    """That a file gets its name by a hard link, which never replaces another: of two writers one wins."""
    first, second = (root / probe_name() for _ in range(2))
    try:
        first.write_bytes(b"probe")
        return _link_twice(first, second)
    finally:
        first.unlink(missing_ok=True)
        second.unlink(missing_ok=True)


def _link_twice(first: Path, second: Path) -> Check:
    try:
        os.link(first, second)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Check("hard links", True, f"none here ({reason}): this program's writers lock each other out")
    try:
        os.link(first, second)
    except FileExistsError:
        os.replace(first, second)
        return Check("hard links", True, "a name is given once; renaming is atomic")
    return Check("hard links", False, "a second link took a name that was taken", "use another file system")


def _check_sync(root: Path) -> Check:
    for path in (root, root / PROBE_FOLDER):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return Check("durable", True, "files and folders are synced to the disk")


def _check_space(root: Path) -> Check:
    usage = shutil.disk_usage(root)
    said = f"{usage.free / 1e9:,.1f} GB free of {usage.total / 1e9:,.1f} GB"
    if usage.free >= LEAST_FREE_BYTES:
        return Check("free space", True, said)
    return Check("free space", False, said, "free some, or move the store to a larger disk")


def _check_writers(root: Path) -> Check:
    """That not everybody on this machine may put files there, or take them away."""
    open_to_all = [path for path in (root, root / "archives") if path.is_dir() and _mode(path) & stat.S_IWOTH]
    if open_to_all:
        named = " ".join(str(path) for path in open_to_all)
        return Check("who may write", False, f"everybody on this machine: {named}", f"chmod o-w {named}")
    mode = _mode(root)
    who = "its owner and group" if mode & stat.S_IWGRP else "its owner"
    return Check("who may write", True, f"{who} (mode {mode:03o})")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
