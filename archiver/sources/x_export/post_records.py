"""One post's verbatim bytes to its record. Used for every post when sealing, so it is written for speed."""

import re
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct

from archiver.records import Link, Mention, Post, PostKind
from archiver.sources.base import Capture
from archiver.sources.x_export.layouts import KIND_OF_BODY
from archiver.sources.x_export.lenient import clean_text, decode_leniently
from archiver.sources.x_export.posts import (
    EditInfo,
    Media,
    MediaList,
    edit_ids,
    media_references,
    post_id_of,
    posted_ms,
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
    id_str: str | None = None
    screen_name: str | None = None
    name: str | None = None


class Hashtag(Struct, frozen=True, gc=False):
    text: str | None = None


class Entities(Struct, frozen=True, gc=False):
    urls: list[Url] = []
    user_mentions: list[User] = []
    hashtags: list[Hashtag] = []
    media: list[Media] = []


class Reposted(Struct, frozen=True, gc=False):
    """Grailbird's copy of the post that was reposted."""

    id_str: str | None = None
    text: str | None = None
    user: User | None = None


class RawPost(Struct, frozen=True, gc=False):
    """Every field of a post that a record shows."""

    id_str: str | None = None
    id: str | int | float | None = None
    full_text: str | None = None
    text: str | None = None
    created_at: str | None = None
    lang: str | None = None
    source: str | None = None
    truncated: bool | None = None
    in_reply_to_status_id_str: str | None = None
    in_reply_to_user_id_str: str | None = None
    in_reply_to_screen_name: str | None = None
    favorite_count: str | int | None = None
    retweet_count: str | int | None = None
    entities: Entities | None = None
    extended_entities: MediaList | None = None
    edit_info: EditInfo | None = None
    deleted_at: str | None = None
    retweeted_status: Reposted | None = None


class RawPostElement(RawPost, frozen=True, gc=False):
    tweet: RawPost | None = None


_decode = msgspec.json.Decoder(RawPostElement).decode


def decode_raw_post(piece: bytes) -> RawPost:
    """Raise SourceError where it is no JSON object."""
    try:
        element = _decode(piece)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        element, _ = decode_leniently(piece, RawPostElement)
    return element.tweet or element


def parse_post(capture: Capture, piece: bytes) -> Post:
    """Given the verbatim bytes of one post, return its record; a long post's note is put in by notes.py."""
    return build_post(capture, decode_raw_post(piece), piece)


def build_post(capture: Capture, raw: RawPost, piece: bytes) -> Post:
    """The record of a post already decoded; `piece` names it where it has no id."""
    post_id = raw.id_str
    if post_id is None or not (post_id.isdigit() and post_id.isascii() and len(post_id) <= 20):
        post_id = post_id_of(raw.id_str, raw.id, piece)
    text = raw.full_text if raw.full_text is not None else raw.text or ""
    if "&" in text or "\0" in text:
        text = clean_text(text)
    hashtags: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    links: tuple[Link, ...] = ()
    shown: list[Media] | None = None
    entities = raw.entities
    if entities is not None:
        if entities.hashtags:
            hashtags = tuple([each.text for each in entities.hashtags if each.text])
        if entities.user_mentions:
            mentions = tuple(
                [
                    Mention(_known_id(each.id_str), each.screen_name or "", each.name)
                    for each in entities.user_mentions
                ]
            )
        if entities.urls:
            links = tuple(
                [Link(each.url or "", each.expanded_url, each.display_url) for each in entities.urls]
            )
        shown = entities.media
    if raw.extended_entities is not None:
        shown = raw.extended_entities.media or shown
    edits = edit_ids(raw.edit_info, post_id) if raw.edit_info is not None else ()
    kind: PostKind = "post"
    repost_of_id = repost_of_handle = quote_of_id = None
    truncated = bool(raw.truncated)
    if text.startswith("RT @") and (match := REPOST.match(text)):
        kind, repost_of_handle = "repost", match[1]
        repost_of_id, text = _original(raw.retweeted_status, match[1], text)
        truncated = text.endswith("…") and len(text) >= CUT_REPOST_FROM
    else:
        if links:
            quote_of_id = _quoted(links, post_id)
        if raw.in_reply_to_status_id_str or raw.in_reply_to_user_id_str:
            kind = "reply"
        elif quote_of_id:
            kind = "quote"
        if len(text) >= CUT_POST_FROM and "…" in text[-60:]:
            truncated = _TRAILING_LINKS.sub("", text).endswith("…")
    return Post(
        platform="x",
        platform_id=post_id,
        record_id=edits[0] if edits else post_id,
        account=capture.account,
        author_id=capture.account,
        author_handle=capture.handle,
        author_name=capture.name,
        posted_ms=posted_ms(post_id, raw.created_at),
        kind=kind,
        text=text,
        truncated=truncated,
        language=raw.lang,
        client=_client(raw.source) if raw.source else None,
        in_reply_to_id=raw.in_reply_to_status_id_str,
        in_reply_to_user_id=raw.in_reply_to_user_id_str,
        in_reply_to_handle=raw.in_reply_to_screen_name,
        repost_of_id=repost_of_id,
        repost_of_handle=repost_of_handle,
        quote_of_id=quote_of_id,
        edit_ids=edits,
        like_count=_count(raw.favorite_count),
        repost_count=_count(raw.retweet_count),
        audience=audience_of(capture.body_kind),
        hashtags=hashtags,
        mentions=mentions,
        links=links,
        media=media_references(post_id, shown) if shown else (),
    )


def _original(reposted: Reposted | None, handle: str, text: str) -> tuple[str | None, str]:
    """Id and whole text of what was reposted, where Grailbird holds it; else the text as it is."""
    if reposted is None:
        return None, text
    if reposted.user is not None and reposted.user.screen_name:
        handle = reposted.user.screen_name
    whole = f"RT @{handle}: {clean_text(reposted.text)}" if reposted.text else text
    return reposted.id_str, whole


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


@lru_cache(maxsize=64)
def audience_of(body_kind: str) -> str | None:
    """Who could see posts of this file where that was not everyone."""
    kind = KIND_OF_BODY.get(body_kind)
    return kind.audience if kind else None


def _known_id(user_id: str | None) -> str | None:
    return None if user_id == "-1" else user_id


def _count(value: str | int | None) -> int | None:
    if value is None:
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
