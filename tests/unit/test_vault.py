"""The vault: its archives in their order, what is wrong with the chain, and the way into each."""

from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from archiver.chain import Head, encode_document
from archiver.errors import ArchiverError, IntegrityError, NoKeyError, NoVaultError
from archiver.formats import age
from archiver.formats.ssh_signature import SigningKey
from archiver.stores.local import LocalStore
from archiver.vault import ArchiveList, Vault, archive_order
from tests.made_vaults import VAULT_ID, VaultMaker, post

NAMES = ["2026-01-01", "2026-02-01", "2026-02-01.2", "2026-03-01"]


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    maker = VaultMaker(tmp_path / "vault")
    for number, name in enumerate(NAMES):
        maker.add(name, [post(str(number), "word", number)])
    return maker


def replace(maker: VaultMaker, name: str, data: bytes) -> None:
    path = maker.folder / name
    path.unlink()
    path.write_bytes(data)


def names(listed: ArchiveList) -> list[str]:
    return [archive.name for archive in listed.archives]


def test_archives_are_listed_oldest_first_each_with_its_place_and_signer(maker: VaultMaker) -> None:
    listed = maker.vault().list_archives(maker.head)
    assert listed.problems == ()
    assert names(listed) == NAMES
    assert [archive.head.sequence for archive in listed.require_sound()] == [1, 2, 3, 4]
    assert listed.archives[-1].head == maker.head
    assert {archive.signer for archive in listed.archives} == {"collector"}
    assert maker.vault().id == VAULT_ID


def test_a_tenth_archive_of_a_day_comes_after_the_ninth() -> None:
    unsorted = ["2026-01-01.10", "2026-01-02", "2026-01-01.9", "2026-01-01", "2026-01-01.2"]
    assert sorted(unsorted, key=archive_order) == [
        "2026-01-01", "2026-01-01.2", "2026-01-01.9", "2026-01-01.10", "2026-01-02",
    ]  # fmt: skip
    for odd in ("", "x.", "x.²", "x.-1", "x.1.2", "x.٣"):
        assert archive_order(odd)[0] == odd.partition(".")[0]


def test_an_empty_vault_has_no_archives_and_no_problems(tmp_path: Path) -> None:
    assert VaultMaker(tmp_path / "vault").vault().list_archives() == ArchiveList((), ())


def test_a_folder_that_is_no_vault_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoVaultError, match="there is no vault in") as caught:
        Vault(LocalStore(tmp_path / "empty"))
    assert caught.value.hint is not None
    assert (
        caught.value.hint.index("mount") < caught.value.hint.index("sync") < caught.value.hint.index("init")
    )
    with pytest.raises(NoVaultError):
        Vault(LocalStore(tmp_path / "absent"))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"5", b"[" * 100_000, b'{"vault":'])
def test_a_description_that_is_none_is_named(maker: VaultMaker, data: bytes) -> None:
    replace(maker, "vault.json", data)
    with pytest.raises(IntegrityError, match=r"vault\.json in .* is not a vault's description"):
        maker.vault()


def test_signers_that_cannot_be_read_are_named(maker: VaultMaker) -> None:
    replace(maker, "allowed_signers", b"nobody at all\n")
    with pytest.raises(IntegrityError, match="allowed_signers: "):
        maker.vault().list_archives()
    (maker.folder / "allowed_signers").unlink()
    with pytest.raises(IntegrityError, match="allowed_signers is missing"):
        maker.vault().list_archives()


# What is wrong with the chain, and what can be read all the same


def problem(maker: VaultMaker, head: Head | None = None) -> tuple[str, list[str]]:
    """The one problem's message, and the archives listed in spite of it."""
    listed = maker.vault().list_archives(head)
    (found,) = listed.problems
    with pytest.raises(ArchiverError) as caught:
        listed.require_sound()
    assert caught.value is found
    assert found.hint
    return found.message, names(listed)


def test_a_removed_archive_shows_and_those_around_it_are_listed(maker: VaultMaker) -> None:
    for path in (maker.folder / "archives" / NAMES[1]).iterdir():
        path.unlink()
    message, listed = problem(maker)
    after = "after archives/2026-01-01/manifest.json"
    assert message == f"archives/2026-02-01.2/manifest.json has number 3 where 2 is due, {after}"
    assert listed == [NAMES[0], *NAMES[2:]]


def test_the_last_archives_cut_off_show_against_a_remembered_head_only(maker: VaultMaker) -> None:
    for path in (maker.folder / "archives" / NAMES[3]).iterdir():
        path.unlink()
    assert maker.vault().list_archives().problems == ()
    message, listed = problem(maker, maker.head)
    assert message.startswith("number 4 was noted as written, but the chain ends at 3")
    assert listed == NAMES[:3]


def test_a_head_that_another_chain_has_shows(maker: VaultMaker) -> None:
    message, _ = problem(maker, Head(2, "0" * 64))
    assert "is not the number 2 that was noted" in message


@pytest.mark.parametrize("number", range(4))
def test_an_altered_manifest_is_not_listed_and_the_others_are(maker: VaultMaker, number: int) -> None:
    path = maker.folder / "archives" / NAMES[number] / "manifest.json"
    data = path.read_bytes()
    replace(maker, f"archives/{NAMES[number]}/manifest.json", data.replace(b'"a test"', b'"a best"'))
    message, listed = problem(maker)
    assert NAMES[number] in message
    assert listed == [name for name in NAMES if name != NAMES[number]]


def test_a_manifest_signed_by_somebody_else_is_not_listed(maker: VaultMaker) -> None:
    ours, maker.key = maker.key, SigningKey.generate("collector")
    maker.add("2026-04-01", [post("9", "word")])
    maker.key = ours
    message, listed = problem(maker)
    assert message.startswith("archives/2026-04-01/manifest.json is signed by somebody else")
    assert listed == NAMES


def test_a_manifest_without_its_signature_is_named(maker: VaultMaker) -> None:
    (maker.folder / "archives" / NAMES[3] / "manifest.json.sig").unlink()
    message, listed = problem(maker)
    assert message == "archives/2026-03-01/manifest.json has no signature beside it"
    assert listed == NAMES[:3]


def test_two_manifests_exchanged_are_both_found_out(maker: VaultMaker) -> None:
    folders = [maker.folder / "archives" / name for name in NAMES[1:3]]
    for name in ("manifest.json", "manifest.json.sig"):
        first, second = ((folder / name).read_bytes() for folder in folders)
        replace(maker, f"archives/{NAMES[1]}/{name}", second)
        replace(maker, f"archives/{NAMES[2]}/{name}", first)
    listed = maker.vault().list_archives()
    assert [one.message[:33] for one in listed.problems[:2]] == [
        "archives/2026-02-01/manifest.json", "archives/2026-02-01.2/manifest.js",
    ]  # fmt: skip
    assert names(listed) == [NAMES[0], NAMES[3]]


def test_an_archive_of_another_vault_is_found_out(maker: VaultMaker, tmp_path: Path) -> None:
    other = VaultMaker(tmp_path / "other", holder=maker.holder)
    other.folder.joinpath("vault.json").unlink()
    other.store.put_new("vault.json", encode_document({"vault": "another"}))
    with_id = Vault(other.store)
    other.add("2026-01-01", [post("1", "word")])
    assert [one.message for one in with_id.list_archives().problems] == [
        f"archives/2026-01-01/manifest.json belongs to the archive '2026-01-01' of the vault '{VAULT_ID}'"
    ]


def test_folders_without_a_manifest_are_told_apart(maker: VaultMaker) -> None:
    (maker.folder / "archives" / NAMES[1] / "manifest.json").unlink()
    maker.store.put_new("archives/2026-05-01/key.age", b"half")
    maker.store.put_new("archives/stray", b"a file where folders are")
    assert maker.vault().archive_names() == (
        [NAMES[0], *NAMES[2:]], ["2026-02-01", "2026-05-01", "stray"],
    )  # fmt: skip


# The way in


def test_a_key_is_unwrapped_once_and_must_be_the_manifests(maker: VaultMaker) -> None:
    vault = maker.vault()
    first, second, *_ = vault.list_archives().archives
    key = vault.open_key(first, [maker.holder])
    assert key.recipient().encode() == first.manifest.recipient
    (maker.folder / "archives" / NAMES[0] / "key.age").unlink()
    assert vault.open_key(first, [maker.holder]) is key
    with pytest.raises(NoKeyError):
        vault.open_key(second, [age.X25519Identity.generate()])
    other = (maker.folder / "archives" / NAMES[2] / "key.age").read_bytes()
    replace(maker, f"archives/{NAMES[1]}/key.age", other)
    with pytest.raises(IntegrityError, match="this is not the key of archive 2026-02-01"):
        vault.open_key(second, [maker.holder])


def test_a_file_of_an_archive_is_named_as_in_the_store(maker: VaultMaker) -> None:
    first = maker.vault().list_archives().archives[0]
    (file,) = first.manifest.segments
    assert first.path(file) == "archives/2026-01-01/records-000.sqlite.zst.age"
    data = (maker.folder / first.path(file)).read_bytes()
    assert (len(data), sha256(data).hexdigest()) == (file.size, file.sha256)
    assert msgspec.json.decode((maker.folder / "archives/2026-01-01/manifest.json").read_bytes())["mark"]
