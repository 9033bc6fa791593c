"""`archiver moderation`: the register of what was dealt with, a module a command."""

from collections.abc import Mapping
from typing import ClassVar

import click

from archiver.cli._group import LazyGroup, examples


class _Group(LazyGroup):
    package = "archiver.cli.moderation"
    modules: ClassVar[Mapping[str, tuple[str, str]]] = {
        "list": ("list_", "List records, newest first."),
        "show": ("show", "Show one record with all its entries."),
        "pending": ("pending", "List what was decided and is not done; finish it."),
        "done": ("done", "Say that a person did it on the platform."),
        "correct": ("correct", "Put a record right by a new entry."),
        "reverse": ("reverse", "Undo an action: show a reply again, unmute."),
        "appeal": ("appeal", "Note that somebody objects, and what came of it."),
        "summary": ("summary", "Count a month's decisions by account, reason and action."),
        "import": ("import_", "Take in a log that was kept until now, CSV or JSON lines."),
        "export": ("export", "Write records as CSV, JSON lines or statements of reasons."),
        "codes": ("codes", "List the reasons, actions and house rules there are."),
    }


@click.group(
    "moderation",
    cls=_Group,
    epilog=examples(
        "archiver moderation list --reason abusive",
        "archiver moderation pending --finish",
        "archiver moderation reverse 3f2a --note 'mistaken identity' --by 'duty officer'",
    ),
)
def command() -> None:
    """The moderation register: every decision about what others wrote on the accounts, or about an own post.

    Nothing in it is changed or removed: later entries name the earlier ones."""
