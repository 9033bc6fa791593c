"""The queries of the monthly vaults: words of every frequency, and everything the language has.

The words of a post are drawn one by one, so any two of the common ones stand beside each other somewhere.
"""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bench.monthly import Months
from bench.monthly_peer import ALL, Times
from bench.words import query_words, vocabulary
from bench.x_posts import HANDLE

WORDS = 20
LONDON = ZoneInfo("Europe/London")
COMMONEST = vocabulary()[0]
EVERYTHING = "since:2006"
LACKING = "*zzzzzzzz*"
RARE_PART = "*aickplouck*"
"""All of one of the rarest words but its beginning: in no other, whatever accents."""


class Question(NamedTuple):
    """A query. `peer`: the same in FTS5's language, None where it has no words for it; `times`: what it says
    of times."""

    text: str
    peer: str | None = None
    times: Times = ALL


def queries(middle: tuple[int, int]) -> list[Question]:
    """Forty queries: twenty words from rarest to commonest, twenty with the language. `middle`: a year and
    month within the vault."""
    words = [Question(word, f'"{word}"') for word in query_words(WORDS)]
    return words + _phrases_and_operators() + _dates(middle) + _fields()


def _phrases_and_operators() -> list[Question]:
    some, rarer, rarest = vocabulary()[299], vocabulary()[2_999], vocabulary()[9_999]
    return [
        Question('"to the"', '"to the"'),
        Question('"police have"', '"police have"'),
        Question('"of the police"', '"of the police"'),
        Question("police crime", "police AND crime"),
        Question(f"{COMMONEST} {rarest}", f'{COMMONEST} AND "{rarest}"'),
        Question(f"{rarer} OR {rarest}", f'"{rarer}" OR "{rarest}"'),
        Question("(crime OR police) school", "(crime OR police) AND school"),
        Question(f"police -{COMMONEST}", f"police NOT {COMMONEST}"),
        Question(f"{some} NOT to", f'"{some}" NOT to'),
        Question("plour*", "plour*"),
        Question("re*", "re*"),
        Question("police NEAR/5 crime", "NEAR(police crime, 5)"),
    ]


def _dates(middle: tuple[int, int]) -> list[Question]:
    year, month = middle
    name, times = f"{year}-{month:02}", Times(first_of(middle), first_of(next_month(middle)))
    return [
        Question(f"police since:{name} until:{name}", "police", times),
        Question(f"{COMMONEST} until:{name}", COMMONEST, Times(0, times.until)),
    ]


def _fields() -> list[Question]:
    return [
        Question(f"from:{HANDLE} street"),
        Question("#police"),
        Question("has:image school"),
        Question("is:reply police"),
        Question("url:police.example"),
        Question("-is:repost has:link night -police"),
    ]


def first_of(month: tuple[int, int]) -> int:
    """A month's first millisecond, in UK time."""
    return int(datetime(*month, 1, tzinfo=LONDON).timestamp()) * 1000


def next_month(month: tuple[int, int]) -> tuple[int, int]:
    year, number = month
    return (year + number // 12, number % 12 + 1)


def month_bounds(months: Months) -> list[int]:
    """The first milliseconds of all months of a vault, of one more, as UK time may be ahead of UTC, and of
    the one after that."""
    month, bounds = months.first, []
    for _ in range(months.archives + 2):
        bounds.append(first_of(month))
        month = next_month(month)
    return bounds
