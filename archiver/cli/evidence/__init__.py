"""`archiver evidence`: packs for somebody who does not trust us, a module a command."""

from collections.abc import Mapping
from typing import ClassVar

import click

from archiver.cli._group import LazyGroup, examples


class _Group(LazyGroup):
    package = "archiver.cli.evidence"
    modules: ClassVar[Mapping[str, tuple[str, str]]] = {
        "export": ("export", "Make an evidence pack of what a search finds."),
        "verify": ("verify", "Check all of a pack; needs no vault and no key."),
        "list": ("list_", "List the exhibits that were ever produced."),
    }


@click.group(
    "evidence",
    cls=_Group,
    epilog=examples(
        "archiver evidence export 'dog bite* since:2026-01' --case CO/17/26 --exhibit ABC"
        " --produced-by 'YOUR NAME' -o pack",
        "archiver evidence verify pack",
        "archiver evidence list",
    ),
)
def command() -> None:
    """Evidence packs: records with all that proves where they come from.

    A pack is a folder (a BagIt bag), a ZIP file or an encrypted file. Whoever gets it checks it with public
    programs; VERIFY.md in it says how."""
