"""One item's verbatim bytes to its record: used when collecting, when sealing, and by `archiver rebuild`.

The first slice is the object itself, the others are what the same answer includes about it: its author,
the people it names, its pictures, the post it repeats.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from archiver.errors import SourceError
from archiver.records import Gone, Record
from archiver.sources.base import Capture
from archiver.sources.x_api import messages, people, posts
from archiver.sources.x_api.answer import Piece, decode_shape
from archiver.sources.x_api.endpoints import AROUND
from archiver.sources.x_api.related import Context
from archiver.sources.x_api.shapes import ApiProblem, RawList, RawMessage, RawPost, RawUser, Related

_posts = msgspec.json.Decoder(RawPost)
_users = msgspec.json.Decoder(RawUser)
_messages = msgspec.json.Decoder(RawMessage)
_lists = msgspec.json.Decoder(RawList)
_errors = msgspec.json.Decoder(ApiProblem)
_related = msgspec.json.Decoder(Related)
LIST_KINDS: Final = ("list_created", "list_member", "list_subscribed")


class Parsed(msgspec.Struct, frozen=True):
    """A record, and what in its bytes was not understood."""

    record: Record
    remarks: list[str]


def parse_item(capture: Capture, kind: str, slices: Sequence[bytes]) -> Record:
    """Given an item's capture, kind and slices, return its record. Raise SourceError for bytes that are
    none."""
    if not slices:
        raise SourceError(f"{capture.request.partition('?')[0]}: an item without bytes")
    return parse_with_context(capture, kind, slices[0], context_of(slices[1:])).record


def context_of(slices: Iterable[bytes]) -> Context:
    """What an answer includes, by id. What of it is not understood is left out: the slice itself stays."""
    context = Context()
    for number, data in enumerate(slices):
        context.add(decode_shape(data, _related, Related)[0], Piece(number, data))
    return context


def parse_with_context(capture: Capture, kind: str, data: bytes, context: Context) -> Parsed:
    """As `parse_item`, the includes decoded already."""
    if kind == "post":
        raw, remarks = decode_shape(data, _posts, RawPost)
        return Parsed(posts.build_post(capture, raw, _id_of(raw.id, data), context, remarks), remarks)
    if kind == "message":
        message, remarks = decode_shape(data, _messages, RawMessage)
        return Parsed(
            messages.build_message(capture, message, _id_of(message.id, data), context, remarks), remarks
        )
    if kind == "gone":
        error, remarks = decode_shape(data, _errors, ApiProblem)
        return Parsed(_gone(capture, error), remarks)
    if kind == "like":
        raw, remarks = decode_shape(data, _posts, RawPost)
        return Parsed(posts.build_like(capture, raw, _id_of(raw.id, data), context), remarks)
    if kind in LIST_KINDS:
        listed, remarks = decode_shape(data, _lists, RawList)
        return Parsed(people.build_list(capture, kind, listed, _id_of(listed.id, data), context), remarks)
    user, remarks = decode_shape(data, _users, RawUser)
    if kind == "account" and capture.body_kind in AROUND:
        return Parsed(people.build_author(capture, user, _id_of(user.id, data)), remarks)
    if kind == "account":
        return Parsed(people.build_profile(capture, user), remarks)
    return Parsed(people.build_relation(capture, kind, user, _id_of(user.id, data)), remarks)


def _id_of(stated: str | None, data: bytes) -> str:
    """The platform's id; what has none is named after its bytes: it must not be lost."""
    if stated and len(stated) <= 60 and stated.isprintable():
        return stated
    return f"unnamed-{hashlib.sha256(data).hexdigest()[:32]}"


def _gone(capture: Capture, error: ApiProblem) -> Gone:
    """What X says of a record that was asked for by its id and is not there."""
    return Gone(
        platform="x",
        platform_id=error.resource_id or error.value or "",
        account=capture.account,
        kind="post",
        noticed_ms=capture.fetched_ms,
        how=f"X's interface: {reason_of(error)}",
    )


NOT_THERE: Final = ("deleted", "suspended", "protected", "withheld")
"""Why a record that was asked for by its id is gone; anything else X says is a failure of X."""
FIELD_NOT_SHOWN: Final = "field not shown"


def reason_of(error: ApiProblem) -> str:
    """Why X does not show something, in a word or two. A suspended author's title is "Forbidden", though its
    type says resource-not-found, so the title decides."""
    title, kind = error.title or "", (error.type or "").rpartition("/")[2]
    detail = (error.detail or "").lower()
    if title == "Forbidden" or "suspended" in detail:
        return "suspended"
    if kind in ("not-authorized-for-field", "field-unauthorized", "field-hydration-failure"):
        return FIELD_NOT_SHOWN
    if title == "Authorization Error" or kind == "not-authorized-for-resource":
        return "protected"
    if kind in ("resource-unavailable", "disallowed-resource"):
        return "withheld"
    if title == "Not Found Error" or kind == "resource-not-found":
        return "deleted"
    return (title or kind or "no reason given")[:80]
