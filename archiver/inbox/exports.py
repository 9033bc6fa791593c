"""Exports into the spool, whether they lie in the inbox or are named on the command line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from archiver.collect import CollectReport, Progress, collect
from archiver.errors import ArchiverError, ConfigurationError, SourceError
from archiver.inbox.files import names_of
from archiver.inbox.groups import Group, group_exports
from archiver.settings import AccountSettings, Settings, add_account, load_settings
from archiver.sources.apart import ApartSource
from archiver.sources.base import Source
from archiver.sources.x_export import Limits, XExport
from archiver.times import Clock
from archiver.wiring.collector import Collector

APART_BYTES = 32 * 1024 * 1024
"""An export this large is read in a process of its own; for a smaller one starting it costs more."""


class NotOursError(ConfigurationError):
    """An export of an account that the settings do not name."""


@dataclass
class Imported:
    """One export, or several parts of one, and what became of it: a report, or why it was refused."""

    paths: tuple[Path, ...]
    report: CollectReport | None = None
    error: ArchiverError | None = None

    @property
    def name(self) -> str:
        return names_of(self.paths)

    @property
    def is_refused(self) -> bool:
        """Whether the export itself is at fault, so that trying again will not help. Where it could not be
        read, or written down, for now, it may."""
        own_fault = isinstance(self.error, SourceError | NotOursError)
        return self.error is not None and own_fault and not isinstance(self.error.__cause__, OSError)


def import_exports(
    collector: Collector,
    paths: Sequence[Path],
    *,
    may_add_account: bool,
    clock: Clock,
    progress: Progress = lambda phase, records: None,
) -> list[Imported]:
    """Take exports into the spool. One that is refused does not stop the others."""
    groups = group_exports(paths, limits_of(collector.settings))
    return [
        import_group(collector, group, may_add_account=may_add_account, clock=clock, progress=progress)
        for group in groups
    ]


def import_group(
    collector: Collector, group: Group, *, may_add_account: bool, clock: Clock, progress: Progress
) -> Imported:
    """Take the files of one export into the spool; never raises an ArchiverError, but says it."""
    result = Imported(tuple(group.paths), error=group.error)
    if group.error is None:
        try:
            result.report = _import_one(
                collector, group.paths, may_add_account=may_add_account, clock=clock, progress=progress
            )
        except ArchiverError as error:
            result.error = error
    return result


def limits_of(settings: Settings) -> Limits:
    """What an export may at most be."""
    return Limits(
        member_bytes=settings.limits.member_bytes,
        ratio=settings.limits.ratio,
        members=settings.limits.members,
    )


def _open(paths: Sequence[Path], limits: Limits) -> XExport:
    return (
        XExport.open(paths[0], limits=limits) if len(paths) == 1 else XExport.open_all(paths, limits=limits)
    )


def _import_one(
    collector: Collector, paths: list[Path], *, may_add_account: bool, clock: Clock, progress: Progress
) -> CollectReport:
    limits = limits_of(collector.settings)
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
        raise NotOursError(
            f"{name} is of the account {export.account}{handle}, which the settings do not name",
            f"if it is yours: archiver import --add-account {name.split(', ')[0]}",
        )
    add_account(settings.path, AccountSettings(export.platform, export.account, export.handle))
