"""What the journal says of each store: when it was last found whole, and read again byte by byte."""

from msgspec import Struct

from archiver.schedule.journal import Journal


class StoreTimes(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`verified_ms`: when its manifests, signatures and chain were last found right. `read_ms`: every byte
    that was sealed has been read again since. `problems`: what was wrong the last time, a sentence each."""

    verified_ms: int | None = None
    read_ms: int | None = None
    problems: tuple[str, ...] = ()


def store_times(journal: Journal, store: str) -> StoreTimes:
    """What is noted of a store, by its name in the settings; empty where nothing is."""
    return journal.note(_note(store), StoreTimes) or StoreTimes()


def note_store_times(journal: Journal, store: str, times: StoreTimes) -> None:
    """Note it, replacing what was noted."""
    journal.set_note(_note(store), times)


def _note(store: str) -> str:
    return f"store {store}"
