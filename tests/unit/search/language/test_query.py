"""What a whole query implies: kinds of record, bounds in time, whether hits can be ranked."""

import pytest

from archiver.search.language import KINDS, POST_KINDS, QueryMistake, parse_query

POSTS = frozenset(POST_KINDS)
WRITTEN = POSTS | {"message"}
ALL = frozenset(KINDS)
RELATIONS = ALL - WRITTEN - {"moderation"}
MODERATION = frozenset({"moderation"})


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a", WRITTEN),
        ("-a", WRITTEN),
        ("lang:en", POSTS),
        ("a OR lang:en", WRITTEN),
        ("-lang:en", WRITTEN),
        ("has:link", WRITTEN),
        ("has:alt a", POSTS),
        ("is:deleted", WRITTEN),
        ("from:a since:2026", WRITTEN),
        ("reason:a", MODERATION),
        ("a by:b", MODERATION),
        ("a -action:hide", MODERATION),
        ("a OR reason:b", WRITTEN | MODERATION),
        ("-kind:reply", WRITTEN - {"reply"}),
        ("-kind:like", WRITTEN),
        ("kind:like", frozenset({"like"})),
        ("kind:like OR kind:post a", frozenset({"like", "post"})),
        ("kind:like OR a", ALL),
        ("kind:like OR lang:en", POSTS | {"like"}),
        ("kind:post OR kind:moderation by:a", MODERATION),
        ("kind:post -by:a", frozenset({"post"})),
        ("(kind:post OR kind:reply) -kind:post", frozenset({"reply"})),
        ("kind:post OR -kind:post is:deleted", ALL - MODERATION),
        ("-(kind:post lang:en) kind:post", frozenset({"post"})),
        ("kind:like since:2026 account:a platform:x id:1 a", frozenset({"like"})),
    ],
)
def test_kinds_that_can_be_among_the_hits(text: str, kinds: frozenset[str]) -> None:
    query = parse_query(text)
    assert query.kinds == kinds
    assert {kind for kind in KINDS if query.wants(kind)} == kinds


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("kind:post (kind:reply OR kind:quote)", "kind:reply OR kind:quote"),
        ("kind:post -kind:post", "-kind:post"),
        ("kind:post a reason:b", "reason:b"),
        ("kind:like from:a", "from:a"),
        ("lang:en by:a is:edited", "by:a"),
        ("lang:en -by:a", "-by:a"),
        ("a (kind:like has:link) b", "has:link"),
        ("a (kind:like (has:link OR lang:en))", "has:link OR lang:en"),
        ("kind:like has:link OR to:a", "has:link OR to:a"),
        ("(lang:en by:a) OR (kind:like to:b)", "by:a"),
        ("a ((kind:like has:link) OR (kind:like to:b)) c", "has:link"),
        ("-(kind:post OR -kind:post)", "-(kind:post OR -kind:post)"),
    ],
)
def test_what_no_kind_of_record_has_is_a_mistake_at_the_latter_of_two_parts(text: str, place: str) -> None:
    with pytest.raises(QueryMistake, match="no kind of record has all of this") as caught:
        parse_query(text)
    span = caught.value.span
    assert text[span.start : span.end] == place


@pytest.mark.parametrize(
    ("text", "since_ms", "until_ms"),
    [
        ("a", None, None),
        ("since:2026-01-01", 1_767_225_600_000, None),
        ("since:2026 a since:2026-01-02", 1_767_312_000_000, None),
        ("until:2026-01-01 until:2027", None, 1_767_312_000_000),
        ("since:2026 OR since:2026-01-02", 1_767_225_600_000, None),
        ("until:2025-12-31 OR until:2026-01-01", None, 1_767_312_000_000),
        ("since:2026 OR a", None, None),
        ("(since:2026 until:2026-01-01) OR (since:2026-01-01 a)", 1_767_225_600_000, None),
        ("-(a since:2026)", None, None),
        ("(a OR b since:2026) c", 1_767_225_600_000, None),
    ],
)
def test_bounds_in_time_that_hold_for_all_hits(text: str, since_ms: int | None, until_ms: int | None) -> None:
    query = parse_query(text)
    assert (query.since_ms, query.until_ms) == (since_ms, until_ms)


@pytest.mark.parametrize(
    ("text", "has_words"),
    [
        ("a", True),
        ('from:a "b c"', True),
        ("a NEAR b", True),
        ("from:a OR b", True),
        ("-a", False),
        ("from:a -(b c)", False),
        ("*a*", False),
        ("since:2026", False),
    ],
)
def test_hits_can_be_ranked_by_words_that_were_asked_for(text: str, has_words: bool) -> None:
    assert parse_query(text).has_words is has_words


@pytest.mark.parametrize("field", ["from", "to", "account", "platform", "lang", "conversation"])
def test_two_values_of_what_a_record_has_one_of_are_a_mistake_that_names_the_way_out(field: str) -> None:
    with pytest.raises(QueryMistake, match=f"no record has two different {field}:") as caught:
        parse_query(f"word {field}:one {field}:two")
    assert caught.value.expected == f"for either of them: {field}:one OR {field}:two"
    assert caught.value.query[slice(*caught.value.span)] == f"{field}:two"
    parse_query(f"{field}:one {field}:One -{field}:two")
    parse_query(f"{field}:one OR {field}:two")
