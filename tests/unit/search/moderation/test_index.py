"""Which moderation records a query finds, in which order, and whether as they stand."""

from collections.abc import Sequence

import pytest

from archiver.records import Moderation
from archiver.search.hit import Hit
from archiver.search.language import parse_query
from archiver.search.moderation import Held, hold
from archiver.search.moderation.index import find_moderation
from archiver.search.sql.statement import Order
from archiver.sources.moderation import encode_entry
from tests.unit.search.moderated import MINUTE_MS, NOVEMBER_MS, decision, done, later

FIRST = decision(1, text="You DONKEYS block the road", reason_text="insult on the Café thread")
CORRECTED = later(done(FIRST), "correction", reason_codes=("spam",), reason_text="advertising")
SECOND = decision(
    2, text="a threat", reason_codes=("threatening", "abusive"), action="blocked", way="hand",
    entered_by="Zoë Example", authorised_by="Inspector Example", account="7", account_handle="Traffic",
)  # fmt: skip
UNDONE = later(
    later(done(decision(3)), "reversal", action="unhidden", state="planned", entry_note="mistaken identity"),
    "outcome", state="done", action="unhidden", action_by="Night Desk",
)  # fmt: skip
THIRD = (
    decision(3),
    done(decision(3)),
    later(done(decision(3)), "reversal", action="unhidden", state="planned", entry_note="mistaken identity"),
    UNDONE,
)
ENTRIES = [FIRST, done(FIRST), CORRECTED, SECOND, *THIRD]


def find(
    query: str, order: Order = "oldest", entries: Sequence[Moderation] = ENTRIES, language: str = "english"
) -> list[Hit]:
    return find_moderation(hold([], entries), parse_query(query), order, language=language)


def found(query: str, order: Order = "oldest") -> str:
    """The numbers of the records; in brackets where only what was corrected since matches."""
    return "".join(
        f"({number})" if hit.superseded else number
        for hit in find(query, order)
        for number in [str(int(hit.id[:8], 16))]
    )


@pytest.mark.parametrize(
    ("query", "records"),
    [
        ("kind:moderation", "123"),
        ("kind:moderation donkeys", "13"),
        ('kind:moderation "block the road"', "1"),
        ('kind:moderation "road insult"', ""),
        ("kind:moderation donk*", "13"),
        ("kind:moderation donkeys -road", "3"),
        ("kind:moderation -donkeys", "2"),
        ("kind:moderation cafe", "(1)"),
        ("kind:moderation advertising", "1"),
        ("kind:moderation cafe advertising", "(1)"),
        ('kind:moderation "advertising insult"', ""),
        ("kind:moderation -cafe", "123"),
        ("kind:moderation mistaken", "3"),
        ("kind:moderation threat OR advertising", "12"),
        ("reason:abusive", "(1)23"),
        ("reason:ABUSIVE", "(1)23"),
        ("reason:spam", "1"),
        ("-reason:abusive", "1"),
        ("-reason:spam", "23"),
        ("reason:spam OR reason:threatening", "12"),
        ("reason:abus", ""),
        ("action:hide", "13"),
        ("action:unhidden", "3"),
        ("action:block", "2"),
        ("-action:hidden", "23"),
        ('by:"duty officer"', "13"),
        ('by:"zoe\u0308 example"', "2"),
        ("by:ZOË", ""),
        ('by:"Inspector Example"', "2"),
        ('by:"night desk"', "3"),
        ('-by:"Night Desk"', "12"),
        ("kind:moderation from:@NOBODY_2", "2"),
        ("kind:moderation author:93", "3"),
        ("kind:moderation -author:nobody_2", "13"),
        ("kind:moderation account:springfieldpolice", "13"),
        ("kind:moderation account:7", "2"),
        ("kind:moderation -account:Traffic", "13"),
        ("kind:moderation since:2026-11-03 until:2026-11-03", "123"),
        ("kind:moderation since:2026-11-04", ""),
        ("kind:moderation until:2026-11-02", ""),
        ("word kind:post", ""),
    ],
)
def test_a_record_is_found_by_what_any_entry_says_and_excluded_by_what_stands(
    query: str, records: str
) -> None:
    assert found(query) == records
    backwards = [hit.id for hit in find(query, "newest")]
    assert backwards == [hit.id for hit in find(query)][::-1]


def test_what_was_reversed_was_not_corrected() -> None:
    """Whoever allowed or did what was undone did so; only what a correction says otherwise is not so."""
    hidden = decision(1, authorised_by="Inspector Example")
    acted = done(hidden, action_by="Night Desk")
    undone = later(acted, "reversal", action="unhidden", state="planned", authorised_by="Head")
    taken_back = later(done(decision(2, action="warned")), "reversal")
    called_off = later(decision(3, action="blocked"), "reversal", action="none", state="done")
    named = later(
        decision(4, authorised_by="Inspector Example"), "correction", authorised_by="Head", action="muted"
    )
    cleared = later(decision(5, authorised_by="Inspector Example"), "correction", cleared=("authorised_by",))
    entries = [hidden, acted, undone, decision(2, action="warned"), taken_back, decision(3, action="blocked"),
               called_off, decision(4, authorised_by="Inspector Example"), named,
               decision(5, authorised_by="Inspector Example"), cleared]  # fmt: skip

    def superseded(query: str) -> dict[str, bool]:
        return {hit.id[7:8]: hit.superseded for hit in find(query, entries=entries)}

    assert superseded("action:hidden") == {"1": False, "4": True, "5": False}
    assert superseded("action:warned OR action:blocked") == {"2": False, "3": False}
    assert superseded('by:"Inspector Example"') == {"1": False, "4": True, "5": True}
    assert superseded('by:"Night Desk" action:hidden') == {"1": False}


def test_a_handle_that_one_record_has_of_an_account_finds_all_of_the_accounts_records() -> None:
    entries = [decision(1), decision(2, account_handle=None), decision(3, account_handle="OldName")]
    assert len(find("kind:moderation account:oldname", entries=entries)) == 3
    assert find("kind:moderation account:other", entries=entries) == []


def test_a_hit_says_where_the_record_lies_how_many_entries_it_has_and_what_it_is_now() -> None:
    first, last = decision(1), done(decision(1))
    records = hold([Held(first, encode_entry(first), "2026-11-01")], [last, decision(2)])
    newer, older = find_moderation(records, parse_query("kind:moderation"), "newest")
    assert (newer.archive, newer.sealed_in, newer.in_spool, newer.versions) == ("spool", None, True, 1)
    assert (older.archive, older.sealed_in, older.in_spool, older.versions) == (
        "2026-11-01", "2026-11-01", True, 2,
    )  # fmt: skip
    assert older.kind == "moderation"
    assert older.posted_ms == NOVEMBER_MS + MINUTE_MS
    assert older.moderation is not None
    assert older.moderation.now.state == "done"


def test_the_most_relevant_come_first() -> None:
    entries = [
        decision(1, text="road " + "word " * 50),
        decision(2, text="road road road"),
        *(decision(number, text="nothing of it") for number in range(3, 9)),
    ]
    ranked = find("kind:moderation road", "relevance", entries)
    assert [hit.text[:9] for hit in ranked] == ["road road", "road word"]
    assert ranked[0].score < ranked[1].score


def test_a_record_without_text_is_found_by_its_filters_and_excluded_by_no_word() -> None:
    entries = [decision(1, text=None, content="unseen", unseen="gone", reason_text=None, reason_codes=())]
    assert [hit.text for hit in find("kind:moderation -road", entries=entries)] == [""]
    assert find("kind:moderation road", entries=entries) == []
    assert len(find("-reason:spam", entries=entries)) == 1
