"""`archiver log`: who did what, when and why."""

from collections.abc import Mapping
from typing import ClassVar

import click

from archiver.cli._group import LazyGroup, examples


class _Group(LazyGroup):
    package = "archiver.cli.log"
    modules: ClassVar[Mapping[str, tuple[str, str]]] = {
        "show": ("show", "Say who did what; needs an identity."),
        "verify": ("verify", "Check that nothing of it is missing; needs no private key."),
        "export": ("export", "Write it as CSV or JSON lines; needs an identity."),
    }


@click.group(
    "log",
    cls=_Group,
    epilog=examples(
        "archiver log show --since 2026-11 --verb search",
        "archiver log verify",
        "archiver log export -o log.csv",
    ),
)
def command() -> None:
    """The log: every act on the vault, written before it happens, chained and signed.

    Each keyholder has a chain, and the host that collects has one. Nothing in it is changed or removed."""
