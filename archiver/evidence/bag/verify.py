"""The check of a bag: every file is in every manifest that has to list it, is what they say, and nothing else
is there.

It is stricter than RFC 8493: a bag must be as `finish_bag` writes it, so that no byte of it can differ. Only
the files that the caller names are not in a manifest: the signature over the tag manifests, and its time
stamp, which the caller has to check.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from archiver.errors import IntegrityError
from archiver.evidence.bag.info import OXUM, parse_bag_info
from archiver.evidence.bag.manifests import ALGORITHMS, Algorithm, parse_manifest
from archiver.evidence.bag.source import PackSource
from archiver.evidence.bag.writing import DECLARATION, MANIFESTS, PAYLOAD, TAG_MANIFESTS
from archiver.evidence.model import PackFile
from archiver.evidence.names import find_fault, folded, shown

_MAX_TAG_BYTES: Final = 256 * 1024 * 1024
"""A manifest of a million files; more of one is not read into memory."""
_MANIFEST: Final = re.compile(r"(tag)?manifest-[^/]*\.txt")
_CHECKED: Final = frozenset((*MANIFESTS.values(), *TAG_MANIFESTS.values()))
_TITLES: Final = {"sha256": "SHA-256", "sha512": "SHA-512"}


class Problem(NamedTuple):
    """What is wrong with a file; `path` is empty where it is the pack as a whole."""

    path: str
    fault: str

    def __str__(self) -> str:
        return f"{shown(self.path)}: {self.fault}" if self.path else self.fault


def verify_bag(source: PackSource, unlisted: Collection[str] = ()) -> list[Problem]:
    """Everything that is wrong with a bag, by the files' names; nothing for a good one.

    `unlisted`: files beside `bagit.txt` that may be there without being in a manifest. Raise ArchiverError
    where the names in it cannot even be listed."""
    return _Check(source, frozenset(unlisted)).run()


class _Check:
    def __init__(self, source: PackSource, unlisted: frozenset[str]) -> None:
        self._source = source
        self._unlisted = unlisted
        self._problems: list[Problem] = []
        self._sizes: dict[str, int] = {}
        self._found: dict[str, PackFile] = {}

    def run(self) -> list[Problem]:
        self._list()
        self._check_declaration()
        self._hash()
        for names, is_payload in ((MANIFESTS, True), (TAG_MANIFESTS, False)):
            self._check_manifests(names, is_payload=is_payload)
        self._check_oxum()
        return sorted(set(self._problems))

    def _report(self, path: str, fault: str) -> None:
        self._problems.append(Problem(path, fault))

    def _list(self) -> None:
        """Take down the names of the files that can be read, and what is wrong with the others."""
        alike: dict[str, list[str]] = defaultdict(list)
        for path, size, other_kind in self._source.entries():
            fault = other_kind or find_fault(path)
            if path:
                alike[folded(path)].append(path)
            if fault:
                self._report(path, fault)
            if not other_kind and path:
                self._sizes[path] = size
        for paths in alike.values():
            for path in paths if len(paths) > 1 else ():
                twice = (
                    "is there twice" if len(set(paths)) == 1 else "differs from another only in its letters"
                )
                self._report(path, f"{twice}, so that it may hide another")

    def _check_declaration(self) -> None:
        for path in sorted(self._sizes):
            if path == "fetch.txt":
                self._report(path, "names files to be had elsewhere, which no pack of ours does")
            elif _MANIFEST.fullmatch(path) and path not in _CHECKED:
                self._report(path, "is a manifest of another kind, which is not checked here")
        data = self._read_tag("bagit.txt")
        if data is not None and data != DECLARATION:
            self._report("bagit.txt", "does not say that this is a bag of version 1.0 in UTF-8")

    def _read_tag(self, path: str) -> bytes | None:
        """A small file as a whole; None where it is absent or unreadable, which is reported then."""
        if path not in self._sizes:
            self._report(path, "is missing")
            return None
        data = bytearray()
        try:
            for piece in self._source.read(path):
                data += piece
                if len(data) > _MAX_TAG_BYTES:
                    raise IntegrityError("is too large to be what its name says")
        except IntegrityError as error:
            self._report(path, error.message)
            return None
        return bytes(data)

    def _hash(self) -> None:
        """Read every file once."""
        for path, size in self._sizes.items():
            try:
                self._found[path] = _hash_file(self._source.read(path))
            except IntegrityError as error:
                self._report(path, error.message)
                continue
            if self._found[path].size != size:
                self._report(path, f"should have {size} bytes and has {self._found[path].size}")

    def _check_manifests(self, names: Mapping[Algorithm, str], *, is_payload: bool) -> None:
        """Hold the files against the manifests of one kind, and these against each other."""
        said = {algorithm: self._load(algorithm, names[algorithm]) for algorithm in ALGORITHMS}
        not_covered = self._unlisted.union(TAG_MANIFESTS.values())
        there = {
            path
            for path in self._sizes
            if path.startswith(PAYLOAD) == is_payload and (is_payload or path not in not_covered)
        }
        for path in sorted(there.union(*(one for one in said.values() if one is not None))):
            if path in there:
                self._check_file(path, names, said)
            else:
                self._check_absent(path, names, said, is_payload=is_payload)

    def _load(self, algorithm: Algorithm, name: str) -> dict[str, str] | None:
        data = self._read_tag(name)
        if data is None:
            return None
        try:
            return parse_manifest(algorithm, data)
        except UnicodeDecodeError:
            self._report(name, "is not in UTF-8")
        except ValueError as error:
            self._report(name, str(error))
        return None

    def _check_file(
        self, path: str, names: Mapping[Algorithm, str], said: Mapping[Algorithm, dict[str, str] | None]
    ) -> None:
        found = self._found.get(path)
        for algorithm, hashes in said.items():
            if hashes is None:
                continue
            if path not in hashes:
                self._report(path, f"is not listed in {names[algorithm]}")
            elif found is not None and hashes[path] != getattr(found, algorithm):
                self._report(path, f"is altered: its {_TITLES[algorithm]} is not that in {names[algorithm]}")

    def _check_absent(
        self,
        path: str,
        names: Mapping[Algorithm, str],
        said: Mapping[Algorithm, dict[str, str] | None],
        *,
        is_payload: bool,
    ) -> None:
        """A path that a manifest lists and no file of its kind has."""
        listing = [names[algorithm] for algorithm, hashes in said.items() if hashes and path in hashes]
        misplaced = find_fault(path) or path.startswith(PAYLOAD) != is_payload or path in self._sizes
        for name in listing:
            if misplaced:
                self._report(name, f"lists what has no place in it: {shown(path)}")
            else:
                self._report(path, f"is missing, and listed in {name}")

    def _check_oxum(self) -> None:
        data = self._read_tag("bag-info.txt")
        if data is None:
            return
        try:
            said = [value for label, value in parse_bag_info(data) if label.lower() == OXUM.lower()]
        except ValueError as error:
            fault = "is not in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            self._report("bag-info.txt", fault)
            return
        payload = [file.size for path, file in self._found.items() if path.startswith(PAYLOAD)]
        true = f"{sum(payload)}.{len(payload)}"
        if said != [true]:
            self._report("bag-info.txt", f"its {OXUM} is {shown(', '.join(said)) or 'missing'}, not {true}")


def _hash_file(pieces: Iterator[bytes]) -> PackFile:
    sha256, sha512, size = hashlib.sha256(), hashlib.sha512(), 0
    for piece in pieces:
        sha256.update(piece)
        sha512.update(piece)
        size += len(piece)
    return PackFile(size, sha256.hexdigest(), sha512.hexdigest())
