"""Pictures and videos: where each lies in the vault, and reading it there."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from archiver.errors import IntegrityError, repair_hint
from archiver.evidence.model import Medium
from archiver.formats import age
from archiver.keys import Identity
from archiver.vault import Archive, Vault, current_names

_BLOCK = 1 << 20
_TYPES = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
    "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "m4a": "audio/mp4",
    "pdf": "application/pdf",
}  # fmt: skip
"""By the end of a file's name. Everything else is bytes, and is called `.bin`."""
_UNKNOWN = "application/octet-stream"


class MediaPlace(NamedTuple):
    """`offset` is that of the first byte in the pack's tar."""

    archive: str
    pack: str
    offset: int
    size: int
    sha256: str


class MediaBook:
    """Media that a pack holds, each once: `places` is path in the pack to place in the vault. `disposed`:
    archives that nothing opens any more."""

    def __init__(self, disposed: Collection[str] = ()) -> None:
        self.places: dict[str, MediaPlace] = {}
        self._disposed = disposed

    def medium(self, row: dict[str, Any]) -> Medium:
        """What a row of `media` says."""
        end, mime_type = _type_of(row["file_name"])
        path, missing = None, row["missing"]
        if row["archive"] in self._disposed:
            missing = f"in archive {row['archive']}, which was disposed of"
        elif row["pack"] is not None and row["sha256"] is not None:
            path = f"data/media/{row['sha256']}.{end}"
            place = row["archive"], row["pack"], row["offset"], row["size"], row["sha256"]
            self.places.setdefault(path, MediaPlace(*place))
        elif missing is None:
            missing = "not sealed yet"
        return Medium(
            media_type=row["media_type"],
            url=row["url"] or None,
            file_name=row["file_name"] or None,
            mime_type=mime_type,
            alt_text=row["alt_text"],
            sha256=row["sha256"],
            size=row["size"],
            path=path,
            missing=missing,
        )


def _type_of(file_name: str) -> tuple[str, str]:
    end = file_name.rpartition(".")[2].lower()
    return (end, _TYPES[end]) if end in _TYPES else ("bin", _UNKNOWN)


class MediaReader:
    """Reads media where they lie. Packs stay open until `close`. Raise IntegrityError for altered bytes,
    NoKeyError where no identity opens the archive."""

    def __init__(self, vault: Vault, archives: Sequence[Archive], identities: Sequence[Identity]) -> None:
        self._vault = vault
        self._archives = {one.name: one for one in archives}
        self._current = current_names(archives)
        self._identities = identities
        self._open: dict[str, tuple[Any, age.SeekReader]] = {}

    def read(self, place: MediaPlace) -> Iterator[bytes]:
        """Its bytes in blocks of at most 1 MiB, the SHA-256 checked at the end."""
        archive = self._current.get(place.archive, place.archive)
        name, digest = f"archives/{archive}/{place.pack}", hashlib.sha256()
        for start in range(0, place.size, _BLOCK):
            block = self._read_at(archive, name, place.offset + start, min(_BLOCK, place.size - start))
            digest.update(block)
            yield block
        if digest.hexdigest() != place.sha256:
            raise self._wrong(archive, f"{name}: the file at {place.offset} is not what was captured")

    def _read_at(self, archive: str, name: str, offset: int, length: int) -> bytes:
        try:
            data = self._reader(archive, name).read_at(offset, length)
        except age.AgeError as error:
            raise self._wrong(archive, f"{name}: {error}") from error
        if len(data) != length:
            raise self._wrong(archive, f"{name} ends before the file at {offset} does")
        return data

    def _reader(self, archive: str, name: str) -> age.SeekReader:
        if name not in self._open:
            known = self._archives.get(archive)
            if known is None:
                raise self._wrong(archive, f"archive {archive}, which holds a picture, is missing")
            identity = self._vault.open_key(known, self._identities)
            stored = self._vault.store.open_random(name)
            try:
                self._open[name] = stored, age.SeekReader(stored, [identity])
            except BaseException:
                stored.close()
                raise
        return self._open[name][1]

    @staticmethod
    def _wrong(archive: str, what: str) -> IntegrityError:
        error = IntegrityError(what, repair_hint(archive))
        error.archive = archive
        return error

    def close(self) -> None:
        for stored, _ in self._open.values():
            stored.close()
        self._open.clear()
