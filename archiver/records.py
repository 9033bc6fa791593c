"""The records: what a platform's bytes mean, the same for every source.

A record is derived from its capture and can be derived again (`archiver rebuild`). Times are whole
milliseconds since 1970-01-01 UTC; ids are the platform's own, as text.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

PostKind = Literal["post", "reply", "repost", "quote"]
RelationKind = Literal[
    "follower", "following", "block", "mute", "smartblock", "message_mute", "like",
    "list_created", "list_member", "list_subscribed", "own_list_member",
]  # fmt: skip
RELATION_KINDS: tuple[RelationKind, ...] = RelationKind.__args__  # type: ignore[attr-defined]  # typing has no public way
ModerationAction = Literal[
    "none", "warned", "replied", "hidden", "unhidden", "removed", "reinstated", "reported", "blocked",
    "unblocked", "muted", "unmuted", "comments_off", "comments_on",
]  # fmt: skip
MODERATION_VERBS: Mapping[str, ModerationAction] = {
    "hide": "hidden",
    "remove": "removed",
    "block": "blocked",
    "mute": "muted",
    "report": "reported",
    "warn": "warned",
    "reply": "replied",
    "comments-off": "comments_off",
    "none": "none",
}
"""What a person says to decide on an action, and what a record calls it."""
ModerationState = Literal["planned", "done", "failed"]
ItemType = Literal["own_post", "reply", "comment", "message", "user"]
Detection = Literal["staff", "rule", "public", "partner", "platform"]
Escalation = Literal["crime", "safeguarding", "professional_standards", "data_breach"]
AppealOutcome = Literal["upheld", "overturned", "partly"]
EntryKind = Literal["decision", "outcome", "correction", "reversal", "appeal"]
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


class Attachment(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A file of a moderation record: `media` that the item shows, or a `screenshot` somebody made."""

    role: Literal["media", "screenshot"]
    file_name: str
    media_type: str
    url: str = ""
    alt_text: str | None = None
    sha256: str | None = None
    missing: str | None = None


class LogRow(Struct, frozen=True, gc=False, kw_only=True):
    """Where an imported entry comes from: the log's name and SHA-256, the line, and its cells as they stood,
    by the names of their columns."""

    file: str
    sha256: str
    line: int
    cells: dict[str, str]


class Moderation(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One entry of the moderation register. A `decision` begins a record: its `id` is the `record_id` of all
    its entries, which are numbered from 1. A later entry holds only what it adds or puts right, and names in
    `corrects` the entry it follows; `archiver.register.compose` gives a record as it stands.

    Nothing is ever changed: an `outcome` says what came of an action that was planned, a `correction` puts
    fields right, a `reversal` undoes an action by another, an `appeal` says that somebody objects."""

    id: str
    record_id: str
    number: int
    entry: EntryKind
    entered_ms: int
    entered_by: str
    platform: str
    account: str
    schema_version: int = 1
    account_handle: str | None = None
    corrects: str | None = None
    entry_note: str | None = None
    """Why a later entry was made."""
    cleared: tuple[str, ...] = ()
    """Fields that hold no longer, by their names here: what earlier entries say in them is taken back."""

    item_type: ItemType | None = None
    item_id: str | None = None
    item_url: str | None = None
    content: Literal["captured", "given", "unseen"] | None = None
    """captured: as the platform sent it. given: by hand. unseen: nobody here has it, for the reason in
    `unseen`."""
    unseen: str | None = None
    author_id: str | None = None
    author_handle: str | None = None
    author_name: str | None = None
    posted_ms: int | None = None
    text: str | None = None
    language: str | None = None
    attachments: tuple[Attachment, ...] = ()
    context_sha256: tuple[str, ...] = ()
    """Of the bodies of the captures that hold the item, its thread and its author's profile."""
    context_missing: tuple[str, ...] = ()
    """What of the context could not be had."""

    detected_ms: int | None = None
    detected_by: str | None = None
    detection: Detection | None = None
    house_rule: str | None = None
    house_rule_version: str | None = None
    reason_codes: tuple[str, ...] = ()
    reason_text: str | None = None
    legal_ground: str | None = None

    action: ModerationAction | None = None
    state: ModerationState | None = None
    way: Literal["api", "hand"] | None = None
    """Who acts: this program through the platform's interface, or a person on the platform."""
    action_ms: int | None = None
    action_by: str | None = None
    authorised_by: str | None = None
    until_ms: int | None = None
    outcome: str | None = None
    """What the platform said, or why it failed."""

    notified_ms: int | None = None
    notified_how: str | None = None
    not_notified: str | None = None
    escalated: Escalation | None = None
    escalated_reference: str | None = None
    appeal_received_ms: int | None = None
    appeal_decided_by: str | None = None
    appeal_decided_ms: int | None = None
    appeal_outcome: AppealOutcome | None = None
    exhibit: str | None = None
    case: str | None = None
    retention_rule: str | None = None
    hold: str | None = None
    imported: LogRow | None = None


Record = Account | Post | Message | Relation | Gone | Moderation
