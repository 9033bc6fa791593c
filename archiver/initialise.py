"""The folder that `archiver init` makes: settings, keys and an empty vault, complete or not at all."""

import os
import secrets
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from archiver import disk
from archiver.archive.manifest import NAMESPACE
from archiver.audit.entry import Asked
from archiver.chain import encode_document
from archiver.errors import UsageError
from archiver.formats.ssh_signature import SigningKey, allowed_signers_line
from archiver.keyholders import Keyholder, Keyholders
from archiver.keys import WORK_FACTOR, encode_identity_file, new_identity, new_keyholder_signing_key
from archiver.settings import (
    FILE_NAME,
    KEYHOLDER_NAME,
    keyholder_signing_key,
    load_settings,
    toml_text,
)
from archiver.stores.checks import VAULT_FORMAT as VAULT_FORMAT
from archiver.stores.local import LocalStore
from archiver.times import format_date, format_time
from archiver.wiring.log import collector_act, flush_log

SIGNER = "collector"
"""The name of the first signing key in allowed_signers."""
_PRIVATE = 0o700
_NO_ENVIRONMENT: Mapping[str, str] = {}
_FOLDERS = ("keys", "collector", "inbox", "spool")
_SETTINGS = """\
# Settings of the archiver. Paths are taken from the folder of this file. All settings there are, with
# their defaults, stand in config/archiver.sample.toml; `archiver config check` looks this file over.

# What is sealed: archives, their manifests and keys.
vault = "vault"
# A second copy, on another disk, a mounted share or in an S3 bucket, is a table of its own, below. Every
# archive goes there too; `archiver sync` brings what it has not:
# [[store]]
# name = "share"
# kind = "local"
# path = "/mnt/share/vault"

# Public keys of everyone who can read the archives; change them with `archiver keys add` and `remove`.
recipients = "keys/recipients.txt"

# The host that collects and seals. It needs no keyholder's identity.
[collector]
inbox = "inbox"
spool = "spool"
state = "state.sqlite"
signing_key = "collector/signing_key"
spool_identity = "collector/spool.identity"

# Who searches here. On a host that only collects, move the identity file away and remove this table.
[keyholder]
name = {name}
identity = {identity}
{passphrase}

# Accounts that are archived, each in a table of its own. `archiver import --add-account EXPORT.zip`
# writes one:
# [[account]]
# platform = "x"
# id = "1234567890"
# handle = "example"
"""


def check_can_initialise(directory: Path, holder: str) -> None:
    """Raise UsageError where the folder holds settings or anything that a new one would have, or the
    keyholder's name cannot name a file. What is there is never touched."""
    if not KEYHOLDER_NAME.fullmatch(holder):
        raise UsageError(f"{holder!r} cannot be a keyholder's name", "up to 64 of A-Z a-z 0-9 . _ @ -")
    if os.path.lexists(directory / FILE_NAME):
        raise UsageError(
            f"{directory} is set up already: it holds {FILE_NAME}",
            "nothing was changed; choose another folder",
        )
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is no folder", "choose another one")
    for name in (*_FOLDERS, "vault", "state.sqlite"):
        path = directory / name
        if os.path.lexists(path) and not (path.is_dir() and not os.listdir(path)):
            raise UsageError(f"{path} is there already", "nothing was changed; choose another folder")


def initialise(
    directory: Path,
    holder: str,
    *,
    now_ms: int,
    classic: bool = False,
    passphrase: str | None = None,
    passphrase_reference: str | None = None,
    work_factor: int = WORK_FACTOR,
    environ: Mapping[str, str] = _NO_ENVIRONMENT,
) -> Path:
    """Make the folder and return its settings file. The holder's identity is encrypted to the
    passphrase, or plain where that is None; the reference goes into the settings, the passphrase
    nowhere. `environ` tells the log who did it. Raise as `check_can_initialise`, and ArchiverError where the
    disk fails: then nothing is left."""
    directory = directory.absolute()
    check_can_initialise(directory, holder)
    existed = directory.is_dir()
    disk.make_directories(directory.parent)
    partial = (directory if existed else directory.parent) / f"{disk.PARTIAL_PREFIX}{secrets.token_hex(6)}"
    try:
        with disk.os_errors_reported("creating", directory):
            partial.mkdir()
            for name in _FOLDERS:
                (partial / name).mkdir(_PRIVATE)
            (partial / "vault").mkdir()
        _make_keyholder(partial, holder, classic, passphrase, now_ms, work_factor)
        _make_collector(partial, now_ms)
        settings = _settings_text(holder, passphrase_reference).encode()
        disk.create_exclusively(partial / FILE_NAME, settings, 0o644)
        _begin_log(partial, holder, now_ms, environ)
        with disk.os_errors_reported("creating", directory):
            _publish(partial, directory, existed)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    disk.sync_directory(directory.parent)
    return directory / FILE_NAME


def _make_keyholder(
    folder: Path, holder: str, classic: bool, passphrase: str | None, now_ms: int, work_factor: int
) -> None:
    identity = new_identity(classic=classic)
    data = encode_identity_file(identity, holder, now_ms, passphrase, work_factor)
    path = folder / "keys" / f"{holder}.identity"
    disk.create_exclusively(path, data)
    disk.create_exclusively(
        keyholder_signing_key(path, holder), new_keyholder_signing_key(identity, holder)[1]
    )
    keyholders = Keyholders().add(Keyholder(holder, identity.recipient(), format_date(now_ms)))
    keyholders.save(folder / "keys" / "recipients.txt")


def _begin_log(folder: Path, holder: str, now_ms: int, environ: Mapping[str, str]) -> None:
    """The first entries of the log: that there is a vault, and a keyholder. They lie in the vault at once."""
    settings = load_settings(folder / FILE_NAME)
    asked = Asked("key", "init", detail={"keyholder": holder})
    with collector_act(settings, environ, asked, lambda: now_ms):
        pass
    flush_log(settings, LocalStore(folder / "vault"))


def _make_collector(folder: Path, now_ms: int) -> None:
    """The collector's keys, and the vault that trusts its signatures."""
    collector = folder / "collector"
    # Classic in any case: who takes the spool takes this key beside it, and a post-quantum one costs each
    # page a millisecond.
    spool_identity = new_identity(classic=True)
    disk.create_exclusively(
        collector / "spool.identity", encode_identity_file(spool_identity, "the spool", now_ms)
    )
    key = SigningKey.generate(SIGNER)
    disk.create_exclusively(collector / "signing_key", key.to_openssh())
    disk.create_exclusively(collector / "signing_key.pub", f"{key.public_line()}\n".encode(), 0o644)
    vault = LocalStore(folder / "vault")
    for name, data in vault_files(key, now_ms).items():
        vault.put_new(name, data)


def vault_files(key: SigningKey, now_ms: int) -> dict[str, bytes]:
    """What begins a vault, in the order in which to write it: who may sign, and last its description, which
    makes it exist."""
    signers = f"{allowed_signers_line(SIGNER, key.public_line(), [NAMESPACE])}\n"
    document = {"created": format_time(now_ms), "format": VAULT_FORMAT, "vault": str(uuid.uuid4())}
    return {"allowed_signers": signers.encode(), "vault.json": encode_document(document)}


def _settings_text(holder: str, passphrase_reference: str | None) -> str:
    line = '# passphrase = "command:pass show archiver"   # without one it is asked for'
    if passphrase_reference is not None:
        line = f"passphrase = {toml_text(passphrase_reference)}"
    identity = toml_text(f"keys/{holder}.identity")
    return _SETTINGS.format(name=toml_text(holder), identity=identity, passphrase=line)


def _publish(partial: Path, directory: Path, existed: bool) -> None:
    """Give everything its place. A new folder appears in one step. In an existing one the settings come
    last, so that what a kill in between leaves is refused as "there already", never taken for complete."""
    if not existed:
        disk.sync_directory(partial)
        partial.rename(directory)
        return
    names: Sequence[str] = (*_FOLDERS, "vault")
    moved: list[str] = []
    try:
        for name in names:
            (partial / name).rename(directory / name)  # onto nothing, or an empty folder
            moved.append(name)
        disk.sync_directory(directory)
        os.link(partial / FILE_NAME, directory / FILE_NAME)
        disk.sync_directory(directory)
    except BaseException:
        for name in moved:
            with suppress(OSError):
                (directory / name).rename(partial / name)
        raise
