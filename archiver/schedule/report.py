"""What a run did, job by job: what its notices, its log and its exit code are made of.

Nothing personal: numbers, names of the body's own accounts, of archives and of stores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

JobName = Literal["import", "collect", "seal", "sync", "check", "drill", "remind"]
JOB_NAMES: tuple[JobName, ...] = get_args(JobName)
"""In the order in which a run does them."""


@dataclass(frozen=True)
class JobReport:
    """What became of one job. `code`: what its command would exit with. `facts`: what JSON can hold.
    `problems`: a sentence each, for a person; `excused`: those of them that nobody has to do anything about,
    so that `status` does not wait for it; `news`: those that the job itself says only when it is time, so
    that they are told whenever it does. `summary`: what was done, in some words for a person. `ends_run`:
    nothing more can be done before what is wrong is mended."""

    job: JobName
    started_ms: int
    finished_ms: int
    code: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    problems: Sequence[str] = ()
    ends_run: bool = False
    summary: str = ""
    news: Sequence[str] = ()
    excused: Sequence[str] = ()


@dataclass(frozen=True)
class RunReport:
    """One `archiver run`, also one that was ended by an error before it had done all of it. `problems`: what
    is wrong that is no job's, as a clock that was set back."""

    started_ms: int
    finished_ms: int
    jobs: Sequence[JobReport]
    code: int
    problems: Sequence[str] = ()

    @property
    def is_idle(self) -> bool:
        """Whether nothing was due, and nothing is wrong."""
        return not self.jobs and not self.code
