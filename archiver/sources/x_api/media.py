"""Pictures and videos, from X's own hosts and nowhere else: no redirect, no more than the settings allow, and
nothing but what begins as a picture or a video does."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Final
from urllib.parse import urlsplit

import requests

from archiver.records import MediaReference
from archiver.settings.api import ApiSettings
from archiver.sources.x_api.pace import Random, Sleep
from archiver.sources.x_api.session import blocks_of, keep_no_cookies, leave_alone, trust_of

TRIES: Final = 3
BLOCK_BYTES: Final = 256 * 1024
BEGINNING_BYTES: Final = 12
SLOWEST_BYTES_A_SECOND: Final = 50_000
"""Slower than this, once one read timeout has passed, a file is not waited for."""
_BEGINNINGS: Final = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
)
_TYPES: Final = ("image/jpeg", "image/jpg", "image/png", "image/gif", "image/webp", "video/mp4")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


Take = Callable[[IO[bytes]], tuple[int, str]]
"""Stores a stream; its size and SHA-256."""


class NotFetchedError(Exception):
    """Why a media file is missing, in words for the archive."""


class _PassingError(Exception):
    """A fault that may be gone at the next try."""


class MediaSource:
    """Fetches media files for one account. Sends no key and no cookie."""

    def __init__(self, settings: ApiSettings, most_bytes: int, sleep: Sleep, random: Random) -> None:
        self._settings = settings
        self._most_bytes = most_bytes
        self._sleep = sleep
        self._random = random
        self._session = requests.Session()
        self._session.auth = leave_alone
        keep_no_cookies(self._session)

    def close(self) -> None:
        self._session.close()

    def fetch(self, media: MediaReference, take: Take) -> tuple[int, str]:
        """Fetch a file and give its stream to `take`, which returns its size and SHA-256. Raise
        NotFetchedError with the reason where there is none to be had."""
        self._check_address(media.url)
        reason = "not fetched"
        for attempt in range(TRIES):
            for address in _addresses(media):
                try:
                    with self._open(address) as stream:
                        return take(stream)
                except _PassingError as error:
                    reason = str(error)
                except requests.exceptions.RequestException as error:
                    reason = f"no answer ({type(error).__name__})"
                except NotFetchedError as error:
                    reason = str(error)
                    if address == media.url:
                        raise
            if attempt + 1 < TRIES:
                self._sleep((0.5 + self._random() / 2) * 2**attempt)
        raise NotFetchedError(f"{reason}, {TRIES} times")

    def _check_address(self, url: str) -> None:
        if not url:
            raise NotFetchedError("X gave no address")
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError as error:
            raise NotFetchedError("X gave an address that is none") from error
        named = f"{host}:{port}" if port is not None else host
        if named not in self._settings.media_hosts or parts.username is not None:
            raise NotFetchedError("not on one of X's media hosts")
        if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
            raise NotFetchedError("not on an encrypted connection")

    @contextmanager
    def _open(self, address: str) -> Iterator[IO[bytes]]:
        timeouts = (self._settings.connect_timeout_seconds, self._settings.read_timeout_seconds)
        with self._session.get(
            address,
            timeout=timeouts,
            allow_redirects=False,
            stream=True,
            verify=trust_of(self._settings),
        ) as response:
            status = response.status_code
            if status == requests.codes.too_many or status >= 500:
                raise _PassingError(f"X's media host answers {status}")
            if 300 <= status < 400:
                raise NotFetchedError("X's media host points elsewhere")
            if status != requests.codes.ok:
                raise NotFetchedError(f"X's media host answers {status}")
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind not in _TYPES:
                raise NotFetchedError(f"of a type that is no picture or video ({kind[:40] or 'none'})")
            yield io.BufferedReader(_Checked(response, self._most_bytes, timeouts[1]), BLOCK_BYTES)


def _addresses(media: MediaReference) -> list[str]:
    """Of a photo first the form as uploaded, then as X shows it."""
    if media.media_type == "photo" and urlsplit(media.url).path.startswith("/media/"):
        return [f"{media.url.partition('?')[0]}?name=orig", media.url]
    return [media.url]


class _Checked(io.RawIOBase):
    """A body as it comes: its beginning looked at, its size counted."""

    def __init__(self, response: requests.Response, most_bytes: int, patience_seconds: float) -> None:
        super().__init__()
        self._blocks = blocks_of(response, BLOCK_BYTES)
        self._block = memoryview(b"")
        self._most_bytes = most_bytes
        self._patience_seconds = patience_seconds
        self._size = 0
        self._begun = time.monotonic()

    def readable(self) -> bool:
        return True

    def readinto(self, target: "bytearray | memoryview", /) -> int:  # type: ignore[override]  # a plain buffer
        if not self._block:
            self._block = self._next()
        size = min(len(target), len(self._block))
        target[:size] = self._block[:size]
        self._block = self._block[size:]
        return size

    def _next(self) -> memoryview:
        block = next(self._blocks, b"")
        if self._size == 0:
            while 0 < len(block) < BEGINNING_BYTES and (more := next(self._blocks, b"")):
                block += more
            if not block:
                raise _PassingError("X's media host sends nothing")
            if not _begins_as_media(block):
                raise NotFetchedError("of content that is no picture or video")
        self._size += len(block)
        if time.monotonic() - self._begun > self._patience_seconds + self._size / SLOWEST_BYTES_A_SECOND:
            raise NotFetchedError("sent too slowly")
        if self._size > self._most_bytes:
            raise NotFetchedError(
                f"larger than {self._most_bytes:,} bytes, as account.api.media_mebibytes says"
            )
        return memoryview(block)


def _begins_as_media(block: bytes) -> bool:
    """JPEG, PNG, GIF, WebP (RFC 9649) or MP4 (ISO/IEC 14496-12, `ftyp`)."""
    return (
        block.startswith(_BEGINNINGS)
        or (block.startswith(b"RIFF") and block[8:12] == b"WEBP")
        or block[4:8] == b"ftyp"
    )
