"""What stands and should not: moderation acts not done, too few keyholders, far more in the spool than an
archive usually has."""

from collections.abc import Iterator

from archiver.jobs.base import JobContext
from archiver.jobs.reminders.base import Reminder
from archiver.schedule.due import DAY_MS
from archiver.times import format_date

PENDING_MS = DAY_MS
_MONTH_DAYS = 30
FEW_KEYHOLDERS = 2
SPOOL_TIMES = 3
SPOOL_RECORDS = 10_000
"""Fewer records than this are never many."""
LAST_ARCHIVES = 6


def find_pending_moderation(context: JobContext) -> Iterator[Reminder]:
    """Acts of moderation that were decided on more than a day ago and are not done."""
    now_ms = context.clock()
    old = [one for one in context.collector.spool.register.pending() if one.entered_ms + PENDING_MS <= now_ms]
    if old:
        acts = "1 moderation act is" if len(old) == 1 else f"{len(old):,} moderation acts are"
        yield Reminder(
            "moderation pending",
            f"{acts} not done more than a day after being decided, the first since"
            f" {format_date(min(one.entered_ms for one in old))}.",
            "See which, and what to click on X: archiver moderation pending. Then say that each is done, or"
            " call it off.",
        )


def find_few_keyholders(context: JobContext) -> Iterator[Reminder]:
    """Fewer than two who can open the archives."""
    from archiver.keyholders import Keyholders

    number = len(Keyholders.load(context.settings.recipients).entries)
    if number < FEW_KEYHOLDERS:
        yield Reminder(
            "keyholders",
            "Only one keyholder can open the archives: with that key lost nothing opens them any more."
            if number
            else "No keyholder can open what is sealed next.",
            "Make a key on another person's machine (archiver keys new) and add it here: archiver keys add.",
            is_late=not number,
            again_days=_MONTH_DAYS,
        )


def find_large_spool(context: JobContext) -> Iterator[Reminder]:
    """Far more records in the spool than any of the last archives had: sealing may have stopped, or something
    takes in far too much. Archives are looked at in a folder only, not in stores far away."""
    waiting = sum(page.records for page in context.collector.spool.pages())
    if waiting < SPOOL_RECORDS:
        return
    largest = _largest_archive(context)
    if largest is not None and waiting > SPOOL_TIMES * largest:
        yield Reminder(
            "spool",
            f"{waiting:,} records wait to be sealed, more than {SPOOL_TIMES} times as many as the largest of"
            f" the last archives has ({largest:,}).",
            "See what came in and whether sealing fails: archiver status. Seal them at once: archiver seal.",
        )


def _largest_archive(context: JobContext) -> int | None:
    """The records of the largest of the last archives; None where no store is at hand or has any."""
    from archiver.jobs.reminders.near import near_archives

    archives = near_archives(context)[-LAST_ARCHIVES:]
    return max((archive.manifest.record_count for archive in archives), default=None)
