"""Who finds what to remind of. Each is imported when the day's look is taken, so that it costs other runs
nothing."""

import importlib
from collections.abc import Iterator
from typing import cast

from archiver.jobs.reminders.base import Finder

_FINDERS = (
    "archiver.jobs.reminders.exports:find_exports",
    "archiver.jobs.reminders.tokens:find_tokens",
    "archiver.jobs.reminders.standing:find_pending_moderation",
    "archiver.jobs.reminders.standing:find_few_keyholders",
    "archiver.jobs.reminders.standing:find_large_spool",
    "archiver.jobs.reminders.upkeep:find_drill",
    "archiver.jobs.reminders.upkeep:find_reviews",
)
"""Module and function of each, in the order in which they are told. Whoever knows of something else that only
a person can do adds a line."""


def load_finders() -> Iterator[tuple[str, Finder]]:
    """Every finder, with its name for an error."""
    for place in _FINDERS:
        module, _, name = place.partition(":")
        yield (
            name.removeprefix("find_").replace("_", " "),
            cast(Finder, getattr(importlib.import_module(module), name)),
        )
