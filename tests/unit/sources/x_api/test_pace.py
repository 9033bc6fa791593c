"""X's limits by its own clock, and waiting that comes to an end."""

import contextlib
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.sources.x_api.errors import LateError
from archiver.sources.x_api.pace import LONGEST_BACKOFF_SECONDS, NEXT_RUN, Pace, Patience

NOW_MS = 1_793_000_000_000
PATH = "/2/users/{id}/tweets"


@dataclass
class Time:
    """Ours, which only waiting moves."""

    now_ms: int = NOW_MS
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> int:
        return self.now_ms

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_ms += round(seconds * 1000)

    def patience(self, most: float = 1000, chance: float = 0.0) -> Patience:
        return Patience(most, self.sleep, lambda: chance)


def told(remaining: object = None, reset: object = None, date: str | None = None) -> dict[str, str]:
    named = {"x-rate-limit-remaining": remaining, "x-rate-limit-reset": reset, "date": date}
    return {name: str(value) for name, value in named.items() if value is not None}


def test_nothing_is_waited_for_before_anything_is_known() -> None:
    time = Time()
    pace = Pace(time)
    for _ in range(5):
        pace.before(PATH, time.patience())
    assert time.slept == []


def test_as_many_requests_are_made_as_remain_and_then_the_limit_is_waited_for() -> None:
    time = Time()
    pace = Pace(time)
    pace.after(PATH, told(3, NOW_MS // 1000 + 600))
    for _ in range(3):
        pace.before(PATH, time.patience())
    assert time.slept == []
    pace.before(PATH, time.patience())
    assert time.slept == [601]


def test_a_limit_that_has_ended_is_not_waited_for() -> None:
    time = Time()
    pace = Pace(time)
    pace.after(PATH, told(0, NOW_MS // 1000 + 600))
    time.now_ms += 600_000
    pace.before(PATH, time.patience())
    assert time.slept == []


def test_an_answer_that_comes_late_does_not_raise_what_remains() -> None:
    time = Time()
    pace, reset = Pace(time), NOW_MS // 1000 + 600
    pace.after(PATH, told(1, reset))
    pace.after(PATH, told(2, reset))  # was sent before the other
    pace.before(PATH, time.patience())
    pace.before(PATH, time.patience())
    assert time.slept == [601]


def test_a_new_window_counts_anew() -> None:
    time = Time()
    pace, reset = Pace(time), NOW_MS // 1000 + 600
    pace.after(PATH, told(0, reset))
    pace.after(PATH, told(5, reset + 900))
    pace.before(PATH, time.patience())
    assert time.slept == []


@pytest.mark.parametrize(
    "headers",
    [
        {}, told(0), told(None, NOW_MS // 1000 + 600), told("none", NOW_MS // 1000 + 600), told(0, "soon"),
        told(0, -5), told(0, "4102444800"), told(0, "9" * 40), told(0, "１２３"), told(0, ""),
    ],
)  # fmt: skip
def test_headers_that_say_nothing_of_use_limit_nothing(headers: dict[str, str]) -> None:
    time = Time()
    pace = Pace(time)
    pace.after(PATH, told(0, NOW_MS // 1000 + 600))
    pace.after(PATH, headers)
    pace.before(PATH, time.patience())
    assert time.slept == []


def test_paths_are_apart() -> None:
    time = Time()
    pace = Pace(time)
    pace.after(PATH, told(0, NOW_MS // 1000 + 600))
    pace.before("/2/dm_events", time.patience())
    assert time.slept == []


def test_a_refusal_says_how_long_to_wait_and_is_held_to() -> None:
    time = Time()
    pace = Pace(time)
    assert pace.refused(PATH, told(None, NOW_MS // 1000 + 300)) == 300
    pace.before(PATH, time.patience())
    assert time.slept == [301]
    assert pace.refused(PATH, told(None, NOW_MS // 1000 - 5)) == 0
    assert pace.refused(PATH, told()) is None


@pytest.mark.parametrize("skew_seconds", [-86_400, -3, 0, 3, 86_400])
def test_times_are_xs_and_its_clock_is_known_from_every_answer(skew_seconds: int) -> None:
    time = Time()
    there = NOW_MS // 1000 + skew_seconds
    for note in ("after", "refused"):
        pace = Pace(time)
        assert pace.skew_ms is None
        getattr(pace, note)(PATH, told(0, there + 60, formatdate(there, usegmt=True)))
        assert pace.skew_ms == skew_seconds * 1000
        time.slept.clear()
        pace.before(PATH, time.patience())
        assert time.slept == [61]
        time.now_ms = NOW_MS


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 31 Feb 2022 25:00:00 GMT", "9" * 50])
def test_a_date_that_is_none_leaves_the_clock_as_it_was(date: str) -> None:
    pace = Pace(Time())
    pace.after(PATH, told(1, NOW_MS // 1000, date))
    assert pace.skew_ms is None


def test_a_date_in_the_words_of_recorded_answers_is_understood() -> None:
    pace = Pace(Time())
    pace.after(PATH, told(date="Fri, 07 Oct 2022 23:06:00 UTC"))
    assert pace.skew_ms == 1_665_183_960_000 - NOW_MS


# Patience


def test_waiting_is_counted_together_and_never_goes_over() -> None:
    time = Time()
    patience = time.patience(100)
    patience.wait(60, "a reason")
    with pytest.raises(
        LateError, match=r"^a reason, for 41 seconds, which is longer than a run may wait$"
    ) as late:
        patience.wait(41, "a reason")
    assert late.value.hint == NEXT_RUN
    patience.wait(40, "a reason")
    assert time.slept == [60, 40]


@pytest.mark.parametrize("seconds", [0, -1, -1e9])
def test_what_needs_no_waiting_is_none(seconds: float) -> None:
    time = Time()
    time.patience(0).wait(seconds, "a reason")
    assert time.slept == []


def test_nobody_goes_on_waiting_once_the_run_is_to_end() -> None:
    time = Time()
    patience = Patience(100, time.sleep, lambda: 0.0, lambda: time.slept != [])
    with pytest.raises(LateError, match="the run was stopped while it waited"):
        patience.wait(5, "a reason")


@given(
    st.lists(st.one_of(st.floats(0, 300), st.integers(0, 40)), max_size=30),
    st.floats(0, 1000),
    st.floats(0, 1, exclude_max=True),
)
def test_no_order_of_waits_and_back_offs_takes_longer_than_is_allowed(
    waits: list[float | int], most: float, chance: float
) -> None:
    time = Time()
    patience = time.patience(most, chance)
    for one in waits:
        with contextlib.suppress(LateError):
            patience.back_off(one, "why") if isinstance(one, int) else patience.wait(one, "why")
    assert sum(time.slept) <= most * (1 + 1e-9)


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_backing_off_doubles_by_chance_up_to_two_minutes(chance: float) -> None:
    time = Time()
    patience = time.patience(100_000, chance)
    for attempt in range(9):
        patience.back_off(attempt, "why")
    full = [2, 4, 8, 16, 32, 64, 120, 120, 120]
    assert time.slept == pytest.approx([one * (0.5 + chance / 2) for one in full])
    assert max(full) == LONGEST_BACKOFF_SECONDS
