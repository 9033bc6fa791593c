"""The fictional force's posts, made month by month.

A month depends on its date and the seed alone. So a later export repeats the earlier posts, ids and words.
"""

import calendar
import datetime as dt
import random
from dataclasses import dataclass, replace

from archiver.sample import texts
from archiver.sample.encode import milliseconds, snowflake
from archiver.sample.gaps import fill
from archiver.sample.people import BY_HANDLE, RESIDENTS, Person

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SITE = "https://www.springfield-police.example"
FORCE_STATUS = "https://twitter.com/SpringfieldPolice/status"
KINDS = ("post", "reply", "repost", "quote", "thread")
KIND_WEIGHTS = (48, 26, 15, 6, 5)
REPOST_LENGTH = 140  # X's exports cut the text of a repost there, the ellipsis included
NOTE_OPENING = 250  # how much of a long post its short text shows, in characters
DELETED_AFTER_MS = 2 * 86_400_000


@dataclass(frozen=True)
class Picture:
    """A picture of a post: its id, the base name of its file, the short link that stands in the text."""

    media_id: str
    base_name: str
    short_url: str


@dataclass(frozen=True)
class SamplePost:
    """A post before it is written as JSON. `text` is what a reader sees, with short links, not escaped."""

    post_id: int
    time_ms: int
    text: str
    links: tuple[tuple[str, str], ...] = ()  # short, expanded
    reply_to: Person | None = None
    reply_to_id: str | None = None
    pictures: tuple[Picture, ...] = ()
    edit_ids: tuple[str, ...] = ()
    note: str | None = None
    deleted_ms: int | None = None
    favourites: int = 0
    reposts: int = 0


class MonthMaker:
    """Makes the posts of one month, oldest first."""

    def __init__(self, year: int, month: int, seed: int) -> None:
        self.rng = random.Random(f"{seed}/{year}-{month:02d}")  # noqa: S311 - repeatable, not secret
        self.year, self.month = year, month
        self.made: list[SamplePost] = []

    def posts(self) -> list[SamplePost]:
        """Make some 80 posts: of every kind, among them a long one, an edited one and one soon deleted."""
        for position, time_ms in enumerate(times := self._times()):
            if position == len(times) // 3:
                self._add_note(time_ms)
            elif position == len(times) // 2 and self.month % 2 == 0:
                self._add_edited(time_ms)
            elif position % 37 == 5:
                self._add_pictured(time_ms, 2 if self.month % 3 == 0 else 1)
            else:
                self._add_usual(time_ms, self.rng.choices(KINDS, KIND_WEIGHTS)[0])
        self._add_deleted()
        return sorted(self.made, key=lambda post: post.post_id)

    def _times(self) -> list[int]:
        """Pick times of day when a press office posts, no two in one second."""
        days = calendar.monthrange(self.year, self.month)[1]
        hours = [*range(6, 23), *range(7, 19), *range(8, 11), *range(16, 19)]
        times = set()
        for _ in range(self.rng.randrange(77, 90)):
            day = dt.date(self.year, self.month, self.rng.randrange(1, days + 1))
            minute, second = self.rng.randrange(60), self.rng.randrange(60)
            times.add(milliseconds(day, self.rng.choice(hours), minute, second))
        return sorted(times)

    def _new(self, time_ms: int, text: str) -> SamplePost:
        post_id = snowflake(time_ms + self.rng.randrange(1000), self.rng.getrandbits(22))
        likes = int(self.rng.expovariate(1 / 22))
        return SamplePost(post_id, time_ms, text, favourites=likes, reposts=likes // 3)

    def _short_url(self) -> str:
        return "https://t.co/" + "".join(self.rng.choices(BASE62, k=10))

    def _sentence(self) -> str:
        template = (
            texts.SEASONAL[self.month - 1] if self.rng.random() < 0.05 else self.rng.choice(texts.POSTS)
        )
        return fill(template, self.rng)

    def _add_usual(self, time_ms: int, kind: str) -> None:
        earlier = [post for post in self.made if post.reply_to is None and not post.text.startswith("RT @")]
        if kind == "reply":
            self._add_reply(time_ms)
        elif kind == "repost":
            self._add_repost(time_ms)
        elif kind == "quote" and earlier:
            quoted = self.rng.choice(earlier[-12:])
            self._add_linked(time_ms, fill(self.rng.choice(texts.QUOTES), self.rng), quoted.post_id)
        elif kind == "thread" and earlier:
            post = self._new(time_ms, fill(self.rng.choice(texts.THREADS), self.rng))
            parent = str(earlier[-1].post_id)
            self.made.append(replace(post, reply_to=BY_HANDLE["SpringfieldPolice"], reply_to_id=parent))
        elif self.rng.random() < 0.3:
            self._add_linked(time_ms, self._sentence(), None)
        else:
            self.made.append(self._new(time_ms, self._sentence()))

    def _add_linked(self, time_ms: int, sentence: str, quoted_id: int | None) -> None:
        short = self._short_url()
        page = f"{SITE}/news/{self.year}/{self.rng.randrange(1000, 9999)}"
        target = f"{FORCE_STATUS}/{quoted_id}" if quoted_id else page
        self.made.append(replace(self._new(time_ms, f"{sentence} {short}"), links=((short, target),)))

    def _add_reply(self, time_ms: int) -> None:
        """Answer a resident; one answer in ten names nobody's post, only the handle."""
        resident = self.rng.choice(RESIDENTS)
        sentence = fill(self.rng.choice(texts.REPLIES), self.rng)
        post = self._new(time_ms, f"@{resident.handle} {sentence}")
        asked = snowflake(time_ms - self.rng.randrange(60_000, 7_200_000), self.rng.getrandbits(22))
        parent = str(asked) if self.rng.random() > 0.1 else None
        self.made.append(replace(post, reply_to=resident, reply_to_id=parent))

    def _add_repost(self, time_ms: int) -> None:
        handle = self.rng.choice(sorted(texts.REPOSTED))
        sentence = fill(self.rng.choice(texts.REPOSTED[handle]), self.rng)
        text = f"RT @{handle}: {sentence}"
        if len(text) > REPOST_LENGTH:
            text = text[: REPOST_LENGTH - 1] + "…"
        self.made.append(replace(self._new(time_ms, text), favourites=0))

    def _add_pictured(self, time_ms: int, count: int) -> None:
        post = self._new(time_ms, self._sentence())
        short = self._short_url()
        pictures = tuple(
            Picture(str(post.post_id - (number << 22)), f"G{self._short_url()[-10:]}AA{number}.png", short)
            for number in range(1, count + 1)
        )
        self.made.append(replace(post, text=f"{post.text} {short}", pictures=pictures))

    def _add_note(self, time_ms: int) -> None:
        """Add a long post: its row shows the opening, an ellipsis and a link to itself."""
        note = fill(self.rng.choice(texts.NOTES), self.rng)
        opening = note[: note.rindex(" ", 0, NOTE_OPENING)]
        short = self._short_url()
        post = self._new(time_ms, f"{opening}… {short}")
        link = (short, f"{FORCE_STATUS}/{post.post_id}")
        self.made.append(replace(post, links=(link,), note=note))

    def _add_edited(self, time_ms: int) -> None:
        """Add a post and its correction some minutes later; each version is a row of its own."""
        template = "Road closed: {road} at {junction} because of {cause}. Please find another route."
        first = self._new(time_ms, fill(template, self.rng))
        corrected = fill(template, self.rng) + " (Location corrected.)"
        second = self._new(time_ms + self.rng.randrange(3, 25) * 60_000 + 1_000, corrected)
        ids = (str(first.post_id), str(second.post_id))
        self.made += [replace(first, edit_ids=ids), replace(second, edit_ids=ids)]

    def _add_deleted(self) -> None:
        """Add a post late in the month that is deleted two days later."""
        time_ms = milliseconds(dt.date(self.year, self.month, 22), 23, self.rng.randrange(60), 17)
        template = (
            "Appeal: a teenager is missing from {district}, last seen near {street} at {hour}. Call 101."
        )
        post = self._new(time_ms, fill(template, self.rng))
        self.made.append(replace(post, deleted_ms=time_ms + DELETED_AFTER_MS))


def timeline(months: list[tuple[int, int]], until_ms: int, seed: int) -> list[SamplePost]:
    """Give the posts of these (year, month) pairs up to a time, newest first, deleted ones among them."""
    posts = [post for year, month in months for post in MonthMaker(year, month, seed).posts()]
    return sorted((post for post in posts if post.time_ms <= until_ms), key=lambda post: -post.post_id)
