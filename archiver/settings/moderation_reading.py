"""`[moderation]` of `archiver.toml`, read into the dataclasses of `archiver.settings.moderation`."""

import re

from archiver.settings.api import MEBIBYTE
from archiver.settings.moderation import (
    DSA_CATEGORIES,
    DSA_KEYWORDS,
    HouseRule,
    ModerationSettings,
    Reason,
)
from archiver.settings.table import Table

CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
CLAUSE = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_WORDS = re.compile(r"[^\x00-\x1f\x7f]{1,500}")


def read_moderation_settings(table: Table) -> ModerationSettings:
    """`[moderation]`. An absent table has all defaults; reasons given replace those of the default list."""
    default = ModerationSettings()
    screenshot = table.integer("screenshot_mebibytes", default.screenshot_bytes // MEBIBYTE, 1, 1024)
    reasons = _read_reasons(table)
    return ModerationSettings(
        reasons=reasons or default.reasons,
        rules=_read_rules(table),
        thread_posts=table.integer("thread_posts", default.thread_posts, 0, 100),
        screenshot_bytes=screenshot * MEBIBYTE,
    )


def _read_reasons(table: Table) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    for one in table.tables("reason"):
        code = one.text("code", pattern=CODE, hint="small letters, digits and _, as personal_information")
        if code and any(known.code == code for known in reasons):
            one.problem("code", f"the reason {code} is given twice", "remove one of the two")
        reasons.append(
            Reason(
                code=code,
                words=one.text("words", pattern=_WORDS, hint="what it means, on one line"),
                category=one.choice("dsa_category", None, DSA_CATEGORIES)
                if one.has("dsa_category")
                else None,
                keyword=one.choice("dsa_keyword", None, DSA_KEYWORDS) if one.has("dsa_keyword") else None,
            )
        )
    return tuple(reasons)


def _read_rules(table: Table) -> tuple[HouseRule, ...]:
    rules: list[HouseRule] = []
    for one in table.tables("rule"):
        clause = one.text("clause", pattern=CLAUSE, hint='as your rules call it: "3" or "3.2 Abuse"')
        if clause and any(known.clause == clause for known in rules):
            one.problem("clause", f"the clause {clause} is given twice", "keep the one in force")
        rules.append(
            HouseRule(
                clause=clause,
                version=one.optional_text("version", pattern=CLAUSE, hint='as "2026-01" or "4"'),
                words=one.optional_text("words", pattern=_WORDS, hint="what it says, on one line"),
            )
        )
    return tuple(rules)
