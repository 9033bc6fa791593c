"""Rule files: what each kind says, and that everything wrong is named at once with its place."""

from pathlib import Path

import pytest

from archiver.errors import ConfigurationError
from archiver.evidence.redaction import load_rules, parse_rules
from archiver.evidence.redaction.rules import KINDS
from archiver.settings import SettingsError
from tests.programs import PROJECT

SAMPLE = PROJECT / "config" / "redaction.sample.toml"
HERE = Path("rules.toml")


def problems(text: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        parse_rules(text.encode(), HERE)
    return [str(one) for one in error.value.problems]


def test_the_sample_loads_and_has_every_kind_of_rule_and_key() -> None:
    rules = load_rules(SAMPLE).rules
    assert {rule.kind for rule in rules} == set(KINDS)
    assert [rule.number for rule in rules] == list(range(1, 11))
    assert rules[1].values == ("Robin Sample", "R. Sample", "R Specimen")
    assert rules[2].values == ("ResidentExample",)
    assert rules[5].loose
    assert rules[9].spans == ((0, 12), (30, 41))


def test_everything_wrong_is_named_at_once_with_its_place() -> None:
    text = """
    oops = 1
    [[rule]]
    name = ""
    reason = "r"
    [[rule]]
    nmae = "Robin Example"
    reason = "r"
    [[rule]]
    pattern = "(unclosed"
    reason = "r"
    [[rule]]
    record = "123456"
    spans = [[5, 5]]
    reason = ""
    """
    found = problems(text)
    assert [one.split(":")[0] for one in found] == [
        "rule[1].name", "rule[2].rule", "rule[3].pattern", "rule[4].reason", "rule[4].spans", "oops",
        "rule[2].nmae",
    ]  # fmt: skip
    assert "did you mean name?" in found[-1]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('name = "Jo"', "fewer than 3 letters"),
        ('name = "王"', "fewer than 3 letters"),
        ('name = "!!!"', "fewer than 3 letters"),
        ('names = ["Robin Example", "Al"]', "fewer than 3 letters"),
        ("names = []", "names nothing"),
        ('name = "Post"', "a word of the pack itself"),
        ('name = "Sha256"', "a word of the pack itself"),
        ('text = "mani"', "a word of the pack itself"),
        ('text = "acted]"', "a part of [redacted]"),
        (f'text = "{"x" * 1001}"', "more than 1,000 characters"),
        ('handle = "@ab"', "fewer than 3 letters"),
        ('handle = "two words"', "cannot be right"),
        ('person = "123"', "fewer than 4 characters"),
        ("person = 123456789", "a text in quotes"),
        ('person = "1 2"', "cannot be right"),
        ('pattern = "a*"', "matches where there is nothing"),
        ('pattern = "(a|aa)+$"', "takes for ever"),
        (f'pattern = "{"x" * 1001}"', "more than 1,000 characters"),
        ('text = "Main Street"\nname = "Robin Example"', "one thing to take out"),
        ('name = "Robin Example"\nnames = ["Robin Example"]', "one thing to take out"),
        ('name = "Robin Example"\nloose = true', "only a rule with a text"),
        ('name = "Robin Example"\nspans = [[0, 1]]', "only a rule with a record"),
        ('record = "123456"\nspans = [[1, true]]', "a list of pairs"),
        ('record = "123456"\nspans = [[-1, 3]]', "a list of pairs"),
        ('record = "123456"\nspans = []', "a list of pairs"),
    ],
)
def test_a_rule_that_cannot_be_right_is_refused(rule: str, said: str) -> None:
    found = problems(f'[[rule]]\nreason = "r"\n{rule}\n')
    assert any(said in one for one in found), found


def test_a_file_without_rules_or_that_is_none_is_refused(tmp_path: Path) -> None:
    assert problems("") == ["rule: there is no rule (each begins with a line [[rule]])"]
    with pytest.raises(ConfigurationError, match="is not TOML"):
        parse_rules(b"[[rule", HERE)
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        parse_rules(b"\xff", HERE)
    with pytest.raises(ConfigurationError, match="there is no rule file"):
        load_rules(tmp_path / "none.toml")


def test_a_rule_is_named_without_what_it_takes_out() -> None:
    (rule,) = parse_rules(b'[[rule]]\nreason = "r"\nname = "Robin Example"\n', HERE).rules
    assert str(rule) == "rule 1 (name)"
