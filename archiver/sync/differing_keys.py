"""Archives' keys that differ between stores, as after a change of keyholders while one was away."""

from collections.abc import Mapping, Sequence

from archiver.errors import ArchiverError, IncompleteError
from archiver.keys import MAXIMUM_KEY_BYTES, archive_key_name
from archiver.sync.disposals import disposed_in
from archiver.sync.holding import Holding, Sealed, about_store

HINT = "encrypt all of them anew, to the keyholders there are, with an identity of one: archiver keys rewrap"


def find_differing_keys(holdings: Sequence[Holding], chain: Sequence[Sealed]) -> list[ArchiverError]:
    """What to say of each archive whose key is not the same in all stores. None is put over another: an older
    one would let a removed keyholder in again, and which is older no store can tell."""
    usable = [one for one in holdings if one.usable and one.failed is None]
    keys = [_read_keys(holding, chain) for holding in usable]
    problems: list[ArchiverError] = []
    disposed = disposed_in(holdings)
    for name in (archive_key_name(one.archive) for one in chain if one.archive not in disposed):
        found = [(holding, read[name]) for holding, read in zip(usable, keys, strict=True) if name in read]
        problems += [about_store(one.named, data) for one, data in found if isinstance(data, ArchiverError)]
        copies = [(holding.named.name, data) for holding, data in found if isinstance(data, bytes)]
        if len({data for _, data in copies}) > 1:
            named = " and ".join(store for store, _ in copies)
            problems.append(IncompleteError(f"{name} is not the same in the stores {named}", HINT))
    return problems


def _read_keys(holding: Holding, chain: Sequence[Sealed]) -> Mapping[str, bytes | ArchiverError]:
    names = [archive_key_name(sealed.archive) for sealed in chain]
    return holding.store.read_many({name: MAXIMUM_KEY_BYTES for name in names if name in holding.names})
