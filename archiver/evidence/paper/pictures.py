"""Pictures for the PDF: what one is and how large, from its first bytes, and a wrapping that typst takes.

typst takes files as text only, so a picture goes in as SVG that holds it in base64. That way it is never on
disk, a JPEG stays the JPEG that it was, and one that cannot be decoded is found by trying it alone.
"""

import base64
import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

MOST_BYTES: Final = 64 << 20
"""A larger file is not read as a picture."""
MOST_PIXELS: Final = 100_000_000
"""Decoded it takes 400 MB."""
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))


class UnreadablePictureError(Exception):
    """Why a picture cannot be shown, in words for the reader of the report."""


class Picture(NamedTuple):
    """What is in a file, and its width and height in pixels."""

    mime_type: str
    width: int
    height: int
    data: bytes


def parse_picture(data: bytes) -> Picture:
    """Given a file's bytes, say what it is. Raise UnreadablePictureError for what is no PNG, JPEG,
    GIF or WebP, or is empty, cut off or too large."""
    if not data:
        raise UnreadablePictureError("the file is empty")
    if len(data) > MOST_BYTES:
        raise UnreadablePictureError(f"the file is larger than {MOST_BYTES >> 20} MB")
    try:
        mime_type, width, height = _measure(data)
    except (struct.error, IndexError) as error:
        raise UnreadablePictureError("the file is cut off") from error
    if not width or not height:
        raise UnreadablePictureError("the picture has no size")
    if width * height > MOST_PIXELS:
        raise UnreadablePictureError(f"the picture has more than {MOST_PIXELS // 1_000_000} million pixels")
    return Picture(mime_type, width, height, data)


def _measure(data: bytes) -> tuple[str, int, int]:
    if data.startswith(_PNG):
        if b"IEND" not in data:  # the last chunk: what comes before it may be drawn in part
            raise UnreadablePictureError("the file is cut off")
        return "image/png", *struct.unpack_from(">II", data, 16)
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", *_measure_jpeg(data)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif", *struct.unpack_from("<HH", data, 6)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        if len(data) < 8 + struct.unpack_from("<I", data, 4)[0]:
            raise UnreadablePictureError("the file is cut off")
        return "image/webp", *_measure_webp(data)
    raise UnreadablePictureError("the file is no PNG, JPEG, GIF or WebP")


def _measure_jpeg(data: bytes) -> tuple[int, int]:
    """From the frame header (ITU-T T.81, B.2.2). A file without an end after its last scan is cut off."""
    if data.rfind(b"\xff\xd9") <= data.rfind(b"\xff\xda"):
        raise UnreadablePictureError("the file is cut off")
    for marker, start in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 3)
            return width, height
    raise UnreadablePictureError("the file says no size")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Each marker before the first scan, and where its segment begins."""
    place = 2
    while place < len(data):
        if data[place] != 0xFF:
            raise UnreadablePictureError("the file is damaged")
        marker = data[place + 1]
        if marker == 0xFF or marker in _JPEG_ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in (0xDA, 0xD9):
            return
        yield marker, place + 2
        place += 2 + max(2, struct.unpack_from(">H", data, place + 2)[0])


def _measure_webp(data: bytes) -> tuple[int, int]:
    """RFC 9649, 2.5 to 2.7."""
    kind = data[12:16]
    if kind == b"VP8X":
        wide, high = (int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return wide + 1, high + 1
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        wide, high = struct.unpack_from("<HH", data, 26)
        return wide & 0x3FFF, high & 0x3FFF
    raise UnreadablePictureError("the file is damaged")


def is_blank_png(data: bytes) -> bool:
    """Whether a PNG of four bytes a pixel, as typst writes it, has nothing on it: behind each row's filter
    all is 0 then, whatever the filter (PNG, 9)."""
    width = struct.unpack_from(">I", data, 16)[0]
    place, body = len(_PNG), bytearray()
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        body += data[place + 8 : place + 8 + size] if kind == b"IDAT" else b""
        place += 12 + size
    rows, long = zlib.decompress(bytes(body)), 1 + 4 * width
    return not any(rows[start + 1 : start + long].strip(b"\0") for start in range(0, len(rows), long))


def orientation(picture: Picture) -> int:
    """How a JPEG says it is to be turned, 1 to 8 (Exif 2.32, tag 0x0112); 1 where it says nothing."""
    if picture.mime_type != "image/jpeg":
        return 1
    try:
        for marker, start in _jpeg_segments(picture.data):
            if marker == 0xE1 and picture.data[start + 2 : start + 8] == b"Exif\0\0":
                return _orientation_in(picture.data[start + 8 :][:65536])
    except (struct.error, IndexError, UnreadablePictureError):
        pass
    return 1


def _orientation_in(data: bytes) -> int:
    order = "<" if data[:2] == b"II" else ">"
    place = struct.unpack_from(order + "I", data, 4)[0]
    for number in range(min(struct.unpack_from(order + "H", data, place)[0], 200)):
        tag, _, _, value = struct.unpack_from(order + "HHIH", data, place + 2 + 12 * number)
        if tag == 0x0112:
            return int(value) if 1 <= value <= 8 else 1
    return 1


_TURNED = {
    2: "matrix(-1 0 0 1 {w} 0)", 3: "matrix(-1 0 0 -1 {w} {h})", 4: "matrix(1 0 0 -1 0 {h})",
    5: "matrix(0 1 1 0 0 0)", 6: "matrix(0 1 -1 0 {h} 0)", 7: "matrix(0 -1 -1 0 {h} {w})",
    8: "matrix(0 -1 1 0 0 {w})",
}  # fmt: skip


class Wrapped(NamedTuple):
    """A picture as SVG, upright, and its width and height in pixels."""

    svg: str
    width: int
    height: int


def wrap(picture: Picture) -> Wrapped:
    """The picture in SVG, which is text."""
    way = orientation(picture)
    wide, high = picture.width, picture.height
    turned = f' transform="{_TURNED[way].format(w=wide, h=high)}"' if way > 1 else ""
    across, down = (wide, high) if way < 5 else (high, wide)
    body = base64.b64encode(picture.data).decode("ascii")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}"'
        f' viewBox="0 0 {across} {down}"><g{turned}>'
        f'<image width="{wide}" height="{high}" href="data:{picture.mime_type};base64,{body}"/></g></svg>'
    )
    return Wrapped(svg, across, down)
