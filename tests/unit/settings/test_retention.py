"""`[retention]`: what is taken, what is refused and with which words."""

from pathlib import Path

import pytest

from archiver.settings import SettingsError, parse_settings
from archiver.settings.retention import RetentionRule, RetentionSettings


def load(text: str) -> RetentionSettings:
    return parse_settings(text.encode(), Path("/nowhere/archiver.toml")).retention


RULE = '[[retention.rule]]\nname = "posts"\nyears = 7\n'


def test_without_the_table_nothing_is_ever_due() -> None:
    assert load("") == RetentionSettings(0, ())


def test_a_rule_says_what_it_covers_and_how_long() -> None:
    settings = load(
        "[retention]\nminimum_years = 2\n"
        + RULE
        + 'months = 3\ndays = 4\naccounts = ["1"]\nkinds = ["post", "message"]\nroutes = ["export"]\n'
        'trigger = "sealed"\nthen = "dispose"\n' + RULE.replace("posts", "rest")
    )
    assert settings.minimum_years == 2
    assert settings.rules == (
        RetentionRule("posts", ("1",), ("post", "message"), ("export",), "sealed", 7, 3, 4, "dispose"),
        RetentionRule("rest", years=7),
    )


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("[retention]\nminimum_years = -1", "retention.minimum_years", "outside 0 to 200"),
        ("[retention]\nminimum = 1", "retention.minimum", "not a setting"),
        ('[[retention.rule]]\nname = "posts"', "retention.rule[1].years", "needs a period"),
        ("[[retention.rule]]\nyears = 1", "retention.rule[1].name", "missing"),
        (RULE + RULE, "retention.rule[2].name", "given twice"),
        (RULE + 'kinds = ["posts"]', "retention.rule[1].kinds", "'posts' cannot be right"),
        (RULE + 'kinds = ["media"]', "retention.rule[1].kinds", "'media' cannot be right"),
        (RULE + "kinds = []", "retention.rule[1].kinds", "names nothing"),
        (RULE + 'routes = ["x", "x"]', "retention.rule[1].routes", "given twice"),
        (RULE + 'trigger = "read"', "retention.rule[1].trigger", "not known"),
        (RULE + 'then = "burn"', "retention.rule[1].then", "not known"),
        (RULE + "days = 1000000", "retention.rule[1].days", "outside"),
        ('[[retention.rule]]\nname = "a\\nb"\nyears = 1', "retention.rule[1].name", "cannot be right"),
        ("retention = 1", "retention", "table"),
        ("[retention]\nrule = 1", "retention.rule", "list"),
    ],
)
def test_what_cannot_be_right_is_named(text: str, where: str, what: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(text)
    assert any(one.where == where and what in str(one) for one in caught.value.problems), (
        caught.value.problems
    )
