"""How many decisions there are and how they stand: by the records, and without a key by manifests."""

from collections.abc import Sequence

import pytest

from archiver.records import Moderation
from archiver.register import compose
from archiver.search.moderation.counts import STANDINGS, count_records, standing_of
from archiver.times import parse_time
from tests.unit.search.moderated import ACCOUNT, decision, done, later

HIDDEN = decision(1)
DONE = done(HIDDEN)
REFUSED = later(HIDDEN, "outcome", action="hidden", state="failed", way="api")
GONE = decision(2, state="failed", way=None)
CALLED_OFF = later(HIDDEN, "reversal", action="none", state="done")
UNHIDE = later(DONE, "reversal", action="unhidden", state="planned", way="hand")
UNHIDDEN = later(UNHIDE, "outcome", action="unhidden", state="done")
WARNED = decision(3, action="warned", state="done", way="hand")
NOTHING = decision(4, action="none", state="done", way=None)


@pytest.mark.parametrize(
    ("entries", "standing"),
    [
        ([HIDDEN], "pending"),
        ([HIDDEN, DONE], "done"),
        ([HIDDEN, REFUSED], "failed"),
        ([GONE], "failed"),
        ([HIDDEN, CALLED_OFF], "called_off"),
        ([HIDDEN, REFUSED, later(REFUSED, "reversal", action="none", state="done")], "called_off"),
        ([HIDDEN, DONE, UNHIDE], "done"),
        ([HIDDEN, DONE, UNHIDE, UNHIDDEN], "done"),
        ([WARNED, later(WARNED, "reversal")], "done"),
        ([NOTHING], "done"),
        # The undoing is called off, not what was done; and it is undone in its turn.
        ([HIDDEN, DONE, UNHIDE, later(UNHIDE, "reversal", action="none", state="done")], "done"),
        ([HIDDEN, DONE, UNHIDE, later(UNHIDE, "reversal", action="hidden", state="planned")], "pending"),
        # Undone although nobody knows whether it was done.
        ([HIDDEN, later(HIDDEN, "reversal", action="unhidden", state="planned")], "called_off"),
        ([HIDDEN, DONE, later(DONE, "appeal"), later(DONE, "correction", reason_codes=("spam",))], "done"),
    ],
)
def test_how_what_was_decided_stands(entries: Sequence[Moderation], standing: str) -> None:
    assert standing_of(compose(entries)) == standing


def test_every_decision_counts_once_in_all_and_under_each_of_its_reasons_as_it_stands() -> None:
    spam = later(DONE, "correction", reason_codes=("spam", "abusive"))
    undone = later(spam, "reversal", action="unhidden", state="planned", way="api")
    october = decision(5, entered_ms=parse_time("2026-10-31T23:59:59Z"), reason_codes=())
    records = [compose(some) for some in ([HIDDEN, DONE, spam, undone], [GONE], [october])]
    months = count_records(records)
    assert sorted(months) == ["2026-10", "2026-11"]
    month = months["2026-11"]
    assert (month.decisions, month.acts_pending, month.reversals, month.appeals) == (2, 1, 1, 0)
    assert month.stand == {"done": 1, "failed": 1}
    assert month.standing == {
        ("x", ACCOUNT, "abusive", "hidden"): {"done": 1, "failed": 1},
        ("x", ACCOUNT, "spam", "hidden"): {"done": 1},
    }
    assert {key[2]: number for key, number in month.decided.items()} == {"abusive": 2, "spam": 1}
    assert {key[2]: number for key, number in months["2026-10"].decided.items()} == {"": 1}
    assert all(sum(tally[name] for name in STANDINGS) for tally in month.standing.values())
