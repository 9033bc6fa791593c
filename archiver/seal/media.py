"""Media packs: the spool's pictures and videos as tar files, each one age file in the store."""

import io
import re
import tarfile
from collections.abc import Iterable, Iterator
from hashlib import sha256

from archiver.archive.build import MediaPlace
from archiver.archive.manifest import File
from archiver.copying import verify_sealed
from archiver.errors import IntegrityError
from archiver.formats import age
from archiver.keys import Identity
from archiver.seal.hashing import MeasuringWriter
from archiver.spool import Spool, SpooledMedia
from archiver.stores.base import Store

PACK_BYTES = 1024 * 1024 * 1024
"""A pack is closed once its tar is this large, so that one altered file spoils little."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}")
Places = dict[tuple[str, str], MediaPlace]


def seal_media(
    archive: str, media: Iterable[SpooledMedia], spool: Spool, store: Store, identity: Identity
) -> tuple[list[File], Places]:
    """Pack every media file; the packs, read back and verified, and where each file lies."""
    packs: list[File] = []
    places: Places = {}
    waiting = list(media)
    while waiting:
        pack = f"media-{len(packs):03d}.tar.age"
        batch = list(_up_to_pack_size(waiting))
        waiting = waiting[len(batch) :]
        packs.append(_seal_pack(archive, pack, batch, spool, store, identity, places))
    return packs, places


def _up_to_pack_size(media: list[SpooledMedia]) -> Iterator[SpooledMedia]:
    size = 0
    for one in media:
        yield one
        size += one.size or 0
        if size >= PACK_BYTES:
            return


def _seal_pack(
    archive: str,
    pack: str,
    batch: list[SpooledMedia],
    spool: Spool,
    store: Store,
    identity: Identity,
    places: Places,
) -> File:
    with store.create(f"archives/{archive}/{pack}") as file:
        hashing = MeasuringWriter(file)
        with age.encrypt_stream([identity.recipient()], hashing) as sealed:
            with tarfile.open(fileobj=_TarTarget(sealed), mode="w|", format=tarfile.PAX_FORMAT) as tar:
                for one in batch:
                    offset = _add_to_tar(tar, one, spool)
                    places[one.account, one.file_name] = MediaPlace(
                        one.sha256, one.size, archive, pack, offset, None
                    )
            plain_size = sealed.tell()
    packed = File(name=pack, kind="media", size=hashing.size, sha256=hashing.sha256, plain_size=plain_size)
    verify_sealed(store, archive, packed, identity)
    return packed


def member_name(account: str, file_name: str) -> str:
    """A media file's name in its pack: its own where that is harmless on any system, else its hash."""
    safe = (
        file_name
        if _PLAIN_NAME.fullmatch(file_name)
        else sha256(file_name.encode("utf-8", "replace")).hexdigest()
    )
    folder = (
        account if _PLAIN_NAME.fullmatch(account) else sha256(account.encode("utf-8", "replace")).hexdigest()
    )
    return f"{folder}/{safe}"


def _add_to_tar(tar: tarfile.TarFile, media: SpooledMedia, spool: Spool) -> int:
    """Append one file, check it against the SHA-256 noted at capture, and say where its bytes begin."""
    member = tarfile.TarInfo(member_name(media.account, media.file_name))
    member.size = media.size or 0
    member.mode = 0o444
    with spool.open_media(media) as stream:
        checked = _CheckedStream(stream)
        tar.addfile(member, checked)
    if checked.sha256 != media.sha256:
        raise IntegrityError(f"media file {media.file_name} of the spool is not what was captured")
    return int(tar.offset) - -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


class _TarTarget(io.RawIOBase):
    """What tarfile writes to."""

    def __init__(self, sealed: age.Writer) -> None:
        self._sealed = sealed

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        return self._sealed.write(memoryview(data))  # type: ignore[arg-type]  # a private Buffer type


class _CheckedStream(io.RawIOBase):
    """Hashes what passes."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._digest = sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._digest.update(data)
        return data

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
