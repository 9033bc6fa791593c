"""The textual header: parsed strictly, written canonically, and its file key unwrapped."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from archiver.formats.age.errors import HeaderError, HmacError, NoMatchError
from archiver.formats.age.hkdf import FILE_KEY_BYTES, header_mac
from archiver.formats.age.raw_base64 import decode_base64, encode_base64

VERSION_LINE = b"age-encryption.org/v1\n"
VERSION_PREFIX = b"age-encryption.org/"
MAX_STANZAS = 256
MAX_HEADER_BYTES = 512 * 1024  # 256 post-quantum stanzas of 1.6 KiB fit
_COLUMNS = 64
_MAC_BYTES = 32


@dataclass(frozen=True)
class Stanza:
    """One wrapping of the file key: arguments (the first is the type) and the decoded body."""

    arguments: tuple[bytes, ...]
    body: bytes

    @property
    def kind(self) -> bytes:
        return self.arguments[0]


class Identity(Protocol):
    """What opens a file."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the 16-byte file key, or None where no stanza is for this identity.

        Raise HeaderError on a malformed stanza of this identity's type."""
        ...


@dataclass(frozen=True)
class Header:
    """A parsed header. `length` is its size in bytes, `authenticated` what its MAC covers."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    authenticated: bytes
    length: int

    def unwrap(self, identities: Iterable[Identity]) -> bytes:
        """Return the file key and check the MAC with it; raise NoMatchError, HeaderError or HmacError."""
        if len(self.stanzas) > 1 and any(stanza.kind == b"scrypt" for stanza in self.stanzas):
            raise HeaderError("a passphrase stanza stands beside another stanza")
        for identity in identities:
            file_key = identity.unwrap(self.stanzas)
            if file_key is not None:
                self.verify(file_key)
                return file_key
        raise NoMatchError("no identity opens this file")

    def verify(self, file_key: bytes) -> None:
        """Return if the MAC fits the file key, else raise HmacError."""
        if not hmac.compare_digest(header_mac(file_key, self.authenticated), self.mac):
            raise HmacError("the header's authentication failed: it was altered")


def format_header(stanzas: Iterable[Stanza], file_key: bytes) -> bytes:
    """The header of a new file, MAC and closing line feed included."""
    lines = [VERSION_LINE[:-1]]
    for stanza in stanzas:
        body = encode_base64(stanza.body)
        lines.append(b" ".join((b"->", *stanza.arguments)))
        # One line more than full ones: the last is always shorter than 64 columns, empty if need be.
        lines += [body[at : at + _COLUMNS] for at in range(0, len(body) + 1, _COLUMNS)]
    authenticated = b"\n".join([*lines, b"---"])
    return authenticated + b" " + encode_base64(header_mac(file_key, authenticated)) + b"\n"


def is_header_complete(start: bytes) -> bool:
    """Tell whether these first bytes of a file hold its whole header, or show that it has none.

    Raise HeaderError where more bytes would not help."""
    if not start.startswith(VERSION_LINE[: len(start)]):
        raise HeaderError("this is not an age file, or of another version than v1")
    end = start.find(b"\n---")
    if end >= 0 and start.find(b"\n", end + 1) >= 0:
        return True
    if len(start) >= MAX_HEADER_BYTES:
        raise HeaderError(f"the header has no end within {MAX_HEADER_BYTES} bytes")
    return False


def parse_header(start: bytes) -> Header:
    """Parse the header at the start of these bytes; what follows it is not looked at.

    Raise HeaderError on anything the specification's "ABNF definition of file header" does not allow."""
    if not is_header_complete(start):
        raise HeaderError("the header is cut short")
    end_of_stanzas = start.index(b"\n---") + 1
    length = start.index(b"\n", end_of_stanzas) + 1
    mac = _parse_closing_line(start[end_of_stanzas : length - 1])
    stanzas = _parse_stanzas(start[len(VERSION_LINE) : end_of_stanzas].split(b"\n")[:-1])
    return Header(stanzas, mac, start[: end_of_stanzas + 3], length)


def _parse_closing_line(line: bytes) -> bytes:
    mac = decode_base64(line[4:]) if line.startswith(b"--- ") else None
    if mac is None or len(mac) != _MAC_BYTES:
        raise HeaderError("the header's closing line is malformed")
    return mac


def _parse_stanzas(lines: list[bytes]) -> tuple[Stanza, ...]:
    stanzas: list[Stanza] = []
    remaining = iter(lines)
    for line in remaining:
        if len(stanzas) == MAX_STANZAS:
            raise HeaderError(f"the header has more than {MAX_STANZAS} stanzas")
        arguments = _parse_arguments(line, len(stanzas))
        stanzas.append(Stanza(arguments, _parse_body(remaining, len(stanzas))))
    if not stanzas:
        raise HeaderError("the header has no stanza")
    return tuple(stanzas)


def _parse_arguments(line: bytes, number: int) -> tuple[bytes, ...]:
    if not line.startswith(b"-> "):
        raise HeaderError(f"stanza {number} has a malformed first line")
    arguments = tuple(line[3:].split(b" "))
    for argument in arguments:
        if not argument or min(argument) < 33 or max(argument) > 126:
            raise HeaderError(f"stanza {number} has a malformed argument")
    return arguments


def _parse_body(lines: Iterable[bytes], number: int) -> bytes:
    """Take lines up to and including the first one shorter than 64 columns."""
    body = bytearray()
    for line in lines:
        part = decode_base64(line) if len(line) <= _COLUMNS else None
        if part is None:
            raise HeaderError(f"stanza {number} has a malformed body line")
        body += part
        if len(line) < _COLUMNS:
            return bytes(body)
    raise HeaderError(f"stanza {number} has no final line")


def check_body_length(stanza: Stanza, arguments: int) -> None:
    """Raise HeaderError unless a stanza wraps exactly a 16-byte key and has so many arguments.

    The body's length is checked before decrypting, which keeps partitioning oracles out."""
    if len(stanza.arguments) != arguments:
        raise HeaderError(f"a {stanza.kind.decode('ascii')} stanza has a wrong number of arguments")
    if len(stanza.body) != FILE_KEY_BYTES + 16:
        raise HeaderError(f"a {stanza.kind.decode('ascii')} stanza has a body of the wrong length")


def parse_argument(stanza: Stanza, at: int, length: int) -> bytes:
    """Decode one base64 argument of known length; raise HeaderError."""
    value = decode_base64(stanza.arguments[at])
    if value is None or len(value) != length:
        raise HeaderError(f"a {stanza.kind.decode('ascii')} stanza has a malformed argument")
    return value
