"""Small uncompressed tars that are one file in a store, so that what belongs together is put by one request:
a document, its signature, what is sealed with it.

`tar -xf` gives the files; nothing of ours is needed. There is one way to write such a tar and only what is
written so is read: a member too many, a link, a name of somewhere else, a size that is not so are refused,
as is any byte behind the end. POSIX.1-1988, "ustar Interchange Format".
"""

from collections.abc import Sequence

from archiver.errors import IntegrityError

_BLOCK = 512
_END = bytes(2 * _BLOCK)
_MODE = b"0000444\0"
_NOBODY = b"0000000\0"
_LAST_SECOND = 8**11 - 1


def pack_tar(members: Sequence[tuple[str, bytes]], seconds: int) -> bytes:
    """The tar's bytes of these names and what they hold; `seconds`: since 1970, as their time."""
    parts: list[bytes] = []
    for name, data in members:
        parts += [_header(name, len(data), seconds), data, bytes(-len(data) % _BLOCK)]
    return b"".join(parts) + _END


def unpack_tar(data: bytes, members: Sequence[str], name: str, what: str, most_bytes: int) -> list[bytes]:
    """What the members of these names hold. Raise IntegrityError, saying that `name` is not `what`, as "entry
    of the log", for anything that `pack_tar` does not write."""
    if len(data) > most_bytes or len(data) % _BLOCK or len(data) < (len(members) + 2) * _BLOCK:
        raise IntegrityError(f"{name} has {len(data)} bytes, which no {what} has")
    found: list[bytes] = []
    seconds = _number(data[136:148], name, what)
    place = 0
    for member in members:
        header = data[place : place + _BLOCK]
        size = _number(header[124:136], name, what)
        if header != _header(member, size, seconds):
            raise IntegrityError(f"{name} is no {what}: {member} is not where it should be")
        place += _BLOCK
        found.append(data[place : place + size])
        padded = size + -size % _BLOCK
        if len(data) < place + padded or any(data[place + size : place + padded]):
            raise IntegrityError(f"{name} is no {what}: {member} is cut off")
        place += padded
    if data[place:] != _END:
        raise IntegrityError(f"{name} is no {what}: it goes on behind its end")
    return found


def _number(field: bytes, name: str, what: str) -> int:
    digits = field[:11]
    if len(field) != 12 or field[11:] != b"\0" or not all(0x30 <= one <= 0x37 for one in digits):
        raise IntegrityError(f"{name} is no tar of one {what}")
    return int(digits, 8)


def _header(file_name: str, size: int, seconds: int) -> bytes:
    """A member's header. Size and time have eleven octal digits, which last until the year 2242: what a clock
    beyond that writes bears the last second, or nobody could read it ever again."""
    seconds = min(max(0, seconds), _LAST_SECOND)
    head = (
        file_name.encode("ascii").ljust(100, b"\0")
        + _MODE
        + 2 * _NOBODY
        + f"{size:011o}\0{seconds:011o}\0".encode()
        + b" " * 8
        + b"0"
        + bytes(100)
        + b"ustar\00000"
        + bytes(64)
        + 2 * _NOBODY
    ).ljust(_BLOCK, b"\0")
    return head[:148] + f"{sum(head):06o}\0 ".encode() + head[156:]
