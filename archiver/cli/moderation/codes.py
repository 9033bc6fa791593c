"""`archiver moderation codes`: what can be said in a record."""

from collections.abc import Iterable, Mapping
from typing import Final

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import printable
from archiver.moderation.decision import REVERSALS
from archiver.records import MODERATION_VERBS, AppealOutcome, Detection, Escalation, ItemType
from archiver.settings.moderation import ModerationSettings

ITEM_TYPES: Final[Mapping[ItemType, str]] = {
    "own_post": "a post of our own account",
    "reply": "somebody's answer to a post",
    "comment": "somebody's post that answers none; elsewhere a comment",
    "message": "a direct message",
    "user": "a whole account, as for its name or picture",
}
DETECTIONS: Final[Mapping[Detection, str]] = {
    "staff": "somebody who works here noticed it",
    "rule": "a program noticed it, as by a list of words",
    "public": "somebody from outside told us",
    "partner": "another body that we work with told us",
    "platform": "the platform told us",
}
ESCALATIONS: Final[Mapping[Escalation, str]] = {
    "crime": "passed on because it may be a crime",
    "safeguarding": "passed on because a child or an adult may be at risk",
    "professional_standards": "passed on because it is about the conduct of officers or staff",
    "data_breach": "passed on because personal data became known",
}
APPEAL_OUTCOMES: Final[Mapping[AppealOutcome, str]] = {
    "upheld": "what was decided stays",
    "overturned": "what was decided was wrong, and is to be undone",
    "partly": "a part of it was wrong, and is to be undone",
}
_FIXED: Final[Mapping[str, tuple[str, Iterable[tuple[str, str]]]]] = {
    "item_type": ("Kinds of item (in a record; item_type in a log)", ITEM_TYPES.items()),
    "detection": ("Ways of detection (--detection; detection in a log)", DETECTIONS.items()),
    "escalation": ("Escalations (--escalate; escalated in a log)", ESCALATIONS.items()),
    "appeal_outcome": (
        "Outcomes of an appeal (--outcome of archiver moderation appeal; appeal_outcome in a log)",
        APPEAL_OUTCOMES.items(),
    ),
}
"""Each with where it is said, and its codes with what they mean."""


@click.command("codes", epilog=examples("archiver moderation codes", "archiver moderation codes --json"))
@pass_session
def command(session: Session) -> int:
    """List what can be said in a record, and where it is said: reasons and house rules, which the settings
    name; actions, kinds of item, ways of detection, escalations and outcomes of appeals, which are fixed."""
    moderation = session.settings.moderation
    if session.json:
        _print_json(session, moderation)
    else:
        _print_lists(moderation)
    return 0


def _print_json(session: Session, moderation: ModerationSettings) -> None:
    for reason in moderation.reasons:
        session.print_json(
            "reason",
            code=reason.code,
            words=reason.words,
            dsa_category=reason.category,
            dsa_keyword=reason.keyword,
        )
    for verb, action in MODERATION_VERBS.items():
        session.print_json("action", verb=verb, code=action, undone_by=REVERSALS.get(action))
    for kind, (_, codes) in _FIXED.items():
        for code, words in codes:
            session.print_json(kind, code=code, words=words)
    for rule in moderation.rules:
        session.print_json("house_rule", clause=rule.clause, version=rule.version, words=rule.words)


def _print_lists(moderation: ModerationSettings) -> None:
    reasons = ((one.code, one.words) for one in moderation.reasons)
    _print_list("Reasons (--reason; reason_codes in a log)", reasons)
    actions = ((verb, _said(verb)) for verb in MODERATION_VERBS)
    _print_list("Actions (--action, and what a record then says; a log may say either)", actions)
    for title, codes in _FIXED.values():
        _print_list(title, codes)
    rules = (
        (
            one.clause,
            " ".join(part for part in (one.words, one.version and f"(version {one.version})") if part),
        )
        for one in moderation.rules
    )
    _print_list("House rules (--rule; house_rule in a log)", rules, none="any text: the settings name none")


def _said(verb: str) -> str:
    action = MODERATION_VERBS[verb]
    undone = REVERSALS.get(action)
    return f"{action}; undone by: {undone}" if undone else action


def _print_list(title: str, rows: Iterable[tuple[str, str]], *, none: str = "") -> None:
    lines = list(rows) or [(none, "")]
    width = max(len(code) for code, _ in lines)
    click.echo(title)
    for code, words in lines:
        click.echo(printable(f"  {code.ljust(width)}  {words}".rstrip()))
