"""Answers of X that are half an answer, or none: what failed on X's side is never taken for what is gone,
what cannot be read is kept as it came and told, and nothing of it stops the kind or costs without end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from archiver.sources.x_api.errors import KindError
from tests.collected import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    Asked,
    Clock,
    XHome,
    add_force,
    fake_x,
    kind_of,
    make_x_home,
    problems_of,
    requests_of,
)
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Before, Dribble, Edit
from tests.fakes.x_world import PNG, User, snowflake
from tests.faults.folders import read_contents, same_but_once

NOON_MS = 1_792_929_600_000
"""12:00 on 25 October 2026, UTC."""
TIMELINE, LOOKUP = "/users/[0-9]+/tweets$", "/2/tweets$"
PROBLEMS = "https://api.twitter.com/2/problems"
Json = dict[str, Any]


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON_MS)


@pytest.fixture
def then(clock: Clock) -> Iterator[FakeX]:
    """A fake that lives by the test's clock."""
    with fake_x(clock) as started:
        yield started


def of_posts(then: FakeX, path: Path, number: int = 6, more: str = "") -> tuple[XHome, User]:
    """A folder that asks for the posts of an account."""
    force = add_force(then, posts=number)
    return make_x_home(path, then, Asked(force, ("posts",), more=more)), force


def later(home: XHome, clock: Clock, days: int = 1) -> list[str]:
    """Collect so many days later; what was wrong."""
    clock.forward(days * DAY_MS)
    return problems_of(home.collect_one(clock))


def failure_of_x(**more: str) -> Json:
    """Of X's side, as it stands beside data."""
    kind = f"{PROBLEMS}/operational"
    return {"title": "Service Unavailable", "detail": "Partial results", "type": kind, "status": 503, **more}


def billed(x: FakeX) -> int:
    """How many things X sent and bills."""
    return sum(one.data for one in x.requests if one.path.startswith("/2/"))


def spent(home: XHome, month: str = "2026-10") -> tuple[int, int]:
    """Things returned, and what they cost in millionths of a dollar."""
    found = home.spent(month)
    return sum(one.resources for one in found), sum(one.micro_usd for one in found)


# Errors of X's side


def instead_of(post_id: str, **error: str) -> Callable[[Json], None]:
    """A lookup that has an error where this post was."""

    def change(document: Json) -> None:
        document["data"] = [one for one in document["data"] if one["id"] != post_id]
        named = {"resource_id": post_id, "value": post_id, "parameter": "ids", "resource_type": "tweet"}
        document.setdefault("errors", []).append({**named, **error})

    return change


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Service Unavailable", "operational"),
        ("Internal Server Error", "about:blank"),
        ("Over Capacity", "not-known-yet"),
        ("", ""),
    ],
)
def test_a_post_that_x_fails_to_look_up_is_told_not_gone_and_looked_up_again(
    then: FakeX, clock: Clock, tmp_path: Path, title: str, kind: str
) -> None:
    home, force = of_posts(then, tmp_path / "v")
    home.collect_whole(clock)
    one = str(then.world.written(force.id)[2])
    error = {"title": title, "type": f"{PROBLEMS}/{kind}" if kind else "", "detail": "Try again"}
    then.faults.add(LOOKUP, Edit(instead_of(one, **error)))
    told = later(home, clock)
    assert [said for said in told if one in said] == told != []
    clock.forward(DAY_MS)
    report = home.collect_whole(clock)
    assert one in then.requests[-1].query["ids"].split(",")
    assert kind_of(report, "posts").counts == {"unchanged": 6}
    then.world.add_post(force, "So that there is something to seal", clock.now_ms)
    later(home, clock)
    home.seal(clock.now_ms)
    assert home.gone() == {}


@pytest.mark.parametrize(
    ("title", "kind", "reason"),
    [
        ("Not Found Error", "resource-not-found", "deleted"),
        ("Forbidden", "resource-not-found", "suspended"),
        ("Authorization Error", "not-authorized-for-resource", "protected"),
        ("Resource Unavailable", "resource-unavailable", "withheld"),
    ],
)
def test_a_post_is_gone_for_four_reasons(
    then: FakeX, clock: Clock, tmp_path: Path, title: str, kind: str, reason: str
) -> None:
    home, force = of_posts(then, tmp_path / "v")
    home.collect_whole(clock)
    one = str(then.world.written(force.id)[2])
    then.faults.add(LOOKUP, Edit(instead_of(one, title=title, type=f"{PROBLEMS}/{kind}", detail="It is so")))
    assert later(home, clock) == []
    home.seal(clock.now_ms)
    assert home.gone() == {one: f"X's interface: {reason}"}


def test_an_error_of_x_beside_posts_is_told_and_none_is_gone(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, _ = of_posts(then, tmp_path / "v")

    def halve(document: Json) -> None:
        document["data"] = document["data"][:3]
        document["meta"]["result_count"] = 3
        document["errors"] = [failure_of_x()]

    then.faults.add(TIMELINE, Edit(halve))
    report = home.collect_one(clock)
    assert [told for told in problems_of(report) if "Service Unavailable" in told]
    assert kind_of(report, "posts").counts == {"new": 3}
    clock.forward(DAY_MS)
    home.collect_one(clock)
    home.seal(clock.now_ms)
    assert home.gone() == {}


# Who is absent, and who is only not shown


def blocked(then: FakeX, path: Path, number: int) -> tuple[XHome, User]:
    force = add_force(then)
    for one in range(number):
        then.world.block(force, then.world.add_user(f"blocked_{one}", f"Blocked {one}"))
    return make_x_home(path, then, Asked(force, ("blocks",))), force


def gone_blocks(home: XHome, clock: Clock) -> set[str]:
    home.seal(clock.now_ms)
    return set(home.gone("block"))


def test_an_error_of_x_beside_blocks_is_told_and_nobody_is_gone(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, force = blocked(then, tmp_path / "v", 40)
    home.collect_whole(clock)

    def shorten(document: Json) -> None:
        document["data"] = document["data"][:38]
        document["meta"]["result_count"] = 38
        document["errors"] = [failure_of_x()]

    then.faults.add("/blocking$", Edit(shorten))
    told = later(home, clock, 7)
    assert [one for one in told if "Service Unavailable" in one] == told != []
    assert later(home, clock, 7) == []
    assert gone_blocks(home, clock) == set()
    then.world.blocking[force.id].pop()
    assert later(home, clock, 7) == []
    assert len(gone_blocks(home, clock)) == 1


def test_blocks_that_shrink_by_much_at_once_are_believed_once_a_second_walk_shows_as_few(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, force = blocked(then, tmp_path / "v", 60)
    home.collect_whole(clock)
    lifted = set(then.world.blocking[force.id][:25])
    del then.world.blocking[force.id][:25]
    (told,) = later(home, clock, 7)
    assert told.endswith("X showed 35 and had shown 60; nobody is taken for gone yet")
    then.world.block(force, then.world.add_user("one_more", "One More"))
    assert gone_blocks(home, clock) == set()
    assert later(home, clock, 7) == []
    assert gone_blocks(home, clock) == lifted
    home.check_rebuilt()


def test_blocks_that_are_all_there_again_after_a_short_walk_were_never_gone(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, _ = blocked(then, tmp_path / "v", 1200)
    home.collect_whole(clock)

    def end_after_one_page(document: Json) -> None:
        del document["meta"]["next_token"]

    for _ in range(2):  # as short again a year later is doubted again
        then.faults.add("/blocking$", Edit(end_after_one_page))
        (told,) = later(home, clock, 7)
        assert told.endswith("X showed 1,000 and had shown 1,200; nobody is taken for gone yet")
        assert later(home, clock, 7) == []
    assert gone_blocks(home, clock) == set()


def test_likes_that_x_shows_no_more_while_it_counts_them_are_not_gone(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then)
    author = then.world.user("person_0")
    liked = [
        then.world.add_post(author, f"Liked {one}", clock.now_ms - (400 - one) * 1000) for one in range(230)
    ]
    for post in liked:
        then.world.like(force, post)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("profile", "likes")))

    def show_no_more(document: Json) -> None:
        document["meta"].pop("next_token", None)

    then.faults.add("/liked_tweets$", Edit(show_no_more), after=1)
    home.collect_one(clock)
    for number in range(3):  # each pushes one off the end of what X shows
        then.world.like(force, then.world.add_post(author, f"Liked later {number}", clock.now_ms))
        then.faults.add("/liked_tweets$", Edit(show_no_more), after=1)
        later(home, clock, 7)
    home.seal(clock.now_ms)
    assert home.gone("like") == {}
    assert len(set(home.related("like"))) == 203
    then.world.likes[force.id].remove(liked[-1].id)
    assert later(home, clock, 7) == []
    home.seal(clock.now_ms)
    assert home.gone("like") == {liked[-1].id: "absent from X's answer"}


# Answers that are less than they say, or more than can be


def drop_one(document: Json) -> None:
    del document["data"][2]


def test_an_answer_short_of_its_own_count_is_asked_for_once_more(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, _ = of_posts(then, tmp_path / "v")
    then.faults.add(TIMELINE, Edit(drop_one))
    home.collect_whole(clock)
    assert requests_of(then) == 2
    home.seal(clock.now_ms)
    assert (len(home.texts()), home.gaps()) == (6, [])


def test_an_answer_that_stays_short_of_its_own_count_is_told_and_leaves_a_gap(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, force = of_posts(then, tmp_path / "v")
    home.collect_whole(clock)
    (known, *_) = reversed(then.world.written(force.id))
    new = [then.world.add_post(force, f"New {one}", clock.now_ms + one) for one in range(4)]
    then.faults.add(TIMELINE, Edit(drop_one), times=2)
    clock.forward(DAY_MS)
    asked = requests_of(then)
    report = home.collect_one(clock, only=["posts"])
    assert requests_of(then) - asked == 3, "the timeline twice, the lookup once"
    found = kind_of(report, "posts")
    (told,) = found.problems
    assert told.detail == "an answer has 4 records, and its own count is 5"
    (gap,) = found.gaps
    assert (gap.after_id, gap.before_id) == (str(known), new[-1].id)
    home.seal(clock.now_ms)
    assert [one.reason for one in home.archives[0].manifest.gaps] == [gap.reason]
    clock.forward(DAY_MS)
    assert home.collect_whole(clock).kinds[0].gaps == []


def test_an_answer_that_was_asked_for_twice_is_paid_for_twice(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, _ = of_posts(then, tmp_path / "v")
    then.faults.add(TIMELINE, Edit(drop_one))
    report = home.collect_one(clock)
    assert billed(then) == 5 + 6
    assert (kind_of(report, "posts").resources, spent(home)) == (11, (11, 55_000))


@pytest.mark.parametrize("odd", ["9" * 19, snowflake(NOON_MS + 400 * DAY_MS)], ids=["no time", "a year on"])
def test_a_post_with_an_id_of_the_far_future_does_not_hide_later_ones(
    then: FakeX, clock: Clock, tmp_path: Path, odd: str
) -> None:
    home, force = of_posts(then, tmp_path / "v")

    def rename(document: Json) -> None:
        document["data"][0]["id"] = odd

    then.faults.add(TIMELINE, Edit(rename))
    home.collect_one(clock)
    for number in range(3):
        then.world.add_post(force, f"Later {number}", clock.now_ms + HOUR_MS)
        clock.forward(DAY_MS)
        assert kind_of(home.collect_one(clock), "posts").gaps == []
    home.seal(clock.now_ms)
    assert {f"Later {number}" for number in range(3)} <= {texts[0] for texts in home.texts().values()}
    assert odd in home.texts()
    home.check_rebuilt()


# What cannot be read


@pytest.mark.parametrize("first", [True, False], ids=["first run", "later run"])
def test_an_answer_whose_only_new_record_is_broken_is_kept_as_it_came_and_told(
    then: FakeX, clock: Clock, tmp_path: Path, first: bool
) -> None:
    home, force = of_posts(then, tmp_path / "v", number=0 if first else 3)
    if not first:
        home.collect_whole(clock)
        home.seal(clock.now_ms)
        clock.forward(DAY_MS)
    then.world.add_post(force, "Broken on its way", clock.now_ms - MINUTE_MS)
    sent: list[bytes] = []

    def spoil(document: Json) -> None:
        document["data"][0] = "not an object, but something X said"
        sent.append(msgspec.json.encode(document))

    then.faults.add(TIMELINE, Edit(spoil))
    report = home.collect_one(clock, only=["posts"])
    assert [one for one in problems_of(report) if one.startswith("posts: a record of posts: broken: ")]
    home.seal(clock.now_ms)
    rows = home.rows(
        "SELECT p.body FROM capture_part AS p JOIN capture AS c ON c.id = p.capture"
        " WHERE c.request LIKE '%/tweets?%'"
    )
    assert sent[0] in [body for (body,) in rows]
    assert home.archives[-1].manifest.problems["broken"] == 1
    home.check_rebuilt()
    same_but_once(read_contents(home.folder))
    assert later(home, clock) == []
    home.seal(clock.now_ms)
    assert ["Broken on its way"] in home.texts().values(), "once X sends it whole it is taken"


def test_posts_without_a_time_are_told_every_run(then: FakeX, clock: Clock, tmp_path: Path) -> None:
    home, force = of_posts(then, tmp_path / "v")

    def strip(document: Json) -> None:
        document["data"] = [{"id": one["id"], "text": one["text"]} for one in document["data"]]
        document.pop("includes", None)

    then.faults.add("/tweets$", Edit(strip), times=None)
    for number in range(3):
        told = problems_of(home.collect_one(clock))
        assert [one for one in told if "no post has a time, though it was asked for" in one], f"run {number}"
        clock.forward(DAY_MS)
    then.faults.clear()
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert sorted(home.texts()) == sorted(map(str, then.world.written(force.id)))


@pytest.mark.parametrize("number", [130, 0], ids=["with posts", "without any"])
def test_a_count_that_is_a_text_does_not_stop_the_kind(
    then: FakeX, clock: Clock, tmp_path: Path, number: int
) -> None:
    home, _ = of_posts(then, tmp_path / "v", number)

    def change(document: Json) -> None:
        document["meta"]["result_count"] = str(document["meta"]["result_count"])

    then.faults.add(TIMELINE, Edit(change), times=None)
    assert kind_of(home.collect_one(clock), "posts").error is None
    clock.forward(DAY_MS)
    assert kind_of(home.collect_one(clock), "posts").error is None
    home.seal(clock.now_ms)
    assert len(home.texts() if home.archives else {}) == number


# Pages without an end


def many_followed(then: FakeX, path: Path, number: int) -> XHome:
    force = add_force(then, followers=number)
    return make_x_home(path, then, Asked(force, ("followers",), more="max_spend_usd = 1000"))


def test_a_page_that_x_refuses_for_ever_restarts_a_walk_once_a_run(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home = many_followed(then, tmp_path / "v", 1500)
    then.faults.add("/followers$", Before(lambda record: then.forget_page_tokens()), times=None)
    pages = []
    for _ in range(3):
        asked = requests_of(then)
        found = kind_of(home.collect_one(clock), "followers")
        assert isinstance(found.error, KindError)
        pages.append((sum(one.status == 200 for one in then.requests[asked:]), requests_of(then) - asked))
        clock.forward(HOUR_MS)
    assert pages == [(2, 4), (1, 3), (1, 3)]
    assert billed(then) == 4000
    assert spent(home) == (4000, 40_000_000)
    then.faults.clear()
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert len(home.related("follower")) == 1500
    same_but_once(read_contents(home.folder))


def test_a_page_of_messages_that_x_refuses_for_ever_costs_one_restart_a_run(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, messages=150)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("messages",)))
    then.faults.add("/dm_events$", Before(lambda record: then.forget_page_tokens()), times=None)
    for _ in range(2):
        assert isinstance(kind_of(home.collect_one(clock), "messages").error, KindError)
        clock.forward(HOUR_MS)
    assert spent(home) == (billed(then), billed(then) * 10_000)
    assert billed(then) == 300
    then.faults.clear()
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    assert len(home.rows("SELECT * FROM message")) == 150


@pytest.mark.parametrize("kind", ["followers", "messages", "mentions"])
def test_a_page_that_names_itself_is_kept_and_paid_for_once_a_run(
    then: FakeX, clock: Clock, tmp_path: Path, kind: str
) -> None:
    numbers: dict[str, int] = {"followers": 2500, "messages": 250, "mentions": 450}
    path = {"followers": "/followers$", "messages": "/dm_events$", "mentions": "/mentions$"}[kind]
    force = add_force(then, **{kind: numbers[kind]})
    asked = Asked(force, (kind,), more="max_spend_usd = 1000")
    home = make_x_home(tmp_path / "v", then, asked)
    named: list[str] = []

    def name_the_same(document: Json) -> None:
        if "next_token" in document["meta"]:
            named.append(document["meta"]["next_token"])
            document["meta"]["next_token"] = named[0]

    then.faults.add(path, Edit(name_the_same), times=None)
    for _ in range(2):
        del named[:]
        before, asked_before = spent(home)[0], requests_of(then)
        found = kind_of(home.collect_one(clock), kind)
        assert found.error is not None
        assert found.error.message.endswith("X names the same page again and again")
        assert requests_of(then) - asked_before == 2
        assert spent(home)[0] - before == sum(one.data for one in then.requests[asked_before:])
        clock.forward(HOUR_MS)
    then.faults.clear()
    home.collect_whole(clock)
    home.seal(clock.now_ms)
    held = home.related("follower") if kind == "followers" else home.rows("SELECT platform_id FROM message")
    held = sorted(home.texts()) if kind == "mentions" else held
    assert len(held) == numbers[kind]
    same_but_once(read_contents(home.folder))


# Secrets in an answer


def test_a_post_with_the_apps_public_key_is_kept_and_one_with_the_token_is_not(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    force = add_force(then, posts=3)
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",), "oauth1"))
    names = ("consumer_key", "access_token")
    key, token = ((home.folder / "collector" / f"{force.id}.{name}").read_text() for name in names)
    then.world.add_post(force, f"Look what I found: {key}", clock.now_ms - MINUTE_MS)
    home.collect_whole(clock)
    leaked = then.world.add_post(force, f"And this one: {token}", clock.now_ms)
    (told,) = later(home, clock)
    assert told == "posts: X sent the token back in its answer, which is not kept"
    then.world.delete_post(leaked)
    assert later(home, clock) == []
    home.seal(clock.now_ms)
    texts = [text for (text,) in home.texts().values()]
    assert f"Look what I found: {key}" in texts
    assert [text for text in texts if token in text] == []
    assert home.rows("SELECT 1 FROM capture_part WHERE instr(body, CAST(? AS BLOB))", token) == []


# Pictures that dribble


def test_a_host_that_dribbles_a_picture_is_not_waited_for(then: FakeX, clock: Clock, tmp_path: Path) -> None:
    force = add_force(then)
    key = then.world.add_photo(PNG + bytes(40_000))
    then.world.add_post(force, "Slow picture", clock.now_ms - MINUTE_MS, media_keys=[key])
    home = make_x_home(tmp_path / "v", then, Asked(force, ("posts",)), x_api="read_timeout_seconds = 1\n")
    then.faults.add("/media/", Dribble(4), times=None)
    (told,) = problems_of(home.collect_one(clock))
    assert told.endswith("(sent too slowly)")
    then.faults.clear()
    assert later(home, clock) == []
    home.seal(clock.now_ms)
    assert set(home.rows("SELECT missing FROM media WHERE media_type = 'photo'")) == {(None,)}


# Names that X refuses


def test_a_field_that_x_refused_is_asked_for_again_in_the_next_month(
    then: FakeX, clock: Clock, tmp_path: Path
) -> None:
    home, _ = of_posts(then, tmp_path / "v")

    def asked_for() -> bool:
        answered = [one for one in then.requests if one.status == 200]
        return "article" in answered[-1].query["post.fields"].split(",")

    then.refused_fields = {"article"}
    (told,) = problems_of(home.collect_one(clock))
    assert "post.fields=article" in told
    assert not asked_for()
    then.refused_fields = set()
    assert later(home, clock) == []
    assert not asked_for(), "not in the same month"
    clock.now_ms = NOON_MS + 8 * DAY_MS  # 2 November
    home.collect_whole(clock)
    assert asked_for()
    then.refused_fields = {"article"}
    (told,) = later(home, clock)
    assert "post.fields=article" in told, "refused again it is told again"
    refused = sum(one.status == 400 for one in then.requests)
    assert later(home, clock) == []
    assert sum(one.status == 400 for one in then.requests) == refused
