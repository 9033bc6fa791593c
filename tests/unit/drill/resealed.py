"""An archive as somebody with every key would make it anew: other bytes inside, and all hashes, signatures
and the chain right. Only what is inside can tell."""

import io
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256

import msgspec
import zstandard

from archiver.archive.manifest import NAMESPACE, File, manifest_fields
from archiver.chain import sign_document
from archiver.formats import age
from archiver.formats.seekable_zstd import SeekableWriter
from archiver.keys import load_signing_key
from archiver.vault import Archive
from tests.homes import Home


def reseal(home: Home, kind: str, change: Callable[[bytes], bytes], *, more_bytes: int = 0) -> str:
    """Change what is inside the first file of a kind, and sign it all anew; the file's name. `more_bytes`: by
    how many the manifest says more than there are."""
    (archive,) = home.archives
    file = next(one for one in archive.manifest.files if one.kind == kind)
    identity = home.vault.open_key(archive, home.identities)
    plain = age.decrypt([identity], (home.folder / "vault" / archive.path(file)).read_bytes())
    if kind == "records":
        plain = zstandard.ZstdDecompressor().stream_reader(plain, read_across_frames=True).read()
    changed = change(plain)
    packed = _frames(changed) if kind == "records" else changed
    sealed = age.encrypt([identity.recipient()], packed)
    home.replace(archive.path(file), sealed)
    _sign(home, archive, file, sealed, len(changed) + more_bytes)
    return file.name


def _frames(plain: bytes) -> bytes:
    target = io.BytesIO()
    with SeekableWriter(target, checksums=True) as writer:
        writer.write(plain)
    return target.getvalue()


def _sign(home: Home, archive: Archive, file: File, sealed: bytes, plain_size: int) -> None:
    new = msgspec.structs.replace(
        file, size=len(sealed), sha256=sha256(sealed).hexdigest(), plain_size=plain_size
    )
    files = [new if one.name == file.name else one for one in archive.manifest.files]
    manifest = msgspec.structs.replace(archive.manifest, files=files)
    key = load_signing_key(home.settings.signing_key)
    data, signature = sign_document(manifest_fields(manifest), key, NAMESPACE)
    home.replace(f"archives/{archive.name}/manifest.json", data)
    home.replace(f"archives/{archive.name}/manifest.json.sig", signature)


def edit_rows(*statements: str) -> Callable[[bytes], bytes]:
    """A change of a segment's rows. The full-text indexes stay as they were."""

    def change(plain: bytes) -> bytes:
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(plain)
            for statement in statements:
                assert database.execute(statement).rowcount != 0, statement
            database.commit()
            return database.serialize()

    return change


def edit_member(plain: bytes) -> bytes:
    """A change of one byte of the first picture in a pack."""
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        place = next(iter(tar)).offset_data
    return plain[:place] + bytes([plain[place] ^ 1]) + plain[place + 1 :]


def drop_member(plain: bytes) -> bytes:
    """A pack without its first picture: a tar of one that no record shows, as long."""
    target = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(plain)) as old, tarfile.open(fileobj=target, mode="w") as new:
        for member in list(old)[1:]:
            new.addfile(member, old.extractfile(member))
    return target.getvalue()
