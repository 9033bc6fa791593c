"""What the tests of the catalogue share: vaults catalogued as a search does it, and the plain answer."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from archiver.archive.manifest import File
from archiver.keys import Identity
from archiver.search.catalogue import Catalogue
from archiver.vault import Archive, Vault
from tests.made_vaults import VAULT_ID, VaultMaker, post

MONTHS = {
    "2026-01-31": ("An assault was reported", "He assaulted two officers", "Officers at the café"),
    "2026-02-28": ("No assaults this week", "Officers on patrol", "Kennel of the dog section"),
    "2026-03-31": ("The assault is investigated", "Two officers, two dogs", "Call 101 or 999"),
}


def add_months(maker: VaultMaker) -> None:
    for month, texts in MONTHS.items():
        maker.add(month, [post(f"{month}-{number}", text) for number, text in enumerate(texts)])


def segments_of(vault: Vault) -> list[tuple[Archive, File]]:
    archives = vault.list_archives().require_sound()
    return [(archive, file) for archive in archives for file in archive.manifest.segments]


def names_of(vault: Vault) -> list[tuple[str, File]]:
    return [(archive.name, file) for archive, file in segments_of(vault)]


def bring_up_to_date(catalogue: Catalogue, vault: Vault, holder: Identity) -> int:
    """Catalogue what is not yet; how many segments had to be opened."""
    opened = 0
    for archive, file in segments_of(vault):
        if not catalogue.covers(archive.name, file):
            with vault.open_segment(archive, file, [holder]) as reader:
                catalogue.add(archive.name, file, reader)
            opened += 1
    return opened


def catalogued(
    folder: Path | None, maker: VaultMaker, identities: Sequence[Identity] | None = None
) -> Catalogue:
    """The catalogue of a maker's vault, complete; and saved if it has a folder."""
    catalogue = Catalogue.open(folder, VAULT_ID, [maker.holder] if identities is None else identities)
    bring_up_to_date(catalogue, maker.vault(), maker.holder)
    catalogue.save()
    return catalogue


def parts_in(folder: Path) -> list[Path]:
    return sorted((folder / "catalogue" / VAULT_ID).glob("part-*"))


Plain = dict[str, tuple[str, int, frozenset[str]]]


def read_plainly(vault: Vault, holder: Identity) -> Plain:
    """Each word's stem, records in all and archives, from the segments' own tables."""
    stems: dict[str, str] = {}
    records: Counter[str] = Counter()
    where: dict[str, set[str]] = {}
    for archive, file in segments_of(vault):
        with closing(vault.open_segment(archive, file, [holder])) as reader:
            for term, stem, count in reader.connection.execute("SELECT term, stem, records FROM term"):
                stems[term] = stem
                records[term] += count
                where.setdefault(term, set()).add(archive.name)
    return {term: (stem, records[term], frozenset(where[term])) for term, stem in stems.items()}


def archives_in(bitmap: int, catalogue: Catalogue, vault: Vault) -> set[str]:
    """A bitmap's segments, by their archives."""
    found = set()
    for archive, file in names_of(vault):
        number = catalogue.number_of(archive, file)
        if number is not None and bitmap >> number & 1:
            found.add(archive)
    return found
