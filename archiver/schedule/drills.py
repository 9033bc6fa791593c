"""When restoring was last tried, and when it is due again. In the journal, for `status` and reminders too;
and as a line that a keyholder on another host brings to the host that collects."""

import re

from msgspec import Struct

from archiver.chain import Head
from archiver.errors import UsageError
from archiver.schedule.checks import DAILY_MS
from archiver.schedule.due import CLOCK_OFF_MS, NOW, due_after, trusted
from archiver.schedule.journal import Journal, Moment
from archiver.settings import Settings
from archiver.times import format_time, parse_time

NAME = "drill"
DAYS_OF_MONTH = 30
_LINE = re.compile(
    r"drill/(?P<at>[0-9TZ:.+-]{20,30})/(?P<vault>[A-Za-z0-9-]{1,64})/(?P<head>[1-9][0-9]{0,8}:[0-9a-f]{64})"
    r"/(?P<records>[0-9]{1,12})"
)


class DrillNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last one: what it ended in, what was restored, as STORE/ARCHIVE, how many records were compared.
    `good_ms`: when one last restored something of every store, and found nothing wrong. `nothing`: the end
    of the chain up to which no archive was left to be restored, as all were disposed of."""

    at_ms: Moment
    code: int
    good_ms: Moment | None = None
    archives: tuple[str, ...] = ()
    records: int = 0
    nothing: str | None = None


class DrillLine(Struct, frozen=True, kw_only=True):
    """A drill that was done well on another host: when, of which vault, its chain's head then."""

    at_ms: int
    vault: str
    head: str
    records: int

    def text(self) -> str:
        return f"drill/{format_time(self.at_ms)}/{self.vault}/{self.head}/{self.records}"


def load_drill(journal: Journal) -> DrillNote | None:
    """None where none was done, or noted, here."""
    return journal.note(NAME, DrillNote)


def note_drill(
    journal: Journal,
    at_ms: int,
    code: int,
    archives: tuple[str, ...] = (),
    records: int = 0,
    *,
    restored: bool = True,
) -> None:
    """Note a drill that is over; one that ended in 0 or 3 counts as done, where it has `restored` anything
    of every store that was reached."""
    known = load_drill(journal)
    good_ms = at_ms if restored and code in (0, 3) else None if known is None else known.good_ms
    note = DrillNote(at_ms=at_ms, code=code, good_ms=good_ms, archives=archives, records=records)
    journal.set_note(NAME, note)


def note_nothing(journal: Journal, at_ms: int, head: Head) -> None:
    """Note that there is no archive left to be restored, up to this end of the chain: none is due before
    another is sealed."""
    known = load_drill(journal)
    good_ms = None if known is None else known.good_ms
    journal.set_note(NAME, DrillNote(at_ms=at_ms, code=0, good_ms=good_ms, nothing=_text(head)))


def drill_due_ms(
    settings: Settings, journal: Journal, now_ms: int, *, sealed: bool = True, head: Head | None = None
) -> int | None:
    """When restoring should be tried again: so many months after it went well, NOW where it never did; a day
    later where it failed. None where the settings want none, before anything is `sealed`, and where nothing
    is left to be restored up to the chain's `head`."""
    months = settings.checks.drill_months
    if not months or not sealed:
        return None
    known = load_drill(journal)
    if known is None:
        return NOW
    if head is not None and known.nothing == _text(head):
        return None
    due_ms = due_after(known.good_ms, months * DAYS_OF_MONTH, now_ms)
    tried_ms = trusted(known.at_ms, now_ms)
    failed = known.good_ms != known.at_ms and known.nothing is None
    return max(due_ms, tried_ms + DAILY_MS) if failed and tried_ms is not None else due_ms


def _text(head: Head) -> str:
    return f"{head.sequence}:{head.sha256}"


def parse_line(text: str, now_ms: int) -> DrillLine:
    """A line that `archiver drill` printed on another host. Raise UsageError for anything else."""
    found = _LINE.fullmatch(text.strip())
    hint = "as archiver drill prints it on the host of a keyholder: drill/TIME/VAULT/NUMBER:SHA256/RECORDS"
    if found is None:
        raise UsageError(f"{text[:80]!r} is no line of a drill", hint)
    try:
        at_ms = parse_time(found["at"])
    except (ValueError, OverflowError):
        raise UsageError(f"{found['at']!r} is no time", hint) from None
    if at_ms > now_ms + CLOCK_OFF_MS:
        raise UsageError(f"{found['at']} is still to come", "see whether the clock here is right")
    return DrillLine(at_ms=at_ms, vault=found["vault"], head=found["head"], records=int(found["records"]))
