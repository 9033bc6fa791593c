"""`[log]` of `archiver.toml`: who may read the log, and whether a reason must be given."""

from dataclasses import dataclass
from pathlib import Path

from archiver.settings.table import Table

REASONS = ("optional", "required")


@dataclass(frozen=True)
class LogSettings:
    """`recipients`: an age recipients file of those who may read the log; None where that is every keyholder.
    `needs_reason`: whether whoever reads the vault must say why."""

    recipients: Path | None = None
    needs_reason: bool = False


def read_log_settings(table: Table, home: Path) -> LogSettings:
    """`[log]`. An absent table has all defaults."""
    named = table.has("recipients")
    return LogSettings(
        recipients=table.path("recipients", None, home, must_exist=True) if named else None,
        needs_reason=table.choice("reason", "optional", REASONS) == "required",
    )
