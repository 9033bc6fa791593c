"""An entry as it lies in a store: a tar of three files (`archiver.strict_tar`), so that one entry is one
request."""

from typing import NamedTuple

from archiver.strict_tar import pack_tar, unpack_tar

MAXIMUM_BYTES = 4 << 20
"""Of a whole entry: 256 keyholders' post-quantum stanzas take 400 KiB, what an entry says 1 MB at most."""
_SUFFIXES = (".json", ".json.sig", ".json.age")


class Bundle(NamedTuple):
    """What the tar holds: the link's bytes, their signature, the sealed entry."""

    link: bytes
    signature: bytes
    sealed: bytes


def pack(bundle: Bundle, stem: str, seconds: int) -> bytes:
    """The tar's bytes. `stem`: what the files are called without what tells them apart; `seconds`: since
    1970, as their time."""
    members = [(f"{stem}{suffix}", data) for suffix, data in zip(_SUFFIXES, bundle, strict=True)]
    return pack_tar(members, seconds)


def unpack(data: bytes, stem: str, name: str) -> Bundle:
    """What lies in it. Raise IntegrityError, naming it, for what `pack` does not write."""
    members = [f"{stem}{suffix}" for suffix in _SUFFIXES]
    return Bundle(*unpack_tar(data, members, name, "entry of the log", MAXIMUM_BYTES))
