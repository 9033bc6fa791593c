"""Looks for what was to be taken out in the files of a pack, as they are written or read."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain

from archiver.evidence.redaction.scanning import Scanner


class LeakFinder:
    """`media`: the hashes of files that are taken out as a whole, with the rules that say so."""

    def __init__(self, scanner: Scanner, media: Mapping[str, int]) -> None:
        self._scanner = scanner
        self._media = media

    def rules_in(self, path: str, pieces: Iterable[bytes]) -> set[int]:
        """The rules of all that a file still holds, its path in the pack included. Takes in all pieces."""
        digest = sha256()

        def hashed() -> Iterator[bytes]:
            for piece in pieces:
                digest.update(piece)
                yield piece

        name = [path.encode("utf-8", "replace"), b"\n"]
        rules = self._scanner.rules_in(chain(name, hashed()))
        whole = self._media.get(digest.hexdigest())
        return rules if whole is None else rules | {whole}
