"""`kill -9` at any instant of `archiver collect`: every record is there once when the same command has run to
its end, nothing is reported out of reach, nothing half is left. And the disk that fills, Ctrl-C, two at once.

Killed from the server's side, at a page drawn from a fixed seed, and just before a step on the disk
(`killed_run.py`); X has faults of its own meanwhile. ARCHIVER_SOAK=1 runs many more rounds.
"""

import itertools
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archiver.disk import PARTIAL_PREFIX
from archiver.times import system_clock
from tests.cli.runner import PROGRAM, Runner
from tests.collected import (
    ALL_KINDS,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    QUICK_KILLED_RUN,
    QUICK_PROGRAM,
    Asked,
    Clock,
    XHome,
    add_force,
    fake_x,
    lift_limits,
    make_x_home,
    wait_quickly,
)
from tests.fakes.x_api import FakeX, Record
from tests.fakes.x_faults import Action, Before, Cut, Drop, problem, rate_limited
from tests.fakes.x_world import User
from tests.faults.folders import SOAK, Contents, check_nothing_half, copy_folder, read_contents, same_but_once
from tests.programs import PROJECT

ROUNDS = 60 if SOAK else 4
"""Of each kind."""
LIMIT_SECONDS = 60
ENOUGH = 5
"""So many runs of the same command complete any other."""
FAULTS: tuple[Callable[[], Action], ...] = (
    lambda: problem(500),
    lambda: problem(503),
    Cut,
    Drop,
    rate_limited,
    lambda: rate_limited(reset=int(time.time())),
)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_quickly(monkeypatch)


def timeless(contents: Contents) -> Counter[tuple[Any, ...]]:
    """What a vault holds, but for when it was captured."""
    found: Counter[tuple[Any, ...]] = Counter()
    for row, number in contents.items():
        found[row[:5] if row[0] in ("relation", "account", "gone") else row] += number
    return found


@dataclass
class Start:
    """A folder to begin from, and what an undisturbed run makes of it."""

    folder: Path
    contents: Counter[tuple[Any, ...]]
    requests: int
    steps: int


class Ground:
    """A fake of X whose world has moved on since `earlier` was collected from it; `fresh` was not yet."""

    def __init__(self, base: Path, x: FakeX) -> None:
        self.base, self.x = base, x
        lift_limits(x)
        now_ms = system_clock()
        self.clock = Clock(now_ms - 2 * DAY_MS)
        x.now_ms = self.clock
        self.force = self._populate(now_ms)
        daily = dict.fromkeys(ALL_KINDS, 1)
        asked = Asked(self.force, ALL_KINDS, every_days=daily, more="max_spend_usd = 1000")
        home = make_x_home(base / "fresh", x, asked)
        earlier = XHome(copy_folder(home.folder, base / "earlier"))
        earlier.collect_whole(self.clock)
        x.now_ms = system_clock
        self._move_on(now_ms)
        self.fresh, self.earlier = self._start(home.folder), self._start(earlier.folder)
        same_but_once(read_contents(base / "fresh-whole"))
        posts = {row[1] for row in self.fresh.contents if row[0] == "post"}
        assert len(posts) > 400
        gone = Counter(row[3] for row in self.earlier.contents if row[0] == "gone")
        assert gone == {"post": 3, "follower": 2, "block": 1}
        assert sum(row[0] == "media" and row[4] is not None for row in self.fresh.contents) >= 6

    def _populate(self, now_ms: int) -> User:
        """As it was two days ago."""
        x, world, then = self.x, self.x.world, now_ms - 2 * DAY_MS
        force = add_force(x, posts=150, mentions=110, followers=1020, messages=105, at=then)
        people = [world.user(f"person_{number}") for number in range(20)]
        for number in range(4):
            world.add_post(
                force,
                f"Picture {number}",
                then - number * HOUR_MS - 5,
                media_keys=[world.add_photo(alt_text="A sign")],
            )
        self.to_edit = world.add_post(force, "Road closd", then - MINUTE_MS)
        for person in people[:3]:
            world.follow(force, person)
            world.block(force, person)
            world.mute(force, person)
            world.like(force, str(world.mentioning(force.id)[len(world.likes[force.id])]))
        world.add_list(force, "Forces", people[4:8])
        world.add_list(people[9], "Helpers", [force])
        return force

    def _move_on(self, now_ms: int) -> None:
        """What happened in the two days since."""
        world, force = self.x.world, self.force
        for number in range(130):
            media = [world.add_photo()] if number % 40 == 7 else []
            world.add_post(
                force, f"Since then {number}", now_ms - (200 - number) * MINUTE_MS, media_keys=media
            )
            if number < 25:
                world.add_post(
                    world.user("person_3"),
                    f"@{force.handle} since {number}",
                    now_ms - (190 - number) * MINUTE_MS,
                )
                world.add_message(
                    world.user("person_5"), f"Since {number}", [force], now_ms - (180 - number) * MINUTE_MS
                )
        for number in (3, 40, 77):
            world.delete_post(str(world.written(force.id)[-140 - number]))
        world.edit_post(self.to_edit, "Road closed", self.to_edit.created_ms + 3 * MINUTE_MS)
        for name in ("person_7", "person_1010"):
            world.unfollow(world.user(name), force)
        del world.blocking[force.id][0]
        world.rename(force, "Springfield_PD")

    def _start(self, folder: Path) -> Start:
        whole = copy_folder(folder, self.base / f"{folder.name}-whole")
        before = len(self.x.requests)
        code, errors = run_to_the_end(whole)
        assert code == 0, errors
        requests = len(self.x.requests) - before
        home = XHome(whole)
        home.seal(system_clock())
        check_nothing_half(whole)
        return Start(folder, timeless(read_contents(whole)), requests, int(errors.rpartition("steps ")[2]))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with FakeX() as x:
        yield Ground(tmp_path_factory.mktemp("ground"), x)


@pytest.fixture
def ground(made: Ground) -> Iterator[Ground]:
    yield made
    made.x.faults.clear()


@pytest.fixture(params=["fresh", "earlier"])
def start(request: pytest.FixtureRequest, ground: Ground) -> Start:
    """A folder that was never collected into, and one that was two days ago."""
    chosen: Start = getattr(ground, request.param)
    return chosen


def start_collecting(
    folder: Path, program: str = QUICK_PROGRAM, step: int | None = None
) -> "subprocess.Popen[str]":
    """`archiver collect` in a process of its own; with a step, killed just before it."""
    counted = [] if step is None else [str(folder), str(step)]
    return subprocess.Popen(
        [sys.executable, "-c", program if step is None else QUICK_KILLED_RUN, *counted,
         "--config", str(folder), "collect"],
        cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run_to_the_end(folder: Path) -> tuple[int, str]:
    """The exit code, and what was said, at its end how many steps there were."""
    process = start_collecting(folder, step=0)
    _, errors = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, errors


def places(name: str, number: int, rounds: int) -> list[int]:
    """One drawn from each of `rounds` equal stretches of 1 to `number`."""
    draw = random.Random(name)  # noqa: S311  # repeatable, not secret
    if rounds >= number:
        return list(range(1, number + 1))
    edges = [1 + number * place // rounds for place in range(rounds + 1)]
    return [draw.randrange(first, max(last, first + 1)) for first, last in itertools.pairwise(edges)]


def add_faults(x: FakeX, draw: random.Random) -> list[Record]:
    """Two faults of X's own, somewhere; to the list come the requests whose answers then break off."""
    cut: list[Record] = []
    for after in draw.sample(range(12), 2):
        fault = draw.choice(FAULTS)()
        if isinstance(fault, Cut):
            x.faults.add("^/2/", Before(cut.append), after=after)
        x.faults.add("^/2/", fault, after=after)
    return cut


def killed_by_the_server(x: FakeX, folder: Path, number: int) -> list[Record]:
    """A run that is killed when it asks for the `number`-th time. The request whose answer never came: what
    was paid for before a picture is asked for is counted already. None where it ended before."""
    lost: list[Record] = []
    process: subprocess.Popen[str] | None = None
    started = threading.Event()

    def kill(record: Record) -> None:
        started.wait(LIMIT_SECONDS)
        assert process is not None
        process.kill()
        process.wait()
        lost.append(record)

    x.faults.add("", Before(kill), after=number - 1)
    process = start_collecting(folder)
    started.set()
    _, errors = process.communicate(timeout=LIMIT_SECONDS)
    x.faults.clear()
    assert process.returncode in ((-signal.SIGKILL,) if lost else (0, 3)), errors
    return lost


def billed(x: FakeX, since: int, lost: Sequence[list[Record]] = ()) -> int:
    """Things that X returned from this request on, but for answers that never came."""
    answered = [one for one in x.requests[since:] if one.path.startswith("/2/") and one.status == 200]
    never_came = [one for some in lost for one in some]
    return sum(one.data for one in answered if not any(one is other for other in never_came))


def resources(home: XHome) -> int:
    """Things that are counted as paid for, this month and the last."""
    months = {time.strftime("%Y-%m", time.gmtime(system_clock() / 1000 - days * 86_400)) for days in (0, 2)}
    return sum(one.resources for month in months for one in home.spent(month))


def complete(run: Runner, start: Start, folder: Path) -> None:
    """Collect until done, seal, and compare with the undisturbed run."""
    home = XHome(folder)
    for _ in range(ENOUGH):
        result = run("--config", folder, "collect")
        assert result.code == 0, result
        assert "GAP" not in result.output
        if all(line.endswith(": nothing is due") for line in result.output.splitlines()):
            break
    else:
        pytest.fail("something is due for ever")
    assert home.gaps() == []
    # The next day's run also does what a killed one no longer did.
    assert run("--config", folder, "collect", "--kind", "posts", "--kind", "lists").code == 0
    assert run("--config", folder, "seal").code == 0
    check_nothing_half(folder)
    contents = timeless(read_contents(folder))
    missing, more = start.contents - contents, contents - start.contents
    assert (dict(missing), dict(more)) == ({}, {})
    assert home.archives[-1].manifest.gaps == []


# Killed


def test_a_run_killed_at_any_request_completes_when_run_again(
    run: Runner, ground: Ground, start: Start, tmp_path: Path
) -> None:
    x, draw = ground.x, random.Random(start.folder.name)  # noqa: S311  # repeatable, not secret
    for number in places(f"requests {start.folder.name}", start.requests, ROUNDS):
        folder = copy_folder(start.folder, tmp_path / str(number))
        before, counted = len(x.requests), resources(XHome(folder))
        lost = [add_faults(x, draw) if number % 2 else []]
        lost.append(killed_by_the_server(x, folder, number))
        assert lost[-1], "it ended before"
        if number % 3 == 0:
            x.forget_page_tokens()
        lost.append(add_faults(x, draw))
        complete(run, start, folder)
        x.faults.clear()
        assert resources(XHome(folder)) - counted == billed(x, before, lost), "what came is paid for once"


def test_a_run_killed_again_and_again_completes_at_last(
    run: Runner, ground: Ground, start: Start, tmp_path: Path
) -> None:
    x, draw = ground.x, random.Random(f"again {start.folder.name}")  # noqa: S311  # repeatable, not secret
    for number in range(ROUNDS // 4):
        folder = copy_folder(start.folder, tmp_path / str(number))
        before, counted = len(x.requests), resources(XHome(folder))
        lost: list[list[Record]] = []
        for _ in range(5):
            lost.append(add_faults(x, draw))
            lost.append(killed_by_the_server(x, folder, draw.randrange(1, 9)))
        complete(run, start, folder)
        assert resources(XHome(folder)) - counted == billed(x, before, lost)


def test_a_run_killed_before_any_step_on_the_disk_completes_when_run_again(
    run: Runner, ground: Ground, start: Start, tmp_path: Path
) -> None:
    x, draw = ground.x, random.Random(f"steps {start.folder.name}")  # noqa: S311  # repeatable, not secret
    for step in places(f"steps {start.folder.name}", start.steps, ROUNDS):
        folder = copy_folder(start.folder, tmp_path / str(step))
        before, counted = len(x.requests), resources(XHome(folder))
        cut = add_faults(x, draw) if step % 2 else []
        process = start_collecting(folder, step=step)
        _, errors = process.communicate(timeout=LIMIT_SECONDS)
        x.faults.clear()
        assert process.returncode in (0, -signal.SIGKILL), errors  # with faults there may be fewer steps
        asked = [one for one in x.requests[before:] if one.path.startswith("/2/")]
        complete(run, start, folder)
        uncounted = billed(x, before, [cut]) - (resources(XHome(folder)) - counted)
        assert uncounted in (0, asked[-1].data if asked else 0), "at most the answer in flight is not counted"


def test_what_a_killed_run_left_can_be_sealed_before_it_is_run_again(
    run: Runner, ground: Ground, start: Start, tmp_path: Path
) -> None:
    for number in places(f"half {start.folder.name}", start.requests, ROUNDS // 2):
        folder = copy_folder(start.folder, tmp_path / str(number))
        assert killed_by_the_server(ground.x, folder, number)
        assert run("--config", folder, "seal").code == 0
        check_nothing_half(folder)
        complete(run, start, folder)


def test_a_run_over_several_accounts_at_a_time_completes_when_it_was_killed(
    run: Runner, tmp_path: Path
) -> None:
    with fake_x() as x:
        forces = [x.world.add_user(f"force_{number}", f"Force {number}") for number in range(4)]
        for force, number in itertools.product(forces, range(130)):
            at = system_clock() - (140 - number) * MINUTE_MS
            x.world.add_post(force, f"Word {number} of {force.name}", at)
        for number in range(120):
            x.world.add_message(forces[number % 3 + 1], f"Note {number}", [forces[0]])
        kinds = ("profile", "posts", "messages")
        fresh = make_x_home(tmp_path / "fresh", x, *(Asked(force, kinds) for force in forces)).folder
        whole = copy_folder(fresh, tmp_path / "whole")
        assert run("--config", whole, "collect").code == 0
        requests = len(x.requests)
        assert run("--config", whole, "seal").code == 0
        start = Start(fresh, timeless(read_contents(whole)), requests, 0)
        assert Counter(row[0] for row in start.contents)["post"] == 520
        for number in places("accounts", requests, ROUNDS):
            folder = copy_folder(fresh, tmp_path / str(number))
            assert killed_by_the_server(x, folder, number)
            complete(run, start, folder)


@pytest.mark.parametrize("path", ["/2/tweets$", "/list_memberships$", "/2/lists/"])
def test_what_a_killed_run_had_not_asked_for_yet_is_due(run: Runner, tmp_path: Path, path: str) -> None:
    """A kind of several walks is not done when the first of them is."""
    with fake_x() as x:
        force = add_force(x, posts=3)
        post = x.world.add_post(force, "Teh bridge", system_clock() - 20 * DAY_MS)
        edited = x.world.edit_post(post, "The bridge", post.created_ms + MINUTE_MS)
        x.world.add_list(force, "Forces", [x.world.user("person_1")])
        x.world.add_list(x.world.user("person_2"), "Helpers", [force])
        home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts", "lists")))
        whole = copy_folder(home.folder, tmp_path / "whole")
        assert run("--config", whole, "collect").code == 0
        number = next(
            place for place, record in enumerate(x.requests, start=1) if re.search(path, record.path)
        )
        assert killed_by_the_server(x, home.folder, number)
        for _ in range(2):
            assert run("--config", home.folder, "collect").code == 0
        for folder in (whole, home.folder):
            assert run("--config", folder, "seal").code == 0
        assert {post.id, edited.id} <= set(XHome(whole).texts())
        assert timeless(read_contents(home.folder)) == timeless(read_contents(whole))


# Interrupted


def wait_until(when: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not when():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def interrupt(process: "subprocess.Popen[str]", within_seconds: float) -> None:
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 130, errors
    assert "archiver: interrupted" in errors
    assert "Traceback" not in errors
    assert time.monotonic() - began < within_seconds


def test_ctrl_c_ends_a_run_between_two_pages_and_the_next_completes_it(
    run: Runner, ground: Ground, start: Start, tmp_path: Path
) -> None:
    folder = copy_folder(start.folder, tmp_path / "v")
    asked, go_on = threading.Event(), threading.Event()

    def hold(record: Record) -> None:
        asked.set()
        go_on.wait(LIMIT_SECONDS)

    ground.x.faults.add("/mentions$", Before(hold))
    process = start_collecting(folder)
    wait_until(asked.is_set, process)
    threading.Timer(0.3, go_on.set).start()
    interrupt(process, within_seconds=10)
    complete(run, start, folder)


def test_ctrl_c_ends_a_wait_for_a_limit_at_once(run: Runner, ground: Ground, tmp_path: Path) -> None:
    start, x = ground.fresh, ground.x
    folder = copy_folder(start.folder, tmp_path / "v")
    settings = folder / "archiver.toml"
    settings.write_text(settings.read_text().replace("max_wait_seconds = 60", "max_wait_seconds = 900"))
    before = len(x.requests)
    x.faults.add("/tweets$", rate_limited(reset=int(time.time()) + 600))
    process = start_collecting(folder, "import sys\nfrom archiver.cli import main\nsys.exit(main())")
    wait_until(lambda: any(one.status == 429 for one in x.requests[before:]), process)
    time.sleep(0.2)
    interrupt(process, within_seconds=5)
    complete(run, start, folder)


def test_a_second_run_beside_the_first_is_refused_and_asks_for_nothing(
    run: Runner, ground: Ground, tmp_path: Path
) -> None:
    start, x = ground.fresh, ground.x
    folder = copy_folder(start.folder, tmp_path / "v")
    asked, go_on = threading.Event(), threading.Event()

    def hold(record: Record) -> None:
        asked.set()
        go_on.wait(LIMIT_SECONDS)

    x.faults.add("/mentions$", Before(hold))
    process = start_collecting(folder)
    wait_until(asked.is_set, process)
    number = len(x.requests)
    for command in ("collect", "backup", "seal"):
        error = run.fails(11, "--config", folder, command)
        assert error.startswith(f"process {process.pid} is at work here and holds ")
    assert run("--config", folder, "collect", "--dry-run").code == 0
    assert run("--config", folder, "status").code in (0, 3)
    assert len(x.requests) == number
    go_on.set()
    _, errors = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, errors
    complete(run, start, folder)


# The disk fills


@pytest.mark.parametrize("file_bytes", [30, 5_000, 70_000, 160_000])
def test_a_disk_that_fills_up_is_told_and_the_run_completes_with_space(
    run: Runner, ground: Ground, tmp_path: Path, file_bytes: int
) -> None:
    start, x = ground.fresh, ground.x
    folder = copy_folder(start.folder, tmp_path / "v")
    before = len(x.requests)
    done = subprocess.run(
        [*PROGRAM, "--config", str(folder), "collect"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes)),
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 1, done
    error, hint = done.stderr.splitlines()
    assert error.startswith("archiver: error: ")
    assert "the disk is full while writing /" in error
    assert hint.startswith("archiver: hint: free some space and run the same command again")
    assert list(folder.rglob(f"{PARTIAL_PREFIX}*")) == []
    assert len(x.requests) - before < start.requests, "nothing is asked for that cannot be kept"
    complete(run, start, folder)
