"""The connection under tweepy: our host, our timeouts, no redirects, bodies of a bounded size.

tweepy passes no timeout and always names api.twitter.com. Its errors fail on a JSON list and on a reset
time that is no number, and it formats every body for its log. So whatever is not 200 is raised here, and
what tweepy is handed has no body.
"""

import logging
import time
import warnings
from collections.abc import Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
import tweepy
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError
from urllib3.response import HTTPResponse

from archiver.settings.api import ApiSettings

for _name in ("tweepy", "oauthlib", "requests_oauthlib"):
    # At DEBUG these log the token and every body, whatever the program around them set up.
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
    logging.getLogger(_name).propagate = False

# tweepy warns, by a method that is to go, of each parameter it does not know, as `post.fields`.
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"tweepy\.")

TWEEPY_HOST: Final = "https://api.twitter.com"
BLOCK_BYTES: Final = 64 * 1024
KEPT_HEADERS: Final = frozenset(
    {
        "age", "api-version", "cache-control", "cf-ray", "content-encoding", "content-length",
        "content-type", "date", "etag", "expires", "last-modified", "server", "x-access-level",
        "x-app-limit-24hour-limit", "x-app-limit-24hour-remaining", "x-app-limit-24hour-reset",
        "x-connection-hash", "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset",
        "x-response-time", "x-transaction-id", "x-user-limit-24hour-limit",
        "x-user-limit-24hour-remaining", "x-user-limit-24hour-reset",
    }
)  # fmt: skip
"""Headers kept with a capture: those known to hold no credential."""


class Taken(requests.Response):
    """An answer read to its end. `content`, as tweepy sees it, is empty; `body` is what X sent."""

    body: bytes = b""

    @property
    def kept_headers(self) -> dict[str, str]:
        return {
            name.lower(): value[:1000] for name, value in self.headers.items() if name.lower() in KEPT_HEADERS
        }


class NotTakenError(Exception):
    """An answer of any status but 200."""

    def __init__(self, answer: Taken) -> None:
        super().__init__(f"status {answer.status_code}")
        self.answer = answer


class TooLargeError(Exception):
    """A body larger than the settings allow."""


def keep_no_cookies(session: requests.Session) -> None:
    """X sets cookies that follow a client around; an archive has no use for them."""
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))


def leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An `auth` that adds nothing: without one, requests sends what a .netrc file says for the host."""
    return request


def trust_of(settings: ApiSettings) -> str | None:
    """The certificates to trust, as requests wants them; None for the usual ones."""
    return None if settings.ca_file is None else str(settings.ca_file)


def blocks_of(response: requests.Response, size: int) -> Iterator[bytes]:
    """The body, inflated, as it comes: `iter_content` would wait for a whole block, however slowly its
    bytes come. Raise requests' errors, as that does."""
    raw: HTTPResponse = response.raw
    try:
        while block := raw.read1(size, decode_content=True):
            yield block
    except DecodeError as error:
        raise requests.exceptions.ContentDecodingError("the body cannot be inflated") from error
    except ReadTimeoutError as error:
        raise requests.exceptions.ReadTimeout("no more of the body in time") from error
    except HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError("the body broke off") from error


class Session(requests.Session):
    """What `tweepy.Client.session` is replaced by. Of the environment its proxies hold and, where the
    settings name none, its certificates; no .netrc."""

    def __init__(self, settings: ApiSettings) -> None:
        super().__init__()
        self._settings = settings
        self.auth = leave_alone
        keep_no_cookies(self)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> Taken:
        """Ask, and read the answer to its end. Raise NotTakenError for any status but 200, TooLargeError,
        and requests' own errors."""
        settings = self._settings
        address = str(url).replace(TWEEPY_HOST, settings.base_url.rstrip("/"), 1)
        options.update(
            timeout=(settings.connect_timeout_seconds, settings.read_timeout_seconds),
            allow_redirects=False,
            stream=True,
            # Said with each request, as requests takes a variable of the environment before the session's.
            verify=trust_of(settings),
        )
        with super().request(method, address, *args, **options) as response:
            body = self._read(response)
        taken = Taken()
        taken.status_code = response.status_code
        taken.reason = response.reason
        taken.headers = response.headers
        taken.url = response.url
        taken._content = b""  # requests has no public way to hand on an answer without its body
        taken.body = body
        if taken.status_code != requests.codes.ok:
            raise NotTakenError(taken)
        return taken

    def _read(self, response: requests.Response) -> bytes:
        """The body, inflated. A server that dribbles is given ten read timeouts in all."""
        deadline = time.monotonic() + 10 * self._settings.read_timeout_seconds
        blocks: list[bytes] = []
        size = 0
        for block in blocks_of(response, BLOCK_BYTES):
            size += len(block)
            if size > self._settings.answer_bytes:
                raise TooLargeError
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout("the answer took too long in all")
            blocks.append(block)
        return b"".join(blocks)


class TweepyClient(tweepy.Client):  # type: ignore[misc]  # tweepy comes without types
    """tweepy's client, which for blocks and mutes would first ask X whose token it has."""

    def __init__(self, keys: Mapping[str, str], owner: str, session: Session) -> None:
        """`keys`: tweepy's own arguments; `owner`: the id of the token's user."""
        super().__init__(**keys, return_type=requests.Response, wait_on_rate_limit=False)
        self._owner = owner
        self.session = session

    def _get_authenticating_user_id(self, *, oauth_1: bool = False) -> str:
        # The owner is known already. Should tweepy rename this, it asks X once more in each run.
        return self._owner
