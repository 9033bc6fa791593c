"""What `archiver collect` cannot know for certain: what came between two halves of a walk, what a wrong clock
says, what a spool held that is not there any more. Nothing is lost without a word, and nothing that is there
is called lost."""

import random
import resource
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.progress import Gap
from archiver.times import system_clock
from tests.cli.runner import PROGRAM, Runner, start_process
from tests.collected import (
    DAY_MS,
    HOUR_MS,
    MAIN,
    MINUTE_MS,
    Asked,
    Clock,
    XHome,
    add_force,
    collect,
    fake_x,
    kind_of,
    make_x_home,
    problems_of,
    requests_of,
    said,
    seal_checked,
    wait_quickly,
)
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Answer, Before, problem
from tests.fakes.x_world import User, UserList
from tests.faults.folders import SOAK, read_contents, same_but_once, sample
from tests.programs import PROJECT

NOON_MS = 1_792_929_600_000
"""12:00 on 25 October 2026, UTC, for runs with a clock of their own."""
PATHS = {"posts": "/users/[0-9]+/tweets$", "mentions": "/mentions$"}
DEPTHS = {"posts": "3,200", "mentions": "800"}
IMPATIENT = "tries = 1\n"
SEEDS = range(60) if SOAK else range(6)


@pytest.fixture
def x() -> Iterator[FakeX]:
    with fake_x() as started:
        yield started


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON_MS)


@pytest.fixture
def then(clock: Clock) -> Iterator[FakeX]:
    """A fake that lives by the test's clock."""
    with fake_x(clock) as started:
        yield started


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_quickly(monkeypatch)


def write(x: FakeX, force: User, kind: str, number: int, from_ms: int) -> list[str]:
    """So many posts or mentions, one each second; their ids, oldest first."""
    author, text = (force, "Notice") if kind == "posts" else (x.world.user("person_0"), f"@{MAIN} question")
    return [x.world.add_post(author, f"{text} {one}", from_ms + one * 1000).id for one in range(number)]


def shown_by(x: FakeX, force: User, kind: str) -> list[str]:
    """The ids of all there ever were, oldest first."""
    ids = x.world.written(force.id) if kind == "posts" else x.world.mentioning(force.id)
    return list(map(str, ids))


def check_missing_is_told(home: XHome, ids: list[str], gaps: list[Gap], held: set[str] | None = None) -> int:
    """Whatever of these is not in the vault lies within a gap; how many there are."""
    there = set(home.texts()) if held is None else held
    missing = [int(one) for one in ids if one not in there]
    bounds = [(int(gap.after_id or 0), int(gap.before_id or 1 << 63)) for gap in gaps]
    untold = [one for one in missing if not any(after < one < before for after, before in bounds)]
    assert untold == [], f"{len(untold)} of {len(missing)} missing are in none of {bounds}"
    return len(missing)


# A walk that is cut off and gone on with later


def cut_at_page_2(run: Runner, x: FakeX, home: XHome, asked: Asked, how: str) -> None:
    """A run that keeps two pages of a hundred of the only kind."""
    assert asked.kinds is not None
    path = PATHS[asked.kinds[0]]
    if how == "kill":
        started = threading.Event()

        def kill(record: object) -> None:
            started.wait()
            process.kill()

        x.faults.add(path, Before(kill), after=2)
        process = start_process("--config", home.folder, "collect")
        started.set()
        process.communicate(timeout=60)
        return
    if how == "ceiling":
        low = Asked(asked.user, asked.kinds, more=f"{asked.more}\nmax_spend_usd = 1.0")
        collect(run, home.configure(x, low, x_api=IMPATIENT), code=3)
        home.configure(x, asked, x_api=IMPATIENT)
        return
    x.faults.add(path, problem(503), times=None, after=2)
    collect(run, home, code=3)
    x.faults.clear()


@pytest.mark.parametrize(
    ("kind", "number", "later", "how"),
    [
        ("mentions", 500, 700, "late"),
        ("mentions", 500, 700, "ceiling"),
        ("mentions", 500, 700, "kill"),
        ("posts", 400, 3150, "late"),
    ],
)
def test_what_came_between_two_halves_of_a_walk_and_pushed_its_rest_out_of_reach_leaves_a_gap(
    run: Runner, x: FakeX, tmp_path: Path, kind: str, number: int, later: int, how: str
) -> None:
    force, now_ms = add_force(x), system_clock()
    early = write(x, force, kind, number, now_ms - 9 * DAY_MS)
    asked = Asked(force, (kind,), more="recheck_days = 0")
    home = make_x_home(tmp_path / "v", x, asked, x_api=IMPATIENT)
    cut_at_page_2(run, x, home, asked, how)
    write(x, force, kind, later, now_ms - DAY_MS)
    line = said(collect(run, home, "--json", code=3), kind)
    (gap,) = line["gaps"]
    assert (gap["after_id"], gap["before_id"]) == (None, early[-200])
    assert gap["reason"] == f"X shows the newest {DEPTHS[kind]} only"
    assert not line["complete"]
    assert said(collect(run, home, "--kind", kind, "--json"), kind)["gaps"] == [], "it is told once"
    seal_checked(run, home)
    (named,) = home.archives[0].manifest.gaps
    assert (named.after_id, named.before_id, named.reason) == (None, early[-200], gap["reason"])
    assert len(home.texts()) == 200 + later
    assert check_missing_is_told(home, shown_by(x, force, kind), home.gaps()) == number - 200


def test_the_gap_of_a_later_walk_that_was_cut_off_begins_where_the_one_before_ended(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then)
    known = write(then, force, "mentions", 5, clock.now_ms - DAY_MS)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("mentions",)), x_api=IMPATIENT)
    home.collect_whole(clock)
    early = write(then, force, "mentions", 400, clock.now_ms)
    clock.forward(DAY_MS)
    then.faults.add(PATHS["mentions"], problem(503), times=None, after=2)
    assert not home.collect_one(clock).complete
    then.faults.clear()
    write(then, force, "mentions", 700, clock.now_ms)
    clock.forward(DAY_MS)
    (gap,) = kind_of(home.collect_one(clock), "mentions").gaps
    assert (gap.after_id, gap.before_id) == (known[-1], early[-200])
    home.seal(clock.now_ms)
    assert check_missing_is_told(home, shown_by(then, force, "mentions"), [gap]) == 200


@pytest.mark.parametrize("kind", ["posts", "mentions"])
@pytest.mark.parametrize("how", ["late", "ceiling"])
def test_a_walk_that_was_cut_off_leaves_no_gap_where_little_came_meanwhile(
    run: Runner, x: FakeX, tmp_path: Path, kind: str, how: str
) -> None:
    force, now_ms = add_force(x), system_clock()
    write(x, force, kind, 300, now_ms - DAY_MS)
    asked = Asked(force, (kind,), more="recheck_days = 0")
    home = make_x_home(tmp_path / "v", x, asked, x_api=IMPATIENT)
    cut_at_page_2(run, x, home, asked, how)
    write(x, force, kind, 5, now_ms - HOUR_MS)
    line = said(collect(run, home, "--json"), kind)
    assert (line["complete"], line["gaps"], line["counts"]["new"]) == (True, [], 105)
    seal_checked(run, home)
    assert sorted(home.texts()) == sorted(shown_by(x, force, kind))
    assert home.gaps() == []
    assert home.archives[0].manifest.gaps == []


def cut_mentions(home: XHome, x: FakeX, clock: Clock, pages: int) -> bool:
    """A run that keeps at most so many pages of mentions; whether there were more."""
    x.faults.add(PATHS["mentions"], problem(503), times=None, after=pages)
    report = home.collect_one(clock, only=["mentions"])
    x.faults.clear()
    return kind_of(report, "mentions").error is not None


def mentioned(then: FakeX, clock: Clock, path: Path, number: int) -> tuple[XHome, User]:
    force = add_force(then)
    write(then, force, "mentions", number, clock.now_ms - 9 * DAY_MS)
    return make_x_home(path, then, Asked(force, ("mentions",)), x_api=IMPATIENT), force


def test_a_walk_that_was_cut_off_twice_takes_all_where_little_came_meanwhile(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, force = mentioned(then, clock, tmp_path / "v", 500)
    for pages in (1, 2):
        assert cut_mentions(home, then, clock, pages)
        write(then, force, "mentions", 3, clock.now_ms)
        clock.forward(HOUR_MS)
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert sorted(home.texts()) == sorted(shown_by(then, force, "mentions"))
    assert home.gaps() == []
    same_but_once(read_contents(home.folder))


def test_a_walk_that_was_cut_off_twice_leaves_a_gap_where_the_rest_was_pushed_out_of_reach(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, force = mentioned(then, clock, tmp_path / "v", 500)
    for pages, later in ((1, 50), (2, 400)):
        assert cut_mentions(home, then, clock, pages)
        write(then, force, "mentions", later, clock.now_ms)
        clock.forward(HOUR_MS)
    report = home.collect_one(clock)
    assert len(kind_of(report, "mentions").gaps) == 1
    home.seal(clock.now_ms)
    assert check_missing_is_told(home, shown_by(then, force, "mentions"), home.gaps()) == 150
    same_but_once(read_contents(home.folder))


def test_two_walks_that_were_cut_off_one_after_the_other_leave_a_gap_each(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, force = mentioned(then, clock, tmp_path / "v", 600)
    assert cut_mentions(home, then, clock, 2)
    write(then, force, "mentions", 500, clock.now_ms)
    clock.forward(HOUR_MS)
    assert cut_mentions(home, then, clock, 3)  # the first walk's end, and what came meanwhile begun
    write(then, force, "mentions", 900, clock.now_ms)
    clock.forward(HOUR_MS)
    home.collect_one(clock)
    home.seal(clock.now_ms)
    assert check_missing_is_told(home, shown_by(then, force, "mentions"), home.gaps()) > 0
    same_but_once(read_contents(home.folder))


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_cuts_walks_off_nothing_is_missing_without_a_gap_and_nothing_is_there_twice(
    then: FakeX, clock: Clock, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311  # repeatable, not secret
    home, force = mentioned(then, clock, tmp_path / "v", draw.choice((150, 450, 900)))
    for _ in range(4):
        if draw.random() < 0.75:
            cut_mentions(home, then, clock, draw.choice((0, 1, 2, 3, 5)))
        else:
            home.collect_one(clock, only=["mentions"])
        write(then, force, "mentions", draw.choice((0, 3, 120, 350, 700)), clock.now_ms)
        clock.forward(HOUR_MS)
    home.collect_one(clock, only=["mentions"])
    home.seal(clock.now_ms)
    check_missing_is_told(home, shown_by(then, force, "mentions"), home.gaps())
    same_but_once(read_contents(home.folder))


@pytest.mark.parametrize("hours", [20 * 24, 1])
def test_a_first_walk_through_messages_that_is_gone_on_with_much_later_leaves_a_gap(
    then: FakeX, clock: Clock, tmp_path: Path, hours: int
) -> None:
    force = add_force(then)
    sender = then.world.user("person_0")
    for number in range(290):
        then.world.add_message(sender, f"Tip {number}", [force], clock.now_ms - (290 - number) * 2 * HOUR_MS)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("messages",)), x_api=IMPATIENT)
    then.faults.add("/dm_events$", problem(503), times=None, after=1)
    assert not home.collect_one(clock).complete
    then.faults.clear()
    clock.forward(hours * HOUR_MS)
    found = kind_of(home.collect_one(clock), "messages")
    home.seal(clock.now_ms)
    held = [row[0] for row in home.rows("SELECT platform_id FROM message")]
    assert len(held) == len(set(held))
    missing = check_missing_is_told(home, [one.id for one in then.world.messages], home.gaps(), set(held))
    if hours == 1:
        assert (found.gaps, missing, found.complete) == ([], 0, True)
    else:
        (gap,) = found.gaps
        assert (gap.after_id, gap.before_id) == (None, min(held, key=int))
        assert gap.reason == "X shows messages of the last 30 days only"
        assert missing > 100
        assert home.archives[0].manifest.gaps != []
    clock.forward(DAY_MS)
    assert kind_of(home.collect_whole(clock), "messages").gaps == []


def test_status_still_names_a_gap_that_an_archive_names(run: Runner, x: FakeX, tmp_path: Path) -> None:
    force, now_ms = add_force(x), system_clock()
    (known,) = write(x, force, "mentions", 1, now_ms - 9 * DAY_MS)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("mentions",)))
    collect(run, home)
    later = write(x, force, "mentions", 810, now_ms - DAY_MS)
    collect(run, home, "--kind", "mentions", code=3)
    seal_checked(run, home)
    assert len(home.archives[0].manifest.gaps) == 1
    lines = run("--config", home.folder, "status").output.splitlines()
    (line,) = [line for line in lines if line.startswith("    GAP mentions: what lies between ")]
    assert f"(id {known})" in line
    assert f"(id {later[10]})" in line
    account, *_ = run("--config", home.folder, "status", "--json").json_lines()
    assert [(gap["after_id"], gap["before_id"]) for gap in account["gaps"]] == [(known, later[10])]  # type: ignore[attr-defined]


# A clock that is wrong


def test_a_clock_a_year_ahead_is_told_and_leaves_nothing_behind_once_it_is_put_right(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=5, followers=20, mentions=2, messages=3)
    kinds = ("profile", "posts", "mentions", "messages", "followers", "lists")
    people = [then.world.user(f"person_{number}") for number in range(3)]
    then.world.add_list(force, "Forces", people)
    home = make_x_home(tmp_path / "v", then, Asked(force, kinds))
    deleted = str(then.world.written(force.id)[-1])
    for day in range(2):
        fast = Clock(clock.now_ms + 365 * DAY_MS)
        (said_of_it,) = problems_of(home.collect_one(fast, only=kinds))  # type: ignore[arg-type]
        assert said_of_it.startswith("the clock of this host: clock: is 31,5")
        if day == 0:
            then.world.delete_post(deleted)
            then.world.unfollow(people[0], force)
        clock.forward(DAY_MS)
    then.world.add_post(force, "Once it is right", clock.now_ms - MINUTE_MS)
    then.world.add_post(people[1], f"@{MAIN} at last", clock.now_ms - MINUTE_MS)
    then.world.add_message(people[1], "A new tip", [force], clock.now_ms - MINUTE_MS)
    new = {
        kind.kind: (kind.counts["new"], kind.counts["gone"], kind.counts["back"])
        for kind in home.collect_whole(clock).kinds
    }
    assert new == {"profile": (0, 0, 0), "posts": (1, 0, 0), "mentions": (1, 0, 0), "messages": (1, 0, 0)}
    then.world.follow(then.world.add_user("newcomer", "A Newcomer"), force)
    for _ in range(2):
        clock.forward(7 * DAY_MS)
        report = home.collect_whole(clock)
        assert [kind.kind for kind in report.kinds] == list(kinds)
        assert {change for kind in report.kinds for change in kind.counts} <= {"new", "unchanged"}
    home.seal(clock.now_ms)
    assert (set(home.gone()), set(home.gone("follower"))) == ({deleted}, {people[0].id})
    assert home.gone("own_list_member") == {}
    times = home.rows("SELECT fetched_ms FROM capture UNION ALL SELECT noticed_ms FROM gone")
    assert len(times) > 10
    assert [moment for (moment,) in times if not NOON_MS - 1000 <= moment <= clock.now_ms] == []
    home.check_rebuilt()


# A spool that is not what it was


def remove_spool(home: XHome) -> None:
    for path in (home.folder / "spool").glob("spool.sqlite*"):
        path.unlink()


@pytest.mark.parametrize("how", ["deleted", "replaced"])
@pytest.mark.parametrize("sealed", [False, True], ids=["never sealed", "sealed before"])
def test_a_spool_that_lost_what_was_not_sealed_is_told_by_every_command_until_the_state_goes_too(
    run: Runner, x: FakeX, tmp_path: Path, how: str, sealed: bool
) -> None:
    force = add_force(x, posts=130, followers=12)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts", "followers")))
    kinds = ("--kind", "profile", "--kind", "posts", "--kind", "followers")
    database, state = home.folder / "spool" / "spool.sqlite", home.folder / "state.sqlite"
    collect(run, home)
    if sealed:
        assert run("--config", home.folder, "seal").code == 0
    older = database.read_bytes()
    x.world.add_post(force, "Not sealed yet")
    collect(run, home, *kinds)
    remove_spool(home)
    if how == "replaced":
        database.write_bytes(older)
    asked, export = requests_of(x), sample(tmp_path / "export.zip")
    for arguments in (("collect",), ("import", "--add-account", export), ("backup",)):
        error, hint = run.fails(20, "--config", home.folder, *arguments).splitlines()
        assert error.startswith(f"{home.folder / 'spool'}: pages are missing that {state} knows of")
        assert "spool.sqlite and the state's file aside, and everything is taken anew" in hint
    assert requests_of(x) == asked, "nothing is asked for that would be taken for known"
    state.rename(tmp_path / "aside.sqlite")
    if sealed:  # what an older spool says was asked for before is in no state any more
        remove_spool(home)
    collect(run, home, *kinds)
    assert run("--config", home.folder, "seal").code == 0
    assert run("--config", home.folder, "verify", "--contents").code == 0
    assert sorted(home.texts()) == sorted(shown_by(x, force, "posts"))
    assert sorted(set(home.related("follower"))) == sorted(x.world.followers[force.id])
    if not sealed:
        same_but_once(read_contents(home.folder))
    collect(run, home, *kinds)


def test_a_spool_that_was_sealed_and_made_small_is_not_taken_for_another(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    force = add_force(x, posts=30, followers=3)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts", "followers")))
    export = sample(tmp_path / "export.zip")
    for number in range(3):
        x.world.add_post(force, f"Round {number}")
        for _ in range(2):
            collect(run, home, "--kind", "posts", "--kind", "followers")
        if number == 1:
            assert run("--config", home.folder, "import", "--add-account", export).code == 0
        if number != 2:
            seal_checked(run, home)
        with sqlite3.connect(home.folder / "spool" / "spool.sqlite") as database:
            database.execute("VACUUM")
        database.close()
    assert run("--config", home.folder, "backup").code == 0
    assert run("--config", home.folder, "backup").code == 0
    assert set(shown_by(x, force, "posts")) <= set(home.texts())
    same_but_once(read_contents(home.folder))


# Lists


def with_lists(then: FakeX, path: Path) -> tuple[XHome, list[UserList]]:
    """Three lists with a member each, the first by its number first."""
    force = add_force(then)
    lists = [
        then.world.add_list(force, f"List {number}", [then.world.user(f"person_{number}")])
        for number in range(3)
    ]
    return make_x_home(path, then, Asked(force, ("lists",)), x_api=IMPATIENT), lists


def check_told_of_the_list(home: XHome, clock: Clock, of: UserList, others: list[UserList]) -> None:
    """A run that says what is wrong with one list, and takes the others."""
    report = home.collect_one(clock, only=["lists"])
    home.seal(clock.now_ms)
    members = [f"{one.id}/{member}" for one in others for member in one.members]
    assert home.related("own_list_member") == sorted(members), problems_of(report)
    told = [one for one in problems_of(report) if of.id in one]
    assert (report.error, len(told)) == (None, 1), problems_of(report)
    assert [archive for archive in home.archives if "refused" in archive.manifest.problems] == []
    assert home.gone("own_list_member") == {}


def test_a_list_that_is_deleted_between_two_runs_is_told_and_the_others_go_on(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, (first, *others) = with_lists(then, tmp_path / "v")
    then.faults.add("/members$", problem(503), times=None)
    assert not home.collect_one(clock).complete
    then.faults.clear()
    del then.world.lists[first.id]
    clock.forward(HOUR_MS)
    report = home.collect_one(clock)
    (told,) = problems_of(report)
    assert (first.id in told, report.error, kind_of(report, "lists").error) == (True, None, None)
    home.seal(clock.now_ms)
    assert home.related("own_list_member") == sorted(f"{one.id}/{one.members[0]}" for one in others)
    assert "refused" not in home.archives[0].manifest.problems
    clock.forward(7 * DAY_MS)
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert home.gone("list_created") == {first.id: "absent from X's answer"}


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_list_whose_members_x_refuses_is_told_and_the_others_go_on(
    then: FakeX, clock: Clock, tmp_path: Path, status: int
) -> None:
    home, (first, *others) = with_lists(then, tmp_path / "v")
    said_of_it = {
        "value": first.id, "parameter": "id", "resource_id": first.id, "resource_type": "list",
        "title": "Authorization Error", "detail": f"You may not see the list [{first.id}].",
        "type": "https://api.twitter.com/2/problems/not-authorized-for-resource",
    }  # fmt: skip
    refusal = Answer(200, {"errors": [said_of_it]}) if status == 200 else problem(status)
    then.faults.add(f"/lists/{first.id}/members$", refusal, times=None)
    check_told_of_the_list(home, clock, first, others)


# What is looked up again


def test_mentions_alone_are_looked_up_again(then: FakeX, clock: Clock, tmp_path: Path) -> None:
    force = add_force(then, mentions=6)
    home = make_x_home(
        tmp_path / "v", then, Asked(force, ("mentions",), more="recheck_mentions = true"), x_api=IMPATIENT
    )
    home.collect_whole(clock)
    deleted, suspended = (str(one) for one in then.world.mentioning(force.id)[3:5])
    then.world.delete_post(deleted)
    then.world.suspend(then.world.posts[suspended].author_id)
    clock.forward(DAY_MS)
    counts = kind_of(home.collect_whole(clock), "mentions").counts
    assert counts["gone"] == 3, "one deleted, and both of whoever is suspended"
    then.world.suspend(then.world.posts[suspended].author_id, suspended=False)
    clock.forward(DAY_MS)
    assert kind_of(home.collect_whole(clock), "mentions").counts["back"] == 2
    home.seal(clock.now_ms)
    assert home.gone()[deleted] == "X's interface: deleted"
    assert home.gone()[suspended] == "X's interface: suspended"
    home.check_rebuilt()


# The disk fills


def test_a_disk_that_is_full_stops_the_other_accounts_before_they_ask_for_more(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    forces = [x.world.add_user(f"force_{number}", f"Force {number}") for number in range(5)]
    for force in forces:
        for number in range(150):
            x.world.add_post(force, f"Post {number}", system_clock() - (200 - number) * MINUTE_MS)
    asked = (Asked(force, ("posts", "followers")) for force in forces)
    home = make_x_home(tmp_path / "v", x, *asked, x_api="side_by_side = 1\n")
    bytes_of_a_file = 140_000  # enough for the empty spool, not for a page
    done = subprocess.run(
        [*PROGRAM, "--config", str(home.folder), "collect"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_of_a_file, bytes_of_a_file)),
        timeout=60,
    )
    assert done.returncode == 1, done
    assert "the disk is full while writing /" in done.stderr
    assert "Traceback" not in done.stderr
    asked_for = {one.path for one in x.requests}
    assert asked_for == {f"/2/users/{forces[0].id}/tweets"}, "nothing is asked for that cannot be kept"
    collect(run, home)
    seal_checked(run, home)
    assert len(home.texts()) == 5 * 150


def test_posts_seen_before_a_walk_was_cut_off_are_not_paid_for_again_when_it_is_gone_on_with(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then)
    write(then, force, "posts", 300, clock.now_ms - DAY_MS)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",)), x_api=IMPATIENT)
    then.faults.add(PATHS["posts"], problem(503), times=None, after=2)
    assert not home.collect_one(clock).complete
    then.faults.clear()
    clock.forward(HOUR_MS)
    home.collect_whole(clock)
    assert [one.path for one in then.requests if one.path == "/2/tweets"] == []
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    assert len([one for one in then.requests if one.path == "/2/tweets"]) == 3
