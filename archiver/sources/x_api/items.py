"""One object of an answer as an item: the bytes it needs and where they lie; what makes a version of it."""

from typing import Final

import msgspec

from archiver.errors import SourceError
from archiver.records import Account, Message, Post, Record, Relation
from archiver.sources.base import Capture, Item
from archiver.sources.x.words import whole_words
from archiver.sources.x_api.answer import Answer, Piece, decode_shape
from archiver.sources.x_api.people import PROFILE
from archiver.sources.x_api.related import Context
from archiver.sources.x_api.shapes import Related

MENTION_SERIES: Final = "mention"
"""Posts of others are known apart from the account's own, so that these alone can be asked for again."""
CONTEXT_SERIES: Final = "context"
"""What stood around a post to be moderated: people and posts of others, each as seen then."""
_OWN: Final = ("posts", "recheck")
"""Answers whose posts are the account's own where they name no author."""
_encode = msgspec.json.Encoder().encode
_related = msgspec.json.Decoder(Related)


def decode_related(data: bytes) -> Related:
    """An object of an answer as far as others refer to it. Raise SourceError where it is none."""
    return decode_shape(data, _related, Related)[0]


def context_of_answer(answer: Answer) -> Context:
    """All that an answer includes, to be found by id."""
    context = Context()
    for pieces in answer.includes.values():
        for piece in pieces:
            try:
                context.add(decode_related(piece.data), piece)
            except SourceError:
                continue  # no object: nothing can refer to it, and its bytes stay in the answer
    return context


def item_of(
    capture: Capture, kind: str, piece: Piece, context: Context, record: Record, series: str | None = None
) -> Item:
    """The item of a record made of `piece` and what was looked up in `context` since its `used` was emptied.
    `series`: where that is not what the record itself says. Raise SourceError for a kind of record that no
    answer holds."""
    pieces = [piece, *context.used.values()]
    item_id, usual_series, content = _describe(capture, kind, record)
    return Item(
        kind,
        item_id,
        record.posted_ms if isinstance(record, Post | Message) else None,
        content,
        tuple([(capture.key, one.data) for one in pieces]),
        record.record_id if isinstance(record, Post) and record.edit_ids else None,
        record.media if isinstance(record, Post | Message | Account) else (),
        series or usual_series,
        tuple([(one.offset, len(one.data)) for one in pieces]),
        isinstance(record, Post) and record.truncated,
        _words(record, piece.data),
    )


def _words(record: Record, data: bytes) -> bytes:
    """The text to be compared with an export's. An export cuts reposts and long posts, and has no article
    in its post."""
    if isinstance(record, Message):
        return record.text.encode("utf-8", "replace")
    if not isinstance(record, Post) or b'"article"' in data:
        return b""
    return whole_words(record.text)


def _describe(capture: Capture, kind: str, record: Record) -> tuple[str, str, bytes]:
    """A record's id, the series it is known in, and what makes a version of it. Left out are counters, what
    X may leave away one day (client, language), and what was captured with it only by chance (handles)."""
    if isinstance(record, Post):
        content = _encode(
            (
                record.text if record.repost_of_id is None else None,
                record.posted_ms,
                record.in_reply_to_id,
                record.in_reply_to_user_id,
                record.repost_of_id,
                record.quote_of_id,
                [(link.short, link.expanded) for link in record.links],
                [one.user_id for one in record.mentions],
                [one.media_id for one in record.media],
                record.audience,
            )
        )
        own = record.author_id == capture.account or (record.author_id is None and capture.body_kind in _OWN)
        return record.platform_id, "post" if own else MENTION_SERIES, content
    if isinstance(record, Message):
        content = _encode(
            (
                record.conversation_id,
                record.kind,
                record.posted_ms,
                record.sender_id,
                record.text,
                [one.media_id for one in record.media],
            )
        )
        return record.platform_id, kind, content
    if isinstance(record, Relation):
        named = kind not in ("follower", "like", "own_list_member")
        people = [(one.handle, one.name) for one in record.people] if named else None
        text = record.text if kind.startswith("list_") else None
        return record.platform_id, kind, _encode((kind, record.platform_id, people, text))
    if isinstance(record, Account):
        content = _encode(
            (
                record.handle,
                record.name,
                record.created_ms,
                record.bio,
                record.website,
                record.location,
                record.facts,
                [one.file_name for one in record.media],
            )
        )
        series = kind if record.aspect == PROFILE else CONTEXT_SERIES
        return f"{record.platform_id}:{record.aspect}", series, content
    raise SourceError(f"a {kind} is no record of an answer's data")
