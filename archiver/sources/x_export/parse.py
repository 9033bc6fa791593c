"""One item's verbatim bytes to its record: used when sealing, and again by `archiver rebuild`."""

from collections.abc import Callable, Sequence

from archiver.errors import SourceError
from archiver.records import Gone, Post, Record
from archiver.sources.base import Capture
from archiver.sources.x_export import (
    accounts,
    grailbird,
    long_texts,
    messages,
    notes,
    post_records,
    relations,
)
from archiver.sources.x_export.headers import parse_deleted_header
from archiver.sources.x_export.layouts import KIND_OF_BODY, Family
from archiver.sources.x_export.posts import deleted_post


def parse_item(capture: Capture, kind: str, slices: Sequence[bytes]) -> Record:
    """Given an item's capture, kind and slices, return its record. Raise SourceError for bytes that are none.

    Derived from these alone: the same item gives the same record, whenever it is parsed."""
    if not slices:
        raise SourceError(f"{capture.request}: an item without bytes")
    if kind == "post":
        return _parse_any_post(capture, slices)
    if kind == "message":
        return messages.parse_message(capture, slices[0], slices[1] if len(slices) > 1 else b'""')
    if kind == "account":
        return accounts.parse_account(capture, slices[0])
    if kind == "gone":
        return _parse_gone(capture, slices[0])
    return relations.parse_relation(capture, kind, slices[0])


def _parse_any_post(capture: Capture, slices: Sequence[bytes]) -> Post:
    special = _SPECIAL_POSTS.get(capture.body_kind)
    if special is not None:
        return special(capture, slices)
    post = post_records.parse_post(capture, slices[0])
    return notes.join_note(post, slices[1]) if len(slices) > 1 else post


def _parse_article(capture: Capture, slices: Sequence[bytes]) -> Post:
    if len(slices) < 2:
        raise SourceError(f"{capture.request}: an article without its metadata")
    return long_texts.parse_article(capture, slices[0], slices[1])


_SPECIAL_POSTS: dict[str, Callable[[Capture, Sequence[bytes]], Post]] = {
    "noteTweet": lambda capture, slices: notes.parse_note(capture, slices[0]),
    "deletedNoteTweet": lambda capture, slices: notes.parse_note(capture, slices[0]),
    "article": _parse_article,
    "twitterArticle": _parse_article,
    "communityNote": lambda capture, slices: long_texts.parse_community_note(capture, slices[0]),
    "birdwatchNote": lambda capture, slices: long_texts.parse_community_note(capture, slices[0]),
    grailbird.CSV_BODY_KIND: lambda capture, slices: grailbird.parse_csv_post(capture, slices[0]),
}


def _parse_gone(capture: Capture, piece: bytes) -> Gone:
    known = KIND_OF_BODY.get(capture.body_kind)
    family: Family = known.family if known else "deleted_post"
    if family == "community_note_tombstone":
        record_id, deleted_ms = long_texts.tombstone_of(piece)
    elif family == "deleted_post_headers":
        record_id, deleted_ms = parse_deleted_header(piece)
    else:
        record_id, deleted_ms = deleted_post(piece)
    return Gone(
        platform="x",
        platform_id=record_id,
        account=capture.account,
        kind="post",
        noticed_ms=capture.fetched_ms,
        how=f"{known.stem}.js" if known else capture.body_kind,
        deleted_ms=deleted_ms,
    )
