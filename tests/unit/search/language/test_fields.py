"""Fields and their values, and of which kinds of record each can be asked."""

import pytest

from archiver.errors import UsageError
from archiver.search.language import ACTIONS, FIELDS, KINDS, VERBS, parse_action
from archiver.search.language.fields import NotAValueError, kinds_of, parse_value, plain_url


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("example.org", "example.org"),
        ("HTTPS://WWW.Example.ORG/", "example.org"),
        ("http://example.org/News/A/", "example.org/News/A"),
        ("www.example.org", "example.org"),
        ("example.org?Q=1", "example.org?Q=1"),
        ("Example.org#Top", "example.org#Top"),
        ("/news/2026/", "/news/2026"),
        ("example.org/go?to=https://Other.example/", "example.org/go?to=https://Other.example"),
        ("ftp://Files.example", "files.example"),
    ],
)
def test_an_address_is_taken_without_what_addresses_of_one_page_differ_in(typed: str, plain: str) -> None:
    assert plain_url(typed) == plain
    assert plain_url(plain) == plain


def test_every_action_is_found_by_its_name_and_by_its_verb() -> None:
    assert [parse_action(action.upper()) for action in ACTIONS] == list(ACTIONS)
    assert [parse_action(action.replace("_", "-")) for action in ACTIONS] == list(ACTIONS)
    assert {verb: parse_action(verb) for verb in VERBS} == dict(VERBS)
    with pytest.raises(UsageError, match="tickle is not an action of moderation"):
        parse_action("tickle")


def test_a_value_that_a_field_does_not_take_says_what_it_takes() -> None:
    with pytest.raises(NotAValueError, match="from:@ has nothing to look for") as caught:
        parse_value("from", "@")
    assert caught.value.expected == "from: takes a handle or user id"
    with pytest.raises(NotAValueError) as caught:
        parse_value("since", "2026-13")
    assert "2026-11-01" in caught.value.expected


def test_every_field_says_what_it_takes_in_one_line_and_which_kinds_have_it() -> None:
    for name, field in FIELDS.items():
        assert field.takes
        assert field.help
        assert "\n" not in field.takes + field.help
        assert field.kinds
        assert field.kinds <= set(KINDS), name


@pytest.mark.parametrize(
    ("field", "value", "with_it", "without_it"),
    [
        ("kind", "reply", "reply", "post"),
        ("is", "reply", "quote", "message"),
        ("is", "edited", "message", "like"),
        ("is", "deleted", "follower", "moderation"),
        ("has", "media", "message", "moderation"),
        ("has", "alt", "post", "message"),
        ("to", "a", "message", "moderation"),
        ("from", "a", "moderation", "like"),
        ("lang", "en", "repost", "message"),
        ("conversation", "1", "message", "follower"),
        ("reason", "a", "moderation", "post"),
        ("since", 0, "follower", ""),
    ],
)
def test_kinds_that_can_have_a_field(field: str, value: str | int, with_it: str, without_it: str) -> None:
    assert with_it in kinds_of(field, value)
    assert without_it not in kinds_of(field, value)
