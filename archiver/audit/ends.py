"""Where chains end in a store, found without a list of a hundred thousand names where that can be."""

from collections.abc import Iterable, Mapping

from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.following import Unpacked, last_of, unpack_entry
from archiver.audit.names import FOLDER, entry_name
from archiver.chain import Head
from archiver.errors import ArchiverError
from archiver.stores.base import Store


def look_at(store: Store, chain: str, sequence: int) -> Unpacked | None:
    """An entry as it lies in a store now; None where there is none. Raise IntegrityError where what lies
    there is no entry of that chain and number."""
    name = entry_name(chain, sequence)
    data = store.look(name, MAXIMUM_BYTES)
    return None if data is None else unpack_entry(data, name)


def find_last(store: Store, chain: str) -> Unpacked | None:
    """A chain's last entry, by listing its names once. Raise as `look_at`."""
    last = last_of(store.list(f"{FOLDER}{chain}/")).get(chain)
    return None if last is None else look_at(store, chain, last)


def find_all_last(store: Store) -> dict[str, Head]:
    """The end of every chain that a store has, by listing the log's names once: for each seal, whose manifest
    names them. A chain whose last entry cannot be read is left out; verifying says what is wrong with it."""
    found: dict[str, Head] = {}
    for chain, sequence in sorted(last_of(store.list(FOLDER)).items()):
        try:
            entry = look_at(store, chain, sequence)
        except ArchiverError:
            continue
        if entry is not None:
            found[chain] = entry.head
    return found


def advance(store: Store, chains: Iterable[str], known: Mapping[str, Head]) -> dict[str, Head]:
    """How far these chains, and those that are known, have come, of a near store: from what is known of each
    on, by some looks for a name. What cannot be read stays as it was known."""
    ends = dict(known)
    for chain in sorted({*chains, *known}):
        before = known.get(chain)
        number = 0 if before is None else before.sequence
        try:
            last = _gallop(store, chain, number)
            entry = None if last == number else look_at(store, chain, last)
        except ArchiverError:
            continue
        if entry is not None:
            ends[chain] = entry.head
    return ends


def _gallop(store: Store, chain: str, known: int) -> int:
    """The last number from a known one on, after which there is a hole: in steps that double, and back."""
    step, last = 1, known
    while store.exists(entry_name(chain, last + step)):
        last += step
        step *= 2
    while step > 1:
        step //= 2
        if store.exists(entry_name(chain, last + step)):
            last += step
    return last
