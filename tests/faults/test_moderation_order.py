"""Record first, then act: a fault or a kill at every step between asking X and acting on X.

However it ends, X was never asked to act before the record could be read back from the disk; and the same
command run again ends with one record, one outcome, and one change on X.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from archiver.settings import load_settings
from archiver.spool import Spool
from archiver.times import system_clock
from archiver.wiring.collector import open_collector
from archiver.wiring.spool import load_identity
from tests.cli.runner import PROGRAM, Runner, start_process
from tests.collected import XHome, fake_x
from tests.fakes.x_api import Record
from tests.fakes.x_faults import (
    Action,
    After,
    Answer,
    Before,
    Cut,
    Drop,
    Lost,
    NotJson,
    problem,
    rate_limited,
)
from tests.faults.folders import check_nothing_half
from tests.moderated import (
    Scene,
    entries_in,
    entries_of,
    make_scene,
    registered,
    the_decision,
    wait_for_nothing,
)
from tests.programs import PROJECT, require_program
from tests.unit.moderation.test_screenshots import PNG

MOST_STEPS = 200
LIMIT_SECONDS = 60
SIDE_BY_SIDE = 2
ACT_PATH = r"/2/tweets/\d+/hidden$"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_nothing(monkeypatch)


class Watcher:
    """Looks at a folder as a reader after a power cut would, whenever X is asked to act on its behalf."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.looks = 0
        self.without_record = 0

    def look(self, _: Record) -> None:
        self.looks += 1
        copy = self.folder.with_name(f"{self.folder.name}-look-{self.looks}")
        shutil.copytree(self.folder, copy)
        settings = load_settings(copy / "archiver.toml")
        with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
            decisions = [
                one for one in entries_in(spool) if one.entry == "decision" and one.state == "planned"
            ]
            known = [one for one in spool.register.all() if one.state == "planned"]
        self.without_record += not (decisions and known and decisions[0].text and decisions[0].context_sha256)


def moderate(scene: Scene) -> list[str]:
    return ["moderate", scene.url, "--reason", "abusive", "--action", "hide", "--note", "as it stands"]


def stepped_run(
    folder: Path, step: int, arguments: list[str], environ: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.killed_run", folder, str(step), "--config", folder, *arguments],
        cwd=PROJECT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )


def check_one_of_everything(home: XHome, scene: Scene, watcher: Watcher | None = None) -> None:
    """One record, its act done once, and nothing half."""
    entries = entries_of(home)
    decision = the_decision(entries)
    assert [one.entry for one in entries] == ["decision", "outcome"]
    assert (decision.state, entries[1].state, entries[1].corrects) == ("planned", "done", decision.id)
    (row,) = registered(home)
    assert (row.record_id, row.entries, row.state) == (decision.id, 2, "done")
    assert scene.effective_acts == [("hide", scene.reply)]
    assert watcher is None or watcher.without_record == 0
    assert home.seal(system_clock()).archive is not None
    check_nothing_half(home.folder)
    home.check_rebuilt()
    assert home.rows("SELECT entry, state FROM moderation") == [("decision", "planned"), ("outcome", "done")]


@pytest.mark.parametrize("way", ["killed", "failed"])
def test_wherever_it_is_cut_off_no_act_precedes_a_durable_record_and_the_rerun_doubles_nothing(
    tmp_path: Path, way: str
) -> None:
    environ = {**os.environ, "FAIL_INSTEAD": "1" if way == "failed" else "0"}
    picture = tmp_path / "screen.png"
    picture.write_bytes(PNG)

    def attempt(step: int) -> tuple[int, int, int]:
        """One run cut off at a step and the rerun; the step, how many steps there were, how often X acted."""
        with fake_x() as x:
            scene = make_scene(x, pictures=1)
            home = scene.home(tmp_path / f"{way}-{step}")
            watcher = Watcher(home.folder)
            x.faults.add(ACT_PATH, Before(watcher.look), times=10)
            arguments = [*moderate(scene), "--screenshot", str(picture)]
            cut = stepped_run(home.folder, step, arguments, environ)
            assert "Traceback" not in cut.stderr, cut.stderr
            steps = re.search(r"^steps (\d+)$", cut.stderr, re.MULTILINE)
            acted = len(x.acts)
            if acted:
                assert the_decision(entries_of(home)).state == "planned"
            again = stepped_run(home.folder, 0, arguments, {**environ, "FAIL_INSTEAD": "0"})
            assert again.returncode == 0, (step, cut.stderr, again.stdout, again.stderr)
            check_one_of_everything(home, scene, watcher)
            assert watcher.looks == len(x.acts) >= 1
            assert len(x.acts) <= 2
            return step, int(steps[1]) if steps else 0, acted

    _, steps, _ = attempt(0)
    assert 10 < steps < MOST_STEPS
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = list(pool.map(attempt, range(1, steps + 1)))
    # Some were cut off before X acted, some after: the steps do lie on both sides of it.
    assert {acted for _, _, acted in results} == {0, 1}


ASKING: dict[str, tuple[str, Callable[[], Action], int]] = {
    "X has a fault of its own for ever": (r"^/2/tweets$", lambda: problem(503), 100),
    "the connection breaks for ever": (r"^/2/tweets$", Drop, 100),
    "an answer is cut for ever": (r"^/2/tweets$", Cut, 100),
    "no page of JSON": (r"^/2/tweets$", NotJson, 100),
    "the key is refused": (r"^/2/tweets$", lambda: problem(401), 100),
    "X wants money": (r"^/2/tweets$", lambda: problem(402), 100),
    "the plan does not include it": (r"^/2/tweets$", lambda: problem(403), 100),
    "the limit lasts an hour": (r"^/2/tweets$", lambda: rate_limited(reset=int(time.time()) + 3600), 100),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("why", ASKING)
def test_where_the_item_cannot_be_had_nothing_is_recorded_and_nothing_done(
    run: Runner, tmp_path: Path, why: str
) -> None:
    pattern, action, times = ASKING[why]
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "home")
        x.faults.add(pattern, action(), times=times)
        message = run.fails(1, "--config", home.folder, *moderate(scene))
        assert "nothing was recorded or done" in message
        assert "--text, --author, --posted-at" in message
        assert (x.acts, entries_of(home), registered(home)) == ([], [], [])
        x.faults.clear()
        assert run("--config", home.folder, *moderate(scene)).code == 0
        check_one_of_everything(home, scene)


PASSING: dict[str, Callable[[], Action]] = {
    "a fault after X did it": lambda: After(Answer(503)),
    "a fault before X did it": lambda: problem(500),
    "the answer lost after X did it": Drop,
    "the answer cut after X did it": Cut,
    "the request lost": Lost,
    "no JSON after X did it": lambda: After(NotJson()),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("why", PASSING)
def test_a_passing_fault_of_the_act_is_got_over_in_the_same_run(
    run: Runner, tmp_path: Path, why: str
) -> None:
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "home")
        x.faults.add(ACT_PATH, PASSING[why]())
        assert run("--config", home.folder, *moderate(scene)).code == 0
        check_one_of_everything(home, scene)


def test_a_limit_that_ends_is_waited_for(run: Runner, tmp_path: Path) -> None:
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "home")
        x.faults.add(ACT_PATH, rate_limited(reset=int(time.time()) + 1))
        assert run("--config", home.folder, *moderate(scene)).code == 0
        check_one_of_everything(home, scene)


LASTING: dict[str, Callable[[], Action]] = {
    **PASSING,
    "the key is refused": lambda: problem(401),
    "X wants money": lambda: problem(402),
    "the limit lasts an hour": lambda: rate_limited(reset=int(time.time()) + 3600),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("why", LASTING)
def test_an_act_that_x_does_not_answer_stays_pending_and_is_finished_later(
    run: Runner, tmp_path: Path, why: str
) -> None:
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "home")
        x.faults.add(ACT_PATH, LASTING[why](), times=100)
        first = run("--config", home.folder, *moderate(scene))
        assert first.code == 3
        assert "PENDING. It is recorded, and X has not confirmed" in first.output
        assert [(one.entry, one.state) for one in entries_of(home)] == [("decision", "planned")]
        # Sealed or not, it is found and finished.
        home.seal(system_clock())
        shown = run("--config", home.folder, "moderation", "pending")
        assert shown.code == 3
        assert registered(home)[0].record_id in shown.output
        x.faults.clear()
        finished = run("--config", home.folder, "moderation", "pending", "--finish")
        assert finished.code == 0, finished
        assert run("--config", home.folder, "moderation", "pending").output == "Nothing is pending.\n"
        assert [(one.entry, one.state) for one in entries_of(home)] == [("outcome", "done")]
        assert scene.effective_acts == [("hide", scene.reply)]
        assert run("--config", home.folder, *moderate(scene)).output.startswith("Recorded already as ")
        assert len(registered(home)) == 1


@pytest.mark.usefixtures("impatient")
def test_an_act_that_x_refuses_is_a_failure_on_record_and_is_tried_again_only_by_name(
    run: Runner, tmp_path: Path
) -> None:
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "home")
        x.faults.add(ACT_PATH, problem(403), times=2)
        first = run("--config", home.folder, *moderate(scene))
        assert first.code == 1
        assert "X refuses to hide the reply" in first.errors
        assert [(one.entry, one.state) for one in entries_of(home)] == [
            ("decision", "planned"),
            ("outcome", "failed"),
        ]
        assert run("--config", home.folder, "moderation", "pending", "--finish").code == 3
        assert x.acts == []
        record = registered(home)[0].record_id
        assert run("--config", home.folder, "moderation", "pending", "--finish", record[:8]).code == 3
        assert run("--config", home.folder, "moderation", "pending", "--finish", record[:8]).code == 0
        assert scene.effective_acts == [("hide", scene.reply)]


def test_what_is_written_is_on_the_disk_before_x_is_asked_to_act(tmp_path: Path) -> None:
    """Seen from outside: the last write to the spool before the request was followed by a sync that ended."""
    strace = require_program("strace")
    trace = tmp_path / "trace"
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "home")
        command = ["--config", str(home.folder), *moderate(scene)]
        calls = "trace=pwrite64,write,fsync,fdatasync,sendto,sendmsg"
        ran = subprocess.run(
            [strace, "-f", "-y", "-s", "200", "-e", calls, "-o", trace, *PROGRAM, *command],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        if "PTRACE" in ran.stderr or "ptrace" in ran.stderr:
            pytest.skip("this host lets nobody trace a process")
        assert ran.returncode == 0, ran.stderr
    lines = trace.read_text(errors="replace").splitlines()
    act = next(number for number, line in enumerate(lines) if '"PUT /2/tweets/' in line)
    log = [line for line in lines[:act] if "spool.sqlite-wal" in line]
    writes = [number for number, line in enumerate(log) if "write" in line]
    syncs = [number for number, line in enumerate(log) if "sync(" in line and line.endswith("= 0")]
    assert len(writes) > 3
    assert syncs[-1] > writes[-1]


def test_two_people_who_do_the_same_at_once_make_one_record(tmp_path: Path) -> None:
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "home")
        processes = [start_process("--config", home.folder, *moderate(scene)) for _ in range(4)]
        ended = [(process.communicate(timeout=LIMIT_SECONDS), process.returncode) for process in processes]
        assert {code for _, code in ended} == {0}, ended
        assert the_decision(entries_of(home)).action == "hidden"
        assert scene.effective_acts == [("hide", scene.reply)]
        (row,) = registered(home)
        assert row.state == "done"


def test_removing_a_post_does_not_wait_for_a_backup(tmp_path: Path) -> None:
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "home")
        with open_collector(home.settings):
            ended = start_process("--config", home.folder, *moderate(scene))
            output, errors = ended.communicate(timeout=LIMIT_SECONDS)
            assert ended.returncode == 0, errors
            assert "hidden: X says: hidden" in output
        check_one_of_everything(home, scene)
