"""What the job that reminds has said. In the journal, for `status` too."""

from msgspec import Struct

from archiver.schedule.journal import Journal, Moment

NAME = "reminders"


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a reminder was last said, and whether as one that is late."""

    said_ms: Moment
    is_late: bool = False


class Reminded(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When the last look was taken, and what stands since then, by key."""

    looked_ms: Moment | None = None
    said: dict[str, Said] = {}


def load_reminded(journal: Journal) -> Reminded:
    """Empty before the first look."""
    return journal.note(NAME, Reminded) or Reminded()


def save_reminded(journal: Journal, reminded: Reminded) -> None:
    journal.set_note(NAME, reminded)
