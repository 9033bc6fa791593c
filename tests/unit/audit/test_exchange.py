"""Every store with the whole log: copied in both directions, nothing replaced, nothing bad passed on."""

from pathlib import Path

import pytest

from archiver.audit.ends import look_at
from archiver.audit.entry import Asked, make_entry
from archiver.audit.exchange import LogHolder, exchange_logs
from archiver.audit.names import entry_name, signers_name
from archiver.audit.writing import Known, make_next, new_nonce
from archiver.errors import IntegrityError
from archiver.times import format_time
from tests.memory_store import MemoryStore
from tests.unit.audit.logs import ACTOR, NOW, OTHER_KEY, VAULT, act, log_of, make_store, problems, writer


def exchange(*stores: MemoryStore, only: str | None = None) -> list[LogHolder]:
    named = [(f"store{number}", store) for number, store in enumerate(stores)]
    return exchange_logs(named, vault=VAULT, only=only)


def log_in(store: MemoryStore, folder: Path, chain: str, number: int = 2) -> None:
    folder.mkdir(exist_ok=True)
    key = {} if chain == "records" else {"key": OTHER_KEY}
    act(log_of([("vault", store)], folder, chain=chain, **key), number)  # type: ignore[arg-type]


def audit(store: MemoryStore) -> dict[str, bytes]:
    return {name: data for name, data in store.contents.files.items() if name.startswith("audit/")}


@pytest.mark.parametrize("is_near", [True, False])
def test_each_store_is_given_what_the_other_has(tmp_path: Path, is_near: bool) -> None:
    first, second = make_store(), make_store(is_near=is_near)
    log_in(first, tmp_path / "a", "records")
    log_in(second, tmp_path / "b", "second", 3)
    holders = exchange(first, second)
    assert [one.given for one in holders] == [6, 4]
    assert [one.problems for one in holders] == [[], []]
    assert audit(first) == audit(second)
    assert problems(first) == problems(second) == []
    assert [one.given for one in exchange(first, second)] == [0, 0]


def test_one_entry_more_reads_no_others_of_a_long_log(tmp_path: Path) -> None:
    first, second = make_store(is_near=False), make_store(is_near=False)
    log_in(first, tmp_path / "a", "records", 30)
    exchange(first, second)
    log_in(first, tmp_path / "a", "records", 1)
    read: list[str] = []
    look = first.look

    def noted(name: str, max_bytes: int) -> bytes | None:
        read.append(name)
        return look(name, max_bytes)

    first.look = noted  # type: ignore[method-assign]  # the same store, which notes what it is asked for
    assert exchange(first, second)[1].given == 2
    assert len(read) <= 5, read


def test_what_a_later_key_signed_is_given_too(tmp_path: Path) -> None:
    first, second = make_store(), make_store()
    log = log_of([("vault", first)], tmp_path)
    entry = make_entry(Asked("key", "keys"), ACTOR, nonce=new_nonce(), at=format_time(NOW))
    log.write(entry, next_signer=OTHER_KEY.public_line())
    exchange(first, second)
    (tmp_path / "b").mkdir()
    act(log_of([("vault", first)], tmp_path / "b", key=OTHER_KEY), 2)
    assert exchange(first, second)[1].given == 4
    assert audit(first) == audit(second)
    assert problems(second) == []


def test_only_the_store_named_is_given_anything(tmp_path: Path) -> None:
    first, second = make_store(), make_store()
    log_in(first, tmp_path / "a", "records")
    log_in(second, tmp_path / "b", "second")
    exchange(first, second, only="store1")
    assert len(audit(second)) == 10
    assert len(audit(first)) == 5


def test_the_same_name_with_other_bytes_is_an_integrity_error_and_nothing_is_replaced(tmp_path: Path) -> None:
    first, second = make_store(), make_store()
    log_in(first, tmp_path / "a", "records")
    exchange(first, second)
    log_in(first, tmp_path / "a", "records")
    name = entry_name("records", 2)
    second.contents.files[name] += bytes(512)
    before = dict(second.contents.files)
    holders = exchange(first, second)
    (problem,) = holders[1].problems
    assert isinstance(problem, IntegrityError)
    assert name in problem.message
    assert second.contents.files == before


def test_two_logs_of_one_chain_are_not_mixed(tmp_path: Path) -> None:
    first, second = make_store(), make_store(is_near=False)
    log_in(first, tmp_path / "a", "records", 1)
    log_in(second, tmp_path / "b", "records", 3)
    holders = exchange(first, second)
    assert holders[1].problems
    assert len(audit(first)) == 3


def test_what_somebody_put_into_one_store_is_not_passed_on(tmp_path: Path) -> None:
    first, second = make_store(), make_store()
    log_in(first, tmp_path / "a", "records")
    exchange(first, second)
    last = look_at(first, "records", 4)
    assert last is not None
    entry = make_entry(Asked("show", "show"), ACTOR, nonce=new_nonce(), at=format_time(NOW))
    first.contents.files[entry_name("records", 5)] = make_next(
        writer(key=OTHER_KEY), last.head, entry, Known()
    ).data
    holders = exchange(first, second)
    assert entry_name("records", 5) not in second.contents.files
    assert holders[1].problems


def test_a_hole_is_filled_and_what_no_store_has_is_said(tmp_path: Path) -> None:
    first, second = make_store(), make_store()
    log_in(first, tmp_path / "a", "records", 4)
    exchange(first, second)
    del second.contents.files[entry_name("records", 3)]
    assert [one.given for one in exchange(first, second)] == [0, 1]
    assert problems(second) == []
    third = make_store()
    for store in (first, second):
        del store.contents.files[entry_name("records", 3)]
    holders = exchange(first, second, third)
    assert entry_name("records", 3) in holders[2].problems[0].message
    assert entry_name("records", 4) not in third.contents.files


def test_entries_without_a_list_of_who_may_sign_go_nowhere(tmp_path: Path) -> None:
    first, second = make_store(), make_store()
    log_in(first, tmp_path / "a", "records")
    del first.contents.files[signers_name("records")]
    holders = exchange(first, second)
    assert "so none of its entries can be checked" in holders[1].problems[0].message
    assert audit(second) == {}
