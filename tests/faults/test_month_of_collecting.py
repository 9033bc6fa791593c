"""A month of daily collecting, sealed each week, beside a world that goes on: at its end the vault holds all
that could be seen, once, with every edit, and what went and why."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.runner import Runner
from tests.collected import (
    ALL_KINDS,
    DAY_MS,
    HOUR_MS,
    MAIN,
    MINUTE_MS,
    Asked,
    Clock,
    XHome,
    fake_x,
    kind_of,
    make_x_home,
)
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Drop
from tests.fakes.x_world import Post, User
from tests.faults.folders import SOAK, check_nothing_half, read_contents, same_but_once

FIRST_MS = 1_788_231_600_000
"""03:00 on 1 September 2026, UTC: a month with one bill."""
DAYS = 30
RECHECK_DAYS = 4
OFFLINE, RENAMED = 17, 12
PUNISHED = {5: "suspend", 9: "protect", 15: "suspend", 21: "protect", 26: "suspend"}
SEEDS = range(8) if SOAK else (1,)
REASONS = {"missing": "deleted", "suspended": "suspended", "protected": "protected"}


class Month:
    """The world, and beside it what a daily reader could see of it."""

    def __init__(self, x: FakeX, clock: Clock, seed: int) -> None:
        self.x, self.world, self.clock = x, x.world, clock
        self.draw = random.Random(seed)  # noqa: S311  # repeatable, not secret
        self.force = self.world.add_user(MAIN, "Springfield Police", bio="Not for emergencies.")
        self.people = [self.world.add_user(f"person_{number}", f"Person {number}") for number in range(60)]
        self.own: list[Post] = []
        """The newest versions of the account's posts that are there."""
        self.mentions: list[Post] = []
        self.texts: dict[str, str] = {}
        """What was seen of posts, by id."""
        self.gone: dict[str, str] = {}
        self.followers: set[str] = set()
        """As last seen."""
        self.ever_followers: set[str] = set()
        self.left: Counter[str] = Counter()
        """How often each follower was seen to have gone."""
        self.back = 0
        self.number = 0
        self.edits = 0
        self.provoked = self.people[0]
        for person in self.people[:25]:
            self.world.follow(person, self.force)
        for number in range(40):
            self._post(clock.now_ms - (60 - number) * HOUR_MS)

    # What happens

    def live(self, until_ms: int) -> None:
        """Events up to then, in their order."""
        began = self.clock.now_ms
        times = sorted(
            self.draw.randrange(began + MINUTE_MS, until_ms) for _ in range(self.draw.randrange(16, 28))
        )
        later: list[tuple[int, Post]] = []
        for at in times:
            for due, post in [one for one in later if one[0] <= at]:
                later.remove((due, post))
                self._edit(post, due)
            made = self._event(at)
            if made is not None and self.draw.random() < 0.15:
                later.append((at + self.draw.randrange(1, 30) * MINUTE_MS, made))
        for due, post in later:
            if due < until_ms:
                self._edit(post, due)
        self.clock.now_ms = until_ms

    def _event(self, at: int) -> Post | None:
        chance = self.draw.random()
        person = self.draw.choice(self.people)
        if chance < 0.45:
            return self._post(at)
        if chance < 0.65:
            self.number += 1
            if self.world.state_of_user(person.id) == "ok":
                self.mentions.append(
                    self.world.add_post(person, f"@{self.force.handle} asks {self.number}", at)
                )
        elif chance < 0.75:
            self.number += 1
            self.world.add_message(person, f"Tip number {self.number}", [self.force], at)
        elif chance < 0.85:
            self._change_followers(person)
        elif chance < 0.93:
            self._delete(self.own)
        else:
            self._delete(self.mentions)
        return None

    def provoke(self) -> None:
        """Somebody writes, to be suspended or to protect what they write the day after."""
        there = [one for one in self.people[:50] if self.world.state_of_user(one.id) == "ok"]
        self.provoked = self.draw.choice(there)
        text = f"@{self.force.handle} shouts at {self.clock.now_ms}"
        self.mentions.append(self.world.add_post(self.provoked, text, self.clock.now_ms - MINUTE_MS))

    def _post(self, at: int) -> Post:
        self.number += 1
        kind = self.draw.random()
        text = f"Notice {self.number} to all #roads"
        if kind < 0.1:
            original = self.world.add_post(
                self.people[50], f"Words of others, {self.number}. " * 8, at - 1000
            )
            post = self.world.add_repost(self.force, original, at)
        elif kind < 0.2:
            post = self.world.add_post(self.force, f"{text}: " + "and so on " * 40, at)
        elif kind < 0.3:
            post = self.world.add_post(self.force, text, at, media_keys=[self.world.add_photo()])
        elif kind < 0.4 and self.own:
            post = self.world.add_post(self.force, text, at, reply_to=self.draw.choice(self.own))
        else:
            post = self.world.add_post(self.force, text, at)
        self.own.append(post)
        return post

    def _edit(self, post: Post, at: int) -> None:
        if post not in self.own or any(kind == "retweeted" for kind, _ in post.references):
            return
        self.edits += 1
        self.own[self.own.index(post)] = self.world.edit_post(
            post, f"Corrected {self.edits}: {post.text[:60]}", at
        )

    def _delete(self, among: list[Post]) -> None:
        """One of the newest, so that some are within the days that are looked up, and some beyond."""
        if among:
            post = among.pop(-1 - min(len(among) - 1, int(self.draw.expovariate(0.04))))
            self.world.delete_post(post)

    def _change_followers(self, person: User) -> None:
        if self.world.state_of_user(person.id) != "ok":
            return
        if person.id in self.world.followers[self.force.id]:
            self.world.unfollow(person, self.force)
        else:
            self.world.follow(person, self.force)

    # What a run can see

    def seen_by_a_run(self, *, followers: bool) -> None:
        first = self.clock.now_ms - RECHECK_DAYS * DAY_MS
        for post_id in [one for one in self.texts if one not in self.gone]:
            post = self.world.posts[post_id]
            state = self.world.state_of_post(post_id, self.force.id)
            if state != "ok" and post.created_ms >= first:
                self.gone[post_id] = f"X's interface: {REASONS[state]}"
        for post in [*self.own, *self.mentions]:
            if self.world.state_of_post(post.id, self.force.id) == "ok":
                for version in post.edit_ids:
                    self.texts.setdefault(version, self._text(self.world.posts[version]))
        if followers:
            there = {
                one for one in self.world.followers[self.force.id] if self.world.state_of_user(one) == "ok"
            }
            self.left.update(self.followers - there)
            self.back += len((there - self.followers) & self.ever_followers)
            self.ever_followers |= there
            self.followers = there

    def _text(self, post: Post) -> str:
        for kind, other in post.references:
            if kind == "retweeted":
                original = self.world.posts[other]
                handle = self.world.users[original.author_id].handle
                return f"RT @{handle}: {original.note_text or original.text}"
        return post.note_text or post.text


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture
def clock() -> Clock:
    return Clock(FIRST_MS)


@pytest.fixture
def x(clock: Clock) -> Iterator[FakeX]:
    with fake_x(clock) as started:
        yield started


def settings_for(x: FakeX, force: User, path: Path) -> XHome:
    more = f"recheck_days = {RECHECK_DAYS}\nrecheck_mentions = true\nmax_spend_usd = 1000"
    return make_x_home(path, x, Asked(force, ALL_KINDS, more=more, handle=MAIN))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_month_of_daily_runs_keeps_all_that_could_be_seen(
    run: Runner, x: FakeX, clock: Clock, tmp_path: Path, seed: int
) -> None:
    month = Month(x, clock, seed)
    home = settings_for(x, month.force, tmp_path / "v")
    changes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for day in range(DAYS):
        if day == RENAMED:
            x.world.rename(month.force, "Springfield_PD")
        if day:
            month.live(FIRST_MS + day * DAY_MS + month.draw.randrange(-20, 20) * MINUTE_MS)
        if day + 1 in PUNISHED:
            month.provoke()
        if day in PUNISHED:
            getattr(x.world, PUNISHED[day])(month.provoked)
        if day == OFFLINE:
            x.faults.add("", Drop(), times=None)
            report = home.collect_one(clock)
            x.faults.clear()
            assert all("no connection" in str(kind.error) for kind in report.kinds)
            clock.now_ms = FIRST_MS + day * DAY_MS + HOUR_MS  # the waits took some of the day
            continue
        report = home.collect_whole(clock)
        month.seen_by_a_run(followers=any(kind.kind == "followers" for kind in report.kinds))
        assert kind_of(report, "posts").gaps == []
        assert report.current_handle == month.force.handle
        for kind in report.kinds:
            changes[kind.kind] += kind.counts
        if day % 7 == 6:
            assert home.seal(clock.now_ms).problems == ()
    assert home.seal(clock.now_ms).problems == ()
    check_nothing_half(home.folder)
    # Both profiles, before and after the new name, show the same portrait.
    held = read_contents(home.folder)
    same_but_once(Counter({row: number for row, number in held.items() if row[0] != "media"}))
    check_held(home, month)
    check_counts(home, x, month, changes)
    check_found(run, home, month)
    home.check_rebuilt()
    assert run("--config", home.folder, "verify", "--contents").code == 0


def check_held(home: XHome, month: Month) -> None:
    """Every post once with its text, all versions of an edited one, and what is gone."""
    held = home.texts()
    assert {one: texts for one, texts in held.items() if len(texts) > 1} == {}
    expected = {one: [text] for one, text in month.texts.items()}
    assert {one: text for one, text in expected.items() if held.get(one) != text} == {}
    assert set(held) == set(expected)
    assert home.gone("post") | home.gone("mention") == month.gone
    assert len(month.gone) > 20
    assert len(set(month.gone.values())) == 3, "all three reasons"
    forgotten = [
        one
        for one in month.texts
        if one not in month.gone and month.world.state_of_post(one, month.force.id) != "ok"
    ]
    assert forgotten, "some went when nobody looked any more"
    messages = home.rows("SELECT platform_id, text FROM message")
    assert sorted(messages) == sorted((one.id, one.text) for one in month.world.messages)
    assert month.edits > 20
    chains = [post.edit_ids for post in month.own if len(post.edit_ids) > 1 and post.id in held]
    assert chains
    for chain in chains:
        ids = home.rows(
            "SELECT platform_id FROM post WHERE coalesce(record_id, platform_id) = ? ORDER BY posted_ms",
            chain[0],
        )
        assert [row[0] for row in ids] == chain


def check_counts(home: XHome, x: FakeX, month: Month, changes: defaultdict[str, Counter[str]]) -> None:
    """Followers, the account's names, money, and what the manifests add up to."""
    followers = Counter(home.related("follower"))
    assert set(followers) == month.ever_followers
    assert sum(followers.values()) == len(month.ever_followers) + month.back
    assert (
        Counter(row[0] for row in home.rows("SELECT platform_id FROM gone WHERE kind = 'follower'"))
        == month.left
    )
    assert month.left
    names = [row[0] for row in home.rows("SELECT handle FROM account ORDER BY captured_ms")]
    assert names == [MAIN, "Springfield_PD"]
    told = [one for one in x.requests if one.path.startswith("/2/") and one.status == 200]
    spent = home.spent("2026-09")
    assert sum(one.resources for one in spent) == sum(one.data for one in told)
    assert sum(one.requests for one in spent) == len(told)
    assert home.gaps() == []
    rows: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for archive in home.archives:
        assert archive.manifest.gaps == []
        assert archive.manifest.problems.keys() <= {"context"}
        for file in archive.manifest.segments:
            rows.update(file.records)
        for count in archive.manifest.counts:
            table = (
                count.kind if count.kind in ("post", "message", "account", "gone", "media") else "relation"
            )
            counted[table] += count.new + count.changed + count.back + count.other + count.again
            assert count.unparsed == 0
    del counted["media"]
    assert {table: rows[table] for table in counted} == counted
    assert counted["post"] == len(month.texts)
    assert changes["posts"]["gone"] + changes["mentions"]["gone"] == len(month.gone)
    assert len(home.archives) == 5


def check_found(run: Runner, home: XHome, month: Month) -> None:
    """A search shows each post once, in its newest version, with whether it is gone."""
    found: list[dict[str, Any]] = []
    for kind in ("post", "reply", "quote", "repost"):
        result = run("--config", home.folder, "search", "--json", "--limit", "0", f"kind:{kind}")
        assert result.code == 0, result
        found += result.json_lines()[:-1]
    newest: dict[str, str] = {}
    for one in sorted(month.texts, key=int):
        newest[month.world.posts[one].edit_ids[0]] = one
    assert len({hit["id"] for hit in found}) == len(found)
    assert {hit["id"] for hit in found} == set(newest.values())
    versions = Counter(month.world.posts[one].edit_ids[0] for one in month.texts)
    for hit in found:
        assert hit["text"] == month.texts[hit["id"]]
        assert hit["gone_how"] == month.gone.get(hit["id"])
        assert hit["versions"] == versions[month.world.posts[hit["id"]].edit_ids[0]], hit
