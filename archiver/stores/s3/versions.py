"""What lies under each name of a bucket, all versions of it, and which of them counts.

A name is put once, so the oldest version is the one this program put: what came over it, another version
or a delete marker, is somebody else's and changes nothing that is read. Only an archive's key is rewritten:
of `…/key.age` the newest counts. In a bucket without versions there is one, called "null".

Names under `archives/X/` that end in a delete marker, of an archive without any version of a manifest,
were discarded: they are not there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archiver.errors import ArchiverError
from archiver.store_names import check_name


@dataclass(frozen=True, slots=True)
class Version:
    """One object of a name."""

    id: str
    size: int
    etag: str
    modified_ms: int


@dataclass(frozen=True, slots=True)
class History:
    """All versions of a name, the newest first, and its delete markers. `hidden`: a marker is on top."""

    versions: tuple[Version, ...] = ()
    markers: tuple[str, ...] = ()
    hidden: bool = False

    def counting(self, name: str) -> Version | None:
        """The version that is read, but for archives that were discarded."""
        if not self.versions:
            return None
        return self.versions[0] if name.endswith("/key.age") else self.versions[-1]


EMPTY = History()


def manifest_of(name: str) -> str | None:
    """The manifest that decides whether this name's archive was discarded; None outside `archives/`."""
    parts = name.split("/", 2)
    return f"archives/{parts[1]}/manifest.json" if len(parts) == 3 and parts[0] == "archives" else None


def is_discarded(name: str, history: History, histories: Mapping[str, History]) -> bool:
    """Whether this name is one of an archive that was discarded, by what lies under all names of it."""
    manifest = manifest_of(name)
    if manifest is None or not history.hidden:
        return False
    return not histories.get(manifest, EMPTY).versions


def find_version(name: str, histories: Mapping[str, History]) -> Version | None:
    """The version of a name that counts; None where it is not there."""
    history = histories.get(name, EMPTY)
    return None if is_discarded(name, history, histories) else history.counting(name)


def names_there(histories: Mapping[str, History]) -> Iterator[str]:
    """All names that have a version that counts, in any order."""
    return (name for name in histories if find_version(name, histories) is not None)


def parse_pages(pages: Iterable[Mapping[str, Any]], prefix: str) -> dict[str, History]:
    """What lies under each name, from answers of ListObjectVersions. Of keys that are no names of a store,
    as other programs' in the same bucket, nothing is said."""
    versions: dict[str, list[Version]] = {}
    markers: dict[str, list[str]] = {}
    hidden: set[str] = set()
    for page in pages:
        for one in page.get("Versions") or ():
            versions.setdefault(one["Key"], []).append(_version(one))
        for one in page.get("DeleteMarkers") or ():
            markers.setdefault(one["Key"], []).append(str(one["VersionId"]))
            if one.get("IsLatest"):
                hidden.add(one["Key"])
    found: dict[str, History] = {}
    for key in versions.keys() | markers.keys():
        if (name := _name(key, prefix)) is not None:
            found[name] = History(tuple(versions.get(key, ())), tuple(markers.get(key, ())), key in hidden)
    return found


def _name(key: str, prefix: str) -> str | None:
    if not key.startswith(prefix):
        return None
    try:
        return check_name(key[len(prefix) :])
    except ArchiverError:
        return None


def _version(one: Mapping[str, Any]) -> Version:
    modified = one.get("LastModified")
    milliseconds = int(modified.timestamp() * 1000) if isinstance(modified, datetime) else 0
    return Version(
        str(one.get("VersionId") or "null"), int(one["Size"]), str(one.get("ETag", "")), milliseconds
    )


def encode(histories: Mapping[str, History]) -> list[Any]:
    """As JSON can hold it."""
    return [
        [
            name,
            [[one.id, one.size, one.etag, one.modified_ms] for one in each.versions],
            each.markers,
            each.hidden,
        ]
        for name, each in histories.items()
    ]


def decode(data: Sequence[Any]) -> dict[str, History]:
    """What `encode` made. Raise ValueError, TypeError or the like for anything else."""
    return {
        check_name(name): History(
            tuple(Version(str(a), int(b), str(c), int(d)) for a, b, c, d in versions),
            tuple(str(one) for one in markers),
            bool(hidden),
        )
        for name, versions, markers, hidden in data
    }
