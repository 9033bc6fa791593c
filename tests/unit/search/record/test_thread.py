"""The thread around posts and messages: whole, in order, cut where it is long, and no trap for a follower."""

from contextlib import closing
from pathlib import Path

import pytest

from archiver.records import Person
from archiver.search.record.thread import ANSWERS, Anchor, Missing, Thread, find_naming, find_thread
from tests.made_vaults import ACCOUNT, DAY_MS, HANDLE, OTHER_ACCOUNT, Made, VaultMaker, message, post


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    return VaultMaker(tmp_path / "vault")


def threads(
    maker: VaultMaker, *ids: str, table: str = "post", before: int = 99, after: int = 99
) -> list[Thread]:
    with closing(maker.searcher()) as searcher:
        anchors = [Anchor(table, "x", ACCOUNT, one) for one in ids]
        return find_thread(searcher, anchors, before=before, after=after)


def ids_of(thread: Thread) -> tuple[list[str], list[str]]:
    return [line.id for line in thread.before], [line.id for line in thread.after]


def answer(platform_id: str, to: str | None, day: int, **fields: object) -> object:
    known = {"kind": "reply", "in_reply_to_id": to, "in_reply_to_handle": "someone", "author_handle": "other"}
    return post(platform_id, f"text of {platform_id}", day * DAY_MS, **{**known, **fields})


def test_a_thread_over_archives_is_what_is_answered_and_all_answers_in_order_of_time(
    maker: VaultMaker,
) -> None:
    maker.add("2026-01-01", [answer("14", "13", 14), answer("15", "12", 15)])
    maker.add("2026-01-02", [post("11", "root", 11 * DAY_MS), post("90", "another", 12 * DAY_MS)])
    maker.add("2026-01-03", [answer("13", "12", 13)], [answer("12", "11", 12), answer("16", "15", 16)])
    (thread,) = threads(maker, "13")
    assert ids_of(thread) == (["11", "12"], ["14"])
    assert thread.record is not None
    assert (thread.record.id, thread.record.author, thread.record.text) == ("13", "other", "text of 13")
    assert [line.archive for line in thread.lines] == ["2026-01-02", "2026-01-03", "2026-01-03", "2026-01-01"]
    assert (thread.more_before, thread.more_after, thread.missing, thread.is_cut) == (0, 0, (), False)
    assert ids_of(threads(maker, "11")[0]) == ([], ["12", "13", "14", "15", "16"])


def test_what_else_belongs_to_the_conversation_is_in_it_by_its_own_id_and_by_its_first_posts(
    maker: VaultMaker,
) -> None:
    talk = {"conversation_id": "10"}
    maker.add(
        "2026-01-01",
        [
            answer("12", "11", 12, **talk), answer("13", "11", 13, **talk), answer("19", "18", 13),
            answer("11", "10", 11), post("10", "root", 10 * DAY_MS),
            answer("20", "8", 20, conversation_id="8"),
        ],
    )  # fmt: skip
    assert ids_of(threads(maker, "12")[0]) == (["10", "11"], ["13"])
    assert ids_of(threads(maker, "11")[0]) == (["10"], ["12", "13"])
    assert ids_of(threads(maker, "10")[0]) == ([], ["11", "12", "13"])


def test_what_a_post_quotes_or_repeats_is_in_its_thread(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "seen", DAY_MS), post("2", "quoted", 2 * DAY_MS, quote_of_id="1")])
    maker.add("2026-01-02", [post("3", "RT", 3 * DAY_MS, kind="repost", repost_of_id="2")])
    assert ids_of(threads(maker, "2")[0]) == (["1"], [])
    assert ids_of(threads(maker, "3")[0]) == (["2"], [])


def test_what_is_not_held_of_a_chain_is_named(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [answer("3", "2", 3), answer("2", "1", 2), post("9", "q", 9, quote_of_id="8")])
    (thread, quoting) = threads(maker, "3", "9")
    assert thread.missing == (Missing("replies to", "1", "someone", "2"),)
    assert quoting.missing == (Missing("quotes", "8", None, "9"),)


def test_answers_to_an_earlier_version_of_a_post_are_answers_to_it(maker: VaultMaker) -> None:
    edits = ("10", "11")
    first = post("10", "one", DAY_MS, edit_ids=edits)
    second = post("11", "two", DAY_MS + 1, record_id="10", edit_ids=edits)
    maker.add("2026-01-01", [first, Made(second, 2), answer("20", "10", 2), answer("21", "11", 3)])
    for asked in edits:
        (thread,) = threads(maker, asked)
        assert ids_of(thread) == ([], ["20", "21"])
        assert thread.record is not None
        assert thread.record.text == "two"
    assert [line.id for line in threads(maker, "20")[0].before] == ["11"]


def test_only_the_nearest_lines_are_given_the_records_own_first_and_the_others_counted(
    maker: VaultMaker,
) -> None:
    talk = {"conversation_id": "1"}
    others = [answer(str(number), "1", number, **talk) for number in range(3, 40)]
    own = [answer("50", "2", 50, **talk), answer("60", "50", 60, **talk)]
    later = [answer(str(number), "1", number, **talk) for number in (51, 52, 53)]
    maker.add(
        "2026-01-01", [post("1", "root", 1, **talk), answer("2", "1", 2, **talk), *others, *own, *later]
    )
    (thread,) = threads(maker, "50", before=3, after=2)
    assert ids_of(thread) == (["1", "2", "39"], ["51", "60"])
    assert (thread.more_before, thread.more_after) == (36, 2)
    (none,) = threads(maker, "50", before=0, after=0)
    assert (ids_of(none), none.more_before, none.more_after) == (([], []), 39, 4)


def test_posts_that_answer_each_other_in_a_circle_are_followed_once(maker: VaultMaker) -> None:
    maker.add(
        "2026-01-01", [answer("1", "3", 1), answer("2", "1", 2), answer("3", "2", 3), answer("4", "4", 4)]
    )
    for asked in ("1", "2", "3"):
        assert sorted(line.id for line in threads(maker, asked)[0].lines) == ["1", "2", "3"]
    assert [line.id for line in threads(maker, "4")[0].lines] == ["4"]


def test_a_chain_that_does_not_end_is_followed_for_a_while_and_said_to_go_on(maker: VaultMaker) -> None:
    chain = [answer(str(1000 + number), str(999 + number), number) for number in range(1, 600)]
    maker.add("2026-01-01", chain)
    (thread,) = threads(maker, "1300", before=5, after=5)
    assert ids_of(thread) == (
        ["1295", "1296", "1297", "1298", "1299"], ["1301", "1302", "1303", "1304", "1305"],
    )  # fmt: skip
    assert thread.is_cut
    assert thread.missing == ()
    assert 50 < thread.more_before < 150
    assert 50 < thread.more_after < 150


def test_ten_thousand_answers_are_counted_and_few_given(maker: VaultMaker) -> None:
    answers = [answer(str(10_000 + number), "1", 2 + number % 7) for number in range(10_000)]
    maker.add("2026-01-01", [post("1", "root", DAY_MS), *answers])
    (thread,) = threads(maker, "1", after=100)
    assert (len(thread.after), thread.more_after, thread.is_cut) == (100, 9_900, False)


def test_more_answers_than_are_read_are_said_to_be_more(maker: VaultMaker) -> None:
    answers = [answer(str(100_000 + number), "1", 2) for number in range(20_400)]
    maker.add("2026-01-01", [post("1", "root", DAY_MS), *answers])
    (thread,) = threads(maker, "1", after=100)
    assert thread.is_cut
    assert 20_000 < 100 + thread.more_after < 20_400


def test_the_same_post_of_several_accounts_is_one_line(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "root", DAY_MS), answer("2", "1", 2)])
    maker.add("2026-01-02", [answer("2", "1", 2, account=OTHER_ACCOUNT), answer("3", "1", 3)])
    assert ids_of(threads(maker, "1")[0]) == ([], ["2", "3"])


def test_answers_are_found_by_indexes_in_new_segments_and_by_reading_through_older_ones(
    maker: VaultMaker,
) -> None:
    maker.add_sealed_before(3)
    maker.add("2026-12-01", [post("1", "a")])
    with closing(maker.searcher()) as searcher:
        sql, values = f"EXPLAIN QUERY PLAN {ANSWERS}", ("[]", "[]", 9)
        plans = [
            [row[3] for row in searcher.segments.rows(one, sql, values)] for one in searcher.segments.all
        ]
    assert "SCAN r" in plans[0]
    assert "SCAN r" not in plans[1]
    for column in ("in_reply_to_id", "conversation_id"):
        assert f"SEARCH r USING INDEX post_{column} ({column}=?)" in plans[1]


def test_older_segments_are_read_through_for_answers(maker: VaultMaker) -> None:
    maker.add_sealed_before(3)
    (thread,) = threads(maker, "80002")
    assert ids_of(thread)[1] == ["80003", "80004", "80005", "80006", "80007", "80008", "80011"]
    assert thread.missing == ()


@pytest.mark.parametrize("schema", [1, 2])
def test_the_conversation_of_a_message_of_an_older_segment_is_found(maker: VaultMaker, schema: int) -> None:
    maker.add_sealed_before(schema)
    with closing(maker.searcher()) as searcher:
        (segment,) = searcher.segments.all
        sql = "SELECT platform_id, conversation_id FROM message ORDER BY key"
        rows = searcher.segments.rows(segment, sql, ())
        own, conversation = rows[0]
        (thread,) = find_thread(searcher, [Anchor("message", "x", "", own)], before=9, after=9)
    assert [line.id for line in thread.lines] == list(
        dict.fromkeys(one for one, talk in rows if talk == conversation)
    )


def test_around_a_message_is_its_conversation_each_message_once(maker: VaultMaker) -> None:
    named = (Person("sender", "9", "resident", "A Resident"),)
    maker.add("2026-01-01", [message(str(day), "m", day * DAY_MS, people=named) for day in range(1, 6)])
    maker.add(
        "2026-01-02",
        [
            Made(message("5", "changed", 5 * DAY_MS), 2), message("6", "m", 6 * DAY_MS, sender_id=ACCOUNT),
            message("7", "elsewhere", 6 * DAY_MS, conversation_id="other"), message("8", "m", 8 * DAY_MS),
        ],
    )  # fmt: skip
    (thread,) = threads(maker, "4", table="message", before=2, after=2)
    assert ids_of(thread) == (["2", "3"], ["5", "6"])
    assert (thread.more_before, thread.more_after, thread.is_cut) == (1, 1, False)
    assert [line.author for line in thread.lines] == ["resident", "resident", "resident", None, HANDLE]
    assert thread.after[0].text == "changed"


def test_many_records_of_both_kinds_are_asked_for_in_one_go(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "root", DAY_MS), answer("2", "1", 2), message("1", "m", 1)])
    with closing(maker.searcher()) as searcher:
        asked = [
            Anchor("post", "x", ACCOUNT, "2", 2 * DAY_MS), Anchor("message", "x", ACCOUNT, "1"),
            Anchor("post", "x", ACCOUNT, "77"), Anchor("post", "x", ACCOUNT, "1", DAY_MS),
        ]  # fmt: skip
        found = find_thread(searcher, asked, before=5, after=5)
    assert [[line.id for line in thread.lines] for thread in found] == [["1", "2"], ["1"], [], ["1", "2"]]
    assert [thread.record is not None for thread in found] == [True, True, False, True]


def test_posts_that_name_one_which_is_not_held_are_found(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [answer("5", "1", 5), post("4", "q", 4 * DAY_MS, quote_of_id="1")])
    maker.add(
        "2026-01-02",
        [
            post("3", "r", 3 * DAY_MS, repost_of_id="1"), answer("2", "7", 2, conversation_id="1"),
            post("11", "none"),
        ],
    )  # fmt: skip
    with closing(maker.searcher()) as searcher:
        assert [line.id for line in find_naming(searcher, "1")] == ["2", "3", "4", "5"]
        for other in ("", "12", "\udcff", "a\0b", "') OR 1=1 --"):
            assert find_naming(searcher, other) == []


def test_far_away_the_same_is_found_in_few_requests(tmp_path: Path) -> None:
    near = VaultMaker(tmp_path / "vault")
    for month in range(12):
        posts = [
            answer(str(100 * month + n), str(100 * (month - 1) + n), 30 * month + n) for n in range(1, 9)
        ]
        near.add(
            f"2026-{month + 1:02}-01", [*posts, *(message(str(1000 * month + n), "m", n) for n in range(9))]
        )
    found = [threads(near, "505", "308"), threads(near, "5003", table="message")]
    near.is_far = True
    with closing(near.searcher()) as searcher:
        anchors = [Anchor("post", "x", ACCOUNT, one) for one in ("505", "308")]
        assert find_thread(searcher, anchors, before=99, after=99) == found[0]
        around = [Anchor("message", "x", ACCOUNT, "5003")]
        assert find_thread(searcher, around, before=99, after=99) == found[1]
        assert searcher.effort().requests < 12 * 6
    assert [len(thread.lines) for thread in (*found[0], *found[1])] == [12, 12, 108]
