"""One pack of pictures and videos read through, each file against the SHA-256 that the records show."""

import hashlib
import tarfile
from contextlib import closing

from archiver.archive.manifest import File
from archiver.archive.read import NOT_ITS_KEY
from archiver.archive.verify import BLOCK, CountingReader, HashingReader, check_whole
from archiver.drill.proof import Drilled
from archiver.errors import IntegrityError, repair_hint
from archiver.formats import age
from archiver.stores.base import Store


def prove_pack(store: Store, archive: str, file: File, identity: age.Identity, drilled: Drilled) -> None:
    """Read a pack to its end and put into `drilled` what is found. Only a block of it is in memory. Raise
    IntegrityError where its bytes are not the manifest's, or it is no whole tar."""
    name = f"archives/{archive}/{file.name}"
    with store.open_random(name) as stored:
        reader = HashingReader(stored)
        try:
            with closing(age.DecryptReader(reader, [identity])) as opened:
                size = _read(opened, name, archive, file, drilled)
        except age.NoMatchError as error:
            raise IntegrityError(f"{name}: {NOT_ITS_KEY}", repair_hint(archive)) from error
        except (age.AgeError, tarfile.TarError) as error:
            raise IntegrityError(f"{name}: {error}", repair_hint(archive)) from error
        check_whole(name, archive, file, *reader.finish())
    if size != file.plain_size:
        text = f"{name} holds {size:,} bytes, its manifest says {file.plain_size:,}"
        raise IntegrityError(text, repair_hint(archive))
    drilled.plain_bytes += size


def _read(opened: age.DecryptReader, name: str, archive: str, file: File, drilled: Drilled) -> int:
    counted = CountingReader(opened)
    with tarfile.open(fileobj=counted, mode="r|") as tar:
        for member in tar:
            content = tar.extractfile(member)
            digest = hashlib.sha256()
            while content is not None and (block := content.read(BLOCK)):
                digest.update(block)
            found = digest.hexdigest(), member.size
            expected = drilled.expected.pop((file.name, member.offset_data), None)
            if expected == found:
                drilled.media += 1
                continue
            if expected is None and drilled.lacks_rows:
                continue
            what = (
                "is shown by no record" if expected is None else "has not the SHA-256 that its record shows"
            )
            text = f"{name}: the file at byte {member.offset_data:,} {what}"
            drilled.add(IntegrityError(text, repair_hint(archive)))
    while counted.read(BLOCK):
        pass
    return counted.size
