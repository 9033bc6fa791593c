"""A big world for the fake of X: many accounts with as many posts, about as long as X's real ones."""

import random
from typing import Any

from tests.fakes.x_world import Post, User, World

START_MS = 1_700_000_000_000
OUTSIDERS = 400
STEP_MS = 600_000
WORDS = """
road bridge station night morning report council school market festival weather traffic missing found appeal
witness patrol advice bicycle river harbour office meeting public notice update closed open thanks
"""


def _annotations(number: int) -> list[dict[str, Any]]:
    """About as much as X adds to a post: the greater part of one."""
    return [
        {
            "domain": {
                "id": str(30 + part),
                "name": f"Made-up domain {part}",
                "description": f"What is gathered in made-up domain {part}, in words that describe it best",
            },
            "entity": {
                "id": str(10_000_000 + number * 10 + part),
                "name": f"Made-up topic {number}-{part}",
                "description": f"Posts on made-up topic {number}-{part}",
            },
        }
        for part in range(2)
    ]


def fill(world: World, accounts: int, posts: int, seed: int = 1) -> tuple[str, list[dict[str, str]]]:
    """Makes the accounts and their posts; the app-only token, and each account's id, handle and token.

    Of ten posts, four stand alone, two are replies, two quote, two repost; half of those alone have a
    photo, one in 50 is long, one in 100 was edited."""
    chance = random.Random(seed)  # noqa: S311 - a benchmark's world is the same each time
    topics = [_annotations(number) for number in range(200)]
    outsiders = [
        world.add_user(f"person{number}", f"Person {number}", bio=f"Made up, number {number}. " * 4)
        for number in range(OUTSIDERS)
    ]
    wells = [_say(world, chance, one, topics, START_MS + number) for number, one in enumerate(outsiders * 5)]
    made = []
    for number in range(accounts):
        user = world.add_user(
            f"made_up_{number}", f"Made-up Police {number}", bio="News and advice, made up. " * 5
        )
        token = world.add_token(f"token-{number}", user)
        made.append({"id": user.id, "handle": user.handle, "token": token})
        for step in range(posts):
            _one_of_ten(world, chance, user, topics, wells, START_MS + 1_000_000 + step * STEP_MS, step)
    return world.add_token("app-token"), made


def _one_of_ten(
    world: World,
    chance: random.Random,
    user: User,
    topics: list[list[dict[str, Any]]],
    wells: list[Post],
    at: int,
    step: int,
) -> None:
    kind = step % 10
    if kind in (3, 8):
        world.add_repost(user, chance.choice(wells), at)
    elif kind in (2, 6):
        _say(world, chance, user, topics, at, reply_to=chance.choice(wells))
    elif kind in (4, 9):
        _say(world, chance, user, topics, at, quote=chance.choice(wells))
    else:
        media = [world.add_photo()] if kind in (0, 5) and step % 20 else []
        post = _say(world, chance, user, topics, at, words=120 if step % 50 == 1 else 24, media_keys=media)
        if step % 100 == 7:
            world.edit_post(post, post.text + " (corrected)", at + 60_000)


def _say(
    world: World,
    chance: random.Random,
    user: User,
    topics: list[list[dict[str, Any]]],
    at: int,
    words: int = 24,
    **more: Any,
) -> Post:
    said = " ".join(chance.choices(WORDS.split(), k=words))
    number = chance.randrange(OUTSIDERS)
    text = f"{said} @person{number} #topic{number % 50} https://example.org/{at:x}"
    metrics = {name: chance.randrange(500) for name in ("repost_count", "like_count", "impression_count")}
    return world.add_post(user, text, at, context_annotations=topics[number % 200], metrics=metrics, **more)
