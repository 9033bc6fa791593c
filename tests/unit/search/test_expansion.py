"""What is looked for in place of what was typed: the same with a catalogue and without one."""

from collections.abc import Iterator

import pytest

from archiver.errors import UsageError
from archiver.records import Mention
from archiver.search.language import parse_query
from archiver.search.run import Searcher
from archiver.search.sql.statement import Order
from tests.made_vaults import DAY_MS, VaultMaker, message, post
from tests.properties.test_search import near_and_far

TEXTS = [
    ["flood one", "an assault", "nothing of it"],
    ["flooding two", "assaulted twice", "café"],
    ["floods three", "assaults", "cafés and cafe", "flod"],
    ["blood", "floor", "the 2026 plan"],
]


@pytest.fixture(scope="module")
def searchers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Searcher, Searcher]]:
    maker = VaultMaker(tmp_path_factory.mktemp("expansion") / "vault")
    for number, texts in enumerate(TEXTS):
        posts = [post(f"{number}{at}", text, (number * 10 + at) * DAY_MS) for at, text in enumerate(texts)]
        maker.add(f"2026-0{number + 1}-01", posts, [message(f"m{number}", texts[0], number)])
    with near_and_far(maker) as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "also", "ids"),
    [
        ("flood", {"flood": ("flooding", "floods")}, ["20", "10", "00", "m2", "m1", "m0"]),
        ("flooded", {"flooded": ("flood", "flooding", "floods")}, ["20", "10", "00", "m2", "m1", "m0"]),
        ("assault", {"assault": ("assaulted", "assaults")}, ["21", "11", "01"]),
        ('"assault"', {}, ["01"]),
        ("CAFÉ", {"cafe": ("cafes",)}, ["22", "12"]),
        ("flood~1", {"flood": ("blood", "flod", "floods", "floor")},
         ["31", "30", "23", "20", "00", "m3", "m2", "m0"]),
        ("flood* -floods", {"floods": ("flood", "flooding")}, []),
        ("flood NEAR/3 two", {"flood": ("flooding", "floods")}, ["10", "m1"]),
        ("nothere", {}, []),
        ("2026", {}, ["32"]),
    ],
)  # fmt: skip
def test_forms_and_similar_words_are_those_of_all_archives_together(
    searchers: tuple[Searcher, Searcher], query: str, also: dict[str, tuple[str, ...]], ids: list[str]
) -> None:
    orders: tuple[Order, ...] = ("newest", "oldest", "relevance")
    near, far = searchers
    for order in orders:
        found = [one.search(parse_query(query), order=order, limit=0) for one in searchers]
        assert found[0] == found[1]
        assert sorted(hit.id for hit in found[0].hits) == sorted(ids)
    for word, forms in also.items():
        assert set(forms) <= set(near.looked_for().words[word])
    assert far.looked_for().words == near.looked_for().words


def test_all_words_are_exact_where_that_is_asked_for(searchers: tuple[Searcher, Searcher]) -> None:
    for searcher in searchers:
        hits = searcher.search(parse_query("flood", exact=True), limit=0).hits
        assert [hit.id for hit in hits] == ["00", "m0"]


def test_a_word_that_no_archive_has_is_told_with_those_that_are_meant(
    searchers: tuple[Searcher, Searcher],
) -> None:
    near, _ = searchers
    near.search(parse_query("flood"), limit=1)
    suggested = near.suggest(parse_query('assult OR "floood" -2026 flood'))
    assert [form.word for form in suggested["assult"]][:1] == ["assault"]
    assert suggested["floood"][0].word in ("flood", "floods")
    assert set(suggested) == {"assult", "floood"}


def test_an_account_is_found_by_every_handle_it_ever_had(tmp_path_factory: pytest.TempPathFactory) -> None:
    maker = VaultMaker(tmp_path_factory.mktemp("names") / "vault")
    maker.add(
        "2026-01-01",
        [post("1", "a", 1, author_id="9", author_handle=None, mentions=(Mention("9", "OldName", None),))],
    )
    maker.add("2026-02-01", [post("2", "b", 2, author_id="9", author_handle=None),
                             message("3", "c", 3, sender_id="9"),
                             post("4", "d", 4, mentions=(Mention("9", "NewName", None),))])  # fmt: skip
    with near_and_far(maker) as (near, _):
        for name in ("oldname", "@NEWNAME", "9"):
            assert [hit.id for hit in near.search(parse_query(f"from:{name}")).hits] == ["3", "2", "1"]
        assert [hit.id for hit in near.search(parse_query("mention:OldName")).hits] == ["4", "1"]
        assert set(near.looked_for().names["oldname"]) == {"9", "NewName", "OldName"}


def test_too_many_words_near_each_other_are_refused_in_a_sentence(
    searchers: tuple[Searcher, Searcher],
) -> None:
    for searcher in searchers:
        for kind in ("", "kind:moderation "):
            with pytest.raises(UsageError, match="more than 8 words stand in one row of NEAR"):
                searcher.search(parse_query(kind + " NEAR ".join("abcdefghi")))
