"""`archiver moderation codes`: what can be said in a record."""

from collections.abc import Iterable

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import printable
from archiver.moderation.decision import APPEAL_OUTCOMES, DETECTIONS, ESCALATIONS, REVERSALS
from archiver.moderation.mapping import CODES
from archiver.records import MODERATION_VERBS
from archiver.settings_moderation import ModerationSettings


@click.command("codes", epilog=examples("archiver moderation codes", "archiver moderation codes --json"))
@pass_session
def command(session: Session) -> int:
    """List what can be said in a record: reasons and house rules, which the settings name; actions, kinds of
    item, ways of detection, escalations and outcomes of appeals, which are fixed."""
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
    for kind, codes in _other_codes():
        for code in codes:
            session.print_json(kind, code=code)
    for rule in moderation.rules:
        session.print_json("house_rule", clause=rule.clause, version=rule.version, words=rule.words)


def _other_codes() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("item_type", CODES["item_type"]),
        ("detection", DETECTIONS),
        ("escalation", ESCALATIONS),
        ("appeal_outcome", APPEAL_OUTCOMES),
    )


def _print_lists(moderation: ModerationSettings) -> None:
    _print_list("Reasons (--reason)", ((one.code, one.words) for one in moderation.reasons))
    _print_list(
        "Actions (--action, and what a record says)", ((verb, _said(verb)) for verb in MODERATION_VERBS)
    )
    for kind, codes in _other_codes():
        _print_list(kind.replace("_", " ").capitalize(), ((code, "") for code in codes))
    rules = (
        (
            one.clause,
            " ".join(part for part in (one.words, one.version and f"(version {one.version})") if part),
        )
        for one in moderation.rules
    )
    _print_list("House rules (--rule)", rules, none="any text: the settings name none")


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
