"""Archives' keys encrypted anew, in one store and in several."""

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from archiver.errors import IntegrityError, NoKeyError, NoVaultError, UsageError
from archiver.keys import Keyholders, encode_identity_file, new_identity, seal_archive_key
from archiver.rewrap import KeyStores, apply_keyholders, reach_stores, rewrap_archive_keys
from archiver.stores.local import LocalStore
from archiver.stores.named import NamedStore
from tests.programs import PROJECT
from tests.unit.test_keys import ANNE, BERT, CARL, NOW, keyholders, make_vault, openable, write_key


def reached(*folders: Path) -> KeyStores:
    """Stores in these folders, each called as its folder, the first one required."""
    return reach_stores(
        NamedStore(folder.name, number == 0, partial(LocalStore, folder))
        for number, folder in enumerate(folders)
    )


def test_every_key_is_wrapped_again_for_exactly_the_new_keyholders(tmp_path: Path) -> None:
    store, archives = make_vault(tmp_path, 3, ANNE, BERT)
    assert rewrap_archive_keys(reached(store.root), [ANNE], [ANNE.recipient(), CARL.recipient()]) == 3
    assert openable(store, archives, ANNE) == list(archives)
    assert openable(store, archives, CARL) == list(archives)
    assert openable(store, archives, BERT) == []
    assert rewrap_archive_keys(reached(store.root), [CARL], [ANNE.recipient(), CARL.recipient()]) == 3


def test_keys_that_nobody_here_opens_are_all_named_and_the_others_done(tmp_path: Path) -> None:
    store, archives = make_vault(tmp_path, 4, ANNE)
    for name in ("2026-02-01", "2026-04-01"):
        store.replace_key(f"archives/{name}/key.age", seal_archive_key(archives[name], [BERT.recipient()]))
    with pytest.raises(NoKeyError) as caught:
        rewrap_archive_keys(reached(store.root), [ANNE], [ANNE.recipient(), CARL.recipient()])
    assert caught.value.exit_code == 12
    assert caught.value.message.startswith("2 of 4 archives' keys were encrypted again, but not archives/")
    assert "archives/2026-02-01/key.age" in caught.value.message
    assert "archives/2026-04-01/key.age" in caught.value.message
    assert openable(store, archives, CARL) == ["2026-01-01", "2026-03-01"]
    assert openable(store, archives, BERT) == ["2026-02-01", "2026-04-01"]


def test_a_key_that_its_manifest_does_not_name_is_left_as_it_is(tmp_path: Path) -> None:
    store, _ = make_vault(tmp_path, 3, ANNE)
    wrong = seal_archive_key(new_identity(classic=True), [ANNE.recipient()])
    store.replace_key("archives/2026-02-01/key.age", wrong)
    with pytest.raises(IntegrityError, match=r"^2 of 3 .*, but not archives/2026-02-01/key\.age: this"):
        rewrap_archive_keys(reached(store.root), [ANNE], [CARL.recipient()])
    assert store.read("archives/2026-02-01/key.age", 10_000) == wrong


def test_a_manifest_that_names_no_recipient_is_an_integrity_error(tmp_path: Path) -> None:
    for number, manifest in enumerate((b"", b"[]", b"{}", b"[" * 100_000), start=1):
        (tmp_path / str(number)).mkdir()
        store = LocalStore(tmp_path / str(number))
        store.put_new("archives/a/key.age", seal_archive_key(BERT, [ANNE.recipient()]))
        store.put_new("archives/a/manifest.json", manifest)
        with pytest.raises(IntegrityError, match=r"archives/a/manifest\.json names no recipient"):
            rewrap_archive_keys(reached(store.root), [ANNE], [ANNE.recipient()])


def test_the_key_of_an_archive_that_is_being_sealed_is_wrapped_again_too(tmp_path: Path) -> None:
    store, _ = make_vault(tmp_path, 0)
    own = new_identity()
    store.put_new("archives/2026-12-01/key.age", seal_archive_key(own, [ANNE.recipient()]))
    assert rewrap_archive_keys(reached(store.root), [ANNE], [BERT.recipient()]) == 1
    assert openable(store, {"2026-12-01": own}, BERT) == ["2026-12-01"]


REMOVE_BERT = """
import sys
from pathlib import Path
from archiver.formats import age
from archiver.keys import Keyholders, load_identity
from archiver.rewrap import apply_keyholders
from tests.unit.test_rewrap import reached
folder = Path(sys.argv[1])
identity = load_identity(folder / "key")
print("ready", flush=True)
kept = Keyholders.load(folder / "full.txt").remove("bert")
apply_keyholders(reached(folder / "vault"), folder / "recipients.txt", kept, [identity])
"""


def test_a_removal_killed_anywhere_completes_when_repeated(tmp_path: Path) -> None:
    store, archives = make_vault(tmp_path, 40, ANNE, BERT)
    both, write_to = keyholders(("anne", ANNE), ("bert", BERT)), tmp_path / "recipients.txt"
    both.save(tmp_path / "full.txt")
    both.save(write_to)
    write_key(tmp_path, encode_identity_file(ANNE, "anne", NOW))
    cut_off = 0
    for delay_seconds in (0.005, 0.01, 0.02, 0.04, 0.08):
        child = subprocess.Popen(
            [sys.executable, "-c", REMOVE_BERT, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        try:
            child.wait(delay_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()
        cut_off += 0 < len(openable(store, archives, BERT)) < len(archives)
        assert openable(store, archives, ANNE) == list(archives)
        assert len(Keyholders.load(write_to).entries) in (1, 2)
    assert cut_off, "no kill came while keys were being rewritten"
    assert apply_keyholders(reached(store.root), write_to, both.remove("bert"), [ANNE]) == 40
    assert openable(store, archives, ANNE) == list(archives)
    assert openable(store, archives, BERT) == []
    assert Keyholders.load(write_to) == keyholders(("anne", ANNE))


def test_nobody_shuts_themselves_out_half_way(tmp_path: Path) -> None:
    store, archives = make_vault(tmp_path, 2, ANNE, BERT)
    both = keyholders(("anne", ANNE), ("bert", BERT))
    both.save(tmp_path / "recipients.txt")
    with pytest.raises(UsageError, match="would be shut out before the work is done"):
        apply_keyholders(reached(store.root), tmp_path / "recipients.txt", both.remove("bert"), [BERT])
    assert Keyholders.load(tmp_path / "recipients.txt") == both
    assert openable(store, archives, BERT) == list(archives)


def test_a_vault_without_archives_changes_its_keyholders_without_an_identity(tmp_path: Path) -> None:
    store, _ = make_vault(tmp_path, 0)
    assert (
        apply_keyholders(reached(store.root), tmp_path / "recipients.txt", keyholders(("anne", ANNE)), [])
        == 0
    )
    assert Keyholders.load(tmp_path / "recipients.txt") == keyholders(("anne", ANNE))


# Several stores


def copied(folder: Path, store: LocalStore) -> LocalStore:
    """A copy of a store in another folder."""
    shutil.copytree(store.root, folder)
    return LocalStore(folder)


def key_of(store: LocalStore, archive: str) -> bytes:
    return store.read(f"archives/{archive}/key.age", 10_000)


def test_the_same_bytes_go_into_every_store(tmp_path: Path) -> None:
    one, archives = make_vault(tmp_path, 2, ANNE)
    two = copied(tmp_path / "two", one)
    assert rewrap_archive_keys(reached(one.root, two.root), [ANNE], [ANNE.recipient(), BERT.recipient()]) == 2
    for name in archives:
        assert key_of(one, name) == key_of(two, name)
    assert openable(two, archives, BERT) == list(archives)


def test_a_key_is_read_from_the_store_where_it_opens_and_put_where_it_is_missing_or_wrong(
    tmp_path: Path,
) -> None:
    one, archives = make_vault(tmp_path, 3, ANNE)
    two = copied(tmp_path / "two", one)
    (one.root / "archives" / "2026-01-01" / "key.age").unlink()
    one.replace_key("archives/2026-02-01/key.age", b"altered")
    shutil.rmtree(one.root / "archives" / "2026-03-01")
    assert rewrap_archive_keys(reached(one.root, two.root), [ANNE], [ANNE.recipient()]) == 3
    for name in ("2026-01-01", "2026-02-01"):
        assert key_of(one, name) == key_of(two, name)
    assert openable(two, archives, ANNE) == list(archives)
    assert not one.exists("archives/2026-03-01/key.age"), "no key without its archive: that is for sync"


def test_an_odd_name_in_a_store_keeps_no_keyholder_in(tmp_path: Path) -> None:
    """Sorted before all others, as somebody would choose it."""
    store, archives = make_vault(tmp_path, 2, ANNE, BERT)
    odd = store.root / "archives" / "!odd name" / "key.age"
    odd.parent.mkdir()
    odd.write_bytes(key_of(store, "2026-01-01"))
    stores = reached(store.root)
    assert rewrap_archive_keys(stores, [ANNE], [ANNE.recipient()]) == 2
    assert stores.away == []
    assert openable(store, archives, BERT) == []


def test_a_key_without_a_manifest_in_the_first_store_does_not_stand_for_the_archives_own(
    tmp_path: Path,
) -> None:
    one, archives = make_vault(tmp_path, 1, ANNE, BERT)
    two = copied(tmp_path / "two", one)
    (one.root / "archives" / "2026-01-01" / "manifest.json").unlink()
    strangers = seal_archive_key(new_identity(classic=True), [ANNE.recipient()])
    one.replace_key("archives/2026-01-01/key.age", strangers)
    assert rewrap_archive_keys(reached(one.root, two.root), [ANNE], [ANNE.recipient()]) == 1
    assert openable(two, archives, BERT) == []
    assert openable(two, archives, ANNE) == ["2026-01-01"]


def test_a_store_with_another_archive_of_that_name_keeps_its_key(tmp_path: Path) -> None:
    one, _ = make_vault(tmp_path, 1, ANNE)
    (tmp_path / "apart").mkdir()
    two, _ = make_vault(tmp_path / "apart", 1, ANNE)
    before = key_of(two, "2026-01-01")
    with pytest.raises(IntegrityError, match=r"archive 2026-01-01 in .*apart/vault is another one"):
        rewrap_archive_keys(reached(one.root, two.root), [ANNE], [ANNE.recipient()])
    assert key_of(two, "2026-01-01") == before


def test_a_store_that_is_away_or_fails_on_the_way_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    one, archives = make_vault(tmp_path, 2, ANNE)
    two = copied(tmp_path / "two", one)
    stores = reached(one.root, two.root, tmp_path / "three")
    assert [(each.name, each.required) for each in stores.away] == [("three", False)]
    assert stores.away[0].error.exit_code == NoVaultError.exit_code
    assert stores.away[0].error.hint == "when it is back: archiver keys rewrap"
    shutil.rmtree(two.root)
    two.root.write_bytes(b"no folder any more")
    count = rewrap_archive_keys(stores, [ANNE], [ANNE.recipient(), BERT.recipient()])
    assert count == 2
    assert openable(one, archives, BERT) == list(archives)
    assert [each.name for each in stores.away] == ["three", "two"]


def test_with_every_store_away_nothing_is_done(tmp_path: Path) -> None:
    with pytest.raises(NoVaultError, match="store three: there is no folder"):
        reached(tmp_path / "three", tmp_path / "four")
