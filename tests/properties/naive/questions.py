"""Queries made up from what records say: each as it is typed, and as the tree that it means.

The tree is made here beside the text, not by the program's parser. A question is known by its seed and
number: its words are people's words, and are never printed."""

import random
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unicodedata import category, name

from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Part, Span, Words
from tests.properties.naive.records import Person
from tests.properties.naive.scan import UK, Scan
from tests.properties.naive.words import cut, fold

NOWHERE = Span(0, 0)
KINDS = ("post", "reply", "repost", "quote", "message", "like", "follower")
ENDINGS = ("s", "ed", "ing", "er", "ly", "")
_TYPED = re.compile(r"[^\W_]+")
"""A word as a person types it: in its own case, with its accents."""
_NO_QUOTES = dict.fromkeys(map(ord, '"“”„‟«»'), " ")
_NO_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
"""How Unicode's names of letters begin whose scripts put no spaces between words."""


class Question(NamedTuple):
    """What is typed, and what it means."""

    text: str
    root: Node


class Asker:
    """Makes questions about the records of a scan, always the same ones for a seed."""

    def __init__(self, scan: Scan, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - made-up questions
        self._readable = [one for one in scan.readable if one.version.kind not in ("follower", "following")]
        self._about = self._readable[0]

    def question(self) -> Question:
        """One more question, mostly about a record that there is."""
        self._about = self._rng.choice(self._readable)
        parts = [self._node(2) for _ in range(self._rng.choice((1, 1, 1, 2, 2, 3)))]
        if self._rng.random() < 0.25:
            parts.append(self._not(self._node(1)))
        return self._all(parts)

    def _not(self, one: Question) -> Question:
        """All but that; a time is never left out."""
        if isinstance(one.root, Filter) and one.root.field in ("since", "until"):
            one = self._word()
        return Question(self._rng.choice(("-", "NOT ")) + _closed(one), Not(one.root, NOWHERE))

    def about_people(self) -> list[Question]:
        """What somebody wrote and what was written to them, for a few who are named."""
        people = dict.fromkeys(
            (field, one.handle)
            for readable in self._readable
            for field, some in (("from", (readable.version.author,)), ("to", readable.version.to))
            for one in some
            if one and one.handle
        )
        asked = self._rng.sample(list(people), min(2, len(people)))
        return [Question(f"{field}:{name}", Filter(field, name or "", NOWHERE)) for field, name in asked]

    def _node(self, depth: int) -> Question:
        if depth == 0 or self._rng.random() < 0.55:
            return self._leaf()
        parts = [self._node(depth - 1) for _ in range(self._rng.randint(2, 3))]
        if self._rng.random() < 0.5:
            if self._rng.random() < 0.1:
                parts[-1] = self._not(self._leaf())
            return Question(" OR ".join(_closed(one) for one in parts), Or(tuple(one.root for one in parts)))
        if self._rng.random() < 0.3:
            parts.append(self._not(self._leaf()))
        return self._all(parts)

    def _all(self, parts: Sequence[Question]) -> Question:
        """All of them, in the order given."""
        if len(parts) == 1:
            return parts[0]
        texts = [f"({one.text})" if isinstance(one.root, And) else one.text for one in parts]
        return Question(
            self._rng.choice((" ", " ", " AND ")).join(
                f"({one})" if isinstance(part.root, Or) else one
                for one, part in zip(texts, parts, strict=True)
            ),
            And(tuple(one.root for one in parts)),
        )

    def _leaf(self) -> Question:
        if self._rng.random() < 0.12:  # of any record, so that not all questions have an answer
            self._about = self._rng.choice(self._readable)
        makes = (
            *[self._word] * 6, self._other_form, *[self._phrase] * 2, self._exact, self._prefix, self._near,
            self._part, self._symbols, self._misspelt, *[self._field] * 7,
        )  # fmt: skip
        return self._rng.choice(makes)()

    # Words

    def _typed(self) -> str:
        """A word of the text asked about; one that nothing holds where that has none."""
        text = self._rng.choice(self._about.version.texts or ("",))
        words = [one for one in _TYPED.findall(text) if _is_word(one)]
        return self._rng.choice(words) if words else "nothing"

    def _word(self) -> Question:
        typed = self._typed()
        typed = self._rng.choice((typed, typed.upper(), cut(typed)[0]))
        if typed in ("OR", "AND", "NOT", "NEAR"):
            typed = typed.lower()
        return Question(typed, Words(cut(typed), NOWHERE))

    def _other_form(self) -> Question:
        word = cut(self._typed())[0] + self._rng.choice(ENDINGS)
        return Question(word, Words((word,), NOWHERE))

    def _exact(self) -> Question:
        word = self._typed()
        return Question(f'"{word}"', Words(cut(word), NOWHERE, exact=True))

    def _phrase(self) -> Question:
        """Words that follow each other, as they stand with what is between."""
        text = self._rng.choice(self._about.version.texts or ("",)).translate(_NO_QUOTES)
        places = list(_TYPED.finditer(text))
        length = self._rng.randint(2, 4)
        if len(places) < length:
            return self._exact()
        first = self._rng.randrange(len(places) - length + 1)
        typed = text[places[first].start() : places[first + length - 1].end()]
        if _has_no_spaces(typed) or "*" in typed or len(cut(typed)) < 2:
            return self._exact()
        return Question(f'"{typed}"', Words(cut(typed), NOWHERE, exact=True))

    def _prefix(self) -> Question:
        word = cut(self._typed())[0]
        begun = word[: self._rng.randint(min(2, len(word)), len(word))]
        return Question(f"{begun}*", Words((begun,), NOWHERE, prefix=True))

    def _near(self) -> Question:
        parts = [self._rng.choice((self._word, self._word, self._exact))() for _ in range(2)]
        distance = self._rng.choice((1, 2, 5, 10))
        roots = tuple(one.root for one in parts if isinstance(one.root, Words))
        return Question(f" NEAR/{distance} ".join(one.text for one in parts), Near(roots, distance, NOWHERE))

    def _misspelt(self) -> Question:
        word = cut(self._typed())[0]
        at = self._rng.randrange(len(word))
        wrong = self._rng.choice((word[:at] + word[at + 1 :], word[:at] + "x" + word[at:], word)) or word
        return Question(f"{wrong}~1", Words((wrong,), NOWHERE, edits=1))

    def _symbols(self) -> Question:
        """A picture, or a run of letters of a script without spaces."""
        text = self._rng.choice(self._about.version.texts or ("",)).translate(_NO_QUOTES)
        runs = re.findall(r"[^\w\s!-~]+|\w+", text)
        some = [one for one in runs if _has_no_spaces(one) or category(one[0]) == "So"]
        some = [one for one in some if fold(one)]
        if not some:
            return self._part()
        typed = self._rng.choice(some)
        return Question(typed, Part(fold(typed), NOWHERE))

    def _part(self) -> Question:
        word = fold(self._typed())
        at = self._rng.randrange(max(1, len(word) - 2))
        piece = word[at : at + self._rng.randint(2, 5)]
        return Question(f"*{piece}*", Part(piece, NOWHERE))

    # Fields

    def _field(self) -> Question:
        makes: list[Callable[[], tuple[str, str | int, str] | None]] = [
            self._account, self._platform, *[self._author] * 2, *[self._to] * 2, self._mention, self._tag,
            self._url, self._language, self._client, self._kind, self._has, *[self._is] * 2, self._since,
            self._until, self._id, self._conversation,
        ]  # fmt: skip
        while (made := self._rng.choice(makes)()) is None:
            pass
        field, value, typed = made
        return Question(typed, Filter(field, value, NOWHERE))

    def _person(self, field: str, somebody: Person | None) -> tuple[str, str, str] | None:
        names = [one for one in (somebody.id, somebody.handle) if one] if somebody else []
        if not names:
            return None
        name = self._rng.choice(names)
        at = "@" if name == (somebody and somebody.handle) and self._rng.random() < 0.3 else ""
        return field, name, f"{field}:{at}{name}"

    def _author(self) -> tuple[str, str, str] | None:
        return self._person("from", self._about.version.author)

    def _account(self) -> tuple[str, str, str] | None:
        return self._person("account", self._about.record.account)

    def _platform(self) -> tuple[str, str, str]:
        return "platform", "x", "platform:X"

    def _to(self) -> tuple[str, str, str] | None:
        return self._person("to", self._any(self._about.version.to))

    def _mention(self) -> tuple[str, str, str] | None:
        return self._person("mention", self._any(self._about.version.mentions))

    def _any(self, some: Sequence[Any]) -> Any:
        return self._rng.choice(some) if some else None

    def _tag(self) -> tuple[str, str, str] | None:
        tag = self._any(self._about.version.tags)
        return tag and ("tag", fold(tag), f"#{tag}")

    def _url(self) -> tuple[str, str, str] | None:
        """A domain, or with the beginning of the path."""
        address = self._any(self._about.version.links)
        if not address or len(parts := address.split("//", 1)) < 2:
            return None
        value = re.split(r"[?#\s\"()*]", parts[1])[0].rstrip("/")
        domain, slash, path = value.removeprefix("www.").partition("/")
        value = self._rng.choice((f"{domain}{slash}{path}", domain, f"/{path}" if path else domain))
        return "url", value, f"url:{value}"

    def _language(self) -> tuple[str, str, str] | None:
        language = self._about.version.language
        return language and ("lang", language, f"lang:{language}")

    def _client(self) -> tuple[str, str, str] | None:
        client = self._about.version.client
        return ("client", fold(client), f'client:"{client}"') if client and '"' not in client else None

    def _kind(self) -> tuple[str, str, str]:
        kind = self._rng.choice((*KINDS, *[self._about.version.kind] * len(KINDS)))
        return "kind", kind, f"kind:{kind}"

    def _has(self) -> tuple[str, str, str]:
        value = self._rng.choice(("media", "image", "video", "link", "alt"))
        return "has", value, f"has:{value}"

    def _is(self) -> tuple[str, str, str]:
        value = self._rng.choice(("reply", "repost", "quote", "deleted", "edited", "moderated"))
        return "is", value, f"is:{value}"

    def _since(self) -> tuple[str, int, str]:
        typed, first, _ = self._day()
        return "since", first, f"since:{typed}"

    def _until(self) -> tuple[str, int, str]:
        typed, _, after = self._day()
        return "until", after, f"until:{typed}"

    def _day(self) -> tuple[str, int, int]:
        """A day, month or year in UK time near a record's, its first millisecond and the one after it."""
        moment = datetime.fromtimestamp(self._about.version.posted_ms / 1000, UTC).astimezone(UK)
        first = moment.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        first += timedelta(self._rng.choice((0, 0, -1, 1)))
        form = self._rng.choice(("%Y-%m-%d", "%d/%m/%Y", "%Y-%m", "%Y"))
        if form == "%Y-%m":
            first = first.replace(day=1)
            after = (first + timedelta(32)).replace(day=1)
        elif form == "%Y":
            first = first.replace(month=1, day=1)
            after = first.replace(year=first.year + 1)
        else:
            after = first + timedelta(1)
        return first.strftime(form), _milliseconds(first), _milliseconds(after)

    def _id(self) -> tuple[str, str, str]:
        value = self._rng.choice((self._about.version.id, self._about.record.key))
        return "id", value, f"id:{value}"

    def _conversation(self) -> tuple[str, str, str] | None:
        value = self._about.version.conversation
        return value and ("conversation", value, f"conversation:{value}")


def _milliseconds(local: datetime) -> int:
    """Of a time of day in the UK."""
    return int(local.replace(tzinfo=UK).timestamp()) * 1000


def _closed(one: Question) -> str:
    """In parentheses where it is more than one thing."""
    return f"({one.text})" if isinstance(one.root, And | Or | Near) else one.text


def _has_no_spaces(text: str) -> bool:
    return any(name(sign, "").startswith(_NO_SPACES) for sign in text)


def _is_word(typed: str) -> bool:
    """Whether it is one word that has forms: no operator, no number, of a script with spaces."""
    is_operator = typed in ("OR", "AND", "NOT", "NEAR")
    has_digit = any(sign.isdigit() for sign in typed)
    return len(cut(typed)) == 1 and not is_operator and not has_digit and not _has_no_spaces(typed)
