"""What a person types, read as meant."""

import pytest

from archiver.records import RELATION_KINDS
from archiver.search.language import KINDS, QueryMistake, parse_query
from archiver.search.language.parse import MAXIMUM_CHARACTERS, MAXIMUM_DEPTH, MAXIMUM_PARTS
from archiver.search.language.tree import Node, Span, Words, leaves
from tests.unit.search.language.trees import both, either, field, near, no, part, phrase, prefix, read, word


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("burglary", word("burglary")),
        ("  Burglary\n", word("burglary")),
        ("road closed", both(word("road"), word("closed"))),
        ("road AND closed", both(word("road"), word("closed"))),
        ("road and closed or not near", both(*map(word, ["road", "and", "closed", "or", "not", "near"]))),
        ("flood OR fire", either(word("flood"), word("fire"))),
        ("a b OR c d", both(word("a"), either(word("b"), word("c")), word("d"))),
        ("a AND b OR c", both(word("a"), either(word("b"), word("c")))),
        ("(a b) OR c", either(both(word("a"), word("b")), word("c"))),
        ("(a OR b)(c)d", both(either(word("a"), word("b")), word("c"), word("d"))),
        ("a (b (c d))", both(word("a"), word("b"), word("c"), word("d"))),
        ("a OR (b OR c)", either(word("a"), word("b"), word("c"))),
        ("NEARBY NEAR5 OR, ORb", both(word("nearby"), word("near5"), word("or"), word("orb"))),
    ],
)
def test_words_must_all_be_there_and_or_binds_tighter_than_a_space(text: str, tree: Node) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("flood -fire", both(word("flood"), no(word("fire")))),
        ("flood NOT fire", both(word("flood"), no(word("fire")))),
        ("-fire", no(word("fire"))),
        ('-"road closed"', no(phrase("road", "closed"))),
        ("-(a b)", no(both(word("a"), word("b")))),
        ("-from:a", no(field("from", "a"))),
        ("-#a", no(field("tag", "a"))),
        ("-*a*", no(part("a"))),
        ("a OR -b", either(word("a"), no(word("b")))),
        ("--a", word("a")),
        ("NOT -a", word("a")),
        ("-(-a)", word("a")),
        ("-a NEAR b", no(near(10, word("a"), word("b")))),
        ("road-closed", phrase("road", "closed")),
    ],
)
def test_a_minus_or_not_leaves_anything_out(text: str, tree: Node) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('"Road closed"', phrase("road", "closed")),
        ("“road closed”", phrase("road", "closed")),
        ("„road closed‟ «a»", both(phrase("road", "closed"), phrase("a"))),
        ('road"closed now"a', both(word("road"), phrase("closed", "now"), word("a"))),
        ('"flooding"', phrase("flooding")),
        ('"OR"', phrase("or")),
        ('"from:a"', phrase("from", "a")),
        ('"a\nb"', phrase("a", "b")),
        ("apolog*", prefix("apolog")),
        ("road-clos*", phrase("road", "clos", prefix=True)),
        ('"road clos*"', phrase("road", "clos", prefix=True)),
        ('"road clos"*', phrase("road", "clos", prefix=True)),
        ("flood.*", word("flood")),
        ('"f***"', phrase("f")),
        ('"f**l play"', phrase("f", "l", "play")),
        ("don't", phrase("don", "t")),
        ("covid-19", phrase("covid", "19")),
        ("£500", word("500")),
        ("CAFÉ", word("cafe")),
        ("cafe\u0301", word("cafe")),
        ("a\u00a0b\u3000c", both(word("a"), word("b"), word("c"))),
        ("a\u200eb", both(word("a"), word("b"))),
        ("a\0b", both(word("a"), word("b"))),
        ("a\ud800b", phrase("a", "b")),
        ("https://example.org/a?b", phrase("https", "example", "org", "a", "b")),
        ("Update: road", both(word("update"), word("road"))),
        ("(note:)", word("note")),
        ("12:30", phrase("12", "30")),
        ("@someone", word("someone")),
        ("~500", word("500")),
        ("a~b", phrase("a", "b")),
    ],
)
def test_a_phrase_is_exact_and_what_the_index_cuts_into_several_words_is_a_phrase(
    text: str, tree: Node
) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("flood~1", Words(("flood",), Span(0, 0), edits=1)),
        ('"Flood"~2', Words(("flood",), Span(0, 0), exact=True, edits=2)),
        ("*ccid*", part("ccid")),
        ("*É*", part("e")),
        ('*"a  - B"*', part("a - b")),
        ('*"f**l"*', part("f**l")),
        ("道路 ไทย", both(part("道路", "script"), part("ไทย", "script"))),
        ('"道路 Road"', part("道路 road", "script")),
        ("道路*", part("道路", "script")),
        ("🚓 £ &", both(part("🚓", "symbols"), part("£", "symbols"), part("&", "symbols"))),
        ("🥰", part("🥰", "symbols")),
        ("❤\ufe0f", part("❤", "symbols")),
        ("한국", word("한국")),
        ('"-"', part("-", "symbols")),
    ],
)
def test_parts_of_words_misspellings_and_what_is_in_no_index_can_be_asked_for(text: str, tree: Node) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("road NEAR closed", near(10, word("road"), word("closed"))),
        ("road NEAR/3 clos*", near(3, word("road"), prefix("clos"))),
        ('"a b" NEAR/100 c NEAR/100 d', near(100, phrase("a", "b"), word("c"), word("d"))),
        ("a NEAR b OR c", either(near(10, word("a"), word("b")), word("c"))),
        ("(a) NEAR (b)", near(10, word("a"), word("b"))),
    ],
)
def test_words_near_each_other_bind_tightest(text: str, tree: Node) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("from:@SpringfieldPD", field("from", "SpringfieldPD")),
        ("AUTHOR:a", field("from", "a")),
        ("to:a mention:@b account:1", both(field("to", "a"), field("mention", "b"), field("account", "1"))),
        ("#Flood tag:#x", both(field("tag", "Flood"), field("tag", "x"))),
        ("#flood, #fire!", both(field("tag", "flood"), field("tag", "fire"))),
        ('from:"a b"', field("from", "a b")),
        ("from:“a”", field("from", "a")),
        ("from:a OR from:b", either(field("from", "a"), field("from", "b"))),
        ('by:"Duty Officer" by:@x', both(field("by", "Duty Officer"), field("by", "@x"))),
        ("reason:Abuse", field("reason", "Abuse")),
        (
            "action:hide OR action:comments-off",
            either(field("action", "hidden"), field("action", "comments_off")),
        ),
        ("lang:EN-gb platform:X", both(field("lang", "en-gb"), field("platform", "x"))),
        ('client:"X Web*"', field("client", "X Web*")),
        ("id:1 conversation:2", both(field("id", "1"), field("conversation", "2"))),
        ("since:1970", field("since", -3_600_000)),
        ('until:"2026-11-01 12:00"', field("until", 1_793_534_460_000)),
        ("has:Link is:EDITED", both(field("has", "link"), field("is", "edited"))),
    ],
)
def test_fields_take_their_value_at_once(text: str, tree: Node) -> None:
    assert read(text) == tree


def test_all_kinds_of_record_can_be_named() -> None:
    assert {read(f"kind:{kind.upper()}") for kind in KINDS} == {field("kind", kind) for kind in KINDS}
    assert set(RELATION_KINDS) < set(KINDS)


def test_with_exact_every_word_is_asked_for_without_its_forms() -> None:
    query = parse_query('flood "fire" clos*', exact=True)
    assert query.exact
    assert all(isinstance(leaf, Words) and leaf.exact for leaf in leaves(query.root))
    assert not any(isinstance(leaf, Words) and leaf.exact for leaf in leaves(parse_query("flood clos*").root))


def test_each_part_says_where_it_stands() -> None:
    text = 'road -("now  closed" OR *x*) a NEAR b from:"c d" #e ❤'
    query = parse_query(text)
    shown = [text[leaf.span.start : leaf.span.end] for leaf in leaves(query.root)]
    assert shown == ["road", '"now  closed"', "*x*", "a NEAR b", 'from:"c d"', "#e", "❤"]


@pytest.mark.parametrize(
    ("text", "sentence", "place"),
    [
        ("", "the search is empty", ""),
        (" \u00a0", "the search is empty", " \u00a0"),
        ('a "b c', "a quotation mark is not closed", '"'),
        ('from:"a', "a quotation mark is not closed", '"'),
        ('*"a', "a quotation mark is not closed", '"'),
        ('a "" b', "nothing stands between the quotation marks", '""'),
        ("a (b OR (c) d", "this parenthesis is never closed", "("),
        ("(", "this parenthesis is never closed", "("),
        ("a) b", "a parenthesis is closed that was never opened", ")"),
        (")", "a parenthesis is closed that was never opened", ")"),
        ("a () b", "nothing stands between the parentheses", "()"),
        ("OR a", "OR needs something before it", "OR"),
        ("a (OR b)", "OR needs something before it", "OR"),
        ("a OR", "OR needs something after it", "OR"),
        ("(a OR) b", "OR needs something after it", "OR"),
        ("a OR AND b", "OR needs something after it", "OR"),
        ("AND a", "AND needs something before it", "AND"),
        ("a AND", "AND needs something after it", "AND"),
        ("a NOT", "NOT needs something after it", "NOT"),
        ("-OR a", "- needs something after it", "-"),
        ("a - b", "a - stands alone", "-"),
        ("(a -)", "a - stands alone", "-"),
        ("-", "a - stands alone", "-"),
        ("–fire", "a dash is not the minus that leaves something out", "–"),
        ('—"a b"', "a dash is not the minus that leaves something out", "—"),
        ("*", "a * stands alone", "*"),
        ("a ** b", "a * stands alone", "**"),
        ("~", "a ~ stands alone", "~"),
        ("#", "a # has no tag after it", "#"),
        ("#, a", "a # has no tag after it", "#,"),
        ("*foo", "a star in front alone is not possible", "*"),
        ('*"foo" a', "a star in front alone is not possible", "*"),
        ("a fo*o", "a star stands within a word", "*"),
        ("foo**", "a star stands within a word", "*"),
        ("*f*o*", "a star stands within a word", "*"),
        ('"road* closed"', "a star stands within a phrase", '"road* closed"'),
        ("word~3", "~3 has no number that can be used", "~3"),
        ("word~", "~ has no number that can be used", "~"),
        ("word~0", "~0 has no number that can be used", "~0"),
        ("don't~1", "~1 stands after one word only", "don't~1"),
        ('"a b"~5', "~5 stands after one word only", '"a b"~5'),
        ("道路~1", "~1 stands after one word only", "道路~1"),
        ("\u0301", "there is nothing to search for", "\u0301"),
        ("NEAR a", "NEAR needs something before it", "NEAR"),
        ("a NEAR/2", "NEAR needs something after it", "NEAR/2"),
        ("a NEAR -b", "NEAR cannot be followed by what is left out", "-"),
        ("a NEAR from:b", "NEAR stands between words and phrases only", "from:b"),
        ("(a b) NEAR c", "NEAR stands between words and phrases only", "(a b)"),
        ("a NEAR *b*", "NEAR stands between words and phrases only", "*b*"),
        ("a NEAR bcd~1", "NEAR stands between words and phrases only", "bcd~1"),
        ("a NEAR/0 b", "NEAR/0 has no number that can be used", "NEAR/0"),
        ("a NEAR/101 b", "NEAR/101 has no number that can be used", "NEAR/101"),
        ("a NEAR/x b", "NEAR/x has no number that can be used", "NEAR/x"),
        ("a NEAR/٣ b", "NEAR/٣ has no number that can be used", "NEAR/٣"),
        ("a NEAR/2 b NEAR c", "this NEAR has another number than the one before it", "NEAR"),
        ("frm:a", "frm: is not something a search can be narrowed by", "frm:"),
        ("a from: b", "from: has no value", "from:"),
        ("(From:)", "From: has no value", "From:"),
        ('from:" "', "from: has no value", 'from:" "'),
        ("from:@", "from:@ has nothing to look for", "@"),
        ("tag:# a", "tag:# has nothing to look for", "#"),
        ("url:https://", "url:https:// has nothing to look for", "https://"),
        ("from:(a OR b)", "from: takes one value, and no parentheses", "("),
        ("from:a*", "from: takes no star", "*"),
        ("#fl*", "tag: takes no star", "*"),
        ("kind:tweet", "kind:tweet is not a kind of record", "tweet"),
        ('kind:"a\nb"', "kind:a␊b is not a kind of record", '"a\nb"'),
        ("has:sound", "has:sound is not something a record can have", "sound"),
        ("is:gone", "is:gone is not something a record can be", "gone"),
        ("action:tickle", "tickle is not an action of moderation", "tickle"),
        ("since:2026-02-30", "2026-02-30 is not a date", "2026-02-30"),
        ("until:soon", "soon is not a date", "soon"),
        ("-since:2026", "-since: cannot be read", "-since:2026"),
        ("a NOT (until:2026)", "NOT until: cannot be read", "NOT (until:2026)"),
        ("since:2026-02 a until:2026-01", "this ends before since: begins", "until:2026-01"),
        ("until:2026-01 (a since:2026-02)", "this ends before since: begins", "until:2026-01"),
    ],
)
def test_a_mistake_is_named_at_its_place(text: str, sentence: str, place: str) -> None:
    with pytest.raises(QueryMistake) as caught:
        parse_query(text)
    mistake = caught.value
    assert mistake.what == sentence
    assert text[mistake.span.start : mistake.span.end] == place
    assert mistake.exit_code == 2


def test_a_close_name_is_suggested_and_all_names_are_listed() -> None:
    with pytest.raises(QueryMistake) as caught:
        parse_query("frm:a")
    assert str(caught.value.hint).startswith("did you mean from:? there are from:, to:, mention:")
    with pytest.raises(QueryMistake) as caught:
        parse_query("kind:replies")
    assert str(caught.value.hint).startswith("did you mean kind:reply? one of: post, reply")
    with pytest.raises(QueryMistake) as caught:
        parse_query("qqqq:a")
    assert str(caught.value.hint).startswith("there are from:")


def test_a_day_alone_and_dates_of_two_alternatives_are_no_contradiction() -> None:
    assert read("since:2026-01-01 until:2026-01-01") == both(
        field("since", 1_767_225_600_000), field("until", 1_767_312_000_000)
    )
    parse_query("since:2026 OR until:2025")


def test_as_many_words_as_allowed_are_read_and_one_more_is_refused_at_its_place() -> None:
    words = " OR ".join(f"w{number}" for number in range(MAXIMUM_PARTS))
    assert len(list(leaves(parse_query(words).root))) == MAXIMUM_PARTS
    with pytest.raises(QueryMistake, match="more than 1,000 words and filters") as caught:
        parse_query(words + " OR last")
    assert caught.value.span == (len(words) + 4, len(words) + 8)
    with pytest.raises(QueryMistake, match="more than 1,000 words"):
        parse_query('"' + "a " * (MAXIMUM_PARTS + 1) + '"')


def test_a_long_query_is_read_up_to_its_limit() -> None:
    assert read("a" * MAXIMUM_CHARACTERS) == word("a" * MAXIMUM_CHARACTERS)
    with pytest.raises(QueryMistake, match="longer than 20,000 characters") as caught:
        parse_query("a" * (MAXIMUM_CHARACTERS + 1))
    assert caught.value.span == (MAXIMUM_CHARACTERS, MAXIMUM_CHARACTERS + 1)


def test_parentheses_stand_in_one_another_up_to_a_limit() -> None:
    assert read("(" * MAXIMUM_DEPTH + "a" + ")" * MAXIMUM_DEPTH) == word("a")
    assert read("(a)" * (MAXIMUM_DEPTH + 1)) == both(*[word("a")] * (MAXIMUM_DEPTH + 1))
    with pytest.raises(QueryMistake, match="100 parentheses") as caught:
        parse_query("(" * (MAXIMUM_DEPTH + 1) + "a" + ")" * (MAXIMUM_DEPTH + 1))
    assert caught.value.span == (MAXIMUM_DEPTH, MAXIMUM_DEPTH + 1)
    assert read("-" * 10_000 + "a") == word("a")


def test_no_more_parts_than_can_be_read_for_are_asked_for() -> None:
    parts = [f"*x{number}*" for number in range(51)]
    parse_query(" OR ".join(parts[:50]))
    with pytest.raises(
        QueryMistake, match="more than 50 parts are to be found by reading every text"
    ) as caught:
        parse_query(" OR ".join(parts))
    assert caught.value.query[slice(*caught.value.span)] == "*x50*"
