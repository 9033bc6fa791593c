"""The search language: what a person types, read as meant or refused with what to do."""

import pytest

from archiver.errors import UsageError
from archiver.search.query import (
    ACTIONS,
    KINDS,
    MAXIMUM_PARTS,
    VERBS,
    Query,
    Term,
    match_expression,
    parse_action,
    parse_dates,
    parse_query,
)
from archiver.times import parse_time


def words(*texts: str) -> tuple[tuple[Term, ...], ...]:
    return tuple((Term(text),) for text in texts)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("   ", Query()),
        ("burglary", Query(words("burglary"))),
        ("road closed", Query(words("road", "closed"))),
        ('"road closed"', Query(words("road closed"))),
        ('road"closed now"', Query(words("road", "closed now"))),
        ("apolog*", Query(((Term("apolog", prefix=True),),))),
        ("road-clos*", Query(((Term("road-clos", prefix=True),),))),
        ("flood OR fire", Query(((Term("flood"), Term("fire")),))),
        ('flood OR "road closed" OR fir*', Query(((Term("flood"), Term("road closed"), Term("fir", True)),))),
        ("a b OR c d", Query(((Term("a"),), (Term("b"), Term("c")), (Term("d"),)))),
        ("or", Query(words("or"))),
        ("flood -fire", Query(words("flood"), (Term("fire"),))),
        ('-"road closed" -fir*', Query((), (Term("road closed"), Term("fir", True)))),
        ("-OR", Query((), (Term("OR"),))),
        ("- flood", Query(words("flood"))),
        ('"" flood', Query(words("flood"))),
        ("from:@SpringfieldPD", Query(authors=("SpringfieldPD",))),
        ("from:a from:b -from:c", Query(authors=("a", "b"), not_authors=("c",))),
        ("account:1001 -account:x", Query(accounts=("1001",), not_accounts=("x",))),
        ("KIND:reply -kind:like", Query(kinds=("reply",), not_kinds=("like",))),
        ('from:"a b"', Query(authors=("a b",))),
        ("author:@a -author:b from:c", Query(authors=("a", "c"), not_authors=("b",))),
        ('by:"Duty Officer" -by:@x', Query(by=("Duty Officer",), not_by=("@x",))),
        ("reason:abusive -reason:spam", Query(reasons=("abusive",), not_reasons=("spam",))),
        ("action:hide action:HIDDEN", Query(actions=("hidden", "hidden"))),
        ("-action:comments-off action:none", Query(actions=("none",), not_actions=("comments_off",))),
        ("kind:moderation kind:post by:a", Query(kinds=("moderation", "post"), by=("a",))),
        ("https://example.org/a?b", Query(words("https://example.org/a?b"))),
        ("12:30", Query(words("12:30"))),
        ("note:", Query(words("note:"))),
        ("don't @someone #tag", Query(words("don't", "@someone", "#tag"))),
        ("a\0b", Query(words("a", "b"))),
        ("a\udcff", Query(words("a?"))),
    ],
)
def test_a_query_is_read_as_it_was_meant(text: str, query: Query) -> None:
    assert parse_query(text) == query


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"road closed', "a quotation mark is not closed"),
        ("OR flood", "OR needs a word before it and one after it"),
        ("flood OR", "OR needs a word after it"),
        ("flood OR OR fire", "OR needs a word before it and one after it"),
        ("flood OR -fire", "OR cannot be followed by -"),
        ("flood OR from:a", "OR cannot be followed by from:"),
        ("until:2026 OR flood", "OR needs a word before it and one after it"),
        ("owner:me", "owner: is not something a search can be narrowed by"),
        ("action:delete", "delete is not an action of moderation"),
        ("action:hid*", "hid* is not an action of moderation"),
        ("kind:post by:a", "by: narrows moderation records, and this search asks for none of them"),
        ("-reason:a kind:post", "reason: narrows moderation records, and this search asks for none of them"),
        (
            "action:hide -kind:moderation",
            "action: narrows moderation records, and this search asks for none of them",
        ),
        ("flood OR reason:a", "OR cannot be followed by reason:"),
        ("-since:2026", "-since: cannot be read"),
        ("-until:2026", "-until: cannot be read"),
        ("kind:tweet", "kind:tweet is not a kind of record"),
        ("since:yesterday", "'yesterday' is not a date"),
        ("!!", "'!!' has no letter or digit to search for"),
        ("🚓", "'🚓' has no letter or digit to search for"),
        ("flood *", "'*' has no letter or digit to search for"),
        (
            " ".join(["a"] * (MAXIMUM_PARTS + 1)),
            f"the search has more than {MAXIMUM_PARTS} words and filters",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_query(text)
    assert caught.value.message == message
    assert caught.value.hint


def test_a_hint_for_an_unknown_filter_says_how_to_search_for_the_words() -> None:
    with pytest.raises(UsageError) as caught:
        parse_query("note:this")
    assert caught.value.hint == (
        "use from:, author:, account:, kind:, since:, until:, by:, reason:, action:,"
        ' or put the words in quotes: "note:this"'
    )


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026-11-01", "2026-11-01T00:00Z", "2026-11-02T00:00Z"),
        ("2026-2-3", "2026-02-03T00:00Z", "2026-02-04T00:00Z"),
        ("01/11/2026", "2026-11-01T00:00Z", "2026-11-02T00:00Z"),
        ("31/12/2026", "2026-12-31T00:00Z", "2027-01-01T00:00Z"),
        ("2026-11", "2026-11-01T00:00Z", "2026-12-01T00:00Z"),
        ("2026-12", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        ("2028-02", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ("2026", "2026-01-01T00:00Z", "2027-01-01T00:00Z"),
        ("1969-12-31", "1969-12-31T00:00Z", "1970-01-01T00:00Z"),
    ],
)
def test_days_months_and_years_are_ranges_in_utc(text: str, first: str, after: str) -> None:
    assert parse_dates(text) == (parse_time(first), parse_time(after))


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-13", "2026-02-30", "30/02/2026", "0000", "9999", "9999-12-31", "2026-11-01T10:00"),
        *("1/2026", "26-11-01", "2026/11/01", "2026-11-01 ", "20261101"),
    ],
)
def test_what_is_no_date_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_dates(text)
    assert caught.value.message.endswith("is not a date")
    assert caught.value.hint == "as 2026-11-01, 2026-11, 2026 or 01/11/2026"


def test_since_and_until_include_their_days_and_several_narrow_further() -> None:
    query = parse_query("since:2026 since:2026-03 until:2026-05 until:2026-04-30 until:2027")
    assert query.since_ms == parse_time("2026-03-01T00:00Z")
    assert query.until_ms == parse_time("2026-05-01T00:00Z")


def test_without_a_kind_posts_and_messages_are_wanted_and_nothing_else() -> None:
    everything = [kind for kind in KINDS if parse_query("word").wants(kind)]
    assert everything == ["post", "reply", "repost", "quote", "message"]
    assert [kind for kind in KINDS if parse_query("-kind:reply -kind:message").wants(kind)] == [
        "post", "repost", "quote",
    ]  # fmt: skip
    assert [kind for kind in KINDS if parse_query("kind:like kind:reply").wants(kind)] == ["reply", "like"]
    assert not any(parse_query("kind:like -kind:like").wants(kind) for kind in KINDS)


@pytest.mark.parametrize("text", ["by:a", "-by:a", "reason:a word", "-action:hide", "kind:moderation"])
def test_what_only_moderation_records_have_is_asked_of_them_alone(text: str) -> None:
    assert [kind for kind in KINDS if parse_query(text).wants(kind)] == ["moderation"]


def test_beside_other_kinds_what_only_moderation_records_have_keeps_the_others_out_unless_it_excludes() -> (
    None
):
    asked = parse_query("kind:post kind:moderation by:a")
    assert [kind for kind in KINDS if asked.wants(kind)] == ["moderation"]
    asked = parse_query("kind:post kind:moderation -by:a")
    assert [kind for kind in KINDS if asked.wants(kind)] == ["post", "moderation"]


def test_every_action_is_named_by_its_code_and_by_a_verb() -> None:
    for code in ACTIONS:
        assert parse_action(code) == parse_action(code.upper().replace("_", "-")) == code
    for verb, code in VERBS.items():
        assert parse_action(verb) == code
    assert set(VERBS.values()) == set(ACTIONS)


def test_what_is_typed_stays_inside_quotes_in_the_expression() -> None:
    assert match_expression(parse_query('a OR "b c" d* -e -"f g"')) == (
        '(("a" OR "b c") AND ("d*")) NOT ("e" OR "f g")'
    )
    assert match_expression(parse_query("-e")) is None
    assert match_expression(parse_query("a*b* (NOT)")) == '("a b*") AND ("(NOT)")'
