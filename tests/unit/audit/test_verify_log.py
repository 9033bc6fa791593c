"""What was done to a log shows, without a private key."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.audit.acts import Act
from archiver.audit.entry import Asked
from archiver.audit.names import COLLECTOR, entry_name, signers_line, signers_name
from archiver.audit.verify import Against, verify_log
from archiver.audit.writing import Known, make_next, new_nonce
from archiver.chain import Head
from archiver.formats.ssh_signature import AllowedSigners, allowed_signers_line
from archiver.times import format_time
from tests.memory_store import MemoryStore
from tests.unit.audit.logs import (
    ACTOR,
    KEY,
    NOW,
    OTHER_KEY,
    VAULT,
    act,
    log_of,
    make_store,
    problems,
    writer,
)

ACTS = 5


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    """Two chains, each of which names the other's end."""
    store = make_store()
    for _ in range(ACTS):
        for chain, key in (("records", KEY), ("second", OTHER_KEY)):
            folder = tmp_path / chain
            folder.mkdir(exist_ok=True)
            others = ("records", "second")
            act(log_of([("vault", store)], folder, chain=chain, key=key, others=others), 1)
    return store


def name(number: int) -> str:
    return entry_name("records", number)


def remove(store: MemoryStore) -> str:
    del store.contents.files[name(5)]
    return f"{name(5)} of the log is missing"


def remove_some(store: MemoryStore) -> str:
    for number in (4, 5, 6):
        del store.contents.files[name(number)]
    return f"{name(4)} to 00000006 of the log is missing"


def remove_first(store: MemoryStore) -> str:
    del store.contents.files[name(1)]
    return f"{name(1)} of the log is missing"


def cut_off(store: MemoryStore) -> str:
    for number in range(8, 2 * ACTS + 1):
        del store.contents.files[name(number)]
    return "the log of records ends at entry 7, and audit/second/"


def remove_the_chain(store: MemoryStore) -> str:
    for one in [one for one in store.contents.files if one.startswith("audit/records/")]:
        del store.contents.files[one]
    return "the log of records ends at entry 0, and audit/second/"


def swap(store: MemoryStore) -> str:
    files = store.contents.files
    files[name(4)], files[name(5)] = files[name(5)], files[name(4)]
    return name(4)


def replace(store: MemoryStore) -> str:
    """With an entry that the right key signed, in the right place, but another one."""
    before = store.contents.files[name(4)]
    store.contents.files[name(5)] = before
    return name(5)


def alter_sealed(store: MemoryStore) -> str:
    data = bytearray(store.contents.files[name(5)])
    data[-1100] ^= 1
    store.contents.files[name(5)] = bytes(data)
    return name(5)


def sign_anew(store: MemoryStore) -> str:
    """All that comes after the third, by another key."""
    from archiver.audit.ends import look_at
    from archiver.audit.entry import make_entry

    before = look_at(store, "records", 3)
    assert before is not None
    head: Head | None = before.head
    for number in range(4, 2 * ACTS + 1):
        entry = make_entry(Asked("show", "show"), ACTOR, nonce=new_nonce(), at=format_time(NOW))
        made = make_next(writer(key=OTHER_KEY), head, entry, Known())
        store.contents.files[name(number)] = made.data
        head = made.head
    return f"{name(4)} is signed by somebody else"


def write_anew(store: MemoryStore) -> str:
    """The whole chain, by its own key: only what others noted tells."""
    from archiver.audit.entry import make_entry

    head: Head | None = None
    for number in range(1, 2 * ACTS + 1):
        entry = make_entry(Asked("show", "show"), ACTOR, nonce=new_nonce(), at=format_time(NOW))
        made = make_next(writer(), head, entry, Known())
        store.contents.files[name(number)] = made.data
        head = made.head
    return "is not the one that audit/second/"


def change_signers(store: MemoryStore) -> str:
    store.contents.files[signers_name("records")] = signers_line("records", OTHER_KEY.public_line())
    return f"{name(1)} is signed by somebody else"


def remove_signers(store: MemoryStore) -> str:
    del store.contents.files[signers_name("records")]
    return f"{signers_name('records')} is missing"


def spoil_signers(store: MemoryStore) -> str:
    store.contents.files[signers_name("records")] = b"records cert-authority nonsense"
    return f"{signers_name('records')} is no list of signers"


def put_in(store: MemoryStore) -> str:
    store.contents.files["audit/records/notes.txt"] = b"x"
    return "audit/records/notes.txt is not of the log"


def take_from_another_chain(store: MemoryStore) -> str:
    store.contents.files[name(5)] = store.contents.files[entry_name("second", 5)]
    return f"{name(5)} is number 5 of the log of 'second'"


def huge(store: MemoryStore) -> str:
    store.contents.files[name(5)] = bytes(5 << 20)
    return name(5)


HARMS: list[Callable[[MemoryStore], str]] = [
    remove, remove_some, remove_first, cut_off, remove_the_chain, swap, replace, alter_sealed, sign_anew,
    write_anew, change_signers, remove_signers, spoil_signers, put_in, take_from_another_chain, huge,
]  # fmt: skip


def test_a_whole_log_has_no_problem(store: MemoryStore) -> None:
    result = verify_log(store, Against(VAULT))
    assert result.problems == []
    assert result.entries == 4 * ACTS
    assert {chain: head.sequence for chain, head in result.heads.items()} == {
        "records": 2 * ACTS,
        "second": 2 * ACTS,
    }


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_harm_to_a_log_is_named(store: MemoryStore, harm: Callable[[MemoryStore], str]) -> None:
    expected = harm(store)
    result = verify_log(store, Against(VAULT))
    assert {one.exit_code for one in result.problems} == {20}
    assert any(expected in one.message for one in result.problems), [one.message for one in result.problems]


def test_one_entry_that_is_gone_is_one_problem(store: MemoryStore) -> None:
    remove(store)
    assert len(problems(store)) == 1


def test_a_log_of_another_vault_is_named(store: MemoryStore) -> None:
    result = verify_log(store, Against("another"))
    assert "belongs to the vault" in result.problems[0].message


def test_an_archive_that_the_log_has_noted_must_be_there(tmp_path: Path) -> None:
    store = make_store()
    head = Head(3, "ab" * 32)
    act(log_of([("vault", store)], tmp_path, archives=head))
    assert verify_log(store, Against(VAULT, archives={3: head.sha256})).problems == []
    (missing,) = verify_log(store, Against(VAULT, archives={})).problems
    assert "archive number 3 is missing, which audit/records/00000001.tar has noted" in missing.message
    (other,) = verify_log(store, Against(VAULT, archives={3: "cd" * 32})).problems
    assert "archive number 3 is another one" in other.message


def test_the_collectors_chain_must_be_signed_with_a_key_of_the_vault(tmp_path: Path) -> None:
    store = make_store()
    act(log_of([("vault", store)], tmp_path, chain="records"))
    moved = make_store()
    moved.put_new(signers_name(COLLECTOR), signers_line(COLLECTOR, OTHER_KEY.public_line()))
    entry_writer = writer(COLLECTOR, OTHER_KEY)
    from archiver.audit.entry import make_entry

    entry = make_entry(Asked("seal", "seal"), ACTOR, nonce=new_nonce(), at=format_time(NOW))
    made = make_next(entry_writer, None, entry, Known())
    moved.put_new(made.name, made.data)
    for key, found in ((OTHER_KEY, 0), (KEY, 1)):
        vault = AllowedSigners.parse(
            allowed_signers_line("collector", key.public_line(), ["archiver-manifest"])
        )
        assert len(verify_log(moved, Against(VAULT, vault)).problems) == found


def test_what_is_written_while_the_log_is_read_is_no_end_cut_off(tmp_path: Path) -> None:
    class Busy(MemoryStore):
        """Another process adds entries after the names were listed."""

        def list(self, prefix: str = "") -> object:  # type: ignore[override]
            listed = [one for one in super().list(prefix) if one not in later]
            return iter(listed)

    later: set[str] = set()
    contents = make_store().contents
    store = Busy(contents=contents)
    act(log_of([("vault", store)], tmp_path / "a", chain="records"), 1) if (tmp_path / "a").mkdir() else None
    act(log_of([("vault", store)], tmp_path / "a", chain="records"), 1)
    before = set(contents.files)
    act(log_of([("vault", store)], tmp_path / "a", chain="records"), 1)
    later |= {one for one in contents.files if one not in before}
    (tmp_path / "b").mkdir()
    act(log_of([("vault", store)], tmp_path / "b", chain="second", key=OTHER_KEY, others=("records",)), 1)
    assert problems(store) == []
    for one in later:
        del contents.files[one]
    assert "the log of records ends at entry 2" in problems(store)[0]


def test_an_act_that_is_under_way_is_whole(tmp_path: Path) -> None:
    store = make_store()
    Act(log_of([("vault", store)], tmp_path), ACTOR, Asked("show", "show"), lambda: NOW)
    assert problems(store) == []
