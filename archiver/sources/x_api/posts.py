"""Posts, and liked posts, as X's interface writes them."""

from typing import Final

from archiver.records import Link, Mention, Post, PostKind, Relation
from archiver.sources.base import Capture
from archiver.sources.x.lenient import clean_text
from archiver.sources.x.times import posted_ms
from archiver.sources.x_api.related import Context, whole_text
from archiver.sources.x_api.shapes import Entities, RawPost

_KNOWN_REFERENCES: Final = ("replied_to", "quoted", "retweeted", "reposted")
_NO_ENTITIES: Final = Entities()


def build_post(capture: Capture, raw: RawPost, post_id: str, context: Context, remarks: list[str]) -> Post:
    """The record of a post; what is odd about it is appended to `remarks`."""
    references = {one.type: one.id for one in raw.references if one.id}
    unknown = [str(kind)[:40] for kind in references if kind not in _KNOWN_REFERENCES]
    if unknown:
        remarks.append(f"an unknown kind of post: {', '.join(unknown)}")
    repost_of = references.get("retweeted") or references.get("reposted")
    quote_of, reply_to = references.get("quoted"), references.get("replied_to")
    text, truncated = _text_of(raw, repost_of, context)
    entities = (raw.note.entities if raw.note is not None else None) or raw.entities or _NO_ENTITIES
    edits = tuple(raw.edit_ids) if len(raw.edit_ids) > 1 else ()
    metrics = raw.public_metrics
    original = context.post(repost_of)
    return Post(
        platform="x",
        platform_id=post_id,
        record_id=edits[0] if edits else post_id,
        account=capture.account,
        author_id=raw.author_id,
        author_handle=context.handle(raw.author_id),
        author_name=context.name(raw.author_id),
        posted_ms=posted_ms(post_id, raw.created_at),
        kind=_kind(repost_of, reply_to or raw.in_reply_to_user_id, quote_of),
        text=text,
        truncated=truncated,
        language=raw.lang,
        client=raw.source,
        in_reply_to_id=reply_to,
        in_reply_to_user_id=raw.in_reply_to_user_id,
        in_reply_to_handle=context.handle(raw.in_reply_to_user_id),
        conversation_id=raw.conversation_id,
        repost_of_id=repost_of,
        repost_of_handle=context.handle(original.author_id) if original else None,
        quote_of_id=quote_of,
        edit_ids=edits,
        like_count=metrics.like_count if metrics else None,
        repost_count=(metrics.repost_count if metrics.retweet_count is None else metrics.retweet_count)
        if metrics
        else None,
        audience="community" if raw.community_id else None,
        hashtags=tuple([one.tag for one in entities.hashtags or () if one.tag]),
        mentions=tuple(
            [
                Mention(one.id, one.username or "", context.name(one.id))
                for one in entities.mentions or ()
                if one.id or one.username
            ]
        ),
        links=links_of(entities),
        media=context.media_of(post_id, raw.attachments.media_keys if raw.attachments else None),
    )


def _kind(repost_of: str | None, reply_to: str | None, quote_of: str | None) -> PostKind:
    if repost_of:
        return "repost"
    if reply_to:
        return "reply"
    return "quote" if quote_of else "post"


def _text_of(raw: RawPost, repost_of: str | None, context: Context) -> tuple[str, bool]:
    """The whole text, and whether the answer had only a part of it: a repost's own text is cut at 140
    characters, and its original is whole where the answer includes it."""
    text = clean_text(whole_text(raw.text, raw.note) or "")
    if raw.article is not None and (raw.article.title or raw.article.plain_text):
        parts = (text, raw.article.title, raw.article.plain_text)
        text = "\n".join([clean_text(part) for part in parts if part])
    if repost_of is None:
        return text, False
    original = context.post(repost_of)
    whole = whole_text(original.text, original.note_post or original.note_tweet) if original else None
    if whole is None or original is None:
        return text, text.endswith("…")
    handle = context.handle(original.author_id)
    before = f"RT @{handle}: " if handle else text[: text.find(": ") + 2] if text.startswith("RT @") else ""
    return before + clean_text(whole), False


def links_of(entities: Entities) -> tuple[Link, ...]:
    """Links in the text, but for those that stand for the post's own pictures."""
    return tuple(
        [
            Link(one.url, one.expanded_url, one.display_url)
            for one in entities.urls or ()
            if one.url and one.media_key is None
        ]
    )


def build_like(capture: Capture, raw: RawPost, post_id: str, context: Context) -> Relation:
    """A post that the account likes. X says who wrote it, and not when it was liked."""
    author = context.person("author", raw.author_id)
    return Relation(
        platform="x",
        platform_id=post_id,
        account=capture.account,
        kind="like",
        captured_ms=capture.fetched_ms,
        url=f"https://x.com/i/web/status/{post_id}",
        text=clean_text(whole_text(raw.text, raw.note) or ""),
        people=(author,) if author else (),
    )
