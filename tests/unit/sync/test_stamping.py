"""Time stamps of archives that exist: brought later, taken to other stores, judged, put back."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from archiver.archive.manifest import TOKEN, token_name
from archiver.errors import StoreError
from archiver.repair import Repair, repair_archive
from archiver.restore import restore_archive
from archiver.stores.local import LocalStore
from archiver.stores.named import NamedStore, OpenedStore
from archiver.sync import Synced, sync_stores
from archiver.sync.stamping import Stamper, put_token
from archiver.vault import Vault
from archiver.verification import Depth, Verification, verify_vault
from archiver.verification.agreement import verify_stores
from tests.authority import Answer, Authority, authority, make_authority, openssl_verifies
from tests.made_vaults import VaultMaker, post
from tests.memory_store import MemoryStore
from tests.unit.timestamps.test_tokens import pinned

NAMES = ["2026-01-01", "2026-02-01"]
NAME = token_name(NAMES[0])


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Authority]:
    with authority(tmp_path / "authority") as running:
        yield running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    maker = VaultMaker(tmp_path_factory.mktemp("made") / "a")
    for number, name in enumerate(NAMES):
        maker.add(name, [post(str(number), f"post {number}")])
    return maker


class Stores:
    """A vault of two archives in the folder `a`, and the same again in `b`."""

    def __init__(self, made: VaultMaker, folder: Path) -> None:
        self.made, self.folder = made, folder
        self.others: list[NamedStore] = []
        for name in ("a", "b"):
            shutil.copytree(made.folder, folder / name)

    @property
    def named(self) -> list[NamedStore]:
        return [NamedStore(name, True, partial(LocalStore, self.folder / name)) for name in ("a", "b")]

    def sync(self, *authorities: Authority, only: str | None = None) -> Synced:
        pins = [pinned(one) for one in authorities]
        return sync_stores([*self.named, *self.others], lambda store: (), only=only, authorities=pins)

    def verify(self, name: str, *authorities: Authority) -> Verification:
        pins = [pinned(one) for one in authorities]
        return verify_vault(
            Vault(LocalStore(self.folder / name)), known_head=self.made.head, authorities=pins
        )

    def repair(self, *authorities: Authority, dry_run: bool = False) -> Repair:
        opened = [OpenedStore(one.name, True, one.open()) for one in self.named]
        pins = [pinned(one) for one in authorities]
        return repair_archive(opened, NAMES[0], known_head=None, authorities=pins, dry_run=dry_run)

    def manifest(self, archive: str = NAMES[0]) -> bytes:
        return (self.folder / "a" / "archives" / archive / "manifest.json").read_bytes()

    def token(self, store: str, archive: str = NAMES[0]) -> bytes:
        return (self.folder / store / token_name(archive)).read_bytes()

    def put(self, store: str, data: bytes | None) -> None:
        path = self.folder / store / NAME
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)

    def tokens(self) -> list[str]:
        return sorted(str(one.relative_to(self.folder)) for one in self.folder.glob("?/archives/*/*.tsr"))


@pytest.fixture
def stores(made: VaultMaker, tmp_path: Path) -> Stores:
    return Stores(made, tmp_path)


def states(repair: Repair) -> list[tuple[str, str, str | None]]:
    return [(one.store, one.state, one.source) for one in repair.files if one.state != "good"]


def counts(result: Verification) -> tuple[int, int, int]:
    return result.stamps.right, result.stamps.unchecked, result.stamps.lacking


# Sync


def test_sync_brings_every_store_the_token_that_each_archive_lacks(stores: Stores, one: Authority) -> None:
    synced = stores.sync(one)
    assert synced.exit_code == 0
    assert list(synced.stamping.brought) == NAMES
    assert len(one.queries) == 2
    for name in NAMES:
        token = stores.token("a", name)
        assert token == stores.token("b", name)
        assert openssl_verifies(token, stores.manifest(name), one.root_path, stores.folder)
    for store in ("a", "b"):
        result = stores.verify(store, one)
        assert (result.problems, counts(result)) == ([], (2, 0, 0))


def test_what_is_stamped_is_not_stamped_again(stores: Stores, one: Authority) -> None:
    stores.sync(one)
    before = [stores.token("a", name) for name in NAMES]
    assert stores.sync(one).stamping.brought == {}
    assert [stores.token("a", name) for name in NAMES] == before
    assert len(one.queries) == 2


def test_without_authorities_nobody_is_asked_and_nothing_lacks(stores: Stores) -> None:
    synced = stores.sync()
    assert synced.exit_code == 0
    assert synced.stamping.lacking == []
    assert stores.tokens() == []


def test_where_no_authority_answers_sync_ends_in_3_and_asks_only_once(stores: Stores, one: Authority) -> None:
    one.answer = lambda query: Answer(b"busy", 503)
    synced = stores.sync(one)
    assert synced.exit_code == 3
    assert synced.stamping.lacking == NAMES
    (problem,) = synced.stamping.problems
    assert problem.message == f"archive {NAMES[0]}: no time stamp was to be had: test: it answers 503"
    assert len(one.queries) == 1
    one.answer = None
    assert stores.sync(one).exit_code == 0
    assert len(stores.tokens()) == 4


def test_a_store_filled_alone_is_given_tokens_too(stores: Stores, one: Authority) -> None:
    stores.sync(one, only="b")
    assert stores.tokens() == [f"b/{token_name(name)}" for name in NAMES]
    stores.sync()
    assert len(stores.tokens()) == 4


def test_an_archive_that_no_store_to_be_filled_has_is_named(stores: Stores, one: Authority) -> None:
    shutil.rmtree(stores.folder / "b" / "archives" / NAMES[1])
    synced = stores.sync(one, only="b")
    assert list(synced.stamping.brought) == NAMES[:1]
    assert synced.stamping.lacking == NAMES[1:]
    assert synced.exit_code == 3


def test_a_token_goes_to_an_empty_store_before_the_manifest(stores: Stores, one: Authority) -> None:
    stores.sync(one)
    order: list[str] = []

    class Noting(MemoryStore):
        def put_new(self, name: str, source: object, *, sha256: str | None = None) -> None:
            order.append(name)
            super().put_new(name, source, sha256=sha256)  # type: ignore[arg-type]  # as it came

    empty = Noting()
    stores.others.append(NamedStore("c", True, lambda: empty))
    assert stores.sync(one).exit_code == 0
    for name in NAMES:
        assert order.index(token_name(name)) < order.index(f"archives/{name}/manifest.json")


@pytest.mark.parametrize("with_certificate", [True, False])
def test_a_wrong_token_is_not_spread_and_a_right_one_beside_it_is(
    stores: Stores, one: Authority, with_certificate: bool
) -> None:
    """Create-only keeps what is put once, so a wrong one would stay for ever."""
    right, wrong = one.stamp(stores.manifest()), one.stamp(b"other bytes")
    known = [one] if with_certificate else []
    shutil.copytree(stores.folder / "a", stores.folder / "c")
    stores.others.append(NamedStore("c", True, partial(LocalStore, stores.folder / "c")))
    stores.put("a", wrong)
    stores.sync(*known)
    assert not (stores.folder / "b" / NAME).exists()
    stores.put("c", right)
    stores.sync(*known)
    assert stores.token("b") == right
    assert stores.token("a") == wrong


def test_a_token_of_somebody_unknown_goes_along_where_none_is_right(stores: Stores, one: Authority) -> None:
    stranger = make_authority(stores.folder / "stranger", "stranger")
    stores.put("a", stranger.stamp(stores.manifest()))
    assert stores.sync(one).exit_code == 0
    assert stores.token("b") == stores.token("a")
    assert list(stores.sync(one).stamping.brought) == []


def test_a_store_that_refuses_a_late_token_is_told_and_the_run_is_incomplete(one: Authority) -> None:
    class Refusing(MemoryStore):
        def put_new(self, name: str, source: object, *, sha256: str | None = None) -> None:
            raise StoreError("memory: it refuses")

    stamper = Stamper([pinned(one)])
    assert not stamper.bring(NAMES[0], b"manifest", Refusing())
    assert stamper.result.brought == {}
    assert stamper.result.lacking == NAMES[:1]
    assert [problem.exit_code for problem in stamper.result.problems] == [3]


def test_of_two_runs_that_bring_a_token_at_once_the_first_counts(one: Authority) -> None:
    store = MemoryStore()
    assert put_token(store, NAMES[0], b"first")
    stamper = Stamper([pinned(one)])
    assert stamper.bring(NAMES[0], b"manifest", store)
    assert store.contents.files[NAME] == b"first"
    assert stamper.result.brought == {}
    assert stamper.result.lacking == []


# Verify


def test_a_token_that_is_not_of_its_manifest_is_named(stores: Stores, one: Authority) -> None:
    stores.sync(one)
    stores.put("a", stores.token("a", NAMES[1]))
    result = stores.verify("a", one)
    (problem,) = result.problems
    assert problem.message == f"{NAME}: the time stamp is of other bytes"
    assert problem.exit_code == 20
    assert str(problem.hint).endswith(f"archiver repair {NAMES[0]}")
    assert counts(result) == (1, 0, 0)


@pytest.mark.parametrize("data", [b"", b"garbage", bytes(70_000)])
def test_what_is_no_token_in_its_place_is_named(stores: Stores, one: Authority, data: bytes) -> None:
    stores.put("a", data)
    for known in ([one], []):
        (problem,) = stores.verify("a", *known).problems
        assert problem.exit_code == 20
        assert NAME in problem.message


def test_a_link_in_a_tokens_place_is_never_followed(stores: Stores, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"AGE-SECRET-KEY-1NOBODYS")
    (stores.folder / "a" / NAME).symlink_to(tmp_path / "secret")
    assert counts(stores.verify("a")) == (0, 0, 2)
    assert stores.sync().exit_code == 0
    assert not (stores.folder / "b" / NAME).exists()


def test_archives_without_a_token_and_those_nobody_here_can_check_are_counted(
    stores: Stores, one: Authority
) -> None:
    stranger = make_authority(stores.folder / "stranger", "stranger")
    stores.put("a", stranger.stamp(stores.manifest()))
    result = stores.verify("a", one)
    assert (result.problems, counts(result)) == ([], (0, 1, 1))
    assert counts(stores.verify("a", stranger)) == (1, 0, 1)


def test_a_store_far_away_is_asked_for_its_tokens_in_one_round_and_each_store_counts_for_itself(
    stores: Stores, one: Authority
) -> None:
    stores.sync(one)
    far = MemoryStore(is_near=False)
    for name in LocalStore(stores.folder / "a").list():
        far.put_new(name, (stores.folder / "a" / name).read_bytes())
    far.contents.files[NAME] = one.stamp(b"other bytes")
    named = [stores.named[1], NamedStore("far", True, lambda: far)]
    near, away = verify_stores(named, known_head=stores.made.head, depth=Depth(authorities=[pinned(one)]))
    assert (near.result.problems, counts(near.result)) == ([], (2, 0, 0))
    (problem,) = away.result.problems
    assert problem.message == f"{NAME}: the time stamp is of other bytes"
    assert counts(away.result) == (1, 0, 0)


# Repair and restore


def flip(data: bytes) -> bytes:
    """One bit of the signature, which is at the end."""
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


@pytest.mark.parametrize("damage", [lambda data: None, lambda data: b"garbage", flip])
def test_a_damaged_token_is_put_back_from_another_store(
    stores: Stores, one: Authority, damage: Callable[[bytes], bytes | None]
) -> None:
    stores.sync(one)
    right = stores.token("a")
    stores.put("a", damage(right))
    assert states(stores.repair(one, dry_run=True)) == [("a", "to be put back", "b")]
    assert states(stores.repair(one)) == [("a", "put back", "b")]
    assert stores.token("a") == right
    assert stores.verify("a", one).problems == []
    assert states(stores.repair(one)) == []


def test_a_token_that_is_damaged_in_its_signature_is_not_told_without_the_certificate_and_stays(
    stores: Stores, one: Authority
) -> None:
    stores.sync(one)
    right = stores.token("a")
    stores.put("a", flip(right))
    assert states(stores.repair()) == []
    assert states(stores.repair(one)) == [("a", "put back", "b")]


def test_a_wrong_token_that_no_store_has_right_is_an_error_and_its_lack_elsewhere_is_none(
    stores: Stores, one: Authority
) -> None:
    stores.put("a", one.stamp(b"other bytes"))
    repair = stores.repair(one)
    assert states(repair) == [("a", "not repaired", None)]
    (error,) = repair.errors
    assert error.exit_code == 20
    assert "is no time stamp of this manifest" in error.message
    assert "by hand" in str(error.hint)
    (stores.folder / "a" / NAME).unlink()
    assert stores.sync(one).exit_code == 0
    assert states(stores.repair(one)) == []


def test_stores_with_different_right_tokens_keep_their_own(stores: Stores, one: Authority) -> None:
    first, second = one.stamp(stores.manifest()), one.stamp(stores.manifest())
    stores.put("a", first)
    stores.put("b", second)
    assert states(stores.repair(one)) == []
    assert stores.sync(one).exit_code == 0
    assert (stores.token("a"), stores.token("b")) == (first, second)
    assert stores.verify("b", one).problems == []


def test_restore_writes_the_token_beside_the_manifest_where_there_is_one(
    stores: Stores, one: Authority, tmp_path: Path
) -> None:
    stores.put("a", one.stamp(stores.manifest()))
    vault = Vault(LocalStore(stores.folder / "a"))
    for archive in vault.list_archives().archives:
        restore_archive(vault, archive, [stores.made.holder], tmp_path / "restored")
    assert (tmp_path / "restored" / NAMES[0] / TOKEN).read_bytes() == stores.token("a")
    assert not (tmp_path / "restored" / NAMES[1] / TOKEN).exists()
