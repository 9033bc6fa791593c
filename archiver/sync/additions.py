"""Small files beside the archives that are only ever added, one after another: exhibits, the log. What one
store lacks of them is copied from another, both ways; nothing is replaced.

No manifest names them. Where two stores hold other bytes under one name, one of the two was put there by
somebody else, or two runs wrote without seeing each other: both stay as they are, and it is named.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from archiver.claims.claim import FOLDER as CLAIMS_FOLDER
from archiver.claims.claim import is_claim
from archiver.copying import put_small
from archiver.errors import ArchiverError, IntegrityError
from archiver.keys import is_age_file
from archiver.sync.filling import Filled
from archiver.sync.holding import MAXIMUM_SMALL_FILE, Holding, about_store

BATCH = 128
"""Files that are held in memory at a time, at most `MAXIMUM_SMALL_FILE` each."""
_ODD_HINT = "it was put there by something else; nothing of it is copied"


@dataclass(frozen=True)
class Addition:
    """One kind of such files. `prefix`: all their names begin with it, as `exhibits/`. `is_one`: whether
    something of this name with these bytes can be one at all; what cannot is copied to no other store."""

    prefix: str
    is_one: Callable[[str, bytes], bool]


EXHIBIT_NAME: Final = re.compile(r"exhibits/([A-Z]{2,4}[0-9]{0,2})/([0-9]{8})(\.pack)?\.json\.age")
"""An exhibit's number as taken, or what its finished pack is: `archiver.evidence.register`."""
EXHIBITS: Final = Addition(
    "exhibits/", lambda name, data: EXHIBIT_NAME.fullmatch(name) is not None and is_age_file(data)
)
CLAIMS: Final = Addition(CLAIMS_FOLDER, is_claim)
"""Which host collects: `archiver.claims`."""
KINDS: Final = (EXHIBITS, CLAIMS)
"""What `archiver sync` and sealing copy beside the archives."""


@dataclass
class _Copies:
    """What the stores hold under the names of one batch. `problems`: what is wrong with some of it, each
    with the name; such a name is in `good` only where another store has a good copy of it."""

    good: dict[str, list[tuple[Holding, bytes]]] = field(default_factory=dict)
    problems: list[tuple[str, ArchiverError]] = field(default_factory=list)


_Names = dict[str, tuple[Holding, set[str]]]
"""Each store that could be listed, by its name, with its names of one kind."""


def copy_additions(
    holdings: Sequence[Holding],
    targets: Sequence[tuple[Holding, Filled]],
    kinds: Sequence[Addition],
    *,
    compare: bool = False,
) -> list[ArchiverError]:
    """Give each target what it lacks of these files and any of `holdings` has; note in its `Filled` what was
    given, and why it still lacks something. Return what else is wrong with what was read. Raise nothing of
    ours.

    `compare`: read what is there, too, and hold the copies against each other. Without it a store is asked
    for its list of names, and for what is missing elsewhere."""
    problems: list[ArchiverError] = []
    for kind in kinds if targets else ():
        names = _list_all(holdings, targets, kind)
        everywhere = sorted({name for _, found in names.values() for name in found})
        wanted = iter(everywhere if compare else _lacking(everywhere, targets, names))
        while batch := list(islice(wanted, BATCH)):
            copies = _read(batch, kind, names, targets, every=compare)
            _take_differing(copies)
            for target, filled in targets:
                _give(target, filled, batch, copies, names)
            problems += [problem for _, problem in copies.problems]
    said = [id(problem) for _, filled in targets for problem in filled.all_problems]
    return [problem for problem in problems if id(problem) not in said]


def _list_all(
    holdings: Sequence[Holding], targets: Sequence[tuple[Holding, Filled]], kind: Addition
) -> _Names:
    names: _Names = {}
    for holding in holdings:
        if holding.usable and holding.failed is None and holding.vault is not None:
            try:
                names[holding.named.name] = holding, set(holding.store.list(kind.prefix))
            except ArchiverError as error:
                _lose(holding, targets, error)
    return names


def _lose(holding: Holding, targets: Sequence[tuple[Holding, Filled]], error: ArchiverError) -> ArchiverError:
    """A store that fails is left out from here on; where it is a target, that is why it was not filled."""
    holding.failed = about_store(holding.named, error)
    for target, filled in targets:
        if target is holding and filled.error is None:
            filled.error = holding.failed
    return holding.failed


def _lacking(
    everywhere: Sequence[str], targets: Sequence[tuple[Holding, Filled]], names: _Names
) -> Iterator[str]:
    listed = [names[one.named.name][1] for one, _ in targets if one.named.name in names]
    return (name for name in everywhere if any(name not in found for found in listed))


def _read(
    batch: Sequence[str],
    kind: Addition,
    names: _Names,
    targets: Sequence[tuple[Holding, Filled]],
    *,
    every: bool,
) -> _Copies:
    """What the stores hold under these names: `every` store, else the first with a good copy of each."""
    copies = _Copies()
    for holding, found in names.values():
        wanted = [name for name in batch if name in found and (every or name not in copies.good)]
        if not wanted or holding.failed is not None:
            continue
        try:
            read = holding.store.read_many(dict.fromkeys(wanted, MAXIMUM_SMALL_FILE))
        except ArchiverError as error:
            copies.problems += [(name, _lose(holding, targets, error)) for name in wanted]
            continue
        for name, data in read.items():
            if isinstance(data, bytes) and kind.is_one(name, data):
                copies.good.setdefault(name, []).append((holding, data))
            else:
                copies.problems.append((name, _problem(holding, kind, name, data)))
    return copies


def _problem(holding: Holding, kind: Addition, name: str, data: bytes | ArchiverError) -> ArchiverError:
    if isinstance(data, bytes):
        text = f"{name} in {holding.store.location} is nothing that belongs below {kind.prefix}"
        data = IntegrityError(text, _ODD_HINT)
    return about_store(holding.named, data)


def _take_differing(copies: _Copies) -> None:
    """What differs between stores is good nowhere."""
    for name, ((first, right), *others) in list(copies.good.items()):
        other = next((holding for holding, data in others if data != right), None)
        if other is not None:
            del copies.good[name]
            error = IntegrityError(
                f"{name} in store {other.named.name} ({other.store.location}) is not that in store"
                f" {first.named.name} ({first.store.location})",
                "both stay as they are: find out who wrote which; it is copied to no other store",
            )
            copies.problems.append((name, error))


def _give(target: Holding, filled: Filled, batch: Sequence[str], copies: _Copies, names: _Names) -> None:
    """Put into one store what it lacks of a batch, in the order of the names."""
    if target.named.name not in names or target.failed is not None:
        return
    there = names[target.named.name][1]
    for name in (one for one in batch if one not in there):
        if name not in copies.good:
            filled.problems += [problem for about, problem in copies.problems if about == name][:1]
            continue
        data = copies.good[name][0][1]
        try:
            put_small(target.store, name, data)
        except IntegrityError as error:
            filled.problems.append(about_store(target.named, error))
        except ArchiverError as error:
            filled.error = _lose(target, [], error)
            return
        else:
            there.add(name)
            filled.additions += 1
