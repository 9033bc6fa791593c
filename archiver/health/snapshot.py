"""How everything stands at one moment. Nothing personal is in it: numbers, times, names of the body's own
accounts, of archives, stores and keyholders. Times are milliseconds since 1970 in UTC, None for never."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archiver.chain import Head
from archiver.progress import Gap


@dataclass(frozen=True)
class KindHealth:
    """One kind of one account that X is asked for. `good_ms`: when it was last collected to its end;
    `newest_ms`: when the newest record was posted, where that is known; `due_ms`: when it is to be collected
    again; `stale`: it is later than the settings allow. `unfinished`: the last walk was cut off."""

    kind: str
    good_ms: int | None
    newest_ms: int | None
    due_ms: int
    stale: bool
    unfinished: bool = False


@dataclass(frozen=True)
class AccountHealth:
    """`export_ms`: when the newest export taken in was made; `export_due_ms`: when the next one is, None
    where none is wanted. `spent_micro_usd`, `most_micro_usd`: this month, None without an interface."""

    platform: str
    id: str
    handle: str | None
    export_ms: int | None
    export_due_ms: int | None
    export_stale: bool
    kinds: tuple[KindHealth, ...] = ()
    gaps: tuple[Gap, ...] = ()
    spent_micro_usd: int | None = None
    most_micro_usd: int | None = None


@dataclass(frozen=True)
class StoreHealth:
    """`verified_ms`: when it was last found whole; `read_ms`: up to when every byte had been read again;
    `problem`: what is wrong, as far as is known without asking it."""

    name: str
    required: bool
    location: str
    verified_ms: int | None
    read_ms: int | None
    problem: str | None


@dataclass(frozen=True)
class ArchiveHealth:
    """The archive sealed last."""

    name: str
    sealed_ms: int
    records: int
    bytes: int


@dataclass(frozen=True)
class JobHealth:
    """A job of `archiver run`: when it last ended, ended well, and is due; what was wrong last."""

    job: str
    finished_ms: int | None
    good_ms: int | None
    code: int | None
    due_ms: int | None
    stale: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """All of it. `problems`: what makes it not healthy, a sentence each, and what to do in `advice`, which is
    as long."""

    at_ms: int
    accounts: tuple[AccountHealth, ...]
    stores: tuple[StoreHealth, ...]
    jobs: tuple[JobHealth, ...]
    archives: int
    last_archive: ArchiveHealth | None
    head: Head | None
    spool_records: int
    spool_bytes: int
    inbox_files: int
    moderation_pending: int
    keyholders: tuple[str, ...]
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    more: Mapping[str, object] = field(default_factory=dict)
    """Single facts that parts add, as `holds` or `disposal_due`: numbers and texts."""

    @property
    def healthy(self) -> bool:
        """Whether nothing is stale, missing or failed."""
        return not self.problems
