"""How all stands, for notices: what `archiver.health.gather` and `archiver.health.metrics` say.

A hook: until both are there they are looked for by name, and without them a snapshot has no more in it than
the settings say, and there are no metrics. Then this module is two imports.
"""

import importlib
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from archiver.health.snapshot import Snapshot, StoreHealth
from archiver.keyholders import Keyholders
from archiver.schedule.report import RunReport
from archiver.settings import Settings


def look(settings: Settings, now_ms: int, environ: Mapping[str, str]) -> Snapshot:
    """How all stands now. Raise ArchiverError where that cannot be said."""
    take_snapshot = _find("archiver.health.gather", "take_snapshot")
    if take_snapshot is not None:
        found: Snapshot = take_snapshot(settings, now_ms, environ)
        return found
    return _little(settings, now_ms)


def metrics_of(snapshot: Snapshot, report: RunReport) -> str:
    """The same for Prometheus; empty where nothing makes them."""
    make = _find("archiver.health.metrics", "metrics_of")
    return "" if make is None else str(make(snapshot, report))


def _find(module: str, name: str) -> Callable[..., Any] | None:
    found: Callable[..., Any] | None = None
    if find_spec(module) is not None:
        found = getattr(importlib.import_module(module), name, None)
    return found


def _little(settings: Settings, now_ms: int) -> Snapshot:
    stores = (StoreHealth(one.name, one.required, "", None, None, None) for one in settings.stores)
    return Snapshot(
        at_ms=now_ms,
        accounts=(),
        stores=tuple(stores),
        jobs=(),
        archives=0,
        last_archive=None,
        head=None,
        spool_records=0,
        spool_bytes=0,
        inbox_files=0,
        moderation_pending=0,
        keyholders=tuple(one.name for one in Keyholders.load(settings.recipients).entries),
    )
