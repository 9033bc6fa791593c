"""What a person names to be dealt with: a post by its number or address, somebody by a handle."""

import re
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from archiver.errors import UsageError

PLATFORM = "x"
_HOSTS = frozenset(
    f"{prefix}{host}" for host in ("x.com", "twitter.com") for prefix in ("", "www.", "mobile.", "m.")
)
ID = re.compile(r"^[1-9][0-9]{0,18}\Z")
"""A number of X's: a post, a message, an account."""
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,20}")
_POST = re.compile(
    r"/(?:i/web|i|(?P<handle>[A-Za-z0-9_]{1,20}))/status(?:es)?/(?P<id>[1-9][0-9]{0,18})(?:/.*)?"
)
_PROFILE = re.compile(r"/@?(?P<handle>[A-Za-z0-9_]{1,20})/?")
_NO_HANDLES = frozenset(
    {"home", "explore", "search", "i", "messages", "settings", "notifications", "hashtag", "compose", "login"}
)
_FORMS = "as 1588091220244369409, https://x.com/HANDLE/status/1588091220244369409, or @HANDLE"
_LONGEST = 2000


class ItemName(Struct, frozen=True):
    """A post by its id, a direct message by its id, or a user by the handle. `handle` of a post is only what
    its address says."""

    kind: str
    id: str | None
    handle: str | None = None

    @property
    def url(self) -> str:
        """Where a person finds it."""
        if self.kind == "user":
            return f"https://x.com/{self.handle}"
        if self.kind == "message":
            return "https://x.com/messages"
        return f"https://x.com/{self.handle or 'i'}/status/{self.id}"

    @property
    def words(self) -> str:
        return f"@{self.handle}" if self.kind == "user" else f"{self.kind} {self.id}"


def parse_item_name(text: str, *, is_message: bool = False) -> ItemName:
    """Read what a person typed or pasted. Raise UsageError for what is no item of X, saying what is."""
    text = text.strip()
    if is_message:
        if not ID.fullmatch(text):
            raise UsageError(f"{_shown(text)} is not the number of a direct message", "digits only")
        return ItemName("message", text)
    if ID.fullmatch(text):
        return ItemName("post", text)
    if text.startswith("@") and _HANDLE.fullmatch(text[1:]):
        return ItemName("user", None, text[1:])
    return _parse_address(text)


def _parse_address(text: str) -> ItemName:
    parts = _split(text)
    if parts is None:
        raise UsageError(f"{_shown(text)} is not a post or an account of X", _FORMS)
    host = (parts.hostname or "").removesuffix(".")
    if host == "t.co":
        raise UsageError(
            f"{_shown(text)} is a short link, which does not say where it leads",
            "open it, and copy the address of the post itself",
        )
    if host not in _HOSTS or parts.username is not None or parts.password is not None:
        raise UsageError(
            f"{_shown(text)} is on {_shown(host)}, which is not X (x.com, twitter.com)",
            "what was done on other platforms can be taken into the register as a log:"
            " archiver moderation import",
        )
    if post := _POST.fullmatch(parts.path):
        return ItemName("post", post["id"], post["handle"])
    profile = _PROFILE.fullmatch(parts.path)
    if profile and profile["handle"].lower() not in _NO_HANDLES:
        return ItemName("user", None, profile["handle"])
    if parts.path.startswith("/messages"):
        raise UsageError(
            "a direct message cannot be asked for by its address",
            "give its number with --message, and what it says with --text, --author and --posted-at",
        )
    raise UsageError(f"{_shown(text)} is on X, but is no post and no account", _FORMS)


def _split(text: str) -> SplitResult | None:
    """The parts of a web address, with or without its scheme; None for what is none."""
    if len(text) > _LONGEST or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in ("http", "https")
        or port not in (None, 80, 443)
        or "." not in (parts.hostname or "")
    ):
        return None
    return parts


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}…")


def parse_number(text: str, option: str) -> str:
    """A number of X's, as of an account; raise UsageError for anything else."""
    if not ID.fullmatch(text.strip()):
        raise UsageError(f"{option} {_shown(text)} is not a number of X's", "digits only")
    return text.strip()
