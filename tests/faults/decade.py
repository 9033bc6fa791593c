"""Ten years of a body's accounts on a fake of X, and beside them what whoever looks once a week can see.

Everything is drawn from a seed: who writes, edits and deletes what, when X fails, when the host is off, when
its power is cut.
"""

import json
import random
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.progress import Cursor
from tests.collected import DAY_MS, HOUR_MS, MINUTE_MS, Clock
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Answer, Drop
from tests.fakes.x_world import Post, User
from tests.programs import PROJECT

WEEK_MS = 7 * DAY_MS
DEPTH = 60
"""As many posts of an account the fake shows; the real one 3,200."""
PAGE = 20
"""Posts in an answer; of the real one 100."""
BUSY = 3
"""Accounts that write more, and now and then more in a week than X shows."""


@dataclass
class Written:
    """One post with all its versions. `fate`: `seen` once a whole collect could see it, `beyond` where it was
    out of X's depth by then, `deleted` where it had gone by then."""

    newest: Post
    delete_ms: int | None
    fate: str = "unknown"


@dataclass
class Decade:
    """The world. `pending`: of each account what no whole collect has come after yet."""

    x: FakeX
    clock: Clock
    draw: random.Random
    users: list[User]
    pending: dict[str, list[Written]] = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)
    number: int = 0

    @classmethod
    def begin(cls, x: FakeX, clock: Clock, seed: int, accounts: int) -> "Decade":
        x.post_depth = DEPTH
        users = [x.world.add_user(f"Springfield_{number:02}") for number in range(accounts)]
        draw = random.Random(seed)  # noqa: S311  # repeatable, not secret
        return cls(x, clock, draw, users, {one.id: [] for one in users})

    def live_a_week(self) -> None:
        """What happens up to the next run."""
        from_ms = self.clock.now_ms
        for place, user in enumerate(self.users):
            for at_ms in sorted(self._times(from_ms, busy=place < BUSY)):
                self._post(user, at_ms)
        self.clock.now_ms = from_ms + WEEK_MS
        for one in self.written[-20_000:]:
            if one.delete_ms is not None and one.delete_ms <= self.clock.now_ms and not one.newest.deleted:
                self.x.world.delete_post(one.newest)

    def _times(self, from_ms: int, *, busy: bool) -> set[int]:
        """An hour before the next run nobody writes, so that what is edited is edited by then."""
        number = min(10, int(self.draw.expovariate(1 / (6 if busy else 1.5))))
        if busy and self.draw.random() < 0.008:
            number = DEPTH + self.draw.randrange(10, 40)
        return {
            self.draw.randrange(from_ms + MINUTE_MS, from_ms + WEEK_MS - HOUR_MS) // 1000 * 1000
            for _ in range(number)
        }

    def _post(self, user: User, at_ms: int) -> None:
        self.number += 1
        post = self.x.world.add_post(user, f"Notice {self.number}: road closed #traffic", at_ms)
        if self.draw.random() < 0.03:
            edited_ms = at_ms + self.draw.randrange(1, 29) * MINUTE_MS
            post = self.x.world.edit_post(post, f"Notice {self.number}, corrected", edited_ms)
        deleted = self.draw.random() < 0.05
        one = Written(post, at_ms + self.draw.randrange(1, 20 * 24) * HOUR_MS if deleted else None)
        self.written.append(one)
        self.pending[user.id].append(one)

    def collected(self, user: User) -> None:
        """A collect of this account has come to its end now: everything it has written has its fate."""
        shown = {str(one) for one in self.x.world.written(user.id)[-DEPTH:]}
        for one in self.pending[user.id]:
            if one.newest.deleted:
                one.fate = "deleted"
            else:
                one.fate = "seen" if one.newest.id in shown else "beyond"
        self.pending[user.id] = []

    # Faults

    def break_x(self) -> str | None:
        """What X does wrong in this run, if anything."""
        chance = self.draw.random()
        after = self.draw.randrange(0, 80)
        if chance < 0.04:
            self.x.faults.add("/tweets", Drop(), times=3, after=after)
            return "drops connections"
        if chance < 0.08:
            self.x.faults.add("/tweets", Answer(503), times=self.draw.randrange(1, 12), after=after)
            return "answers 503"
        if chance < 0.10:
            self.x.faults.add("/tweets", Answer(429), times=2, after=after)
            return "answers 429"
        if chance < 0.13:
            self.x.faults.add("/2/", Drop(), times=None)
            return "is away"
        return None


@dataclass
class Told:
    """What one run said of itself."""

    code: int | None
    killed: bool
    steps: int
    kibibytes: int
    jobs: dict[str, int]
    problems: list[str]
    error: str | None


class Runs:
    """A process that runs `archiver run` when it is told to (`decade_run`)."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.number = 0
        self.peak_kibibytes = 0
        self.last: deque[Told] = deque(maxlen=20)

    def run(self, now_ms: int, kill: int = 0, without: Sequence[str] = ()) -> Told:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"now_ms": now_ms, "kill": kill, "without": list(without)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        told = Told(
            said.get("code"), said["killed"], said.get("steps", 0), said["kibibytes"],
            said.get("jobs", {}), said.get("problems", []), said.get("error"),
        )  # fmt: skip
        self.number += 1
        self.peak_kibibytes = max(self.peak_kibibytes, told.kibibytes)
        self.last.append(told)
        return told


@contextmanager
def running(folder: Path) -> Iterator[Runs]:
    """The process, ended with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.decade_run", str(folder)],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield Runs(process)
        finally:
            process.kill()


def is_whole(cursor: Cursor, since_ms: int) -> bool:
    """Whether a collect came to its end since then."""
    return cursor.walk is None and cursor.finished_ms is not None and cursor.finished_ms >= since_ms
