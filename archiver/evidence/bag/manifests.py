"""Manifests: a line `hash  path` for each file (RFC 8493, 2.1.3 and 2.2.1), as `sha256sum -c` reads it too.

They are read only as they are written here: sorted, in lower case, two spaces, every line ended. So no byte
of one can be changed without a word, even of those that no other manifest holds.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from archiver.evidence.model import PackFile

Algorithm = Literal["sha256", "sha512"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("sha256", "sha512")
_LINE: Final = {
    "sha256": re.compile("([0-9a-f]{64})  ([^\r\n]+)"),
    "sha512": re.compile("([0-9a-f]{128})  ([^\r\n]+)"),
}
_PERCENT: Final = re.compile("%(?!0A|0D|25)")


def encode_path(path: str) -> str:
    """The line ends and the percent sign percent-encoded, and nothing else."""
    return path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def decode_path(path: str) -> str:
    """The path again. Raise ValueError where `encode_path` would not have written it so."""
    if _PERCENT.search(path):
        raise ValueError(f"a path in it has a percent sign that encodes nothing: {path[:200]!a}")
    return path.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def format_manifest(algorithm: Algorithm, files: Mapping[str, PackFile]) -> bytes:
    """A manifest of these files."""
    return format_hashes({path: getattr(file, algorithm) for path, file in files.items()})


def format_hashes(hashes: Mapping[str, str]) -> bytes:
    return "".join(f"{hashes[path]}  {encode_path(path)}\n" for path in sorted(hashes)).encode()


def parse_manifest(algorithm: Algorithm, data: bytes) -> dict[str, str]:
    """Path to hash. Raise ValueError, saying what is wrong, for anything that `format_manifest` does not
    write: a path twice, another order, another form."""
    lines = data.decode("utf-8").split("\n")
    if lines.pop():
        raise ValueError("its last line has no end")
    hashes: dict[str, str] = {}
    last = ""
    for number, line in enumerate(lines, 1):
        found = _LINE[algorithm].fullmatch(line)
        if found is None:
            raise ValueError(f"line {number} is no hash with a path after it")
        path = decode_path(found[2])
        if path in hashes:
            raise ValueError(f"line {number} names a file for the second time: {path[:200]!a}")
        if path <= last:
            raise ValueError(f"line {number} is out of order")
        hashes[path], last = found[1], path
    return hashes
