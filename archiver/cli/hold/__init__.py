"""`archiver hold`: what must not be disposed of, whatever the rules say."""

from collections.abc import Mapping
from typing import ClassVar

import click

from archiver.cli._group import LazyGroup, examples


class _Group(LazyGroup):
    package = "archiver.cli.hold"
    modules: ClassVar[Mapping[str, tuple[str, str]]] = {
        "add": ("add", "Hold archives: by name, by a query, by a case, or everything."),
        "release": ("release", "Release a hold."),
        "list": ("list_", "Say which holds stand."),
    }


@click.group(
    "hold",
    cls=_Group,
    epilog=examples(
        'archiver hold add --query "account:SpringfieldPD parade" --case CO/17/26 --reason "complaint"',
        "archiver hold list",
        'archiver hold release 1f0c --reason "the complaint was withdrawn"',
    ),
)
def command() -> None:
    """Keep archives from being disposed of, by name, query or case.

    What is held is still found and shown. Every hold and its release is in the custody register, signed by
    the keyholder, and in the log."""
