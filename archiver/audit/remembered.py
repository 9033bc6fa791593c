"""Where a keyholder's host left each of its chains: a small file beside the identity, so that an entry needs
no listing, and a log that was cut off shows at once."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from archiver import disk
from archiver.audit.link import Sha256
from archiver.chain import Head, encode_document, parse_document, require_known_format
from archiver.errors import IntegrityError

FORMAT = "archiver-log-heads-1"
_MAXIMUM_BYTES = 1 << 20


class Remembered(Struct, frozen=True, kw_only=True):
    """The last entry of a chain that this host wrote or saw, the store it was put into, and how far the other
    chains were then."""

    chain: str
    sequence: int
    sha256: Sha256
    store: str
    logs: dict[str, Head] = {}

    @property
    def head(self) -> Head:
        return Head(self.sequence, self.sha256)


class _File(Struct, frozen=True, kw_only=True):
    format: str
    vaults: dict[str, Remembered]


def load_heads(path: Path) -> dict[str, Remembered]:
    """What is remembered, by the vault's id; nothing where there is no file. Raise IntegrityError where it is
    no such file: what it knew is lost, and a person must know that."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAXIMUM_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise disk.translate_os_error(error, "reading", path) from error
    require_known_format(data, str(path), FORMAT)
    try:
        found = msgspec.convert(parse_document(data, str(path)), _File)
    except (msgspec.ValidationError, IntegrityError) as error:
        raise IntegrityError(
            f"{path} does not say where the log was left: it is damaged",
            "look the log over with archiver log verify, then remove the file: the log is gone on with",
        ) from error
    return found.vaults


def save_head(path: Path, vault: str, remembered: Remembered) -> None:
    """Remember where a chain was left. What another process has seen meanwhile is not taken back."""
    known = load_heads(path)
    before = known.get(vault)
    if before is not None and before.chain == remembered.chain and before.sequence > remembered.sequence:
        return
    fields: dict[str, Any] = msgspec.to_builtins(_File(format=FORMAT, vaults={**known, vault: remembered}))
    disk.write_atomically(path, encode_document(fields))
