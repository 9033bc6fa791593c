"""One thing that a person is to be reminded of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from archiver.jobs.base import JobContext

WEEK_DAYS = 7


@dataclass(frozen=True)
class Reminder:
    """`key` names it for as long as it stands, as `export x 1234567890`. `what`: a sentence; `how`: what to
    do, in full sentences for somebody who does it once a month; `is_late`: it should have been done by now;
    `again_days`: how often it is said. Nothing personal: no names but those of the body's own accounts."""

    key: str
    what: str
    how: str
    is_late: bool = False
    again_days: int = WEEK_DAYS

    @property
    def text(self) -> str:
        """All of it, for a notice."""
        return f"{'LATE: ' if self.is_late else ''}{self.what} {self.how}"


Finder = Callable[[JobContext], Iterable[Reminder]]
"""What a person should be reminded of now, said before or not. It is asked once a day. Asks no server,
changes nothing, and raises ArchiverError where it cannot tell, which stops no other."""
