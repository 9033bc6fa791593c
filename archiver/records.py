"""The records: what a platform's bytes mean, the same for every source.

A record is derived from its capture and can be derived again (`archiver rebuild`). Times are whole
milliseconds since 1970-01-01 UTC; ids are the platform's own, as text.
"""

from typing import Literal

from msgspec import Struct

PostKind = Literal["post", "reply", "repost", "quote"]
RelationKind = Literal[
    "follower", "following", "block", "mute", "smartblock", "message_mute", "like",
    "list_created", "list_member", "list_subscribed", "own_list_member",
]  # fmt: skip
RELATION_KINDS: tuple[RelationKind, ...] = RelationKind.__args__  # type: ignore[attr-defined]  # typing has no public way
TIMED_KINDS = ("post", "message")
"""Kinds of item whose records carry a time of their own and are kept in its order."""


class Mention(Struct, frozen=True, gc=False):
    user_id: str | None
    handle: str
    name: str | None


class Link(Struct, frozen=True, gc=False):
    short: str
    expanded: str | None
    display: str | None


class MediaReference(Struct, frozen=True, gc=False, array_like=True):
    """A picture or video that a record shows. `file_name` is its name in the export, without folder."""

    media_id: str | None
    media_type: str
    url: str
    file_name: str
    alt_text: str | None = None


class Person(Struct, frozen=True, gc=False, array_like=True):
    """Somebody a record names by an id: handle and name as known at capture. `role`: sender, recipient,
    participant, the other side of a relation, or a list's owner."""

    role: str
    user_id: str
    handle: str | None
    name: str | None


class Account(Struct, frozen=True, gc=False, kw_only=True):
    """An account's profile as one capture showed it. `facts` holds what one file alone tells
    (a handle change, a suspension …) as (name, value) pairs. Never an e-mail address."""

    platform: str
    platform_id: str
    aspect: str
    captured_ms: int
    handle: str | None = None
    name: str | None = None
    created_ms: int | None = None
    bio: str | None = None
    website: str | None = None
    location: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    media: tuple[MediaReference, ...] = ()


class Post(Struct, frozen=True, gc=False, kw_only=True):
    """One version of a post. `record_id` is the first version's id: equal for all edits of one post."""

    platform: str
    platform_id: str
    record_id: str
    account: str
    author_id: str | None
    author_handle: str | None
    author_name: str | None
    posted_ms: int
    kind: PostKind
    text: str
    truncated: bool = False
    language: str | None = None
    client: str | None = None
    in_reply_to_id: str | None = None
    in_reply_to_user_id: str | None = None
    in_reply_to_handle: str | None = None
    conversation_id: str | None = None
    repost_of_id: str | None = None
    repost_of_handle: str | None = None
    quote_of_id: str | None = None
    edit_ids: tuple[str, ...] = ()
    like_count: int | None = None
    repost_count: int | None = None
    audience: str | None = None
    hashtags: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    links: tuple[Link, ...] = ()
    media: tuple[MediaReference, ...] = ()


class Message(Struct, frozen=True, gc=False, kw_only=True):
    """One direct message or event of a conversation. `kind`: message, join, participants_join,
    participants_leave, name_update. `text` is empty where the event has none."""

    platform: str
    platform_id: str
    account: str
    conversation_id: str
    posted_ms: int
    kind: str
    sender_id: str | None
    recipient_id: str | None
    text: str
    links: tuple[Link, ...] = ()
    media: tuple[MediaReference, ...] = ()
    people: tuple[Person, ...] = ()


class Relation(Struct, frozen=True, gc=False, kw_only=True):
    """Something the account stood in relation to when captured: a follower, a liked post, a list."""

    platform: str
    platform_id: str
    account: str
    kind: RelationKind
    captured_ms: int
    created_ms: int | None = None
    expires_ms: int | None = None
    url: str | None = None
    text: str | None = None
    people: tuple[Person, ...] = ()


class Gone(Struct, frozen=True, gc=False, kw_only=True):
    """A record found missing: `kind` and `platform_id` name it, `how` says how that was known."""

    platform: str
    platform_id: str
    account: str
    kind: str
    noticed_ms: int
    how: str
    deleted_ms: int | None = None


Record = Account | Post | Message | Relation | Gone
