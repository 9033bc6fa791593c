"""Archives' keys that differ between stores, as after a change of keyholders while one was away."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from archiver.errors import ArchiverError, IncompleteError
from archiver.keys import Identity, archive_key_name, open_archive_key
from archiver.sync.filling import put_key
from archiver.sync.survey import MAXIMUM_SMALL_FILE, Holding, Sealed, about_store

HINT = "encrypt all of them anew, with a keyholder's identity: archiver keys rewrap"


def align_keys(
    holdings: Sequence[Holding],
    chain: Sequence[Sealed],
    targets: Sequence[Holding],
    identities: Callable[[], Sequence[Identity]],
) -> list[ArchiverError]:
    """Where an archive's key is not the same in all stores, put that of the first store in order whose key
    one of the identities opens, to what the manifest names, into those of the others that are `targets`.
    Nothing is overwritten without that proof: return what differs still. `identities` is asked only where a
    key differs."""
    usable = [one for one in holdings if one.usable and one.failed is None]
    ask = cache(identities)  # a passphrase costs a second
    keys = [_read_keys(holding, chain) for holding in usable]
    problems: list[ArchiverError] = []
    for sealed in chain:
        name = archive_key_name(sealed.archive)
        found = [(holding, read[name]) for holding, read in zip(usable, keys, strict=True) if name in read]
        problems += [about_store(one.named, data) for one, data in found if isinstance(data, ArchiverError)]
        copies = [(holding, data) for holding, data in found if isinstance(data, bytes)]
        if len({data for _, data in copies}) > 1:
            problems += _align(sealed, copies, targets, ask)
    return problems


def _read_keys(holding: Holding, chain: Sequence[Sealed]) -> Mapping[str, bytes | ArchiverError]:
    names = [archive_key_name(sealed.archive) for sealed in chain]
    return holding.store.read_many({name: MAXIMUM_SMALL_FILE for name in names if name in holding.names})


def _align(
    sealed: Sealed,
    copies: Sequence[tuple[Holding, bytes]],
    targets: Sequence[Holding],
    identities: Callable[[], Sequence[Identity]],
) -> list[ArchiverError]:
    """Replace the others by the first that is proven; or say that they differ."""
    named = " and ".join(holding.named.name for holding, _ in copies)
    name = archive_key_name(sealed.archive)
    known = identities()
    proven = next((data for holding, data in copies if _opens(holding, sealed, known)), None)
    still_differ = IncompleteError(f"{name} is not the same in the stores {named}", HINT)
    if proven is None:
        return [still_differ]
    problems: list[ArchiverError] = []
    for holding in (one for one, data in copies if data != proven):
        if not any(holding is target for target in targets):
            problems.append(still_differ)
            continue
        try:
            put_key(holding.store, name, proven)
        except ArchiverError as error:
            problems.append(about_store(holding.named, error))
    return problems


def _opens(holding: Holding, sealed: Sealed, identities: Sequence[Identity]) -> bool:
    if not identities:
        return False
    try:
        open_archive_key(holding.store, sealed.archive, identities, sealed.manifest.recipient)
    except ArchiverError:
        return False
    return True
