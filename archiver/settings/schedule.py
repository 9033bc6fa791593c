"""`[schedule]` and `[checks]` of `archiver.toml`: what `archiver run` does how often."""

from dataclasses import dataclass
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

from archiver.settings.table import Table

SealRhythm = Literal["monthly", "weekly", "daily"]
RHYTHMS: tuple[str, ...] = get_args(SealRhythm)
DEFAULT_TIME_ZONE = "Europe/London"
DEFAULT_EXPORT_DAYS = 31
"""How often an account that no interface is asked for should have an export taken in."""


@dataclass(frozen=True)
class ScheduleSettings:
    """`seal`: a new archive in each such period, of days in `time_zone`, where there is anything to seal.
    `sync_every_days`: how often every store is looked over for what it lacks. `stale_days`: how long after
    its time a thing may be late before `status` and the notices call it stale."""

    seal: SealRhythm = "monthly"
    time_zone: str = DEFAULT_TIME_ZONE
    sync_every_days: int = 1
    stale_days: int = 3


@dataclass(frozen=True)
class CheckSettings:
    """`read_all_months`: within so many months every sealed byte is read again, some at each run.
    `read_far`: also of stores far away, which charge for it; else what they say of their files counts.
    `drill_months`: how often a restore should be tried; 0 for never."""

    read_all_months: int = 6
    read_far: bool = False
    drill_months: int = 6


def read_schedule_settings(table: Table) -> ScheduleSettings:
    """`[schedule]`. An absent table has all defaults."""
    standard = ScheduleSettings()
    return ScheduleSettings(
        seal=cast(SealRhythm, table.choice("seal", standard.seal, RHYTHMS)),
        time_zone=_read_zone(table),
        sync_every_days=table.integer("sync_every_days", standard.sync_every_days, 1, 366),
        stale_days=table.integer("stale_days", standard.stale_days, 1, 366),
    )


def read_check_settings(table: Table) -> CheckSettings:
    """`[checks]`. An absent table has all defaults."""
    standard = CheckSettings()
    return CheckSettings(
        read_all_months=table.integer("read_all_months", standard.read_all_months, 1, 120),
        read_far=table.boolean("read_far", standard.read_far),
        drill_months=table.integer("drill_months", standard.drill_months, 0, 120),
    )


def _read_zone(table: Table) -> str:
    """A name of the time zone database. The default is not looked up: that costs 3 ms."""
    name = table.text("time_zone", DEFAULT_TIME_ZONE)
    if name != DEFAULT_TIME_ZONE and name:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # unknown, a path, a folder
            table.problem("time_zone", f"{name!r} is no time zone", 'as "Europe/London" or "UTC"')
            return DEFAULT_TIME_ZONE
    return name
