"""`archiver collect`: what is asked of X, what of it is kept, what is said of it, and what is missing."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archiver.times import format_date, format_time, system_clock
from tests.cli.runner import Result, Runner
from tests.collected import (
    ALL_KINDS,
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
from tests.fakes.x_faults import (
    Answer,
    Edit,
    MediaFault,
    Redirect,
    credits_depleted,
    problem,
    rate_limited,
    usage_capped,
)
from tests.fakes.x_world import PNG, Post, User
from tests.faults.folders import read_contents, same_but_once
from tests.unit.sources.x_export import builder as make

NOON_MS = 1_792_929_600_000
"""12:00 on 25 October 2026, UTC, for runs with a clock of their own."""
NOTHING_GONE = "nobody is taken for gone"


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


def hits(run: Runner, home: XHome, *query: str) -> list[dict[str, Any]]:
    result = run("--config", home.folder, "search", "--json", "--limit", "0", *query)
    assert result.code == 0, result
    return result.json_lines()[:-1]


def account_said(result: Result) -> dict[str, Any]:
    (found,) = [line for line in result.json_lines() if line["type"] == "account"]
    return found


def files_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def populate(x: FakeX) -> User:
    """An account with something of every kind."""
    force = add_force(x, posts=120, mentions=8, followers=6, messages=5)
    world, people = x.world, [x.world.user(f"person_{number}") for number in range(6)]
    now_ms = world.now_ms()
    world.add_post(force, "A burglary in Elm Street. " + "Please call. " * 40, now_ms - 9 * MINUTE_MS)
    original = world.add_post(people[0], "A flood, seen by a neighbour. " * 6, now_ms - 8 * MINUTE_MS)
    world.add_repost(force, original, now_ms - 7 * MINUTE_MS)
    world.add_post(force, "Thank you!", now_ms - 6 * MINUTE_MS, reply_to=original)
    picture = world.add_photo(alt_text="A bridge under water")
    world.add_post(force, "The bridge", now_ms - 5 * MINUTE_MS, media_keys=[picture])
    world.follow(force, people[1])
    world.block(force, people[2])
    world.mute(force, people[3])
    world.like(force, original)
    world.add_list(force, "Forces", [people[4], people[5]], description="Fictional forces")
    world.add_list(people[0], "Helpers", [force])
    return force


# A run


@pytest.mark.parametrize("generation", ["tweet", "post"])
def test_a_run_takes_every_kind_and_all_of_it_can_be_found_shown_verified_and_made_again(
    run: Runner, x: FakeX, tmp_path: Path, generation: str
) -> None:
    x.generation = generation
    force = populate(x)
    home = make_x_home(tmp_path / "v", x, Asked(force, ALL_KINDS))
    result = collect(run, home)
    assert result.output.splitlines()[0].startswith(f"@{MAIN}: asked X, for ")
    for line in (
        "  profile: 1 request, 1 returned: 1 new",
        "  posts: 2 requests, 124 returned: 124 new",
        "  mentions: 1 request, 8 returned: 8 new",
        "  messages: 1 request, 5 returned: 5 new",
        "  followers: 1 request, 6 returned: 6 new",
        "  following: 1 request, 1 returned: 1 new",
        "  blocks: 1 request, 1 returned: 1 new",
        "  mutes: 1 request, 1 returned: 1 new",
        "  likes: 1 request, 1 returned: 1 new",
        "  lists: 4 requests, 4 returned: 4 new",
    ):
        assert line in result.output.splitlines(), result.output
    assert "Incomplete" not in result.output
    assert result.errors == ""
    seal_checked(run, home)
    assert len(home.texts()) == 132
    numbers = Counter(row[0] for row in home.rows("SELECT kind FROM relation"))
    assert numbers == {
        "follower": 6, "following": 1, "block": 1, "mute": 1, "like": 1, "list_created": 1,
        "list_member": 1, "own_list_member": 2,
    }  # fmt: skip
    (long_one,) = hits(run, home, "burglary")
    assert long_one["text"].endswith("Please call. Please call. ")
    (repost,) = hits(run, home, "flood", "kind:repost")
    assert repost["text"] == "RT @person_0: " + "A flood, seen by a neighbour. " * 6
    assert [hit["alt_text"] for hit in hits(run, home, "water")] == ["A bridge under water"]
    assert len(hits(run, home, "question", "from:person_1")) == 2
    assert [hit["text"] for hit in hits(run, home, "kind:follower", "person_5")] == ["Person 5 @person_5"]
    shown = run("--config", home.folder, "show", long_one["id"])
    assert shown.code == 0
    assert f"captured from GET /2/users/{force.id}/tweets (x_api, route api), " in shown.output
    assert run("--config", home.folder, "verify", "--contents").code == 0
    assert run("--config", home.folder, "rebuild").code == 0


def test_a_second_run_takes_what_is_new_and_pays_for_no_more(run: Runner, x: FakeX, tmp_path: Path) -> None:
    force = populate(x)
    home = make_x_home(tmp_path / "v", x, Asked(force, ALL_KINDS))
    collect(run, home)
    x.world.add_post(force, "Something new")
    x.world.add_message(x.world.user("person_1"), "A new tip", [force])
    kinds = [part for kind in ("posts", "mentions", "messages") for part in ("--kind", kind)]
    result = collect(run, home, "--json", *kinds)
    posts = said(result, "posts")
    assert posts["counts"] == {"new": 1, "unchanged": 124}
    assert (posts["requests"], posts["complete"], posts["error"]) == (3, True, None)
    assert said(result, "mentions")["returned"] == 1  # the mark itself is asked for again
    assert said(result, "messages")["counts"] == {"new": 1, "unchanged": 5}
    assert account_said(result)["handle"] == MAIN
    seal_checked(run, home)
    assert len(home.texts()) == 133


def test_the_three_ways_to_sign_in_bring_the_same(run: Runner, x: FakeX, tmp_path: Path) -> None:
    force = add_force(x, posts=30, mentions=5, messages=4)
    held = {}
    for way, kinds in (
        ("oauth2", ("profile", "posts", "mentions", "messages")),
        ("oauth1", ("profile", "posts", "mentions", "messages")),
        ("bearer", ("profile", "posts", "mentions")),
    ):
        home = make_x_home(tmp_path / way, x, Asked(force, kinds, way))  # type: ignore[arg-type]
        collect(run, home)
        seal_checked(run, home)
        held[way] = (home.texts(), len(home.rows("SELECT * FROM message")))
    assert held["oauth2"] == held["oauth1"]
    assert held["bearer"] == (held["oauth2"][0], 0)
    assert held["oauth2"][1] == 4


def test_backup_collects_what_is_due_and_seals_it(run: Runner, x: FakeX, tmp_path: Path) -> None:
    force = populate(x)
    home = make_x_home(tmp_path / "v", x, Asked(force))
    result = run("--config", home.folder, "backup")
    assert result.code == 0, result
    assert "  posts: 2 requests, 124 returned: 124 new" in result.output
    assert "Sealed archive " in result.output
    assert len(home.texts()) == 132
    asked = requests_of(x)
    result = run("--config", home.folder, "backup")
    assert result.code == 0
    assert f"@{MAIN}: nothing is due" in result.output
    assert requests_of(x) == asked
    assert len(home.archives) == 1


def test_backup_seals_what_came_where_collecting_stops(run: Runner, x: FakeX, tmp_path: Path) -> None:
    force = add_force(x, posts=250)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts")))
    x.faults.add("/tweets$", credits_depleted(), after=1)
    result = run("--config", home.folder, "backup")
    assert result.code == 3, result
    assert "wants money first (402)" in result.errors
    assert len(home.texts()) == 100
    assert run("--config", home.folder, "backup").code == 0
    assert len(home.texts()) == 250
    same_but_once(read_contents(home.folder))


def test_what_is_collected_of_no_account_is_told(run: Runner, tmp_path: Path, x: FakeX) -> None:
    home = make_x_home(tmp_path / "v", x)
    error = run.fails(2, "--config", home.folder, "collect")
    assert "names no account to be collected from X" in error
    assert "[account.api]" in error


# Before a run: what it would cost


def test_a_look_ahead_asks_nothing_changes_nothing_and_has_the_right_numbers(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    force = populate(x)
    home = make_x_home(tmp_path / "v", x, Asked(force))
    assert run("--config", home.folder, "config", "check").code == 0
    first = collect(run, home, "--dry-run", "--json").json_lines()
    month = format_date(system_clock())[:7]
    assert x.requests == []
    assert {line["kind"]: (line["returned"], line["usd"], line["at_most_usd"]) for line in first[:-1]} == {
        "profile": (1, 0.01, 0.01),
        "posts": (3200, 16.0, 16.0),
        "posts looked up again": (0, 0.0, 0.0),
        "mentions": (800, 4.0, 4.0),
        "messages": (None, None, None),
        "following": (None, None, None),
        "blocks": (None, None, None),
        "mutes": (None, None, None),
    }
    assert {line["why"] for line in first[:-1]} == {"first time"}
    assert (first[-1]["usd"], first[-1]["month"]) == (20.01, month)
    assert first[-1]["spent_usd"] == {force.id: 0}
    table = collect(run, home, "--dry-run").output
    assert "16 USD" in table
    assert f"@{MAIN}: 0 USD spent in {month}; the ceiling is 25 USD a month" in table
    assert "Nothing was asked." in table
    assert x.requests == []
    collect(run, home)
    before, asked = files_of(home.folder), requests_of(x)
    again = collect(run, home, "--dry-run")
    assert again.output.startswith("Nothing is due: no request would be made.\n")
    later = collect(run, home, "--dry-run", "--json", "--kind", "posts", "--kind", "following").json_lines()
    assert (requests_of(x), files_of(home.folder)) == (asked, before)
    assert {line["kind"]: line["returned"] for line in later[:-1]} == {
        "posts": 124, "posts looked up again": 124, "following": 1,
    }  # fmt: skip
    assert later[0]["why"] == f"last {format_date(system_clock())}"
    spent = sum(one.micro_usd for one in home.spent(month)) / 1_000_000
    assert later[-1]["spent_usd"] == {force.id: spent}
    assert spent == pytest.approx(0.01 + (124 + 8) * 0.005 + 5 * 0.01 + 0.01 + 0.002)


def test_a_look_ahead_at_a_second_run_says_what_the_run_then_asks_for(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    force = add_force(x, posts=120, mentions=8, messages=5)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts")))
    collect(run, home, "--kind", "profile")
    first = collect(run, home, "--dry-run", "--json").json_lines()
    assert {line["kind"]: line["returned"] for line in first[:-1]} == {
        "posts": 120, "posts looked up again": 0,
    }  # fmt: skip
    assert first[-1]["requests"] == 2, "no lookup is made where there is nothing to look up"
    asked = requests_of(x)
    collect(run, home)
    assert requests_of(x) - asked == 2


def test_a_look_ahead_counts_what_is_sent_along_where_that_is_billed(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    force = add_force(x, posts=10)
    home = make_x_home(tmp_path / "v", x, Asked(force), x_api="[x_api.prices]\nincludes_billed = true\n")
    assert "up to 3 more for each thing returned" in collect(run, home, "--dry-run").output


# What is asked for


def two_accounts(x: FakeX, path: Path) -> tuple[XHome, User, User]:
    first = add_force(x, posts=5)
    second = x.world.add_user("ShelbyvillePD", "Shelbyville Police")
    x.world.add_post(second, "From the other town")
    kinds = ("profile", "posts")
    return make_x_home(path, x, Asked(first, kinds), Asked(second, kinds)), first, second


def test_one_account_can_be_named_by_handle_or_id(run: Runner, x: FakeX, tmp_path: Path) -> None:
    home, first, second = two_accounts(x, tmp_path / "v")
    result = collect(run, home, "--account", "@shelbyvillepd", "--kind", "profile", "--json")
    assert [line["account"] for line in result.json_lines()] == [second.id] * 2
    assert {one.path for one in x.requests if "/2/" in one.path} == {f"/2/users/{second.id}"}
    collect(run, home, "--account", second.id, "--account", "ShelbyvillePD", "--kind", "posts")
    assert requests_of(x, first.id) == 0
    assert requests_of(x, f"{second.id}/tweets") == 1
    collect(run, home)
    assert requests_of(x, f"{first.id}/tweets") == 1


def test_a_kind_can_be_named_whether_it_is_due_or_in_the_settings_or_not(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    force = add_force(x, posts=3, mentions=3)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("posts",)))
    for _ in range(2):
        assert said(collect(run, home, "--json", "--kind", "mentions"), "mentions")["requests"] == 1
    assert requests_of(x, "/tweets") == 0


def test_an_account_or_a_kind_that_is_not_there_is_told(run: Runner, x: FakeX, tmp_path: Path) -> None:
    home, _, _ = two_accounts(x, tmp_path / "v")
    error = run.fails(2, "--config", home.folder, "collect", "--account", "nobody")
    assert error.startswith("nobody is no account that is collected from X\narchiver: hint: ")
    assert f"@{MAIN}, @ShelbyvillePD" in error
    error = run.fails(2, "--config", home.folder, "collect", "--kind", "poems")
    assert "poems" in error
    assert x.requests == []


def test_each_kind_is_asked_for_as_often_as_the_settings_say(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=3)
    kinds = ("profile", "posts", "followers", "blocks")
    home = make_x_home(tmp_path / "v", then, Asked(force, kinds, every_days={"blocks": 2}))
    asked = []
    for hours in (0, 20, 24, 48, 24 * 6, 24 * 7):
        clock.now_ms = NOON_MS + hours * HOUR_MS
        asked.append([kind.kind for kind in home.collect_whole(clock).kinds])
    assert asked == [
        ["profile", "posts", "followers", "blocks"],
        [],
        ["profile", "posts"],
        ["profile", "posts", "blocks"],
        ["profile", "posts", "blocks"],
        ["profile", "posts", "followers"],
    ]


def test_a_daily_run_that_starts_a_little_early_or_late_is_never_idle(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=3)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",)))
    for day, minutes in enumerate((0, 5, -5, 30, -30, 0)):
        clock.now_ms = NOON_MS + day * DAY_MS + minutes * MINUTE_MS
        assert home.collect_whole(clock).kinds, f"day {day}"


# What came by an export as well


def x_time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%a %b %d %H:%M:%S +0000 %Y")


def exported(post: Post, text: str | None = None) -> dict[str, Any]:
    return make.post(post.id, post.text if text is None else text, created_at=x_time(post.created_ms))


class Both:
    """One account with an export and a place at X that show the same posts; or, if asked, one with another
    text."""

    def __init__(self, x: FakeX, path: Path, *, text: str = "Meeting at seven") -> None:
        self.x, world = x, x.world
        path.mkdir()
        now_ms = world.now_ms() // 1000 * 1000
        self.force = world.add_user(MAIN, "Springfield Police", id=make.ACCOUNT)
        other = world.add_user("neighbour", "A Neighbour")
        self.plain = world.add_post(self.force, "Bridge closed &amp; road open", now_ms - 4 * DAY_MS)
        original = world.add_post(other, "Sandbags " + "and more sandbags " * 12, now_ms - 3 * DAY_MS)
        self.repost = world.add_repost(self.force, original, now_ms - 2 * DAY_MS)
        self.altered = world.add_post(self.force, "Meeting at seven", now_ms - DAY_MS)
        self.message = world.add_message(other, "A tip about sandbags", [self.force], now_ms - HOUR_MS)
        sent = format_time(self.message.created_ms)
        data = {
            "tweets": make.wrapped(
                exported(self.plain), exported(self.repost), exported(self.altered, text)
            ),
            "direct-messages": [
                make.conversation(
                    f"{self.force.id}-{other.id}",
                    make.message(
                        self.message.id, "A tip about sandbags", senderId=other.id,
                        recipientId=self.force.id, createdAt=sent,
                    ),
                )
            ],
        }  # fmt: skip
        info = {"generationDate": format_time(now_ms)}
        self.export = make.export(path / "export.zip", data, archiveInfo=info)
        self.home = make_x_home(path / "v", x, Asked(self.force, ("profile", "posts", "messages")))

    def take(self, run: Runner, order: str) -> None:
        """`e`: the export; `a`: the interface; `s`: seal."""
        self.said = []
        for step in order:
            if step == "e":
                self.said.append(run("--config", self.home.folder, "import", self.export))
            elif step == "a":
                self.said.append(run("--config", self.home.folder, "collect"))
            else:
                assert run("--config", self.home.folder, "seal").code == 0
        seal_checked(run, self.home)


@pytest.fixture(params=["ea", "ae", "esa", "ase"])
def order(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_an_export_and_the_interface_both_bring_is_one_hit_and_the_fuller_one(
    run: Runner, x: FakeX, tmp_path: Path, order: str
) -> None:
    both = Both(x, tmp_path / "b")
    both.take(run, order)
    assert [result.code for result in both.said] == [0, 0]
    (plain,) = hits(run, both.home, "bridge")
    assert (plain["id"], plain["versions"], plain["superseded"]) == (both.plain.id, 1, False)
    assert plain["text"] == "Bridge closed & road open"
    (repost,) = hits(run, both.home, "sandbags", "kind:repost")
    assert (repost["versions"], repost["superseded"]) == (1, False)
    assert repost["text"].endswith("and more sandbags and more sandbags "), (
        "the whole, not X's 140 characters"
    )
    (message,) = hits(run, both.home, "tip")
    assert (message["id"], message["versions"]) == (both.message.id, 1)


def test_show_names_both_captures_of_what_came_both_ways(
    run: Runner, x: FakeX, tmp_path: Path, order: str
) -> None:
    both = Both(x, tmp_path / "b")
    both.take(run, order)
    assert [result.code for result in both.said] == [0, 0]
    for one in (both.plain.id, both.repost.id, both.message.id):
        output = run("--config", both.home.folder, "show", one).output
        assert "Version 1 of 1, in archive " in output
        assert "The same, captured another way, in archive " in output
        assert "route export" in output
        assert "route api" in output
        lines = run("--config", both.home.folder, "show", "--json", one).json_lines()
        assert {line["again"] for line in lines if line["type"] == "version"} == {False, True}


def test_an_exports_post_that_x_shows_with_another_text_is_another_version_and_told(
    run: Runner, x: FakeX, tmp_path: Path, order: str
) -> None:
    both = Both(x, tmp_path / "b", text="Meeting at eight")
    both.take(run, order)
    assert [result.code for result in both.said] == [0, 3]
    assert f"PROBLEM post {both.altered.id}: conflict: reads differently in " in both.said[1].output
    for word in ("seven", "eight"):
        (hit,) = hits(run, both.home, "meeting", word)
        assert (hit["id"], hit["versions"]) == (both.altered.id, 2)
    output = run("--config", both.home.folder, "show", both.altered.id).output
    assert "Version 1 of 2" in output
    assert "Version 2 of 2" in output
    assert "captured another way" not in output


def test_the_same_again_by_either_route_changes_nothing(run: Runner, x: FakeX, tmp_path: Path) -> None:
    both = Both(x, tmp_path / "b")
    both.take(run, "ea")
    assert [result.code for result in both.said] == [0, 0]
    before = read_contents(both.home.folder)
    result = collect(run, both.home, "--json", "--kind", "posts", "--kind", "messages")
    assert said(result, "posts")["counts"] == {"unchanged": 3}
    assert said(result, "messages")["counts"] == {"unchanged": 1}
    assert run("--config", both.home.folder, "import", both.export).code == 0
    assert run("--config", both.home.folder, "seal").code == 0
    assert read_contents(both.home.folder) == before


# Edits, and what is gone


def test_a_fault_while_posts_are_looked_up_again_is_not_noticed(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=5)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",)))
    home.collect_whole(clock)
    deleted = str(then.world.written(force.id)[0])
    then.world.delete_post(deleted)
    for fault in (problem(503), rate_limited()):
        then.faults.add("/2/tweets$", fault)
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert home.gone() == {deleted: "X's interface: deleted"}


def test_a_post_that_another_one_refers_to_is_told_gone_once(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then)
    post = then.world.add_post(force, "The first word", clock.now_ms - 9 * MINUTE_MS)
    for number in range(3):
        at = clock.now_ms - (8 - number) * MINUTE_MS
        then.world.add_post(force, f"More on it {number}", at, **{("reply_to", "quote")[number % 2]: post})
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",)))
    home.collect_whole(clock)
    then.world.delete_post(post)
    clock.forward(DAY_MS)
    assert kind_of(home.collect_whole(clock), "posts").counts["gone"] == 1
    home.seal(clock.now_ms)
    assert home.rows("SELECT platform_id, how FROM gone") == [(post.id, "X's interface: deleted")]


def test_an_edit_adds_a_version_with_its_history(
    then: FakeX, clock: Clock, tmp_path: Path, run: Runner
) -> None:
    force = add_force(then, posts=3)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "posts")))
    post = then.world.add_post(force, "Road closed until fife", clock.now_ms - MINUTE_MS)
    home.collect_whole(clock)
    second = then.world.edit_post(post, "Road closed until five", clock.forward(5 * MINUTE_MS))
    third = then.world.edit_post(second, "Road open again", clock.forward(5 * MINUTE_MS))
    clock.forward(DAY_MS)
    report = home.collect_whole(clock)
    assert kind_of(report, "posts").counts["new"] == 2
    home.seal(clock.now_ms)
    assert sorted(home.rows("SELECT platform_id, coalesce(record_id, platform_id), text FROM post"))[-3:] == [
        (post.id, post.id, "Road closed until fife"),
        (second.id, post.id, "Road closed until five"),
        (third.id, post.id, "Road open again"),
    ]
    assert home.gone() == {}
    (hit,) = hits(run, home, "road", "open")
    assert (hit["id"], hit["versions"], hit["superseded"]) == (third.id, 3, False)
    (hit,) = hits(run, home, "fife")
    assert (hit["id"], hit["versions"], hit["superseded"]) == (post.id, 3, True)
    output = run("--config", home.folder, "show", post.id).output
    shown = ("Version 1 of 3", "until fife", "Version 2 of 3", "until five", "Version 3 of 3", "open again")
    places = [output.index(text) for text in shown]
    assert places == sorted(places)
    home.check_rebuilt()


def test_versions_of_a_post_that_was_edited_before_it_was_first_seen_are_fetched(
    then: FakeX, clock: Clock, tmp_path: Path, run: Runner
) -> None:
    force = add_force(then)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "posts")))
    post = then.world.add_post(force, "Teh road is closed", clock.now_ms - 9 * MINUTE_MS)
    newest = then.world.edit_post(post, "The road is closed", clock.now_ms - 8 * MINUTE_MS)
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert home.texts() == {post.id: ["Teh road is closed"], newest.id: ["The road is closed"]}
    (hit,) = hits(run, home, "closed")
    assert (hit["id"], hit["versions"]) == (newest.id, 2)


def test_a_post_that_is_deleted_is_told_gone_once_and_stays(
    then: FakeX, clock: Clock, tmp_path: Path, run: Runner
) -> None:
    force = add_force(then, posts=3)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "posts")))
    post = then.world.add_post(force, "Suspect named Nobody", clock.now_ms - 9 * MINUTE_MS)
    edited = then.world.edit_post(post, "Suspect not named", clock.now_ms - 8 * MINUTE_MS)
    home.collect_whole(clock)
    then.world.delete_post(edited)
    clock.forward(DAY_MS)
    assert kind_of(home.collect_whole(clock), "posts").counts["gone"] == 2
    clock.forward(DAY_MS)
    assert kind_of(home.collect_whole(clock), "posts").counts["gone"] == 0
    home.seal(clock.now_ms)
    assert home.gone() == dict.fromkeys((post.id, edited.id), "X's interface: deleted")
    assert len(home.rows("SELECT * FROM gone")) == 2
    (hit,) = hits(run, home, "suspect", "named")
    assert (hit["gone_how"], hit["gone_at"]) == (
        "X's interface: deleted", format_time(NOON_MS + DAY_MS),
    )  # fmt: skip
    assert "Gone: noticed " in run("--config", home.folder, "show", post.id).output
    home.check_rebuilt()


def test_a_post_older_than_the_settings_say_is_not_looked_up_again(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then)
    old = then.world.add_post(force, "Old", clock.now_ms - 3 * DAY_MS)
    young = then.world.add_post(force, "Young", clock.now_ms - HOUR_MS)
    then.world.add_post(force, "Newest", clock.now_ms - MINUTE_MS)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",), more="recheck_days = 2"))
    home.collect_whole(clock)
    then.world.delete_post(old)
    then.world.delete_post(young)
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert home.gone() == {young.id: "X's interface: deleted"}
    home.configure(then, Asked(force, ("posts",), more="recheck_days = 0"))
    asked = requests_of(then)
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    assert requests_of(then) - asked == 1, "the timeline alone"


def watched_mentions(then: FakeX, clock: Clock, path: Path) -> tuple[XHome, dict[str, Post]]:
    """Mentions by several people, collected and to be looked up again."""
    force = add_force(then, followers=4)
    mentions = {
        handle: then.world.add_post(
            then.world.user(handle), f"@{MAIN} hello", clock.now_ms - (9 - number) * MINUTE_MS
        )
        for number, handle in enumerate(("person_0", "person_1", "person_2", "person_3"))
    }
    asked = Asked(force, ("posts", "mentions"), more="recheck_mentions = true")
    home = make_x_home(path, then, asked)
    home.collect_whole(clock)
    clock.forward(DAY_MS)
    return home, mentions


def test_what_is_gone_is_told_with_the_reason_that_x_gives(
    then: FakeX, clock: Clock, tmp_path: Path, run: Runner
) -> None:
    home, mentions = watched_mentions(then, clock, tmp_path / "v")
    then.world.delete_post(mentions["person_0"])
    then.world.suspend(then.world.user("person_1"))
    then.world.protect(then.world.user("person_2"))
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert home.gone() == {
        mentions["person_0"].id: "X's interface: deleted",
        mentions["person_1"].id: "X's interface: suspended",
        mentions["person_2"].id: "X's interface: protected",
    }
    reasons = {hit["author"]: hit["gone_how"] for hit in hits(run, home, "hello")}
    assert reasons == {
        "person_0": "X's interface: deleted", "person_1": "X's interface: suspended",
        "person_2": "X's interface: protected", "person_3": None,
    }  # fmt: skip
    home.check_rebuilt()


def test_the_newest_post_that_comes_back_is_there_again(
    then: FakeX, clock: Clock, tmp_path: Path, run: Runner
) -> None:
    home, mentions = watched_mentions(then, clock, tmp_path / "v")
    newest = mentions["person_3"]
    then.world.suspend(newest.author_id)
    home.collect_whole(clock)
    then.world.suspend(newest.author_id, suspended=False)
    clock.forward(DAY_MS)
    assert sum(kind.counts["back"] for kind in home.collect_whole(clock).kinds) == 1
    home.seal(clock.now_ms)
    assert {hit["id"]: hit["gone_at"] for hit in hits(run, home, "hello")}[newest.id] is None
    home.check_rebuilt()


def test_what_is_gone_again_for_the_same_reason_is_told_gone_again(
    then: FakeX, clock: Clock, tmp_path: Path, run: Runner
) -> None:
    home, mentions = watched_mentions(then, clock, tmp_path / "v")
    newest = mentions["person_3"]
    changes: Counter[str] = Counter()
    for suspended in (True, False, True):
        then.world.suspend(newest.author_id, suspended=suspended)
        for kind in home.collect_whole(clock).kinds:
            changes += kind.counts
        clock.forward(DAY_MS)
    assert (changes["gone"], changes["back"]) == (2, 1)
    home.seal(clock.now_ms)
    assert len(home.rows("SELECT * FROM gone")) == 2
    assert {hit["id"]: hit["gone_at"] for hit in hits(run, home, "hello")}[newest.id] is not None
    home.check_rebuilt()


def test_an_earlier_post_that_comes_back_within_the_days_looked_up_is_there_again(
    then: FakeX, clock: Clock, tmp_path: Path, run: Runner
) -> None:
    home, mentions = watched_mentions(then, clock, tmp_path / "v")
    post = mentions["person_1"]
    then.world.suspend(post.author_id)
    home.collect_whole(clock)
    then.world.suspend(post.author_id, suspended=False)
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert {hit["id"]: hit["gone_at"] for hit in hits(run, home, "hello")}[post.id] is None


# What is out of reach


def test_more_posts_than_x_shows_between_two_runs_leave_a_gap_with_its_bounds(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    now_ms = system_clock()
    force = add_force(x, posts=10, at=now_ms - 9 * DAY_MS)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts"), more="recheck_days = 0"))
    collect(run, home)
    last = str(x.world.written(force.id)[-1])
    made = [
        x.world.add_post(force, f"Hourly {number}", now_ms - 8 * DAY_MS + number * MINUTE_MS)
        for number in range(3210)
    ]
    result = collect(run, home, "--kind", "posts", "--json", code=3)
    (gap,) = said(result, "posts")["gaps"]
    assert gap == {
        "kind": "posts",
        "after_id": last,
        "after": format_time(x.world.posts[last].created_ms),
        "before_id": made[10].id,
        "before": format_time(made[10].created_ms),
        "noticed": gap["noticed"],
        "reason": "X shows the newest 3,200 only",
    }
    assert not said(result, "posts")["complete"]
    assert said(collect(run, home, "--kind", "posts", "--json"), "posts")["gaps"] == []
    seal_checked(run, home)
    assert len(home.texts()) == 10 + 3200
    (known,) = home.archives[0].manifest.gaps
    assert (known.kind, known.account) == ("posts", force.id)
    assert (known.after_id, known.before_id, known.reason) == (last, made[10].id, gap["reason"])
    x.world.add_post(force, "Later")
    collect(run, home, "--kind", "posts")
    seal_checked(run, home)
    assert home.archives[1].manifest.gaps == []


def test_a_gap_is_said_in_a_sentence(run: Runner, x: FakeX, tmp_path: Path) -> None:
    now_ms = system_clock()
    force = add_force(x, mentions=3, at=now_ms - 9 * DAY_MS)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("mentions",)))
    collect(run, home)
    last = str(x.world.mentioning(force.id)[-1])
    person = x.world.user("person_0")
    made = [
        x.world.add_post(person, f"@{MAIN} {number}", now_ms - DAY_MS + number * 1000)
        for number in range(820)
    ]
    result = collect(run, home, "--kind", "mentions", code=3)
    first, until = (format_time(x.world.posts[one].created_ms)[:19] + "Z" for one in (last, made[20].id))
    assert (
        f"    GAP mentions: what lies between {first} (id {last}) and {until} (id {made[20].id}) is out of"
        " reach: X shows the newest 800 only"
    ) in result.output.splitlines()
    assert "  Incomplete: what is missing is listed here, and in the archive." in result.output


def test_a_walk_that_ends_before_the_limit_leaves_no_gap_where_the_mark_was_deleted(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=5)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "posts")))
    home.collect_whole(clock)
    then.world.delete_post(str(then.world.written(force.id)[-1]))
    for number in range(250):
        then.world.add_post(force, f"More {number}", clock.now_ms + number * 1000)
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    assert home.gaps() == []


def test_as_many_new_posts_as_x_shows_leave_no_gap_where_the_last_known_is_among_them(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, mentions=5)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("mentions",)))
    home.collect_whole(clock)
    person = then.world.user("person_0")
    for number in range(799):
        then.world.add_post(person, f"@{MAIN} more {number}", clock.now_ms + number * 1000)
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    assert home.gaps() == []


def test_messages_older_than_x_shows_leave_a_gap(then: FakeX, clock: Clock, tmp_path: Path) -> None:
    force = add_force(then, messages=4)
    sender = then.world.user("person_0")
    home = make_x_home(tmp_path / "v", then, Asked(force, ("messages",)))
    home.collect_whole(clock)
    last = then.world.messages[-1]
    then.world.add_message(sender, "Never to be seen", [force], clock.forward(5 * DAY_MS))
    seen = then.world.add_message(sender, "Just in time", [force], clock.forward(20 * DAY_MS))
    clock.forward(15 * DAY_MS)
    report = home.collect_one(clock)
    (gap,) = kind_of(report, "messages").gaps
    assert (gap.after_id, gap.before_id) == (last.id, seen.id)
    assert gap.reason == "X shows messages of the last 30 days only"
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert [one.before_id for one in home.archives[0].manifest.gaps] == [seen.id]
    assert len(home.rows("SELECT * FROM message")) == 5


def test_messages_collected_often_enough_leave_no_gap_though_none_came_for_long(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, messages=4)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("messages",)))
    for _ in range(5):  # the last known message is beyond X's reach from the fourth run on
        home.collect_whole(clock)
        clock.forward(10 * DAY_MS)
    assert home.gaps() == []
    then.world.add_message(then.world.user("person_0"), "At last", [force], clock.now_ms)
    home.collect_whole(clock)
    assert home.gaps() == []


def test_what_lies_beyond_the_reach_of_a_first_run_is_told_where_x_counts_more(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    now_ms = system_clock()
    force = add_force(x)
    for number in range(3250):
        x.world.add_post(force, f"Old news {number}", now_ms - 9 * DAY_MS + number * MINUTE_MS)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts"), more="recheck_days = 0"))
    result = collect(run, home, "--json", code=3)
    (gap,) = said(result, "posts")["gaps"]
    assert (gap["after_id"], gap["before_id"]) == (None, str(x.world.written(force.id)[50]))
    assert said(result, "posts")["problems"] == []
    result = collect(run, home, "--kind", "profile", "--kind", "posts")
    assert "GAP" not in result.output


def test_an_account_with_just_as_many_posts_as_x_shows_has_no_gap(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    now_ms = system_clock()
    force = add_force(x)
    for number in range(3200):
        x.world.add_post(force, f"News {number}", now_ms - 9 * DAY_MS + number * MINUTE_MS)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts"), more="recheck_days = 0"))
    collect(run, home)
    assert home.gaps() == []


def test_posts_that_x_counts_and_does_not_show_are_told_when_they_become_more(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=10)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "posts")))
    home.collect_whole(clock)
    force.counts = {"post_count": 12}
    told = []
    for _ in range(3):
        clock.forward(DAY_MS)
        told.append(problems_of(home.collect_one(clock)))
    detail = "X counts 12 posts of this account, and 10 are known"
    assert told == [[f"posts: posts: count differs: {detail}"], [], []]
    force.counts = {"post_count": 9}  # one deleted long ago lessens X's count alone
    clock.forward(DAY_MS)
    home.collect_whole(clock)


# Followers and the like


def followed(then: FakeX, path: Path, number: int = 12) -> tuple[XHome, User]:
    force = add_force(then, followers=number)
    return make_x_home(path, then, Asked(force, ("profile", "followers", "blocks"))), force


def week_later(home: XHome, clock: Clock) -> list[str]:
    """Collect a week later; what was wrong."""
    clock.forward(7 * DAY_MS)
    return problems_of(home.collect_one(clock))


def test_who_unfollows_is_told_gone_and_who_comes_back_is_there_again(
    then: FakeX, clock: Clock, tmp_path: Path, run: Runner
) -> None:
    home, force = followed(then, tmp_path / "v")
    home.collect_whole(clock)
    leaver, newcomer = then.world.user("person_3"), then.world.add_user("newcomer", "A Newcomer")
    then.world.unfollow(leaver, force)
    then.world.follow(newcomer, force)
    clock.forward(7 * DAY_MS)
    counts = kind_of(home.collect_whole(clock), "followers").counts
    assert counts == {"new": 1, "gone": 1, "unchanged": 11}
    home.seal(clock.now_ms)
    assert home.gone("follower") == {leaver.id: "absent from X's answer"}
    (hit,) = hits(run, home, "kind:follower", "person_3")
    assert (hit["gone_how"], hit["gone_at"]) == ("absent from X's answer", format_time(clock.now_ms))
    then.world.follow(leaver, force)
    clock.forward(7 * DAY_MS)
    assert kind_of(home.collect_whole(clock), "followers").counts == {"back": 1, "unchanged": 12}
    then.world.unfollow(leaver, force)
    clock.forward(7 * DAY_MS)
    assert kind_of(home.collect_whole(clock), "followers").counts == {"gone": 1, "unchanged": 12}
    home.seal(clock.now_ms)
    changes = {count.kind: count for count in home.archives[1].manifest.counts}
    assert (changes["follower"].back, changes["gone"].new + changes["gone"].changed) == (1, 1)
    home.check_rebuilt()


def test_a_block_that_is_lifted_is_told_gone(then: FakeX, clock: Clock, tmp_path: Path) -> None:
    home, force = followed(then, tmp_path / "v")
    blocked = then.world.user("person_2")
    then.world.block(force, blocked)
    home.collect_whole(clock)
    then.world.blocking[force.id].clear()
    assert week_later(home, clock) == []
    home.seal(clock.now_ms)
    assert home.gone("block") == {blocked.id: "absent from X's answer"}


def test_nobody_is_taken_for_gone_where_x_counts_more_than_it_shows(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, force = followed(then, tmp_path / "v")
    home.collect_whole(clock)
    force.counts = {"followers_count": 12}
    del then.world.followers[force.id][:6]
    (problem,) = week_later(home, clock)
    assert problem.endswith(f"X counts 12 and showed 6; {NOTHING_GONE}")
    home.seal(clock.now_ms)
    assert home.gone("follower") == {}


def test_followers_that_x_always_counts_and_never_shows_are_no_problem(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, force = followed(then, tmp_path / "v", 40)
    force.counts = {"followers_count": 42}
    home.collect_whole(clock)
    then.world.unfollow(then.world.user("person_1"), force)
    force.counts = {"followers_count": 41}
    assert week_later(home, clock) == []
    home.seal(clock.now_ms)
    assert list(home.gone("follower")) == [then.world.user("person_1").id]


def test_nobody_is_taken_for_gone_after_an_answer_that_is_short_of_its_own_count(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, _ = followed(then, tmp_path / "v")
    home.collect_whole(clock)

    def shorten(document: Any) -> None:
        del document["data"][:2]

    then.faults.add("/followers$", Edit(shorten))
    assert week_later(home, clock) == [], "it is asked for once more"
    then.faults.add("/followers$", Edit(shorten), times=2)
    (problem,) = week_later(home, clock)
    assert "an answer has 10 records, and its own count is 12" in problem
    assert week_later(home, clock) == []
    home.seal(clock.now_ms)
    assert home.gone("follower") == {}


@pytest.mark.parametrize("kind", ["followers", "blocks"])
def test_an_empty_answer_after_many_is_told_and_nobody_is_taken_for_gone(
    then: FakeX, clock: Clock, tmp_path: Path, kind: str
) -> None:
    home, force = followed(then, tmp_path / "v")
    for number in range(12):
        then.world.block(force, then.world.user(f"person_{number}"))
    home.collect_whole(clock)

    def empty(document: Any) -> dict[str, Any]:
        return {"meta": {"result_count": 0}}

    then.faults.add({"followers": "/followers$", "blocks": "/blocking$"}[kind], Edit(empty))
    (problem,) = week_later(home, clock)
    assert problem.startswith(f"{kind}: {kind}: count differs: ")
    assert NOTHING_GONE in problem
    assert week_later(home, clock) == []
    home.seal(clock.now_ms)
    assert home.gone("follower") == home.gone("block") == {}


def test_a_list_of_followers_of_several_pages_is_taken_whole(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, force = followed(then, tmp_path / "v", 2300)
    report = home.collect_whole(clock)
    assert (kind_of(report, "followers").requests, kind_of(report, "followers").counts["new"]) == (3, 2300)
    then.empty_last_page = True
    then.world.unfollow(then.world.user("person_1500"), force)
    assert week_later(home, clock) == []
    home.seal(clock.now_ms)
    assert len(home.related("follower")) == 2300
    assert list(home.gone("follower")) == [then.world.user("person_1500").id]


# Money


def money(home: XHome, month: str) -> dict[str, int]:
    """Millionths of a dollar spent by kind."""
    return {one.kind: one.micro_usd for one in home.spent(month)}


def test_the_months_ceiling_stops_before_it_is_passed_and_what_came_is_kept(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=350)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",), more="max_spend_usd = 1.2"))
    report = home.collect_one(clock)
    assert report.error is not None
    assert report.error.message.startswith("1.2 USD of the 1.2 USD for 2026-10 are spent")
    assert kind_of(report, "posts").counts["new"] == 240, "the last page is as small as what was left"
    clock.forward(DAY_MS)
    asked = requests_of(then)
    assert not home.collect_one(clock).complete
    assert requests_of(then) == asked
    home.seal(clock.now_ms)
    assert len(home.texts()) == 240
    clock.forward(7 * DAY_MS)  # it is November: the walk goes on from where it stood
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert len(home.texts()) == 350
    same_but_once(read_contents(home.folder))
    # One post more than there were left: what came meanwhile is asked for with the newest one known.
    assert (money(home, "2026-10"), money(home, "2026-11")) == ({"posts": 1_200_000}, {"posts": 555_000})
    assert home.gaps() == []


def test_a_ceiling_is_said_and_exits_with_3(run: Runner, x: FakeX, tmp_path: Path) -> None:
    force = add_force(x, posts=350, mentions=3)
    asked = Asked(force, ("profile", "posts", "mentions"), more="max_spend_usd = 1.2")
    home = make_x_home(tmp_path / "v", x, asked)
    result = collect(run, home, code=3)
    error, hint = result.errors.splitlines()
    assert error.startswith("archiver: error: @SpringfieldPD: 1.2 USD of the 1.2 USD for ")
    assert hint == "archiver: hint: it goes on next month, or with a higher account.api.max_spend_usd"
    assert "  posts: 3 requests, 238 returned: 238 new" in result.output
    assert requests_of(x, "/mentions") == 0
    line = account_said(collect(run, home, "--json", code=3))
    assert (line["usd"], line["complete"]) == (0, False)
    home.configure(x, Asked(force, ("profile", "posts", "mentions"), more="max_spend_usd = 20"))
    collect(run, home)
    seal_checked(run, home)
    assert len(home.texts()) == 353


def test_what_a_month_cost_adds_up_and_a_new_month_begins_at_nothing(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=4, mentions=2)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "posts", "mentions")))
    for _ in range(7):  # 25 to 31 October
        home.collect_whole(clock)
        clock.forward(DAY_MS)
    billed = sum(one.data for one in then.requests if "/media/" not in one.path)
    profiles = sum(one.data for one in then.requests if one.path == f"/2/users/{force.id}")
    spent = home.spent("2026-10")
    assert sum(one.resources for one in spent) == billed
    assert sum(one.requests for one in spent) == requests_of(then)
    assert sum(one.micro_usd for one in spent) == profiles * 10_000 + (billed - profiles) * 5_000
    assert home.spent("2026-11") == []
    home.collect_whole(clock)
    assert home.spent("2026-10") == spent
    assert home.spent("2026-11") != []


def test_what_is_sent_along_costs_where_the_settings_say_so(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, mentions=5)
    prices = "[x_api.prices]\nincludes_billed = true\n"
    home = make_x_home(tmp_path / "v", then, Asked(force, ("mentions",)), x_api=prices)
    home.collect_whole(clock)
    (asked,) = then.requests
    assert asked.included > 0
    assert money(home, "2026-10") == {"mentions": (asked.data + asked.included) * 5_000}
    low = Asked(force, ("mentions",), more="max_spend_usd = 1.99")
    home.configure(then, low, x_api=prices)
    clock.forward(40 * DAY_MS)
    home.collect_whole(clock)
    assert then.requests[-1].query["max_results"] == "99", "each may bring three more"


def test_the_owner_of_the_app_pays_less_for_its_own_but_not_for_messages(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=5, mentions=2, messages=3, followers=6)
    kinds = ("profile", "posts", "mentions", "messages", "followers")
    home = make_x_home(tmp_path / "v", then, Asked(force, kinds, more="owns_app = true"))
    home.collect_whole(clock)
    assert money(home, "2026-10") == {
        "profile": 1_000, "posts": 5_000, "mentions": 2_000, "messages": 30_000, "followers": 6_000,
    }  # fmt: skip
    app = make_x_home(tmp_path / "app", then, Asked(force, kinds[:3], "bearer", more="owns_app = true"))
    app.collect_whole(clock)
    assert money(app, "2026-10") == {"profile": 10_000, "posts": 25_000, "mentions": 10_000}


def test_prices_of_the_settings_are_used(then: FakeX, clock: Clock, tmp_path: Path) -> None:
    force = add_force(then, posts=4)
    prices = "[x_api.prices]\nposts = 0.25\nprofile = 0\n"
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "posts")), x_api=prices)
    home.collect_whole(clock)
    assert money(home, "2026-10") == {"profile": 0, "posts": 1_000_000}


@pytest.mark.parametrize("fault", [credits_depleted(), usage_capped()], ids=["402", "cap"])
def test_what_x_wants_of_the_app_stops_all_accounts_and_what_came_is_kept(
    run: Runner, x: FakeX, tmp_path: Path, fault: Answer
) -> None:
    users = [x.world.add_user(f"force_{number}", f"Force {number}") for number in range(3)]
    for user in users:
        for number in range(150):
            x.world.add_post(user, f"Post {number}", system_clock() - (200 - number) * MINUTE_MS)
    home = make_x_home(
        tmp_path / "v", x, *(Asked(user, ("posts",)) for user in users), x_api="side_by_side = 1\n"
    )
    x.faults.add("/tweets$", fault, times=None, after=3)
    result = collect(run, home, code=3)
    assert requests_of(x) == 4, "the third account is not asked for"
    assert result.errors.count("archiver: error: ") == 1, "it is the same for all, and said once"
    assert "waiting does not help" in result.errors
    x.faults.clear()
    collect(run, home)
    seal_checked(run, home)
    assert len(home.texts()) == 450


def test_an_account_whose_token_is_refused_does_not_stop_the_others(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    home, first, _ = two_accounts(x, tmp_path / "v")
    x.world.revoke(f"user-secret-token-{first.id}")
    result = collect(run, home, code=3)
    assert f"archiver: error: @{MAIN}: " in result.errors
    assert f"archiver login x --account {first.id}" in result.errors
    assert "@ShelbyvillePD: asked X, for " in result.output
    seal_checked(run, home)
    assert len(home.texts()) == 1
    x.world.add_token(f"user-secret-token-{first.id}", first)
    collect(run, home)
    seal_checked(run, home)
    assert len(home.texts()) == 6


def test_accounts_that_share_a_token_share_its_limit(then: FakeX, clock: Clock, tmp_path: Path) -> None:
    users = [then.world.add_user(f"force_{number}", f"Force {number}") for number in range(4)]
    for user in users:
        then.world.add_post(user, "A post", clock.now_ms - HOUR_MS)
    then.limits["/2/users/{id}/tweets"] = (3, 3)
    asked = [Asked(user, ("posts",), "bearer", token="one-secret-of-the-app") for user in users]
    settings = "side_by_side = 1\nmax_wait_seconds = 1000\n"
    home = make_x_home(tmp_path / "v", then, *asked, x_api=settings)
    reports = home.collect(clock)
    assert [problems_of(report) for report in reports] == [[]] * 4
    assert [one.status for one in then.requests if "tweets" in one.path] == [200] * 4, "no 429 was run into"
    assert clock.now_ms >= NOON_MS + 15 * MINUTE_MS


def test_a_limit_longer_than_a_run_may_wait_is_gone_on_with_by_the_next(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=450, mentions=3)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts", "mentions")))
    then.limits["/2/users/{id}/tweets"] = (2, 2)
    report = home.collect_one(clock)
    assert "longer than a run may wait" in "".join(problems_of(report))
    assert kind_of(report, "mentions").complete
    for _ in range(2):
        clock.forward(HOUR_MS)
        report = home.collect_one(clock)
    assert report.complete
    home.seal(clock.now_ms)
    assert len(home.texts()) == 453
    same_but_once(read_contents(home.folder))


def test_a_fault_that_passes_is_not_noticed(run: Runner, x: FakeX, tmp_path: Path) -> None:
    force = add_force(x, posts=250)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts")))
    for fault in (problem(503), problem(500), Answer(502, b"<html>")):
        x.faults.add("/tweets$", fault, after=1)
    x.faults.add(f"/users/{force.id}$", rate_limited())
    collect(run, home)
    seal_checked(run, home)
    assert len(home.texts()) == 250


# Pictures and videos


def with_media(x: FakeX) -> tuple[User, dict[str, bytes]]:
    """Posts with a photo, a video and a moving picture; the contents by kind."""
    force = add_force(x)
    world, now_ms = x.world, x.world.now_ms()
    contents = {
        "photo": PNG + b"photo", "video": b"\0\0\0\x20ftypisom large", "animated_gif": b"\0\0\0\x20ftypmp42"
    }  # fmt: skip
    keys = {
        "photo": world.add_photo(contents["photo"], alt_text="A bridge"),
        "video": world.add_video({1000: b"\0\0\0\x20ftypisom small", 9000: contents["video"]}),
        "animated_gif": world.add_gif(contents["animated_gif"]),
    }
    for number, (kind, key) in enumerate(keys.items()):
        world.add_post(force, f"With {kind}", now_ms - (9 - number) * MINUTE_MS, media_keys=[key])
    return force, contents


def test_pictures_and_videos_are_fetched_sealed_and_can_be_restored(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    force, contents = with_media(x)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("posts",)))
    result = collect(run, home)
    assert "    3 pictures and videos" in result.output
    for record in x.requests:
        if record.path.startswith("/media/"):
            assert "authorization" not in record.headers
    seal_checked(run, home)
    rows = home.rows("SELECT media_type, file_name, sha256, missing FROM media")
    assert {row[0]: (row[2], row[3]) for row in rows} == {
        kind: (hashlib.sha256(body).hexdigest(), None) for kind, body in contents.items()
    }
    (archive,) = home.archives
    assert run("--config", home.folder, "restore", archive.name, "--to", tmp_path / "out").code == 0
    restored = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    for kind, file_name, _, _ in rows:
        assert restored[file_name] == contents[kind]
    fetched = sum(record.path.startswith("/media/") for record in x.requests)
    collect(run, home, "--kind", "posts")
    assert sum(record.path.startswith("/media/") for record in x.requests) == fetched


def test_a_missing_picture_is_told_once_and_taken_when_it_is_there(
    then: FakeX, clock: Clock, tmp_path: Path, run: Runner
) -> None:
    force, contents = with_media(then)
    name = next(name for name in then.world.files if name.startswith("photo"))
    lost = then.world.files.pop(name)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",)))
    report = home.collect_one(clock)
    (missing,) = problems_of(report)
    assert missing.endswith(f"-{name} (X's media host answers 404)")
    for _ in range(2):
        clock.forward(DAY_MS)
        home.collect_whole(clock)
    home.seal(clock.now_ms)
    ((reason,),) = home.rows("SELECT missing FROM media WHERE media_type = 'photo'")
    assert reason == "X's media host answers 404"
    (count,) = [one for one in home.archives[0].manifest.counts if one.kind == "media"]
    assert (count.new, count.missing) == (2, {"X's media host answers 404": 1})
    then.world.files[name] = lost
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    rows = home.rows("SELECT sha256 FROM media WHERE media_type = 'photo' AND missing IS NULL")
    assert rows == [(hashlib.sha256(contents["photo"]).hexdigest(),)]
    assert len(hits(run, home, "with", "photo")) == 1
    assert run("--config", home.folder, "verify", "--contents").code == 0
    home.check_rebuilt()


def test_a_missing_picture_exits_with_3_on_the_first_day_alone(run: Runner, x: FakeX, tmp_path: Path) -> None:
    force, _ = with_media(x)
    for name in list(x.world.files):
        del x.world.files[name]
    home = make_x_home(tmp_path / "v", x, Asked(force, ("posts",)))
    result = collect(run, home, code=3)
    assert "    MISSING 3 pictures and videos: " in result.output
    collect(run, home, "--kind", "posts")
    seal_checked(run, home)
    result = collect(run, home, "--kind", "posts", "--json")
    assert said(result, "posts")["media_missing"] == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (MediaFault(content_type="text/html"), "of a type that is no picture or video (text/html)"),
        (MediaFault(content=b"<svg onload=1>"), "of content that is no picture or video"),
        (MediaFault(content=PNG + bytes(2 << 20)), "larger than 1,048,576 bytes"),
        (Redirect("http://127.0.0.1:1/elsewhere"), "X's media host points elsewhere"),
    ],
    ids=["type", "content", "size", "redirect"],
)
def test_what_is_no_picture_is_left_out_with_the_reason(
    then: FakeX, clock: Clock, tmp_path: Path, fault: Any, reason: str
) -> None:
    force, _ = with_media(then)
    then.faults.add("/media/photo", fault, times=None)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",), more="media_mebibytes = 1"))
    (missing,) = problems_of(home.collect_one(clock))
    assert reason in missing
    home.seal(clock.now_ms)
    assert list((home.folder / "spool" / "media").iterdir()) == []
    ((said_reason,),) = home.rows("SELECT missing FROM media WHERE media_type = 'photo'")
    assert said_reason.startswith(reason)


def test_a_picture_that_comes_short_is_tried_again(then: FakeX, clock: Clock, tmp_path: Path) -> None:
    force, contents = with_media(then)
    then.faults.add("/media/photo", MediaFault(missing=5))
    then.faults.add("/media/photo", problem(503))
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",)))
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    ((digest,),) = home.rows("SELECT sha256 FROM media WHERE media_type = 'photo'")
    assert digest == hashlib.sha256(contents["photo"]).hexdigest()


def test_pictures_that_are_not_wanted_are_not_fetched_and_listed_as_that(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force, contents = with_media(then)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "posts"), more="media = false"))
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert not [one for one in then.requests if one.path.startswith("/media/")]
    assert {row[0] for row in home.rows("SELECT missing FROM media")} == {
        "pictures are switched off in the settings"
    }
    home.configure(then, Asked(force, ("profile", "posts")))
    clock.forward(DAY_MS)
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    taken = home.rows("SELECT media_type FROM media WHERE missing IS NULL AND record_table = 'post'")
    assert sorted(row[0] for row in taken) == sorted(contents)


def test_a_host_that_is_not_xs_is_not_asked(then: FakeX, clock: Clock, tmp_path: Path) -> None:
    force = add_force(then)
    key = then.world.add_photo(PNG)
    then.world.media[key].url = f"{then.url.replace('127.0.0.1', 'localhost')}/media/default_normal.png"
    then.world.add_post(force, "Odd picture", clock.now_ms - MINUTE_MS, media_keys=[key])
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",)))
    (missing,) = problems_of(home.collect_one(clock))
    assert missing.endswith("(not on one of X's media hosts)")
    assert not [one for one in then.requests if one.path.startswith("/media/")]


def test_what_is_kept_of_an_answer_is_the_whole_of_it_to_the_byte(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=130, mentions=3, messages=2)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "posts", "mentions", "messages")))
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    kept = home.rows(
        "SELECT p.body, c.body_sha256, c.body_size, c.status, c.headers, c.request FROM capture_part AS p"
        " JOIN capture AS c ON c.id = p.capture WHERE c.source = 'x_api'"
    )
    assert len(kept) == 5
    for body, sha256, size, status, headers, request in kept:
        assert (hashlib.sha256(body).hexdigest(), len(body), status) == (sha256, size, 200)
        assert json.loads(body)["data"]
        assert {"date", "content-type"} <= json.loads(headers).keys()
        assert request.startswith("GET /2/")
    records = (
        "SELECT r.platform_id, substr(p.body, r.offset + 1, r.length) FROM {} AS r JOIN capture_part AS p"
    )
    for table in ("post", "message"):
        rows = home.rows(f"{records.format(table)} ON p.id = r.part")
        assert len(rows) == {"post": 133, "message": 2}[table]
        assert all(json.loads(raw)["id"] == platform_id for platform_id, raw in rows)


def test_pictures_that_are_not_wanted_are_no_shortage(run: Runner, x: FakeX, tmp_path: Path) -> None:
    force, _ = with_media(x)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("profile", "posts"), more="media = false"))
    assert run("--config", home.folder, "backup").code == 0
    x.world.add_post(force, "Words alone", system_clock() - 1000)
    collect(run, home, "--kind", "posts")
    assert run("--config", home.folder, "backup").code == 0
    first, second = (archive.manifest for archive in home.archives)
    assert [count.missing for count in first.counts if count.missing] != []
    assert [count.missing for count in second.counts if count.missing] == []


def test_backup_says_what_an_archive_lacks_whichever_run_found_that(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    force, _ = with_media(x)
    x.faults.add("/media/", problem(404), times=None)
    home = make_x_home(tmp_path / "v", x, Asked(force, ("posts",)))
    collect(run, home, code=3)
    result = run("--config", home.folder, "backup")
    assert result.code == 3
    assert "Sealed with what is missing named in it: 3 pictures and videos missing." in result.errors
    assert run("--config", home.folder, "backup").code == 0, "it is said once"
