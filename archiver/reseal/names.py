"""How a record is named: by platform, kind and the platform's id, whichever account it was captured for."""

from typing import Final, NamedTuple

from archiver.errors import UsageError
from archiver.records import RELATION_KINDS, Moderation

KINDS: Final = ("post", "message", "account", "moderation", *RELATION_KINDS)


class RecordName(NamedTuple):
    """All versions of a record, of all accounts it was captured for. Of an edited post the first version's
    id."""

    platform: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.kind}:{self.id}"


def parse_name(text: str) -> RecordName | str:
    """A record's name as `platform:kind:id`; else the text itself, which may be an id alone. Raise UsageError
    for a kind that there is not."""
    platform, colon, rest = text.partition(":")
    kind, second, own = rest.partition(":")
    if not colon or not second or "/" in platform:
        return text
    if kind not in KINDS:
        raise UsageError(f"there is no kind of record {kind[:40]!r}", f"kinds: {', '.join(KINDS)}")
    return RecordName(platform, kind, own)


def item_of(entry: Moderation) -> RecordName | None:
    """What an entry of the moderation register is about, where that is a post or a message."""
    if entry.item_id is None or entry.item_type == "user":
        return None
    kind = "message" if entry.item_type == "message" else "post"
    return RecordName(entry.platform, kind, entry.item_id)


def table_of(kind: str) -> str:
    """The table of a segment in which records of a kind are."""
    return kind if kind in ("post", "message", "account", "moderation") else "relation"
