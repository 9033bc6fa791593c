"""Which bytes are of a record that is not shown, and which only name it."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from archiver.evidence.gathering.withheld import Withheld
from archiver.search.run import Searcher
from tests.made_vaults import Made, VaultMaker, post

FIRST, EDIT, OTHER, PERSON, BLOCKED = "1588091220244369501", "1588091220244379502", "77", "9001", "9002"
NAMES = [("x", "post", FIRST), ("x", "account", PERSON), ("x", "block", BLOCKED), ("x", "moderation", "m1")]


@pytest.fixture(scope="module")
def withheld(tmp_path_factory: pytest.TempPathFactory) -> Withheld:
    maker = VaultMaker(tmp_path_factory.mktemp("withheld") / "vault")
    maker.add("2026-01-01", [post(FIRST, "first", 1)])
    maker.add("2026-02-01", [Made(post(EDIT, "later", 1, record_id=FIRST), 2)])
    vault = maker.vault()
    archives = vault.list_archives().require_sound()
    with closing(Searcher(vault, archives, [maker.holder], restricted=NAMES)) as searcher:
        found = Withheld.of(searcher)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("answer", "is_in"),
    [
        ({"data": [{"id": OTHER, "text": "a"}, {"id": FIRST, "text": "b"}]}, True),
        ({"data": {"id": FIRST, "text": "b"}}, True),
        ({"data": [{"id": int(FIRST), "text": "b"}]}, True),
        ({"data": [{"id": OTHER}], "includes": {"tweets": [{"id": EDIT, "text": "b"}]}}, True),
        ({"errors": [{"resource_id": FIRST, "title": "Not Found Error"}]}, True),
        ({"data": [{"id": OTHER, "referenced_tweets": [{"type": "replied_to", "id": FIRST}]}]}, False),
        ({"data": [{"id": OTHER, "conversation_id": FIRST, "text": f"see {EDIT}"}]}, False),
        ({"data": [{"id": OTHER, "author_id": PERSON}], "includes": {"users": [{"id": PERSON}]}}, False),
        ({"data": [{"id": PERSON, "username": "a"}]}, True),
        ({"data": {"id": PERSON, "username": "a"}}, True),
        ({"data": [{"id": BLOCKED, "username": "b"}]}, True),
        ({"data": [{"id": f"{FIRST}0", "text": "longer"}]}, False),
        ({"data": [{"id": OTHER, "text": "a"}]}, False),
        ([FIRST], False),
    ],
)
def test_an_answer_holds_what_says_more_than_its_id(withheld: Withheld, answer: object, is_in: bool) -> None:
    assert withheld.is_in(json.dumps(answer).encode()) is is_in


def test_of_what_is_no_json_its_name_is_enough(withheld: Withheld) -> None:
    assert withheld.is_in(f"<html>{FIRST}".encode())
    assert not withheld.is_in(b"<html>")


@pytest.mark.parametrize(
    ("raw", "is_copy"),
    [
        ({"id": FIRST, "text": "b"}, True),
        ({"id": EDIT, "text": "b"}, True),
        ({"id": OTHER, "quoted": {"id": FIRST, "text": "b"}}, False),
        ({"type": "quoted", "id": FIRST}, False),
        ({"id": PERSON, "username": "a"}, False),
        ({"resource_id": FIRST, "title": "Not Found Error"}, False),
    ],
)
def test_bytes_are_a_copy_where_they_are_the_record(withheld: Withheld, raw: object, is_copy: bool) -> None:
    assert withheld.is_copy(json.dumps(raw).encode()) is is_copy


def test_text_that_is_no_json_is_no_copy(withheld: Withheld) -> None:
    assert not withheld.is_copy(f"{FIRST} in a text".encode())


def test_requests_and_entries_lose_or_tell_the_ids_of_posts_alone(withheld: Withheld) -> None:
    request = f"GET /2/tweets?ids={OTHER},{EDIT},{FIRST}0,{PERSON}"
    assert withheld.unnamed(request) == f"GET /2/tweets?ids={OTHER},[restricted],{FIRST}0,{PERSON}"
    assert withheld.is_named_in(f'{{"ids": ["{FIRST}"]}}'.encode())
    assert not withheld.is_named_in(f'{{"ids": ["{FIRST}0", "{PERSON}"]}}'.encode())


def test_where_nothing_is_restricted_nothing_is_looked_at(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    maker.add("2026-01-01", [post(FIRST, "first", 1)])
    with closing(maker.searcher()) as searcher:
        assert Withheld.of(searcher) is None
        assert searcher.effort().segments == 0


def test_where_no_post_is_restricted_requests_stay_as_they_are(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    maker.add("2026-01-01", [post(FIRST, "first", 1)])
    vault = maker.vault()
    names = [("x", "account", PERSON)]
    with closing(
        Searcher(vault, vault.list_archives().require_sound(), [maker.holder], restricted=names)
    ) as searcher:
        found = Withheld(searcher)
    assert found.unnamed(f"GET {FIRST} {PERSON}") == f"GET {FIRST} {PERSON}"
    assert not found.is_named_in(PERSON.encode())
