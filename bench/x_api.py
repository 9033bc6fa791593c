"""Collecting posts from X: CPU time, pages a second, bytes and memory, against plain tweepy.

X is `tests.fakes.x_api` on the loopback, in a process of its own. Ours is the program itself on a new
folder, `archiver collect`. The peer is what one would write instead: tweepy's Client and Paginator, and
each page a line of JSON in a file, on disk before the next is asked for (`x_peer`).
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.memory import GROWTH, Sampled, watched
from bench.results import NOTHING, Asked, Detail, Row, megabytes, significant
from bench.workplace import ROOT, BenchError, Workplace, archiver, module, program, remove, run, say

ROUNDS = 3
POSTS = 3_200  # of an account: as many as X shows
PAGE = 100
TIMED_ACCOUNTS = 10
MEMORY_ACCOUNTS = (1, 10, 50)
SIDE_BY_SIDE = 4  # accounts at a time, for both
CPU_LIMIT_MS = 20
TICKS = os.sysconf("SC_CLK_TCK")

SETTINGS = """
[x_api]
api_base_url = "{address}"
field_names = "post"
side_by_side = {side_by_side}
"""
ACCOUNT = """
[[account]]
platform = "x"
id = "{id}"
handle = "{handle}"
[account.api]
bearer_token = "file:collector/bearer"
kinds = ["posts"]
media = false
recheck_days = 0
max_spend_usd = 25
"""


class Server(NamedTuple):
    """The fake of X: its process, and what it tells a client."""

    pid: int
    address: str
    token: str
    accounts: list[dict[str, str]]

    def cpu_seconds(self) -> float:
        """User and system time so far; proc(5), fields 14 and 15 of stat."""
        fields = Path("/proc", str(self.pid), "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


class Round(NamedTuple):
    """One run over so many accounts. `pages`: those of the timelines. `state_bytes`: of `left_bytes`."""

    accounts: int
    posts: int
    pages: int
    seconds: float
    cpu_seconds: float
    server_seconds: float
    left_bytes: int
    state_bytes: int = 0

    @property
    def cpu_ms(self) -> float:
        return self.cpu_seconds / self.pages * 1000

    @property
    def pages_a_second(self) -> float:
        return self.pages / self.seconds

    @property
    def post_bytes(self) -> float:
        return self.left_bytes / self.posts

    def cells(self) -> list[str]:
        server_ms = self.server_seconds / self.pages * 1000
        speed, left = significant(self.pages_a_second), f"{self.left_bytes:,}"
        return [f"{self.seconds:.2f}", speed, f"{self.cpu_ms:.2f}", f"{server_ms:.2f}", left]


class Held(NamedTuple):
    """The most memory that `archiver collect` held, for so many accounts."""

    accounts: int
    posts: int
    sampled: Sampled

    def cells(self) -> list[str]:
        sizes = map(megabytes, (self.sampled.largest_rss_bytes, self.sampled.pss_bytes))
        return [str(self.accounts), f"{self.posts:,}", *sizes, str(self.sampled.samples)]


@contextmanager
def serving(accounts: int, posts: int) -> Iterator[Server]:
    """Start the fake with so many accounts and posts of each; end it. `--unlimited` refuses nothing, but its
    headers still count down from 10,000 requests in 15 minutes, which ours would wait for: a whole
    measurement makes 4,300."""
    wanted = ["--accounts", str(accounts), "--posts", str(posts), "--unlimited"]
    command = [sys.executable, "-m", "tests.fakes.x_api", *wanted]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)  # noqa: S603 - the command is made here
    try:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        address, described = process.stdout.readline().strip(), process.stdout.readline()
        if not described:
            raise BenchError("the fake of X did not start")
        world = json.loads(described)
        yield Server(process.pid, address, world["app_token"], world["accounts"])
    finally:
        process.kill()
        process.communicate()


# Ours


def _prepare(home: Path, server: Server, accounts: int) -> None:
    """A new folder, with the accounts in its settings."""
    remove(home)
    run([program(), "init", str(home), "--holder", "bench", "--no-passphrase"])
    token = home / "collector" / "bearer"
    token.touch(mode=0o600)
    token.write_text(server.token)
    with (home / "archiver.toml").open("a") as settings:
        settings.write(SETTINGS.format(address=server.address, side_by_side=SIDE_BY_SIDE))
        settings.writelines(ACCOUNT.format(**one) for one in server.accounts[:accounts])


def _check(output: str, accounts: int, posts: int) -> None:
    """Raise BenchError unless every post of every account was taken."""
    reports = [line for line in map(json.loads, output.splitlines()) if line["type"] == "collected"]
    if len(reports) != accounts:
        raise BenchError(f"{len(reports)} of {accounts} accounts were collected")
    # The eighth of each hundred was edited once (tests/fakes/x_crowd.py): its earlier version comes too.
    expected = {"new": posts + (posts + 92) // 100}
    for one in reports:
        if one["error"] or one["problems"] or one["counts"] != expected:
            said = f"{one['error'] or 'no error'}; {one['problems']}"
            raise BenchError(f"{one['account']}: {one['counts']} instead of {expected}; {said}")


def collect(home: Path, server: Server, accounts: int, posts: int) -> Round:
    """Time `archiver collect` on a new folder. Exit code 3: X shows the newest 3,200 posts only."""
    _prepare(home, server, accounts)
    timed = _timed(server, archiver(home, "collect", "--json"), (0, 3))
    _check(timed.output, accounts, posts)
    state, spool = _size(home.glob("state.sqlite*")), _size((home / "spool").rglob("*"))
    pages = accounts * -(-posts // PAGE)
    remove(home)
    return Round(accounts, accounts * posts, pages, *timed.spent, spool + state, state)


def hold(home: Path, server: Server, accounts: int, posts: int) -> Held:
    """The same, sampled and not timed."""
    _prepare(home, server, accounts)
    finished, sampled = watched(archiver(home, "collect", "--json"), (0, 3))
    _check(finished.output, accounts, posts)
    remove(home)
    return Held(accounts, accounts * posts, sampled)


class _Timed(NamedTuple):
    output: str
    spent: tuple[float, float, float]
    """Wall time, CPU time, and the server's CPU time."""


def _timed(server: Server, command: Sequence[str], accepted: tuple[int, ...] = (0,)) -> _Timed:
    """Run a process; what it and the server took. Nothing else is waited for meanwhile."""
    os.sync()
    ours, theirs = _children_seconds(), server.cpu_seconds()
    finished = run(command, accepted)
    spent = (finished.seconds, _children_seconds() - ours, server.cpu_seconds() - theirs)
    return _Timed(finished.output, spent)


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _size(paths: Iterator[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


# The peer


def collect_plainly(folder: Path, server: Server, accounts: int, posts: int) -> Round:
    """Time the peer on a new folder; raise BenchError where it lacks posts."""
    from archiver.sources.x_api.fields import requested  # the peer's own process needs none of it

    remove(folder)
    folder.mkdir(parents=True)
    job = folder.with_suffix(".json")
    asked = {
        "address": server.address,
        "token": server.token,
        "folder": str(folder),
        "accounts": [one["id"] for one in server.accounts[:accounts]],
        "side_by_side": SIDE_BY_SIDE,
        "parameters": {**requested("posts", "post"), "max_results": PAGE},
    }
    job.write_text(json.dumps(asked))
    timed = _timed(server, module("x_peer", str(job)))
    taken = json.loads(timed.output)
    if taken["posts"] != accounts * posts:
        raise BenchError(f"the peer took {taken['posts']:,} of {accounts * posts:,} posts")
    left = _size(folder.iterdir())
    remove(folder)
    remove(job)
    return Round(accounts, taken["posts"], taken["pages"], *timed.spent, left)


# Results


@dataclass(frozen=True)
class Collecting:
    """Every round of ours and of the peer, and the memory of ours."""

    ours: tuple[Round, ...]
    peers: tuple[Round, ...]
    held: tuple[Held, ...]

    def rows(self) -> list[Row]:
        one = self.ours[0]
        counts = f"{one.accounts} accounts of {one.posts // one.accounts:,} posts, {one.pages:,} pages"
        return [*self._cpu_rows(counts), self._speed_row(counts), self._bytes_row(counts), self._growth_row()]

    def _cpu_rows(self, counts: str) -> list[Row]:
        ours, peer = (median(one.cpu_ms for one in some) for some in (self.ours, self.peers))
        ours_cell, peer_cell = (
            f"{ms:.1f} ms ({significant(ms * 1000 / PAGE)} ms for 1,000 posts)" for ms in (ours, peer)
        )
        meaning = (
            "user and system time of the process `archiver collect` on a new folder, by pages of"
            f" {PAGE} posts: Python's start, tweepy, parsing, comparing, encrypting and durable spooling"
            " included, no media; also a further request an account for earlier versions of edited posts,"
            " which the peer lacks. The peer: one process with tweepy's Client (`return_type=dict`) and"
            " Paginator, which writes the same pages as lines of JSON, each on disk (fsync) before the next"
            f" is asked for. Both take {SIDE_BY_SIDE} accounts at a time, in turns; median of"
            f" {len(self.ours)} rounds."
        )
        asked = Asked(CPU_LIMIT_MS, "ms")
        return [
            Row(
                "collecting from X, CPU time a page", counts, ours_cell, peer_cell, ours, meaning, asked, "ms"
            ),
            Row(
                "the same, ours to peer",
                counts,
                ours_cell,
                peer_cell,
                ours / peer,
                "the row above as a ratio.",
            ),
        ]

    def _speed_row(self, counts: str) -> Row:
        ours, peer = (median(one.pages_a_second for one in some) for some in (self.ours, self.peers))
        return Row(
            "collecting from X, pages a second",
            counts,
            f"{significant(ours)} ({significant(ours * PAGE)} posts)",
            f"{significant(peer)} ({significant(peer * PAGE)} posts)",
            ours,
            "wall time of the same rounds; the server, in Python too, has the other core. X itself allows an"
            " app 10,000 requests in 15 minutes, which is 11 a second.",
            unit="a second",
        )

    def _bytes_row(self, counts: str) -> Row:
        ours, peer = self.ours[0], self.peers[0]
        return Row(
            "collecting from X, bytes a post",
            counts,
            f"{ours.post_bytes:,.0f} (of them state {ours.state_bytes / ours.posts:,.0f})",
            f"{peer.post_bytes:,.0f} of JSON",
            ours.post_bytes / peer.post_bytes,
            "everything in `spool/` and the state's database once the process has ended, against the peer's"
            " files of JSON without spaces; the whole answers are in both.",
        )

    def _growth_row(self) -> Row:
        fewer, more = self.held[-2:]
        return Row(
            f"peak memory of collecting, {more.accounts} accounts to {fewer.accounts}",
            f"{more.posts // more.accounts:,} posts each",
            " to ".join(megabytes(one.sampled.largest_rss_bytes) for one in (more, fewer)),
            NOTHING,
            more.sampled.largest_rss_bytes / fewer.sampled.largest_rss_bytes,
            "peak RSS of `archiver collect`, which is one process, by the kernel's own account (`ru_maxrss`),"
            f" each on a new folder, not timed; {SIDE_BY_SIDE} accounts at a time in both.",
            Asked(GROWTH),
        )

    def details(self) -> list[Detail]:
        return [
            Detail(
                "Every round of collecting from X",
                "A round of the peer before these, which is not counted, lets the server make its pages.",
                ["who", "round", "wall s", "pages a second", "CPU ms a page", "server's", "bytes left"],
                [
                    [who, str(number), *one.cells()]
                    for who, some in (("archiver", self.ours), ("peer", self.peers))
                    for number, one in enumerate(some, start=1)
                ],
            ),
            Detail(
                "Memory of collecting from X",
                "RSS by the kernel's account; beside it PSS, sampled every 50 ms, without what is shared.",
                ["accounts", "posts", "peak RSS", "peak PSS", "samples"],
                [one.cells() for one in self.held],
            ),
        ]


def measure(
    place: Workplace,
    *,
    posts: int = POSTS,
    timed: int = TIMED_ACCOUNTS,
    held: Sequence[int] = MEMORY_ACCOUNTS,
    rounds: int = ROUNDS,
) -> Collecting:
    """Ours and the peer in turns, then the memory of ours; `posts` of each account."""
    home, folder = place.folder / "archiver-x-api", place.folder / "peer-x-api"
    place.folder.mkdir(parents=True, exist_ok=True)
    ours: list[Round] = []
    peers: list[Round] = []
    memory: list[Held] = []
    say("starting the fake of X …")
    with serving(max(timed, *held), posts) as server:
        collect_plainly(folder, server, timed, posts)
        for number in range(1, rounds + 1):
            ours.append(collect(home, server, timed, posts))
            peers.append(collect_plainly(folder, server, timed, posts))
            spent = f"{ours[-1].cpu_ms:.1f} ms CPU a page, peer {peers[-1].cpu_ms:.1f} ms"
            say(f"collecting, round {number}: {spent}, {ours[-1].pages_a_second:.1f} pages a second")
        for accounts in held:
            memory.append(hold(home, server, accounts, posts))
            say(f"collecting {accounts} accounts: {megabytes(memory[-1].sampled.largest_rss_bytes)}")
    return Collecting(tuple(ours), tuple(peers), tuple(memory))
