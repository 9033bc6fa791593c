"""Followers, blocks, likes, lists …: what the account stood in relation to when the export was made."""

import re
from collections.abc import Iterable
from typing import Final, cast

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.records import Relation, RelationKind
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.x.lenient import clean_text, decode_leniently
from archiver.sources.x.times import parse_time
from archiver.sources.x_export.layouts import KIND_OF_BODY

_LIST_ADDRESS: Final = re.compile(r"https?://[^/]+/(.+?)/?", re.DOTALL)


class RelationBody(Struct, frozen=True, gc=False):
    """The inner object of every relation's element. `userLink` is never read, so never followed."""

    account_id: str | None = msgspec.field(name="accountId", default=None)
    tweet_id: str | None = msgspec.field(name="tweetId", default=None)
    full_text: str | None = msgspec.field(name="fullText", default=None)
    expanded_url: str | None = msgspec.field(name="expandedUrl", default=None)
    url: str | None = None
    created_at: str | None = msgspec.field(name="createdAt", default=None)
    expires_at: str | None = msgspec.field(name="expiresAt", default=None)


RelationElement = dict[str, RelationBody]
"""One key, whose name differs from the file's (`blocking` in block.js); the name is not needed."""
decode_relation = msgspec.json.Decoder(RelationElement).decode
_encode = msgspec.json.Encoder().encode


def relation_items(
    pairs: Iterable[tuple[bytes, RelationElement | None]],
    kind: str,
    capture_key: int,
    problems: list[Problem],
) -> list[Item]:
    """Elements of a relation's file as items; one that names nothing is reported."""
    items = []
    for piece, element in pairs:
        try:
            body = _only(element) if element is not None else _body_of(piece)
        except SourceError as error:
            problems.append(Problem(f"a {kind}", "broken", error.message))
            continue
        target = _target(body)
        if target is None:
            problems.append(Problem(f"a {kind}", "broken", "a record that names nobody and nothing"))
            continue
        # X's own links are left out: their host changed from twitter.com to x.com and will again.
        content = _encode((kind, target, body.full_text, body.created_at, body.expires_at))
        items.append(Item(kind, target, None, content, ((capture_key, piece),)))
    return items


def parse_relation(capture: Capture, kind: str, piece: bytes) -> Relation:
    """Raise SourceError where the bytes name nothing."""
    body = _body_of(piece)
    target = _target(body)
    if target is None:
        raise SourceError(f"{capture.request}: a {kind} that names nothing")
    return Relation(
        platform="x",
        platform_id=target,
        account=capture.account,
        kind=cast(RelationKind, kind),
        captured_ms=capture.fetched_ms,
        created_ms=parse_time(body.created_at),
        expires_ms=parse_time(body.expires_at),
        url=body.expanded_url or body.url,
        text=None if body.full_text is None else clean_text(body.full_text),
    )


def kind_of_body(body_kind: str) -> str:
    """The relation that a file of this type in the manifest holds: 'block' for `block`, 'list_member' …"""
    kind = KIND_OF_BODY.get(body_kind)
    return kind.record if kind else body_kind


def _only(element: RelationElement) -> RelationBody:
    return next(iter(element.values()), RelationBody())


def _body_of(piece: bytes) -> RelationBody:
    try:
        return _only(decode_relation(piece))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _odd_body_of(piece)


class _OddElement(Struct, frozen=True):
    """The keys seen in exports, for elements that only the lenient decoder takes."""

    follower: RelationBody | None = None
    following: RelationBody | None = None
    blocking: RelationBody | None = None
    muting: RelationBody | None = None
    smartblock: RelationBody | None = None
    smart_block: RelationBody | None = msgspec.field(name="smartBlock", default=None)
    like: RelationBody | None = None
    user_list_info: RelationBody | None = msgspec.field(name="userListInfo", default=None)


def _odd_body_of(piece: bytes) -> RelationBody:
    element, _ = decode_leniently(piece, _OddElement)
    for name in element.__struct_fields__:
        body: RelationBody | None = getattr(element, name)
        if body is not None:
            return body
    return decode_leniently(piece, RelationBody)[0]


def _target(body: RelationBody) -> str | None:
    """The account, post or list: its id; for a list the path of its address, whatever the host."""
    found = body.account_id or body.tweet_id
    if found is None and body.url:
        match = _LIST_ADDRESS.fullmatch(body.url)
        found = match[1] if match else body.url
    return clean_text(found)[:400] if found else None
