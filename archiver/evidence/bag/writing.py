"""The files that make a bag of a folder: written last, as they tell of all others."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from archiver.evidence.bag.info import Info, format_bag_info
from archiver.evidence.bag.manifests import ALGORITHMS, format_manifest
from archiver.evidence.model import PackFile

DECLARATION: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFESTS: Final = {algorithm: f"manifest-{algorithm}.txt" for algorithm in ALGORITHMS}
TAG_MANIFESTS: Final = {algorithm: f"tagmanifest-{algorithm}.txt" for algorithm in ALGORITHMS}
PAYLOAD: Final = "data/"
PROFILE: Final = Path(__file__).with_name("profile.json")


def finish_bag(
    files: Mapping[str, PackFile], put: Callable[[str, bytes], None], info: Info
) -> dict[str, bytes]:
    """Write `bagit.txt`, `bag-info.txt` and the four manifests of all `files`; return the tag manifests'
    bytes by their names. They cover every file that there is now but themselves. `put` writes a file by its
    path, whereupon `files` has it, as a sink's do.

    What comes after this, as the signature over them, is in no manifest. Raise as `put` does."""
    put("bagit.txt", DECLARATION)
    put("bag-info.txt", format_bag_info(info))
    payload = {path: file for path, file in files.items() if path.startswith(PAYLOAD)}
    for algorithm, name in MANIFESTS.items():
        put(name, format_manifest(algorithm, payload))
    tags = {path: file for path, file in files.items() if path not in payload}
    written = {name: format_manifest(algorithm, tags) for algorithm, name in TAG_MANIFESTS.items()}
    for name, data in written.items():
        put(name, data)
    return written
