"""What befalls the files: damage, forgery, other keys, full disks, other processes. A search never fails by
it, and never believes it."""

import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import pytest

from archiver.formats import age
from archiver.search.catalogue import Catalogue, Form
from archiver.search.catalogue.gathering import Gathering
from archiver.search.catalogue.part import Part, UnusablePartError
from archiver.stores.local import LocalStore
from archiver.vault import Vault
from tests.made_vaults import VAULT_ID, VaultMaker, post
from tests.programs import PROJECT
from tests.unit.search.catalogue.vaults import (
    bring_up_to_date,
    catalogued,
    names_of,
    parts_in,
    segments_of,
)

OFFICERS = Form("officers", 4)
LETTERS = str.maketrans("0123456789", "ghijklmnop")


def expect_made_anew(cache: Path, maker: VaultMaker, bad: Path) -> None:
    """Nothing of it is believed, nothing fails, and what is made in its place is sound."""
    catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
    assert not any(catalogue.covers(*one) for one in names_of(maker.vault()))
    assert catalogue.forms("officers", "none") == (Form("officers", 0),)
    assert catalogue.known_as("springfieldpd").ids == ()
    assert bring_up_to_date(catalogue, maker.vault(), maker.holder) == 3
    catalogue.save()
    assert catalogue.problem is None
    assert bad not in parts_in(cache)
    assert len(parts_in(cache)) == 1
    later = Catalogue.open(cache, VAULT_ID, [maker.holder])
    assert later.forms("officers", "none") == (OFFICERS,)


def test_any_altered_byte_makes_a_part_worthless(maker: VaultMaker, cache: Path) -> None:
    catalogued(cache, maker)
    (part,) = parts_in(cache)
    sound = part.read_bytes()
    places = {*range(300), *range(300, len(sound) - 40, 23), *range(len(sound) - 40, len(sound))}
    for at in sorted(places):
        part.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :])
        with pytest.raises(UnusablePartError):
            Part.load(part, [maker.holder], VAULT_ID)
    part.write_bytes(sound)
    Part.load(part, [maker.holder], VAULT_ID).close()


def test_a_byte_altered_in_the_middle_of_a_large_part_is_found_when_it_is_opened(
    maker: VaultMaker, cache: Path
) -> None:
    """Not when a question comes to it: by then a search has relied on the rest."""
    words = [sha256(b"%d" % number).hexdigest().translate(LETTERS) for number in range(4000)]
    maker.add("2026-04-30", [post(str(at), " ".join(words[at : at + 20])) for at in range(0, 4000, 20)])
    catalogued(cache, maker)
    (part,) = parts_in(cache)
    data = bytearray(part.read_bytes())
    assert len(data) > 4 * 65_536
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    with pytest.raises(UnusablePartError):
        Part.load(part, [maker.holder], VAULT_ID)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:100],
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"\0",
        lambda data: data + data,
        lambda data: bytes(len(data)),
        lambda data: b"SQLite format 3\0" + bytes(4096),
        lambda data: data[: len(data) // 2] + b"\xff" + data[len(data) // 2 + 1 :],
    ],
)
def test_a_damaged_part_is_ignored_and_replaced(
    maker: VaultMaker, cache: Path, damage: Callable[[bytes], bytes]
) -> None:
    catalogued(cache, maker)
    (part,) = parts_in(cache)
    part.write_bytes(damage(part.read_bytes()))
    expect_made_anew(cache, maker, part)


def test_a_part_for_another_key_of_another_vault_or_by_anybody_else_is_replaced(
    maker: VaultMaker, cache: Path
) -> None:
    other = age.X25519Identity.generate()
    catalogued(cache, maker, [other])
    expect_made_anew(cache, maker, parts_in(cache)[0])
    (own,) = parts_in(cache)
    elsewhere = Catalogue.open(cache, "another-vault", [maker.holder])
    assert not elsewhere.covers(*names_of(maker.vault())[0])
    theirs = cache / "catalogue" / "another-vault"
    theirs.mkdir()
    (theirs / own.name).write_bytes(own.read_bytes())
    moved = Catalogue.open(cache, "another-vault", [maker.holder])
    assert not moved.covers(*names_of(maker.vault())[0])
    moved.save()
    assert list(theirs.iterdir()) == []


@pytest.mark.parametrize("content", ["a sound part", "a forged proof", "no proof", "nothing"])
def test_whoever_knows_only_the_public_key_cannot_make_a_part(
    maker: VaultMaker, cache: Path, content: str
) -> None:
    """Encrypting to the keyholder is not enough: else a part that hides words could be slipped in."""
    catalogued(cache, maker)
    (part,) = parts_in(cache)
    plain = age.decrypt([maker.holder], part.read_bytes())
    gathering = Gathering()
    loaded = Part.load(part, [maker.holder], VAULT_ID)
    gathering.segments += loaded.segments  # but none of their words
    loaded.close()
    forged = {
        "a sound part": plain[40:],
        "a forged proof": plain[:8] + bytes(32) + gathering.frames(),
        "no proof": gathering.frames(),
        "nothing": b"",
    }[content]
    part.write_bytes(age.encrypt([maker.holder.recipient()], forged))
    expect_made_anew(cache, maker, part)


def test_a_proof_around_what_is_no_database_is_no_part(maker: VaultMaker, cache: Path) -> None:
    catalogued(cache, maker)
    (part,) = parts_in(cache)
    plain = age.decrypt([maker.holder], part.read_bytes())
    part.write_bytes(age.encrypt([maker.holder.recipient()], plain[:40] + bytes(3000)))
    expect_made_anew(cache, maker, part)


def test_what_is_no_file_is_passed_over(maker: VaultMaker, cache: Path) -> None:
    catalogued(cache, maker)
    (part,) = parts_in(cache)
    (part.parent / "part-folder").mkdir()
    (part.parent / "part-link").symlink_to(part)
    os.mkfifo(part.parent / "part-pipe")
    (part.parent / "else").write_bytes(b"not ours")
    catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
    assert catalogue.forms("officers", "none") == (OFFICERS,)
    catalogue.save()
    assert catalogue.problem is None
    assert (part.parent / "else").exists()


def test_a_folder_that_cannot_be_used_is_noted_once_and_the_search_goes_on(
    maker: VaultMaker, cache: Path
) -> None:
    cache.write_bytes(b"a file in the folder's place")
    catalogue = catalogued(cache, maker)
    assert catalogue.problem is not None
    assert catalogue.problem.startswith(str(cache))
    assert catalogue.forms("officers", "none") == (OFFICERS,)
    assert cache.read_bytes() == b"a file in the folder's place"


def test_what_cannot_be_deleted_is_noted_and_the_search_goes_on(maker: VaultMaker, cache: Path) -> None:
    catalogued(cache, maker)
    (part,) = parts_in(cache)
    part.write_bytes(b"damaged")
    catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
    part.unlink()
    part.mkdir()
    bring_up_to_date(catalogue, maker.vault(), maker.holder)
    catalogue.save()
    assert catalogue.problem is not None
    assert "while deleting from it" in catalogue.problem
    assert catalogue.forms("officers", "none") == (OFFICERS,)


FULL = """
import resource, signal, sys
from pathlib import Path
from archiver.formats import age
from archiver.search.catalogue import Catalogue
from tests.made_vaults import VAULT_ID
from tests.unit.search.catalogue.vaults import bring_up_to_date
from archiver.stores.local import LocalStore
from archiver.vault import Vault
holder = age.parse_identity(sys.stdin.read())
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
catalogue = Catalogue.open(Path(sys.argv[2]), VAULT_ID, [holder])
bring_up_to_date(catalogue, Vault(LocalStore(Path(sys.argv[1]))), holder)
catalogue.save()
print(catalogue.problem)
print(catalogue.forms("officers", "none")[0].records)
"""


def test_a_full_disk_is_noted_once_and_leaves_nothing(maker: VaultMaker, cache: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(maker.folder), str(cache)],
        input=maker.holder.encode(), capture_output=True, text=True, check=True, cwd=PROJECT,
    )  # fmt: skip
    problem, records = done.stdout.splitlines()
    assert problem.startswith(f"the disk is full while writing {cache}")
    assert records == "4"
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_what_a_killed_run_left_is_cleared_away_by_the_next_that_writes(
    maker: VaultMaker, cache: Path
) -> None:
    catalogued(cache, maker)
    (part,) = parts_in(cache)
    abandoned, under_way = part.parent / ".partial-1-aa", part.parent / ".partial-2-bb"
    for path in (abandoned, under_way):
        path.write_bytes(b"half")
    os.utime(abandoned, (part.stat().st_mtime - 7200,) * 2)
    maker.add("2026-04-30", [post("1", "one more")])
    catalogued(cache, maker)
    assert not abandoned.exists()
    assert under_way.exists()


def save_again(cache: Path, vault: Path, secret: str, first: int) -> None:
    """A process that catalogues from a segment on, and saves after each."""
    holder = age.parse_identity(secret)
    opened = Vault(LocalStore(vault))
    segments = segments_of(opened)
    for archive, file in segments[first:] + segments[:first]:
        catalogue = Catalogue.open(cache, VAULT_ID, [holder])
        if not catalogue.covers(archive.name, file):
            with opened.open_segment(archive, file, [holder]) as reader:
                catalogue.add(archive.name, file, reader)
        assert catalogue.forms("officers", "none")[0].records <= OFFICERS.records
        catalogue.save()
        assert catalogue.problem is None
        catalogue.close()


def test_processes_that_save_at_the_same_time_break_nothing(maker: VaultMaker, cache: Path) -> None:
    spawn = get_context("fork")
    arguments = (cache, maker.folder, maker.holder.encode())
    processes = [spawn.Process(target=save_again, args=(*arguments, first)) for first in (0, 1, 2) * 2]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    catalogue = catalogued(cache, maker)
    assert catalogue.problem is None
    assert catalogue.forms("officers", "none") == (OFFICERS,)
    later = Catalogue.open(cache, VAULT_ID, [maker.holder])
    assert all(later.covers(*one) for one in names_of(maker.vault()))
    later.save()
    assert len(parts_in(cache)) <= 3


def test_of_two_parts_that_have_the_same_segments_one_counts(maker: VaultMaker, cache: Path) -> None:
    """As when two processes catalogued the same at the same time."""
    one, two = (Catalogue.open(cache, VAULT_ID, [maker.holder]) for _ in range(2))
    for catalogue in (one, two):
        bring_up_to_date(catalogue, maker.vault(), maker.holder)
        catalogue.save()
    assert len(parts_in(cache)) == 2
    later = Catalogue.open(cache, VAULT_ID, [maker.holder])
    assert later.forms("officers", "none") == (OFFICERS,)
    later.save()
    assert len(parts_in(cache)) == 1


def test_a_part_that_another_process_replaces_meanwhile_can_still_be_asked(
    maker: VaultMaker, cache: Path
) -> None:
    catalogued(cache, maker)
    catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
    for part in parts_in(cache):
        part.unlink()
    assert catalogue.forms("officers", "none") == (OFFICERS,)
    assert [one.word for one in catalogue.suggest("oficers")] == ["officers"]
