"""What a run of collecting through an interface brought, by account and kind."""

from collections import Counter

from msgspec import Struct, field

from archiver.errors import ArchiverError
from archiver.progress import Gap
from archiver.sources.base import Problem

NAMED_MISSING = 1000
"""So many missing media files are named in a report; the archive lists all."""
NOTED_PROBLEMS = 1000
"""So many problems of one kind are named in a report; the archive lists all."""


class KindReport(Struct, kw_only=True):
    """One kind of one account. `counts`: a change to a number of records, where change is new, changed,
    back, again (it came another way before), gone or unchanged. `context`: what posts around the records
    are not shown, by reason. `error`: why the kind was not collected to its end."""

    kind: str
    requests: int = 0
    resources: int = 0
    micro_usd: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    media: int = 0
    media_missing: int = 0
    media_missing_names: list[str] = []
    context: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = []
    gaps: list[Gap] = []
    error: ArchiverError | None = None

    @property
    def complete(self) -> bool:
        return not (self.problems or self.gaps or self.media_missing or self.error)

    def add_problem(self, problem: Problem) -> None:
        if len(self.problems) < NOTED_PROBLEMS:
            self.problems.append(problem)


class AccountReport(Struct, kw_only=True):
    """One account. `handle` as the settings have it, `current_handle` as X has it now. `due`: the kinds that
    were to be collected. `error`: why the account was left. Money in millionths of a dollar: spent in this
    month, and what may be."""

    platform: str
    account: str
    handle: str | None
    current_handle: str | None = None
    due: list[str] = []
    kinds: list[KindReport] = []
    problems: list[Problem] = []
    error: ArchiverError | None = None
    month_micro_usd: int = 0
    ceiling_micro_usd: int = 0

    @property
    def not_asked(self) -> list[str]:
        """The kinds that the run did not come to."""
        reached = {kind.kind for kind in self.kinds}
        return [kind for kind in self.due if kind not in reached]

    @property
    def complete(self) -> bool:
        return self.error is None and not self.problems and all(kind.complete for kind in self.kinds)

    @property
    def micro_usd(self) -> int:
        return sum(kind.micro_usd for kind in self.kinds)

    @property
    def renamed(self) -> bool:
        if self.current_handle is None or self.handle is None:
            return False
        return self.current_handle.lower() != self.handle.lower()
