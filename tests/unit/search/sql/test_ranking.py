"""Relevance: every score is what `rank_bm25` gives for numbers counted over the whole vault, one by one."""

import struct
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
import Stemmer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlite_fts4 import rank_bm25  # type: ignore[import-untyped]  # the package has no types

from archiver.records import MediaReference, Message, Post
from archiver.search.language import parse_query
from archiver.search.sql.ranking import Counts, Rankings, added, totals_of
from archiver.search.words import cut
from tests.made_vaults import DAY_MS, IN_MEMORY, Made, VaultMaker, message, post
from tests.properties.test_search import near_and_far

VOCABULARY = ["flood", "floods", "flooding", "road", "roads", "closed", "close", "café", "42"]


class Phrase(NamedTuple):
    tokens: tuple[str, ...]
    prefix: bool = False

    def count(self, words: Sequence[str]) -> int:
        """How often it stands in a text."""
        number = 0
        for start in range(len(words) - len(self.tokens) + 1):
            found = tuple(words[start : start + len(self.tokens)])
            last = found[-1].startswith(self.tokens[-1]) if self.prefix else found[-1] == self.tokens[-1]
            number += found[:-1] == self.tokens[:-1] and last
        return number


class Leaf(NamedTuple):
    written: str
    tokens: tuple[str, ...]
    prefix: bool = False
    has_forms: bool = False

    def phrases(self, vocabulary: set[str]) -> list[Phrase]:
        own = [Phrase(self.tokens, self.prefix)]
        if not self.has_forms:
            return own
        stem = Stemmer.Stemmer("english").stemWord
        (word,) = self.tokens
        return own + [Phrase((one,)) for one in sorted(vocabulary) if one != word and stem(one) == stem(word)]


class Asked(NamedTuple):
    groups: tuple[tuple[Leaf, ...], ...]
    excluded: tuple[Leaf, ...]

    def written(self) -> str:
        parts = [" OR ".join(leaf.written for leaf in group) for group in self.groups]
        return " ".join([*parts, *(f"-{leaf.written}" for leaf in self.excluded)])


class Row(NamedTuple):
    id: str
    columns: list[tuple[str, ...]]


def rows_of(records: Sequence[Post | Message], kind: type[Post] | type[Message]) -> list[Row]:
    rows = []
    for record in records:
        if isinstance(record, kind):
            columns = [cut(record.text)]
            if isinstance(record, Post):
                columns.append(cut("\n".join(one.alt_text or "" for one in record.media)))
            rows.append(Row(record.platform_id, columns))
    return rows


def naive_scores(rows: Sequence[Row], vocabulary: set[str], asked: Asked) -> dict[str, float]:
    """By id, of one table's rows over all segments: matchinfo 'pcnalx' packed anew for each hit."""
    groups = [[leaf.phrases(vocabulary) for leaf in group] for group in asked.groups]
    phrases = [phrase for group in groups for leaf in group for phrase in leaf]
    excluded = [phrase for leaf in asked.excluded for phrase in leaf.phrases(vocabulary)]
    columns = len(rows[0].columns) if rows else 0
    counted = {row.id: [[phrase.count(words) for words in row.columns] for phrase in phrases] for row in rows}
    averages = [
        int(sum(len(row.columns[column]) for row in rows) / len(rows) + 0.5) for column in range(columns)
    ]
    scores = {}
    for row in rows:
        is_hit = all(
            any(phrase.count(words) for leaf in group for phrase in leaf for words in row.columns)
            for group in groups
        ) and not any(phrase.count(words) for phrase in excluded for words in row.columns)
        if not is_hit:
            continue
        numbers = [len(phrases), columns, len(rows), *averages, *map(len, row.columns)]
        for number, own in enumerate(counted[row.id]):
            for column in range(columns):
                every = [some[number][column] for some in counted.values()]
                numbers += [own[column], sum(every), sum(map(bool, every))]
        scores[row.id] = rank_bm25(struct.pack(f"={len(numbers)}I", *numbers))
    return scores


words = st.sampled_from(VOCABULARY)
texts = st.lists(words, max_size=7).map(" ".join)
leaves = st.one_of(
    words.map(lambda one: Leaf(one, cut(one), has_forms=True)),
    words.map(lambda one: Leaf(f'"{one}"', cut(one))),
    st.lists(words, min_size=2, max_size=3).map(
        lambda some: Leaf(f'"{" ".join(some)}"', cut(" ".join(some)))
    ),
    st.sampled_from(["flo", "clos", "4", "nothere"]).map(lambda one: Leaf(f"{one}*", (one,), prefix=True)),
)  # fmt: skip
asked = st.builds(
    Asked,
    st.lists(st.lists(leaves, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple),
    st.lists(leaves, max_size=1).map(tuple),
)
FORMS = Asked(((Leaf("flood", ("flood",), has_forms=True),),), (Leaf('"road"', ("road",)),))


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.lists(st.tuples(texts, st.none() | texts), max_size=6), min_size=1, max_size=4),
    st.lists(asked, min_size=1, max_size=5),
)
@example(
    [[("flood one", None)], [("flooding floods", "road"), ("floods", None)], [("closed", None)]], [FORMS]
)
def test_every_score_is_that_of_numbers_counted_over_the_whole_vault(
    archives: list[list[tuple[str, str | None]]], questions: list[Asked]
) -> None:
    """Each archive has its posts and as many messages; not every archive has every form of a word."""
    everything: list[Post | Message] = []
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        maker = VaultMaker(Path(folder) / "vault")
        for number, some in enumerate(archives):
            records: list[Post | Message] = []
            for text, alt in some:
                key = len(everything) + len(records)
                media = () if alt is None else (MediaReference(None, "photo", "u", "n", alt),)
                records.append(post(f"p{key}", text, key * DAY_MS, media=media))
                records.append(message(f"m{key}", f"{alt or ''} {text}", key * DAY_MS))
            maker.add(f"2026-01-{number + 1:02d}", records)
            everything += records
        vocabulary = {
            word for kind in (Post, Message) for row in rows_of(everything, kind)
            for some in row.columns for word in some
        }  # fmt: skip
        with near_and_far(maker) as searchers:
            for question in questions:
                expected = naive_scores(rows_of(everything, Post), vocabulary, question)
                expected |= naive_scores(rows_of(everything, Message), vocabulary, question)
                for searcher in searchers:
                    hits = searcher.search(parse_query(question.written()), order="relevance", limit=0).hits
                    assert {hit.id: hit.score for hit in hits} == expected, question.written()


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    """`storm` is in every post of January and in one of February; `match` the other way round."""
    maker = VaultMaker(tmp_path_factory.mktemp("ranking") / "vault")
    for month, (common, rare) in enumerate((("storm", "match"), ("match", "storm"))):
        posts = [post(f"{common}{number}", f"the {common} today", month * 40 * DAY_MS + number)
                 for number in range(9)]  # fmt: skip
        others = [post(f"{month}other{number}", "nothing of it", number) for number in range(20)]
        maker.add(f"2026-0{month + 1}-01", [*posts, *others, post(f"{rare}x", f"the {rare} today", 90)])
    return maker


def test_a_word_that_is_common_in_one_month_weighs_the_same_in_every_month(months: VaultMaker) -> None:
    with closing(months.searcher()) as searcher:
        hits = searcher.search(parse_query("storm OR match"), order="relevance", limit=0).hits
    assert len(hits) == 20
    assert len({hit.score for hit in hits}) == 1
    assert hits[0].score < 0


def test_more_of_the_word_in_less_text_comes_first(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    maker.add("2026-01-01", [post(f"other{number}", "something else entirely") for number in range(9)])
    maker.add("2026-02-01", [post("long", "road " + "filler " * 30, 1), post("short", "road works", 2)])
    maker.add("2026-03-01", [post("often", "road road road", 3)])
    with closing(maker.searcher()) as searcher:
        hits = searcher.search(parse_query("road"), order="relevance").hits
    assert [hit.id for hit in hits] == ["often", "short", "long"]


def test_the_rarer_of_two_words_weighs_more(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    maker.add("2026-01-01", [post(f"other{number}", "something else entirely") for number in range(12)])
    maker.add("2026-02-01", [post(f"news{number}", "police news") for number in range(5)])
    maker.add("2026-03-01", [post("both", "police flood", 1), post("flood", "flood alert today", 2)])
    with closing(maker.searcher()) as searcher:
        hits = searcher.search(parse_query("police OR flood"), order="relevance").hits
    assert [hit.id for hit in hits][:2] == ["both", "flood"]


def test_pages_of_a_ranked_answer_are_the_whole_answer(months: VaultMaker) -> None:
    """Many hits have one score; each stands on one page all the same."""
    query = parse_query("storm OR match OR nothing")
    with closing(months.searcher()) as searcher:
        whole = searcher.search(query, order="relevance", limit=0).hits
        pages, after = [], None
        while True:
            page = searcher.search(query, order="relevance", limit=7, after=after)
            pages += page.hits
            after = page.ends_at
            if not page.more:
                break
    assert pages == whole
    assert len(whole) == 60


def test_the_newest_version_is_ranked_by_what_it_says_itself(tmp_path: Path) -> None:
    """It is not among the best that are looked at, and comes where its own score puts it."""
    maker = VaultMaker(tmp_path / "vault")
    maker.add("2026-01-01", [post("1", "road road road", 5), *(post(f"o{n}", "else", 1) for n in range(9))])
    maker.add("2026-02-01", [Made(post("1", "road " + "filler " * 9, 5), 2), post("2", "road works", 6)])
    with closing(maker.searcher()) as searcher:
        for limit in (1, 2, 0):
            result = searcher.search(parse_query("road"), order="relevance", limit=limit)
            assert [hit.id for hit in result.hits] == ["2", "1"][: limit or 2]
            assert [hit.score for hit in result.hits] == sorted(hit.score for hit in result.hits)
            assert all(hit.score < 0 for hit in result.hits)


def test_numbers_of_segments_that_were_asked_for_different_forms_are_added_by_form() -> None:
    first = totals_of(Counts(5, (10,), (3, 1), (2, 1)), parse_query("a OR b").root)
    second = totals_of(Counts(7, (20,), (4, 2), (4, 1)), parse_query("b OR c").root)
    both = added([first, second])
    assert both is not None
    assert both.counts(parse_query("c OR b OR a OR d").root) == Counts(
        12, (30,), (2, 5, 3, 0), (1, 5, 2, 0)
    )  # fmt: skip
    assert first.counts(parse_query("a").root) == Counts(5, (10,), (3,), (2,))
    assert added([]) is None


def test_equal_numbers_have_one_number_and_others_another() -> None:
    rankings = Rankings()
    numbers = [Counts(1, (2,), (3,), (4,)), Counts(1, (2,), (3,), (5,)), Counts(1, (2,), (3,), (4,))]
    assert [rankings.number_of(one) for one in numbers] == [0, 1, 0]
