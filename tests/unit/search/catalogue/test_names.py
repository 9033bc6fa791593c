"""Handles and the ids that had them, whichever table of a segment says so."""

from pathlib import Path

import pytest

from archiver.records import Account, Mention, Person
from archiver.search.catalogue.names import Names
from tests.made_vaults import ACCOUNT, HANDLE, VaultMaker, message, moderation, post
from tests.unit.search.catalogue.vaults import catalogued


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    return VaultMaker(tmp_path / "vault")


def test_a_handle_gives_its_ids_and_all_their_handles_and_an_id_its_handles(maker: VaultMaker) -> None:
    def mentioning(number: str, user_id: str | None, handle: str) -> object:
        return post(number, "hello", mentions=(Mention(user_id, handle, None),))

    maker.add("2026-01-01", [mentioning("1", "77", "OldName"), mentioning("2", None, "nobody")])
    maker.add("2026-02-01", [mentioning("3", "77", "NewName"), mentioning("4", "88", "oldname")])
    catalogue = catalogued(None, maker)
    both = Names(("77", "88"), ("NewName", "OldName", "oldname"))
    for asked in ("oldname", "OLDNAME", "@OldName"):
        assert catalogue.known_as(asked) == both
    assert catalogue.known_as("newname") == catalogue.known_as("77") == Names(("77",), ("NewName", "OldName"))
    assert catalogue.known_as("nobody") == catalogue.known_as("unheard") == Names((), ())


def test_accents_fold(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "hello", mentions=(Mention("5", "José", None),))])
    catalogue = catalogued(None, maker)
    assert catalogue.known_as("jose") == catalogue.known_as("JOSÉ") == Names(("5",), ("José",))


def test_captures_profiles_messages_and_the_register_name_people_too(maker: VaultMaker) -> None:
    maker.add(
        "2026-01-01",
        [
            post("1", "hello"),
            message("2", "hello", people=(Person("sender", "9", "Writer", None),)),
            Account(platform="x", platform_id=ACCOUNT, aspect="profile", captured_ms=0, handle="FormerPD"),
            moderation("m1", author_id="55", author_handle="Troll", account_handle="AsEntered"),
            moderation("m2", author_id=None, author_handle="Unknown"),
        ],
    )
    catalogue = catalogued(None, maker)
    assert catalogue.known_as(HANDLE) == Names((ACCOUNT,), ("AsEntered", "FormerPD", HANDLE))
    assert catalogue.known_as("formerpd").ids == (ACCOUNT,)
    assert catalogue.known_as("writer") == Names(("9",), ("Writer",))
    assert catalogue.known_as("troll") == Names(("55",), ("Troll",))
    assert catalogue.known_as("unknown") == Names((), ())


@pytest.mark.parametrize("schema", [1, 2])
def test_earlier_versions_said_less_and_what_they_said_counts(maker: VaultMaker, schema: int) -> None:
    maker.add_sealed_before(schema)
    vault = maker.vault()
    (archive,) = vault.list_archives().require_sound()
    with vault.open_segment(archive, archive.manifest.files[0], [maker.holder]) as reader:
        rows = reader.connection.execute("SELECT user_id, handle FROM mention WHERE user_id > ''").fetchall()
        rows += reader.connection.execute("SELECT account, handle FROM capture WHERE handle > ''").fetchall()
    catalogue = catalogued(None, maker)
    assert len(rows) > 1
    for user_id, handle in rows:
        assert user_id in catalogue.known_as(handle).ids
        assert handle in catalogue.known_as(user_id).handles
