"""What a person decides about an item, checked before anything is asked of anybody."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeVar, get_args

import msgspec
from msgspec import Struct

from archiver.errors import UsageError
from archiver.records import MODERATION_VERBS, AppealOutcome, Detection, Escalation, ModerationAction
from archiver.settings.api import Act
from archiver.settings.moderation import ModerationSettings
from archiver.times import format_time, parse_time

REVERSALS: Final[Mapping[ModerationAction, ModerationAction]] = {
    "hidden": "unhidden",
    "removed": "reinstated",
    "blocked": "unblocked",
    "muted": "unmuted",
    "comments_off": "comments_on",
}
"""What undoes an action; a warning, a reply and a report cannot be undone."""
API_ACTS: Final[Mapping[str, Act]] = {
    "hidden": "hide",
    "unhidden": "hide",
    "muted": "mute",
    "unmuted": "mute",
    "removed": "remove",
}
"""Which permission of the settings lets this program do it itself."""
OF_AUTHOR: Final = ("muted", "unmuted", "blocked", "unblocked")
"""Actions whose target is the author, not the item."""
CLOCK_TOLERANCE_MS: Final = 120_000
"""Clocks differ a little: a time so little ahead is not in the future."""
DETECTIONS: Final[tuple[Detection, ...]] = get_args(Detection)
ESCALATIONS: Final[tuple[Escalation, ...]] = get_args(Escalation)
APPEAL_OUTCOMES: Final[tuple[AppealOutcome, ...]] = get_args(AppealOutcome)
_EARLIEST: Final = "2000-01-01T00:00:00Z"
_Code = TypeVar("_Code", bound=str)


class Facts(Struct, frozen=True, kw_only=True):
    """What a person can say of a record, in a decision and later in a correction. None: nothing is said."""

    reason_codes: tuple[str, ...] = ()
    reason_text: str | None = None
    house_rule: str | None = None
    house_rule_version: str | None = None
    legal_ground: str | None = None
    detected_ms: int | None = None
    detected_by: str | None = None
    detection: Detection | None = None
    authorised_by: str | None = None
    until_ms: int | None = None
    notified_ms: int | None = None
    notified_how: str | None = None
    not_notified: str | None = None
    escalated: Escalation | None = None
    escalated_reference: str | None = None
    exhibit: str | None = None
    case: str | None = None
    retention_rule: str | None = None
    hold: str | None = None

    @property
    def said(self) -> dict[str, object]:
        """The fields that say something."""
        return {
            name: value for name, value in msgspec.structs.asdict(self).items() if value not in (None, ())
        }


class Given(Struct, frozen=True, kw_only=True):
    """An item's content as a person wrote it down."""

    text: str
    author_handle: str
    posted_ms: int
    author_id: str | None = None
    author_name: str | None = None


def parse_action(verb: str) -> ModerationAction:
    """The action for one of MODERATION_VERBS; raise UsageError listing them."""
    action = MODERATION_VERBS.get(verb.lower())
    if action is None:
        raise UsageError(f"there is no action {verb!r}", f"one of: {', '.join(MODERATION_VERBS)}")
    return action


def check_reasons(codes: Iterable[str], settings: ModerationSettings) -> tuple[str, ...]:
    """The codes, each once; raise UsageError for one that the settings do not have."""
    known = settings.reason_codes
    chosen = tuple(dict.fromkeys(codes))
    for code in chosen:
        if code not in known:
            raise UsageError(f"there is no reason {code!r}", f"one of: {', '.join(known)}")
    return chosen


def check_rule(clause: str | None, settings: ModerationSettings) -> tuple[str | None, str | None]:
    """The clause of the house rules and the version in force. Where the settings list clauses, raise
    UsageError for any other."""
    if clause is None or not settings.rules:
        return clause, None
    found = next((one for one in settings.rules if one.clause == clause), None)
    if found is None:
        clauses = ", ".join(one.clause for one in settings.rules)
        raise UsageError(f"the house rules in the settings have no clause {clause!r}", f"one of: {clauses}")
    return found.clause, found.version


def parse_moment(text: str, option: str, now_ms: int, *, may_be_ahead: bool = False) -> int:
    """Milliseconds of a time with its zone; raise UsageError for one without, for one in the future unless it
    `may_be_ahead`, and for what is no time. `option` names where it was given."""
    shown = f"{option} {text!r}"
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{shown} is not a time", "as 2026-11-25T14:05Z, or 2026-11-25T14:05+00:00"
        ) from error
    if moment.tzinfo is None:
        raise UsageError(
            f"{shown} does not say in which time zone it is",
            "add Z for UTC; for UK time +00:00 in winter, +01:00 in summer",
        )
    try:
        milliseconds = parse_time(text.strip())
        format_time(milliseconds)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{shown} is out of range") from error
    if milliseconds < parse_time(_EARLIEST):
        raise UsageError(f"{shown} is before the year 2000", "look at the year")
    if not may_be_ahead and milliseconds > now_ms + CLOCK_TOLERANCE_MS:
        raise UsageError(
            f"{shown} lies in the future: it is {format_time(now_ms)[:16]}Z now",
            "look at the zone and the date",
        )
    return milliseconds


def parse_escalation(text: str | None) -> tuple[Escalation | None, str | None]:
    """`KIND` or `KIND:REFERENCE`; raise UsageError for a kind that is none."""
    if text is None:
        return None, None
    kind, _, reference = text.partition(":")
    return one_of(kind, ESCALATIONS, "kind of escalation"), reference.strip() or None


def one_of(value: str, choices: tuple[_Code, ...], what: str) -> _Code:
    """The one of the choices that this is; raise UsageError listing them."""
    for choice in choices:
        if choice == value:
            return choice
    raise UsageError(f"there is no {what} {value!r}", f"one of: {', '.join(choices)}")


def require_text(value: str | None, option: str) -> str | None:
    """The value as it is; raise UsageError where it is empty or holds bytes that are no characters."""
    if value is None:
        return None
    if not value.strip():
        raise UsageError(f"{option} is empty", "leave it out, or say something")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{option} has bytes that are no characters", "give it in UTF-8") from error
    return value


def require_line(value: str | None, option: str) -> str | None:
    """As `require_text`, of a name or the like; raise UsageError also for line ends and what steers a
    terminal."""
    value = require_text(value, option)
    if value is not None and not value.isprintable():
        raise UsageError(f"{option} holds characters that cannot be shown", "one line of plain text")
    return value


def check_texts(said: Mapping[str, object], name_of: Callable[[str], str]) -> None:
    """`require_text` for the reason's words, `require_line` for every other text among some facts."""
    for field, value in said.items():
        if isinstance(value, str):
            (require_text if field == "reason_text" else require_line)(value, name_of(field))
