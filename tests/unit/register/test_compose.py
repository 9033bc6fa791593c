"""Entries made into records: what stands now, what was ever decided, in whatever order entries are found."""

from itertools import permutations
from typing import Any

import msgspec

from archiver.records import Moderation
from archiver.register import compose, records_of
from tests.made_vaults import moderation


def later(number: int, entry: str, **fields: Any) -> Moderation:
    known: dict[str, Any] = {
        "record_id": "m1", "number": number, "entry": entry, "entered_by": f"Person {number}",
        "corrects": "m1" if number == 2 else f"m1-{number - 1}", "entered_ms": number * 10,
    }  # fmt: skip
    return moderation(f"m1-{number}", **{**known, **fields})


FIRST = moderation(
    "m1", entered_ms=10, item_id="7", text="rude", house_rule="3", reason_codes=("abusive",), action="hidden",
    state="planned", way="api", authorised_by="R. Sample",
)  # fmt: skip
DONE = later(2, "outcome", state="done", action_ms=20, action_by="program", outcome="hidden: true")
CORRECTED = later(3, "correction", entry_note="another rule", house_rule="4", reason_codes=("spam",))
REVERSED = later(4, "reversal", action="unhidden", state="planned", way="hand", entry_note="a mistake")


def test_a_decision_alone_is_a_record_as_it_stands() -> None:
    record = compose([FIRST])
    assert (record.entries, record.now, record.last, record.id) == ((FIRST,), FIRST, FIRST, "m1")
    assert record.is_pending


def test_a_later_entry_adds_and_puts_right_and_leaves_the_rest() -> None:
    record = compose([FIRST, DONE, CORRECTED])
    assert record.now == msgspec.structs.replace(
        FIRST, state="done", action_ms=20, action_by="program", outcome="hidden: true", house_rule="4",
        reason_codes=("spam",),
    )  # fmt: skip
    assert record.last == CORRECTED
    assert not record.is_pending


def test_what_came_of_an_action_is_no_part_of_the_next() -> None:
    now = compose([FIRST, DONE, CORRECTED, REVERSED]).now
    assert (now.action, now.state, now.way) == ("unhidden", "planned", "hand")
    assert (now.action_ms, now.action_by, now.outcome) == (None, None, None)
    assert (now.house_rule, now.text, now.entered_by) == ("4", "rude", "M. Example")


def test_what_says_something_of_an_entry_alone_is_that_of_the_first() -> None:
    now = compose([FIRST, DONE, CORRECTED]).now
    assert (now.id, now.number, now.entry, now.entered_ms, now.entered_by) == (
        "m1", 1, "decision", 10, "M. Example",
    )  # fmt: skip
    assert (now.corrects, now.entry_note) == (None, None)


def test_the_order_in_which_entries_are_found_does_not_matter_nor_that_one_is_found_twice() -> None:
    entries = (FIRST, DONE, CORRECTED, REVERSED)
    wanted = compose(entries)
    assert wanted.entries == entries
    for some in permutations(entries):
        assert compose([*some, *some[:2]]) == wanted


def test_all_that_was_ever_decided_and_by_whom_is_remembered() -> None:
    record = compose([FIRST, DONE, CORRECTED, REVERSED])
    assert record.actions == ("hidden", "unhidden")
    assert record.reason_codes == ("abusive", "spam")
    assert record.people == ("M. Example", "R. Sample", "Person 2", "program", "Person 3", "Person 4")


def test_a_record_whose_first_entry_lies_elsewhere_is_what_the_others_say() -> None:
    record = compose([CORRECTED, DONE])
    assert (record.id, record.now.number, record.now.house_rule, record.now.text) == ("m1", 2, "4", None)


def test_entries_of_many_records_become_records_in_the_order_entered() -> None:
    early, late = moderation("z", entered_ms=5), moderation("a", entered_ms=99)
    records = records_of([REVERSED, late, FIRST, CORRECTED, early, DONE])
    assert [record.id for record in records] == ["z", "m1", "a"]
    assert [len(record.entries) for record in records] == [1, 4, 1]
    assert records_of([]) == []
