"""The log in every store: what one lacks is given to it from another, oldest first, nothing replaced.

What is given is followed first, so that no store passes on what somebody put into another. Near stores are
held against each other byte for byte; of those far away, what they end with, which the chain stands on.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.following import Follower, Unpacked, parse_signers, unpack_entry
from archiver.audit.names import (
    CUSTODY_KEY,
    FOLDER,
    damaged_custody_key,
    entry_name,
    parse_entry_name,
    signers_name,
)
from archiver.audit.signers import MAXIMUM_SIGNERS_BYTES, with_later_keys
from archiver.errors import ArchiverError, IncompleteError, IntegrityError
from archiver.formats.ssh_signature import AllowedSigners, UnknownSignerError
from archiver.keys import is_age_file
from archiver.stores.base import ExistsInStoreError, Store

_ALTERED = "see which is whole: archiver log verify; nothing was replaced"


@dataclass
class LogHolder:
    """A store that holds the vault, and what is known of the log in it: the numbers of each chain's entries.
    `custody_key`: the file that holds the custody register's key. `given`: how many entries it was given."""

    name: str
    store: Store
    chains: dict[str, set[int]] = field(default_factory=dict)
    signers: dict[str, bytes] = field(default_factory=dict)
    custody_key: bytes | None = None
    given: int = 0
    problems: list[ArchiverError] = field(default_factory=list)


def exchange_logs(
    stores: Sequence[tuple[str, Store]], *, vault: str, only: str | None = None, compared: bool = False
) -> list[LogHolder]:
    """Give every store, or `only` the one of this name, the entries of the log that any of them has.
    `compared`: near stores were found alike a moment ago, so that only what they end with is held against
    each other. What fails or does not agree is in the answer; one store's failing stops no other."""
    holders = [LogHolder(name, store) for name, store in stores]
    for holder in holders:
        _reported(holder, partial(_list, holder))
    _share_custody_key(holders, only)
    for chain in sorted({chain for holder in holders for chain in holder.chains}):
        sources = [one for one in holders if chain in one.chains and not one.problems]
        if not sources or not _agree(chain, sources, compared=compared):
            continue
        for target in holders:
            if only in (None, target.name):
                _reported(target, partial(_fill, target, chain, sources, vault))
    return holders


def _reported(holder: LogHolder, act: Callable[[], None]) -> None:
    try:
        act()
    except ArchiverError as error:
        holder.problems.append(error)


def _list(holder: LogHolder) -> None:
    listed = list(holder.store.list(FOLDER))
    for name in listed:
        place = parse_entry_name(name)
        if place is not None:
            holder.chains.setdefault(place[0], set()).add(place[1])
    for chain in holder.chains:
        if signers_name(chain) in listed:
            holder.signers[chain] = holder.store.read(signers_name(chain), MAXIMUM_SIGNERS_BYTES)
    if CUSTODY_KEY in listed:
        holder.custody_key = holder.store.look(CUSTODY_KEY, MAXIMUM_BYTES)


def _share_custody_key(holders: Sequence[LogHolder], only: str | None) -> None:
    """Give the custody register's key to the stores that have none. Two that differ are one key encrypted
    for other keyholders, or two keys: which, only an identity tells."""
    for one in holders:
        if one.custody_key is not None and not is_age_file(one.custody_key):
            one.problems.append(damaged_custody_key())
    having = [one for one in holders if one.custody_key is not None and not one.problems]
    for one in having[1:]:
        if one.custody_key != having[0].custody_key:
            text = f"{CUSTODY_KEY} is another one in store {having[0].name}"
            one.problems.append(
                IncompleteError(text, "for those who are keyholders now: archiver keys rewrap")
            )
    for target in holders:
        if having and target.custody_key is None and only in (None, target.name):
            _reported(target, partial(_put_custody_key, target, having[0].custody_key or b""))


def _put_custody_key(target: LogHolder, data: bytes) -> None:
    with suppress(ExistsInStoreError):
        target.store.put_new(CUSTODY_KEY, data)


def _agree(chain: str, holders: Sequence[LogHolder], *, compared: bool) -> bool:
    """Whether stores that have a chain have the same one. What differs is a problem of both."""
    problems = list(_differences(chain, holders, compared=compared))
    for holder, problem in problems:
        holder.problems.append(problem)
    return not problems


def _differences(
    chain: str, holders: Sequence[LogHolder], *, compared: bool
) -> Iterator[tuple[LogHolder, ArchiverError]]:
    first = holders[0]
    for other in holders[1:]:
        name = signers_name(chain)
        if chain in first.signers and chain in other.signers and first.signers[chain] != other.signers[chain]:
            yield other, IntegrityError(f"{name} is another one in store {first.name}", _ALTERED)
            continue
        both = sorted(first.chains[chain] & other.chains[chain])
        every = first.store.is_near and other.store.is_near and not compared
        for number in both if every else both[-1:]:
            name = entry_name(chain, number)
            if first.store.look(name, MAXIMUM_BYTES) != other.store.look(name, MAXIMUM_BYTES):
                yield other, IntegrityError(f"{name} is another one in store {first.name}", _ALTERED)
                break


def _fill(target: LogHolder, chain: str, sources: Sequence[LogHolder], vault: str) -> None:
    """Give a store what it lacks of a chain. Raise IntegrityError where nothing good is to be had."""
    have = target.chains.setdefault(chain, set())
    missing = sorted(set().union(*(one.chains[chain] for one in sources)) - have)
    if not missing:
        return
    signers = next((one.signers[chain] for one in sources if chain in one.signers), None)
    if signers is None:
        raise IntegrityError(f"{signers_name(chain)} is in no store, so none of its entries can be checked")
    if chain not in target.signers:
        with suppress(ExistsInStoreError):
            target.store.append(signers_name(chain), signers)
        target.signers[chain] = signers
    listed = parse_signers(signers, chain)
    follower = Follower(chain, listed, vault=vault)
    later = partial(with_later_keys, sources[0].store, chain, listed)
    for number in missing:
        if number > 1 and (follower.head is None or follower.head.sequence != number - 1):
            follower.restart(_before(target, chain, number))
        _give(target, chain, number, sources, follower, later)
        have.add(number)


def _before(target: LogHolder, chain: str, number: int) -> Unpacked:
    name = entry_name(chain, number - 1)
    data = target.store.look(name, MAXIMUM_BYTES)
    if data is None:
        raise IntegrityError(f"{name} is in no store, so nothing after it is given to another", _ALTERED)
    return unpack_entry(data, name)


def _give(
    target: LogHolder,
    chain: str,
    number: int,
    sources: Iterable[LogHolder],
    follower: Follower,
    later: Callable[[], AllowedSigners],
) -> None:
    name = entry_name(chain, number)
    failed: ArchiverError | None = None
    for source in sources:
        if number not in source.chains[chain]:
            continue
        try:
            data = source.store.look(name, MAXIMUM_BYTES)
            _follow(follower, unpack_entry(data or b"", name), later)
        except ArchiverError as error:
            failed = error
            continue
        with suppress(ExistsInStoreError):
            target.store.append(name, data or b"")
        target.given += 1
        return
    raise failed or IntegrityError(f"{name} is in no store that can be reached", _ALTERED)


def _follow(follower: Follower, entry: Unpacked, later: Callable[[], AllowedSigners]) -> None:
    """Take the next entry. Only where a key signed it that the chain's list has not is the whole chain read
    for keys that its own entries name: of a store far away that is a request for each."""
    try:
        follower.follow(entry)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UnknownSignerError):
            raise
        follower.allowed = later()
        follower.follow(entry)
