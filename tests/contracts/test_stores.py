"""What every store must do, run against each kind there is."""

import hashlib
import io
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from archiver.disk import TakenError, create_exclusively
from archiver.errors import ArchiverError, IntegrityError, NoVaultError
from archiver.stores.base import ExistsInStoreError, Inspection, NotInStoreError, Store
from archiver.stores.local import SET_ASIDE, LocalStore
from archiver.stores.s3 import S3Store
from tests.memory_store import MemoryStore
from tests.programs import PROJECT
from tests.seaweed import Seaweed, as_kind, seaweed

__all__ = ["seaweed"]

StoreMaker = Callable[[], Store]
"""Opens the same store once more, as another process would."""


@pytest.fixture(params=["local", "memory", "memory far away", "s3 locked", "s3 versioned", "s3 plain"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_store(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> StoreMaker:
    if kind == "local":
        root = tmp_path / "vault"
        root.mkdir()
        return lambda: LocalStore(root)
    if kind.startswith("memory"):
        first = MemoryStore(is_near=kind == "memory")
        return lambda: MemoryStore.of_same(first)
    server: Seaweed = request.getfixturevalue("seaweed")
    options = server.options(server.make_bucket(as_kind(kind.split()[1])), prefix="force/")
    return lambda: S3Store(options)


@pytest.fixture
def store(open_store: StoreMaker) -> Store:
    return open_store()


def test_what_was_put_is_read_back_exactly(store: Store) -> None:
    store.put_new("vault.json", b"{}")
    store.put_new("archives/2026-11-01/records-000.sqlite.zst.age", io.BytesIO(bytes(range(256)) * 9000))
    assert store.read("vault.json", 100) == b"{}"
    assert store.size("archives/2026-11-01/records-000.sqlite.zst.age") == 256 * 9000
    assert store.read("archives/2026-11-01/records-000.sqlite.zst.age", 1 << 24) == bytes(range(256)) * 9000


def test_an_empty_file_is_a_file(store: Store) -> None:
    store.put_new("empty", b"")
    assert store.exists("empty")
    assert store.size("empty") == 0
    assert store.read("empty", 0) == b""


def test_another_opening_of_the_store_sees_it_at_once(open_store: StoreMaker) -> None:
    open_store().put_new("a/b", b"data")
    assert open_store().read("a/b", 4) == b"data"


def test_a_writer_shows_its_file_only_when_it_is_whole(store: Store) -> None:
    with store.create("a/b") as writer:
        writer.write(b"first ")
        writer.write(memoryview(b"second"))
        assert not store.exists("a/b")
        assert list(store.list()) == []
    assert store.read("a/b", 100) == b"first second"


def test_a_failing_writer_leaves_nothing(store: Store, open_store: StoreMaker) -> None:
    def write_half() -> None:
        with store.create("a/b") as writer:
            writer.write(bytes(1_000_000))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert not store.exists("a/b")
    assert list(store.list()) == []
    assert open_store().delete_partial() == 0
    store.put_new("a/b", b"a later one")


def test_a_source_that_fails_while_it_is_copied_leaves_nothing(store: Store) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if not data:
                raise IntegrityError("the source broke")
            return data

    with pytest.raises(IntegrityError, match="the source broke"):
        store.put_new("a", Breaking(bytes(5_000_000)))
    assert list(store.list()) == []


def test_nothing_is_ever_replaced(store: Store) -> None:
    store.put_new("a/b", b"first")
    with pytest.raises(ExistsInStoreError, match=r"^a/b is in .* already$"):
        store.put_new("a/b", b"second")
    with pytest.raises(ExistsInStoreError), store.create("a/b"):
        pytest.fail("the writer must not begin")
    assert store.read("a/b", 100) == b"first"


def test_an_entry_of_the_log_is_put_once_and_looked_at_as_it_lies_now(store: Store) -> None:
    name = "audit/records/00000001.tar"
    assert store.look(name, 100) is None
    store.append(name, b"first")
    with pytest.raises(ExistsInStoreError):
        store.append(name, b"second")
    assert store.look(name, 100) == b"first"
    assert store.read(name, 100) == b"first"
    with pytest.raises(IntegrityError):
        store.look(name, 4)
    assert list(store.list("audit/")) == [name]
    for wrong in ("../x", "/x", "audit//x"):
        with pytest.raises(ArchiverError):
            store.append(wrong, b"x")
        with pytest.raises(ArchiverError):
            store.look(wrong, 10)


def race(first: Store, second: Store, name: str) -> list[str]:
    """Two writers, both at work before either ends; return what the winners wrote."""
    barrier, winners, losers = threading.Barrier(2), list[str](), list[str]()

    def write(store: Store, content: str) -> None:
        try:
            with store.create(name) as writer:
                writer.write(content.encode())
                barrier.wait(10)
        except ExistsInStoreError:
            losers.append(content)
        else:
            winners.append(content)

    threads = [threading.Thread(target=write, args=pair) for pair in ((first, "one"), (second, "two"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(winners + losers) == ["one", "two"]
    return winners


def test_of_two_writers_of_one_name_exactly_one_wins(open_store: StoreMaker, kind: str) -> None:
    for number in range(3 if kind.startswith("s3") else 40):
        winners = race(open_store(), open_store(), f"race/{number}")
        assert [open_store().read(f"race/{number}", 100).decode()] == winners
    assert open_store().delete_partial() == 0


def test_any_part_can_be_read_and_the_end_cuts_it_short(store: Store) -> None:
    data = os.urandom(200_000)
    store.put_new("a", data)
    with store.open_random("a") as file:
        assert file.size == 200_000
        for offset, length in ((0, 1), (65_535, 2), (0, 200_000), (199_999, 1), (131_072, 68_928)):
            assert file.read_at(offset, length) == data[offset : offset + length]
        assert file.read_at(199_990, 100) == data[199_990:]
        assert file.read_at(200_000, 10) == b""
        assert file.read_at(300_000, 10) == b""


def test_a_closed_file_is_not_read(store: Store) -> None:
    store.put_new("a", b"data")
    file = store.open_random("a")
    file.close()
    file.close()
    with pytest.raises(ArchiverError):
        file.read_at(0, 1)


def test_a_small_file_that_is_too_large_is_refused(store: Store) -> None:
    store.put_new("vault.json", bytes(101))
    assert len(store.read("vault.json", 101)) == 101
    with pytest.raises(IntegrityError, match=r"vault\.json has 101 bytes where at most 100"):
        store.read("vault.json", 100)


def test_what_is_missing_is_named_and_counts_as_an_integrity_error(store: Store) -> None:
    store.put_new("a/b", b"")
    for name in ("absent", "a", "a/b/c", "a/absent"):
        assert not store.exists(name)
        for attempt in (store.open_random, store.size, lambda name: store.read(name, 10)):
            with pytest.raises(NotInStoreError, match=f"^{name} is missing from "):
                attempt(name)
    assert NotInStoreError("a", "b").exit_code == 20


def test_names_are_listed_sorted_and_by_how_they_begin(store: Store) -> None:
    names = [
        "archives/2026-11-01.2/key.age",
        "archives/2026-11-01/key.age",
        "archives/2026-11-01/manifest.json",
        "archives/2026-12-01/key.age",
        "vault.json",
    ]
    for name in reversed(names):
        store.put_new(name, b"")
    assert list(store.list()) == names
    assert list(store.list("archives/2026-11-01")) == names[:3]
    assert list(store.list("archives/2026-11-01/")) == names[1:3]
    assert list(store.list("archives/2026-11-01/m")) == names[2:3]
    assert list(store.list("v")) == ["vault.json"]
    assert list(store.list("archives/2027-01-01/")) == []
    assert list(store.list("nothing")) == []


ODD_NAMES = (
    "", "/", "/absolute", "a//b", "a/", "..", "a/../b", "../a", ".", "a/./b", ".hidden", "a/.partial-1-2",
    "a b", "a\\b", "a\0b", "a\nb", "ä", "a" * 1025, "a" * 201, "-rf", "C:/a", "a/b\n",
)  # fmt: skip


def test_names_that_lead_elsewhere_are_refused_everywhere(store: Store) -> None:
    attempts: list[Callable[[str], object]] = [
        lambda name: store.put_new(name, b""),
        store.open_random,
        lambda name: store.read(name, 1),
        store.exists,
        store.size,
        lambda name: store.replace_key(f"{name}/../key.age", b""),
    ]
    for name in ODD_NAMES:
        for attempt in attempts:
            with pytest.raises(ArchiverError, match="cannot be a file's name in a store"):
                attempt(name)
    assert list(store.list()) == []


def test_a_listing_does_not_leave_the_store(store: Store) -> None:
    with pytest.raises(ArchiverError, match="cannot be a file's name"):
        store.list("../")


def test_an_archives_key_can_be_replaced_and_nothing_else(store: Store) -> None:
    store.put_new("archives/2026-11-01/key.age", b"old")
    store.put_new("archives/2026-11-01/manifest.json", b"old")
    store.replace_key("archives/2026-11-01/key.age", b"new")
    assert store.read("archives/2026-11-01/key.age", 100) == b"new"
    with pytest.raises(ArchiverError, match="sealed and is never replaced"):
        store.replace_key("archives/2026-11-01/manifest.json", b"new")
    with pytest.raises(ArchiverError, match="sealed and is never replaced"):
        store.replace_key("key.age", b"new")
    assert store.read("archives/2026-11-01/manifest.json", 100) == b"old"


def test_a_key_that_is_not_there_is_not_made_by_replacing_it(store: Store) -> None:
    with pytest.raises(NotInStoreError):
        store.replace_key("archives/2026-11-01/key.age", b"new")
    assert list(store.list()) == []


def test_a_destroyed_key_is_gone_in_every_version_and_from_what_was_set_aside(
    store: Store, open_store: StoreMaker
) -> None:
    key, other = "archives/2026-11-01/key.age", "archives/2026-11-01.2/key.age"
    for name in (key, other, "archives/2026-11-01/manifest.json"):
        store.put_new(name, b"old")
    store.replace_key(key, b"new")
    store.put_back(key, b"right", sha256=hashlib.sha256(b"right").hexdigest())
    assert store.read(key, 100) == b"right"
    store.destroy_key(key)
    for one in (store, open_store()):
        assert list(one.list()) == [other, "archives/2026-11-01/manifest.json"]
        assert not one.exists(key)
        assert one.look(key, 100) is None
        for read in (one.read, one.read_versions):
            with pytest.raises(NotInStoreError):
                read(key, 100)
    store.destroy_key(key)  # one that is not there is well
    for name in ("archives/2026-11-01/manifest.json", "key.age"):
        with pytest.raises(ArchiverError, match="sealed and is never replaced"):
            store.destroy_key(name)
    assert store.read(other, 100) == b"old"


def test_what_a_killed_sealing_left_is_discarded_and_a_sealed_archive_never(store: Store) -> None:
    for archive in ("2026-11-01", "2026-12-01"):
        store.put_new(f"archives/{archive}/key.age", b"")
        store.put_new(f"archives/{archive}/records-000.sqlite.zst.age", b"")
    store.put_new("archives/2026-11-01/manifest.json", b"{}")
    store.discard_unfinished("2026-12-01")
    store.discard_unfinished("2027-01-01")
    with pytest.raises(IntegrityError, match="archives/2026-11-01 is sealed"):
        store.discard_unfinished("2026-11-01")
    assert list(store.list()) == [
        f"archives/2026-11-01/{name}" for name in ("key.age", "manifest.json", "records-000.sqlite.zst.age")
    ]
    for archive in ("..", "", "../archives/2026-11-01", "."):
        with pytest.raises(ArchiverError, match="cannot be a file's name"):
            store.discard_unfinished(archive)


def test_a_store_says_whether_it_is_near(store: Store, kind: str) -> None:
    assert store.is_near == (kind in ("local", "memory"))


def test_what_has_not_the_sha256_it_must_have_leaves_nothing(store: Store) -> None:
    for data in (b"right", bytes(9_000_000)):
        digest = hashlib.sha256(data).hexdigest()
        with pytest.raises(IntegrityError, match="what was to become a/b has not the SHA-256 it must have"):
            store.put_new("a/b", data + b"!", sha256=digest)
        assert not store.exists("a/b")
        assert list(store.list()) == []
    store.put_new("a/b", b"right", sha256=hashlib.sha256(b"right").hexdigest())
    assert store.read("a/b", 100) == b"right"


@pytest.mark.parametrize("kind", ["local", "memory", "s3 locked"], indirect=True)
def test_more_names_are_listed_than_fit_into_one_answer(store: Store, open_store: StoreMaker) -> None:
    """S3 answers with 1,000 at most."""
    names = [f"archives/2026-11-01/records-{number:04}" for number in range(1_050)]

    def put(name: str) -> None:
        if isinstance(store, S3Store):  # past the store, a request each: it is the list that is looked at
            options = store.options
            store._connection.client.put_object(Bucket=options.bucket, Key=options.key(name), Body=b"")
        else:
            store.put_new(name, b"")

    with ThreadPoolExecutor(16) as threads:
        for _ in threads.map(put, names):
            pass
    assert list(open_store().list("archives/")) == names
    assert list(open_store().list()) == names
    assert list(open_store().list("archives/2026-11-01/")) == names


def test_many_small_files_are_read_at_once_and_each_says_what_is_wrong_with_it(store: Store) -> None:
    names = [f"archives/2026-11-{day:02}/manifest.json" for day in range(1, 31)]
    for name in names:
        store.put_new(name, name.encode())
    store.put_new("vault.json", b"{}")
    limits = dict.fromkeys([*names, "vault.json"], 100) | {"absent": 100, names[0]: 5, "../x": 1}
    read = store.read_many(limits)
    assert list(read) == list(limits)
    assert [read[name] for name in names[1:]] == [name.encode() for name in names[1:]]
    assert read["vault.json"] == b"{}"
    assert isinstance(read["absent"], NotInStoreError)
    assert isinstance(read[names[0]], IntegrityError)
    assert isinstance(read["../x"], ArchiverError)
    assert store.read_many({}) == {}


def test_parts_fetched_together_are_at_hand(store: Store) -> None:
    data = os.urandom(3_000_000)
    store.put_new("a", data)
    with store.open_random("a") as file:
        file.prefetch([(0, 10), (1_000_000, 70_000), (2_999_990, 100)])
        assert file.is_at_hand(0, 10)
        assert file.is_at_hand(1_000_000, 70_000)
        assert file.is_at_hand(2_999_990, 10)
        assert file.is_at_hand(2_000_000, 10) == store.is_near
        assert file.read_at(1_000_005, 69_995) == data[1_000_005:1_070_000]


def test_what_a_store_says_of_a_file_is_so(store: Store) -> None:
    store.put_new("vault.json", b"{}")
    store.put_new("archives/2026-11-01/records", bytes(9_000_000))
    said = store.inspect(["vault.json", "archives/2026-11-01/records", "absent", ".."])
    small, large = said["vault.json"], said["archives/2026-11-01/records"]
    assert isinstance(small, Inspection)
    assert isinstance(large, Inspection)
    assert (small.size, small.problems) == (2, ())
    assert small.sha256 in (None, hashlib.sha256(b"{}").hexdigest())
    assert (large.size, large.problems) == (9_000_000, ())
    assert large.sha256 in (None, hashlib.sha256(bytes(9_000_000)).hexdigest())
    assert isinstance(said["absent"], NotInStoreError)
    assert isinstance(said[".."], ArchiverError)


def test_archives_that_were_begun_are_named(store: Store) -> None:
    store.put_new("vault.json", b"")
    store.put_new("archives/2026-11-01/manifest.json", b"")
    store.put_new("archives/2026-12-01/key.age", b"")
    assert store.begun_archives() == {"2026-11-01", "2026-12-01"}


@pytest.mark.parametrize("name", ["archives/2026-11-01/records", "archives/2026-11-01/key.age"])
def test_repair_puts_back_what_is_damaged_or_missing(store: Store, open_store: StoreMaker, name: str) -> None:
    size = 1_000 if name.endswith("key.age") else 9_000_000
    right, wrong = os.urandom(size), bytes(size)
    digest = hashlib.sha256(right).hexdigest()
    with pytest.raises(IntegrityError, match="has not the SHA-256 it must have"):
        store.put_back(name, wrong, sha256=digest)
    assert not store.exists(name)
    store.put_back(name, io.BytesIO(right), sha256=digest)
    assert open_store().read(name, 1 << 24) == right
    other = name.replace("2026-11-01", "2026-12-01")
    store.put_new(other, wrong)
    with pytest.raises(IntegrityError, match="has not the SHA-256 it must have"):
        store.put_back(other, b"neither", sha256=digest)
    assert open_store().read(other, 1 << 24) == wrong
    store.put_back(other, right, sha256=digest)
    store.put_back(other, right, sha256=digest)
    for each in (store, open_store()):
        assert each.read(other, 1 << 24) == right
        assert each.size(other) == size


@pytest.mark.parametrize("kind", ["local", "s3 locked", "s3 plain"], indirect=True)
def test_a_store_goes_to_another_process_and_is_the_same_there(store: Store) -> None:
    store.put_new("vault.json", b"{}")
    again = pickle.loads(pickle.dumps(store))  # noqa: S301 - ours, made in this line
    assert again.read("vault.json", 10) == b"{}"
    with ProcessPoolExecutor(1, get_context("spawn")) as others:
        assert others.submit(put_and_list, store).result(60) == ["from-there", "vault.json"]
    assert store.read("from-there", 10) == b"there"


def put_and_list(store: Store) -> list[str]:
    store.put_new("from-there", b"there")
    return list(store.list())


def test_several_threads_read_and_write_one_store(store: Store) -> None:
    def work(number: int) -> bytes:
        store.put_new(f"archives/a/{number}", bytes([number]) * 1000)
        return store.read(f"archives/a/{number}", 1000)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(24))) == [bytes([number]) * 1000 for number in range(24)]


def test_what_repair_found_in_a_folder_is_set_aside_and_not_lost(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    digest = hashlib.sha256(b"right").hexdigest()
    for number in (1, 2):
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / "a" / "b").unlink(missing_ok=True)
        (tmp_path / "a" / "b").write_bytes(f"wrong {number}".encode())
        store.put_back("a/b", b"right", sha256=digest)
    assert store.read("a/b", 10) == b"right"
    assert (tmp_path / SET_ASIDE / "a" / "b.1").read_bytes() == b"wrong 1"
    assert (tmp_path / SET_ASIDE / "a" / "b.2").read_bytes() == b"wrong 2"
    assert store.delete_partial() == 0


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from archiver.stores.local import LocalStore
with LocalStore(Path(sys.argv[1])).create("archives/a/records") as writer:
    writer.write(bytes(1_000_000))
    print("writing", flush=True)
    while True:
        writer.write(bytes(1000))
"""


def test_what_a_killed_writer_left_is_no_file_and_can_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path / "vault")],
        cwd=PROJECT, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == b"writing\n"
    child.kill()
    child.communicate()
    store = LocalStore(tmp_path / "vault")
    assert list(store.list()) == []
    assert store.delete_partial() == 1
    assert os.listdir(tmp_path / "vault" / "archives" / "a") == []


FILL = """
import resource, sys
from pathlib import Path
from archiver.disk import TakenError, create_exclusively
from archiver.errors import ArchiverError
from archiver.stores.local import LocalStore
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
store = LocalStore(Path(sys.argv[1]))
for attempt in (lambda: store.put_new("archives/a/records", bytes(300_000)),
                lambda: store.replace_key("archives/a/key.age", bytes(300_000))):
    try:
        attempt()
    except ArchiverError as error:
        print(error.message.replace(sys.argv[1], "VAULT"))
"""


def test_a_full_disk_leaves_no_half_file_and_the_old_key(tmp_path: Path) -> None:
    root = tmp_path / "vault"
    root.mkdir()
    LocalStore(root).put_new("archives/a/key.age", b"old")
    result = subprocess.run(
        [sys.executable, "-c", FILL, str(root)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == [
        "the disk is full while writing VAULT/archives/a/records",
        "the disk is full while writing VAULT/archives/a/key.age",
    ]
    assert os.listdir(root / "archives" / "a") == ["key.age"]
    assert LocalStore(root).read("archives/a/key.age", 10) == b"old"


def test_a_folder_that_is_not_mounted_is_no_empty_vault(tmp_path: Path) -> None:
    with pytest.raises(NoVaultError, match="there is no folder"):
        LocalStore(tmp_path / "share")
    (tmp_path / "share").mkdir()
    store = LocalStore(tmp_path / "share")
    (tmp_path / "share").rmdir()
    with pytest.raises(NoVaultError, match="there is no folder"):
        store.list()


def test_another_file_that_a_writers_body_could_not_make_is_not_blamed_on_the_store(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "other").write_bytes(b"ours")

    def write_both() -> None:
        with LocalStore(tmp_path / "vault").create("a"):
            create_exclusively(tmp_path / "other", b"")

    with pytest.raises(TakenError, match="other is there already"):
        write_both()
    assert os.listdir(tmp_path / "vault") == []


def test_sealed_files_are_read_only_and_strangers_in_the_folder_are_not_listed(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put_new("a/b", b"data")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o222 == 0
    (tmp_path / ".DS_Store").write_bytes(b"")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"")
    assert list(store.list()) == ["a/b"]
