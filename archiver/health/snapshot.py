"""How everything stands at one moment. Nothing personal is in it: numbers, times, names of the body's own
accounts, of archives, stores and keyholders. Times are milliseconds since 1970 in UTC, None for never."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archiver.chain import Head
from archiver.errors import ArchiverError, IncompleteError
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
    """`newest_ms`: when the newest record of it was posted that any way has brought. `export_ms`: when the
    newest export taken in was made; `export_due_ms`: when the next one is, None where none is wanted.
    `gaps`: all that were noticed; so many of them, the last ones, no archive names yet (`gaps_unsealed`).
    `spent_micro_usd`, `most_micro_usd`: this month, None without an interface."""

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
    gaps_unsealed: int = 0
    newest_ms: int | None = None

    @property
    def name(self) -> str:
        """For a sentence: `x @example_police (1234567890)`."""
        return f"{self.platform} @{self.handle or '?'} ({self.id})"


@dataclass(frozen=True)
class StoreHealth:
    """`verified_ms`: when it was last found whole; `read_ms`: up to when every byte had been read again;
    `away_ms`: of one that need not be there and is away, since when; `problem`: what is wrong, as far as is
    known without asking it. Of a store that was asked, as folders
    are: `archives`, how many it has, and `free_bytes`, where that is known. `is_read`: what is said of
    archives is what this one says."""

    name: str
    required: bool
    location: str
    verified_ms: int | None
    read_ms: int | None
    problem: str | None
    archives: int | None = None
    free_bytes: int | None = None
    is_read: bool = False
    away_ms: int | None = None


@dataclass(frozen=True)
class ArchiveHealth:
    """The archive sealed last. `bytes`: as it lies in a store."""

    name: str
    sealed_ms: int
    records: int
    bytes: int


@dataclass(frozen=True)
class JobHealth:
    """A job of `archiver run`: when it last ended, ended well, and is due; what was wrong last. `is_at_work`:
    it was begun, and the process that did so is still there. `excused`: those of the problems that nobody
    has to do anything about."""

    job: str
    finished_ms: int | None
    good_ms: int | None
    code: int | None
    due_ms: int | None
    stale: bool
    problems: tuple[str, ...] = ()
    is_at_work: bool = False
    excused: tuple[str, ...] = ()

    @property
    def is_excused(self) -> bool:
        """Whether it is incomplete, and nobody has to do anything about it."""
        return self.code == IncompleteError.exit_code and bool(self.problems) and not self.to_mend

    @property
    def to_mend(self) -> tuple[str, ...]:
        """The problems that somebody has to do something about."""
        return tuple(one for one in self.problems if one not in self.excused)


@dataclass(frozen=True)
class Snapshot:
    """All of it. `problems`: what makes it not healthy, a sentence each, and what to do in `advice`, which is
    as long.

    `is_collector`: whether this host collects; elsewhere nothing is known of accounts, spool and jobs.
    `archives`, `last_archive`, `head`: as the first store says that could be asked; where none could, how
    many archives and which head this host remembers. `spool_since_ms`: when the oldest of what is not sealed
    was captured. `error`: what is damaged, or why there is no vault: what a command
    is to end in."""

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
    is_collector: bool = True
    spool_since_ms: int | None = None
    spool_free_bytes: int | None = None
    error: ArchiverError | None = None
    more: Mapping[str, object] = field(default_factory=dict)
    """Single facts that parts add, as `holds` or `disposal_due`: numbers and texts."""

    @property
    def healthy(self) -> bool:
        """Whether nothing is stale, missing or failed."""
        return not self.problems

    @property
    def code(self) -> int:
        """What `archiver status` exits with: 0 healthy, 3 not, others as the error says."""
        if self.error is not None:
            return self.error.exit_code
        return 0 if self.healthy else IncompleteError.exit_code
