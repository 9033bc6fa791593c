"""Moderation records as they are held: entries of sealed segments and of the open spool, composed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.errors import IntegrityError, NoKeyError, SourceError
from archiver.records import Attachment
from archiver.search.language import parse_query
from archiver.search.moderation import (
    Held,
    about_item,
    accounts_that_occur,
    count_sealed,
    hold,
    people_that_occur,
    reasons_that_occur,
    sealed_files,
    spooled_entries,
)
from archiver.search.run import Searcher
from archiver.sources.moderation import encode_entry
from archiver.wiring.spool import find_spooled_media, has_spool, open_entries, read_register
from tests.faults.folders import make_folder
from tests.homes import Home
from tests.made_vaults import ACCOUNT, VaultMaker, post
from tests.unit.search.moderated import decision, done, keep, later, record_id


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


def held(entry: object, archive: str | None = None) -> Held:
    return Held(entry, encode_entry(entry), archive)  # type: ignore[arg-type]


# Entries made into records


def test_entries_of_archives_and_spool_are_one_record_in_the_order_of_their_numbers() -> None:
    first = decision(1)
    second, third = done(first), later(done(first), "correction", reason_codes=("spam",))
    (record,) = hold([held(second, "2026-11-02"), held(first, "2026-11-01")], [third])
    assert [one.entry.number for one in record.held] == [1, 2, 3]
    assert [one.archive for one in record.held] == ["2026-11-01", "2026-11-02", None]
    assert (record.archive, record.in_spool) == ("2026-11-02", True)
    assert record.record.now.reason_codes == ("spam",)
    assert record.record.reason_codes == ("abusive", "spam")


def test_an_entry_that_is_sealed_and_still_in_the_spool_is_one_entry_and_sealed() -> None:
    first = decision(1)
    (record,) = hold([held(first, "2026-11-01")], [first])
    assert (len(record.held), record.archive, record.in_spool) == (1, "2026-11-01", False)


def test_records_come_in_the_order_entered_and_one_whose_beginning_is_missing_among_them() -> None:
    lost = later(decision(2), "correction", reason_codes=("spam",))
    records = hold([], [decision(9), lost, decision(1)])
    assert [one.record.id for one in records] == [record_id(1), record_id(2), record_id(9)]
    assert reasons_that_occur(records) == ["abusive", "spam"]


def test_whom_and_which_accounts_the_records_name_is_told_to_find_what_was_mistyped() -> None:
    first = decision(1, authorised_by="Inspector Example")
    entries = [first, later(first, "appeal", entered_by="Night Desk", appeal_decided_by="Head")]
    entries += [decision(2, account_handle=None, account="9"), decision(3, account_handle="OldName")]
    records = hold([], entries)
    assert people_that_occur(records) == ["Duty Officer", "Head", "Inspector Example", "Night Desk"]
    assert accounts_that_occur(records) == [
        ("451207733", "OldName"), ("451207733", "SpringfieldPolice"), ("9", None),
    ]  # fmt: skip
    assert (people_that_occur([]), accounts_that_occur([])) == ([], [])


def test_records_about_an_item_are_found_by_its_id_and_its_address() -> None:
    records = hold([], [decision(1), decision(2, item_id="771"), decision(3)])
    assert [one.record.id for one in about_item(records, "771")] == [record_id(1), record_id(2)]
    assert [one.record.id for one in about_item(records, "https://x.com/nobody_3/status/773")] == [
        record_id(3)
    ]
    assert about_item(records, "77") == []


# Sealed


def test_only_segments_that_hold_entries_are_opened(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    first = decision(1, account=ACCOUNT)
    maker.add("2026-01-01", [post("1", "a")], [first], [post("2", "b")])
    maker.add("2026-01-02", [post("3", "c")])
    maker.add("2026-01-03", [done(first)])
    with closing(maker.searcher(catalogue=maker.catalogue())) as searcher:
        assert searcher.search(parse_query("kind:moderation")).hits[0].id == record_id(1)
        assert searcher.effort().segments == 2
        (record,) = searcher.moderation()
        assert [one.archive for one in record.held] == ["2026-01-01", "2026-01-03"]
        assert record.held[0].raw == encode_entry(first)
    assert count_sealed(maker.vault().list_archives().archives) == 2


def test_without_an_identity_nothing_that_holds_entries_is_opened_and_nothing_else_is_tried(
    tmp_path: Path,
) -> None:
    maker = VaultMaker(tmp_path / "vault")
    maker.add("2026-01-01", [post("1", "a")])
    archives = maker.vault().list_archives().archives
    with closing(Searcher(maker.vault(), archives, [], spooled=[decision(1, account=ACCOUNT)])) as searcher:
        assert len(searcher.moderation()) == 1
    maker.add("2026-01-02", [decision(2, account=ACCOUNT)])
    archives = maker.vault().list_archives().archives
    with (
        closing(Searcher(maker.vault(), archives, [])) as searcher,
        pytest.raises(NoKeyError),
    ):
        searcher.moderation()


def test_altered_bytes_are_named_and_so_is_an_entry_of_a_newer_version(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    maker.add("2026-01-01", [decision(1, account=ACCOUNT)])
    maker.add("2026-01-02", [decision(2, account=ACCOUNT, schema_version=2)])
    with closing(maker.searcher()) as searcher, pytest.raises(SourceError) as caught:
        searcher.moderation()
    assert caught.value.hint == "use a newer version of archiver"
    path = maker.folder / "archives" / "2026-01-01" / "records-000.sqlite.zst.age"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with closing(maker.searcher()) as searcher, pytest.raises(IntegrityError, match="2026-01-01"):
        searcher.moderation()


def test_where_a_sealed_file_lies_is_known_or_why_it_is_missing(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    shown = Attachment(role="screenshot", file_name="a.png", media_type="image/png", missing="lost")
    maker.add(
        "2026-01-01", [decision(1, account=ACCOUNT, attachments=(shown,)), decision(2, account=ACCOUNT)]
    )
    with closing(maker.searcher()) as searcher:
        ((_, reader, _),) = searcher.readers()
        (place,) = sealed_files(reader, record_id(1))
        assert (place.entry, place.file_name, place.missing) == (record_id(1), "a.png", "lost")
        assert sealed_files(reader, record_id(2)) == []


# The open spool


def test_the_spools_entries_are_read_in_the_order_made_while_others_hold_locks(home: Home) -> None:
    first, other = decision(1), decision(2, account="7", account_handle=None)
    keep(home, first, other)
    keep(home, done(first))
    with Lock(home.settings.lock), home.open_spool() as writer, writer.appending():
        assert open_entries(home.settings) == [first, other, done(first)]
        here = read_register(home.settings)
    assert here.entries == (first, other, done(first))
    assert [(row.record_id, row.entries) for row in here.records] == [(record_id(1), 2), (record_id(2), 1)]
    assert here.is_here


def test_what_is_read_while_a_seal_takes_pages_away_is_what_is_left(home: Home) -> None:
    keep(home, decision(1))
    keep(home, decision(2))
    with home.open_spool() as spool:
        entries = spooled_entries(spool)
        assert next(entries).id == record_id(1)
        with home.open_spool() as other:
            other.empty(other.last_page_ever(), 0, 0)
        assert list(entries) == []


def test_an_altered_page_is_an_integrity_failure(home: Home) -> None:
    keep(home, decision(1))
    with closing(sqlite3.connect(home.settings.spool / "spool.sqlite")) as database:
        database.execute("UPDATE page SET body = zeroblob(200)")
        database.commit()
    with pytest.raises(IntegrityError, match="page 1"):
        open_entries(home.settings)


def test_a_host_without_a_spool_or_its_identity_has_no_open_entries_and_gets_no_spool(home: Home) -> None:
    settings = home.settings
    assert not has_spool(settings)
    assert open_entries(settings) == []
    assert find_spooled_media(settings, [("1", "a.png")]) == {}
    assert not (settings.spool / "spool.sqlite").exists()
    keep(home, decision(1))
    assert has_spool(settings)
    settings.spool_identity.unlink()
    assert (open_entries(settings), read_register(settings).records) == ([], ())
