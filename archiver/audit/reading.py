"""The log in plain words, for whoever may read it: entries opened with an identity, and acts made of them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.entry import Entry, parse_entry
from archiver.audit.following import Unpacked, unpack_entry
from archiver.audit.names import FOLDER, entry_name, parse_entry_name
from archiver.errors import ArchiverError, IntegrityError, NewerVersionError
from archiver.formats import age
from archiver.keys import Identity
from archiver.stores.base import Store

AT_ONCE = 256


@dataclass(frozen=True)
class PlainEntry:
    """An entry that was opened: what it says, its very bytes, and the link and signature that vouch for
    them."""

    sealed: Unpacked
    entry: Entry
    data: bytes


@dataclass
class LoggedAct:
    """The beginning and the end of an act. Without `end` it was cut off, or is under way; without `begin`
    that was not among what was read."""

    chain: str
    begin: PlainEntry | None = None
    end: PlainEntry | None = None

    @property
    def first(self) -> PlainEntry:
        """The beginning, else the end."""
        found = self.begin or self.end
        assert found is not None  # noqa: S101 - one of them made it
        return found


@dataclass
class Reading:
    """How much of the log could not be read: sealed to others, or damaged."""

    unopened: int = 0
    problems: list[ArchiverError] = field(default_factory=list)


def open_entry(sealed: Unpacked, identities: Sequence[Identity]) -> PlainEntry | None:
    """An entry in plain words; None where none of the identities opens it. Raise IntegrityError where what is
    inside is not what its link says. Whether it is rightly signed was not looked at."""
    try:
        data = age.decrypt(identities, sealed.sealed)
    except age.NoMatchError:
        return None
    except age.AgeError as error:
        raise IntegrityError(f"{sealed.name}: {error}") from error
    if hashlib.sha256(data).hexdigest() != sealed.link.entry_sha256:
        raise IntegrityError(f"{sealed.name}: what is sealed in it is not what its link says")
    entry = parse_entry(data, sealed.name)
    if entry.sequence != sealed.head.sequence:
        raise IntegrityError(f"{sealed.name}: what is sealed in it is entry {entry.sequence}")
    return PlainEntry(sealed, entry, data)


def chains_of(store: Store) -> dict[str, list[int]]:
    """The numbers of the entries of each chain that a store has."""
    found: dict[str, list[int]] = {}
    for name in store.list(FOLDER):
        place = parse_entry_name(name)
        if place is not None:
            found.setdefault(place[0], []).append(place[1])
    return found


def newest_first(
    store: Store,
    chain: str,
    numbers: Sequence[int],
    identities: Sequence[Identity],
    reading: Reading,
    waiting: Sequence[Unpacked] = (),
) -> Iterator[PlainEntry]:
    """A chain's entries, last first, as far as they can be opened; `reading` is told of the others.
    `waiting`: those that this host has not put there yet."""
    for sealed in reversed(waiting):
        yield from _opened(sealed, identities, reading)
    ordered = sorted(set(numbers) - {one.head.sequence for one in waiting}, reverse=True)
    for start in range(0, len(ordered), AT_ONCE):
        names = [entry_name(chain, number) for number in ordered[start : start + AT_ONCE]]
        found = store.read_many(dict.fromkeys(names, MAXIMUM_BYTES))
        for name in names:
            data = found[name]
            try:
                if isinstance(data, ArchiverError):
                    raise data
                sealed = unpack_entry(data, name)
            except NewerVersionError:
                raise
            except ArchiverError as error:
                reading.problems.append(error)
            else:
                yield from _opened(sealed, identities, reading)


def _opened(sealed: Unpacked, identities: Sequence[Identity], reading: Reading) -> Iterator[PlainEntry]:
    try:
        plain = open_entry(sealed, identities)
    except ArchiverError as error:
        reading.problems.append(error)
        return
    if plain is None:
        reading.unopened += 1
    else:
        yield plain


def acts_of(entries: Iterator[PlainEntry]) -> Iterator[LoggedAct]:
    """The acts of a chain whose entries come last first, each when its beginning came; at the end those whose
    beginning did not."""
    ended: dict[int, PlainEntry] = {}
    for one in entries:
        if one.entry.phase == "end" and one.entry.of is not None:
            ended[one.entry.of] = one
        else:
            chain = one.sealed.link.chain
            yield LoggedAct(chain, one, ended.pop(one.sealed.head.sequence, None))
    for one in ended.values():
        yield LoggedAct(one.sealed.link.chain, None, one)


def case_entries(
    store: Store, chain: str, case: str, identities: Sequence[Identity], reading: Reading, *, most: int
) -> list[PlainEntry]:
    """Every entry of a chain that is of a case, among its `most` last ones, in order, as an extract for an
    evidence pack: with its link and signature. An end has the case of its beginning."""
    numbers = sorted(chains_of(store).get(chain, []))[-most:]
    entries = newest_first(store, chain, numbers, identities, reading)
    return [one for one in entries if one.entry.case == case][::-1]
