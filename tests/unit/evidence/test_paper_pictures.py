"""Pictures as the report takes them: what they are, what is drawn anew, what is refused."""

import io
from functools import cache
from typing import Any

import pytest
from PIL import Image, ImageOps

from archiver.evidence.paper.fonts import Fonts
from archiver.evidence.paper.pictures import (
    MOST_BYTES,
    UnreadablePictureError,
    is_blank_png,
    orientation,
    parse_picture,
    wrap,
)
from archiver.evidence.paper.typesetting import MOST_SIDE, _drawn, prepare_picture

CORNERS = ("red", "lime", "blue", "yellow")


@cache
def fonts() -> Fonts:
    return Fonts([])


def made(kind: str, width: int = 48, height: int = 32, mode: str = "RGB", **options: Any) -> bytes:
    """A picture whose quarters have four colours."""
    picture = Image.new("RGB", (width, height))
    for number, colour in enumerate(CORNERS):
        place = (number % 2 * width // 2, number // 2 * height // 2)
        picture.paste(colour, (*place, place[0] + width // 2, place[1] + height // 2))
    body = io.BytesIO()
    picture.convert(mode).save(body, kind, **options)
    return body.getvalue()


def quarters(picture: Image.Image) -> list[str]:
    """The colours of the four quarters, by name."""
    names = []
    for number in range(4):
        place = ((1 + number % 2 * 2) * picture.width // 4, (1 + number // 2 * 2) * picture.height // 4)
        found = picture.convert("RGB").getpixel(place)
        assert isinstance(found, tuple)
        colours = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}
        away = {
            name: sum(abs(a - b) for a, b in zip(one, found, strict=True)) for name, one in colours.items()
        }
        names.append(min(away, key=lambda name: away[name]))
    return names


@pytest.mark.parametrize(
    ("kind", "mime_type", "options"),
    [
        ("PNG", "image/png", {}), ("PNG", "image/png", {"mode": "P"}), ("PNG", "image/png", {"mode": "RGBA"}),
        ("JPEG", "image/jpeg", {}), ("JPEG", "image/jpeg", {"progressive": True}),
        ("JPEG", "image/jpeg", {"mode": "L"}), ("GIF", "image/gif", {}), ("WEBP", "image/webp", {}),
        ("WEBP", "image/webp", {"lossless": True}),
        ("WEBP", "image/webp", {"lossless": True, "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}),
    ],
)  # fmt: skip
def test_every_format_of_a_platform_is_taken_as_it_is(
    kind: str, mime_type: str, options: dict[str, Any]
) -> None:
    body = made(kind, **options)
    picture = parse_picture(body)
    assert (picture.mime_type, picture.width, picture.height) == (mime_type, 48, 32)
    assert prepare_picture(body, fonts()) == wrap(picture)


@pytest.mark.parametrize("way", range(1, 9))
def test_a_jpeg_that_says_how_it_is_turned_stands_upright(way: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = way
    body = made("JPEG", exif=exif, quality=95)
    assert orientation(parse_picture(body)) == way
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(body)))
    wrapped = wrap(parse_picture(body))
    assert (wrapped.width, wrapped.height) == expected.size
    drawn = parse_picture(_unwrapped(_drawn(wrapped, fonts()).svg))
    assert quarters(Image.open(io.BytesIO(drawn.data))) == quarters(expected)


def _unwrapped(svg: str) -> bytes:
    import base64

    return base64.b64decode(svg.split("base64,", 1)[1].split('"', 1)[0])


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"]
)
def test_what_says_nothing_of_how_it_is_turned_is_not_turned(exif: bytes) -> None:
    assert orientation(parse_picture(made("JPEG", exif=exif))) == 1


def test_colours_for_print_are_drawn_anew() -> None:
    body = made("JPEG", mode="CMYK")
    wrapped = prepare_picture(body, fonts())
    assert (wrapped.width, wrapped.height) == (48, 32)
    assert "image/png" in wrapped.svg[:400]


def test_a_large_picture_is_drawn_with_fewer_dots() -> None:
    wrapped = prepare_picture(made("PNG", 3000, 1500), fonts())
    assert (wrapped.width, wrapped.height) == (MOST_SIDE, MOST_SIDE // 2)


def test_a_large_jpeg_stays_what_it_is() -> None:
    body = made("JPEG", 3000, 1500)
    assert prepare_picture(body, fonts()) == wrap(parse_picture(body))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(kind: str, part: float) -> None:
    body = made(kind, 400, 300)
    with pytest.raises(UnreadablePictureError):
        prepare_picture(body[: int(len(body) * part)], fonts())


def test_a_large_file_that_cannot_be_decoded_is_refused() -> None:
    whole = made("PNG", 3000, 1500)
    place = whole.index(b"IDAT") + 4
    broken = whole[:place] + bytes(len(whole) - place - 12) + whole[-12:]
    with pytest.raises(UnreadablePictureError):
        prepare_picture(broken, fonts())


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (bytes(MOST_BYTES + 1), "larger than"), (made("GIF")[:6] + bytes(20), "no size"),
        (made("GIF")[:6] + b"\xff\xff\xff\xff" + bytes(20), "million pixels"),
        (b"\xff\xd8\xff\xe0\0\x04\0\0Z\xff\xd9", "damaged"), (b"\xff\xd8\xff\xd9", "says no size"),
        (b"\xff\xd8\xff\xff\xd0\xff\xd9\0\0", "says no size"),
        (b"RIFF\x04\0\0\0WEBPVP9 " + bytes(20), "damaged"),
    ],
)  # fmt: skip
def test_why_a_file_is_no_picture_is_said(body: bytes, why: str) -> None:
    with pytest.raises(UnreadablePictureError, match=why):
        parse_picture(body)


def test_nothing_on_a_drawing_is_seen() -> None:
    blank = io.BytesIO()
    Image.new("RGBA", (9, 9)).save(blank, "PNG")
    assert is_blank_png(blank.getvalue())
    assert not is_blank_png(made("PNG", mode="RGBA"))
