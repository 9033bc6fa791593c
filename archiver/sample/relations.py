"""Followers, blocks, likes and lists of the fictional force, as they stand at the end of a month."""

import datetime as dt
import random
from collections.abc import Iterable

from archiver.sample import texts
from archiver.sample.encode import milliseconds, snowflake
from archiver.sample.gaps import fill
from archiver.sample.people import BODIES, RESIDENTS, Person

FIRST_FOLLOWERS = 240
FOLLOWERS_A_MONTH = 6
LIKES_A_MONTH = 5
LISTS_CREATED = ("SpringfieldPolice/lists/neighbourhood-teams",)
LISTS_MEMBER = (
    "SpringfieldGov/lists/public-services",
    "SpringfieldWthr/lists/emergency-services",
    "SpringfieldRvrs/lists/match-day",
)
LISTS_SUBSCRIBED = ("SpringfieldGov/lists/councils", "SpringfieldRoads/lists/traffic")

Items = list[dict[str, object]]


def relation_files(months: list[tuple[int, int]], until_ms: int, seed: int) -> dict[str, Items]:
    """Give the items of each relation file by its manifest type; a later month adds, and loses a follower."""
    followers = _account_ids(f"followers {seed}", FIRST_FOLLOWERS)
    followers += [person.user_id for person in (*BODIES, *RESIDENTS)]
    blocked: list[str] = []
    muted: list[str] = []
    likes: Items = []
    for year, month in months:
        label = f"{seed}/{year}-{month:02d}"
        followers += _account_ids(f"new followers {label}", FOLLOWERS_A_MONTH)
        del followers[_random(f"lost follower {label}").randrange(FIRST_FOLLOWERS - len(months))]
        blocked += _account_ids(f"blocked {label}", 1) if month % 3 == 0 else []
        muted += _account_ids(f"muted {label}", 1) if month % 4 == 0 else []
        likes += _likes(label, year, month, until_ms)
    following = [person.user_id for person in BODIES] + _account_ids(f"following {seed}", 16)
    return {
        "follower": [_relation("follower", user_id) for user_id in reversed(followers)],
        "following": [_relation("following", user_id) for user_id in following],
        "block": [_relation("blocking", user_id) for user_id in reversed(blocked)],
        "mute": [_relation("muting", user_id) for user_id in reversed(muted)],
        "like": likes[::-1],
        "listsCreated": _lists(LISTS_CREATED),
        "listsMember": _lists(LISTS_MEMBER),
        "listsSubscribed": _lists(LISTS_SUBSCRIBED),
    }


def _random(label: str) -> random.Random:
    return random.Random(label)  # noqa: S311 - repeatable, not secret


def _account_ids(label: str, count: int) -> list[str]:
    """Invent account ids, of the old short kind and of the new long kind."""
    rng = _random(label)
    return [
        str(rng.randrange(10**7, 4 * 10**9) if rng.random() < 0.5 else rng.randrange(10**18, 18 * 10**17))
        for _ in range(count)
    ]


def _relation(key: str, user_id: str) -> dict[str, object]:
    return {key: {"accountId": user_id, "userLink": f"https://twitter.com/intent/user?user_id={user_id}"}}


def _likes(label: str, year: int, month: int, until_ms: int) -> Items:
    rng = _random(f"likes {label}")
    likes = []
    for _ in range(LIKES_A_MONTH):
        day = dt.date(year, month, rng.randrange(1, 28))
        time_ms = milliseconds(day, rng.randrange(24), rng.randrange(60))
        like = _like(rng, time_ms, rng.choice(BODIES))
        likes += [like] if time_ms <= until_ms else []
    return likes


def _like(rng: random.Random, time_ms: int, author: Person) -> dict[str, object]:
    post_id = snowflake(time_ms, rng.getrandbits(22))
    said = texts.REPOSTED.get(author.handle, ("Thank you to @SpringfieldPolice for the help in {district}.",))
    return {
        "like": {
            "tweetId": str(post_id),
            "fullText": fill(rng.choice(said), rng),
            "expandedUrl": f"https://twitter.com/i/web/status/{post_id}",
        }
    }


def _lists(paths: Iterable[str]) -> Items:
    return [{"userListInfo": {"url": f"https://twitter.com/{path}"}} for path in paths]
