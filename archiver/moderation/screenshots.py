"""Screenshots that a person gives: looked at before anything is written, whole or not at all.

Told by their bytes, never by their names: PNG (W3C PNG, third edition, 5.2 and 11.2.5), JPEG (ITU-T T.81,
annex B), GIF (89a, 27), WebP (RFC 9649). A file that ends early is refused too: half a picture proves little.
"""

from hashlib import file_digest
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from archiver.disk import os_errors_reported
from archiver.errors import UsageError

_TAIL_BYTES: Final = 64 * 1024
"""Some programs append a little after the end of a JPEG."""
_HEAD_BYTES: Final = 16
_PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"


class Screenshot(Struct, frozen=True):
    """A file that was found to be a picture. `media_type` as `image/png`; `ending` as `png`."""

    path: Path
    media_type: str
    ending: str
    size: int
    sha256: str


def check_screenshot(path: Path, most_bytes: int) -> Screenshot:
    """Look at a file. Raise UsageError for what is no whole picture or too large, ArchiverError where it
    cannot be read."""
    with os_errors_reported("reading", path):
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is not a file", "name the picture itself")
        with path.open("rb") as file:
            size = path.stat().st_size
            head = file.read(_HEAD_BYTES)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read(_TAIL_BYTES)
            file.seek(0)
            digest = file_digest(file, "sha256").hexdigest() if size <= most_bytes else ""
    if size > most_bytes:
        raise UsageError(
            f"{path} has {size:,} bytes, and a screenshot may have {most_bytes:,}",
            "give the part that shows the item, or raise moderation.screenshot_mebibytes in the settings",
        )
    kind = _kind_of(head)
    if kind is None:
        raise UsageError(
            f"{path} is not a picture" if size else f"{path} is empty",
            "a PNG, JPEG, GIF or WebP file is taken; what it is called does not count",
        )
    if not _is_whole(kind, head, tail, size):
        raise UsageError(
            f"{path} is a {kind.upper()} picture that breaks off before its end", "save it again"
        )
    return Screenshot(path, f"image/{kind}", "jpg" if kind == "jpeg" else kind, size, digest)


def open_screenshot(screenshot: Screenshot) -> IO[bytes]:
    """Its bytes; raise UsageError where the file has changed since it was looked at."""
    with os_errors_reported("reading", screenshot.path):
        file = screenshot.path.open("rb")
        if screenshot.path.stat().st_size != screenshot.size:
            file.close()
            raise UsageError(f"{screenshot.path} was changed meanwhile", "run the command again")
    return file


def _kind_of(head: bytes) -> str | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return "webp" if head.startswith(b"RIFF") and head[8:12] == b"WEBP" else None


def _is_whole(kind: str, head: bytes, tail: bytes, size: int) -> bool:
    if kind == "png":
        return _PNG_END in tail
    if kind == "jpeg":
        return b"\xff\xd9" in tail
    if kind == "gif":
        return tail.rstrip(b"\0").endswith(b";")
    return size >= int.from_bytes(head[4:8], "little") + 8
