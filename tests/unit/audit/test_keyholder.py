"""A keyholder's chain: what is written where, and when it refuses."""

import json
import subprocess
from pathlib import Path

import pytest

from archiver.audit.acts import acting
from archiver.audit.entry import Asked
from archiver.audit.names import entry_name
from archiver.audit.reading import Reading, case_entries
from archiver.audit.verify import Noted
from archiver.audit.writing import new_nonce
from archiver.chain import Head
from archiver.errors import ArchiverError, ConfigurationError, IntegrityError, StoreError
from archiver.stores.local import LocalStore
from tests.memory_store import MemoryStore
from tests.programs import require_program
from tests.unit.audit.logs import (
    ACTOR,
    AUDITOR,
    NOW,
    OTHER_KEY,
    STRANGER,
    VAULT,
    act,
    log_of,
    make_store,
    problems,
)


def entries(store: MemoryStore, chain: str = "records") -> list[str]:
    return [name for name in store.list(f"audit/{chain}/") if name.endswith(".tar")]


def test_an_act_is_two_entries_and_the_chain_is_whole(tmp_path: Path) -> None:
    store = make_store()
    act(log_of([("vault", store)], tmp_path), 3)
    assert entries(store) == [entry_name("records", number) for number in range(1, 7)]
    assert problems(store) == []


def test_other_programs_read_an_entry(tmp_path: Path) -> None:
    ssh_keygen, tar, age = (require_program(one) for one in ("ssh-keygen", "tar", "age"))
    (tmp_path / "vault").mkdir()
    store = LocalStore(tmp_path / "vault")
    store.put_new("vault.json", json.dumps({"vault": VAULT}).encode())
    act(log_of([("vault", store)], tmp_path), case="C/1")
    folder = tmp_path / "vault/audit/records"
    subprocess.run([tar, "-xf", folder / "00000001.tar"], cwd=tmp_path, check=True)
    command = [ssh_keygen, "-Y", "verify", "-f", folder / "allowed_signers", "-I", "records"]
    command += ["-n", "archiver-log", "-s", "00000001.json.sig"]
    with (tmp_path / "00000001.json").open("rb") as link:
        subprocess.run(command, cwd=tmp_path, stdin=link, check=True, capture_output=True)
    (tmp_path / "identity").write_text(AUDITOR.encode() + "\n")
    opened = subprocess.run(
        [age, "-d", "-i", "identity", "00000001.json.age"], cwd=tmp_path, check=True, capture_output=True
    )
    entry = json.loads(opened.stdout)
    assert (entry["verb"], entry["query"], entry["case"], entry["phase"]) == (
        "search", "query 0", "C/1", "begin",
    )  # fmt: skip


def test_what_an_act_raises_goes_on_and_is_on_record(tmp_path: Path) -> None:
    store = make_store()
    log = log_of([("vault", store)], tmp_path)
    with pytest.raises(ZeroDivisionError), acting(log, ACTOR, Asked("show", "show"), lambda: NOW):
        raise ZeroDivisionError
    found = case_entries(store, "records", "none", [AUDITOR], Reading(), most=100)
    assert found == []
    reading = Reading()
    from archiver.audit.reading import acts_of, chains_of, newest_first

    (one,) = acts_of(newest_first(store, "records", chains_of(store)["records"], [AUDITOR], reading))
    assert one.end is not None
    assert one.end.entry.outcome == "failed: ZeroDivisionError"


def test_an_extract_of_a_case_has_both_entries_of_its_acts_and_nothing_else(tmp_path: Path) -> None:
    store = make_store()
    log = log_of([("vault", store)], tmp_path)
    act(log, 1)
    act(log, 2, case="C/1")
    found = case_entries(store, "records", "C/1", [AUDITOR], Reading(), most=100)
    assert [one.sealed.head.sequence for one in found] == [3, 4, 5, 6]
    stranger = Reading()
    assert case_entries(store, "records", "C/1", [STRANGER], stranger, most=100) == []
    assert stranger.unopened == 6


def test_another_process_that_was_faster_is_followed(tmp_path: Path) -> None:
    store = make_store()
    first, second = (log_of([("vault", store)], tmp_path / one) for one in ("a", "b"))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    for _ in range(3):
        act(first)
        act(second)
    assert len(entries(store)) == 12
    assert problems(store) == []


def test_an_entry_in_anothers_place_that_is_none_is_not_followed(tmp_path: Path) -> None:
    store = make_store()
    log = log_of([("vault", store)], tmp_path)
    act(log)
    store.put_new(entry_name("records", 3), b"something else")
    with pytest.raises(IntegrityError, match=r"00000003\.tar"):
        act(log)


def test_a_store_that_has_the_last_entry_no_longer_is_refused(tmp_path: Path) -> None:
    store = make_store()
    log = log_of([("vault", store)], tmp_path)
    act(log, 2)
    del store.contents.files[entry_name("records", 4)]
    with pytest.raises(IntegrityError, match="has not entry 4 of the log of records") as caught:
        act(log)
    assert caught.value.exit_code == 20
    assert "archiver sync" in (caught.value.hint or "")
    with pytest.raises(IntegrityError):  # and so says another process
        act(log_of([("vault", store)], tmp_path))


def test_a_store_far_away_that_has_it_no_longer_is_refused_by_the_next_process(tmp_path: Path) -> None:
    store = make_store(is_near=False)
    act(log_of([("vault", store)], tmp_path), 2)
    del store.contents.files[entry_name("records", 4)]
    with pytest.raises(IntegrityError, match="has not entry 4"):
        act(log_of([("vault", store)], tmp_path))


def test_a_log_that_was_written_anew_is_refused(tmp_path: Path) -> None:
    store = make_store()
    act(log_of([("vault", store)], tmp_path), 1)
    for name in entries(store):
        del store.contents.files[name]
    (tmp_path / "elsewhere").mkdir()
    act(log_of([("vault", store)], tmp_path / "elsewhere"), 1)
    with pytest.raises(IntegrityError, match="is not the entry that was written from here"):
        act(log_of([("vault", store)], tmp_path), 1)


class NotWritable(MemoryStore):
    def append(self, name: str, data: bytes) -> None:
        raise StoreError(f"{name}: read-only")


class Away(MemoryStore):
    def look(self, name: str, max_bytes: int) -> bytes | None:
        raise StoreError("it does not answer")


def test_where_no_store_takes_an_entry_nothing_may_be_done(tmp_path: Path) -> None:
    store = NotWritable()
    store.contents.files["vault.json"] = make_store().contents.files["vault.json"]
    with pytest.raises(ArchiverError, match="the log cannot be written, so nothing is done") as caught:
        act(log_of([("vault", store)], tmp_path))
    assert caught.value.exit_code == 1


def test_another_store_takes_over_and_is_given_what_it_lacks(tmp_path: Path) -> None:
    first, second = make_store(), make_store()
    act(log_of([("first", first), ("second", second)], tmp_path), 2)
    assert entries(second) == []
    act(log_of([("first", Away()), ("second", second)], tmp_path), 1)
    assert len(entries(second)) == 6
    assert problems(second) == []
    act(log_of([("first", first), ("second", second)], tmp_path), 1)
    assert len(entries(first)) == 8, "the first is given what the second took"
    assert problems(first) == []


def test_a_store_that_holds_another_vault_takes_nothing(tmp_path: Path) -> None:
    other = MemoryStore()
    other.put_new("vault.json", b'{"vault": "another"}')
    with pytest.raises(ArchiverError, match="does not hold this vault"):
        act(log_of([("vault", other)], tmp_path))


def test_a_chain_that_another_key_signs_is_not_gone_on_with(tmp_path: Path) -> None:
    store = make_store()
    act(log_of([("vault", store)], tmp_path))
    (tmp_path / "b").mkdir()
    with pytest.raises(ConfigurationError, match="is not the one that signs the log"):
        act(log_of([("vault", store)], tmp_path / "b", key=OTHER_KEY))


def test_a_key_that_an_entry_names_signs_what_comes_after(tmp_path: Path) -> None:
    from archiver.audit.entry import make_entry

    store = make_store()
    log = log_of([("vault", store)], tmp_path)
    entry = make_entry(Asked("key", "keys"), ACTOR, nonce=new_nonce(), at="2026-11-26T00:00:00.000Z")
    log.write(entry, next_signer=OTHER_KEY.public_line())
    (tmp_path / "b").mkdir()
    act(log_of([("vault", store)], tmp_path / "b", key=OTHER_KEY), 2)
    assert problems(store) == []
    assert len(entries(store)) == 5


def test_an_entry_names_the_ends_of_other_chains_and_the_last_archive(tmp_path: Path) -> None:
    store = make_store()
    act(log_of([("vault", store)], tmp_path, chain="second", key=OTHER_KEY), 3)
    head = Head(4, "ab" * 32)
    (one,) = act(log_of([("vault", store)], tmp_path, others=("second", "nobody"), archives=head))
    assert one.begin.link.archives == head
    assert one.begin.link.logs["second"].sequence == 6
    assert list(one.begin.link.logs) == ["second"]


def test_what_is_said_of_another_vault_is_kept_apart(tmp_path: Path) -> None:
    store = make_store()
    act(log_of([("vault", store)], tmp_path))
    saved = json.loads((tmp_path / "records.log-head").read_text())
    assert list(saved["vaults"]) == [VAULT]
    assert saved["vaults"][VAULT]["sequence"] == 2


def test_a_damaged_note_of_the_end_is_not_passed_over(tmp_path: Path) -> None:
    store = make_store()
    act(log_of([("vault", store)], tmp_path))
    (tmp_path / "records.log-head").write_text("{}")
    with pytest.raises(IntegrityError, match="it is damaged"):
        act(log_of([("vault", store)], tmp_path))


def test_an_entry_far_away_is_one_request_and_the_end_is_looked_for_once_a_process(tmp_path: Path) -> None:
    store = make_store(is_near=False)
    act(log_of([("vault", store)], tmp_path))
    log = log_of([("vault", store)], tmp_path)
    act(log)
    store.forget_counts()
    act(log)
    assert store.requests == 2, "one for the beginning and one for the end"


def test_the_end_given_by_a_person_must_be_there(tmp_path: Path) -> None:
    store = make_store()
    (one,) = act(log_of([("vault", store)], tmp_path))
    assert one.ended is not None
    assert problems(store, Noted("records", one.ended.head, "a note")) == []
    (wrong,) = problems(store, Noted("records", Head(9, "ab" * 32), "a note"))
    assert "ends at entry 2, and a note has noted entry 9" in wrong
