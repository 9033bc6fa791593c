"""What was told, for as long as the journal cannot keep it: a small file beside the state. Without it a run
that fails for want of a journal would be told of by every run."""

from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from archiver.disk import write_atomically
from archiver.errors import ArchiverError
from archiver.jobs.told import Told

MOST_BYTES = 4 * 1024 * 1024


class Stamp(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`is_whole`: the journal could be read then, so that this is all that was told, and not only what was
    told since the journal was lost."""

    told: Told
    is_whole: bool = False

    def over(self, noted: Told | None) -> Told:
        """What was told, by this and by what the journal has, None where it cannot be read."""
        if self.is_whole or noted is None:
            return self.told
        return replace(noted, failing={**noted.failing, **self.told.failing})


def stamp_path(journal: Path) -> Path:
    return journal.with_name("told.json")


def load_stamp(path: Path) -> Stamp | None:
    """None where there is none, or none that can be read: then what fails is told once more."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(MOST_BYTES), type=Stamp)
    except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueError
        return None


def save_stamp(path: Path, stamp: Stamp) -> None:
    """Keep it, where that can be done: on a disk that takes nothing at all each run tells anew."""
    with suppress(ArchiverError, OSError):
        write_atomically(path, msgspec.json.encode(stamp))


def drop_stamp(path: Path) -> None:
    """The journal has it now."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
