"""`archiver erase`: one record out of everything that holds it."""

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli.erase._asking import Request, read_request
from archiver.cli.erase._doing import erase


@click.command(
    "erase",
    epilog=examples(
        "archiver erase 1588091220244369409 --reason 'Article 17 request' --reviewer 'YOUR NAME'",
        "archiver erase x:message:1588091220244369501 --everywhere --with-moderation --reason 'court order'"
        " --reviewer 'YOUR NAME' --yes",
    ),
)
@click.argument("records", nargs=-1, required=True, metavar="ID…")
@click.option("--reason", metavar="TEXT", required=True, help="Why; never what was in it.")
@click.option("--reviewer", metavar="NAME", required=True, help="Who decided it: a named person.")
@click.option("--case", metavar="REF", help="The case that it is done for.")
@click.option("--everywhere", is_flag=True, help="Also out of what quotes, repeats or names it.")
@click.option(
    "--with-moderation", is_flag=True, help="Moderation records about it lose text and author; codes stay."
)
@click.option("--not-in-evidence", is_flag=True, help="None of the packs taken from its archive has it.")
@click.option("--yes", is_flag=True, help="Do not ask once more.")
@pass_session
def command(session: Session, /, records: tuple[str, ...], **values: object) -> int:
    """Erase records for good. Each archive that holds one is sealed anew without it: the rows of all its
    versions, its verbatim bytes, its pictures unless another record shows them, its words in the index.
    Everything else is as it was. The new archive is searched byte by byte; then the old one is disposed of,
    its key destroyed in every store. A tombstone says that a record was erased, when and by which decision;
    it holds nothing of it. No later export or collect brings the record back.

    Refused under a hold, with an appeal that is open, where evidence was taken from the archive, and below
    the minimum: restrict it instead. Needs a keyholder's identity and the host that collects. What was cut
    off is finished by the same command. Exit 3 while a store still has the old archive's key."""
    request: Request = read_request(records, values)
    return erase(session, request)
