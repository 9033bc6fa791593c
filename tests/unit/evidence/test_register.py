"""The register of exhibits: numbers are taken once, by one person, and never again."""

import multiprocessing
import subprocess
from pathlib import Path

import msgspec
import pytest

from archiver.errors import ArchiverError, IntegrityError, StoreError, UsageError
from archiver.evidence.references import Reference
from archiver.evidence.register import (
    Claim,
    Finished,
    Register,
    finished_name,
    list_exhibits,
    taken_name,
)
from archiver.formats import age
from archiver.stores.base import ExistsInStoreError, Store
from archiver.stores.local import LocalStore
from archiver.stores.s3 import S3Options, S3Store
from archiver.sync.additions import EXHIBITS
from tests.memory_store import MemoryStore
from tests.programs import require_program
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]

HOLDER = age.X25519Identity.generate()
STRANGER = age.X25519Identity.generate()
RECIPIENTS = [HOLDER.recipient()]
CLAIM = Claim("ABC", "A. B. C., Disclosure", "SP/2026/0417", "disclosure")
VAULT = "made-for-a-test"
SAID = Finished(12, "ab" * 64, True, ("html", "csv"), "Springfield Complaints Authority")


def clock() -> int:
    return 1_790_000_000_000


def take(register: Register, claim: Claim = CLAIM, *identities: age.X25519Identity) -> str:
    return register.take(claim, RECIPIENTS, identities or [HOLDER], clock).written


def entry(store: Store, name: str) -> dict[str, object]:
    found: dict[str, object] = msgspec.json.decode(age.decrypt([HOLDER], store.read(name, 10_000)))
    return found


def test_numbers_are_given_in_turn_for_each_person_and_written_as_the_format_says() -> None:
    store = MemoryStore()
    register = Register(VAULT, store)
    other = Claim("XYZ", "X. Y. Z.", "SP/1", "disclosure")
    assert [take(register), take(register), take(register, other), take(register)] == [
        "ABC/1", "ABC/2", "XYZ/1", "ABC/3",
    ]  # fmt: skip
    assert entry(store, "exhibits/ABC/00000002.json.age") == {
        "format": "archiver-exhibit-1",
        "exhibit": "ABC/2",
        "produced_by": "A. B. C., Disclosure",
        "case": "SP/2026/0417",
        "keyholder": "disclosure",
        "made_at": "2026-09-21T14:13:20.000Z",
        "vault": VAULT,
    }
    register.finish(Reference("ABC", 2), SAID, RECIPIENTS, clock)
    assert entry(store, "exhibits/ABC/00000002.pack.json.age") == {
        "format": "archiver-exhibit-pack-1",
        "exhibit": "ABC/2",
        "records": 12,
        "sha512": "ab" * 64,
        "redacted": True,
        "formats": ["html", "csv"],
        "recipient": "Springfield Complaints Authority",
        "encrypted": False,
        "finished_at": "2026-09-21T14:13:20.000Z",
        "archives": [],
    }


def test_a_pack_is_finished_once() -> None:
    register = Register(VAULT, MemoryStore())
    take(register)
    register.finish(Reference("ABC", 1), SAID, RECIPIENTS, clock)
    with pytest.raises(ExistsInStoreError):
        register.finish(Reference("ABC", 1), SAID, RECIPIENTS, clock)


def test_a_number_whose_pack_was_never_made_is_not_given_again() -> None:
    store = MemoryStore()
    take(Register(VAULT, store))
    assert take(Register(VAULT, MemoryStore.of_same(store))) == "ABC/2"


def test_the_age_program_opens_an_entry(tmp_path: Path) -> None:
    program = require_program("age")
    store = LocalStore(tmp_path)
    take(Register(VAULT, store))
    key = tmp_path / "key.txt"
    key.write_text(HOLDER.encode() + "\n")
    path = tmp_path / taken_name(Reference("ABC", 1))
    opened = subprocess.run([program, "-d", "-i", key, path], check=True, capture_output=True).stdout
    assert b'"exhibit": "ABC/1"' in opened


def test_an_emptied_first_store_does_not_begin_again() -> None:
    other = MemoryStore()
    first = MemoryStore()
    register = Register(VAULT, first, [other])
    assert [take(register) for _ in range(3)] == ["ABC/1", "ABC/2", "ABC/3"]
    assert other.contents.files == first.contents.files
    emptied = Register(VAULT, MemoryStore(), [other])
    assert take(emptied) == "ABC/4"
    with pytest.raises(UsageError):
        take(emptied, Claim("ABC", "Another Person", "SP/1", "disclosure"))


def test_a_gap_is_not_filled() -> None:
    store = MemoryStore()
    register = Register(VAULT, store)
    for _ in range(3):
        take(register)
    del store.contents.files[taken_name(Reference("ABC", 2))]
    assert take(register) == "ABC/4"


def test_a_pack_alone_keeps_its_number_from_being_given_again() -> None:
    store = MemoryStore()
    Register(VAULT, store).finish(Reference("ABC", 7), SAID, RECIPIENTS, clock)
    assert take(Register(VAULT, store)) == "ABC/8"


class Lagging(MemoryStore):
    """Does not list yet what it has."""

    def list(self, prefix: str = ""):  # type: ignore[no-untyped-def]  # as above it
        return iter(())


def test_a_store_whose_list_lags_still_gives_no_number_twice() -> None:
    store = MemoryStore()
    for _ in range(3):
        take(Register(VAULT, store))
    assert take(Register(VAULT, Lagging(contents=store.contents))) == "ABC/4"


class Away(MemoryStore):
    def list(self, prefix: str = ""):  # type: ignore[no-untyped-def]  # as above it
        raise StoreError("it is away")


def test_another_store_that_is_away_is_noted_and_the_first_one_decides() -> None:
    class Full(MemoryStore):
        def create(self, name: str, *, sha256: str | None = None):  # type: ignore[no-untyped-def]  # as above it
            raise StoreError("it is full")

    register = Register(VAULT, MemoryStore(), [Full()])
    assert take(register) == "ABC/1"
    assert [str(one) for one in register.not_copied] == ["it is full"]
    with pytest.raises(StoreError, match="it is full"):
        take(Register(VAULT, Full()))
    with pytest.raises(StoreError, match="it is away"):
        take(Register(VAULT, Away()))


def test_two_hosts_that_number_apart_from_each_other_are_told() -> None:
    one, other = MemoryStore(), MemoryStore()
    take(Register(VAULT, one))
    lagging = Lagging(contents=one.contents)
    with pytest.raises(IntegrityError, match="other bytes") as error:
        take(Register(VAULT, other, [lagging]))
    assert "apart from each other" in str(error.value.hint)


def test_the_initials_of_another_person_are_refused_with_a_hint() -> None:
    register = Register(VAULT, MemoryStore())
    take(register)
    with pytest.raises(UsageError, match="those of another person, since ABC/1") as error:
        take(register, Claim("ABC", "Anna Other", "SP/1", "disclosure"))
    assert "as ABC2" in str(error.value.hint)
    assert "A. B. C." not in str(error.value)
    assert take(register, Claim("ABC2", "Anna Other", "SP/1", "disclosure")) == "ABC2/1"
    assert take(register, Claim("ABC", "a. b. c.,  DISCLOSURE", "SP/1", "disclosure")) == "ABC/2"


def test_whose_initials_they_are_says_the_first_entry_that_opens() -> None:
    store = MemoryStore()
    register = Register(VAULT, store)
    take(register)
    store.put_new(taken_name(Reference("ABC", 2)), b"no age file")
    register.take(CLAIM, [STRANGER.recipient()], [HOLDER], clock)
    other = Claim("ABC", "Anna Other", "SP/1", "disclosure")
    with pytest.raises(UsageError):
        take(register, other)
    assert take(register, other, age.X25519Identity.generate()) == "ABC/4"  # nothing opens: nobody can tell


@pytest.mark.parametrize("initials", ["abc", "A", "ABC/1", "ABCDE", "A1B"])
def test_malformed_initials_take_no_number(initials: str) -> None:
    store = MemoryStore()
    with pytest.raises(UsageError, match="initials"):
        take(Register(VAULT, store), Claim(initials, "A. B. C.", "SP/1", "disclosure"))
    assert store.contents.files == {}


@pytest.mark.parametrize("field", ["produced_by", "case", "keyholder"])
def test_an_exhibit_without_a_name_or_case_takes_no_number(field: str) -> None:
    fields = {"initials": "ABC", "produced_by": "A", "case": "C", "keyholder": "K", field: "  "}
    with pytest.raises(UsageError, match=f"needs its {field.replace('_', ' ')}"):
        take(Register(VAULT, MemoryStore()), Claim(**fields))


def test_after_the_highest_number_there_is_none() -> None:
    store = MemoryStore()
    store.put_new("exhibits/ABC/99999999.json.age", b"anything")
    with pytest.raises(ArchiverError, match="100000000 cannot be"):
        take(Register(VAULT, store))


def test_names_that_are_no_entries_are_not_counted() -> None:
    store = MemoryStore()
    for name in ("5.json.age", "00000009.json", "0000000x.json.age", "deeper/00000007.json.age"):
        store.put_new(f"exhibits/ABC/{name}", b"odd")
    assert take(Register(VAULT, store)) == "ABC/1"


# The list


def test_the_list_says_who_took_what_and_whether_it_was_finished() -> None:
    store = MemoryStore()
    register = Register(VAULT, store)
    for _ in range(3):
        take(register)
    take(register, Claim("AA", "Anna Adams", "SP/1", "disclosure"))
    register.finish(Reference("ABC", 2), SAID, RECIPIENTS, clock)
    listed = list_exhibits(store, [HOLDER], VAULT)
    assert [one.reference.written for one in listed] == ["AA/1", "ABC/1", "ABC/2", "ABC/3"]
    assert [one.is_finished for one in listed] == [False, False, True, False]
    assert listed[2].finished is not None
    assert (listed[2].finished.records, listed[2].finished.sha512) == (12, "ab" * 64)
    assert [one.taken.produced_by for one in listed if one.taken] == [
        "Anna Adams",
        *["A. B. C., Disclosure"] * 3,
    ]
    assert [one.problems for one in listed] == [()] * 4


def test_what_cannot_be_opened_is_listed_by_its_number_alone() -> None:
    store = MemoryStore()
    register = Register(VAULT, store)
    take(register)
    register.finish(Reference("ABC", 1), SAID, RECIPIENTS, clock)
    (listed,) = list_exhibits(store, [STRANGER], VAULT)
    assert (listed.reference.written, listed.taken, listed.finished) == ("ABC/1", None, None)
    assert listed.is_finished
    assert [str(one) for one in listed.problems] == [
        f"exhibits/ABC/{name}: none of these identities opens it"
        for name in ("00000001.json.age", "00000001.pack.json.age")
    ]


def sealed(fields: object) -> bytes:
    return age.encrypt(RECIPIENTS, fields if isinstance(fields, bytes) else msgspec.json.encode(fields))


GOOD = {
    "format": "archiver-exhibit-1", "exhibit": "ABC/1", "produced_by": "A", "case": "C", "keyholder": "K",
    "made_at": "2026-11-01T00:00:00.000Z", "vault": VAULT,
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no age file", "00000001.json.age: "),
        (sealed(GOOD)[:-1], "00000001.json.age: "),
        (sealed(b"\xff"), "is not a JSON document"),
        (sealed(b"[]"), "is not a JSON object"),
        (sealed(b"[" * 100_000), "is not a JSON document"),
        (sealed(b'{"format":"x","format":"y"}'), "twice"),
        (sealed({"format": "archiver-exhibit-1"}), "is no entry of the register"),
        (sealed({**GOOD, "case": 5}), "is no entry of the register"),
        (
            sealed({**GOOD, "format": "archiver-exhibit-9"}),
            "made by a newer version of this program: it has the format archiver-exhibit-9",
        ),
        (sealed({**GOOD, "exhibit": "ABC/2"}), "is the entry of 'ABC/2'"),
        (sealed({**GOOD, "vault": "another"}), "is of another vault, another"),
        (b"x" * (1 << 20) + b"x", "has 1048577 bytes"),
    ],
)
def test_a_damaged_or_moved_entry_is_named(data: bytes, said: str) -> None:
    store = MemoryStore()
    store.put_new("exhibits/ABC/00000001.json.age", data)
    (listed,) = list_exhibits(store, [HOLDER], VAULT)
    assert said in str(listed.problems[0])


def test_a_number_that_was_removed_shows_and_an_odd_name_makes_no_million_of_them() -> None:
    store = MemoryStore()
    register = Register(VAULT, store)
    for _ in range(4):
        take(register)
    del store.contents.files[taken_name(Reference("ABC", 2))]
    store.put_new(finished_name(Reference("ABC", 99_999_999)), b"odd")
    listed = list_exhibits(store, [HOLDER], VAULT)
    assert [one.reference.number for one in listed] == [1, 2, 3, 4, 5, 99_999_999]
    assert "00000002.json.age is missing" in str(listed[1].problems[0])


def test_every_entry_is_one_that_sync_copies() -> None:
    store = MemoryStore()
    register = Register(VAULT, store)
    take(register)
    register.finish(Reference("ABC", 1), SAID, RECIPIENTS, clock)
    assert len(store.contents.files) == 2
    assert all(EXHIBITS.is_one(name, data) for name, data in store.contents.files.items())


# Two at once


def take_many(options: "Path | S3Options", start: object, count: int) -> list[str]:
    store = LocalStore(options) if isinstance(options, Path) else S3Store(options)
    register = Register(VAULT, store)
    start.wait()  # type: ignore[attr-defined]  # a barrier, whose type is not public
    return [take(register) for _ in range(count)]


def taken_by_two(options: "Path | S3Options") -> list[str]:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        start = manager.Barrier(2)
        with context.Pool(2) as pool:
            results = [pool.apply_async(take_many, (options, start, 20)) for _ in range(2)]
            return [one for result in results for one in result.get(240)]


def test_two_processes_that_take_twenty_each_never_take_the_same(tmp_path: Path) -> None:
    taken = taken_by_two(tmp_path)
    assert sorted(taken) == sorted(f"ABC/{number}" for number in range(1, 41))


def test_two_processes_that_take_twenty_each_in_a_bucket_never_take_the_same(seaweed: Seaweed) -> None:
    options = seaweed.options(seaweed.make_bucket("versioned"))
    assert sorted(taken_by_two(options)) == sorted(f"ABC/{number}" for number in range(1, 41))
    listed = list_exhibits(S3Store(options), [HOLDER], VAULT)
    assert [one.reference.number for one in listed] == list(range(1, 41))
