"""The catalogue's folder: its sealed files read, written and deleted. Nothing that befalls it is an error."""

import os
import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from archiver import disk
from archiver.errors import ArchiverError
from archiver.formats import age
from archiver.keys import Identity
from archiver.search.catalogue.part import Part, UnusablePartError

_PREFIX, _SUFFIX = "part-", ".sqlite.zst.age"
_ABANDONED_SECONDS = 3600
"""A part is written in seconds, and other processes may be writing theirs."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


class CatalogueFolder:
    """A vault's parts below a folder, which is made (0700) when first written to; None: nothing is kept.

    `problem` says what could not be read or written, the first time it happened."""

    def __init__(self, folder: Path | None, vault_id: str, identities: Sequence[Identity]) -> None:
        self.path = folder / "catalogue" / _folder_name(vault_id) if folder and identities else None
        self.problem: str | None = None
        self._vault_id = vault_id
        self._identities = identities
        self._doomed: set[str] = set()

    def load(self) -> list[Part]:
        """Every part that can be used, those with most segments first; the others are doomed."""
        if self.path is None:
            return []
        found = [self._load_one(self.path, name) for name in self._names(self.path)]
        parts = [part for part in found if part is not None]
        return sorted(parts, key=lambda part: (-len(part.segments), part.name))

    def _names(self, folder: Path) -> list[str]:
        try:
            with os.scandir(folder) as entries:
                files = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        except FileNotFoundError:
            return []
        except OSError as error:
            self._note(disk.translate_os_error(error, "reading", folder))
            return []
        return sorted(name for name in files if name.startswith(_PREFIX))

    def _load_one(self, folder: Path, name: str) -> Part | None:
        path = folder / name
        try:
            return Part.load(path, self._identities, self._vault_id)
        except FileNotFoundError:  # merged by another process just now
            return None
        except OSError as error:
            self._note(disk.translate_os_error(error, "reading", path))
        except UnusablePartError:
            pass
        self._doomed.add(name)
        return None

    def doom(self, parts: Iterable[Part]) -> None:
        """Delete these at the next `write`, when what takes their place is there."""
        self._doomed |= {part.name for part in parts if part.name is not None}

    def write(self, part: Part | None, instead_of: Sequence[Part] = ()) -> None:
        """Give a part a file, which holds what these held from now on; then delete what is doomed. Where that
        fails, `problem` says why, and what is there stays."""
        if self.path is None:
            return
        try:
            if part is not None:
                name = self._write_one(self.path, part)
                self.doom(instead_of)
                for one in (part, *instead_of):
                    one.name = name
                _delete_abandoned(self.path, self.path / name)
            for doomed in sorted(self._doomed):
                (self.path / doomed).unlink(missing_ok=True)
            self._doomed.clear()
        except ArchiverError as error:
            self._note(error)
        except OSError as error:
            self._note(disk.translate_os_error(error, "deleting from", self.path))

    def _write_one(self, folder: Path, part: Part) -> str:
        disk.make_directories(folder, 0o700)
        name = f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        with disk.new_file(folder / name) as file:
            part.seal(self._own, self._vault_id, file)
        return name

    @property
    def _own(self) -> Identity:
        """The identity whose recipient parts are encrypted to: a post-quantum one, where there is one, as it
        must not share a file with a classic one."""
        return next(
            (one for one in self._identities if isinstance(one, age.HybridIdentity)), self._identities[0]
        )

    def _note(self, error: ArchiverError) -> None:
        self.problem = self.problem or error.message


def _delete_abandoned(folder: Path, written: Path) -> None:
    """Remove what killed runs left: half a file an hour older than one just written."""
    with suppress(FileNotFoundError):  # another process merged it, or finished its own
        before = written.stat().st_mtime - _ABANDONED_SECONDS
        for path in folder.glob(f"{disk.PARTIAL_PREFIX}*"):
            if path.stat().st_mtime < before:
                path.unlink()


def _folder_name(vault_id: str) -> str:
    """A vault's id, or its SHA-256 where it is no plain name: a store says it."""
    return vault_id if _PLAIN_NAME.fullmatch(vault_id) else sha256(vault_id.encode()).hexdigest()
