"""Verifying a vault: every check finds what it is for, and none stops the others."""

from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from archiver.chain import Head
from archiver.errors import ArchiverError, IntegrityError, NoKeyError, UsageError, repair_hint
from archiver.formats import age
from archiver.keys import archive_key_name, seal_archive_key
from archiver.verification import Verification, verify_vault
from tests.made_vaults import VaultMaker, post

NAMES = ["2026-01-01", "2026-02-01", "2026-03-01"]
SEGMENT = "records-000.sqlite.zst.age"


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    maker = VaultMaker(tmp_path / "vault")
    for number, name in enumerate(NAMES):
        maker.add(name, [post(str(number), "word", number)])
    return maker


def verified(
    maker: VaultMaker, *only: str, contents: bool = False, unfinished: str | None = None
) -> Verification:
    return verify_vault(
        maker.vault(),
        known_head=maker.head,
        only=only,
        identities=[maker.holder] if contents else None,
        unfinished=unfinished,
    )


def messages(found: Verification) -> list[str]:
    return [one.message for one in found.problems]


def alter(maker: VaultMaker, name: str, place: int = 500) -> None:
    path = maker.folder / "archives" / name
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


@pytest.mark.parametrize("contents", [False, True])
def test_a_whole_vault_has_no_problems_and_everything_was_looked_at(
    maker: VaultMaker, contents: bool
) -> None:
    found = verified(maker, contents=contents)
    assert (found.problems, found.contents) == ([], contents)
    found.raise_first()
    assert [one.name for one in found.archives] == NAMES
    assert found.files == 3
    sizes = [path.stat().st_size for path in maker.folder.rglob(SEGMENT)]
    assert found.bytes == sum(sizes)
    assert found.head == found.known_head == maker.head


def test_an_empty_vault_is_whole(tmp_path: Path) -> None:
    found = verified(VaultMaker(tmp_path / "vault"))
    assert (found.problems, found.archives, found.head) == ([], [], None)


def test_progress_names_every_file(maker: VaultMaker) -> None:
    steps: list[tuple[str, int, int]] = []
    verify_vault(maker.vault(), known_head=None, progress=lambda *step: steps.append(step))
    assert steps == [(f"{name}/{SEGMENT}", number, 3) for number, name in enumerate(NAMES)]


@pytest.mark.parametrize("contents", [False, True])
def test_every_problem_is_found_in_one_go(maker: VaultMaker, contents: bool) -> None:
    alter(maker, f"{NAMES[0]}/{SEGMENT}")
    (maker.folder / "archives" / NAMES[1] / SEGMENT).unlink()
    (maker.folder / "archives" / NAMES[2] / "key.age").unlink()
    maker.store.put_new(f"archives/{NAMES[2]}/notes.txt", b"")
    maker.store.put_new("archives/2026-04-01/key.age", b"")
    found = verified(maker, contents=contents)
    told = "\n".join(messages(found))
    for wanted in (
        f"archives/{NAMES[0]}/{SEGMENT}",
        f"archives/{NAMES[1]}/{SEGMENT} is missing",
        f"archives/{NAMES[2]}/key.age is missing",
        f"archives/{NAMES[2]}/notes.txt is not in the manifest",
        "archives/2026-04-01 has no manifest.json",
    ):
        assert wanted in told
    assert len(found.problems) == (6 if contents else 5)  # without its key an archive cannot be opened either
    assert found.files == (0 if contents else 1)
    with pytest.raises(ArchiverError) as caught:
        found.raise_first()
    assert caught.value is found.problems[0]


def test_a_removed_archive_and_an_altered_manifest_show_beside_each_other(maker: VaultMaker) -> None:
    alter(maker, f"{NAMES[1]}/manifest.json", place=-20)
    maker.store.put_new(f"archives/{NAMES[0]}/stray", b"")
    told = "\n".join(messages(verified(maker)))
    assert f"archives/{NAMES[1]}/manifest.json" in told
    assert f"archives/{NAMES[0]}/stray is not in the manifest" in told


def test_a_file_beside_the_archives_folders_shows(maker: VaultMaker) -> None:
    (maker.folder / "archives" / "stray.txt").write_bytes(b"")
    assert messages(verified(maker)) == ["archives/stray.txt has no manifest.json"]


@pytest.mark.parametrize("data", [b"", b"age-encryption.org/v1\n", b"\0" * 500, b"x" * (2 << 20)])
def test_a_key_that_can_open_nothing_shows_without_any_key(maker: VaultMaker, data: bytes) -> None:
    path = maker.folder / archive_key_name(NAMES[1])
    path.chmod(0o644)
    path.write_bytes(data)
    (told,) = messages(verified(maker))
    assert told.startswith(f"archives/{NAMES[1]}/key.age ")


def test_the_end_cut_off_shows_against_what_is_remembered(maker: VaultMaker) -> None:
    for path in (maker.folder / "archives" / NAMES[2]).iterdir():
        path.unlink()
    (problem,) = verified(maker).problems
    assert isinstance(problem, IntegrityError)
    assert "the chain ends at 2" in problem.message
    assert verify_vault(maker.vault(), known_head=None).problems == []
    assert verify_vault(maker.vault(), known_head=Head(9, "0" * 64)).problems


def test_an_archive_being_sealed_is_no_problem(maker: VaultMaker) -> None:
    maker.store.put_new("archives/2026-04-01/key.age", b"")
    assert verified(maker, unfinished="2026-04-01").problems == []
    (problem,) = verified(maker, unfinished="2026-05-01").problems
    assert problem.hint == repair_hint("2026-04-01")


def test_only_the_archives_named_are_checked(maker: VaultMaker) -> None:
    alter(maker, f"{NAMES[0]}/{SEGMENT}")
    assert verified(maker, NAMES[1], NAMES[2]).problems == []
    assert len(verified(maker, NAMES[0]).problems) == 1
    with pytest.raises(UsageError, match="there is no archive 2026-09-09"):
        verified(maker, "2026-09-09", NAMES[1])


def test_an_archive_named_that_is_gone_from_a_broken_chain_is_the_chains_problem(maker: VaultMaker) -> None:
    (maker.folder / "archives" / NAMES[1] / "manifest.json").unlink()
    found = verified(maker, NAMES[1])
    assert found.archives == []
    assert "is due, after" in messages(found)[0]


def test_contents_need_a_key_that_fits(maker: VaultMaker) -> None:
    found = verify_vault(maker.vault(), known_head=None, identities=[age.X25519Identity.generate()])
    assert [type(one) for one in found.problems] == [NoKeyError] * 3


def test_only_with_a_key_is_it_seen_that_the_inside_is_not_what_it_should_be(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    identity = age.X25519Identity.generate()
    maker.add("2026-01-01", [post("1", "word")])
    (first,) = maker.vault().list_archives().archives
    (file,) = first.manifest.files
    sealed = age.encrypt([identity.recipient()], b"no segment")
    maker.store.put_new(
        archive_key_name("2026-02-01"), seal_archive_key(identity, [maker.holder.recipient()])
    )
    maker.store.put_new(f"archives/2026-02-01/{SEGMENT}", sealed)
    told = msgspec.structs.replace(file, size=len(sealed), sha256=sha256(sealed).hexdigest())
    maker.sign("2026-02-01", maker.manifest("2026-02-01", [told], identity))
    assert verified(maker).problems == []
    (problem,) = verified(maker, contents=True).problems
    assert problem.message.startswith(f"archives/2026-02-01/{SEGMENT}: ")
