"""`archiver notices`: who is told what, a module a command."""

from collections.abc import Mapping
from typing import ClassVar

import click

from archiver.cli._group import LazyGroup, examples


class _Group(LazyGroup):
    package = "archiver.cli.notices"
    modules: ClassVar[Mapping[str, tuple[str, str]]] = {
        "test": ("trial", "Send a test notice by each way, or by those named."),
        "show": ("show", "Print a notice as it would be sent now."),
    }


@click.group(
    "notices",
    cls=_Group,
    epilog=examples("archiver notices test", "archiver notices test mail", "archiver notices show monthly"),
)
def command() -> None:
    """What `archiver run` tells whom: by e-mail, webhook, ping, a file of metrics, or Apprise, as the tables
    [[notice]] of the settings say."""
