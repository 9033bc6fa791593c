"""Records that were erased before, told by whoever has their ids."""

from collections.abc import Iterable, Iterator, Sequence

from archiver.keys import Identity
from archiver.reseal.names import KINDS, RecordName, parse_name
from archiver.reseal.tombstones import Tombstone, read_tombstones
from archiver.search.language.fields import plain_id
from archiver.vault import Archive, Vault


def find_tombstones(
    vault: Vault, archives: Sequence[Archive], identities: list[Identity], texts: Iterable[str]
) -> dict[str, Tombstone]:
    """Of each name as typed that an archive has a tombstone of, the latest. Opens those archives alone that
    say that something was erased."""
    stones = [one for archive in archives for one in _stones(vault, archive, identities)]
    stones.sort(key=lambda one: one.erased_ms)
    found: dict[str, Tombstone] = {}
    for text in texts:
        for stone in stones:
            if any(stone.is_of(name) for name in _meant(text, stone.platform)):
                found[text] = stone
    return found


def _stones(vault: Vault, archive: Archive, identities: list[Identity]) -> Iterator[Tombstone]:
    if not archive.manifest.erased:
        return
    for file in archive.manifest.segments:
        with vault.open_segment(archive, file, identities) as segment:
            yield from read_tombstones(segment.connection)


def name_of(stone: Tombstone, text: str) -> RecordName:
    """The name that a text, of which `find_tombstones` found this, means."""
    return next(name for name in _meant(text, stone.platform) if stone.is_of(name))


def _meant(text: str, platform: str) -> list[RecordName]:
    named = parse_name(text)
    if isinstance(named, RecordName):
        return [named]
    own = plain_id(named)
    return [RecordName(platform, kind, own) for kind in KINDS]
