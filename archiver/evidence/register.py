"""The register of exhibits: whose exhibit has which number, for each person from 1, and no number twice.

`exhibits/ABC/00000001.json.age` takes a number, before anything of the exhibit is made; it is created in the
first required store, which refuses a second one of the name. `….pack.json.age` says what became of it. Both
are age files to the keyholders. A number that was taken is never given again, whatever became of its pack:
the next is one more than the highest in any store that can be reached.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Struct

from archiver.chain import parse_document
from archiver.copying import put_small
from archiver.errors import ArchiverError, IntegrityError, UsageError
from archiver.evidence.references import HIGHEST, Reference, check_initials
from archiver.formats import age
from archiver.keyholders import Recipient
from archiver.keys import Identity
from archiver.stores.base import ExistsInStoreError, Store
from archiver.sync.additions import EXHIBIT_NAME
from archiver.times import Clock, format_time

TAKEN_FORMAT: Final = "archiver-exhibit-1"
FINISHED_FORMAT: Final = "archiver-exhibit-pack-1"
MAXIMUM_BYTES: Final = 1 << 20
"""Of an entry: 256 keyholders' post-quantum stanzas take 400 KiB."""
_MOST_TRIES: Final = 1000
"""Of numbers that somebody else was quicker to take."""


class TakenEntry(Struct, frozen=True, kw_only=True):
    """That a number is taken: `exhibit` as ABC/1, by whom, for which case, by which keyholder, when (ISO
    8601), in which vault."""

    format: str
    exhibit: str
    produced_by: str
    case: str
    keyholder: str
    made_at: str
    vault: str


class FinishedEntry(Struct, frozen=True, kw_only=True):
    """What became of it: how many records, the SHA-512 of the pack's `tagmanifest-sha512.txt`, in which
    forms, for whom; from which archives, of packs of before nothing of that."""

    format: str
    exhibit: str
    records: int
    sha512: str
    redacted: bool
    formats: tuple[str, ...]
    recipient: str | None
    encrypted: bool
    finished_at: str
    archives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """For whom a number is taken."""

    initials: str
    produced_by: str
    case: str
    keyholder: str


@dataclass(frozen=True)
class Finished:
    """What is to be said of a finished pack."""

    records: int
    sha512: str
    redacted: bool
    formats: tuple[str, ...]
    recipient: str | None = None
    encrypted: bool = False
    archives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listed:
    """One number of the register. `taken` and `finished` are None where they are not there, or could not be
    opened, as `problems` says. `is_finished`: whether a pack was noted as finished, readable or not."""

    reference: Reference
    taken: TakenEntry | None = None
    finished: FinishedEntry | None = None
    is_finished: bool = False
    problems: tuple[ArchiverError, ...] = ()


@dataclass
class Register:
    """The register in the stores of one vault: `first`, which decides, and those `others` that can be
    reached. `not_copied`: why one of these did not take an entry; `archiver sync` makes it good."""

    vault: str
    first: Store
    others: Sequence[Store] = ()
    not_copied: list[ArchiverError] = field(default_factory=list)

    def take(
        self, claim: Claim, recipients: Sequence[Recipient], identities: Sequence[Identity], clock: Clock
    ) -> Reference:
        """The next number, taken for good. Raise UsageError for initials that are malformed or another
        person's, as far as these identities can tell; StoreError where the first store refuses."""
        check_initials(claim.initials)
        for name in ("produced_by", "case", "keyholder"):
            if not str(getattr(claim, name)).strip():
                raise UsageError(f"an exhibit needs its {name.replace('_', ' ')}")
        least = 1
        for _ in range(_MOST_TRIES):
            names = self._names(claim.initials)
            self._require_same_person(claim, names, identities)
            number = max([least, *(_number(name) + 1 for name in names)])
            reference = Reference(claim.initials, number)
            entry = self._entry(reference, claim, format_time(clock()))
            try:
                self._put(taken_name(reference), entry, recipients)
            except ExistsInStoreError:
                least = number + 1  # also where a store does not list yet what it has
                continue
            return reference
        raise ArchiverError(f"no number of exhibits {claim.initials} could be taken: others were quicker")

    def _entry(self, reference: Reference, claim: Claim, made_at: str) -> TakenEntry:
        return TakenEntry(
            format=TAKEN_FORMAT,
            exhibit=reference.written,
            produced_by=claim.produced_by,
            case=claim.case,
            keyholder=claim.keyholder,
            made_at=made_at,
            vault=self.vault,
        )

    def finish(
        self, reference: Reference, said: Finished, recipients: Sequence[Recipient], clock: Clock
    ) -> None:
        """Note that the pack of a number is finished. Raise ArchiverError where that was noted before."""
        entry = FinishedEntry(
            format=FINISHED_FORMAT,
            exhibit=reference.written,
            records=said.records,
            sha512=said.sha512,
            redacted=said.redacted,
            formats=said.formats,
            recipient=said.recipient,
            encrypted=said.encrypted,
            finished_at=format_time(clock()),
            archives=said.archives,
        )
        self._put(finished_name(reference), entry, recipients)

    def _put(self, name: str, entry: Struct, recipients: Sequence[Recipient]) -> None:
        data = age.encrypt(recipients, msgspec.json.format(msgspec.json.encode(entry), indent=1) + b"\n")
        self.first.put_new(name, data)
        for store in self.others:
            try:
                put_small(store, name, data)
            except IntegrityError as error:
                raise IntegrityError(
                    error.message,
                    "two hosts number exhibits apart from each other: name the same store first, required,"
                    " in the settings of both; then run this again",
                ) from error
            except ArchiverError as error:
                self.not_copied.append(error)

    def _names(self, initials: str) -> list[str]:
        """All entries of these initials in the first store and, as far as they answer, in the others."""
        prefix = f"exhibits/{initials}/"
        names = set(self.first.list(prefix))
        for store in self.others:
            try:
                names.update(store.list(prefix))
            except ArchiverError as error:
                self.not_copied.append(error)
        return sorted(name for name in names if EXHIBIT_NAME.fullmatch(name))

    def _require_same_person(
        self, claim: Claim, names: Sequence[str], identities: Sequence[Identity]
    ) -> None:
        """Initials are whose the first entry is that can be opened."""
        numbers = [name for name in names if not name.endswith(".pack.json.age")]
        entries = (
            entry
            for store in (self.first, *self.others)
            for _, entry in _open_all(store, numbers, identities, TakenEntry, batch=4)
        )
        first = next((one for one in entries if isinstance(one, TakenEntry)), None)
        if first is not None and _same(first.produced_by) != _same(claim.produced_by):
            letters = claim.initials.rstrip("0123456789")
            raise UsageError(
                f"exhibits {claim.initials} are those of another person, since {first.exhibit}",
                f"tell the two apart by a digit, as {letters}2; or write the name as it was written then:"
                " archiver evidence list",
            )


def taken_name(reference: Reference) -> str:
    """Where it lies in a store that a number is taken."""
    return f"exhibits/{reference.initials}/{reference.number:08d}.json.age"


def finished_name(reference: Reference) -> str:
    """Where it lies in a store that a number's pack is finished."""
    return f"exhibits/{reference.initials}/{reference.number:08d}.pack.json.age"


def list_exhibits(store: Store, identities: Sequence[Identity], vault: str | None = None) -> list[Listed]:
    """Every number that was taken, as far as these identities open it, by initials and number. Of a number
    below the highest of which nothing is there, that it is missing. `vault`: whose entries they must be.
    Raise StoreError where the store cannot be read."""
    names = [name for name in store.list("exhibits/") if EXHIBIT_NAME.fullmatch(name)]
    taken = [name for name in names if not name.endswith(".pack.json.age")]
    finished = [name for name in names if name.endswith(".pack.json.age")]
    opened: dict[str, Struct | ArchiverError] = {
        **dict(_open_all(store, taken, identities, TakenEntry)),
        **dict(_open_all(store, finished, identities, FinishedEntry)),
    }
    highest: dict[str, int] = {}
    for name in names:
        initials = name.split("/")[1]
        highest[initials] = max(highest.get(initials, 0), _number(name))
    return [
        _listed(Reference(initials, number), opened, vault)
        for initials, last in sorted(highest.items())
        for number in _numbers(initials, last, names)
    ]


def _numbers(initials: str, last: int, names: Sequence[str]) -> list[int]:
    """Those that are there, and the first of each row that is not: one odd name makes no million of them."""
    there = {_number(name) for name in names if name.startswith(f"exhibits/{initials}/")}
    return [one for one in sorted({1, *there, *(one + 1 for one in there)}) if 1 <= one <= last]


def _listed(reference: Reference, opened: Mapping[str, Struct | ArchiverError], vault: str | None) -> Listed:
    taken, finished = (opened.get(name(reference)) for name in (taken_name, finished_name))
    problems = [one for one in (taken, finished) if isinstance(one, ArchiverError)]
    if taken is None:
        problems.append(
            IntegrityError(
                f"{taken_name(reference)} is missing",
                "it is brought back from another store by: archiver sync",
            )
        )
    if isinstance(taken, TakenEntry) and vault is not None and taken.vault != vault:
        problems.append(IntegrityError(f"{taken_name(reference)} is of another vault, {taken.vault}"))
    return Listed(
        reference,
        taken if isinstance(taken, TakenEntry) else None,
        finished if isinstance(finished, FinishedEntry) else None,
        finished is not None,
        tuple(problems),
    )


def _open_all(
    store: Store,
    names: Sequence[str],
    identities: Sequence[Identity],
    kind: type[Struct],
    *,
    batch: int = 64,
) -> Iterator[tuple[str, Struct | ArchiverError]]:
    """Each entry, or why it cannot be opened; so many are read at a time."""
    for start in range(0, len(names), batch):
        read = store.read_many(dict.fromkeys(names[start : start + batch], MAXIMUM_BYTES))
        for name, data in read.items():
            yield name, data if isinstance(data, ArchiverError) else _open(name, data, identities, kind)


def _open(
    name: str, data: bytes, identities: Sequence[Identity], kind: type[Struct]
) -> Struct | ArchiverError:
    try:
        plain = age.decrypt(identities, data)
    except age.NoMatchError:
        return ArchiverError(f"{name}: none of these identities opens it")
    except age.AgeError as error:
        return IntegrityError(f"{name}: {error}")
    try:
        parse_document(plain, name)  # no key twice
        entry = msgspec.json.decode(plain, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        return IntegrityError(f"{name} is no entry of the register: {error}")
    except IntegrityError as error:
        return error
    return _fitting(name, entry)


def _fitting(name: str, entry: Struct) -> Struct | ArchiverError:
    assert isinstance(entry, TakenEntry | FinishedEntry)  # noqa: S101  # what `_open` is called with
    initials, number = name.split("/")[1], _number(name)
    expected = TAKEN_FORMAT if isinstance(entry, TakenEntry) else FINISHED_FORMAT
    if entry.format != expected:
        return IntegrityError(f"{name} has the format {entry.format[:40]!r}, not {expected!r}")
    if entry.exhibit != f"{initials}/{number}":
        return IntegrityError(f"{name} is the entry of {entry.exhibit[:40]!r}", "it was moved there")
    return entry


def _number(name: str) -> int:
    return min(int(name.rsplit("/", 1)[1][:8]), HIGHEST)


def _same(person: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", person).casefold().split())
