"""What a drill proved of one archive, and what it found wrong."""

from dataclasses import dataclass, field

from archiver.errors import ArchiverError, IntegrityError
from archiver.rebuild import Rebuilt

MOST_PROBLEMS = 50
"""That are kept of an archive: one that is another may differ in each row."""


@dataclass
class Drilled:
    """One archive. `records` were derived again, of which `different` differ, the first of them `named`;
    `answers` of an interface and `media` files have the SHA-256 that was noted; `elsewhere`: places of media
    in other archives. `tools`: what the public programs said, or why they were not asked. `lacks_rows`: a
    segment could not be read, so not all that is in a pack is known."""

    archive: str
    files: int = 0
    segments: int = 0
    bytes: int = 0
    plain_bytes: int = 0
    records: int = 0
    different: int = 0
    answers: int = 0
    media: int = 0
    elsewhere: set[tuple[str, str, int]] = field(default_factory=set)
    lacks_rows: bool = False
    tools: str | None = None
    tools_agree: bool = False
    named: list[str] = field(default_factory=list)
    problems: list[ArchiverError] = field(default_factory=list)
    more_problems: int = 0
    expected: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    """By pack and place in it the SHA-256 and size of the media files that were not met yet."""

    def add(self, problem: ArchiverError) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1

    def add_rebuilt(self, result: Rebuilt) -> None:
        """What deriving the records of a segment again showed."""
        self.records += result.records
        self.different += result.different
        self.named += [f"{result.archive}/{result.name}: {what}" for what in result.named]

    def finish(self) -> None:
        """Once all files were met: what is left of what was expected is missing; rows that differ fail."""
        for pack, offset in self.expected:
            self.add(IntegrityError(f"archives/{self.archive}/{pack} has no file at byte {offset:,}"))
        self.expected = {}
        if self.different:
            rows = "row differs" if self.different == 1 else "rows differ"
            text = f"{self.archive}: {self.different:,} {rows} from what the captures give"
            self.add(IntegrityError(text, f"see them all: archiver rebuild {self.archive}"))
