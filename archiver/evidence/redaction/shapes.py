"""What the program itself writes into fields of an exhibit, and no platform or person: hashes, names of
archives, references, codes. It says nothing of anybody, and a pattern that matches digits must not eat it."""

import re
from collections.abc import Mapping
from typing import Final

from archiver.evidence.redaction.own_words import CODES
from archiver.evidence.references import INITIALS

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_ARCHIVE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[1-9][0-9]{0,3})?")
_SEGMENT: Final = re.compile(rf"(archives/)?({_ARCHIVE.pattern}/)?(records-[0-9]{{3,}}\.sqlite\.zst\.age)")
_REFERENCE: Final = re.compile(rf"{INITIALS.pattern}(/[1-9][0-9]{{0,7}}){{1,4}}")
_STEM: Final = re.compile(rf"{INITIALS.pattern}(_[1-9][0-9]{{0,7}}){{1,4}}")
_CAPTURE: Final = re.compile(r"C[0-9]{6,}")
_PATH: Final = re.compile(
    rf"data/[a-z]+/({_CAPTURE.pattern}|{_STEM.pattern}(_[a-z]+[0-9]*)*)(\.[a-z0-9]{{1,8}}){{1,3}}"
)
"""Of captures and verbatim records. Media keep what the platform called them."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MIME: Final = re.compile(
    r"(application|audio|image|text|video)/(octet-stream|jpeg|png|gif|webp|mp4|quicktime|plain)"
)
_OWN: Final = re.compile("|".join(sorted(map(re.escape, {
    *CODES, "x", "x_export", "x_api", "comparison", "export", "api", "manual", "moderation", "photo", "video",
    "animated_gif", "sender", "recipient", "participant", "owner",
}))))  # fmt: skip
SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys(
        ("sha256", "manifest_sha256", "body_sha256", "source_sha256", "configuration", "context_sha256"),
        _SHA256,
    ),
    **dict.fromkeys(("archive", "archives"), _ARCHIVE),
    "segment": _SEGMENT,
    **dict.fromkeys(("reference", "exhibit"), _REFERENCE),
    "stem": _STEM,
    "capture.name": _CAPTURE,
    "path": _PATH,
    **dict.fromkeys(("record_id", "corrects", "moderation.id"), _UUID),
    "mime_type": _MIME,
    **dict.fromkeys(
        (
            "kind", "role", "what", "entry", "action", "state", "way", "content", "item_type", "detection",
            "escalated", "appeal_outcome", "platform", "source", "route", "media_type",
        ),
        _OWN,
    ),
}  # fmt: skip
"""Of a field by its name, or its struct's and its name, what is left as it is. Anything else in it is
searched as any text is."""


def is_own(struct: str, field: str, value: str) -> bool:
    """Whether a field's value is the program's own."""
    shape = SHAPES.get(f"{struct.lower()}.{field}") or SHAPES.get(field)
    return shape is not None and shape.fullmatch(value) is not None
