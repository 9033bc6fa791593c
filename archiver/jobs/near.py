"""Whether anything happened to a store in a folder: what the file system says of its files, none of them
read. 720 files of 120 archives take some milliseconds."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

SMALL = ("vault.json", "allowed_signers")
ARCHIVES = "archives"


def stat_of_store(root: Path) -> str:
    """Names, sizes, times and inodes of all files of the archives, and of the two that make the folder a
    vault, as one hash. A folder that cannot be read has one too. The log is not in it: it grows each day."""
    digest = hashlib.sha256()
    try:
        for line in _lines(root):
            digest.update(line.encode("utf-8", "surrogateescape"))
    except OSError as error:
        digest.update(f"unreadable: {error.errno}\n".encode())
    return digest.hexdigest()


def stat_of_file(path: Path) -> str:
    """Size and time of one file; `absent` where there is none. Its inode is not in it: of some shares it is
    another after each mount."""
    try:
        found = os.lstat(path)
    except OSError:
        return "absent"
    return f"{found.st_size}.{found.st_mtime_ns}"


def _lines(root: Path) -> Iterator[str]:
    for name in SMALL:
        yield _described(name, os.lstat(root / name))
    for folder in _entries(root / ARCHIVES):
        yield _described(folder.name, folder.stat(follow_symlinks=False))
        if folder.is_dir(follow_symlinks=False):
            for entry in _entries(Path(folder.path)):
                yield _described(entry.name, entry.stat(follow_symlinks=False))


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as found:
        return sorted(found, key=lambda entry: entry.name)


def _described(name: str, found: os.stat_result) -> str:
    """The time of the last change of the inode is among it: who alters a file can set the other back."""
    return f"{name}|{found.st_mode}|{found.st_size}|{found.st_mtime_ns}|{found.st_ctime_ns}|{found.st_ino}\n"
