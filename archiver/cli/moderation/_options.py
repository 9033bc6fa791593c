"""Options that several commands of the register share: what a person says of an item."""

import os
import pwd
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from archiver.moderation.decision import (
    APPEAL_OUTCOMES,
    DETECTIONS,
    ESCALATIONS,
    Facts,
    check_reasons,
    check_rule,
    check_texts,
    one_of,
    parse_escalation,
    parse_moment,
    require_line,
)
from archiver.settings.moderation import ModerationSettings

Command = TypeVar("Command", bound=Callable[..., Any])

by_option = click.option(
    "--by", metavar="WHO", help="Who says so, as a name or a collar number; else who is logged in here."
)
TIME = "TIME"
"""How a time is called in the help: as 2026-11-25T14:05Z, with its zone."""


screenshot_option = click.option(
    "--screenshot",
    "screenshots",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A picture of it: PNG, JPEG, GIF or WebP; may be repeated.",
)
_REASON = click.option(
    "--reason",
    "reasons",
    multiple=True,
    metavar="CODE",
    help="Why, as archiver moderation codes lists them; may be repeated.",
)
_FACTS = (
    click.option("--note", metavar="TEXT", help="The reason in words."),
    click.option("--rule", metavar="CLAUSE", help="The clause of the house rules that it breaks."),
    click.option("--legal-ground", metavar="TEXT", help="Which law it breaks, where it is unlawful."),
    click.option("--authorised-by", metavar="WHO", help="Who allowed the action."),
    click.option("--until", metavar=TIME, help="Until when the action is to last."),
    click.option("--notified", metavar="HOW", help="How the author was told."),
    click.option("--notified-at", metavar=TIME, help="When the author was told."),
    click.option("--not-notified", metavar="WHY", help="Why the author was not told."),
    click.option("--escalate", metavar="KIND[:REFERENCE]", help=f"Passed on: {', '.join(ESCALATIONS)}."),
    click.option("--case", metavar="REFERENCE", help="The case it belongs to."),
    click.option("--exhibit", metavar="REFERENCE", help="As ABC/1."),
    click.option("--retention-rule", metavar="RULE", help="How long the record is to be kept."),
    click.option("--hold", metavar="WHY", help="Not to be disposed of, and why."),
)
_DETECTION_IN_A_DECISION = (
    click.option("--detected-at", metavar=TIME, help="When it was noticed; else now."),
    click.option("--detected-by", metavar="WHO", help="Who noticed it; else who says so."),
    click.option("--detection", metavar="HOW", help=f"{', '.join(DETECTIONS)}; else staff."),
)
_DETECTION_IN_A_CORRECTION = (
    click.option("--detected-at", metavar=TIME, help="When it was noticed."),
    click.option("--detected-by", metavar="WHO", help="Who noticed it."),
    click.option("--detection", metavar="HOW", help=f"How: {', '.join(DETECTIONS)}."),
)


CLEARED_BY: Mapping[str, tuple[str, ...]] = {
    "note": ("reason_text",),
    "rule": ("house_rule", "house_rule_version"),
    "legal-ground": ("legal_ground",),
    "authorised-by": ("authorised_by",),
    "until": ("until_ms",),
    "notified": ("notified_how", "notified_ms"),
    "not-notified": ("not_notified",),
    "escalate": ("escalated", "escalated_reference"),
    "case": ("case",),
    "exhibit": ("exhibit",),
    "retention-rule": ("retention_rule",),
    "hold": ("hold",),
}
"""What --clear takes, and the fields that it takes back."""


def _with(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


decision_options = _with(_REASON, *_FACTS, *_DETECTION_IN_A_DECISION)
"""Everything a person can say of a record beside its item and the action."""
correction_options = _with(_REASON, *_FACTS, *_DETECTION_IN_A_CORRECTION)
"""The same of a record that is there."""


def read_facts(said: Mapping[str, Any], settings: ModerationSettings, now_ms: int) -> Facts:
    """The options as facts, checked. Raise UsageError for the first that is wrong."""
    clause, version = check_rule(said["rule"], settings)
    escalated, reference = parse_escalation(said["escalate"])
    detection = said["detection"]
    facts = Facts(
        reason_codes=check_reasons(said["reasons"], settings),
        reason_text=said["note"],
        house_rule=clause,
        house_rule_version=version,
        legal_ground=said["legal_ground"],
        detected_ms=read_time(said["detected_at"], "--detected-at", now_ms),
        detected_by=said["detected_by"],
        detection=None if detection is None else one_of(detection, DETECTIONS, "way of detection"),
        authorised_by=said["authorised_by"],
        until_ms=read_time(said["until"], "--until", now_ms, may_be_ahead=True),
        notified_ms=read_time(said["notified_at"], "--notified-at", now_ms),
        notified_how=said["notified"],
        not_notified=said["not_notified"],
        escalated=escalated,
        escalated_reference=reference,
        exhibit=said["exhibit"],
        case=said["case"],
        retention_rule=said["retention_rule"],
        hold=said["hold"],
    )
    names = {"reason_text": "--note", "house_rule": "--rule", "notified_how": "--notified"}
    check_texts(facts.said, lambda field: names.get(field, f"--{field.replace('_', '-')}"))
    return facts


def read_time(text: str | None, option: str, now_ms: int, *, may_be_ahead: bool = False) -> int | None:
    """A time given, or None where none is; raise as `parse_moment`."""
    return None if text is None else parse_moment(text, option, now_ms, may_be_ahead=may_be_ahead)


def read_appeal_outcome(text: str | None) -> str | None:
    return None if text is None else one_of(text, APPEAL_OUTCOMES, "outcome of an appeal")


def who(by: str | None, environ: Mapping[str, str]) -> str:
    """Who says something: as given, else whoever is logged in, also behind sudo."""
    named = require_line(by, "--by")
    if named is not None:
        return named
    if environ.get("SUDO_USER", "").isprintable() and environ.get("SUDO_USER"):
        return environ["SUDO_USER"]
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
