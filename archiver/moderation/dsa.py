"""Moderation records as statements of reasons, in the shape of the EU's transparency database (schema 2).

Source: the API documentation of the DSA Transparency Database as of 1 July 2025, "Statement Attributes"; the
mapping onto it is this project's own. A shape to report in, not a filing: who runs an account is no platform,
and `territorial_scope`, which has no place outside the EEA, is left out. `dsa.schema.json` is a schema of our
own of the documented fields.

No personal data may go in. Author, text and addresses stay out; the reason in words goes in without what
`archiver.moderation.redaction` finds. A person must still read it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from archiver.moderation.redaction import REMOVED, Redaction
from archiver.records import Moderation, ModerationAction
from archiver.register import ModerationRecord
from archiver.settings.moderation import ModerationSettings, Reason
from archiver.times import format_date

SCHEMA_VERSION: Final = "2"
NOTE: Final = (
    "Made by archiver from a moderation register; not a filing. 'schema' and 'note' are its own: the database"
    " takes 'statements', 100 a call. A person must read them first: no personal data may go in."
)
VISIBILITY: Final[Mapping[ModerationAction, str]] = {
    "removed": "DECISION_VISIBILITY_CONTENT_REMOVED",
    "hidden": "DECISION_VISIBILITY_CONTENT_DISABLED",
    "comments_off": "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED",
    "blocked": "DECISION_VISIBILITY_OTHER",
    "muted": "DECISION_VISIBILITY_OTHER",
}
"""The actions that restrict what is seen."""
_OTHER_RESTRICTION: Final[Mapping[str | None, str]] = {
    "blocked": "The author was blocked from the account that the content was addressed to.",
    "muted": "The author's content is no longer shown to the account that it was addressed to.",
}
_MEDIA: Final = {
    "image": "IMAGE",
    "photo": "IMAGE",
    "video": "VIDEO",
    "animated_gif": "VIDEO",
    "audio": "AUDIO",
}
_RENAMED_LANGUAGES: Final = {"IW": "HE", "IN": "ID", "JI": "YI"}
"""Codes that ISO 639-1 had once and X still uses."""
_FACTS, _EXPLANATION, _GROUND = 5000, 2000, 500
_EARLIEST_CONTENT, _EARLIEST_APPLICATION, _LATEST = "2000-01-01", "2020-01-01", "2038-01-01"


@dataclass(frozen=True)
class Statements:
    """The document, and how many records were left out of it for which reason."""

    document: dict[str, Any]
    left_out: Mapping[str, int]


def dsa_statements(records: Iterable[ModerationRecord], settings: ModerationSettings) -> Statements:
    """A statement for every record that is a restriction of what is seen, was done, and has what the schema
    requires."""
    statements: list[dict[str, Any]] = []
    left_out: Counter[str] = Counter()
    for record in records:
        why = why_left_out(record, settings)
        if why is None:
            statements.append(statement_of(record, settings))
        else:
            left_out[why] += 1
    return Statements({"schema": SCHEMA_VERSION, "note": NOTE, "statements": statements}, left_out)


def why_left_out(record: ModerationRecord, settings: ModerationSettings) -> str | None:
    """Why there is no statement of a record, in words; None where there is one."""
    now = record.now
    if record.decided not in VISIBILITY:
        return "no restriction of what is seen"
    if record.is_reversed:
        return "reversed since"
    if now.state != "done":
        return "not done"
    if not _reasons(now, settings):
        return "no reason with a DSA category"
    if now.posted_ms is None:
        return "no date of the content"
    if now.action_ms is None:
        return "no date of the action"
    if not _EARLIEST_CONTENT <= format_date(now.posted_ms) <= _LATEST:
        return "content of a date that the schema does not take"
    if not _EARLIEST_APPLICATION <= format_date(now.action_ms) <= _LATEST:
        return "an action of a date that the schema does not take"
    if format_date(now.action_ms) < format_date(now.posted_ms):
        return "an action dated before its content"
    return None


def statement_of(record: ModerationRecord, settings: ModerationSettings) -> dict[str, Any]:
    """The statement of a record for which `why_left_out` has nothing to say."""
    now = record.now
    redacted = Redaction(record)
    reasons = _reasons(now, settings)
    words = redacted(now.reason_text or "") or redacted("; ".join(one.words for one in reasons))
    return {
        "decision_visibility": [VISIBILITY[now.action or "none"]],
        **_only_if({"decision_visibility_other": _OTHER_RESTRICTION.get(now.action)}),
        "decision_facts": _shortened(words, _FACTS),
        **_ground(now, settings, redacted, words),
        **_content(now),
        **_categories(reasons),
        **_dates(now),
        "source_type": "SOURCE_TYPE_OTHER_NOTIFICATION"
        if now.detection in ("public", "partner")
        else "SOURCE_VOLUNTARY",
        "automated_detection": "Yes" if now.detection == "rule" else "No",
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
        "puid": record.id,
    }


def _only_if(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _reasons(now: Moderation, settings: ModerationSettings) -> list[Reason]:
    """Those of the record's reasons that have a category, in the order given."""
    known = {one.code: one for one in settings.reasons}
    return [known[code] for code in now.reason_codes if code in known and known[code].category]


def _categories(reasons: Iterable[Reason]) -> dict[str, Any]:
    categories = list(dict.fromkeys(f"STATEMENT_CATEGORY_{one.category}" for one in reasons))
    keywords = list(dict.fromkeys(f"KEYWORD_{one.keyword}" for one in reasons if one.keyword))
    more = {"category_addition": categories[1:], "category_specification": keywords}
    return {"category": categories[0], **_only_if(more)}


def _ground(now: Moderation, settings: ModerationSettings, redacted: Redaction, words: str) -> dict[str, Any]:
    explanation = _shortened(words, _EXPLANATION)
    if now.legal_ground:
        return {
            "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
            "illegal_content_legal_ground": _shortened(redacted(now.legal_ground) or REMOVED, _GROUND),
            "illegal_content_explanation": explanation,
        }
    return {
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": _shortened(redacted(_rule(now, settings)) or REMOVED, _GROUND),
        "incompatible_content_explanation": explanation,
    }


def _rule(now: Moderation, settings: ModerationSettings) -> str:
    """The clause of the house rules with its version and words; without one the reason's words."""
    if not now.house_rule:
        return "; ".join(one.words for one in _reasons(now, settings))
    known = next((one for one in settings.rules if one.clause == now.house_rule), None)
    version = f" (version {now.house_rule_version})" if now.house_rule_version else ""
    same = known is not None and known.version == now.house_rule_version
    words = f": {known.words}" if known is not None and same and known.words else ""
    return f"House rule {now.house_rule}{version}{words}"


def _content(now: Moderation) -> dict[str, Any]:
    kinds = {"TEXT"} if now.text else set()
    for one in now.attachments:
        if one.role == "media":
            kinds.add(_MEDIA.get(one.media_type.partition("/")[0].lower(), "OTHER"))
    other = (
        "A user account." if now.item_type == "user" else "Content that was not kept." if not kinds else None
    )
    if other is not None:
        kinds.add("OTHER")
    if "OTHER" in kinds:
        other = other or "A file of another type."
    language = (now.language or "").partition("-")[0].upper()
    language = _RENAMED_LANGUAGES.get(language, language)
    return {
        "content_type": [f"CONTENT_TYPE_{kind}" for kind in sorted(kinds)],
        **_only_if({"content_type_other": other}),
        **({"content_language": language} if language in languages() else {}),
    }


@cache
def languages() -> frozenset[str]:
    """The codes of ISO 639-1 that the database takes, as the schema lists them."""
    schema = json.loads((files("archiver.moderation") / "dsa.schema.json").read_text("utf-8"))
    return frozenset(schema["$defs"]["language"]["enum"])


def _dates(now: Moderation) -> dict[str, str]:
    posted, action = format_date(now.posted_ms or 0), format_date(now.action_ms or 0)
    end = None if now.until_ms is None else format_date(now.until_ms)
    dates = {"content_date": posted, "application_date": action}
    if end is not None and action <= end <= _LATEST:
        dates["end_date_visibility_restriction"] = end
    return dates


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
