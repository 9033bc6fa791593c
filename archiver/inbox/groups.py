"""Which files are parts of one export. Each is opened once, and its own word is taken: whose it is and when X
made it, by its manifest or account file. A later part has neither: it belongs to the export that lists what
it holds and has it not, or is called alike.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archiver.errors import ArchiverError, SourceError
from archiver.inbox.files import names_of
from archiver.sources.x_export import Limits, PartFacts, look_at_part

_NUMBER = re.compile(r"[-_. (]*(?:part)?[-_. ]*[0-9]*\)?$")
"""What differs at the end of the names of parts: `-part2`, ` (1)`, `_3`."""


class StrayPartError(SourceError):
    """A later part of an export without the part that says whose it is."""


@dataclass
class Group:
    """Files that belong together, or one that is refused."""

    paths: list[Path] = field(default_factory=list)
    facts: list[PartFacts] = field(default_factory=list)
    error: ArchiverError | None = None

    @property
    def lacking(self) -> frozenset[tuple[str, int]]:
        """What its manifests list and none of the files has."""
        names = frozenset[tuple[str, int]]().union(*(one.names for one in self.facts))
        return names.difference(*(one.holds for one in self.facts))

    @property
    def wants_more(self) -> bool:
        """Whether there are more parts of it, by its own word."""
        alone = len(self.paths) == 1
        return bool(self.lacking) or (alone and any(one.partial for one in self.facts))


def group_exports(paths: Iterable[Path], limits: Limits) -> list[Group]:
    """Files that are parts of one export together, what is refused first, then older exports before younger
    ones."""
    refused: list[Group] = []
    strays: list[tuple[Path, PartFacts]] = []
    groups: dict[tuple[int, str], Group] = {}
    for path in paths:
        try:
            facts = look_at_part(path, limits)
        except ArchiverError as error:
            refused.append(Group([path], error=error))
            continue
        if facts.account is None or facts.generated_ms is None:
            strays.append((path, facts))
        else:
            _add(groups.setdefault((facts.generated_ms, facts.account), Group()), path, facts)
    found = [groups[key] for key in sorted(groups)]
    return [*refused, *_attach(strays, found), *found]


def _add(group: Group, path: Path, facts: PartFacts) -> None:
    group.paths.append(path)
    group.facts.append(facts)


def _attach(strays: Sequence[tuple[Path, PartFacts]], groups: Sequence[Group]) -> list[Group]:
    """Add each later part to the export it belongs to; those of which that cannot be told, refused."""
    left: list[Group] = []
    for path, facts in strays:
        group = _group_of(path, facts, groups)
        if group is not None:
            _add(group, path, facts)
            continue
        left.append(
            Group(
                [path],
                [facts],
                StrayPartError(
                    f"{names_of([path])} is a later part of an export, and the part that says whose it is"
                    " is not with it",
                    "put all parts of the export into the inbox together, or: archiver import PART1.zip"
                    " PART2.zip",
                ),
            )
        )
    return left


def _group_of(path: Path, facts: PartFacts, groups: Sequence[Group]) -> Group | None:
    """The one export that lists what this part holds; of several the one that is called alike. A part with
    nothing but pictures goes by its name, or to the only export there is that wants more."""
    if facts.holds:
        wanting = could_be = [one for one in groups if one.lacking & facts.holds]
    else:
        wanting, could_be = [one for one in groups if one.wants_more], list(groups)
    if len(wanting) == 1:
        return wanting[0]
    alike = [one for one in could_be if _base(path) in {_base(each) for each in one.paths}]
    return alike[0] if len(alike) == 1 else None


def _base(path: Path) -> str:
    return _NUMBER.sub("", path.stem.lower())
