"""Word forms, words alike and the segments that have them: always what the segments' own tables say."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.archive.build import SCHEMA_VERSION, SegmentBuilder
from archiver.archive.read import SegmentReader
from archiver.formats import age
from archiver.search.catalogue import Catalogue, Form
from archiver.search.catalogue.similarity import similar_words
from tests.made_vaults import IN_MEMORY, NOWHERE, SEALED_BEFORE, VAULT_ID, VaultMaker, post
from tests.unit.search.catalogue.vaults import (
    add_months,
    archives_in,
    bring_up_to_date,
    catalogued,
    read_plainly,
)

WORDS = (
    "assault", "assaults", "assaulted", "assualt", "patrol", "patrols", "patrolling", "police", "polices",
    "policing", "cafe", "café", "be", "bee", "at", "999", "covid19", "naïve", "полиция", "警察", "ß", "x",
)  # fmt: skip


def distance(one: str, other: str) -> int:
    """Optimal string alignment, by its definition."""
    rows = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one) + 1):
        for j in range(len(other) + 1):
            if not i or not j:
                rows[i][j] = i + j
                continue
            least = min(
                rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (one[i - 1] != other[j - 1])
            )
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                least = min(least, rows[i - 2][j - 2] + 1)
            rows[i][j] = least
    return rows[-1][-1]


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    return VaultMaker(tmp_path / "vault")


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.lists(st.lists(st.sampled_from(WORDS), max_size=6), min_size=1, max_size=4), max_size=4),
    st.integers(0, 4),
)
def test_every_answer_is_that_of_the_segments_own_tables(
    months: list[list[list[str]]], saved_after: int
) -> None:
    with TemporaryDirectory(dir=IN_MEMORY) as folder:
        compare_answers(Path(folder), months, saved_after)


def compare_answers(folder: Path, months: list[list[list[str]]], saved_after: int) -> None:
    maker = VaultMaker(folder / "vault")
    for month, texts in enumerate(months, start=1):
        records = [post(f"{month}-{number}", " ".join(words)) for number, words in enumerate(texts)]
        maker.add(f"2026-01-0{month}", records)
        if month == saved_after:  # so that what is asked lies in two parts
            catalogued(folder / "cache", maker)
    catalogue = Catalogue.open(folder / "cache", VAULT_ID, [maker.holder])
    vault = maker.vault()
    bring_up_to_date(catalogue, vault, maker.holder)
    plain = read_plainly(vault, maker.holder)
    for word in {*plain, "assault", "unknown"}:
        stem, count, archives = plain.get(word, (None, 0, frozenset[str]()))
        assert catalogue.stem_of(word) == stem
        forms = catalogue.forms(word, "none")
        assert forms[0] == Form(word, count)
        of_stem = word if stem is None else stem  # by the rules of "none", where no segment has the word
        same = {other: found for other, (its, found, _) in plain.items() if its == of_stem and other != word}
        assert list(forms[1:]) == [
            Form(*one) for one in sorted(same.items(), key=lambda one: (-one[1], one[0]))
        ]
        with_it = catalogue.segments_with([word])
        if any(character in "0123456789" for character in word):
            assert with_it is None
        else:
            assert with_it is not None
            assert archives_in(with_it, catalogue, vault) == archives
        for edits in (1, 2):
            near = [
                (away, -found, other)
                for other, (_, found, _) in plain.items()
                if len(word) > 2 and (away := distance(word, other)) <= edits
            ]
            assert catalogue.similar(word, edits) == tuple(
                Form(other, -found) for _, found, other in sorted(near)
            )
            rows = [(other, found) for other, (_, found, _) in plain.items()]
            assert tuple(similar_words(word, edits, rows)) == catalogue.similar(word, edits)


@pytest.mark.parametrize("schema", range(1, SCHEMA_VERSION + 1))
def test_what_every_version_sealed_is_catalogued(maker: VaultMaker, schema: int) -> None:
    if (SEALED_BEFORE / f"schema-{schema}.sqlite.zst").exists():
        maker.add_sealed_before(schema)
    else:
        add_months(maker)
    vault = maker.vault()
    catalogue = catalogued(None, maker)
    plain = read_plainly(vault, maker.holder)
    assert len(plain) > 10
    assert {word: catalogue.forms(word, "none")[0].records for word in plain} == {
        word: count for word, (_, count, _) in plain.items()
    }


def test_a_word_that_is_nowhere_has_the_forms_that_the_languages_rules_give_it(maker: VaultMaker) -> None:
    add_months(maker)
    catalogue = catalogued(None, maker)
    assert catalogue.stem_of("assaulting") is None
    assert catalogue.forms("assaulting", "english") == (
        Form("assaulting", 0), Form("assault", 2), Form("assaulted", 1), Form("assaults", 1),
    )  # fmt: skip
    assert catalogue.forms("assaulting", "none") == (Form("assaulting", 0),)


@pytest.mark.parametrize("asked_between", [False, True])
def test_what_was_sealed_while_words_had_no_forms_has_them_all_the_same(
    maker: VaultMaker, tmp_path: Path, asked_between: bool
) -> None:
    builder = SegmentBuilder(lambda account, name: NOWHERE, language="none")
    builder.add(post("1", "assaulted assaults"), 1, (1, 0, 0))
    builder.finish_rows()
    identity = age.X25519Identity.generate()
    (maker.folder / "archives" / "2026-01-01").mkdir(parents=True)
    file = maker.seal_segment("2026-01-01", "records-000.sqlite.zst.age", builder, identity)
    builder.close()
    catalogue = Catalogue.open(tmp_path / "cache", VAULT_ID, [maker.holder])
    with SegmentReader(maker.store, f"archives/2026-01-01/{file.name}", identity) as reader:
        catalogue.add("2026-01-01", file, reader)
    if asked_between:  # then it is a part of its own, and the two are put into one when they are saved
        assert catalogue.forms("assaulted", "english") == (Form("assaulted", 1),)
    maker.add("2026-02-01", [post("2", "assault assaulted")])
    bring_up_to_date(catalogue, maker.vault(), maker.holder)
    catalogue.save()
    for one in (catalogue, Catalogue.open(tmp_path / "cache", VAULT_ID, [maker.holder])):
        assert {form.word for form in one.forms("assaulted", "english")} == {"assaulted", "assault"}


def test_suggestions_are_the_nearest_three_words_without_digits(maker: VaultMaker) -> None:
    texts = ["assault", "assault", "assaults", "assailt", "assaul", "assa1t", "dog dig dug do", "999 998 998"]
    maker.add("2026-01-01", [post(str(number), text) for number, text in enumerate(texts)])
    catalogue = catalogued(None, maker)
    assert catalogue.suggest("assualt") == (Form("assault", 2), Form("assailt", 1), Form("assaul", 1))
    assert [one.word for one in catalogue.suggest("assault")] == ["assailt", "assaul", "assaults"]
    assert [one.word for one in catalogue.suggest("dag")] == ["dig", "dog", "dug"]
    assert catalogue.suggest("dxx") == ()  # in a short word one letter may be wrong, not two
    assert catalogue.suggest("do") == ()
    assert catalogue.suggest("99o") == catalogue.suggest("997") == ()
    assert catalogue.suggest("kangaroo") == ()


def test_any_of_several_words_is_enough_and_a_digit_makes_it_unknown(maker: VaultMaker) -> None:
    add_months(maker)
    catalogue = catalogued(None, maker)
    vault = maker.vault()
    either = catalogue.segments_with(["assaulted", "assaults"])
    assert either is not None
    assert archives_in(either, catalogue, vault) == {"2026-01-31", "2026-02-28"}
    assert catalogue.segments_with([]) == catalogue.segments_with(["nowhere"]) == 0
    assert catalogue.segments_with(["assaulted", "101"]) is None


def test_an_empty_catalogue_answers_too() -> None:
    catalogue = Catalogue.open(None, VAULT_ID, [])
    assert catalogue.forms("word", "english") == (Form("word", 0),)
    assert catalogue.similar("word", 2) == catalogue.suggest("word") == ()
    assert catalogue.segments_with(["word"]) == 0
