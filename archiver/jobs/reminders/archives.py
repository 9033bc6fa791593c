"""What is due about archives and needs a keyholder: a restore that should be tried, and reviews."""

from collections.abc import Iterator

from archiver.jobs.base import JobContext
from archiver.jobs.reminders.base import Reminder
from archiver.keys import opens_unattended
from archiver.schedule.drills import drill_due_ms, load_drill
from archiver.schedule.due import DAY_MS
from archiver.times import format_date

_MONTH_DAYS = 30


def find_due_drill(context: JobContext) -> Iterator[Reminder]:
    """A restore that should be tried again, where the run cannot do it by itself."""
    if opens_unattended(context.settings.keyholder):
        return
    now_ms = context.clock()
    sealed = context.collector.state.head() is not None
    due_ms = drill_due_ms(context.settings, context.journal, now_ms, sealed=sealed)
    if due_ms is None or due_ms > now_ms:
        return
    known = load_drill(context.journal)
    good_ms = None if known is None else known.good_ms
    last = "Nobody has" if good_ms is None else f"Since {format_date(good_ms)} nobody has"
    yield Reminder(
        "drill",
        f"{last} tried to restore what is sealed.",
        "A keyholder does it where their identity is: archiver drill. On another host it ends with a line;"
        " type that here: archiver drill --noted LINE.",
        is_late=good_ms is not None and due_ms + context.settings.schedule.stale_days * DAY_MS <= now_ms,
        again_days=_MONTH_DAYS,
    )


def find_due_reviews(context: JobContext) -> Iterator[Reminder]:
    """Archives whose period by the retention rules is over. Looked at in a folder only."""
    if not context.settings.retention.rules:
        return
    from archiver.jobs.reminders.near import near_archives
    from archiver.retention.due import retention_due_count
    from archiver.vault import readable

    manifests = [one.manifest for one in readable(near_archives(context.settings))]
    due = retention_due_count(context.settings, manifests, context.clock())
    if due:
        archives = "1 archive is" if due == 1 else f"{due:,} archives are"
        yield Reminder(
            "retention",
            f"{archives} due to be reviewed by the retention rules.",
            "See which: archiver retention due. A named person decides: archiver retention review.",
            again_days=_MONTH_DAYS,
        )
