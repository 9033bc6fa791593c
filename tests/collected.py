"""Folders whose accounts are collected from the fake of X, runs with a clock of their own, and what a vault
then holds."""

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from archiver.collect.connect import asked_accounts, collect_from_x
from archiver.collect.report import AccountReport, KindReport
from archiver.progress import Cursor, Gap, Spend
from archiver.rebuild import rebuild_segment
from archiver.seal import SealResult, seal
from archiver.settings.api import CollectKind
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from tests.cli.runner import Result, Runner
from tests.fakes.x_api import FakeX
from tests.fakes.x_world import DAY_MS, User, World
from tests.faults.folders import check_nothing_half, make_folder, read_contents, same_but_once
from tests.homes import Home

ALL_KINDS: tuple[CollectKind, ...] = (
    "profile", "posts", "mentions", "messages", "followers", "following", "blocks", "mutes", "likes", "lists",
)  # fmt: skip
MAIN = "SpringfieldPD"
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
Way = Literal["oauth2", "bearer", "oauth1"]

QUICK = """
import sys, time
from archiver.collect.connect import collect_from_x
collect_from_x.__kwdefaults__["sleep"] = lambda seconds: time.sleep(seconds / 100)
"""
"""In front of a program: what it waits for faults and limits passes a hundred times as fast."""
QUICK_PROGRAM = f"{QUICK}from archiver.cli import main\nsys.exit(main())"
QUICK_KILLED_RUN = f"{QUICK}import runpy\nrunpy.run_module('tests.faults.killed_run', run_name='__main__')"
"""`tests.faults.killed_run`, as quick."""


def wait_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for runs in this process."""
    defaults = collect_from_x.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", lambda seconds: time.sleep(seconds / 100))


class Clock:
    """A clock that a test moves: for the fake of X and for what collects from it."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def forward(self, milliseconds: int) -> int:
        self.now_ms += milliseconds
        return self.now_ms

    def sleep(self, seconds: float) -> None:
        """Waiting that takes no time here."""
        self.now_ms += round(seconds * 1000)


@dataclass(frozen=True)
class Asked:
    """An account to collect. `token`: the value of its token or of the app's, made up where empty. `scopes`
    are written into the token file, and X grants no others where there are any. `more`: further lines of
    `[account.api]`."""

    user: User
    kinds: Sequence[str] | None = None
    way: Way = "oauth2"
    token: str = ""
    scopes: Sequence[str] = ()
    more: str = ""
    handle: str | None = None
    every_days: Mapping[CollectKind, int] = field(default_factory=dict)


@dataclass(frozen=True)
class XHome(Home):
    """A collector's folder whose settings name accounts on a fake of X."""

    # Settings

    def configure(self, x: FakeX, *accounts: Asked, x_api: str = "") -> "XHome":
        """Write the settings anew from the line that `make_folder` adds on."""
        path = self.folder / "archiver.toml"
        base = path.read_text().partition("\n[x_api]\n")[0]
        tables = [self._table(x.world, one) for one in accounts]
        path.write_text(f"{base}\n[x_api]\n{_x_api(x, x_api)}\n{''.join(tables)}")
        return self

    def _table(self, world: World, asked: Asked) -> str:
        user = asked.user
        lines = ["[[account]]", 'platform = "x"', f'id = "{user.id}"']
        lines += [f'handle = "{asked.handle or user.handle}"', "[account.api]", *self._keys(world, asked)]
        if asked.kinds is not None:
            lines.append(f"kinds = {json.dumps(list(asked.kinds))}")
        lines += [asked.more] if asked.more else []
        if asked.every_days:
            lines += ["[account.api.every_days]"]
            lines += [f"{kind} = {days}" for kind, days in asked.every_days.items()]
        return "\n".join(lines) + "\n\n"

    def _keys(self, world: World, asked: Asked) -> list[str]:
        user = asked.user
        if asked.way == "bearer":
            value = world.add_token(asked.token or f"app-only-secret-{user.id}")
            return [f'bearer_token = "file:{self.keep_secret(f"{value[:20]}.bearer", value)}"']
        if asked.way == "oauth1":
            keys = vars(world.add_oauth1(user))
            return [
                f'{name} = "file:{self.keep_secret(f"{user.id}.{name}", value)}"'
                for name, value in keys.items()
            ]
        value = asked.token or f"user-secret-token-{user.id}"
        if value not in world.tokens:
            world.add_token(value, user, asked.scopes or None)
        document = {
            "format": "archiver-x-token-1", "access_token": value, "user_id": user.id,
            "scopes": list(asked.scopes),
        }  # fmt: skip
        return [f'token = "file:{self.keep_secret(f"{user.id}.token", json.dumps(document))}"']

    def keep_secret(self, name: str, value: str) -> str:
        """A file that only its owner can read; its name as a setting has it."""
        path = self.folder / "collector" / name
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(value)
        return f"collector/{name}"

    # Runs with a clock of their own

    def collect(
        self, clock: Clock, *, only: Sequence[CollectKind] = (), accounts: Sequence[str] = ()
    ) -> list[AccountReport]:
        """What `archiver collect` does, at the time of this clock, on which waiting takes no time."""
        with open_collector(self.settings) as collector:
            return collect_from_x(
                collector,
                asked_accounts(self.settings, accounts),
                {},
                only=only,
                clock=clock,
                sleep=clock.sleep,
                random=lambda: 0.5,
            )

    def collect_one(self, clock: Clock, *, only: Sequence[CollectKind] = ()) -> AccountReport:
        """As `collect`, of a folder with one account."""
        (report,) = self.collect(clock, only=only)
        return report

    def collect_whole(self, clock: Clock, *, only: Sequence[CollectKind] = ()) -> AccountReport:
        """As `collect_one`, where nothing may be missing."""
        report = self.collect_one(clock, only=only)
        assert report.complete, problems_of(report)
        return report

    def seal(self, now_ms: int) -> SealResult:
        with open_collector(self.settings) as collector:
            return seal(
                collector.spool, collector.state, self.vault, seal_options(self.settings), lambda: now_ms
            )

    # What is held

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Of every segment, in the order of their archives."""
        found: list[tuple[Any, ...]] = []
        identities = self.identities
        for archive in self.archives:
            for file in archive.manifest.segments:
                with self.vault.open_segment(archive, file, identities) as segment:
                    found += segment.connection.execute(sql, values)
        return found

    def texts(self) -> dict[str, list[str]]:
        """The texts of every post by its id, in the order sealed."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for platform_id, text in self.rows("SELECT platform_id, text FROM post"):
            found[platform_id].append(text)
        return dict(found)

    def gone(self, kind: str = "post") -> dict[str, str]:
        """How each record of a kind was last found missing, by its id."""
        return dict(self.rows("SELECT platform_id, how FROM gone WHERE kind = ? ORDER BY noticed_ms", kind))

    def related(self, kind: str) -> list[str]:
        """Ids of those in relation, a row each, sorted."""
        return sorted(row[0] for row in self.rows("SELECT platform_id FROM relation WHERE kind = ?", kind))

    def gaps(self) -> list[Gap]:
        with self.open_spool() as spool:
            return [gap for _, gap in spool.progress.gaps()]

    def spent(self, month: str) -> list[Spend]:
        with self.open_spool() as spool:
            return spool.progress.spent(month)

    def cursor(self, user: User, kind: str) -> Cursor:
        with self.open_spool() as spool:
            return spool.progress.cursor("x", user.id, kind)

    def check_rebuilt(self) -> int:
        """Derive every record again from the captures; how many there were."""
        records = 0
        for archive in self.archives:
            for file in archive.manifest.segments:
                rebuilt = rebuild_segment(self.vault, archive, file, self.identities)
                assert rebuilt.different == 0, rebuilt.named
                records += rebuilt.records
        return records


def _x_api(x: FakeX, more: str) -> str:
    host = x.url.removeprefix("http://")
    wait = "" if "max_wait_seconds" in more else "max_wait_seconds = 60\n"
    return f'api_base_url = "{x.url}"\nmedia_hosts = ["{host}"]\n{wait}{more}'


def make_x_home(path: Path, x: FakeX, *accounts: Asked, x_api: str = "") -> XHome:
    """A new folder; settings for these accounts, with further lines of `[x_api]`."""
    return XHome(make_folder(path)).configure(x, *accounts, x_api=x_api)


@contextmanager
def fake_x(clock: Callable[[], int] | None = None) -> Iterator[FakeX]:
    """A running fake without limits on how often it is asked."""
    with FakeX(now_ms=clock) as x:
        lift_limits(x)
        yield x


def lift_limits(x: FakeX) -> None:
    """Let it be asked as often as anybody likes; it says so in its headers."""
    x.limits = dict.fromkeys(x.limits, (1_000_000, 1_000_000))


def add_force(
    x: FakeX,
    *,
    posts: int = 0,
    mentions: int = 0,
    followers: int = 0,
    messages: int = 0,
    at: int | None = None,
) -> User:
    """The main account and people around it. Posts end ten minutes before `at` (now), one each hour back."""
    world = x.world
    end = (world.now_ms() if at is None else at) - 10 * MINUTE_MS
    force = world.add_user(MAIN, "Springfield Police", bio="Not for emergencies.")
    people = [world.add_user(f"person_{number}", f"Person {number}") for number in range(max(3, followers))]
    for number in range(posts):
        world.add_post(force, f"Notice {number} on Main Street. #traffic", end - (posts - number) * HOUR_MS)
    for number in range(mentions):
        author = people[number % len(people)]
        world.add_post(author, f"@{MAIN} question {number}", end - (mentions - number) * HOUR_MS + 7_000)
    for person in people[:followers]:
        world.follow(person, force)
    for number in range(messages):
        sender = people[number % 3]
        world.add_message(sender, f"Tip {number}", [force], end - (messages - number) * MINUTE_MS)
    return force


def kind_of(report: AccountReport, kind: str) -> KindReport:
    (found,) = [one for one in report.kinds if one.kind == kind]
    return found


def problems_of(report: AccountReport) -> list[str]:
    """All that keeps a report from being complete, in words."""
    found = [f"{report.account}: {report.error.message}"] if report.error else []
    found += [f"{one.what}: {one.reason}: {one.detail}" for one in report.problems]
    for kind in report.kinds:
        found += [f"{kind.kind}: {one.what}: {one.reason}: {one.detail}" for one in kind.problems]
        found += [f"{kind.kind}: gap: {gap.reason}" for gap in kind.gaps]
        found += [f"{kind.kind}: missing: {name}" for name in kind.media_missing_names]
        found += [f"{kind.kind}: {kind.error.message}"] if kind.error else []
    return found


def requests_of(x: FakeX, pattern: str = "") -> int:
    """How often the interface was asked, media not counted."""
    return sum(pattern in one.path and not one.path.startswith("/media/") for one in x.requests)


__all__ = ["DAY_MS", "HOUR_MS", "MINUTE_MS", "Asked", "Clock", "XHome"]


# What a run says, and what it leaves


def collect(run: Runner, home: XHome, *arguments: str, code: int = 0) -> Result:
    result = run("--config", home.folder, "collect", *arguments)
    assert result.code == code, result
    assert "Traceback" not in result.errors
    return result


def seal_checked(run: Runner, home: XHome) -> None:
    """Seal, and look the vault over: verified, nothing twice, every record made again alike."""
    assert run("--config", home.folder, "seal").code == 0
    check_nothing_half(home.folder)
    same_but_once(read_contents(home.folder))
    home.check_rebuilt()


def said(result: Result, kind: str) -> dict[str, Any]:
    """What the JSON says of one kind of the only account."""
    (found,) = [line for line in result.json_lines() if line.get("kind") == kind]
    return found
