"""Direct messages and the events of conversations. Only ids name the people in them; X exports no handles."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.records import Link, MediaReference, Message
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.x.lenient import clean_text, decode_leniently
from archiver.sources.x.media_names import media_file_name
from archiver.sources.x.times import parse_time, posted_ms
from archiver.sources.x_export.cut import JsonReader

_UPPER: Final = re.compile("([A-Z])")
_KINDS: Final = {
    "messageCreate": "message",
    "joinConversation": "join",
    "participantsJoin": "participants_join",
    "participantsLeave": "participants_leave",
    "conversationNameUpdate": "name_update",
}


class MessageUrl(Struct, frozen=True, gc=False):
    url: str | None = None
    expanded: str | None = None
    display: str | None = None


class Reaction(Struct, frozen=True, gc=False):
    sender_id: str | None = msgspec.field(name="senderId", default=None)
    key: str | None = msgspec.field(name="reactionKey", default=None)
    event_id: str | None = msgspec.field(name="eventId", default=None)


class MessageBody(Struct, frozen=True, gc=False):
    """The inner object of every event of a conversation."""

    id: str | None = None
    sender_id: str | None = msgspec.field(name="senderId", default=None)
    recipient_id: str | None = msgspec.field(name="recipientId", default=None)
    initiator_id: str | None = msgspec.field(name="initiatingUserId", default=None)
    user_ids: list[str] = msgspec.field(name="userIds", default_factory=list)
    members: list[str] = msgspec.field(name="participantsSnapshot", default_factory=list)
    text: str | None = None
    name: str | None = None
    created_at: str | None = msgspec.field(name="createdAt", default=None)
    media_urls: list[str] = msgspec.field(name="mediaUrls", default_factory=list)
    urls: list[MessageUrl] = []
    reactions: list[Reaction] = []


class _OddEvent(Struct, frozen=True):
    message_create: MessageBody | None = msgspec.field(name="messageCreate", default=None)
    join: MessageBody | None = msgspec.field(name="joinConversation", default=None)
    participants_join: MessageBody | None = msgspec.field(name="participantsJoin", default=None)
    participants_leave: MessageBody | None = msgspec.field(name="participantsLeave", default=None)
    name_update: MessageBody | None = msgspec.field(name="conversationNameUpdate", default=None)


MessageEvent = dict[str, MessageBody]
"""One key, the kind of event."""
decode_event = msgspec.json.Decoder(MessageEvent).decode
_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str).decode

Pairs = list[tuple[bytes, MessageEvent | None]]


def read_conversations(reader: JsonReader, opened: Callable[[], None]) -> Iterator[tuple[bytes, Pairs]]:
    """Walk a direct-message file: yield (verbatim conversationId, events) in pieces, so that a conversation
    of any length is never held whole. `opened` is called for each conversation.

    Raise BrokenJsonError as the reader does. X writes the id before the messages; where it does not, one
    conversation's messages must fit the reader's limit for one value."""
    reader.expect("[")
    if reader.accept("]"):
        return
    while True:
        opened()
        yield from _read_element(reader)
        if not reader.accept(","):
            break
    reader.expect("]")


def _read_element(reader: JsonReader) -> Iterator[tuple[bytes, Pairs]]:
    for key in _keys(reader):
        if key == "dmConversation":
            yield from _read_conversation(reader)
        else:
            reader.value()


def _read_conversation(reader: JsonReader) -> Iterator[tuple[bytes, Pairs]]:
    conversation_id: bytes | None = None
    waiting: list[Pairs] = []
    for key in _keys(reader):
        if key == "conversationId":
            conversation_id = reader.value()
        elif key == "messages" and conversation_id is not None:
            reader.expect("[")
            for pairs in reader.elements(decode_event):
                yield conversation_id, pairs
        elif key == "messages":
            # The id comes after its messages: they have to wait for it.
            held = JsonReader(iter((reader.value(),)), reader.limit)
            held.expect("[")
            waiting.extend(held.elements(decode_event))
        else:
            reader.value()
    for pairs in waiting:
        yield conversation_id or b'""', pairs


def _keys(reader: JsonReader) -> Iterator[str]:
    """The keys of an object, each with its value still to be consumed."""
    reader.expect("{")
    if reader.accept("}"):
        return
    while True:
        key = _text(reader.value())
        reader.expect(":")
        yield key
        if not reader.accept(","):
            break
    reader.expect("}")


def _text(piece: bytes) -> str:
    try:
        return _decode_text(piece)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return piece.decode("utf-8", "replace").strip('"')


def message_items(
    conversation: bytes,
    pairs: Iterable[tuple[bytes, MessageEvent | None]],
    capture_key: int,
    problems: list[Problem],
) -> list[Item]:
    """Events of one conversation as items; each keeps the conversation's id beside it, to be parsed alone."""
    items = []
    conversation_id = _text(conversation)
    for piece, event in pairs:
        try:
            kind, body = _only(event) if event is not None else _odd(piece, problems)
        except SourceError as error:
            problems.append(Problem(f"a message in conversation {conversation_id}", "broken", error.message))
            continue
        message_id, content = _identify(conversation_id, kind, body)
        if parse_time(body.created_at) is None:
            detail = f"stated time {str(body.created_at)[:40]!r} is none"
            problems.append(Problem(f"message {message_id}", "broken", detail))
        items.append(
            Item(
                "message",
                message_id,
                posted_ms(body.id or "", body.created_at),
                content,
                ((capture_key, piece), (capture_key, conversation)),
                None,
                _media(message_id, body),
                words=clean_text(body.text or "").encode("utf-8", "replace"),
            )
        )
    return items


def parse_message(capture: Capture, piece: bytes, conversation: bytes) -> Message:
    """Given one event's bytes and its conversation's id as the export wrote it, return its record."""
    conversation_id = _text(conversation)
    try:
        kind, body = _only(decode_event(piece))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        kind, body = _odd(piece, [])
    message_id, _ = _identify(conversation_id, kind, body)
    others = body.user_ids
    return Message(
        platform="x",
        platform_id=message_id,
        account=capture.account,
        conversation_id=conversation_id,
        posted_ms=posted_ms(body.id or "", body.created_at),
        kind=kind,
        sender_id=body.sender_id or body.initiator_id,
        recipient_id=body.recipient_id or (others[0] if len(others) == 1 else None),
        text=clean_text(body.text or body.name or ""),
        links=tuple([Link(each.url or "", each.expanded, each.display) for each in body.urls]),
        media=_media(message_id, body),
    )


def _only(event: MessageEvent) -> tuple[str, MessageBody]:
    """Kind and body of an event. Raise SourceError for an empty object."""
    for name, body in event.items():
        return _KINDS.get(name) or _UPPER.sub(r"_\1", name).lower(), body
    raise SourceError("an event that holds nothing")


def _odd(piece: bytes, problems: list[Problem]) -> tuple[str, MessageBody]:
    event, remarks = decode_leniently(piece, _OddEvent)
    for field in msgspec.structs.fields(_OddEvent):
        body: MessageBody | None = getattr(event, field.name)
        if body is not None:
            if remarks:
                detail = f"has {', '.join(remarks)}; kept as it is, shown without"
                problems.append(Problem(f"message {body.id}", "broken", detail))
            return _KINDS[field.encode_name], body
    raise SourceError("an event of no known kind")


def _identify(conversation_id: str, kind: str, body: MessageBody) -> tuple[str, bytes]:
    """An event's id and canonical content. Only messages have ids; another event is named after its
    content."""
    content = _encode(
        (
            conversation_id,
            kind,
            body.created_at,
            body.sender_id or body.initiator_id,
            body.recipient_id,
            body.text if body.text is not None else body.name,
            [each.expanded or each.url for each in body.urls],
            body.media_urls,
            body.user_ids,
            body.members,
            [(each.sender_id, each.key, each.event_id) for each in body.reactions],
        )
    )
    if body.id:
        return body.id, content
    moment = posted_ms("", body.created_at)
    return f"{conversation_id}-{kind}-{moment}-{zlib.crc32(content):08x}", content


def _media(message_id: str, body: MessageBody) -> tuple[MediaReference, ...]:
    """`mediaUrls`: pictures at ton.twitter.com/dm/<message>/<media>/<name>, videos at video.twimg.com."""
    return tuple([_media_reference(message_id, each) for each in body.media_urls])


def _media_reference(message_id: str, address: str) -> MediaReference:
    plain = address.partition("?")[0]
    parts = plain.split("/")
    picture = "/dm/" in plain and len(parts) >= 3
    media_type = "video" if plain.endswith(".mp4") else "photo"
    return MediaReference(
        parts[-2] if picture else None, media_type, plain, media_file_name(message_id, plain)
    )


def message_id_of(event: MessageEvent | None) -> str | None:
    """A message's id, for reconciling with the headers; None for an event that has none."""
    if event is None:
        return None
    return next((body.id for body in event.values()), None)
