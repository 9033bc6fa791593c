"""Direct messages and the events of their conversations, as X's interface writes them."""

from typing import Final

from archiver.records import Message
from archiver.sources.base import Capture
from archiver.sources.x.lenient import clean_text
from archiver.sources.x.times import posted_ms
from archiver.sources.x_api.posts import links_of
from archiver.sources.x_api.related import Context
from archiver.sources.x_api.shapes import Entities, RawMessage

_KINDS: Final = {
    "MessageCreate": "message",
    "ParticipantsJoin": "participants_join",
    "ParticipantsLeave": "participants_leave",
}


def build_message(
    capture: Capture, raw: RawMessage, message_id: str, context: Context, remarks: list[str]
) -> Message:
    """The record of an event; what is odd about it is appended to `remarks`."""
    kind = _KINDS.get(raw.event_type or "")
    if kind is None:
        remarks.append(f"an unknown kind of event: {str(raw.event_type)[:40]}")
        kind = (raw.event_type or "unknown")[:40]
    conversation = raw.dm_conversation_id or ""
    recipient = _other_side(conversation, raw.sender_id) if kind == "message" else None
    people = [context.person("sender", raw.sender_id), context.person("recipient", recipient)]
    people += [context.person("participant", one) for one in raw.participant_ids or ()]
    return Message(
        platform="x",
        platform_id=message_id,
        account=capture.account,
        conversation_id=conversation,
        posted_ms=posted_ms(message_id, raw.created_at),
        kind=kind,
        sender_id=raw.sender_id,
        recipient_id=recipient,
        text=clean_text(raw.text or ""),
        links=links_of(raw.entities or Entities(urls=raw.urls)),
        media=context.media_of(message_id, raw.attachments.media_keys if raw.attachments else None),
        people=tuple([one for one in people if one is not None]),
    )


def _other_side(conversation: str, sender: str | None) -> str | None:
    """A conversation of two is named after both; a group is not."""
    first, dash, second = conversation.partition("-")
    if not dash or sender not in (first, second):
        return None
    return second if sender == first else first
