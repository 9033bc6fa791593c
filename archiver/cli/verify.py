"""`archiver verify`: is everything still there, and as it was sealed?"""

import re

import click

from archiver.chain import Head
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._report import clear_progress, report_verification, step_progress
from archiver.errors import UsageError
from archiver.verification import verify_vault
from archiver.wiring import open_vault, remembered_head


@click.command(
    "verify",
    epilog=examples(
        "archiver --config police-archive verify",
        "archiver --config police-archive verify --contents 2026-11-01",
    ),
)
@click.argument("archives", nargs=-1, metavar="[ARCHIVE…]")
@click.option("--contents", is_flag=True, help="Decrypt and check every byte inside too; needs an identity.")
@click.option(
    "--head", metavar="NUMBER:SHA256", help="The chain's head from a notice: it must be in the chain."
)
@pass_session
def command(session: Session, archives: tuple[str, ...], contents: bool, head: str | None) -> int:
    """Check every archive, or those named: signatures, the chain of manifests and its end, sizes, SHA-256.

    Needs no private key. A missing, altered or reordered archive shows; one cut off at the end shows
    against the head that the collector remembers, or that --head gives."""
    settings = session.settings
    identities = session.identities() if contents else None
    vault = open_vault(settings)
    known, unfinished = remembered_head(settings)
    if head is not None:
        known = parse_head(head)
    result = verify_vault(
        vault,
        known_head=known,
        only=archives,
        identities=identities,
        unfinished=unfinished,
        progress=step_progress(session),
    )
    clear_progress(session)
    return report_verification(session, result)


def parse_head(text: str) -> Head:
    """`12:` and 64 hexadecimal digits; raise UsageError for anything else."""
    number, _, sha256 = text.partition(":")
    if not (number.isascii() and number.isdigit() and re.fullmatch(r"[0-9a-fA-F]{64}", sha256)):
        raise UsageError(f"{text[:80]!r} is no chain head", "as a notice gives it: NUMBER:SHA256")
    return Head(int(number), sha256.lower())
