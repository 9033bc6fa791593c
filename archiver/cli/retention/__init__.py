"""`archiver retention`: what is due, who reviewed it, and disposing of it."""

from collections.abc import Mapping
from typing import ClassVar

import click

from archiver.cli._group import LazyGroup, examples


class _Group(LazyGroup):
    package = "archiver.cli.retention"
    modules: ClassVar[Mapping[str, tuple[str, str]]] = {
        "due": ("due", "Say when each archive is due, and what holds it."),
        "review": ("review", "Record a named person's decision to keep or dispose of an archive."),
        "dispose": ("dispose", "Destroy an archive's key in every store, once that is decided."),
    }


@click.group(
    "retention",
    cls=_Group,
    epilog=examples(
        "archiver retention due",
        'archiver retention review 2019-11-01 --decision dispose --reviewer "A. B. Clerk" --reason "7 years"',
        "archiver retention dispose 2019-11-01",
    ),
)
def command() -> None:
    """Dispose of what is past its time: by rules of the settings, and never by itself.

    The rules say when an archive is due. A named person decides, which is recorded. Then, unless something
    holds it, its key is destroyed in every store, and a certificate says so."""
