"""A POST to an address that may itself be a secret: no error repeats it, and no redirect is followed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from archiver import __version__
from archiver.notify.base import NoticeError, PassingError, Resolve, find_secret
from archiver.notify.bounded import within
from archiver.secrets import SCHEMES
from archiver.settings.notices import is_address

MOST_ANSWER_BYTES: Final = 1024
"""More of an answer is not read: it says at most why."""
USER_AGENT: Final = f"archiver/{__version__}"
_BUSY: Final = (408, 425, 429)


@dataclass(frozen=True, repr=False)
class Post:
    """What is sent where. `way`: the notice's name, for errors. `timeout_seconds`: for all of it."""

    way: str
    address: str
    body: bytes
    headers: Mapping[str, str]
    ca_file: Path | None
    timeout_seconds: int


def find_address(way: str, url: str, resolve: Resolve) -> str:
    """The address that the settings name, or name a reference to. Raise NoticeError where there is none."""
    if url.partition(":")[0] not in SCHEMES:
        return url
    address = find_secret(way, url, resolve)
    if not is_address(address):
        raise NoticeError(
            f"notice {way}: what is kept as its address is not one that notices can go to",
            "https://…, without user and fragment; http only on this machine",
        )
    return address


def send_post(post: Post) -> bytes:
    """The beginning of the answer's body. Raise NoticeError, or PassingError where a second try may help."""
    try:
        status, answer = within(post.timeout_seconds, lambda: _exchange(post))
    except (TimeoutError, requests.exceptions.Timeout):
        raise PassingError(f"notice {post.way}: no answer within {post.timeout_seconds} seconds") from None
    except requests.exceptions.SSLError:
        raise NoticeError(
            f"notice {post.way}: the server's certificate is not trusted, or is another's",
            "for a certificate of your own authority: ca_file",
        ) from None
    except (OSError, HTTPError, ValueError) as error:  # requests' errors are OSError, and name the address
        raise PassingError(f"notice {post.way}: no answer ({type(error).__name__})") from None
    _check_status(post.way, status)
    return answer


def _check_status(way: str, status: int) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise NoticeError(
            f"notice {way}: the server points elsewhere ({status}), which is not followed",
            "put the address it points to into the settings",
        )
    said = f"notice {way}: the server answers {status}"
    if status >= 500 or status in _BUSY:
        raise PassingError(said)
    hint = "the address is unknown there, or was deleted" if status in (404, 410) else None
    raise NoticeError(said, "the key or the address is wrong" if status in (401, 403) else hint)


def _exchange(post: Post) -> tuple[int, bytes]:
    """The status, and what comes at once of the body."""
    with requests.Session() as session:
        session.auth = _leave_alone
        with session.post(
            post.address,
            data=post.body,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **post.headers},
            timeout=post.timeout_seconds,
            allow_redirects=False,
            stream=True,
            verify=None if post.ca_file is None else str(post.ca_file),
        ) as response:
            answer: bytes = response.raw.read(MOST_ANSWER_BYTES, decode_content=False)
            return response.status_code, answer


def _leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An `auth` that adds nothing: without one, requests sends what a .netrc file says for the host."""
    return request
