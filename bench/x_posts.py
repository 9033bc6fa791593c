"""Posts as X's export writes them: fixed templates filled with made-up words."""

import random
import time
from itertools import accumulate

from bench.words import cumulative_weights, vocabulary

ACCOUNT_ID = "112000777"
HANDLE = "SpringfieldBench"
SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
FIRST_POST_MS = 1_142_899_200_000  # X's first day, 2006-03-21
EARLY_ID_MS = 5
"""Before there were snowflakes ids were given one after the other, some 29 thousand million in all: one in so
many milliseconds."""
EDITABLE_SECONDS = 1_800

# Shares of the real export: 32 % reposts, 28 % replies (4 % without a parent post), 7 % with pictures.
KINDS = ("post", "repost", "reply", "mention_reply")
KIND_WEIGHTS = (40, 32, 24, 4)
SOURCES = (
    ("http://twitter.com", "Twitter Web Client", 41),
    ("https://mobile.twitter.com", "Twitter Web App", 25),
    ("http://twitter.com/download/iphone", "Twitter for iPhone", 20),
    ("https://about.twitter.com/products/tweetdeck", "TweetDeck", 10),
    ("http://instagram.com", "Instagram", 4),
)
LANGUAGES = (("en", 86), ("und", 7), ("de", 4), ("qme", 2), ("zxx", 1))
ENDINGS = (".", "!", "?", "…", "", " 🚓", " &amp; more", ' "now"')
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Words of free text per post: a hump at 7, a tail cut by the 280 characters.
LENGTH_WEIGHTS = [count * 0.5 ** (count / 5.5) for count in range(1, 56)]
SIZES = ("small", "680", "510", "fit"), ("large", "2048", "1536", "fit"), ("thumb", "150", "150", "crop")
Person = tuple[str, str, str]  # id, handle, display name
MEDIUM = ("medium", "1200", "900", "fit")


def _range(indent: str, start: int, end: int) -> str:
    return f'[\n{indent}  "{start}",\n{indent}  "{end}"\n{indent}]'


def _list(items: list[str]) -> str:
    return "[\n" + ",\n".join(items) + "\n        ]" if items else "[ ]"


_SIZES_JSON = ",\n".join(
    f'              "{name}" : {{\n                "w" : "{width}",\n                "h" : "{height}",\n'
    f'                "resize" : "{resize}"\n              }}'
    for name, width, height, resize in (*SIZES, MEDIUM)
)


def time_of(post_id: int) -> int:
    """When the post with an id was written, in milliseconds."""
    if post_id <= _LAST_EARLY_ID:
        return FIRST_POST_MS + post_id * EARLY_ID_MS
    return (post_id >> 22) + SNOWFLAKE_EPOCH_MS


def _early_id(time_ms: int) -> int:
    return (time_ms - FIRST_POST_MS) // EARLY_ID_MS


_LAST_EARLY_ID = _early_id(SNOWFLAKE_EPOCH_MS)


class PostWriter:
    """Makes posts batch by batch from one random generator, and counts what it made."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.counts = {"replies": 0, "reposts": 0, "media": 0}
        self._sources = [f'<a href=\\"{url}\\" rel=\\"nofollow\\">{name}</a>' for url, name, _ in SOURCES]
        self._people = [self._person(number) for number in range(3_000)]
        self._people_weights = list(accumulate(1 / (rank + 10) for rank in range(3_000)))
        self._length_weights = list(accumulate(LENGTH_WEIGHTS))

    def _person(self, number: int) -> Person:
        """Give a made-up account: its id, handle and display name."""
        words = vocabulary()
        first, second = words[200 + number], words[5_000 + self.rng.randrange(40_000)]
        handle = f"{first}_{second}"[:12] + str(number % 1000)
        return str(self.rng.randrange(10**6, 10**9)), handle, f"{first.title()} {second.title()}"

    def posts(self, times_ms: list[int]) -> tuple[list[int], list[str]]:
        """Make one post for each time; return their ids and their JSON, indented as list items."""
        rng, count = self.rng, len(times_ms)
        lengths = rng.choices(range(1, 56), cum_weights=self._length_weights, k=count)
        words = rng.choices(vocabulary(), cum_weights=cumulative_weights(), k=sum(lengths))
        kinds = rng.choices(KINDS, KIND_WEIGHTS, k=count)
        people = rng.choices(self._people, cum_weights=self._people_weights, k=count)
        ids, bodies, used = [], [], 0
        for time_ms, length, kind, person in zip(times_ms, lengths, kinds, people, strict=True):
            post_id = (time_ms - SNOWFLAKE_EPOCH_MS) << 22 | rng.getrandbits(12) | 0x170000
            if time_ms < SNOWFLAKE_EPOCH_MS:
                post_id = _early_id(time_ms)
            ids.append(post_id)
            bodies.append(self._post(post_id, time_ms, words[used : used + length], kind, person))
            used += length
        return ids, bodies

    def _short_code(self) -> str:
        return "".join(self.rng.choices(BASE62, k=10))

    def _post(
        self, post_id: int, time_ms: int, words: list[str], kind: str, person: tuple[str, str, str]
    ) -> str:
        random_value = self.rng.random
        pieces = [self._opening(kind, person)] if kind != "post" else []
        pieces.append(self._sentence(words))
        text = " ".join(pieces)[:200]
        mentions = [] if kind == "post" else [self._mention(3 if kind == "repost" else 0, person)]
        hashtags, urls, media = [], [], ""
        if random_value() < 0.18:
            other = self.rng.choice(self._people)
            mentions.append(self._mention(len(text) + 1, other))
            text += f" @{other[1]}"
        if random_value() < 0.14:
            tag = words[-1].title()
            hashtags.append(_hashtag(tag, len(text) + 1))
            text += f" #{tag}"
        if random_value() < 0.58:
            code, page = self._short_code(), words[len(words) // 2]
            urls.append(_url(code, page, len(text) + 1))
            text += f" https://t.co/{code}"
        if kind == "repost" and len(text) > 140:
            text, urls = text[:139] + "…", []
        elif random_value() < 0.08:
            code = self._short_code()
            media = self._media(post_id, code, len(text) + 1)
            text += f" https://t.co/{code}"
        return self._assemble(post_id, time_ms, text, kind, person, mentions, hashtags, urls, media)

    def _opening(self, kind: str, person: Person) -> str:
        if kind == "repost":
            self.counts["reposts"] += 1
            return f"RT @{person[1]}:"
        self.counts["replies"] += 1
        return f"@{person[1]}"

    def _sentence(self, words: list[str]) -> str:
        if len(words) > 6:
            words = [*words[:4], words[4] + (",", ".", "\n")[len(words) % 3], *words[5:]]
        words[0] = words[0].capitalize()
        return " ".join(words) + ENDINGS[self.rng.getrandbits(3)]

    def _mention(self, start: int, person: Person) -> str:
        user_id, handle, name = person
        return (
            f'          {{\n            "name" : "{name}",\n            "screen_name" : "{handle}",\n'
            f'            "indices" : {_range("            ", start, start + len(handle) + 1)},\n'
            f'            "id_str" : "{user_id}",\n            "id" : "{user_id}"\n          }}'
        )

    def _media(self, post_id: int, code: str, start: int) -> str:
        """Give the JSON of one picture, or of two for one post in twelve, as the list's items."""
        items = []
        for number in range(1, 2 + (self.rng.random() < 0.08)):
            self.counts["media"] += 1
            items.append(
                _media_item(post_id - (number << 24), post_id, number, code, self._short_code(), start)
            )
        return ",\n".join(items)

    def _assemble(
        self,
        post_id: int,
        time_ms: int,
        text: str,
        kind: str,
        person: Person,
        mentions: list[str],
        hashtags: list[str],
        urls: list[str],
        media: str,
    ) -> str:
        """Fill the template; optional members carry their own commas and line ends."""
        rng = self.rng
        seconds = time_ms // 1000
        created = time.strftime("%a %b %d %H:%M:%S +0000 %Y", time.gmtime(seconds))
        editable = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds + EDITABLE_SECONDS))
        source = rng.choices(self._sources, [weight for *_, weight in SOURCES])[0]
        language = rng.choices(LANGUAGES, [weight for _, weight in LANGUAGES])[0][0]
        parent = _parent(post_id, rng.randrange(20_000, 90_000_000))
        parent_str, user, parent_id, user_str = _reply_members(kind, person, parent)
        eligible = "true" if kind in ("post", "repost") else "false"
        sensitive = '      "possibly_sensitive" : false,\n' if urls or media else ""
        extended = (
            f',\n      "extended_entities" : {{\n        "media" : [\n{media}\n        ]\n      }}'
            if media
            else ""
        )
        favourites = "0" if kind == "repost" else str(int(rng.expovariate(0.05)))
        escaped = text.replace('"', '\\"').replace("\n", "\\n")
        return f"""  {{
    "tweet" : {{
      "edit_info" : {{
        "initial" : {{
          "editTweetIds" : [
            "{post_id}"
          ],
          "editableUntil" : "{editable}.{time_ms % 1000:03d}Z",
          "editsRemaining" : "5",
          "isEditEligible" : {eligible}
        }}
      }},
      "retweeted" : false,
      "source" : "{source}",
      "entities" : {{
{_entities(mentions, hashtags, urls, media)}
      }},
      "display_text_range" : {_range("      ", 0, len(text))},
      "favorite_count" : "{favourites}",
{parent_str}      "id_str" : "{post_id}",
{user}      "truncated" : false,
      "retweet_count" : "{rng.getrandbits(4)}",
      "id" : "{post_id}",
{parent_id}{sensitive}      "created_at" : "{created}",
      "favorited" : false,
      "full_text" : "{escaped}",
      "lang" : "{language}"{user_str}{extended}
    }}
  }}"""


def _parent(post_id: int, earlier_ms: int) -> int:
    """The id of a post that was written so much earlier."""
    parent = post_id - (earlier_ms << 22)
    return parent if parent > _LAST_EARLY_ID else _early_id(time_of(post_id) - earlier_ms)


def _reply_members(kind: str, person: Person, parent: int) -> tuple[str, str, str, str]:
    """Give the four members a reply has; X scatters them among the others."""
    if kind not in ("reply", "mention_reply"):
        return "", "", "", ""
    user_id, handle, _ = person
    user = f'      "in_reply_to_user_id" : "{user_id}",\n'
    user_str = (
        f',\n      "in_reply_to_screen_name" : "{handle}",\n      "in_reply_to_user_id_str" : "{user_id}"'
    )
    if kind == "mention_reply":
        return "", user, "", user_str
    parent_str = f'      "in_reply_to_status_id_str" : "{parent}",\n'
    return parent_str, user, f'      "in_reply_to_status_id" : "{parent}",\n', user_str


def _entities(mentions: list[str], hashtags: list[str], urls: list[str], media: str) -> str:
    """Give the entities' members; X orders them differently where there are pictures."""
    if not media:
        return (
            f'        "hashtags" : {_list(hashtags)},\n        "symbols" : [ ],\n'
            f'        "user_mentions" : {_list(mentions)},\n        "urls" : {_list(urls)}'
        )
    first = media.split("\n          },\n", 1)[0]
    first = first if first.endswith("\n          }") else first + "\n          }"
    return (
        f'        "user_mentions" : {_list(mentions)},\n        "urls" : {_list(urls)},\n'
        f'        "symbols" : [ ],\n        "media" : {_list([first])},\n'
        f'        "hashtags" : {_list(hashtags)}'
    )


def _hashtag(tag: str, start: int) -> str:
    return (
        f'          {{\n            "text" : "{tag}",\n'
        f'            "indices" : {_range("            ", start, start + len(tag) + 1)}\n          }}'
    )


def _url(code: str, page: str, start: int) -> str:
    return (
        f'          {{\n            "url" : "https://t.co/{code}",\n'
        f'            "expanded_url" : "https://www.{page}.example/news/{page}-{code[:6]}/latest-updates?ref={code}",\n'
        f'            "display_url" : "{page}.example/news/{code[:6]}",\n'
        f'            "indices" : {_range("            ", start, start + 23)}\n          }}'
    )


def _media_item(media_id: int, post_id: int, number: int, code: str, name: str, start: int) -> str:
    file_url = f"pbs.twimg.com/media/{name}AAx{number}.jpg"
    return f"""          {{
            "expanded_url" : "https://twitter.com/{HANDLE}/status/{post_id}/photo/{number}",
            "indices" : {_range("            ", start, start + 23)},
            "url" : "https://t.co/{code}",
            "media_url" : "http://{file_url}",
            "id_str" : "{media_id}",
            "id" : "{media_id}",
            "media_url_https" : "https://{file_url}",
            "sizes" : {{
{_SIZES_JSON}
            }},
            "type" : "photo",
            "display_url" : "pic.twitter.com/{code}"
          }}"""
