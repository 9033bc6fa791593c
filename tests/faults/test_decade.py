"""A decade in some minutes: 40 accounts, a collect each week, an archive each month, with X failing, the host
off, its power cut. At its end every post that could be seen is there once, what could not is in a gap that is
reported, and the chain is whole."""

import os
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from archiver.times import as_datetime, parse_time
from tests.cli.runner import Runner
from tests.collected import HOUR_MS, Asked, Clock, XHome, fake_x, make_x_home
from tests.faults.decade import WEEK_MS, Decade, Runs, Written, is_whole, running
from tests.faults.folders import SOAK, check_nothing_half

FIRST_MS = 1_767_600_000_000
"""Monday, 5 January 2026, 08:00 UTC."""
WEEKS = int(os.environ.get("ARCHIVER_DECADE_WEEKS", "520"))
ACCOUNTS = 40
SEEDS = range(4) if SOAK else (7,)
OFF = {30: 2, 111: 5, 260: 13, 400: 3}
"""Weeks in which the host is switched off, for so many weeks."""
AWAY = range(0, 520, 37)
"""Weeks in which the second store is not mounted."""
TRIES = 5
CHECK_WEEKS = 26
"""How often there are checks here: each reads the whole log, which in ten years takes more than all else."""


@dataclass
class Told:
    runs: int = 0
    kills: int = 0
    faults: int = 0


def make_home(path: Path, decade: Decade) -> XHome:
    more = "media = false\nrecheck_days = 14\nmax_spend_usd = 1000"
    asked = [
        Asked(user, ["profile", "posts"] if place < 4 else ["posts"], way="bearer", more=more,
              every_days={"profile": 7, "posts": 7})
        for place, user in enumerate(decade.users)
    ]  # fmt: skip
    home = make_x_home(path, decade.x, *asked)
    share = path.parent / "share"
    share.mkdir()
    with (path / "archiver.toml").open("a") as file:
        file.write(f'\n[[store]]\nname = "share"\nkind = "local"\npath = "{share}"\nrequired = false\n')
    return home


def run_the_week(
    decade: Decade, home: XHome, runs: Runs, told: Told, kill: int, without: Sequence[str]
) -> None:
    """A run, and as cron would, one each hour until one ends well."""
    began_ms = decade.clock.now_ms
    for number in range(TRIES):
        said = runs.run(decade.clock.now_ms, kill if number == 0 else 0, without)
        assert said.error is None, said
        told.runs += 1
        told.kills += said.killed
        note_collected(decade, home, began_ms)
        if not said.killed and said.code == 0:
            return
        decade.x.faults.clear()
        decade.clock.forward(HOUR_MS)


def note_collected(decade: Decade, home: XHome, since_ms: int) -> None:
    with home.open_spool() as spool:
        cursors = spool.progress.cursors()
    for user in decade.users:
        cursor = cursors.get(("x", user.id, "posts"))
        if cursor is not None and is_whole(cursor, since_ms):
            decade.collected(user)


MEMORY = Path("/dev/shm")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory, where there is such a file system: a decade syncs 50,000 times, and a process that is killed
    loses nothing that was written there, synced or not."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="archiver-decade-") as name:
        yield Path(name)


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_decade_of_runs_keeps_every_post_once_and_reports_every_gap(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
    seed: int,
) -> None:
    clock = Clock(FIRST_MS)
    told, began = Told(), time.monotonic()
    with fake_x(clock) as x:
        decade = Decade.begin(x, clock, seed, ACCOUNTS)
        home = make_home(folder / "home", decade)
        share = folder / "share"
        with running(home.folder) as runs:
            week, off, steps = 0, 0, 200
            while week < WEEKS:
                clock.now_ms = FIRST_MS + week * WEEK_MS
                decade.live_a_week()
                week += 1
                off = max(off - 1, OFF.get(week, 0))
                if off and week < WEEKS - 1:
                    continue
                told.faults += decade.break_x() is not None
                hidden = week in AWAY and share.exists()
                if hidden:
                    share.rename(folder / "unmounted")
                kill = decade.draw.randrange(1, steps) if decade.draw.random() < 0.15 else 0
                run_the_week(decade, home, runs, told, kill, ("check",) if week % CHECK_WEEKS else ())
                steps = max(steps, runs.last[-1].steps)
                if hidden:
                    (folder / "unmounted").rename(share)
                x.requests.clear()
            clock.forward(40 * 24 * HOUR_MS)
            for _ in range(TRIES):
                if (last := runs.run(clock.now_ms)).code == 0:
                    break
                clock.forward(HOUR_MS)
            assert last.code == 0, last
            note_collected(decade, home, clock.now_ms - HOUR_MS)
    seconds = time.monotonic() - began
    check_nothing_half(home.folder)
    check_posts(home, decade)
    check_chain(Runner(capsys), home, told)
    size = sum(path.stat().st_size for path in home.folder.rglob("*") if path.is_file())
    measured = (
        f"a decade of {ACCOUNTS} accounts (seed {seed}): {decade.number:,} posts, {told.runs:,} runs,"
        f" {told.kills} killed, {told.faults} with faults, {len(home.archives)} archives;"
        f" {seconds:,.0f} s, {size / 1e6:,.0f} MB, at most {runs.peak_kibibytes / 1024:,.0f} MiB a run"
    )
    record_property("measured", measured)


def check_posts(home: XHome, decade: Decade) -> None:
    """Every post that a collect could see is there once, with its text; what was beyond X's depth is in a gap
    that a manifest names; and no gap is named for nothing."""
    held = home.texts()
    assert {one: texts for one, texts in held.items() if len(texts) > 1} == {}
    fates = Counter(one.fate for one in decade.written)
    assert fates["unknown"] == 0, "a last run came after everything"
    assert min(fates["seen"], fates["beyond"], fates["deleted"]) > 0, fates
    posts = decade.x.world.posts
    for one in decade.written:
        if one.fate == "seen":
            for version in one.newest.edit_ids:
                assert held.get(version) == [posts[version].text], (version, one)
    assert set(held) <= set(posts)
    gone = home.gone()
    assert gone
    assert all(posts[post_id].deleted for post_id in gone), "nothing is called gone that is there"
    lost = [one for one in decade.written if one.fate == "beyond" and one.newest.id not in held]
    check_gaps(home, lost)


def check_gaps(home: XHome, lost: list[Written]) -> None:
    gaps = defaultdict(list)
    for archive in home.archives:
        for gap in archive.manifest.gaps:
            gaps[gap.account].append((int(gap.after_id or 0), int(gap.before_id or 2**63)))
    used = set()
    assert lost, "a decade in which nothing was ever out of reach proves nothing"
    for one in lost:
        (account, place) = (one.newest.author_id, int(one.newest.id))
        around = [gap for gap in gaps[account] if gap[0] < place < gap[1]]
        assert around, f"{place} of {account} is out of reach, and no gap says so"
        used.update((account, gap) for gap in around)
    named = {(account, gap) for account, some in gaps.items() for gap in some}
    assert named == used, "a gap is named where nothing is missing"


def check_chain(run: Runner, home: XHome, told: Told) -> None:
    """An archive a month, each numbered, signed and hashed; both stores the same; the log whole."""
    months = Counter(
        as_datetime(parse_time(archive.manifest.sealed_at))
        .astimezone(ZoneInfo("Europe/London"))
        .strftime("%Y-%m")
        for archive in home.archives
    )
    assert set(months.values()) == {1}, months
    assert [archive.manifest.sequence for archive in home.archives] == list(range(1, len(home.archives) + 1))
    assert told.kills > WEEKS // 20
    assert run("--config", home.folder, "verify", "--contents").code == 0
    assert run("--config", home.folder, "log", "verify").code == 0
    for archive in home.archives[:: len(home.archives) // 6 or 1]:
        assert run("--config", home.folder, "rebuild", archive.name).code == 0
