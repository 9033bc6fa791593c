"""Metrics in a file that Prometheus' node exporter reads (node_exporter, "Textfile Collector")."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from archiver import disk
from archiver.errors import ArchiverError
from archiver.notify.base import Notice, NoticeError
from archiver.settings.notices import TextfileSettings

_RUN_ENDS: Final = ("done", "incomplete", "failed")
MODE: Final = 0o644
"""The exporter is another user. There is nothing personal in it."""


@dataclass(frozen=True)
class TextfileNotifier:
    """Writes after every run, whole or not at all."""

    settings: TextfileSettings
    every_run: bool = True

    @property
    def name(self) -> str:
        return self.settings.name

    def wants(self, notice: Notice) -> bool:
        return (notice.kind in _RUN_ENDS and bool(notice.metrics)) or notice.kind == "test"

    def begin(self, at_ms: int) -> None:
        """The file tells of the last run until this one has ended."""

    def send(self, notice: Notice) -> None:
        """Write the metrics. Of a test nothing stays but the proof that a file can be written. Raise
        NoticeError."""
        if not self.wants(notice):
            return
        try:
            if notice.kind == "test":
                _try_folder(self.settings.path)
            else:
                _write(self.settings.path, notice.metrics.encode("utf-8"))
        except ArchiverError as error:
            raise NoticeError(f"notice {self.name}: {error.message}", error.hint) from error


def _write(path: Path, data: bytes) -> None:
    """The mode is set whatever the umask is: units for systemd have one that lets nobody else read."""
    with disk.new_file(path, mode=MODE, replace=True) as file:
        with disk.os_errors_reported("writing", path):
            os.fchmod(file.fileno(), MODE)
        file.write(data)


def _try_folder(path: Path) -> None:
    """The exporter reads names that end in .prom alone."""
    trial = path.with_name(f"{path.name}.{os.getpid()}.test")
    _write(trial, b"")
    with disk.os_errors_reported("removing", trial):
        trial.unlink()
