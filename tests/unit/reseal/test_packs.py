"""Media packs without some files: what stays is where it was, and of what went nothing is there."""

import io
import tarfile
from pathlib import Path

import pytest

from archiver.archive.manifest import File
from archiver.errors import IntegrityError
from archiver.formats import age
from archiver.reseal.packs import ERASED_MEMBER, reseal_pack, without_members
from archiver.seal.hashing import MeasuringWriter
from archiver.stores.local import LocalStore

CONTENTS = {
    "1001/a.jpg": b"first" * 300,
    "1001/b.jpg": b"",
    f"1001/{'long-' * 30}.jpg": b"second" * 500,
    "1001/c.mp4": b"third" * 5000,
}


def pack() -> tuple[bytes, dict[str, int]]:
    """A tar as sealing makes it, and where each file begins."""
    target, offsets = io.BytesIO(), {}
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for name, content in CONTENTS.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o444
            tar.addfile(member, io.BytesIO(content))
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as tar:
        for one in tar:
            offsets[one.name] = one.offset_data
    return target.getvalue(), offsets


@pytest.mark.parametrize("doomed", [[name] for name in CONTENTS] + [[], list(CONTENTS)[:2], list(CONTENTS)])
def test_other_files_stay_at_their_places(doomed: list[str]) -> None:
    old, offsets = pack()
    new = b"".join(without_members(io.BytesIO(old), [offsets[name] for name in doomed]))
    assert len(new) == len(old)
    with tarfile.open(fileobj=io.BytesIO(new)) as tar:
        names = [one.name for one in tar]
    assert names.count(ERASED_MEMBER) == len(doomed)
    for name, content in CONTENTS.items():
        if name in doomed:
            assert name not in names
            assert not content or content not in new
            assert name.encode() not in new
        else:
            assert new[offsets[name] : offsets[name] + len(content)] == content


def test_a_file_that_is_not_where_it_should_be_is_told() -> None:
    old, offsets = pack()
    with pytest.raises(IntegrityError, match="no file at 17"):
        list(without_members(io.BytesIO(old), [17, *offsets.values()]))


def test_a_pack_that_ends_too_early_is_damage(tmp_path: Path) -> None:
    store, identity = LocalStore(tmp_path), age.X25519Identity.generate()
    old, _ = pack()
    with store.create("archives/a/media-000.tar.age") as file:
        measured = MeasuringWriter(file)
        with age.encrypt_stream([identity.recipient()], measured) as sealed:
            sealed.write(old[:2000])
    described = File(
        name="media-000.tar.age", kind="media", size=measured.size, sha256=measured.sha256, plain_size=2000
    )
    with pytest.raises(IntegrityError, match="ends too early"):
        reseal_pack(store, ("a", described, identity), ("b", identity), [])
    assert not store.exists("archives/b/media-000.tar.age")
