"""A ZIP file taken as hostile: everything its directory says is checked before a member is read.

The standard library reads the directory; inflating is done here, on the raw bytes, in large blocks and
counted. Nothing is ever written to disk. (APPNOTE.TXT 6.3.10, sections 4.3 and 4.4.)
"""

import hashlib
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from msgspec import Struct

from archiver.errors import SourceError
from archiver.sources.x_export.limits import MEBIBYTE, Limits

STORED, DEFLATED = 0, 8
BLOCK_BYTES: Final = MEBIBYTE
READ_BYTES: Final = 128 * 1024
LOCAL_HEADER = struct.Struct("<4s5H3I2H")
END_RECORD = struct.Struct("<4s4H2IH")
END64_RECORD = struct.Struct("<4sQ2H2I4Q")
ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
HINT_AGAIN = "Download the export from X again, and give archiver the ZIP file as it came."
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_UNREADABLE = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
    EOFError,
    struct.error,
)


def _shown_name(path: Path) -> str:
    """A file's name as text on one line: what is no UTF-8 in it, or steers a terminal, is written out."""
    name = os.fsencode(path.name).decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda one: ascii(one[0])[1:-1], name)


class BrokenMemberError(SourceError):
    """A member's bytes end early, do not inflate, or do not fit their checksum."""


class Member(Struct, frozen=True, gc=False):
    """One file in the ZIP, as its directory describes it."""

    name: str
    header_offset: int
    packed_bytes: int
    size: int
    crc: int
    method: int


def check_crc(member: Member, crc: int) -> None:
    """Raise BrokenMemberError where the bytes inflated are not the bytes packed."""
    if crc != member.crc:
        raise BrokenMemberError(f"{member.name}: its checksum (CRC-32) does not fit", HINT_AGAIN)


class ZipArchive:
    """An open, checked ZIP file. Close it, or use it as a context manager."""

    def __init__(self, path: Path, stream: BufferedReader, limits: Limits) -> None:
        self.path = path
        self.name = _shown_name(path)
        self._stream = stream
        self._file = stream.fileno()
        infos = _read_directory(self.name, stream, limits)
        self.newest = max((info.date_time for info in infos), default=(1980, 1, 1, 0, 0, 0))
        self.members = _check_members(self.name, infos, limits)

    @cached_property
    def digest(self) -> str:
        """The file's SHA-256. Reads all of it, which only what passed the checks is worth."""
        try:
            self._stream.seek(0)
            return hashlib.file_digest(self._stream, "sha256").hexdigest()
        except OSError as cause:
            raise SourceError(f"{self.name}: cannot be read: {cause.strerror}") from cause

    @classmethod
    def open(cls, path: Path, limits: Limits) -> Self:
        """Open and check. Raise SourceError naming file, member and what is wrong."""
        if path.is_dir():
            raise SourceError(
                f"{path.name}: a folder, where the export's ZIP file is wanted",
                "Give archiver the ZIP file as X delivered it, not an unpacked one.",
            )
        try:
            stream = path.open("rb")
        except OSError as cause:
            raise SourceError(
                f"{path}: cannot be opened: {cause.strerror}",
                "see whether it is there and readable: ls -l",
            ) from cause
        try:
            return cls(path, stream, limits)
        except OSError as cause:
            stream.close()
            raise SourceError(f"{path.name}: cannot be read: {cause.strerror}") from cause
        except BaseException:
            stream.close()
            raise

    def blocks(self, member: Member, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        """Inflate one member in blocks and check it.

        Raise BrokenMemberError where its bytes are damaged, SourceError where it inflates past the size its
        directory states (which opening held against the limits)."""
        crc = 0
        for block in self.unchecked_blocks(member, block_bytes):
            crc = zlib.crc32(block, crc)
            yield block
        check_crc(member, crc)

    def unchecked_blocks(self, member: Member, block_bytes: int) -> Iterator[bytes]:
        """As `blocks`, with sizes counted, but the checksum left to the caller."""
        inflated = 0
        for block in self._inflate(member, block_bytes):
            inflated += len(block)
            if inflated > member.size:
                stated = f"{self.name}: {member.name}: inflates past the {member.size:,} bytes it states"
                raise SourceError(stated, HINT_AGAIN)
            yield block
        if inflated != member.size:
            raise BrokenMemberError(
                f"{member.name}: ends after {inflated:,} of {member.size:,} bytes", HINT_AGAIN
            )

    def _inflate(self, member: Member, block_bytes: int) -> Iterator[bytes]:
        pieces = self._packed(member, max(READ_BYTES, block_bytes // 4))
        if member.method == STORED:
            yield from pieces
            return
        inflater = zlib.decompressobj(-15)
        try:
            for piece in pieces:
                rest = piece
                while rest and not inflater.eof:
                    block = inflater.decompress(rest, block_bytes)
                    rest = inflater.unconsumed_tail
                    if block:
                        yield block
                if inflater.eof and (rest or inflater.unused_data):
                    raise BrokenMemberError(f"{member.name}: bytes follow its compressed data", HINT_AGAIN)
            while not inflater.eof and (block := inflater.decompress(b"", block_bytes)):
                yield block
        except zlib.error as cause:
            raise BrokenMemberError(f"{member.name}: does not inflate: {cause}", HINT_AGAIN) from cause
        if not inflater.eof:
            raise BrokenMemberError(f"{member.name}: its compressed data is cut off", HINT_AGAIN)

    def _packed(self, member: Member, read_bytes: int) -> Iterator[bytes]:
        at = self._data_offset(member)
        end = at + member.packed_bytes
        while at < end:
            piece = self._read_at(at, min(read_bytes, end - at))
            if not piece:
                raise BrokenMemberError(f"{member.name}: the file ends inside it", HINT_AGAIN)
            at += len(piece)
            yield piece

    def _data_offset(self, member: Member) -> int:
        header = self._read_at(member.header_offset, LOCAL_HEADER.size)
        if len(header) != LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
            raise BrokenMemberError(f"{member.name}: its own header is missing", HINT_AGAIN)
        name_bytes, extra_bytes = LOCAL_HEADER.unpack(header)[9:]
        return member.header_offset + LOCAL_HEADER.size + int(name_bytes) + int(extra_bytes)

    def _read_at(self, offset: int, size: int) -> bytes:
        """Without a shared position, so that media can be read while members are."""
        try:
            return os.pread(self._file, size, offset)
        except OSError as cause:
            raise SourceError(f"{self.name}: cannot be read: {cause.strerror}") from cause

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _read_directory(name: str, stream: BufferedReader, limits: Limits) -> list[zipfile.ZipInfo]:
    """The ZIP's directory, after its stated size and count were held against the limits."""
    size = stream.seek(0, os.SEEK_END)
    if size > limits.total_bytes:
        raise SourceError(f"{name}: {size:,} bytes, the limit is {limits.total_bytes:,}", HINT_AGAIN)
    stream.seek(0)
    start = stream.read(4)
    stream.seek(max(0, size - END_RECORD.size - 0xFFFF - 76))
    tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < END_RECORD.size:
        if start == b"PK\x03\x04":
            raise SourceError(f"{name}: cut off, the ZIP's directory at its end is missing", HINT_AGAIN)
        raise SourceError(f"{name}: not a ZIP file", "Give archiver the ZIP file that X delivered.")
    members, directory_bytes = _stated_extent(tail, end)
    if members > limits.members or directory_bytes > limits.directory_bytes:
        raise SourceError(
            f"{name}: names {members:,} members in {directory_bytes:,} bytes,"
            f" more than the limit of {limits.members:,} members in {limits.directory_bytes:,} bytes",
            HINT_AGAIN,
        )
    try:
        with zipfile.ZipFile(stream) as archive:
            return archive.infolist()
    except _UNREADABLE as cause:
        raise SourceError(f"{name}: its ZIP directory cannot be read: {cause}", HINT_AGAIN) from cause


def _stated_extent(tail: bytes, end: int) -> tuple[int, int]:
    """Number of members and size of the directory, as the end records state them (ZIP64's where there is
    one)."""
    record = END_RECORD.unpack_from(tail, end)
    members, directory_bytes = int(record[4]), int(record[5])
    end64 = tail.rfind(b"PK\x06\x06", 0, end)
    if end64 >= 0 and end - end64 >= END64_RECORD.size:
        record64 = END64_RECORD.unpack_from(tail, end64)
        members, directory_bytes = max(members, int(record64[7])), max(directory_bytes, int(record64[8]))
    return members, directory_bytes


def _check_members(name: str, infos: list[zipfile.ZipInfo], limits: Limits) -> dict[str, Member]:
    """Every file of the ZIP by name. Raise SourceError at the first thing no honest export holds."""
    if len(infos) > limits.members:
        raise SourceError(f"{name}: has {len(infos):,} members, the limit is {limits.members:,}", HINT_AGAIN)
    members: dict[str, Member] = {}
    total = 0
    for info in infos:
        _check_name(name, info.orig_filename)
        _check_kind(name, info)
        _check_size(name, info, limits)
        if info.orig_filename in members:
            _refuse(name, info.orig_filename, "is in it twice")
        total += info.file_size
        members[info.orig_filename] = Member(
            info.orig_filename,
            info.header_offset,
            info.compress_size,
            info.file_size,
            info.CRC,
            info.compress_type,
        )
    if total > limits.total_bytes:
        raise SourceError(
            f"{name}: inflates to {total:,} bytes, the limit is {limits.total_bytes:,}", HINT_AGAIN
        )
    _check_overlap(name, members)
    return {key: member for key, member in members.items() if not key.endswith("/")}


def _check_name(name: str, member: str) -> None:
    parts = member.removesuffix("/").split("/")
    if _CONTROL.search(member) or "\\" in member:
        _refuse(name, member, "has a backslash or a control character in its name")
    if member.startswith("/") or _DRIVE.match(member):
        _refuse(name, member, "has an absolute name")
    if ".." in parts:
        _refuse(name, member, "has a name that leads out of the export")
    if "" in parts or "." in parts:
        _refuse(name, member, "has an empty part in its name")


def _check_kind(name: str, info: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        _refuse(name, info.orig_filename, "is a symbolic link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        _refuse(name, info.orig_filename, "is neither a file nor a folder")
    if info.flag_bits & ENCRYPTED_FLAGS:
        _refuse(name, info.orig_filename, "is encrypted")
    if info.compress_type not in (STORED, DEFLATED):
        _refuse(
            name,
            info.orig_filename,
            f"is compressed with method {info.compress_type}, and only Deflate can be read here",
        )


def _check_size(name: str, info: zipfile.ZipInfo, limits: Limits) -> None:
    if info.file_size > limits.member_bytes:
        _refuse(
            name,
            info.orig_filename,
            f"inflates to {info.file_size:,} bytes, the limit is {limits.member_bytes:,}",
        )
    large = info.file_size > limits.ratio_from_bytes
    if large and info.file_size > limits.ratio * max(1, info.compress_size):
        _refuse(name, info.orig_filename, f"inflates more than {limits.ratio} times")
    if info.compress_type == STORED and info.file_size != info.compress_size:
        _refuse(name, info.orig_filename, "states two sizes that cannot both be right")


def _check_overlap(name: str, members: dict[str, Member]) -> None:
    """No two members may share bytes: the trick of a bomb that stays small whatever it inflates to."""
    end = 0
    for member in sorted(members.values(), key=lambda each: each.header_offset):
        if member.header_offset < end:
            _refuse(name, member.name, "shares its bytes with another member")
        end = member.header_offset + LOCAL_HEADER.size + member.packed_bytes


def _refuse(name: str, member: str, what: str) -> None:
    shown = _CONTROL.sub("?", member)[:200]
    raise SourceError(f"{name}: {shown!r} {what}; nothing was taken", HINT_AGAIN)
