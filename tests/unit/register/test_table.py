"""Which moderation records there are: ids and codes, saved with the entry, one entry after the other."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

from archiver.errors import IntegrityError
from archiver.local_database import LocalDatabase
from archiver.register import OvertakenError, Registered, RegisterTable
from archiver.register.table import SCHEMA


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalDatabase]:
    with closing(LocalDatabase(tmp_path / "register.sqlite", SCHEMA, damaged_hint="")) as opened:
        yield opened


@pytest.fixture
def table(local: LocalDatabase) -> RegisterTable:
    return RegisterTable(local)


def row(record_id: str, **fields: object) -> Registered:
    known: dict[str, object] = {
        "record_id": record_id, "entries": 1, "last_entry": record_id, "platform": "x", "account": "1001",
        "item_type": "reply", "item_id": "7", "author_id": "9", "action": "hidden", "state": "planned",
        "way": "api", "entered_ms": 1,
    }  # fmt: skip
    return Registered(**{**known, **fields})  # type: ignore[arg-type]


def save(local: LocalDatabase, table: RegisterTable, *rows: Registered) -> None:
    with local.transaction():
        for one in rows:
            table.save(one)


def test_a_row_is_read_as_it_was_saved(local: LocalDatabase, table: RegisterTable) -> None:
    full = row("m1", content_hash=b"\0hash")
    bare = Registered(record_id="m2", entries=1, last_entry="m2", platform="x", account="1001", entered_ms=0)
    save(local, table, full, bare)
    assert table.all() == [bare, full]
    assert table.find("m1") == full
    assert table.find("m3") is None


def test_the_next_entry_takes_the_place_of_the_one_before(local: LocalDatabase, table: RegisterTable) -> None:
    save(local, table, row("m1"))
    second = row("m1", entries=2, last_entry="m1-2", state="done")
    save(local, table, second)
    assert table.all() == [second]


@pytest.mark.parametrize("entries", [1, 2, 4])
def test_an_entry_that_does_not_follow_the_last_one_is_refused_and_nothing_of_its_transaction_stays(
    local: LocalDatabase, table: RegisterTable, entries: int
) -> None:
    save(local, table, row("m1"), row("m1", entries=2, last_entry="m1-2"))
    before = table.all()
    with pytest.raises(OvertakenError, match="another run has added to the moderation record m1") as caught:
        save(local, table, row("m2"), row("m1", entries=entries, last_entry="another"))
    assert caught.value.hint is not None
    assert "archiver moderation show m1" in caught.value.hint
    assert table.all() == before


def test_records_are_found_by_how_their_id_begins(local: LocalDatabase, table: RegisterTable) -> None:
    save(local, table, row("3f2a"), row("3f2b", entered_ms=2), row("4%_a", entered_ms=3))
    assert [one.record_id for one in table.beginning_with("3f")] == ["3f2a", "3f2b"]
    assert [one.record_id for one in table.beginning_with("3f2b")] == ["3f2b"]
    assert table.beginning_with("%") == table.beginning_with("3f2_") == []


def test_records_about_an_item_are_those_of_its_account(local: LocalDatabase, table: RegisterTable) -> None:
    save(
        local, table, row("m1"), row("m2", entered_ms=2), row("m3", item_id="8"), row("m4", account="1002"),
        row("m5", platform="facebook"),
    )  # fmt: skip
    assert [one.record_id for one in table.about("x", "1001", "7")] == ["m1", "m2"]


def test_what_is_planned_or_failed_is_pending_until_it_is_done(
    local: LocalDatabase, table: RegisterTable
) -> None:
    save(
        local, table, row("m1"), row("m2", state="failed", entered_ms=2), row("m3", state="done"),
        row("m4", state=None),
    )  # fmt: skip
    assert [one.record_id for one in table.pending()] == ["m1", "m2"]
    save(local, table, row("m1", entries=2, state="done"))
    assert [one.record_id for one in table.pending()] == ["m2"]


def test_the_table_holds_no_text_and_no_name() -> None:
    assert {field.name for field in structs.fields(Registered)} & {
        "text", "author_handle", "author_name", "reason_text", "reason_codes", "entered_by", "account_handle",
    } == set()  # fmt: skip


@pytest.mark.parametrize(
    "damage",
    ["entries = 'abc'", "entered_ms = 'never'", "entered_ms = 9e18", "item_id = x'00ff'", "state = x'07'"],
)
def test_a_row_that_somebody_altered_is_an_integrity_error(
    local: LocalDatabase, table: RegisterTable, damage: str
) -> None:
    save(local, table, row("m1"))
    local.connection.execute(f"UPDATE moderation SET {damage}")  # noqa: S608  # of this test
    with pytest.raises(IntegrityError, match="a row of the moderation register cannot be read"):
        table.all()
