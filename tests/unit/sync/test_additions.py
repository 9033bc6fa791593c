"""Small files beside the archives: copied both ways, created only, and never mixed up."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, IntegrityError, StoreError
from archiver.formats import age
from archiver.stores.local import LocalStore
from archiver.vault import Vault
from archiver.verification import verify_vault
from tests.made_vaults import VaultMaker, post
from tests.memory_store import MemoryStore
from tests.unit.sync.test_sync import Stores, away

HOLDER = age.X25519Identity.generate().recipient()


def entry(text: str) -> bytes:
    return age.encrypt([HOLDER], text.encode())


def name(number: int, initials: str = "ABC") -> str:
    return f"exhibits/{initials}/{number:08d}.json.age"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    maker = VaultMaker(tmp_path_factory.mktemp("made") / "a")
    maker.add("2026-09-01", [post("1", "post 1")])
    return maker


@pytest.fixture
def stores(made: VaultMaker, tmp_path: Path) -> Stores:
    """Two stores with the same archive and nothing beside it."""
    (tmp_path / "a").mkdir()
    for path in sorted(made.folder.rglob("*")):
        target = tmp_path / "a" / path.relative_to(made.folder)
        target.mkdir(exist_ok=True) if path.is_dir() else target.write_bytes(path.read_bytes())
    stores = Stores(tmp_path, made)
    stores.add("a")
    stores.add("b")
    assert stores.sync().exit_code == 0
    return stores


def put(stores: Stores, store: str, *entries: tuple[str, bytes]) -> None:
    for each, data in entries:
        LocalStore(stores.folder / store).put_new(each, data)


def exhibits(stores: Stores, store: str) -> Mapping[str, bytes]:
    return {path: data for path, data in stores.files(store).items() if path.startswith("exhibits/")}


def test_what_either_store_has_the_other_gets_byte_for_byte(stores: Stores) -> None:
    first, second = entry("one"), entry("two")
    put(stores, "a", (name(1), first))
    put(stores, "b", (name(2), second), (name(1, "XYZ1"), first))
    result = stores.sync()
    assert result.exit_code == 0
    assert exhibits(stores, "a") == exhibits(stores, "b")
    assert exhibits(stores, "b") == {name(1): first, name(2): second, name(1, "XYZ1"): first}
    assert [one.additions for one in result.stores] == [2, 1]
    assert [one.additions for one in stores.sync().stores] == [0, 0]


def test_an_emptied_store_gets_its_archives_and_all_beside_them(stores: Stores) -> None:
    put(stores, "a", *((name(number), entry(str(number))) for number in range(1, 301)))
    far = MemoryStore(is_near=False)
    stores.add("far", far)
    result = stores.sync()
    assert result.exit_code == 0
    assert result.stores[2].additions == 300
    assert {one: data for one, data in far.contents.files.items() if one.startswith("exhibits/")} == exhibits(
        stores, "a"
    )


def test_other_bytes_under_one_name_are_an_integrity_error_and_stay_as_they_are(stores: Stores) -> None:
    one, other = entry("one"), entry("other")
    put(stores, "a", (name(1), one), (name(2), one))
    put(stores, "b", (name(1), other))
    stores.add("c")
    result = stores.sync()
    assert result.exit_code == IntegrityError.exit_code
    assert [str(problem) for filled in result.stores for problem in filled.all_problems] == [
        f"{name(1)} in store b ({stores.folder / 'b'}) is not that in store a ({stores.folder / 'a'})"
    ]
    assert exhibits(stores, "a") == {name(1): one, name(2): one}
    assert exhibits(stores, "b") == {name(1): other, name(2): one}
    assert exhibits(stores, "c") == {name(2): one}


def test_a_difference_shows_where_no_store_lacks_anything(stores: Stores) -> None:
    put(stores, "a", (name(1), entry("one")))
    put(stores, "b", (name(1), entry("other")))
    result = stores.sync()
    assert result.exit_code == IntegrityError.exit_code
    assert [type(problem) for problem in result.problems] == [IntegrityError]


@pytest.mark.parametrize(
    "odd",
    [
        ("exhibits/ABC/00000001.json.age", b"no age file"),
        ("exhibits/ABC/1.json.age", entry("x")),
        ("exhibits/abc/00000001.json.age", entry("x")),
        ("exhibits/ABC/00000001.json.age", b"x" * (1024 * 1024 + 1)),
    ],
    ids=["no age file", "not eight digits", "small letters", "too large"],
)
def test_what_can_be_no_exhibit_is_named_and_does_not_spread(stores: Stores, odd: tuple[str, bytes]) -> None:
    put(stores, "b", odd)
    result = stores.sync()
    assert result.exit_code == IntegrityError.exit_code
    assert exhibits(stores, "a") == {}
    assert any(odd[0] in str(problem) for filled in result.stores for problem in filled.all_problems)


def test_a_good_copy_elsewhere_counts_and_the_odd_one_is_named(stores: Stores) -> None:
    right = entry("right")
    put(stores, "a", (name(1), b"no age file"))
    put(stores, "b", (name(1), right))
    stores.add("c")
    result = stores.sync()
    assert exhibits(stores, "c") == {name(1): right}
    assert exhibits(stores, "a") == {name(1): b"no age file"}
    assert [str(problem) for problem in result.problems] == [
        f"store a: {name(1)} in {stores.folder / 'a'} is nothing that belongs below exhibits/"
    ]


def test_one_store_alone_is_filled_where_that_is_asked(stores: Stores) -> None:
    put(stores, "a", (name(1), entry("one")))
    put(stores, "b", (name(2), entry("two")))
    assert stores.sync(only="b").exit_code == 0
    assert set(exhibits(stores, "a")) == {name(1)}
    assert set(exhibits(stores, "b")) == {name(1), name(2)}


def test_a_store_that_is_away_stops_no_other(stores: Stores) -> None:
    put(stores, "a", (name(1), entry("one")))
    stores.add("far", away, required=False)
    result = stores.sync()
    assert exhibits(stores, "a") == exhibits(stores, "b")
    assert [one.error is None for one in result.stores] == [True, True, False]


class Refusing(MemoryStore):
    """Takes archives and nothing beside them."""

    def create(self, name: str, *, sha256: str | None = None):  # type: ignore[no-untyped-def]  # as above it
        if name.startswith("exhibits/"):
            raise StoreError("it refuses", "ask it")
        return super().create(name, sha256=sha256)


class Unlisted(MemoryStore):
    """Shows its archives and nothing beside them."""

    def list(self, prefix: str = ""):  # type: ignore[no-untyped-def]  # as above it
        if prefix.startswith("exhibits/"):
            raise StoreError("it lists nothing")
        return super().list(prefix)


@pytest.mark.parametrize("kind", [Refusing, Unlisted])
def test_a_store_that_fails_meanwhile_is_named_once(stores: Stores, kind: type[MemoryStore]) -> None:
    put(stores, "a", (name(1), entry("one")), (name(2), entry("two")))
    stores.add("odd", kind())
    result = stores.sync()
    assert result.exit_code == StoreError.exit_code
    assert exhibits(stores, "b") == exhibits(stores, "a")
    problems = [problem for filled in result.stores for problem in filled.all_problems]
    (said,) = [*problems, *result.problems]
    assert str(said).startswith("store odd: it ")


class Unreadable(MemoryStore):
    """Lists what it has and gives none of what lies beside the archives."""

    def read_many(self, limits: Mapping[str, int]) -> dict[str, bytes | ArchiverError]:
        if any(one.startswith("exhibits/") for one in limits):
            raise StoreError("the line is cut")
        return super().read_many(limits)


def test_what_only_a_store_has_that_cannot_be_read_is_said_of_the_one_that_lacks_it(stores: Stores) -> None:
    odd = Unreadable()
    stores.add("odd", odd)
    stores.sync()
    odd.put_new(name(1), entry("one"))
    result = stores.sync(only="b")
    assert result.exit_code == StoreError.exit_code
    (filled,) = result.stores
    assert [str(one) for one in filled.all_problems] == ["store odd: the line is cut"]


def test_verify_does_not_complain_of_exhibits(stores: Stores) -> None:
    put(stores, "a", (name(1), entry("one")))
    vault = Vault(LocalStore(stores.folder / "a"))
    assert verify_vault(vault, known_head=None, identities=[stores.maker.holder]).problems == []
