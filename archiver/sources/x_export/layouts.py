"""The allow-list: every file kind that is read, and the generations of the export that hold them.

Whatever is not named here is listed and left unread: a deny-list would leak whatever X adds next.
"""

import re
from typing import Final, Literal

from msgspec import Struct

Family = Literal[
    "account", "note", "post", "deleted_post", "post_headers", "deleted_post_headers", "relation", "message",
    "message_headers", "article_metadata", "article", "community_note", "community_note_tombstone",
]  # fmt: skip
Layout = Literal["x-grailbird", "x-grailbird-csv", "x-2018", "x-2020", "x-2022"]


class FileKind(Struct, frozen=True):
    """One kind of file. `body_kind` is its type in the manifest. `record` is the kind of its items or, for an
    account's file, the aspect it tells; `how` says how a deletion in it was known."""

    stem: str
    family: Family
    record: str
    audience: str | None = None

    @property
    def body_kind(self) -> str:
        first, *rest = self.stem.split("-")
        return first + "".join(word.capitalize() for word in rest)


_KINDS: Final = (
    FileKind("account", "account", "account"),
    FileKind("profile", "account", "profile"),
    FileKind("screen-name-change", "account", "handle_change"),
    FileKind("verified", "account", "verified"),
    FileKind("account-suspension", "account", "suspension"),
    FileKind("protected-history", "account", "protection"),
    FileKind("account-label", "account", "label"),
    FileKind("note-tweet", "note", "post"),
    FileKind("deleted-note-tweet", "note", "post"),
    FileKind("tweet", "post", "post"),
    FileKind("tweets", "post", "post"),
    FileKind("community-tweet", "post", "post", audience="community"),
    FileKind("twitter-circle-tweet", "post", "post", audience="circle"),
    FileKind("deleted-tweets", "deleted_post", "post"),
    FileKind("deleted-tweet", "deleted_post", "post"),
    FileKind("tweet-headers", "post_headers", "post"),
    FileKind("deleted-tweet-headers", "deleted_post_headers", "gone"),
    FileKind("follower", "relation", "follower"),
    FileKind("following", "relation", "following"),
    FileKind("block", "relation", "block"),
    FileKind("mute", "relation", "mute"),
    FileKind("smartblock", "relation", "smartblock"),
    FileKind("direct-message-mute", "relation", "message_mute"),
    FileKind("like", "relation", "like"),
    FileKind("lists-created", "relation", "list_created"),
    FileKind("lists-member", "relation", "list_member"),
    FileKind("lists-subscribed", "relation", "list_subscribed"),
    FileKind("direct-messages", "message", "message"),
    FileKind("direct-messages-group", "message", "message"),
    FileKind("direct-message", "message", "message"),
    FileKind("direct-message-group", "message", "message"),
    FileKind("direct-message-headers", "message_headers", "message"),
    FileKind("direct-message-group-headers", "message_headers", "message"),
    FileKind("article-metadata", "article_metadata", "post"),
    FileKind("twitter-article-metadata", "article_metadata", "post"),
    FileKind("article", "article", "post"),
    FileKind("twitter-article", "article", "post"),
    FileKind("community-note", "community_note", "post"),
    FileKind("birdwatch-note", "community_note", "post"),
    FileKind("community-note-tombstone", "community_note_tombstone", "gone"),
    FileKind("birdwatch-note-tombstone", "community_note_tombstone", "gone"),
)
KIND_OF_STEM: Final = {kind.stem: kind for kind in _KINDS}
KIND_OF_BODY: Final = {kind.body_kind: kind for kind in _KINDS}
LIMITED_AUDIENCE: Final = {kind.body_kind: kind.audience for kind in _KINDS if kind.audience is not None}

MEDIA_FOLDERS: Final = frozenset(
    {
        "tweets_media", "tweet_media", "deleted_tweets_media", "deleted_tweet_media", "community_tweet_media",
        "twitter_circle_tweet_media", "direct_messages_media", "direct_message_media",
        "direct_messages_group_media", "direct_message_group_media", "profile_media", "article_media",
        "articles_media", "twitter_article_media",
    }
)  # fmt: skip

_FILE_NAME = re.compile(r"(?P<stem>[a-z]+(?:-[a-z]+)*)(?:-part(?P<part>[0-9]{1,6}))?\.js", re.ASCII)
_MONTH_JS = re.compile(r"data/js/tweets/(?P<month>[0-9]{4}_[0-9]{2})\.js", re.ASCII)
_MONTH_CSV = re.compile(r"data/csv/(?P<month>[0-9]{4}_[0-9]{2})\.csv", re.ASCII)


def kind_of_file(base_name: str) -> tuple[FileKind, int] | None:
    """Kind and part number of `tweets-part1.js`; None for what is not on the list."""
    match = _FILE_NAME.fullmatch(base_name)
    kind = KIND_OF_STEM.get(match["stem"]) if match else None
    return (kind, int(match["part"] or 0)) if match and kind else None


def month_of_file(path: str, suffix: Literal["js", "csv"]) -> str | None:
    """'2013_02' from a per-month file of a Grailbird export; None for any other path."""
    match = (_MONTH_JS if suffix == "js" else _MONTH_CSV).fullmatch(path)
    return match["month"] if match else None
