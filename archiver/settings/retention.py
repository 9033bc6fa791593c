"""`[retention]` of `archiver.toml`: after what time archives are due for review or disposal."""

import re
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from archiver.records import RELATION_KINDS
from archiver.settings.table import Table

Trigger = Literal["posted", "sealed"]
Then = Literal["review", "dispose"]
TRIGGERS: Final[tuple[str, ...]] = get_args(Trigger)
THENS: Final[tuple[str, ...]] = get_args(Then)
_RULE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_NAME_HINT: Final = "up to 64 of A-Z a-z 0-9, space . _ -; it stands in certificates, which anybody may read"
_WORD: Final = re.compile(r"[a-z][a-z_]{0,39}")
KINDS: Final = ("account", "post", "message", "moderation", *RELATION_KINDS, "capture")
"""What a rule can name: what manifests count, and captures of which nothing is counted. Pictures, and notices
that something is gone, go with the records that they are about."""
_KIND: Final = re.compile("|".join(KINDS))
MOST_YEARS: Final = 200


@dataclass(frozen=True)
class RetentionRule:
    """What lies in its scope is due after a period. `accounts`, `kinds` and `routes`: ids, kinds of record
    and ways to us; an empty one is all. The period runs from when the newest record was posted, or from when
    the archive was sealed; `then`: what is proposed once it is over. Either way a person decides."""

    name: str
    accounts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    trigger: Trigger = "posted"
    years: int = 0
    months: int = 0
    days: int = 0
    then: Then = "review"


@dataclass(frozen=True)
class RetentionSettings:
    """`minimum_years`: nothing is disposed of earlier after it was sealed, whatever the rules say."""

    minimum_years: int = 0
    rules: tuple[RetentionRule, ...] = ()


def read_retention_settings(table: Table) -> RetentionSettings:
    """`[retention]` and `[[retention.rule]]`. Without a rule nothing is ever due."""
    rules: list[RetentionRule] = []
    for below in table.tables("rule"):
        rule = _read_rule(below)
        if any(known.name == rule.name for known in rules):
            below.problem("name", f"a rule {rule.name!r} is given twice", "give each a name of its own")
        rules.append(rule)
    minimum = table.integer("minimum_years", RetentionSettings().minimum_years, 0, MOST_YEARS)
    return RetentionSettings(minimum, tuple(rules))


def _read_rule(table: Table) -> RetentionRule:
    rule = RetentionRule(
        name=table.text("name", pattern=_RULE_NAME, hint=_NAME_HINT),
        accounts=table.texts("accounts", (), hint="ids of accounts, as in [[account]]"),
        kinds=table.texts("kinds", (), pattern=_KIND, hint=f"out of: {', '.join(KINDS)}"),
        routes=table.texts("routes", (), pattern=_WORD, hint='as "export", "api", "manual"'),
        trigger=cast(Trigger, table.choice("trigger", "posted", TRIGGERS)),
        years=table.integer("years", 0, 0, MOST_YEARS),
        months=table.integer("months", 0, 0, 12 * MOST_YEARS),
        days=table.integer("days", 0, 0, 366 * MOST_YEARS),
        then=cast(Then, table.choice("then", "review", THENS)),
    )
    if not (rule.years or rule.months or rule.days):
        table.problem("years", "a rule needs a period", "give years, months or days, or several of them")
    return rule
