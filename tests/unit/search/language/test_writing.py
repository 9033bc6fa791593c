"""A tree written as a query again."""

import pytest

from archiver.search.language import format_query, parse_query


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("a  AND b", "a b"),
        ("a OR (b c)", "a OR (b c)"),
        ("NOT (a OR b)", "-(a OR b)"),
        ("a NEAR b*", "a NEAR/10 b*"),
        ("“Don't  stop”", '"don t stop"'),
        ("don't*", '"don t"*'),
        ('"abc"~1 bcd~2', '"abc"~1 bcd~2'),
        ("*F-a* 道路 £", '*"f-a"* "道路" "£"'),
        ("#Tag author:@a", "tag:Tag from:a"),
        ('from:"a b" client:"c*"', 'from:"a b" client:"c*"'),
        (
            "since:2026-07-01 until:2026-07-01",
            "since:2026-06-30T23:00:00.000Z until:2026-07-01T22:59:59.999Z",
        ),
    ],
)
def test_a_query_is_written_in_one_way(typed: str, written: str) -> None:
    assert format_query(parse_query(typed).root) == written
    assert format_query(parse_query(written).root) == written
