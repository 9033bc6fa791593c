"""What a person decides is checked before anybody is asked."""

import pytest

from archiver.errors import UsageError
from archiver.moderation.decision import (
    REVERSALS,
    check_reasons,
    check_rule,
    parse_action,
    parse_escalation,
    parse_moment,
    require_text,
)
from archiver.records import MODERATION_VERBS
from archiver.settings.moderation import UK_REASONS, HouseRule, ModerationSettings, Reason

NOW = 1_793_000_000_000
"""26 October 2026."""


def test_the_reasons_are_those_of_uk_practice_unless_the_settings_name_others() -> None:
    assert check_reasons(["abusive", "spam", "abusive"], ModerationSettings()) == ("abusive", "spam")
    own = ModerationSettings(reasons=(Reason("rude", "rude"),))
    assert check_reasons(["rude"], own) == ("rude",)
    with pytest.raises(UsageError) as raised:
        check_reasons(["abusive"], own)
    assert (raised.value.message, raised.value.hint) == ("there is no reason 'abusive'", "one of: rude")


def test_an_unknown_reason_is_answered_with_all_there_are() -> None:
    with pytest.raises(UsageError) as raised:
        check_reasons(["abusiv"], ModerationSettings())
    assert all(one.code in (raised.value.hint or "") for one in UK_REASONS)
    assert len(UK_REASONS) == 20


def test_an_unknown_action_is_answered_with_all_there_are() -> None:
    assert parse_action("hide") == "hidden"
    for wrong in ("hidden", "delete", "", "ban"):
        with pytest.raises(UsageError) as raised:
            parse_action(wrong)
        assert all(verb in (raised.value.hint or "") for verb in MODERATION_VERBS)


def test_only_what_can_be_undone_has_a_reversal() -> None:
    assert set(REVERSALS) == set(MODERATION_VERBS.values()) - {"none", "warned", "replied", "reported"}


def test_a_clause_brings_the_version_in_force_and_must_be_one_of_those_listed() -> None:
    rules = ModerationSettings(rules=(HouseRule("3", "2026-01"), HouseRule("4")))
    assert check_rule("3", rules) == ("3", "2026-01")
    assert check_rule(None, rules) == (None, None)
    assert check_rule("anything", ModerationSettings()) == ("anything", None)
    with pytest.raises(UsageError) as raised:
        check_rule("5", rules)
    assert raised.value.hint == "one of: 3, 4"


@pytest.mark.parametrize(
    "text",
    ["2026-10-25T14:05Z", "2026-10-25 15:05+01:00", "20261025T140500+0000", "2026-10-25T14:05:00.000Z"],
)
def test_a_time_with_its_zone_is_read(text: str) -> None:
    assert parse_moment(text, "--posted-at", NOW) == 1_792_937_100_000


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("2026-10-25T14:05", "does not say in which time zone", "add Z for UTC"),
        ("2026-10-25", "does not say in which time zone", "add Z for UTC"),
        ("25/10/2026 14:05", "is not a time", "2026-11-25T14:05Z"),
        ("yesterday", "is not a time", "2026-11-25T14:05Z"),
        ("", "is not a time", "2026-11-25T14:05Z"),
        ("2027-01-01T00:00Z", "lies in the future", "the zone and the date"),
        ("2026-10-26T07:40Z", "lies in the future", "the zone and the date"),
        ("1999-12-31T23:59Z", "before the year 2000", "the year"),
        ("0001-01-01T00:00+14:00", "out of range", None),
        ("9999-12-31T23:59-14:00", "out of range", None),
    ],
)
def test_a_time_without_zone_in_the_future_or_none_is_refused(text: str, said: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        parse_moment(text, "--posted-at", NOW)
    assert said in raised.value.message
    assert raised.value.message.startswith("--posted-at")
    assert hint is None or hint in (raised.value.hint or "")


def test_clocks_may_differ_a_little_and_an_end_may_lie_ahead() -> None:
    assert parse_moment("2026-10-26T05:08Z", "--at", 1_792_991_220_000) == 1_792_991_280_000
    assert parse_moment("2027-01-01T00:00Z", "--until", NOW, may_be_ahead=True) > NOW


def test_an_escalation_has_a_kind_and_perhaps_a_reference() -> None:
    assert parse_escalation("crime: 42/123/26 ") == ("crime", "42/123/26")
    assert parse_escalation("safeguarding") == ("safeguarding", None)
    assert parse_escalation(None) == (None, None)
    with pytest.raises(UsageError, match="kind of escalation"):
        parse_escalation("police")


def test_a_text_is_kept_as_it_is_and_must_be_one() -> None:
    assert require_text(" =1+1 \u202e😀", "--text") == " =1+1 \u202e😀"
    for wrong in ("", "  \n", "half a character \udce9"):
        with pytest.raises(UsageError, match=r"^--text"):
            require_text(wrong, "--text")
