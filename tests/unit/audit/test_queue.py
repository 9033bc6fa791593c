"""The collecting host's chain: made while stores are away, put there in order when they are back."""

from pathlib import Path

import pytest

from archiver.audit.acts import Act
from archiver.audit.beginning import Start, find_start
from archiver.audit.entry import Asked
from archiver.audit.names import COLLECTOR, entry_name
from archiver.audit.queue import Queue
from archiver.audit.verify import Against, verify_log
from archiver.errors import ArchiverError, IntegrityError, StoreError
from archiver.formats.ssh_signature import SigningKey
from archiver.stores.base import Store
from tests.memory_store import MemoryStore
from tests.unit.audit.logs import ACTOR, AUDITOR, KEY, NOW, OTHER_KEY, VAULT, make_store, problems


def queue_in(folder: Path, store: Store | None = None, key: SigningKey = KEY) -> Queue:
    stores = [] if store is None else [lambda: store]
    return Queue(folder, key, lambda: [AUDITOR.recipient()], lambda: find_start(stores, key))  # type: ignore[arg-type]


def write(queue: Queue, number: int = 1) -> None:
    for _ in range(number):
        Act(queue, ACTOR, Asked("collect", "collect"), lambda: NOW).end()


def chain(store: MemoryStore, name: str = COLLECTOR) -> list[str]:
    return [one for one in store.list(f"audit/{name}/") if one.endswith(".tar")]


def test_entries_wait_and_are_put_in_order(tmp_path: Path) -> None:
    store = make_store()
    queue = queue_in(tmp_path, store)
    write(queue, 3)
    assert chain(store) == []
    assert [one.head.sequence for one in queue.waiting()] == [1, 2, 3, 4, 5, 6]
    assert queue.flush(store) == 6
    assert queue.waiting() == []
    write(queue_in(tmp_path), 1)  # another process, and no store is at hand
    assert queue.flush(store) == 2
    assert chain(store) == [entry_name(COLLECTOR, number) for number in range(1, 9)]
    assert problems(store) == []


def test_what_waits_goes_on_with_what_a_store_has(tmp_path: Path) -> None:
    store = make_store()
    queue = queue_in(tmp_path, store)
    write(queue)
    queue.flush(store)
    write(queue)
    result = verify_log(store, Against(VAULT), waiting=queue.waiting())
    assert result.problems == []
    assert result.heads[COLLECTOR].sequence == 4


def test_a_run_that_is_cut_off_while_it_puts_them_is_gone_on_with(tmp_path: Path) -> None:
    class Breaks(MemoryStore):
        left = 3

        def append(self, name: str, data: bytes) -> None:
            if self.left == 0:
                raise StoreError("it went away")
            self.left -= 1
            super().append(name, data)

    store = Breaks(contents=make_store().contents)
    queue = queue_in(tmp_path, store)
    write(queue, 3)
    with pytest.raises(StoreError):
        queue.flush(store)
    store.left = 100
    assert queue.flush(store) == 6
    assert problems(store) == []


def test_a_store_that_lost_what_it_had_is_refused_and_mended_when_that_is_asked_for(tmp_path: Path) -> None:
    store = make_store()
    queue = queue_in(tmp_path, store)
    write(queue, 2)
    queue.flush(store)
    emptied = make_store()
    write(queue)
    with pytest.raises(IntegrityError, match=r"00000004\.tar in memory is missing"):
        queue.flush(emptied)
    assert len(queue.waiting()) == 2
    queue.flush(emptied, mend=True)
    assert problems(emptied) == []
    assert len(chain(emptied)) == 6


def test_a_spool_that_was_lost_goes_on_with_its_chain(tmp_path: Path) -> None:
    store = make_store()
    queue = queue_in(tmp_path / "a", store)
    write(queue)
    queue.flush(store)
    again = queue_in(tmp_path / "b", store)
    write(again)
    again.flush(store)
    assert len(chain(store)) == 4
    assert problems(store) == []


def test_an_older_copy_of_a_spool_replaces_nothing(tmp_path: Path) -> None:
    store = make_store()
    first, second = (queue_in(tmp_path / one, store) for one in ("a", "b"))
    write(first)
    write(second)  # both began when nothing was there
    first.flush(store)
    with pytest.raises(IntegrityError, match="is not the one that was written here"):
        second.flush(store)
    assert problems(store) == []


def test_where_no_store_can_be_asked_the_chain_has_a_name_of_its_own(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    write(queue)
    store = make_store()
    queue.flush(store)
    write(queue)
    queue.flush(store)
    (name,) = {one.split("/")[1] for one in store.list("audit/")}
    assert name.startswith(f"{COLLECTOR}.")
    assert problems(store) == []


def test_another_hosts_chain_is_left_alone(tmp_path: Path) -> None:
    store = make_store()
    first = queue_in(tmp_path / "a", store)
    write(first)
    first.flush(store)
    other = queue_in(tmp_path / "b", store, OTHER_KEY)
    write(other)
    other.flush(store)
    assert len({one.split("/")[1] for one in store.list("audit/")}) == 2
    assert problems(store) == []


def test_where_the_queue_cannot_be_written_the_act_does_not_begin(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file in its place")
    with pytest.raises(ArchiverError):
        write(queue_in(tmp_path / "log", make_store()))


def test_what_lies_in_the_queue_and_is_no_entry_is_named(tmp_path: Path) -> None:
    store = make_store()
    queue = queue_in(tmp_path, store)
    write(queue)
    (tmp_path / "00000002.tar").write_bytes(b"x" * 5000)
    for attempt in (lambda: write(queue), lambda: queue.flush(store)):
        with pytest.raises(IntegrityError, match=r"00000002\.tar"):
            attempt()


def test_a_damaged_note_of_the_end_is_not_passed_over(tmp_path: Path) -> None:
    queue = queue_in(tmp_path, make_store())
    write(queue)
    (tmp_path / "head.json").write_text("{}")
    with pytest.raises(IntegrityError, match="it is damaged"):
        write(queue)


def test_a_start_without_a_vault_says_so() -> None:
    start = find_start([lambda: MemoryStore()], KEY)
    assert isinstance(start, Start)
    assert start.vault is None
