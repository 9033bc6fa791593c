"""What a search of moderation records finds is what reading every entry, one after the other, would find;
wherever the entries lie."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archiver.errors import SourceError, UsageError
from archiver.records import Moderation
from archiver.register import compose
from archiver.search.language import ACTIONS, parse_query
from archiver.search.moderation import hold
from archiver.search.moderation.index import find_moderation
from archiver.search.run import Hit, Searcher
from archiver.sources.moderation import decode_entry, encode_entry
from tests.made_vaults import ACCOUNT, IN_MEMORY, OTHER_ACCOUNT, VaultMaker, post
from tests.properties.test_search import (
    DAY_MS,
    Asked,
    Question,
    asked,
    contains,
    near_and_far,
    require_same,
    texts,
    tokens,
)
from tests.unit.search.moderated import record_id

PEOPLE = ["Duty Officer", "Zoë", "O'Brien-42"]
REASONS = ["abusive", "spam", "other_1"]
CHOSEN = ["hidden", "unhidden", "blocked", "none"]
HANDLES = {ACCOUNT: "SpringfieldPD", OTHER_ACCOUNT: None}


class Said(NamedTuple):
    """One entry to be made, and where it is to lie: 0 is the spool, any other an archive."""

    text: str | None
    note: str | None
    why: str | None
    reasons: tuple[str, ...]
    action: str | None
    author: str | None
    by: str
    allowed_by: str | None
    place: int


said = st.builds(
    Said,
    st.none() | texts,
    st.none() | texts,
    st.none() | texts,
    st.lists(st.sampled_from(REASONS), max_size=2, unique=True).map(tuple),
    st.none() | st.sampled_from(CHOSEN),
    st.none() | st.sampled_from(["somebody", "Other"]),
    st.sampled_from(PEOPLE),
    st.none() | st.sampled_from(PEOPLE),
    st.integers(0, 2),
)
registers = st.lists(
    st.tuples(st.sampled_from([ACCOUNT, OTHER_ACCOUNT]), st.lists(said, min_size=1, max_size=4)), max_size=8
)
FILTERS = [
    *(f"reason:{code}" for code in (*REASONS, "nothere")),
    *("-reason:spam", "action:hide", "action:UNHIDDEN", "-action:block", "action:none", "-action:hidden"),
    *('by:"duty officer"', "by:ZOE", 'by:"zoe\u0308"', "-by:O'Brien-42", "from:SOMEBODY", "author:91"),
    *("-author:other", f"account:{ACCOUNT}", "account:springfieldpd", f"-account:{ACCOUNT}"),
    *("since:1970-01-03", "until:1970-01-04"),
]


def _asks_for_two(filters: tuple[str, ...]) -> bool:
    """Two authors or accounts, which is refused."""
    fields = [one.split(":")[0].replace("author", "from") for one in filters if one[0] != "-"]
    return fields.count("from") > 1 or fields.count("account") > 1


questions = st.builds(
    Question,
    st.lists(st.lists(asked, min_size=1, max_size=3).map(tuple), max_size=2).map(tuple),
    st.lists(asked, max_size=2).map(tuple),
    st.lists(st.sampled_from(FILTERS), max_size=3).map(tuple).filter(lambda some: not _asks_for_two(some)),
)


def entries_of(number: int, account: str, some: Sequence[Said]) -> list[Moderation]:
    entered = number * 7919 % 5 * DAY_MS + number
    return [
        Moderation(
            id=record_id(number) if index == 0 else f"{record_id(number)}-{index}",
            record_id=record_id(number),
            number=index + 1,
            entry="decision" if index == 0 else "correction",
            entered_ms=entered + index,
            entered_by=one.by,
            platform="x",
            account=account,
            account_handle=HANDLES[account] if index == 0 else None,
            entry_note=one.why or None,
            author_handle=one.author,
            author_id=None if one.author is None else f"9{number % 3}",
            text=one.text or None,
            reason_text=one.note or None,
            reason_codes=one.reasons,
            action=one.action,  # type: ignore[arg-type]  # codes there are
            authorised_by=one.allowed_by,
        )
        for index, one in enumerate(some)
    ]


# Reading every entry


def last_said(entries: Sequence[Moderation], field: str) -> Any:
    """What the last entry says that says anything."""
    values = [getattr(one, field) for one in entries if getattr(one, field) not in (None, ())]
    return values[-1] if values else None


def columns(entries: Sequence[Moderation], *, now: bool) -> list[list[str]]:
    whys = [one.entry_note for one in entries]
    if now:
        return [tokens(one) for one in (last_said(entries, "text"), last_said(entries, "reason_text"), *whys)]
    return [
        tokens(one) for entry in entries for one in (entry.text, entry.reason_text, entry.entry_note)
    ]  # fmt: skip


def has_words(entries: Sequence[Moderation], question: Question, *, now: bool) -> bool:
    said, standing = columns(entries, now=now), columns(entries, now=True)
    return all(any(contains(said, one) for one in group) for group in question.groups) and not any(
        contains(standing, one) for one in question.excluded
    )


def values(entries: Sequence[Moderation], name: str, *, now: bool) -> set[str]:
    fields = {
        "reason": ["reason_codes"],
        "action": ["action"],
        "by": ["authorised_by"],
        "from": ["author_id", "author_handle"],
        "account": ["account", "account_handle"],
    }[name]
    found: list[Any] = [one.entered_by for one in entries] if name == "by" else []
    for field in fields:
        found += (
            [last_said(entries, field)]
            if now and name != "account"
            else [getattr(one, field) for one in entries]
        )
    flat = [each for one in found if one for each in (one if isinstance(one, tuple) else (one,))]
    return {each.lower() for each in flat}


def passes(entries: Sequence[Moderation], question: Question, *, now: bool) -> bool:
    """All filters must hold."""
    for condition in question.filters:
        name, _, value = condition.removeprefix("-").partition(":")
        value = value.strip('"').lower().replace("e\u0308", "ë")
        name = "from" if name == "author" else name
        if name == "action":
            value = {"hide": "hidden", "block": "blocked"}.get(value, value)
        if name == "since" and entries[0].entered_ms < 2 * DAY_MS:
            return False
        if name == "until" and entries[0].entered_ms >= 4 * DAY_MS:
            return False
        if name in ("since", "until"):
            continue
        if condition.startswith("-"):
            if value in values(entries, name, now=name != "by"):
                return False
        elif value not in values(entries, name, now=now):
            return False
    return True


def expected(records: list[list[Moderation]], question: Question) -> list[tuple[str, int, bool]]:
    """(id, entries, superseded) of what is found, oldest first."""
    found = []
    for entries in records:
        if passes(entries, question, now=False) and has_words(entries, question, now=False):
            stands = passes(entries, question, now=True) and has_words(entries, question, now=True)
            found.append((entries[0].entered_ms, entries[0].id, len(entries), not stands))
    return [one[1:] for one in sorted(found)]


def shown(hits: Sequence[Hit]) -> list[tuple[str, int, bool]]:
    return [(hit.id, hit.versions, hit.superseded) for hit in hits]


@contextmanager
def made(
    records: list[list[Moderation]], places: Sequence[Sequence[int]]
) -> Iterator[tuple[VaultMaker, list[Moderation]]]:
    """The entries where they are to lie, in two archives that hold a post too, and in the spool."""
    lying = [(entry, place) for some, where in zip(records, places, strict=True) for entry, place in zip(some, where, strict=True)]  # noqa: E501  # fmt: skip
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        maker = VaultMaker(Path(folder) / "vault")
        for number in (1, 2):
            sealed = [entry for entry, place in lying if place == number]
            maker.add(f"2026-01-0{number}", [post(str(number), "flood road a", 3 * DAY_MS), *sealed])
        yield maker, [entry for entry, place in lying if place == 0]


@contextmanager
def held(records: list[list[Moderation]], places: Sequence[Sequence[int]]) -> Iterator[Searcher]:
    """Those opened for searching."""
    with made(records, places) as (maker, spooled):
        archives = maker.vault().list_archives().require_sound()
        with closing(Searcher(maker.vault(), archives, [maker.holder], spooled=spooled)) as searcher:
            yield searcher


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(registers, st.lists(questions, min_size=1, max_size=8), st.integers(1, 5))
def test_a_search_finds_what_reading_every_entry_finds(
    register: list[tuple[str, list[Said]]], questions: list[Question], limit: int
) -> None:
    records = [entries_of(number, account, some) for number, (account, some) in enumerate(register)]
    with held(records, [[one.place for one in some] for _, some in register]) as searcher:
        for question in questions:
            written = f"kind:moderation {question.written()}"
            query = parse_query(written)
            found = expected(records, question)
            everything = searcher.search(query, order="oldest", limit=0)
            assert shown(everything.hits) == found, written
            assert not everything.more
            few = searcher.search(query, order="newest", limit=limit)
            assert shown(few.hits) == found[::-1][:limit], written
            assert few.more == (len(found) > limit)
            if question.groups:
                ranked = searcher.search(query, order="relevance", limit=0).hits
                assert sorted(shown(ranked)) == sorted(found)
                assert [hit.score for hit in ranked] == sorted(hit.score for hit in ranked)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(registers, st.lists(questions, min_size=1, max_size=5), st.integers(1, 5))
def test_near_and_far_the_same_records_are_found(
    register: list[tuple[str, list[Said]]], questions: list[Question], limit: int
) -> None:
    records = [entries_of(number, account, some) for number, (account, some) in enumerate(register)]
    with made(records, [[one.place for one in some] for _, some in register]) as (maker, spooled):  # noqa: SIM117
        with near_and_far(maker, spooled) as (near, far):
            for question in questions:
                for kinds in ("kind:moderation", "kind:post OR kind:moderation"):
                    require_same(near, far, f"{kinds} {question.written()}", (limit, 0))
            assert near.moderation() == far.moderation()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(registers, st.lists(asked, min_size=1, max_size=2), st.integers(1, 5))
def test_posts_and_moderation_records_are_searched_together_in_one_order(
    register: list[tuple[str, list[Said]]], words: list[Asked], limit: int
) -> None:
    records = [entries_of(number, account, some) for number, (account, some) in enumerate(register)]
    question = Question(tuple((one,) for one in words), (), ())
    with held(records, [[one.place for one in some] for _, some in register]) as searcher:
        for order in ("oldest", "newest"):
            asked_for = [
                parse_query(f"{kinds} {question.written()}")
                for kinds in ("kind:moderation", "kind:post", "kind:post OR kind:moderation")
            ]
            alone, posts, both = (
                searcher.search(query, order=order, limit=0).hits for query in asked_for
            )  # fmt: skip
            assert sorted(both) == sorted([*alone, *posts])
            times = [hit.posted_ms for hit in both]
            assert times == sorted(times, reverse=order == "newest")
            few = searcher.search(asked_for[2], order=order, limit=limit)
            assert [hit.posted_ms for hit in few.hits] == times[:limit]
            assert few.more == (len(both) > limit)


# Whatever is typed or kept


@settings(max_examples=300)
@given(st.text(max_size=60), st.sampled_from(["newest", "oldest", "relevance"]))
@example('by:""', "newest")
@example("reason:\udcff by:a\0b", "newest")
@example('by:"\'; DROP TABLE said; --" x', "relevance")
@example("a \ue000 b", "newest")
@example('"a \ue000 b"', "relevance")
@example(" ".join(f"-a{number}" for number in range(99)), "newest")
def test_any_text_is_a_search_of_records_or_is_refused_in_a_sentence(text: str, order: str) -> None:
    records = hold(
        [], entries_of(1, ACCOUNT, [Said("a b", "b c", None, ("spam",), None, None, "b", None, 0)])
    )
    try:
        query = parse_query(f"kind:moderation {text}")
    except UsageError:
        return
    for hit in find_moderation(records, query, order):  # type: ignore[arg-type]  # one of the three
        assert hit.id == record_id(1)


@settings(max_examples=200)
@given(st.lists(said, min_size=1, max_size=5), st.randoms())
def test_a_record_is_the_same_whatever_the_order_its_entries_come_in(some: list[Said], random: Any) -> None:
    entries = entries_of(1, ACCOUNT, some)
    mixed = [*entries, random.choice(entries)]
    random.shuffle(mixed)
    record = compose(mixed)
    assert record == compose(entries)
    assert list(record.entries) == entries
    for field in ("text", "reason_text", "author_handle", "action", "authorised_by"):
        assert getattr(record.now, field) == last_said(entries, field)
    assert record.now.reason_codes == (last_said(entries, "reason_codes") or ())


@settings(max_examples=200)
@given(st.lists(said, min_size=1, max_size=3))
def test_an_entry_is_the_same_after_it_was_written_and_read(some: list[Said]) -> None:
    for entry in entries_of(1, ACCOUNT, some):
        assert decode_entry(encode_entry(entry)) == entry


@settings(max_examples=200)
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: f'{{"id":{text!r}}}'.encode()))
@example(b"\xff")
@example(b"[]")
@example(b"[" * 5000)
def test_bytes_that_are_no_entry_are_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(SourceError, match="not an entry of the moderation register"):
        decode_entry(data)


def test_every_code_of_an_action_can_be_asked_for() -> None:
    entries = [
        entries_of(number, ACCOUNT, [Said(None, None, None, (), code, None, "b", None, 0)])[0]
        for number, code in enumerate(ACTIONS)
    ]
    records = hold([], entries)
    for number, code in enumerate(ACTIONS):
        (hit,) = find_moderation(records, parse_query(f"action:{code}"), "newest")
        assert hit.id == record_id(number)
