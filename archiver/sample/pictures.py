"""Small pictures for the sample: chequered panels, valid PNG files made with zlib alone."""

import random
import struct
import zlib

WIDTH, HEIGHT = 320, 180
SIGNATURE = b"\x89PNG\r\n\x1a\n"

_BLUES = ((0, 58, 120), (12, 76, 140), (0, 92, 151), (28, 44, 92))
_YELLOWS = ((255, 221, 0), (240, 214, 60), (255, 236, 110), (225, 200, 40))


def png_picture(name: str, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """Draw the picture of that name: the same name gives the same bytes, another name another picture.

    A band of blue and yellow squares on a sky that darkens downwards; about 1 KB. PNG, sections 5 and 11.
    """
    rng = random.Random(name)  # noqa: S311 - a pattern, not a secret
    square = rng.choice((12, 16, 20, 30))
    top = rng.randrange(20, height // 2)
    blue, yellow, sky = rng.choice(_BLUES), rng.choice(_YELLOWS), rng.randrange(150, 215)
    rows = []
    for row in range(height):
        if top <= row < top + 3 * square:
            first, second = (blue, yellow) if (row - top) // square % 2 else (yellow, blue)
            pair = bytes(first) * square + bytes(second) * square
            pixels = (pair * (width // (2 * square) + 1))[: 3 * width]
        else:
            shade = sky - row * 100 // height
            pixels = bytes((shade - 30, shade, min(255, shade + 40))) * width
        rows.append(b"\0" + pixels)  # filter type 0 before each row
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits a channel, colour type 2: RGB
    body = zlib.compress(b"".join(rows), 9)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
