"""What a search answers is what a naive scan finds that reads every record anew: of real exports, and of
vaults made up.

Nothing that a record says is printed of real exports: where two answers differ, the seed and number of the
question and ids are."""

import tempfile
import traceback
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.search.counting import BYS
from archiver.search.hit import Hit
from archiver.search.language import MODERATION, Query, QueryMistake, parse_query
from archiver.search.run import Searcher
from archiver.search.sql.statement import Order
from archiver.search.words import cut
from tests.faults.folders import make_folder
from tests.homes import NOW_MS, Home
from tests.made_vaults import IN_MEMORY, VaultMaker
from tests.programs import require_shared_data
from tests.properties.naive import words
from tests.properties.naive.export import Exports
from tests.properties.naive.made import Life, fill, lives, seen
from tests.properties.naive.questions import Asker, Question
from tests.properties.naive.records import POSTS
from tests.properties.naive.scan import Found, Scan, count_by
from tests.properties.naive.vaults import split_export

DAY_MS = 86_400_000
QUESTIONS = 150
"""Of real exports, for each seed."""
LIMIT = 7
ORDERS: tuple[Order, ...] = ("newest", "oldest")
Name = tuple[str, str, str, str]
NO_KIND, NO_TIME = "no kind of record has all of this", "this ends before since: begins"
TWO_VALUES = "no record has two different "
TOO_SHORT = "needs a word of 3 letters or more"
"""What is refused though it is written well: it contradicts itself."""


class DifferenceError(AssertionError):
    """Two answers differ. `told`: in what, by names and numbers alone."""

    def __init__(self, told: str, question: Question) -> None:
        super().__init__(f"{told}: {question.text}")
        self.told = told


class Asked(NamedTuple):
    """A question as the program reads it, and what is to be found."""

    question: Question
    query: Query
    wanted: list[Found]

    def check(self, is_same: bool, *told: object) -> None:
        if not is_same:
            raise DifferenceError(" ".join(map(str, told)), self.question)


def ask(scan: Scan, question: Question) -> Asked | None:
    """Both sides' view of a question; None where the program refuses it as contradicting itself."""
    wanted = scan.find(question.root)
    try:
        return Asked(question, parse_query(question.text), wanted)
    except QueryMistake as error:
        what = error.what
    if what.startswith(TWO_VALUES) or TOO_SHORT in what:
        return None
    # A time that ends before it begins may be in one alternative only.
    if what != NO_TIME and (what != NO_KIND or wanted):
        raise DifferenceError("refused", question)
    return None


def name_of(hit: Hit) -> Name:
    """A hit as results are compared."""
    return hit.platform, "post" if hit.kind in POSTS else hit.kind, hit.account, hit.record_id


def require_same_records(searcher: Searcher, asked: Asked) -> None:
    """Fail where other records are found, or a record in another version, or shown as what it is not. Of
    moderation records the scan knows nothing."""
    hits = [hit for hit in searcher.search(asked.query, limit=0).hits if hit.kind != MODERATION]
    wanted = {one.name: one for one in asked.wanted}
    found = {name_of(hit): hit for hit in hits}
    more, less = sorted(found.keys() - wanted), sorted(wanted.keys() - found)
    asked.check(not more and not less, f"of {len(wanted)}", "found more:", more[:5], "less:", less[:5])
    asked.check(len(found) == len(hits), "a record is found twice")
    for name, (record, version) in wanted.items():
        hit = found[name]
        asked.check((hit.id, hit.kind) == (version.id, version.kind), "in another version:", name)
        asked.check((hit.gone is not None) == record.is_deleted, "shown as gone or not:", name)
        asked.check((hit.versions > 1) == record.is_edited, "shown as edited or not:", name)


def require_same_order(searcher: Searcher, asked: Asked) -> None:
    """Fail where the newest or oldest few are others than the first of all. Which of records of the same
    millisecond come in is chance, so times are compared, and that the records are among the wanted ones."""
    names = {one.name for one in asked.wanted}
    times = sorted(one.version.posted_ms for one in asked.wanted)
    for order in ORDERS:
        result = searcher.search(asked.query, order=order, limit=LIMIT)
        first = (times[::-1] if order == "newest" else times)[:LIMIT]
        asked.check([hit.posted_ms for hit in result.hits] == first, order, "first ones")
        asked.check({name_of(hit) for hit in result.hits} <= names, order, "first records")
        asked.check(result.more == (len(times) > LIMIT), order, "more")


def require_same_counts(searcher: Searcher, asked: Asked) -> None:
    """Fail where there are other numbers, of all or of any group."""
    count = searcher.count(asked.query)
    asked.check(count == len(asked.wanted), "counted", count, "of", len(asked.wanted))
    for by in BYS:
        counts = {group.name: group.records for group in searcher.count_by(asked.query, by)}
        asked.check(counts == count_by(asked.wanted, by), "by", by)


def require_same(searcher: Searcher, scan: Scan, question: Question) -> None:
    asked = ask(scan, question)
    if asked is None:
        return
    require_same_records(searcher, asked)
    if not asked.query.wants(MODERATION):
        require_same_order(searcher, asked)
        require_same_counts(searcher, asked)


# Real exports


class Real(NamedTuple):
    """A vault of real exports in four archives, opened; and the same exports, read naively."""

    searcher: Searcher
    scan: Scan


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    data = require_shared_data("x-exports")
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        parts = [
            data / "rtiatmla-2021.zip",
            *split_export(data / "andreruffert-2022.zip", Path(folder)),
        ]
        home = Home(make_folder(Path(folder) / "home"))
        exports = Exports()
        for number, part in enumerate(parts):
            home.take(part, now_ms=NOW_MS + number * DAY_MS)
            exports.take(part)
        with closing(Searcher(home.vault, home.archives, home.identities)) as searcher:
            yield Real(searcher, Scan(exports.records.values()))


@pytest.mark.parametrize("seed", [1, 2])
def test_of_real_exports_a_search_finds_what_reading_all_of_their_json_finds(real: Real, seed: int) -> None:
    asker = Asker(real.scan, seed)
    for number in range(QUESTIONS):
        told = differences(real, asker.question())
        if told is not None:
            pytest.fail(f"seed {seed}, question {number}: {told}", pytrace=False)


def differences(real: Real, question: Question) -> str | None:
    """What failed and where, if anything did; no message and no value of a variable, which may be people's
    words. Outside of this function nothing is left of the exception, whose traceback pytest would print."""
    try:
        require_same(real.searcher, real.scan, question)
    except Exception as error:  # noqa: BLE001  # whatever it is
        places = [
            f"{Path(one.filename).name}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)
        ]
        told = f" {error.told}" if isinstance(error, DifferenceError) else ""
        return f"{type(error).__name__} at {' > '.join(places[-4:])}{told}"
    return None


def test_questions_about_real_exports_are_of_all_sorts_and_most_have_an_answer(real: Real) -> None:
    asker = Asker(real.scan, 1)
    sizes = [len(real.scan.find(asker.question().root)) for _ in range(100)]
    assert sum(map(bool, sizes)) > 50
    assert sum(1 < size < 100 for size in sizes) > 10
    assert {sort for record in real.scan.records for sort in (record.sort,)} >= {"post", "like", "follower"}
    assert any(record.is_deleted for record in real.scan.records)


# Made-up vaults


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(lives, min_size=1, max_size=7), st.integers(0, 1 << 30), st.booleans())
def test_of_a_made_up_vault_a_search_finds_what_reading_every_record_finds(
    some: list[Life], seed: int, is_far: bool
) -> None:
    scan = Scan(seen(some))
    asker = Asker(scan, seed)
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        maker = VaultMaker(Path(folder) / "vault", is_far=is_far)
        fill(maker, some)
        with closing(maker.searcher()) as searcher:
            for question in (*asker.about_people(), *(asker.question() for _ in range(10))):
                require_same(searcher, scan, question)


# Words


def test_texts_are_cut_into_words_as_the_tokenizer_is_documented() -> None:
    old = unicodedata.ucd_3_2_0
    known = [chr(code) for code in range(1, 0x20000) if old.category(chr(code)) not in ("Cn", "Cs")]
    pictures = [chr(code) for code in range(0x1F300, 0x1FB00)]
    others = {sign for sign in (*known, *pictures) if cut(f"q{sign}q") != words.cut(f"q{sign}q")}
    # Latin letters with two marks, or with a stroke and a mark, which keep them; two signs of Mongolian.
    assert others == set("ǠǡǢǣǮǯǼǽǾǿ") | {"\u1885", "\u1886"}
