"""Asking authorities for a token over HTTP (RFC 3161, 3.4), one after the other until one answers rightly."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Final

from archiver.errors import ArchiverError, IncompleteError
from archiver.settings.timestamps import AuthoritySettings
from archiver.timestamps.tokens import MAXIMUM_TOKEN_BYTES, Stamped, UnknownAuthorityError, verify_sha256

if TYPE_CHECKING:
    import requests

_BLOCK_BYTES: Final = 8 * 1024
_HEADERS: Final = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
    "Accept-Encoding": "identity",
}


class NoStampError(IncompleteError):
    """No authority gave a token. `failures`: why, each by its name, in the order in which they were asked."""

    def __init__(self, failures: Sequence[str]) -> None:
        said = "; ".join(failures) or "the settings name none"
        super().__init__(f"no time stamp was to be had: {said}", "the next seal, backup or sync asks again")
        self.failures = tuple(failures)


class _AskingError(ArchiverError):
    """Why one authority gave no token."""


def fetch_token(authorities: Sequence[AuthoritySettings], data: bytes) -> Stamped:
    """A token of the data's SHA-256, found right, from the first authority that gives one. Takes at most each
    one's `timeout_seconds`. Raise NoStampError where none does."""
    failures: list[str] = []
    for one in authorities:
        try:
            return replace(_ask(one, data), passed_over=tuple(failures))
        except ArchiverError as error:
            failures.append(f"{one.name}: {error.message}")
    raise NoStampError(failures)


def _ask(one: AuthoritySettings, data: bytes) -> Stamped:
    """Raise ArchiverError, whatever it is that this authority does."""
    import rfc3161_client

    builder = rfc3161_client.TimestampRequestBuilder().data(data)
    builder = builder.hash_algorithm(rfc3161_client.HashAlgorithm.SHA256).nonce(nonce=True)
    query = builder.cert_request(cert_request=True).build()
    answer = _post(one, query.as_bytes())
    try:
        return verify_sha256(answer, hashlib.sha256(data).digest(), [one], nonce=query.nonce)
    except UnknownAuthorityError as error:
        raise _AskingError("the time stamp is not signed by the certificate in the settings") from error


def _post(one: AuthoritySettings, query: bytes) -> bytes:
    """The answer's bytes. In a thread of its own, left to itself when the time is up: an authority that sends
    its headers a byte at a time would hold a sealing for hours, each byte within the socket's timeout."""
    import requests
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    found: Future[bytes] = Future()

    def act() -> None:
        try:
            with requests.Session() as session:
                found.set_result(_read(session, one, query))
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            found.set_exception(error)

    Thread(target=act, name="time stamp", daemon=True).start()
    try:
        return found.result(one.timeout_seconds)
    except (TimeoutError, requests.exceptions.Timeout, ReadTimeoutError) as error:
        raise _AskingError(f"no answer within {one.timeout_seconds} seconds") from error
    except (OSError, HTTPError, ValueError) as error:  # requests' errors are OSError
        raise _AskingError(f"no answer ({type(error).__name__})") from error


def _read(session: "requests.Session", one: AuthoritySettings, query: bytes) -> bytes:
    deadline = monotonic() + one.timeout_seconds
    session.auth = _leave_alone
    with session.post(
        one.url,
        data=query,
        headers=_HEADERS,
        timeout=one.timeout_seconds,
        allow_redirects=False,
        stream=True,
        verify=None if one.ca_file is None else str(one.ca_file),
    ) as response:
        if 300 <= response.status_code < 400:
            raise _AskingError("it points elsewhere, which is not followed")
        if response.status_code != 200:
            raise _AskingError(f"it answers {response.status_code}")
        answer = b""
        while block := response.raw.read1(_BLOCK_BYTES, decode_content=False):
            answer += block
            if len(answer) > MAXIMUM_TOKEN_BYTES:
                raise _AskingError(f"its answer is larger than {MAXIMUM_TOKEN_BYTES:,} bytes")
            if monotonic() > deadline:
                raise TimeoutError
        return answer


def _leave_alone(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    """An `auth` that adds nothing: without one, requests sends what a .netrc file says for the host."""
    return request
