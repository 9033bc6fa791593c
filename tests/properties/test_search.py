"""What a search finds is what reading every record, one after the other, would find."""

import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import Stemmer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archiver.errors import UsageError
from archiver.records import Message, Moderation, Post
from archiver.search.language import parse_query
from archiver.search.run import Hit, Searcher
from archiver.search.sql.statement import Order
from archiver.vault import Vault
from tests.made_vaults import ACCOUNT, HANDLES, IN_MEMORY, OTHER_ACCOUNT, Made, VaultMaker, message, post

WORDS = ["flood", "flooding", "Flooded", "road", "ROADS", "café", "Cafe", "CAFÉS", "a", "42", "don't", "x_y"]
GLUE = [" ", "  ", "\n", ", ", "-", "_", ".", " #", " @", "/", "… ", " 🚓 ", "'"]
SEARCHED = [
    "flood",
    "FLOODING",
    "road",
    "roads",
    "cafe",
    "café",
    "a",
    "42",
    "don't",
    "x",
    "y",
    "t",
    "nothere",
]
DAY_MS = 86_400_000
ALL = "since:1970"


class Asked(NamedTuple):
    """One word or phrase of a query, as a person means it."""

    words: tuple[str, ...]
    prefix: bool

    def written(self) -> str:
        if len(self.words) > 1:
            return '"' + " ".join(self.words) + '"'
        return self.words[0] + ("*" if self.prefix else "")


class Question(NamedTuple):
    groups: tuple[tuple[Asked, ...], ...]
    excluded: tuple[Asked, ...]
    filters: tuple[str, ...]

    def written(self) -> str:
        """An empty search is refused, so that all is asked for."""
        parts = [" OR ".join(one.written() for one in group) for group in self.groups]
        return " ".join([*parts, *(f"-{one.written()}" for one in self.excluded), *self.filters]) or ALL


def tokens(text: str | None) -> list[str]:
    """A text's words, without case and accents: letters and digits, nothing else."""
    words = [""]
    for character in unicodedata.normalize("NFD", text or ""):
        if character.isalnum():
            words[-1] += character.lower()
        elif not unicodedata.combining(character):
            words.append("")
    return [word for word in words if word]


stem = Stemmer.Stemmer("english").stemWord


def contains(columns: list[list[str]], asked: Asked) -> bool:
    """Whether the words stand one after the other in one of the columns; of a single word any form."""
    wanted = [token for word in asked.words for token in tokens(word)]
    if len(wanted) == len(asked.words) == 1 and not asked.prefix:
        return any(stem(token) == stem(wanted[0]) for words in columns for token in words)
    for words in columns:
        for start in range(len(words) - len(wanted) + 1):
            found = words[start : start + len(wanted)]
            if found[:-1] == wanted[:-1] and (
                found[-1].startswith(wanted[-1]) if asked.prefix else found[-1] == wanted[-1]
            ):
                return True
    return False


def matches(record: Post | Message, question: Question) -> bool:
    columns = [tokens(record.text)]
    if isinstance(record, Post):
        columns.append(tokens("\n".join(one.alt_text or "" for one in record.media)))
    return (
        all(any(contains(columns, asked) for asked in group) for group in question.groups)
        and not any(contains(columns, asked) for asked in question.excluded)
        and all(passes(record, one) for one in question.filters)
    )


def passes(record: Post | Message, condition: str) -> bool:
    negated = condition.startswith("-")
    name, _, value = condition.removeprefix("-").partition(":")
    kind = "message" if isinstance(record, Message) else record.kind
    author = record.sender_id if isinstance(record, Message) else record.author_id
    held = {  # the only days asked for are those of `filters`
        "kind": kind == value,
        "account": record.account == value,
        "from": author == value,
        "since": record.posted_ms >= 2 * DAY_MS,
        "until": record.posted_ms < 4 * DAY_MS,
    }[name]
    return held != negated


def expected(segments: list[list[Made]], question: Question) -> list[tuple[str, int, int, bool]]:
    """(id, version, versions, superseded) of every record's newest version that matches, oldest first."""
    records: dict[tuple[str, str, str], list[Made]] = {}
    for made in (one for segment in segments for one in segment):
        record = made.record
        assert isinstance(record, Post | Message)
        key = record.record_id if isinstance(record, Post) else record.platform_id
        records.setdefault((type(record).__name__, record.account, key), []).append(made)
    found = []
    for versions in records.values():
        ages = {(one.record.posted_ms, one.version): one for one in versions}
        matching = [age for age, one in ages.items() if matches(one.record, question)]
        if matching:
            best = ages[max(matching)]
            taken = max(abs(one.version) for one in versions)
            superseded = max(ages) > max(matching)
            found.append((max(matching), best.record.platform_id, best.version, taken, superseded))
    return [one[1:] for one in sorted(found)]


# Corpora and questions

texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GLUE)), max_size=8).map(
    lambda pairs: "".join(word + glue for word, glue in pairs)
)
asked = st.builds(
    Asked, st.lists(st.sampled_from(SEARCHED), min_size=1, max_size=3).map(tuple), st.booleans()
).map(lambda one: one._replace(prefix=one.prefix and len(one.words) == 1))
filters = st.sampled_from(
    [
        *("kind:post", "kind:reply", "kind:message", "-kind:message", "-kind:reply"),
        *(f"account:{ACCOUNT}", f"-account:{ACCOUNT}", f"from:{ACCOUNT}", "from:9", "-from:9"),
        *("since:1970-01-03", "until:1970-01-04"),
    ]
)
questions = st.builds(
    Question,
    st.lists(st.lists(asked, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple),
    st.lists(asked, max_size=2).map(tuple),
    st.one_of(st.just(()), st.tuples(filters)),
)


class Shape(NamedTuple):
    """A record to be made: its texts are its versions'."""

    kind: str
    texts: list[str]
    edits: bool
    late: bool
    """Its last version came from an older export than the one before."""
    account: str
    minutes: int


shapes = st.builds(
    Shape,
    st.sampled_from(["post", "reply", "message"]),
    st.lists(texts, min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
    st.sampled_from([ACCOUNT, OTHER_ACCOUNT]),
    st.integers(0, 90),
)


def made_from(shapes: list[Shape], places: list[int], segments: int) -> list[list[Made]]:
    """Versions of each record in segments: an edit is a post of its own, a change keeps time and id."""
    corpus: list[list[Made]] = [[] for _ in range(segments)]
    for number, shape in enumerate(shapes):
        posted = (number * 7919 % 97) * 3_600_000 + number
        place = places[number % len(places)]
        for index, text in enumerate(shape.texts):
            own = f"{number}" if index == 0 or not shape.edits else f"{number}9{index}"
            when = posted + (index * shape.minutes * 60_000 if shape.edits else 0)
            if shape.kind == "message":
                record: Post | Message = message(str(number), text, posted, account=shape.account)
            else:
                record = post(
                    own, text, when, record_id=str(number), kind=shape.kind, account=shape.account,
                    author_id=shape.account, author_handle=HANDLES[shape.account],
                )  # fmt: skip
            late = shape.late and index and not shape.edits and index + 1 == len(shape.texts)
            corpus[(place + index) % segments].append(Made(record, -index - 1 if late else index + 1))
    return corpus


@contextmanager
def sealed(segments: list[list[Made]], *, is_far: bool = False) -> Iterator[Searcher]:
    """Two archives that hold the segments, opened for searching in a folder or by requests."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        maker = VaultMaker(Path(folder) / "vault", is_far=is_far)
        half = (len(segments) + 1) // 2
        maker.add("2026-01-01", *segments[:half])
        if segments[half:]:
            maker.add("2026-02-01", *segments[half:])
        with closing(maker.searcher()) as searcher:
            yield searcher


@contextmanager
def near_and_far(
    maker: VaultMaker, spooled: Sequence[Moderation] = ()
) -> Iterator[tuple[Searcher, Searcher]]:
    """The same vault opened twice: in its folder, and by requests."""
    vaults = Vault(maker.store), Vault(maker.far_store())
    near, far = (
        Searcher(vault, vault.list_archives().require_sound(), [maker.holder], spooled=spooled)
        for vault in vaults
    )
    with closing(near), closing(far):
        yield near, far


def require_same(near: Searcher, far: Searcher, text: str, limits: Iterable[int]) -> None:
    """Whatever is asked, both find the same, in the same order, with the same scores."""
    query = parse_query(text)
    orders: list[Order] = ["newest", "oldest"]
    for order in [*orders, "relevance"] if query.has_words else orders:
        for limit in limits:
            found, wanted = (one.search(query, order=order, limit=limit) for one in (far, near))
            assert found == wanted, (text, order, limit)


def shown(hits: list[Hit]) -> list[tuple[str, int, int, bool]]:
    return [(hit.id, hit.version, hit.versions, hit.superseded) for hit in hits]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(shapes, max_size=25),
    st.lists(st.integers(0, 3), min_size=1, max_size=10),
    st.integers(1, 4),
    st.lists(questions, min_size=1, max_size=8),
    st.integers(1, 6),
    st.booleans(),
)
def test_a_search_finds_what_reading_everything_finds(
    shapes: list[Shape], places: list[int], count: int, questions: list[Question], limit: int, is_far: bool
) -> None:
    corpus = made_from(shapes, places, count)
    with sealed(corpus, is_far=is_far) as searcher:
        for question in questions:
            query = parse_query(question.written())
            found = expected(corpus, question)
            everything = searcher.search(query, order="oldest", limit=0)
            assert shown(everything.hits) == found, question.written()
            assert not everything.more
            for order, wanted in (("oldest", found), ("newest", found[::-1])):
                result = searcher.search(query, order=order, limit=limit)
                assert shown(result.hits) == wanted[:limit], (order, question.written())
                assert result.more == (len(found) > limit)
            if question.groups:
                ranked = searcher.search(query, order="relevance", limit=0)
                assert sorted(shown(ranked.hits)) == sorted(found)
                scores = [hit.score for hit in ranked.hits]
                assert scores == sorted(scores)
                few = searcher.search(query, order="relevance", limit=limit)
                assert [hit.score for hit in few.hits] == scores[:limit]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(shapes, max_size=25),
    st.lists(st.integers(0, 3), min_size=1, max_size=10),
    st.integers(1, 4),
    st.lists(questions, min_size=1, max_size=6),
    st.integers(1, 6),
)
def test_near_and_far_the_same_is_found(
    shapes: list[Shape], places: list[int], count: int, questions: list[Question], limit: int
) -> None:
    corpus = made_from(shapes, places, count)
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        maker = VaultMaker(Path(folder) / "vault")
        for number, segment in enumerate(corpus):
            maker.add(f"2026-01-{number + 1:02d}", segment)
        with near_and_far(maker) as (near, far):
            for question in questions:
                require_same(near, far, question.written(), (limit, 0))
                require_same(near, far, " ".join(question.filters) or ALL, (limit,))
                require_same(near, far, f"{ALL} {question.written()}", (0,))


@pytest.fixture(scope="module")
def searcher() -> Iterator[Searcher]:
    corpus = [[Made(post("1", "flooding on the road", 1)), Made(message("2", "a café", 2))]]
    with sealed(corpus) as opened:
        yield opened


@settings(max_examples=300)
@given(st.text(max_size=60), st.sampled_from(["newest", "oldest", "relevance"]))
@example('"" OR', "newest")
@example("a\0b", "newest")
@example("a\udcff", "newest")
@example("\U00016fe0 a", "relevance")
@example('"' + "a-" * 5000 + '"', "newest")
@example("kind:like -from:\udcff", "newest")
@example("NEAR/2 AND NOT ( a) * ^a a:b", "newest")
@example("from:\"a'; DROP TABLE post; --\" account:'", "newest")
@example("since:0000", "newest")
@example("until:9999-12-31", "newest")
@example("since:٢٠٢٦", "newest")
@example(" ".join(["a"] * 5000), "newest")
@example(" OR ".join(["a"] * 5000), "newest")
@example(" ".join(f"-a{number}" for number in range(5000)), "newest")
@example(" ".join(f"account:{number}" for number in range(5000)), "newest")
def test_any_text_is_a_search_or_is_refused_in_a_sentence(searcher: Searcher, text: str, order: str) -> None:
    try:
        query = parse_query(text)
    except UsageError:
        return
    for hit in searcher.search(query, order=order, limit=3).hits:
        assert hit.id in ("1", "2")


operators = st.sampled_from(
    ["from:", "account:", "kind:", "since:", "until:", "-", "OR ", '"', "*", ":", "", " "]
)


@settings(max_examples=200)
@given(st.lists(st.tuples(operators, st.sampled_from([*SEARCHED, "post", "2026", "😀", "é"])), max_size=10))
def test_operators_in_any_order_are_a_search_or_are_refused_in_a_sentence(
    searcher: Searcher, pieces: list[tuple[str, str]]
) -> None:
    test_any_text = test_any_text_is_a_search_or_is_refused_in_a_sentence.hypothesis.inner_test  # type: ignore[attr-defined]
    test_any_text(searcher, " ".join(operator + word for operator, word in pieces), "newest")
