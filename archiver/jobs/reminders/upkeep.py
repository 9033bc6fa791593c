"""What keyholders have to do from time to time: try whether an archive can be restored, and look at what the
rules of retention say is due."""

from collections.abc import Iterator

from archiver.jobs.base import JobContext
from archiver.jobs.reminders.base import Reminder
from archiver.jobs.reminders.near import is_nothing_left, near_archives
from archiver.keys import opens_unattended
from archiver.retention.due import retention_due_count
from archiver.schedule.drills import drill_due_ms, load_drill
from archiver.times import format_date

_MONTH_DAYS = 30


def find_drill(context: JobContext) -> Iterator[Reminder]:
    """A drill that is due, where none is done by a run because no identity opens without a person."""
    if opens_unattended(context.settings.keyholder):
        return
    now_ms = context.clock()
    head = context.collector.state.head()
    due_ms = drill_due_ms(context.settings, context.journal, now_ms, sealed=head is not None, head=head)
    if due_ms is None or now_ms < due_ms or is_nothing_left(context):
        return
    known = load_drill(context.journal)
    good_ms = None if known is None else known.good_ms
    last = "that was never done here" if good_ms is None else f"it last went well on {format_date(good_ms)}"
    yield Reminder(
        "drill",
        f"It is time to try whether the archives can be restored: {last}.",
        "A keyholder does it where the identity is, and nothing is written to a disk: archiver drill. On"
        " another host than this it ends with a line; type it here: archiver drill --noted LINE.",
    )


def find_reviews(context: JobContext) -> Iterator[Reminder]:
    """Archives that the rules of retention say are due. What was decided about them only keyholders can read,
    so the number may hold some that are to be kept."""
    if not context.settings.retention.rules:
        return
    manifests = [one.manifest for one in near_archives(context)]
    number = retention_due_count(context.settings, manifests, context.clock())
    if number:
        archives = "1 archive is" if number == 1 else f"{number:,} archives are"
        yield Reminder(
            "retention",
            f"{archives} due for review by the rules of retention.",
            "See which, and what was decided: archiver retention due. Nothing is disposed of before a named"
            " person has decided on it.",
            again_days=_MONTH_DAYS,
        )
