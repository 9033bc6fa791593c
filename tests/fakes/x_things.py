"""What the world of the fake of X consists of, and how X numbers it."""

import base64
from dataclasses import dataclass, field
from typing import Any, NamedTuple

EPOCH_MS = 1288834974657
"""Where the time in X's ids begins, in milliseconds since 1970."""

LONG = 280
"""The most characters of a post's `text`; what is longer is in its note."""

DAY_MS = 86_400_000

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
"""One grey pixel, everybody's picture."""


def snowflake(at_ms: int, sequence: int = 0) -> str:
    """X's id of something made at a time."""
    return str(((at_ms - EPOCH_MS) << 22) | sequence)


def made_at(an_id: str) -> int:
    """When the thing with this id was made, in milliseconds."""
    return (int(an_id) >> 22) + EPOCH_MS


@dataclass
class User:
    """`counts` overrides what the state says, e.g. `{"followers_count": 120_000}`; `extra` is added to the
    JSON as it is. An address that begins with `/` gets the server's in front."""

    id: str
    handle: str
    name: str
    bio: str = ""
    location: str = ""
    url: str = ""
    created_ms: int = 1_300_000_000_000
    protected: bool = False
    suspended: bool = False
    gone: bool = False
    verified_type: str = "none"
    profile_image_url: str = "/media/default_normal.png"
    profile_banner_url: str = ""
    pinned_post_id: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Post:
    """`text` is what X shows, cut where the post is long; `note_text` then holds all of it. `edit_ids` is
    one list for all versions, oldest first. `references`: (replied_to | quoted | retweeted, id)."""

    id: str
    author_id: str
    text: str
    created_ms: int
    conversation_id: str
    edit_ids: list[str]
    lang: str = "en"
    source: str = "X Web App"
    references: list[tuple[str, str]] = field(default_factory=list)
    in_reply_to_user_id: str | None = None
    media_keys: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    note_text: str | None = None
    community_id: str | None = None
    metrics: dict[str, int] = field(default_factory=dict)
    entities: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    note_entities: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    context_annotations: list[dict[str, Any]] = field(default_factory=list)
    possibly_sensitive: bool = False
    deleted: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Media:
    """`variants` are (bit rate or None, content type, address); a photo has `url` instead."""

    media_key: str
    type: str
    url: str = ""
    variants: list[tuple[int | None, str, str]] = field(default_factory=list)
    preview_image_url: str = ""
    alt_text: str = ""
    width: int = 1200
    height: int = 675
    duration_ms: int = 0
    view_count: int = 0


@dataclass
class MediaFile:
    """What `/media/NAME` answers with."""

    content: bytes
    content_type: str


@dataclass
class UserList:
    """`members` and `followers` are ids of users, newest first."""

    id: str
    name: str
    owner_id: str
    description: str = ""
    private: bool = False
    created_ms: int = 1_500_000_000_000
    members: list[str] = field(default_factory=list)
    followers: list[str] = field(default_factory=list)


@dataclass
class Message:
    """An event of a direct conversation. `participants`: who can read it; `concerned`: who joined or left."""

    id: str
    event_type: str
    sender_id: str
    participants: list[str]
    conversation_id: str
    created_ms: int
    text: str = ""
    media_keys: list[str] = field(default_factory=list)
    referenced_post_ids: list[str] = field(default_factory=list)
    concerned: list[str] = field(default_factory=list)
    entities: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Act(NamedTuple):
    """What somebody did through the interface: hide, unhide, remove, mute or unmute, to a post or a user;
    `changed`: whether it was not so already."""

    act: str
    user_id: str
    target_id: str
    changed: bool


@dataclass
class Token:
    """`user_id` None: app-only. `scopes` None: not limited, as with OAuth 1.0a. `secret`: OAuth 1.0a's."""

    value: str
    user_id: str | None
    scopes: frozenset[str] | None = None
    expires_ms: int | None = None
    secret: str | None = None
    consumer_key: str | None = None


@dataclass(frozen=True)
class OAuth1Keys:
    """The four strings a client signs with."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str


@dataclass
class Client:
    """An app that may use OAuth 2.0; with a secret, it is confidential."""

    client_id: str
    redirect_uris: list[str]
    secret: str | None = None


def id_of(thing: Any) -> str:
    """The id of a user, post or list, or the id itself."""
    return thing if isinstance(thing, str) else str(thing.id)
