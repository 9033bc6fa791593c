"""The settings of collecting through X's interface: `[x_api]`, and `[account.api]` of each account.

An account without `[account.api]` is never asked for: X's terms want a decision first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

MICRO_USD = 1_000_000
"""Money is counted in millionths of a US dollar, as whole numbers."""
MEBIBYTE = 1 << 20

CollectKind = Literal[
    "profile", "posts", "mentions", "messages", "followers", "following", "blocks", "mutes", "likes", "lists"
]
COLLECT_KINDS: tuple[CollectKind, ...] = CollectKind.__args__  # type: ignore[attr-defined]  # typing has no public way
"""What can be asked for, in the order in which a run asks."""
USER_KINDS: frozenset[CollectKind] = frozenset({"messages", "blocks", "mutes", "likes"})
"""What X shows only to somebody signed in: an app's bearer token does not reach it."""
OWN_KINDS: frozenset[CollectKind] = frozenset({"messages", "blocks", "mutes"})
"""What X shows of whoever is signed in, and of nobody else."""
CURSORS: Mapping[CollectKind, tuple[str, ...]] = {
    "posts": ("posts", "recheck"),
    "lists": ("lists_owned", "lists_followed", "lists_listed", "list_members"),
}
"""The cursors that together say when a kind was last collected, where there is not one called after it."""
DEFAULT_KINDS: tuple[CollectKind, ...] = (
    "profile", "posts", "mentions", "messages", "following", "blocks", "mutes",
)  # fmt: skip
"""For an account with a token of its own. Followers, likes and lists cost more than they often tell."""
DEFAULT_BEARER_KINDS: tuple[CollectKind, ...] = ("profile", "posts", "mentions", "following")
DEFAULT_EVERY_DAYS: Mapping[CollectKind, int] = {
    "profile": 1, "posts": 1, "mentions": 1, "messages": 1, "followers": 7, "following": 7, "blocks": 7,
    "mutes": 7, "likes": 7, "lists": 7,
}  # fmt: skip

PriceName = Literal[
    "posts", "posts_owned", "posts_by_id", "mentions", "mentions_owned", "messages", "followers",
    "followers_owned", "following", "following_owned", "blocks", "mutes", "likes", "likes_owned", "lists",
    "lists_owned", "list_members", "profile", "profile_owned",
]  # fmt: skip
PRICE_NAMES: tuple[PriceName, ...] = PriceName.__args__  # type: ignore[attr-defined]  # typing has no public way
PRICES_AS_OF = "2026-08-22"
DEFAULT_PRICES: Mapping[PriceName, int] = {
    "posts": 5_000, "posts_owned": 1_000, "posts_by_id": 5_000, "mentions": 5_000, "mentions_owned": 1_000,
    "messages": 10_000, "followers": 10_000, "followers_owned": 1_000, "following": 10_000,
    "following_owned": 1_000, "blocks": 1_000, "mutes": 1_000, "likes": 5_000, "likes_owned": 1_000,
    "lists": 5_000, "lists_owned": 1_000, "list_members": 10_000, "profile": 10_000, "profile_owned": 1_000,
}  # fmt: skip
"""Millionths of a dollar for each thing returned, from X's price list of that day. Where the list names no
price, that of the same kind of thing."""

Act = Literal["hide", "mute", "remove"]
ACTS: tuple[Act, ...] = Act.__args__  # type: ignore[attr-defined]  # typing has no public way
"""What moderation can let this program do through X's interface: hide a reply, mute somebody, remove an own
post. Blocking and reporting X keeps to people."""

MEDIA_HOSTS = ("pbs.twimg.com", "video.twimg.com")


@dataclass(frozen=True)
class Prices:
    """`[x_api.prices]`. `usd` is in millionths of a dollar for each thing returned; `as_of` is the day of
    the price list, as 2026-08-22. `includes_billed`: whether X also bills what it sends along (authors,
    quoted posts), which its documents leave open."""

    as_of: str = PRICES_AS_OF
    micro_usd: Mapping[PriceName, int] = field(default_factory=lambda: dict(DEFAULT_PRICES))
    includes_billed: bool = False


@dataclass(frozen=True)
class ApiSettings:
    """`[x_api]`: the same for every account. Secrets are references (`archiver.secrets`)."""

    base_url: str = "https://api.x.com"
    authorize_url: str = "https://x.com/i/oauth2/authorize"
    redirect_uri: str = "http://127.0.0.1:8765/callback"
    client_id: str | None = None
    client_secret: str | None = None
    ca_file: Path | None = None
    field_names: Literal["auto", "post", "tweet"] = "auto"
    connect_timeout_seconds: int = 10
    read_timeout_seconds: int = 60
    max_wait_seconds: int = 960
    """At most this long for a rate limit or a fault, together, in one kind of one account."""
    tries: int = 5
    answer_bytes: int = 64 * MEBIBYTE
    side_by_side: int = 4
    """Accounts at a time."""
    media_hosts: tuple[str, ...] = MEDIA_HOSTS
    prices: Prices = field(default_factory=Prices)


@dataclass(frozen=True)
class Credentials:
    """Where an account's keys are, as references; `archiver.sources.x_api.tokens` reads them.

    One of three: `token` (OAuth 2.0, from `archiver login x`; `token_store` is a `command:` that is given
    each renewed token on its standard input, where `token` is no file), `bearer_token` (the app's own), or
    the four of OAuth 1.0a."""

    token: str | None = None
    token_store: str | None = None
    bearer_token: str | None = None
    consumer_key: str | None = None
    consumer_secret: str | None = None
    access_token: str | None = None
    access_token_secret: str | None = None

    @property
    def of_user(self) -> bool:
        """Whether X sees the account itself behind them, not only an app."""
        return self.bearer_token is None


@dataclass(frozen=True)
class AccountApi:
    """`[account.api]`: what is asked for, how often, and for how much money a month."""

    credentials: Credentials
    kinds: tuple[CollectKind, ...] = DEFAULT_KINDS
    every_days: Mapping[CollectKind, int] = field(default_factory=lambda: dict(DEFAULT_EVERY_DAYS))
    recheck_days: int = 7
    recheck_mentions: bool = False
    acts: tuple[Act, ...] = ()
    """What moderation may do itself; the rest a person does on X. Each needs a permission of the token."""
    media: bool = True
    media_bytes: int = 512 * MEBIBYTE
    max_spend_micro_usd: int = 25 * MICRO_USD
    owns_app: bool = False
    """Whether this account owns the developer app, which makes reading its own things cheaper."""


def format_usd(micro_usd: int) -> str:
    """Millionths of a dollar for a person, exactly: `25 USD`, `0.005 USD`."""
    return f"{Decimal(micro_usd) / MICRO_USD:f} USD"
