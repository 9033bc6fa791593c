"""The main job: exports from the inbox or the command line into the spool, the spool into the vault."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from archiver.collect import CollectReport, Progress, collect
from archiver.disk import make_directories, os_errors_reported, sync_directory
from archiver.errors import ArchiverError, ConfigurationError
from archiver.settings import AccountSettings, Settings, add_account, load_settings
from archiver.sources.apart import ApartSource
from archiver.sources.base import Source
from archiver.sources.x_export import Limits, XExport
from archiver.times import Clock
from archiver.wiring import Collector

APART_BYTES = 32 * 1024 * 1024
"""An export this large is read in a process of its own; for a smaller one starting it costs more."""
TAKEN = "taken"
"""The folder in the inbox for exports whose records are sealed."""


@dataclass
class Imported:
    """One export, or several parts of one, and what became of it: a report, or why it was refused."""

    paths: tuple[Path, ...]
    report: CollectReport | None = None
    error: ArchiverError | None = None

    @property
    def name(self) -> str:
        return names_of(self.paths)


@dataclass
class _Opened:
    """Exports that belong together: the same account, made at the same time."""

    paths: list[Path] = field(default_factory=list)
    error: ArchiverError | None = None


def names_of(paths: Iterable[Path]) -> str:
    """File names as text: what is no UTF-8 in a name is written out, as a database takes nothing else."""
    return ", ".join(os.fsencode(path.name).decode("utf-8", "backslashreplace") for path in paths)


def find_in_inbox(inbox: Path) -> list[Path]:
    """The exports that wait in the inbox, by name."""
    with os_errors_reported("reading", inbox):
        return sorted(
            path
            for path in inbox.iterdir()
            if path.is_file() and path.suffix.lower() == ".zip" and path.name[0] != "."
        )


def import_exports(
    collector: Collector,
    paths: Sequence[Path],
    *,
    may_add_account: bool,
    clock: Clock,
    progress: Progress = lambda phase, records: None,
) -> list[Imported]:
    """Take exports into the spool. One that is refused does not stop the others."""
    limits = _limits(collector.settings)
    results = []
    for group in _grouped(paths, limits):
        result = Imported(tuple(group.paths), error=group.error)
        if group.error is None:
            try:
                result.report = _import_one(
                    collector,
                    group.paths,
                    limits,
                    may_add_account=may_add_account,
                    clock=clock,
                    progress=progress,
                )
            except ArchiverError as error:
                result.error = error
        results.append(result)
    return results


def _limits(settings: Settings) -> Limits:
    return Limits(
        member_bytes=settings.limits.member_bytes,
        ratio=settings.limits.ratio,
        members=settings.limits.members,
    )


def _grouped(paths: Iterable[Path], limits: Limits) -> list[_Opened]:
    """Files that are parts of one export together, older exports first."""
    refused: list[_Opened] = []
    groups: dict[tuple[int, str], _Opened] = {}
    for path in paths:
        try:
            with XExport.open(path, limits=limits) as export:
                key = (export.generated_ms, export.account)
        except ArchiverError as error:
            refused.append(_Opened([path], error))
        else:
            groups.setdefault(key, _Opened()).paths.append(path)
    return refused + [groups[key] for key in sorted(groups)]


def _open(paths: Sequence[Path], limits: Limits) -> XExport:
    return (
        XExport.open(paths[0], limits=limits) if len(paths) == 1 else XExport.open_all(paths, limits=limits)
    )


def _import_one(
    collector: Collector,
    paths: list[Path],
    limits: Limits,
    *,
    may_add_account: bool,
    clock: Clock,
    progress: Progress,
) -> CollectReport:
    with _open(paths, limits) as export:
        name = names_of(paths)
        _check_account(collector.settings, export, name, may_add_account=may_add_account)
        source: Source = export
        content_hash: Callable[[bytes], bytes] = collector.key
        if sum(path.stat().st_size for path in paths) >= APART_BYTES:
            # The hash is taken where the export is read; what arrives is taken as it is.
            source, content_hash = ApartSource(export, partial(_open, paths, limits), collector.key), bytes
        return collect(
            source,
            collector.spool,
            collector.state,
            name=name,
            content_hash=content_hash,
            clock=clock,
            progress=progress,
        )


def _check_account(settings: Settings, export: XExport, name: str, *, may_add_account: bool) -> None:
    """Another account's export is refused, unless it may be added to the settings."""
    current = load_settings(settings.path)
    if any(one.platform == export.platform and one.id == export.account for one in current.accounts):
        return
    handle = f" (@{export.handle})" if export.handle else ""
    if not may_add_account:
        raise ConfigurationError(
            f"{name} is of the account {export.account}{handle}, which the settings do not name",
            f"if it is yours: archiver import --add-account {name.split(', ')[0]}",
        )
    add_account(settings.path, AccountSettings(export.platform, export.account, export.handle))


def move_taken(settings: Settings, results: Iterable[Imported]) -> None:
    """Move inbox files whose records are sealed to `taken/`, never over another file."""
    folder = settings.inbox / TAKEN
    make_directories(folder, 0o700)
    for result in results:
        if result.report is None:
            continue
        for path in result.paths:
            target, number = folder / path.name, 1
            while os.path.lexists(target):
                number += 1
                target = folder / f"{path.stem}.{number}{path.suffix}"
            with os_errors_reported("moving", path):
                path.rename(target)
    sync_directory(folder)
    sync_directory(settings.inbox)
