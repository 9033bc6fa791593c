"""Whatever is typed is answered or refused by the parser, near and far: never an error of SQL."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archiver.errors import UsageError
from archiver.records import Link, MediaReference, Mention
from archiver.search.language import FIELDS, KINDS, QueryMistake, parse_query
from archiver.search.run import Searcher
from archiver.search.sql.statement import Order
from tests.made_vaults import IN_MEMORY, OTHER_ACCOUNT, Made, VaultMaker, like, message, moderation, post
from tests.properties.test_search import near_and_far

Searchers = tuple[Searcher, Searcher]
ORDERS: tuple[Order, ...] = ("newest", "oldest", "relevance")


@pytest.fixture(scope="module")
def searchers() -> Iterator[Searchers]:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        maker = VaultMaker(Path(folder) / "vault")
        maker.add(
            "2026-01-01",
            [
                post("1", "a flood of \"quotes\" and 'ticks' 100% a_b \\ 😀", 1, hashtags=("Flood",),
                     mentions=(Mention("9", "nobody", None),),
                     links=(Link("s", "https://a.example/b", None),),
                     media=(MediaReference(None, "photo", "u", "n", "b NEAR a"),)),
                post("2", "flooding AND roads OR a NOT b 東京", 2, kind="reply", account=OTHER_ACCOUNT),
                message("3", "a b c", 3),
                like("4", "a liked b", 4),
            ],
            [],
        )  # fmt: skip
        maker.add("2026-02-01", [Made(post("1", "a changed flood", 1), 2), moderation("m1", text="a b")])
        with near_and_far(maker) as opened:
            yield opened


def ask(searchers: Searchers, text: str, orders: Sequence[Order] = ORDERS, *, few: bool = True) -> int | None:
    """How many are found, near and far; None where the parser refuses. `few`: also those of a first page."""
    try:
        query = parse_query(text)
    except QueryMistake:
        return None
    number = None
    for order in orders:
        try:
            near, far = (one.search(query, order=order, limit=0) for one in searchers)
        except UsageError:  # too many words near each other, or with too many forms
            assert "NEAR" in text
            return None
        assert near == far, (order, text)
        assert number is None or number == len(near.hits)
        number = len(near.hits)
        if few:
            page = searchers[0].search(query, order=order, limit=1)
            assert page.hits == near.hits[:1]
            assert page.more == (number > 1)
    return number


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60))
@example("a\0b")
@example("a\udcff")
@example("\U00016fe0 a")
@example('"a*" b^ ^a text:a alt_text:b')
@example("from:\"a'; DROP TABLE post; --\" account:'")
@example("*'*")
@example('*"*')
@example("*%* *_* *\\* %")
@example("url:% url:_ url:\\ url:'")
@example("url:http://[::1 url:/ url:?")
@example("tag:' OR mention:\" OR id:; OR lang:--")
@example("'*' OR 😀 OR 東京 OR *東*")
@example("since:0001-01-01 a")
@example("until:9998-12-31 a")
@example("id:99999999999999999999999999 OR conversation:-1")
@example('by:" " OR reason:\u0301')
def test_any_text_is_answered_or_refused(searchers: Searchers, text: str) -> None:
    ask(searchers, text)


PIECES = [
    *("a", "b", "flood", "flood~1", "flood~2", "floo*", '"a b"', '"flood of"', '"a b*"', "don't", "x_y"),
    "😀",
    *("*loo*", "*a*", "東京", "-a", "-flood", "NOT b", "-(a OR b)", "-(a -b)", "(a OR -b)", "((a))"),
    *("OR", "AND"),
    *("NEAR", "NEAR/3", "(", ")", "-", '"', "*", "~1", "^", ":", "--", ";", "'", "#flood", "@nobody"),
    *(f"{field}:{value}" for field in FIELDS for value in ("a", '"flood"', "1")),
    *(f"kind:{kind}" for kind in KINDS),
    *("is:reply", "is:deleted", "is:edited", "is:moderated", "-is:edited", "has:link", "has:alt"),
    "-has:media",
    *("since:1970", "until:1970-01-01", "action:hide", "-reason:spam", "url:a.example", "url:a.example/b"),
]  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=7))
def test_operators_in_any_order_are_answered_or_refused(searchers: Searchers, pieces: list[str]) -> None:
    ask(searchers, " ".join(pieces))


LONG = {
    "5,000 OR-terms": " OR ".join(["a"] * 5000),
    "5,000 other OR-terms": " OR ".join(f"a{number}" for number in range(5000)),
    "1,001 words": " ".join(["a"] * 1001),
    "101 parentheses": "(" * 101 + "a" + ")" * 101,
    "20,001 characters": "a" * 20_001,
    "only a sign": "-",
    "nothing": "   ",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_what_is_too_much_is_refused_with_where_and_what_to_do(text: str) -> None:
    with pytest.raises(QueryMistake) as caught:
        parse_query(text)
    assert caught.value.message
    assert caught.value.hint


ANSWERED = {
    "1,000 words": (" ".join(["a"] * 1000), 3),
    "1,000 other words": (" ".join(f"a{number}" for number in range(1000)), 0),
    "1,000 OR-terms": (" OR ".join(f"x{number}" for number in range(999)) + " OR flood", 2),
    "1,000 excluded": ("a " + " ".join(f"-x{number}" for number in range(999)), 3),
    "nothing but 1,000 excluded": (" ".join(f"-x{number}" for number in range(1000)), 3),
    "1,000 prefixes": (" OR ".join(f"f{'l' * (number % 9)}*" for number in range(1000)), 2),
    "1,000 accounts": (" OR ".join(f"account:{number}" for number in range(999)) + " OR account:1001", 2),
    "1,000 that are not its author": (" ".join(f"-from:{number}" for number in range(1000)), 2),
    "50 parts": (" OR ".join(f"*x{number}*" for number in range(49)) + " OR *loo*", 2),
    "100 parentheses": ("(" * 100 + "a" + ")" * 100, 3),
    "100 parentheses each with more": ("(a OR " * 100 + "b" + ")" * 100, 3),
    "100 parentheses of turns": ("(a -(b " * 50 + "nothere" + "))" * 50, 1),
    "100 parentheses that narrow": ("(a OR (b a " * 50 + "b" + "))" * 50, 3),
    "a phrase of 1,000 words": ('"' + "a " * 1000 + '"', 0),
    "10,000 characters of one word": ("a" * 10_000, 0),
    "10,000 characters of signs": ("a" + "-a" * 900, 0),
    "a row of NEAR": (" NEAR/9 ".join(["a", "b"] * 4), 3),
}  # fmt: skip


@pytest.mark.parametrize(("text", "number"), ANSWERED.values(), ids=ANSWERED.keys())
def test_what_is_just_not_too_much_is_answered(searchers: Searchers, text: str, number: int) -> None:
    """A statement of 1,000 conditions takes SQLite 60 ms to prepare; without words relevance is just another
    order, of the same statements."""
    orders = ORDERS if parse_query(text).has_words else ORDERS[:1]
    assert ask(searchers, text, orders, few=False) == number
