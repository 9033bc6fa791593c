"""Who finds what to remind of. Imported when the day's look is taken, so that it costs other runs nothing."""

from collections.abc import Mapping

from archiver.jobs.reminders.base import Finder
from archiver.jobs.reminders.exports import find_exports
from archiver.jobs.reminders.standing import find_few_keyholders, find_large_spool, find_pending_moderation
from archiver.jobs.reminders.tokens import find_tokens
from archiver.jobs.reminders.upkeep import find_drill, find_reviews

FINDERS: Mapping[str, Finder] = {
    "exports": find_exports,
    "tokens": find_tokens,
    "pending moderation": find_pending_moderation,
    "few keyholders": find_few_keyholders,
    "large spool": find_large_spool,
    "drill": find_drill,
    "reviews": find_reviews,
}
"""Each with its name for an error, in the order in which they are told. Whoever knows of something else that
only a person can do adds a line."""
