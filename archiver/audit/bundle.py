"""An entry as it lies in a store: an uncompressed tar of three files, so that one entry is one request.

`tar -xf` gives the link, its signature and the sealed entry; nothing of ours is needed. There is one way to
write it and only what is written so is read: a member too many, a link, a name of somewhere else, a size that
is not so are refused, as is any byte behind the end. POSIX.1-1988, "ustar Interchange Format".
"""

from typing import NamedTuple

from archiver.errors import IntegrityError

MAXIMUM_BYTES = 4 << 20
"""Of a whole entry: 256 keyholders' post-quantum stanzas take 400 KiB, what an entry says 1 MB at most."""
_BLOCK = 512
_END = bytes(2 * _BLOCK)
_SUFFIXES = (".json", ".json.sig", ".json.age")
_MODE = b"0000444\0"
_NOBODY = b"0000000\0"


class Bundle(NamedTuple):
    """What the tar holds: the link's bytes, their signature, the sealed entry."""

    link: bytes
    signature: bytes
    sealed: bytes


def pack(bundle: Bundle, stem: str, seconds: int) -> bytes:
    """The tar's bytes. `stem`: what the files are called without what tells them apart; `seconds`: since
    1970, as their time."""
    parts: list[bytes] = []
    for suffix, data in zip(_SUFFIXES, bundle, strict=True):
        parts += [_header(f"{stem}{suffix}", len(data), seconds), data, bytes(-len(data) % _BLOCK)]
    return b"".join(parts) + _END


def unpack(data: bytes, stem: str, name: str) -> Bundle:
    """What lies in it. Raise IntegrityError, naming it, for what `pack` does not write."""
    if len(data) > MAXIMUM_BYTES or len(data) % _BLOCK or len(data) < 8 * _BLOCK:
        raise IntegrityError(f"{name} has {len(data)} bytes, which no entry of the log has")
    found: list[bytes] = []
    seconds = _number(data[136:148], name)
    place = 0
    for suffix in _SUFFIXES:
        header = data[place : place + _BLOCK]
        size = _number(header[124:136], name)
        if header != _header(f"{stem}{suffix}", size, seconds):
            raise IntegrityError(f"{name} is no entry of the log: {stem}{suffix} is not where it should be")
        place += _BLOCK
        found.append(data[place : place + size])
        padded = size + -size % _BLOCK
        if len(data) < place + padded or any(data[place + size : place + padded]):
            raise IntegrityError(f"{name} is no entry of the log: {stem}{suffix} is cut off")
        place += padded
    if data[place:] != _END:
        raise IntegrityError(f"{name} is no entry of the log: it goes on behind its end")
    return Bundle(*found)


def _number(field: bytes, name: str) -> int:
    digits = field[:11]
    if len(field) != 12 or field[11:] != b"\0" or not all(0x30 <= one <= 0x37 for one in digits):
        raise IntegrityError(f"{name} is no tar that the log has")
    return int(digits, 8)


def _header(file_name: str, size: int, seconds: int) -> bytes:
    """A member's header. Size and time have eleven octal digits, which last until the year 2242."""
    head = (
        file_name.encode("ascii").ljust(100, b"\0")
        + _MODE
        + 2 * _NOBODY
        + f"{size:011o}\0{max(0, seconds):011o}\0".encode()
        + b" " * 8
        + b"0"
        + bytes(100)
        + b"ustar\00000"
        + bytes(64)
        + 2 * _NOBODY
    ).ljust(_BLOCK, b"\0")
    return head[:148] + f"{sum(head):06o}\0 ".encode() + head[156:]
