"""Certificates of disposal: which are right, which are not, and what that does to a vault."""

import json
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from archiver.audit.names import signers_line
from archiver.chain import encode_document
from archiver.disposal import (
    Certificate,
    certificate_name,
    custody_signers_name,
    load_certificate,
    signature_name,
)
from archiver.disposing import dispose_everywhere, find_certificate
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, StoreError
from archiver.formats.ssh_signature import SigningKey
from archiver.keyholders import Keyholder, Keyholders
from archiver.keys import archive_key_name, new_identity
from archiver.repair import repair_archive
from archiver.rewrap import apply_keyholders, reach_stores
from archiver.stores.base import Store
from archiver.stores.local import LocalStore
from archiver.stores.named import NamedStore, OpenedStore
from archiver.sync import sync_stores
from archiver.vault import Vault, place_of, require_not_disposed
from archiver.verification import Depth, verify_vault
from archiver.verification.agreement import verify_stores
from tests.disposals import AT, KEEPER, archive_of, certificate_of, dispose_of, opened
from tests.made_vaults import VaultMaker, post
from tests.programs import require_program

NAMES = ("2026-01-01", "2026-02-01", "2026-03-01")
OLD, KEPT = NAMES[0], NAMES[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    maker = VaultMaker(tmp_path_factory.mktemp("made") / "a")
    for number, name in enumerate(NAMES):
        maker.add(name, [post(str(number), f"word {number}", number)])
    return maker


@pytest.fixture(scope="module")
def made_before(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    """A vault whose manifests say nothing of disposal."""
    maker = VaultMaker(tmp_path_factory.mktemp("before") / "a", commits=False)
    maker.add(OLD, [post("1", "word", 1)])
    return maker


def copied(maker: VaultMaker, folder: Path) -> VaultMaker:
    """The same vault again, to be disposed of."""
    again = object.__new__(VaultMaker)
    again.__dict__.update(maker.__dict__)
    again.folder = shutil.copytree(maker.folder, folder)
    again.store = LocalStore(again.folder)
    return again


@pytest.fixture
def maker(made: VaultMaker, tmp_path: Path) -> VaultMaker:
    return copied(made, tmp_path / "one")


@pytest.fixture
def two(made: VaultMaker, maker: VaultMaker, tmp_path: Path) -> tuple[Path, Path]:
    return maker.folder, shutil.copytree(made.folder, tmp_path / "two")


def put(store: Store, name: str, certificate: Certificate) -> None:
    """As somebody who can write to a store would."""
    store.put_new(custody_signers_name(KEEPER), certificate.signers)
    store.put_new(signature_name(name), certificate.signature)
    store.put_new(certificate_name(name), certificate.data)


def named(*folders: Path) -> list[NamedStore]:
    return [NamedStore(one.name, True, partial(LocalStore, one)) for one in folders]


def has_key(folder: Path, name: str = OLD) -> bool:
    return (folder / archive_key_name(name)).exists()


def messages(vault: Vault) -> list[str]:
    return [one.message for one in verify_vault(vault, known_head=None).problems]


# One store


def test_a_disposed_archive_is_no_missing_one(maker: VaultMaker) -> None:
    (done,) = dispose_of(maker, OLD, [maker.folder])
    assert (done.error, done.had_key) == (None, True)
    assert not has_key(maker.folder)
    listed = Vault(maker.store).list_archives()
    assert [one.name for one in listed.disposed] == [OLD]
    vault = Vault(maker.store)
    assert vault.half_disposed(vault.list_archives().archives) == []
    assert [one.name for one in listed.readable] == list(NAMES[1:])
    assert [one.name for one in listed.require_sound()] == list(NAMES)
    result = verify_vault(Vault(maker.store), known_head=maker.head, identities=[maker.holder])
    assert (result.problems, result.disposed, result.files) == ([], [OLD], 3)


def test_an_archive_whose_key_is_gone_without_a_certificate_is_a_missing_one(maker: VaultMaker) -> None:
    maker.store.destroy_key(archive_key_name(OLD))
    assert messages(Vault(maker.store)) == [f"archives/{OLD}/key.age is missing"]


def test_a_key_that_is_still_there_is_told_with_what_finishes_it(maker: VaultMaker) -> None:
    put(maker.store, OLD, certificate_of(maker, OLD))
    vault = Vault(maker.store)
    assert vault.half_disposed(vault.list_archives().archives) == [OLD]
    (problem,) = verify_vault(Vault(maker.store), known_head=None).problems
    assert isinstance(problem, IncompleteError)
    assert "key.age is still there" in problem.message
    assert problem.hint == f"finish: archiver retention dispose {OLD}"


def test_a_signature_alone_is_half_a_disposal(maker: VaultMaker) -> None:
    maker.store.put_new(signature_name(OLD), certificate_of(maker, OLD).signature)
    (problem,) = verify_vault(Vault(maker.store), known_head=None).problems
    assert isinstance(problem, IncompleteError)
    assert problem.message == f"archive {OLD} is half disposed of"


def test_a_search_finds_nothing_in_a_disposed_archive(maker: VaultMaker) -> None:
    from archiver.search.language import parse_query

    dispose_of(maker, OLD, [maker.folder])
    searcher = maker.searcher()
    assert [hit.archive for hit in searcher.search(parse_query("word"), limit=0).hits] == list(NAMES[:0:-1])
    assert searcher.unsearched == []
    searcher.close()


def test_what_is_disposed_of_says_when_by_whom_and_why(maker: VaultMaker) -> None:
    dispose_of(maker, OLD, [maker.folder])
    archives = Vault(maker.store).list_archives().archives
    with pytest.raises(ArchiverError, match=rf"{OLD} was disposed of on {AT[:10]} by records \(rule seven"):
        require_not_disposed(archives[0])
    require_not_disposed(archives[1])


def test_openssh_checks_a_certificate_and_its_proof_fits_the_manifest(maker: VaultMaker) -> None:
    ssh_keygen = require_program("ssh-keygen")
    dispose_of(maker, OLD, [maker.folder])
    folder = maker.folder / "archives" / OLD
    command = [ssh_keygen, "-Y", "verify", "-f", maker.folder / custody_signers_name(KEEPER)]
    command += ["-I", f"_custody.{KEEPER}", "-n", "archiver-disposal", "-s", folder / "disposed.json.sig"]
    with (folder / "disposed.json").open("rb") as file:
        subprocess.run(command, stdin=file, check=True, capture_output=True)
    proof = bytes.fromhex(json.loads((folder / "disposed.json").read_bytes())["proof"])
    from hashlib import sha256

    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert sha256(proof).hexdigest() == manifest["disposal_sha256"]


# Certificates that are none


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"archive": KEPT}, "or of another manifest"),
        ({"manifest_sha256": "0" * 64}, "or of another manifest"),
        ({"vault": "another"}, "of the vault 'another'"),
        ({"format": "archiver-disposal-2"}, "has the format 'archiver-disposal-2'"),
        ({"keyholder": "complaints"}, "who has decided nothing in this vault"),
        ({"keyholder": "../../vault"}, "names no keyholder"),
        ({"proof": None}, "could not open the archive"),
        ({"proof": "0" * 64}, "could not open the archive"),
        ({"proof": "no number"}, "could not open the archive"),
        ({"reason": "whim"}, "is no certificate of disposal"),
    ],
)
def test_a_certificate_that_says_something_else_is_damage(
    maker: VaultMaker, said: dict[str, object], why: str
) -> None:
    put(maker.store, OLD, certificate_of(maker, OLD, **said))
    listed = Vault(maker.store).list_archives()
    assert listed.disposed == ()
    (problem,) = listed.problems
    assert why in problem.message
    assert problem.exit_code == 20
    assert problem.message in messages(Vault(maker.store))


def test_a_certificate_that_a_stranger_signed_is_damage(maker: VaultMaker) -> None:
    stranger = SigningKey.generate(KEEPER)
    right, wrong = certificate_of(maker, OLD), certificate_of(maker, OLD, key=stranger)
    put(maker.store, OLD, Certificate(wrong.data, wrong.signature, wrong.disposal, right.signers))
    (problem,) = Vault(maker.store).list_archives().problems
    assert problem.exit_code == 20
    assert OLD in problem.message


def test_a_certificate_that_another_keyholder_signed_than_it_says_is_damage(maker: VaultMaker) -> None:
    other = SigningKey.generate("complaints")
    wrong = certificate_of(maker, OLD, key=other)
    signers = signers_line("_custody.complaints", other.public_line())
    put(maker.store, OLD, Certificate(wrong.data, wrong.signature, wrong.disposal, signers))
    (problem,) = Vault(maker.store).list_archives().problems
    assert "is signed by _custody.complaints, and says otherwise" in problem.message


def test_a_stranger_who_makes_a_chain_of_his_own_lacks_the_proof(maker: VaultMaker) -> None:
    """Whoever can write to the store can put a list of signers there; not what only the archive gives."""
    stranger = SigningKey.generate(KEEPER)
    put(maker.store, OLD, certificate_of(maker, OLD, key=stranger, proof="ab" * 32))
    assert Vault(maker.store).list_archives().disposed == ()
    assert any("could not open the archive" in one for one in messages(Vault(maker.store)))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"[" * 10_000, b'{"a": 1, "a": 2}', b"\xff"])
def test_any_bytes_are_no_certificate(maker: VaultMaker, data: bytes) -> None:
    right = certificate_of(maker, OLD)
    put(maker.store, OLD, Certificate(data, right.signature, right.disposal, right.signers))
    listed = Vault(maker.store).list_archives()
    assert listed.disposed == ()
    assert [one.exit_code for one in listed.problems] == [20]


def test_every_altered_byte_of_a_certificate_and_its_signature_shows(maker: VaultMaker) -> None:
    right = certificate_of(maker, OLD)
    place = place_of(archive_of(maker, OLD))
    for field in ("data", "signature"):
        whole: bytes = getattr(right, field)
        for number in range(0, len(whole) - 1, 3):
            altered = bytearray(whole)
            altered[number] ^= 4
            parts = {"data": right.data, "signature": right.signature, field: bytes(altered)}
            files = maker.store
            for name, data in (
                (signature_name(OLD), parts["signature"]), (certificate_name(OLD), parts["data"]),
                (custody_signers_name(KEEPER), right.signers),
            ):  # fmt: skip
                (files.root / name).unlink(missing_ok=True)
                files.put_new(name, data)
            try:
                found = load_certificate(files, place)
            except IntegrityError:
                continue
            assert found is not None
            assert found.disposal == right.disposal, "only armor may differ"


# Several stores


def test_sync_destroys_the_key_in_a_store_that_was_away(maker: VaultMaker, two: tuple[Path, Path]) -> None:
    first, second = two
    away = OpenedStore("two", True, StoreError("it is away"))
    done = dispose_everywhere([*opened(first), away], archive_of(maker, OLD), certificate_of(maker, OLD))
    assert [one.error is None for one in done] == [True, False]
    assert (has_key(first), has_key(second)) == (False, True)
    found = verify_stores(named(first, second), known_head=None)
    assert [[type(each) for each in one.result.problems] for one in found] == [[], [IncompleteError]]
    assert "was disposed of, says store one" in found[1].result.problems[0].message
    for _ in range(2):
        synced = sync_stores(named(first, second), lambda store: [])
        assert (synced.problems, synced.exit_code) == ([], 0)
        assert (has_key(first), has_key(second)) == (False, False)
        assert has_key(second, KEPT)
    found = verify_stores(named(first, second), known_head=None)
    assert [one.result.problems for one in found] == [[], []]
    assert [one.result.disposed for one in found] == [[OLD], [OLD]]


def test_sync_gives_a_new_store_a_disposed_archive_without_a_key(maker: VaultMaker, tmp_path: Path) -> None:
    dispose_of(maker, OLD, [maker.folder])
    (tmp_path / "new").mkdir()
    synced = sync_stores(named(maker.folder, tmp_path / "new"), lambda store: [])
    assert synced.exit_code == 0
    assert not has_key(tmp_path / "new")
    assert [one.name for one in Vault(LocalStore(tmp_path / "new")).list_archives().disposed] == [OLD]
    assert messages(Vault(LocalStore(tmp_path / "new"))) == []


def test_a_certificate_that_a_stranger_puts_into_one_store_destroys_no_key(
    maker: VaultMaker, two: tuple[Path, Path]
) -> None:
    first, second = two
    forged = certificate_of(maker, OLD, key=SigningKey.generate(KEEPER), proof="ab" * 32)
    put(LocalStore(second), OLD, forged)
    synced = sync_stores(named(first, second), lambda store: [])
    assert synced.exit_code == 20
    assert has_key(first)
    assert has_key(second)
    assert not (first / certificate_name(OLD)).exists()


def test_without_proof_sync_passes_a_certificate_on_and_leaves_the_keys_to_a_keyholder(
    made_before: VaultMaker, tmp_path: Path
) -> None:
    maker = copied(made_before, tmp_path / "one")
    second = shutil.copytree(made_before.folder, tmp_path / "two")
    dispose_of(maker, OLD, [maker.folder])
    synced = sync_stores(named(maker.folder, second), lambda store: [])
    assert synced.exit_code == 3
    assert has_key(second)
    (problem,) = [one for filled in synced.stores for one in filled.problems]
    assert problem.hint == f"finish: archiver retention dispose {OLD}"
    certificate = find_certificate(opened(maker.folder, second), archive_of(maker, OLD))
    assert certificate is not None
    dispose_everywhere(opened(maker.folder, second), archive_of(maker, OLD), certificate)
    assert not has_key(second)
    assert sync_stores(named(maker.folder, second), lambda store: []).exit_code == 0


def test_repair_brings_no_destroyed_key_back_and_mends_the_certificate(
    maker: VaultMaker, two: tuple[Path, Path]
) -> None:
    dispose_of(maker, OLD, two)
    (two[1] / certificate_name(OLD)).unlink()
    repaired = repair_archive(opened(*two), OLD, known_head=None, identities=[maker.holder])
    assert repaired.errors == []
    assert repaired.count("put back") == 1
    assert (two[1] / certificate_name(OLD)).exists()
    assert not has_key(two[0])
    assert not has_key(two[1])


def test_a_change_of_keyholders_lets_nobody_into_a_disposed_archive(
    maker: VaultMaker, two: tuple[Path, Path], tmp_path: Path
) -> None:
    dispose_of(maker, OLD, two[:1])  # the other one is away, and back when keyholders change
    before = (two[1] / archive_key_name(OLD)).read_bytes()
    keyholders = Keyholders().add(Keyholder("records", maker.holder.recipient(), "2026-01-01"))
    keyholders = keyholders.add(Keyholder("complaints", new_identity(classic=True).recipient(), "2026-01-01"))
    apply_keyholders(reach_stores(named(*two)), tmp_path / "recipients.txt", keyholders, [maker.holder])
    assert not has_key(two[0])
    assert (two[1] / archive_key_name(OLD)).read_bytes() == before


def test_a_store_without_the_archive_is_no_obstacle(maker: VaultMaker, two: tuple[Path, Path]) -> None:
    shutil.rmtree(two[1] / "archives" / OLD)
    done = dispose_of(maker, OLD, two)
    assert [(one.error, one.has_archive) for one in done] == [(None, True), (None, False)]
    assert not (two[1] / "archives" / OLD).exists()


def test_another_certificate_in_a_store_stops_it_before_any_key_is_destroyed(
    maker: VaultMaker, two: tuple[Path, Path]
) -> None:
    other = certificate_of(maker, OLD, decision="another")
    put(LocalStore(two[1]), OLD, other)
    with pytest.raises(IntegrityError):
        dispose_of(maker, OLD, two)
    assert has_key(two[0])
    assert has_key(two[1])


def test_a_store_that_keeps_the_key_is_one_in_which_it_is_not_done(
    maker: VaultMaker, two: tuple[Path, Path]
) -> None:
    class Locked(LocalStore):
        def destroy_key(self, name: str) -> None:
            raise StoreError(f"keeps {name} under a lock until 2040-01-01")

    stores = [OpenedStore("locked", True, Locked(two[0])), OpenedStore("two", True, LocalStore(two[1]))]
    done = dispose_everywhere(stores, archive_of(maker, OLD), certificate_of(maker, OLD))
    assert [one.error is None for one in done] == [False, True]
    assert "until 2040-01-01" in str(done[0].error)
    synced = sync_stores(
        [NamedStore("locked", True, lambda: Locked(two[0])), *named(two[1])], lambda store: []
    )
    assert synced.exit_code == 3
    assert any("until 2040-01-01" in one.message for filled in synced.stores for one in filled.problems)


def test_a_store_that_says_it_destroyed_a_key_and_has_it_still_is_caught(maker: VaultMaker) -> None:
    class Lying(LocalStore):
        def destroy_key(self, name: str) -> None:
            """Say so."""

    stores = [OpenedStore("lying", True, Lying(maker.folder))]
    (done,) = dispose_everywhere(stores, archive_of(maker, OLD), certificate_of(maker, OLD))
    assert "is still there" in str(done.error)


def test_a_vault_that_is_far_away_is_told_the_same(maker: VaultMaker) -> None:
    dispose_of(maker, OLD, [maker.folder])
    far = Vault(maker.far_store())
    listed = far.list_archives()
    assert [one.name for one in listed.disposed] == [OLD]
    result = verify_vault(far, known_head=None, deep=True)
    assert result.problems == []
    assert Depth().deep is False


def test_the_certificate_holds_no_more_than_is_described(maker: VaultMaker) -> None:
    fields = json.loads(certificate_of(maker, OLD).data)
    assert set(fields) == {
        "archive", "at", "decision", "format", "keyholder", "manifest_sha256", "proof", "reason", "rule",
        "vault",
    }  # fmt: skip
    assert encode_document(fields) == certificate_of(maker, OLD).data
