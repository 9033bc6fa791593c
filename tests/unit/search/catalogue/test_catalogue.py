"""Which segments the catalogue has, what it keeps of them, and when it is made anew."""

import stat
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs

from archiver.archive.read import SegmentReader
from archiver.errors import IntegrityError
from archiver.formats import age
from archiver.search.catalogue import Catalogue, Form, Names
from archiver.search.catalogue.catalogue import MOST_PARTS
from archiver.search.catalogue.folder import CatalogueFolder
from tests.made_vaults import VAULT_ID, VaultMaker, post
from tests.unit.search.catalogue.vaults import (
    archives_in,
    bring_up_to_date,
    catalogued,
    names_of,
    parts_in,
    segments_of,
)

LETTERS = str.maketrans("0123456789", "ghijklmnop")


@pytest.mark.parametrize("is_far", [False, True])
def test_what_was_catalogued_once_is_known_to_the_next_search_without_opening_a_segment(
    maker: VaultMaker, cache: Path, is_far: bool
) -> None:
    maker.is_far = is_far
    first = catalogued(cache, maker)
    later = Catalogue.open(cache, VAULT_ID, [maker.holder])
    for catalogue in (first, later):
        assert catalogue.problem is None
        assert all(catalogue.covers(*one) for one in names_of(maker.vault()))
        assert catalogue.forms("assault", "english") == (
            Form("assault", 2), Form("assaulted", 1), Form("assaults", 1),
        )  # fmt: skip
    assert bring_up_to_date(later, maker.vault(), maker.holder) == 0


def test_a_kept_file_key_opens_its_segment_and_no_other(maker: VaultMaker, cache: Path) -> None:
    catalogued(cache, maker)
    catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
    vault = maker.vault()
    found = segments_of(vault)
    for archive, file in found:
        key = catalogue.file_key(archive.name, file)
        assert key is not None
        with SegmentReader(vault.store, archive.path(file), age.FileKeyIdentity(key)) as reader:
            assert reader.connection.execute("SELECT count(*) FROM post").fetchall() == [(3,)]
    other = catalogue.file_key(found[0][0].name, found[0][1])
    assert other is not None
    archive, file = found[1]
    with pytest.raises(IntegrityError, match=r"2026-02-28/records-000.*authentication failed"):
        SegmentReader(vault.store, archive.path(file), age.FileKeyIdentity(other))


def test_files_are_private_and_hold_nothing_readable(maker: VaultMaker, cache: Path) -> None:
    catalogue = catalogued(cache, maker)
    (part,) = parts_in(cache)
    assert stat.S_IMODE(part.stat().st_mode) == 0o600
    for folder in (cache, part.parent.parent, part.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    data = part.read_bytes()
    assert data.startswith(b"age-encryption.org/v1\n-> X25519 ")
    archive, file = names_of(maker.vault())[0]
    key = catalogue.file_key(archive, file)
    assert key is not None
    for secret in (b"assault", b"SQLite format", archive.encode(), key):
        assert secret not in data
    assert sorted(path.name for path in part.parent.iterdir()) == [part.name]
    shown = repr(catalogue._known[archive, file.name])
    assert repr(key) not in shown
    assert key.hex() not in shown


def test_without_a_folder_or_a_key_it_works_and_nothing_is_written(maker: VaultMaker, cache: Path) -> None:
    for catalogue in (catalogued(None, maker), catalogued(cache, maker, [])):
        assert catalogue.forms("officers", "english")[0] == Form("officers", 4)
        assert catalogue.problem is None
    assert not cache.exists()


@pytest.mark.parametrize("kind", [age.X25519Identity, age.HybridIdentity])
def test_every_kind_of_key_reads_what_was_kept_for_it_and_nobody_elses(
    maker: VaultMaker, cache: Path, kind: type[age.X25519Identity] | type[age.HybridIdentity]
) -> None:
    identity = kind.generate()
    catalogued(cache, maker, [identity])
    archive, file = names_of(maker.vault())[0]
    assert Catalogue.open(cache, VAULT_ID, [identity]).covers(archive, file)
    assert Catalogue.open(cache, VAULT_ID, [kind.generate(), identity]).covers(archive, file)
    assert not Catalogue.open(cache, VAULT_ID, [kind.generate()]).covers(archive, file)
    assert not Catalogue.open(cache, VAULT_ID, [maker.holder]).covers(archive, file)


def test_of_a_keyholders_two_keys_the_post_quantum_one_protects_what_is_kept(
    maker: VaultMaker, cache: Path
) -> None:
    classic, hybrid = age.X25519Identity.generate(), age.HybridIdentity.generate()
    catalogued(cache, maker, [classic, hybrid])
    (part,) = parts_in(cache)
    assert part.read_bytes().startswith(b"age-encryption.org/v1\n-> mlkem768x25519 ")
    archive, file = names_of(maker.vault())[0]
    assert Catalogue.open(cache, VAULT_ID, [hybrid, classic]).covers(archive, file)
    assert not Catalogue.open(cache, VAULT_ID, [classic]).covers(archive, file)


def test_each_month_adds_a_part_and_many_become_one(tmp_path: Path, cache: Path) -> None:
    maker = VaultMaker(tmp_path / "growing")
    numbers = []
    for month in range(1, MOST_PARTS + 4):
        maker.add(f"2027-0{month}-28", [post(str(month), f"officers month{'x' * month}")])
        catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
        assert bring_up_to_date(catalogue, maker.vault(), maker.holder) == 1
        before = [catalogue.number_of(*one) for one in names_of(maker.vault())]
        catalogue.save()
        assert [catalogue.number_of(*one) for one in names_of(maker.vault())] == before
        assert catalogue.forms("officers", "none") == (Form("officers", month),)
        numbers.append(len(parts_in(cache)))
        later = Catalogue.open(cache, VAULT_ID, [maker.holder])
        assert later.forms("officers", "none") == (Form("officers", month),)
        found = later.segments_with([f"month{'x' * month}"])
        assert found is not None
        assert archives_in(found, later, maker.vault()) == {f"2027-0{month}-28"}
    assert numbers == [1, 2, 3, 4, 5, 6, 1, 2, 3]


def test_adding_between_questions_makes_one_part_when_it_is_saved(maker: VaultMaker, cache: Path) -> None:
    catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
    vault = maker.vault()
    for number, (archive, file) in enumerate(segments_of(vault), start=1):
        with vault.open_segment(archive, file, [maker.holder]) as reader:
            catalogue.add(archive.name, file, reader)
            catalogue.add(archive.name, file, reader)
        assert catalogue.number_of(archive.name, file) == number - 1
        assert sum(one.records for one in catalogue.forms("officers", "english")) == (2, 3, 4)[number - 1]
    catalogue.save()
    catalogue.save()
    assert len(parts_in(cache)) == 1
    assert Catalogue.open(cache, VAULT_ID, [maker.holder]).forms("officers", "english")[0].records == 4


def test_however_little_may_be_held_in_memory_the_answers_are_the_same(
    maker: VaultMaker, cache: Path
) -> None:
    folder = CatalogueFolder(cache, VAULT_ID, [maker.holder])
    catalogue = Catalogue(folder, gathered_bytes=0)
    bring_up_to_date(catalogue, maker.vault(), maker.holder)
    complete = catalogued(None, maker)
    catalogue.save()
    assert len(parts_in(cache)) == 1
    for one in (catalogue, Catalogue.open(cache, VAULT_ID, [maker.holder])):
        assert one.forms("assault", "english") == complete.forms("assault", "english")
        assert one.known_as("springfieldpd") == complete.known_as("springfieldpd") != Names((), ())
        for word in ("officers", "dogs", "kennel"):
            assert one.segments_with([word]) == complete.segments_with([word])


def test_a_segment_counts_only_as_the_manifest_has_it_now(maker: VaultMaker, cache: Path) -> None:
    catalogue = catalogued(cache, maker)
    (first, file), (second, _), *_ = names_of(maker.vault())
    other = structs.replace(file, sha256="0" * 64)
    for archive, asked in ((first, other), (second, other), ("2026-12-31", file)):
        assert not catalogue.covers(archive, asked)
        assert catalogue.file_key(archive, asked) is None
        assert catalogue.number_of(archive, asked) is None
    assert catalogue.covers(first, file)


def test_a_rewritten_segment_takes_the_place_of_what_was_kept_of_it(maker: VaultMaker, cache: Path) -> None:
    catalogued(cache, maker)
    catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
    vault = maker.vault()
    archive, file = segments_of(vault)[0]
    rewritten = structs.replace(file, sha256="1" * 64)
    with vault.open_segment(archive, file, [maker.holder]) as reader:
        catalogue.add(archive.name, rewritten, reader)
    assert catalogue.covers(archive.name, rewritten)
    assert not catalogue.covers(archive.name, file)
    assert not catalogue.covers(*names_of(vault)[1])  # they were in one part
    assert catalogue.forms("assaults", "english") == (
        Form("assaults", 0), Form("assault", 1), Form("assaulted", 1),
    )  # fmt: skip
    catalogue.save()
    assert len(parts_in(cache)) == 1
    assert Catalogue.open(cache, VAULT_ID, [maker.holder]).covers(archive.name, rewritten)


def test_what_was_disposed_of_vanishes_with_every_word_of_it(maker: VaultMaker, cache: Path) -> None:
    catalogued(cache, maker)
    before = parts_in(cache)
    catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
    left = names_of(maker.vault())[1:]
    catalogue.keep(left)
    assert not any(catalogue.covers(*one) for one in names_of(maker.vault()))
    vault = maker.vault()
    for archive, file in segments_of(vault)[1:]:
        with vault.open_segment(archive, file, [maker.holder]) as reader:
            catalogue.add(archive.name, file, reader)
    catalogue.save()
    after = parts_in(cache)
    assert len(after) == 1
    assert after != before
    later = Catalogue.open(cache, VAULT_ID, [maker.holder])
    later.keep(left)
    assert [later.covers(*one) for one in names_of(vault)] == [False, True, True]
    assert later.forms("assaulted", "english")[0] == Form("assaulted", 0)
    assert later.forms("officers", "english")[0] == Form("officers", 2)


def test_what_is_all_to_be_kept_stays_as_it_is(maker: VaultMaker, cache: Path) -> None:
    catalogued(cache, maker)
    before = parts_in(cache)
    catalogue = Catalogue.open(cache, VAULT_ID, [maker.holder])
    catalogue.keep(names_of(maker.vault()))
    catalogue.save()
    assert all(catalogue.covers(*one) for one in names_of(maker.vault()))
    assert parts_in(cache) == before


def test_a_segment_that_cannot_be_read_is_named_and_not_catalogued(maker: VaultMaker) -> None:
    words = [sha256(b"%d" % number).hexdigest().translate(LETTERS) for number in range(6000)]
    maker.add("2026-04-30", [post(str(at), " ".join(words[at : at + 20])) for at in range(0, 6000, 20)])
    path = maker.folder / "archives" / "2026-04-30" / "records-000.sqlite.zst.age"
    vault = maker.vault()
    archive, file = segments_of(vault)[-1]
    data = bytearray(path.read_bytes())
    path.chmod(0o600)
    catalogue = Catalogue.open(None, VAULT_ID, [maker.holder])
    with vault.open_segment(archive, file, [maker.holder]) as reader:
        path.chmod(0o600)
        for at in range(len(data) // 3, len(data), 4096):
            data[at] ^= 1
        with path.open("r+b") as opened:
            opened.write(bytes(data))
        with pytest.raises(IntegrityError, match="2026-04-30/records-000"):
            catalogue.add(archive.name, file, reader)
    assert not catalogue.covers(archive.name, file)
    assert catalogue.forms("officers", "english") == (Form("officers", 0),)


def test_vaults_with_odd_names_are_kept_apart_within_the_folder(maker: VaultMaker, cache: Path) -> None:
    vault = maker.vault()
    archive, file = segments_of(vault)[0]
    names = ["../outside", "..", ".", "", "a/b", "a\0b", "x" * 300, "plain-1"]
    for name in names:
        catalogue = Catalogue.open(cache, name, [maker.holder])
        with vault.open_segment(archive, file, [maker.holder]) as reader:
            catalogue.add(archive.name, file, reader)
        catalogue.save()
        assert catalogue.problem is None
        assert Catalogue.open(cache, name, [maker.holder]).covers(archive.name, file)
    assert len(list(cache.iterdir())) == 1
    assert len(list((cache / "catalogue").iterdir())) == len(names)
