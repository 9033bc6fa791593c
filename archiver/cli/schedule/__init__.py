"""`archiver schedule`: what starts `archiver run`, and which host does."""

from collections.abc import Mapping
from typing import ClassVar

import click

from archiver.cli._group import LazyGroup, examples


class _Group(LazyGroup):
    package = "archiver.cli.schedule"
    modules: ClassVar[Mapping[str, tuple[str, str]]] = {
        "cron": ("cron", "Print or install the lines for a crontab."),
        "systemd": ("systemd", "Print or install a hardened service and its timer."),
        "take-over": ("take_over", "Make this host the one that collects into the vault."),
    }


@click.group(
    "schedule",
    cls=_Group,
    epilog=examples(
        "archiver --config police-archive schedule cron --install",
        "archiver --config /etc/archiver schedule systemd --install",
        "archiver schedule take-over --reason 'the old server is broken'",
    ),
)
def command() -> None:
    """Start `archiver run` by cron or by systemd, on the one host that collects."""
