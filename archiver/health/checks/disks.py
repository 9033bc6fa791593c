"""Room on every file system that a run writes to."""

import os
from collections.abc import Iterator
from pathlib import Path

from archiver.health.checkup import Check, Finding, Subject, failed, ok, warning
from archiver.health.judging import LEAST_FREE_BYTES
from archiver.settings import Settings
from archiver.sizes import byte_size

LOW_BYTES = 1 << 30
LEAST_FILES = 1_000
"""A sealing makes some files, and a log one an entry."""


def checks(subject: Subject) -> list[Check]:
    """One for all: file systems that several folders are on are told once."""
    return [Check("disks", lambda: _disks(subject.settings))]


def _disks(settings: Settings) -> Iterator[Finding]:
    folders: dict[int, list[Path]] = {}
    for folder in _folders(settings):
        there = next(path for path in (folder, *folder.parents) if path.is_dir())
        folders.setdefault(there.stat().st_dev, []).append(there)
    for found in folders.values():
        yield _disk(list(dict.fromkeys(found)))


def _folders(settings: Settings) -> list[Path]:
    """The stores have a check of their own, which knows how much the next archive takes."""
    folders = [settings.home, settings.spool, settings.state.parent, settings.inbox, settings.cache.folder]
    return [*folders, settings.recipients.parent, settings.journal.parent]


def _disk(folders: list[Path]) -> Finding:
    what = f"disk of {', '.join(map(str, folders[:3]))}" + (" …" if folders[3:] else "")
    status = os.statvfs(folders[0])
    free, files = status.f_bavail * status.f_frsize, status.f_favail
    said = f"{byte_size(free)} free"
    if status.f_flag & os.ST_RDONLY:
        return failed(what, "it is mounted read-only", "mount -o remount,rw, once it is known why it is")
    if status.f_files and files < LEAST_FILES:
        return failed(what, f"room for {files:,} more files only", "remove files that nobody needs: df -i")
    if free < LEAST_FREE_BYTES:
        return failed(what, said, f"make room: df -h {folders[0]}")
    if free < LOW_BYTES:
        return warning(what, said, f"make room soon: df -h {folders[0]}")
    return ok(what, said)
