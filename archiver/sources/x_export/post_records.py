"""One post's verbatim bytes to its record. Used for every post when sealing, so it is written for speed."""

import re
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from archiver.records import Link, Mention, Post
from archiver.sources.base import Capture
from archiver.sources.x.lenient import clean_text, decode_leniently
from archiver.sources.x.times import posted_ms
from archiver.sources.x_export.layouts import LIMITED_AUDIENCE
from archiver.sources.x_export.posts import (
    EditInfo,
    Media,
    MediaList,
    edit_ids,
    media_references,
    post_id_of,
)

REPOST: Final = re.compile(r"RT @([A-Za-z0-9_]{1,20}):? ?")
_STATUS: Final = re.compile(
    r"https?://(?:www\.|mobile\.|m\.)?(?:twitter|x)\.com/(?:[A-Za-z0-9_]{1,20}|i/web|i)/status(?:es)?/([0-9]{1,20})(?![0-9])",
    re.IGNORECASE | re.ASCII,
)
_TAGS: Final = re.compile(r"<[^>]*>")
_TRAILING_LINKS: Final = re.compile(r"(?:\s*https?://t\.co/\w+)+\s*$", re.ASCII)
CUT_REPOST_FROM: Final = 120
"""A repost that ends in an ellipsis was cut if it is about 140 characters long; X counts some as two."""
CUT_POST_FROM: Final = 230


class Url(Struct, frozen=True, gc=False):
    url: str | None = None
    expanded_url: str | None = None
    display_url: str | None = None


class User(Struct, frozen=True, gc=False):
    name: str | None = None
    screen_name: str | None = None
    id_str: str | None = None


class Hashtag(Struct, frozen=True, gc=False):
    text: str | None = None


class Entities(Struct, frozen=True, gc=False):
    user_mentions: list[User] = []
    urls: list[Url] = []
    media: list[Media] = []
    hashtags: list[Hashtag] = []


class Reposted(Struct, frozen=True, gc=False):
    """Grailbird's copy of the post that was reposted."""

    id_str: str | None = None
    text: str | None = None
    user: User | None = None


class RawPost(Struct, frozen=True, gc=False):
    """Every field of a post that a record shows, in the order in which X writes them."""

    edit_info: EditInfo | None = None
    source: str | None = None
    entities: Entities | None = None
    favorite_count: str | int | None = None
    in_reply_to_status_id_str: str | None = None
    id_str: str | None = None
    truncated: bool | None = None
    retweet_count: str | int | None = None
    created_at: str | None = None
    full_text: str | None = None
    lang: str | None = None
    in_reply_to_screen_name: str | None = None
    in_reply_to_user_id_str: str | None = None
    extended_entities: MediaList | None = None


class BareRawPost(RawPost, frozen=True, gc=False):
    """An element until 2019. Grailbird has `text` and the whole original of a repost."""

    id: str | int | float | None = None
    text: str | None = None
    retweeted_status: Reposted | None = None


class _WrappedRawPost(Struct, frozen=True, gc=False):
    tweet: RawPost


class _EitherRawPost(BareRawPost, frozen=True, gc=False):
    tweet: BareRawPost | None = None


_NO_ENTITIES: Final = Entities()
_decode_wrapped = msgspec.json.Decoder(_WrappedRawPost).decode
_decode_either = msgspec.json.Decoder(_EitherRawPost).decode


def decode_raw_post(piece: bytes) -> RawPost:
    """Raise SourceError where it is no JSON object."""
    try:
        post = _decode_wrapped(piece).tweet
        if post.id_str is not None and post.full_text is not None:
            return post
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        element = _decode_either(piece)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        element, _ = decode_leniently(piece, _EitherRawPost)
    return element.tweet or element


def parse_post(capture: Capture, piece: bytes) -> Post:
    """Given the verbatim bytes of one post, return its record; a long post's note is put in by notes.py."""
    return build_post(capture, decode_raw_post(piece), piece)


def build_post(capture: Capture, raw: RawPost, piece: bytes) -> Post:
    """The record of a post already decoded; `piece` names it where it has no id.

    Most posts have few of a record's fields, and msgspec looks each keyword up in all of them: passing 14 and
    setting the rest where they are present takes a third of the time of passing all 29."""
    old = raw if isinstance(raw, BareRawPost) else None
    post_id = raw.id_str
    if post_id is None or not (post_id.isdigit() and post_id.isascii() and len(post_id) <= 20):
        post_id = post_id_of(raw.id_str, old.id if old else None, piece)
    text = raw.full_text
    if text is None:
        text = (old.text if old else None) or ""
    if "&" in text or "\0" in text:
        text = clean_text(text)
    post = Post(
        platform="x",
        platform_id=post_id,
        record_id=post_id,
        account=capture.account,
        author_id=capture.account,
        author_handle=capture.handle,
        author_name=capture.name,
        posted_ms=posted_ms(post_id, raw.created_at),
        kind="post",
        text=text,
        language=raw.lang,
        client=_client(raw.source) if raw.source else None,
        like_count=_count(raw.favorite_count),
        repost_count=_count(raw.retweet_count),
    )
    links = _set_entities(post, raw, raw.entities or _NO_ENTITIES)
    if raw.edit_info is not None and (edits := edit_ids(raw.edit_info, post_id)):
        force_setattr(post, "edit_ids", edits)
        force_setattr(post, "record_id", edits[0])
    if capture.body_kind in LIMITED_AUDIENCE:
        force_setattr(post, "audience", LIMITED_AUDIENCE[capture.body_kind])
    if text.startswith("RT @") and (match := REPOST.match(text)):
        _set_repost(post, old.retweeted_status if old else None, match[1])
    else:
        _set_reply_and_quote(post, raw, links)
    if raw.truncated or (len(text) >= CUT_REPOST_FROM and "…" in text[-60:] and _is_cut(post)):
        force_setattr(post, "truncated", True)
    return post


def _set_entities(post: Post, raw: RawPost, entities: Entities) -> tuple[Link, ...]:
    """Hashtags, mentions, links and media, where there are any; return the links."""
    links: tuple[Link, ...] = ()
    if entities.hashtags:
        force_setattr(post, "hashtags", tuple([each.text for each in entities.hashtags if each.text]))
    if entities.user_mentions:
        mentions = [
            Mention(None if each.id_str == "-1" else each.id_str, each.screen_name or "", each.name)
            for each in entities.user_mentions
        ]
        force_setattr(post, "mentions", tuple(mentions))
    if entities.urls:
        links = tuple([Link(each.url or "", each.expanded_url, each.display_url) for each in entities.urls])
        force_setattr(post, "links", links)
    shown = entities.media
    if raw.extended_entities is not None:
        shown = raw.extended_entities.media or shown
    if shown:
        force_setattr(post, "media", media_references(post.platform_id, shown))
    return links


def _set_reply_and_quote(post: Post, raw: RawPost, links: tuple[Link, ...]) -> None:
    quoted = _quoted(links, post.platform_id) if links else None
    if quoted is not None:
        force_setattr(post, "quote_of_id", quoted)
        force_setattr(post, "kind", "quote")
    if raw.in_reply_to_status_id_str or raw.in_reply_to_user_id_str:
        force_setattr(post, "kind", "reply")
        force_setattr(post, "in_reply_to_id", raw.in_reply_to_status_id_str)
        force_setattr(post, "in_reply_to_user_id", raw.in_reply_to_user_id_str)
        force_setattr(post, "in_reply_to_handle", raw.in_reply_to_screen_name)


def _set_repost(post: Post, reposted: Reposted | None, handle: str) -> None:
    """Whose post it was; its id and whole text only where Grailbird holds them."""
    force_setattr(post, "kind", "repost")
    if reposted is not None:
        if reposted.user is not None and reposted.user.screen_name:
            handle = reposted.user.screen_name
        if reposted.text:
            force_setattr(post, "text", f"RT @{handle}: {clean_text(reposted.text)}")
        force_setattr(post, "repost_of_id", reposted.id_str)
    force_setattr(post, "repost_of_handle", handle)


def _is_cut(post: Post) -> bool:
    """Whether the text ends in the ellipsis that X puts where it cuts: reposts at about 140 characters, long
    posts, which go on in a note, at 280 less their links."""
    if post.kind == "repost":
        return post.text.endswith("…") and post.repost_of_id is None
    return len(post.text) >= CUT_POST_FROM and _TRAILING_LINKS.sub("", post.text).endswith("…")


def _quoted(links: tuple[Link, ...], own_id: str) -> str | None:
    """The last post linked to that is not this one: X shows the last as the quoted one."""
    for link in reversed(links):
        match = _STATUS.match(link.expanded) if link.expanded and "/status" in link.expanded else None
        if match and match[1] != own_id:
            return match[1]
    return None


@lru_cache(maxsize=1024)
def _client(source: str) -> str | None:
    """'Twitter Web App' from the link that X puts around it."""
    return clean_text(_TAGS.sub("", source)).strip() or None


def _count(value: str | int | None) -> int | None:
    if isinstance(value, str) and len(value) < 16 and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and 0 <= value < 10**15 else None
