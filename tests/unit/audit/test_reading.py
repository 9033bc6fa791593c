"""The log in plain words: what cannot be opened or is damaged is told, and hides nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.following import Unpacked, unpack_entry
from archiver.audit.names import entry_name
from archiver.audit.reading import PlainEntry, Reading, acts_of, chains_of, newest_first, open_entry
from archiver.errors import IntegrityError
from archiver.formats import age
from tests.memory_store import MemoryStore
from tests.unit.audit.logs import AUDITOR, OTHER_KEY, STRANGER, act, log_of, make_store

NUMBERS = range(1, 7)


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    """One chain of three acts."""
    store = make_store()
    act(log_of([("vault", store)], tmp_path), 3)
    return store


def unpacked(store: MemoryStore, number: int) -> Unpacked:
    name = entry_name("records", number)
    return unpack_entry(store.read(name, MAXIMUM_BYTES), name)


def read(store: MemoryStore, identity: age.Identity = AUDITOR) -> tuple[list[PlainEntry], Reading]:
    reading = Reading()
    return list(newest_first(store, "records", NUMBERS, [identity], reading)), reading


def test_a_chain_comes_last_first_and_makes_whole_acts(store: MemoryStore) -> None:
    assert {chain: sorted(some) for chain, some in chains_of(store).items()} == {"records": list(NUMBERS)}
    found, reading = read(store)
    assert [one.entry.sequence for one in found] == list(reversed(NUMBERS))
    assert (reading.unopened, reading.problems) == (0, [])
    acts = list(acts_of(iter(found)))
    assert [(one.begin is None, one.end is None) for one in acts] == [(False, False)] * 3
    assert [one.first.entry.query for one in acts] == ["query 2", "query 1", "query 0"]


def test_an_act_of_which_only_one_half_can_be_read_is_told_all_the_same(store: MemoryStore) -> None:
    del store.contents.files[entry_name("records", 1)]
    del store.contents.files[entry_name("records", 6)]
    found, reading = read(store)
    assert [error.message for error in reading.problems] == [
        f"{entry_name('records', number)} is missing from {store.location}" for number in (6, 1)
    ]
    acts = list(acts_of(iter(found)))
    assert [(one.begin is None, one.end is None) for one in acts] == [
        (False, True), (False, False), (True, False),
    ]  # fmt: skip
    assert acts[-1].first.entry.sequence == 2


def test_what_is_sealed_to_others_is_counted(store: MemoryStore) -> None:
    found, reading = read(store, STRANGER)
    assert (found, reading.unopened, reading.problems) == ([], len(NUMBERS), [])


def test_one_that_is_damaged_is_named_and_the_others_come(store: MemoryStore) -> None:
    store.contents.files[entry_name("records", 3)] = b"no tar"
    found, reading = read(store)
    assert len(found) == len(NUMBERS) - 1
    (error,) = reading.problems
    assert isinstance(error, IntegrityError)
    assert entry_name("records", 3) in error.message


def test_what_is_sealed_in_another_entrys_place_is_refused(store: MemoryStore) -> None:
    """Whoever can write to a store can put any ciphertext there that the auditor opens."""
    first, second = unpacked(store, 1), unpacked(store, 2)
    with pytest.raises(IntegrityError, match="is not what its link says"):
        open_entry(replace(first, sealed=second.sealed), [AUDITOR])
    with pytest.raises(IntegrityError, match="what is sealed in it is entry 2"):
        open_entry(replace(second, head=first.head), [AUDITOR])
    with pytest.raises(IntegrityError, match=first.name):
        open_entry(replace(first, sealed=b"age-encryption.org/v1\n-> X25519"), [AUDITOR])
    reading = Reading()
    waiting = [replace(second, sealed=first.sealed)]
    assert list(newest_first(store, "records", [], [AUDITOR], reading, waiting)) == []
    assert len(reading.problems) == 1


def test_entries_that_wait_here_come_before_those_of_the_store(store: MemoryStore, tmp_path: Path) -> None:
    """As they are newer; and one that is in both is told once."""
    other = make_store()
    act(log_of([("vault", other)], tmp_path, chain="second", key=OTHER_KEY), 1)
    waiting = [unpacked(store, 5), unpacked(store, 6)]
    reading = Reading()
    found = list(newest_first(store, "records", NUMBERS, [AUDITOR], reading, waiting))
    assert [one.entry.sequence for one in found] == list(reversed(NUMBERS))
    assert set(chains_of(other)) == {"second"}
