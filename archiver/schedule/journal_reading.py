"""The journal as it is at one instant, for whoever only looks: nothing is written, nothing is made."""

from pathlib import Path

from archiver.schedule.journal import DAMAGED_HINT, SCHEMA, Journal
from archiver.spool.reading import SnapshotDatabase


class JournalReader(Journal):
    """A journal that is there. Whatever writes fails. Raise IntegrityError where it is damaged."""

    def __init__(self, path: Path, *, at_rest: bool = True) -> None:
        self.path = path
        self.snapshot = SnapshotDatabase(path, SCHEMA, damaged_hint=DAMAGED_HINT, at_rest=at_rest)
        self._local = self.snapshot
