"""Runs every hour, over changes of the clocks and with clocks that are wrong: real runs against the fake of
X, at times that the test chooses."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from archiver.schedule.due import period_bounds
from archiver.times import format_date, format_time
from tests.collected import DAY_MS, HOUR_MS, Asked, Clock, XHome, add_force, fake_x, make_x_home
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import problem
from tests.fakes.x_world import User, made_at
from tests.faults.folders import read_contents, same_but_once
from tests.unit.jobs.runs import at, done, job_of, run_at


class Month:
    """Hourly runs of a folder with one account, which posts once a day, and what they did: `collects` and
    `seals`, the times at which each job was done. `ahead_ms`: how far this host's clock is ahead of X's."""

    def __init__(self, home: XHome, x: FakeX, clock: Clock, force: User) -> None:
        self.home, self.x, self.clock, self.force = home, x, clock, force
        self.ahead_ms = 0
        self.collects: list[int] = []
        self.seals: list[int] = []
        self.said: list[str] = []

    def run(self) -> None:
        report = run_at(self.home, self.clock)
        assert set(done(report).values()) <= ({0, 3} if self.ahead_ms or report.problems else {0}), report
        self.collects += [self.clock.now_ms] * ("collect" in done(report))
        self.seals += [self.clock.now_ms] * ("seal" in done(report))
        self.said += report.problems

    def hours(self, until_ms: int) -> None:
        """A run every hour, some seconds late, as cron is."""
        while self.clock.now_ms < until_ms:
            self.clock.forward(HOUR_MS)
            number = self.clock.now_ms // HOUR_MS
            if number % 24 == 1:
                self.x.world.add_post(self.force, f"Notice {number}.", self.clock.now_ms - self.ahead_ms)
            late_ms = number * 7_919 % 50_000
            self.clock.forward(late_ms)
            self.run()
            self.clock.forward(-late_ms)

    def put_ahead(self, milliseconds: int) -> None:
        """Set this host's clock; X's goes on as it did."""
        self.ahead_ms += milliseconds
        self.clock.forward(milliseconds)


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    clock = Clock(at("2026-03-27 00:00"))
    months: list[Month] = []
    with fake_x(lambda: clock.now_ms - (months[0].ahead_ms if months else 0)) as x:
        force = add_force(x, posts=2)
        home = make_x_home(tmp_path / "home", x, Asked(force, kinds=("posts",)))
        months.append(Month(home, x, clock, force))
        yield months[0]


def test_over_four_changes_of_the_clocks_and_a_leap_day_one_collect_a_day_and_one_seal_a_month(
    month: Month,
) -> None:
    windows = (
        ("2026-03-28 00:00", "2026-04-02 00:00", 2),
        ("2026-10-24 00:00", "2026-10-27 00:00", 1),
        ("2027-03-27 00:00", "2027-03-30 00:00", 1),
        ("2027-10-30 00:00", "2027-11-02 00:00", 2),
        ("2028-02-28 00:00", "2028-03-02 00:00", 2),
    )
    for first, last, seals in windows:
        month.collects, month.seals = [], []
        month.clock.now_ms = at(first)
        month.run()  # what was missed since the window before is caught up with at once
        assert len(month.seals) == 1
        month.hours(at(last))
        days = [format_date(moment) for moment in range(at(first), at(last) + 1, DAY_MS)]
        assert Counter(map(format_date, month.collects)) == dict.fromkeys(days, 1)
        begun = [period_bounds("monthly", "Europe/London", moment)[0] for moment in month.seals]
        assert len(begun) == len(set(begun)) == seals, [format_time(one) for one in month.seals]
        assert month.seals[-1] - begun[-1] < 24 * HOUR_MS or seals == 1, "with the month's first collect"
    assert month.said == []
    assert len(month.home.archives) == 8
    same_but_once(read_contents(month.home.folder))


@pytest.mark.parametrize("wrong_ms", [DAY_MS, 10 * 365 * DAY_MS], ids=["day", "decade"])
def test_a_clock_that_is_ahead_for_two_days_and_is_put_right_skips_nothing_for_ever_and_takes_nothing_twice(
    month: Month, wrong_ms: int
) -> None:
    month.hours(at("2026-03-28 12:00"))
    month.put_ahead(wrong_ms)
    month.collects, month.seals = [], []
    month.hours(month.clock.now_ms + 48 * HOUR_MS)
    assert 2 <= len(month.collects) <= 4, "not at every run"
    assert len(month.seals) <= 1
    assert month.said == []
    month.put_ahead(-wrong_ms)
    month.collects, month.seals = [], []
    month.hours(at("2026-04-02 00:00"))
    assert len(month.said) == 1
    assert "was set back, or was wrong before" in month.said[0]
    _check_went_on(month)


@pytest.mark.parametrize("wrong_ms", [DAY_MS, 365 * DAY_MS], ids=["day", "year"])
def test_a_clock_that_is_set_back_for_two_days_and_is_put_right_does_no_harm_either(
    month: Month, wrong_ms: int
) -> None:
    month.hours(at("2026-03-28 12:00"))
    month.put_ahead(-wrong_ms)
    month.collects, month.seals = [], []
    month.hours(month.clock.now_ms + 48 * HOUR_MS)
    assert len(month.said) == 1
    assert 1 <= len(month.collects) <= 4, "not at every run"
    assert len(month.seals) <= 1
    month.put_ahead(wrong_ms)
    month.collects, month.seals = [], []
    month.hours(at("2026-04-02 00:00"))
    assert len(month.said) == 1
    _check_went_on(month)


def _check_went_on(month: Month) -> None:
    """From 30 March on the clock was right: collected once a day, April sealed, everything there once."""
    moments = [at("2026-03-30 12:00"), *month.collects, at("2026-04-02 00:00")]
    assert max(later - earlier for earlier, later in pairwise(moments)) < 49 * HOUR_MS
    assert max(Counter(map(format_date, month.collects)).values()) <= 2
    assert len(month.collects) <= 5
    assert len([moment for moment in month.seals if moment >= at("2026-03-31 23:00")]) == 1
    assert len(month.seals) <= 2
    same_but_once(read_contents(month.home.folder))
    sealed = {post for (post,) in month.home.rows("SELECT platform_id FROM post")}
    wanted = {one.id for one in month.x.world.posts.values() if made_at(one.id) < at("2026-03-31 12:00")}
    assert wanted <= sealed


def test_what_was_missed_while_the_machine_was_off_is_done_once_by_the_next_run(month: Month) -> None:
    month.run()
    assert (len(month.collects), len(month.seals)) == (1, 1)
    month.clock.forward(100 * DAY_MS)
    month.x.world.add_post(month.force, "The road is open again.", month.clock.now_ms)
    month.run()
    month.clock.forward(HOUR_MS)
    month.run()
    assert (len(month.collects), len(month.seals)) == (2, 2)


@pytest.fixture
def posts(month: Month) -> str:
    return f"/2/users/{month.force.id}/tweets"


def test_what_x_refuses_is_asked_for_again_after_six_hours_and_at_once_with_other_settings(
    month: Month, posts: str
) -> None:
    month.x.faults.add(posts, problem(403), times=None)
    reports = []
    for _ in range(13):
        reports.append(run_at(month.home, month.clock, only=("collect",)))
        month.clock.forward(HOUR_MS)
    assert [number for number, report in enumerate(reports) if not report.is_idle] == [0, 6, 12]
    assert reports[0].code == 3
    path = month.home.folder / "archiver.toml"
    path.write_text(f"{path.read_text()}\n# a comment changes nothing\n")
    assert run_at(month.home, month.clock, only=("collect",)).is_idle
    path.write_text(path.read_text().replace("max_wait_seconds = 60", "max_wait_seconds = 61"))
    assert not run_at(month.home, month.clock, only=("collect",)).is_idle


def test_where_x_is_away_every_run_asks_again_and_the_first_that_meets_it_takes_all(
    month: Month, posts: str
) -> None:
    month.home.configure(month.x, Asked(month.force, kinds=("posts",)), x_api="max_wait_seconds = 1\n")
    month.x.faults.add(posts, problem(503), times=None)
    for _ in range(3):
        report = run_at(month.home, month.clock, only=("collect",))
        assert done(report) == {"collect": 3}
        assert job_of(report, "collect").problems[0].startswith("@SpringfieldPD: ")
        month.clock.forward(HOUR_MS)
    month.x.faults.clear()
    assert done(run_at(month.home, month.clock, only=("collect",))) == {"collect": 0}
    assert run_at(month.home, month.clock, only=("collect",)).is_idle
