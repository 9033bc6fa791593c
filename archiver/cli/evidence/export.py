"""`archiver evidence export`: a pack of what a search finds."""

from pathlib import Path
from typing import Any

import click

from archiver.audit.entry import Asked
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._restricted import require_reason_for, restricted_option
from archiver.cli._search_options import SearchCommand
from archiver.cli.evidence._making import export
from archiver.cli.evidence._options import Options, read_options
from archiver.evidence.forms import FLAT, FORMS

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "export",
    cls=SearchCommand,
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    epilog=examples(
        "archiver evidence export 'dog bite* since:2026-01' --case CO/17/26 --exhibit ABC"
        " --produced-by 'YOUR NAME' -o pack",
        "archiver evidence export --replay complaint-17.json --case CO/17/26 --exhibit ABC"
        " --produced-by 'YOUR NAME' --recipient 'Solicitor' --redact rules.toml -o ABC_2.zip",
        "archiver evidence export 'from:SpringfieldPD since:2026' --format csv,html --case FOI/8/26"
        " --exhibit ABC --produced-by 'YOUR NAME' -o release",
    ),
)
@click.argument("words", nargs=-1, metavar="QUERY…")
@click.option(
    "--ids", type=_FILE, metavar="FILE", help="The records with these ids, one a line; - for stdin."
)
@click.option("--replay", type=_FILE, metavar="RECORD", help="What a recorded search found.")
@click.option("--exact", is_flag=True, help="No other forms of words.")
@click.option("--case", required=True, metavar="REF", help="The case's reference.")
@click.option("--exhibit", required=True, metavar="ABC", help="Initials of who produces it.")
@click.option("--produced-by", required=True, metavar="NAME", help="Who produces it: a named person.")
@click.option("--purpose", metavar="TEXT", help="What it is for.")
@click.option("--recipient", metavar="WHO", help="Who gets it; the log then says that it was disclosed.")
@click.option("--reason", metavar="TEXT", help="Why, for the log.")
@click.option("--redact", type=_FILE, metavar="RULES", help="Take out what these rules name.")
@click.option(
    "--format", "form", metavar="FORMS", help=f"Of {', '.join(FORMS)}; or {FLAT}. All, unless given."
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR|ZIP", help="A new one."
)
@click.option(
    "--encrypt-to", multiple=True, metavar="RECIPIENT", help="One age file, to this key or key file."
)
@click.option("--keep-going", is_flag=True, help="Without what cannot be read or is not held; ends in 3.")
@restricted_option
@store_option
@pass_session
def command(session: Session, /, words: tuple[str, ...], **values: Any) -> int:
    """Make an evidence pack of all records that a query finds, that a file names, or that a recorded search
    found.

    The pack is exhibit ABC/1 (the next number of these initials, never used again), its records are ABC/1/1
    and so on, oldest first. It holds the bytes that the platform sent, a report to be read and printed,
    tables, the chain of custody, manifests, and VERIFY.md, which says how anybody checks it without this
    program. Only what is sealed goes in.

    With --redact, records in which something is taken out lose their original bytes, pictures and captures
    too. --format csv,html is for publication: only what may be published, without members of the public.
    --format flat is one CSV file as the web service gave it that was used before.

    The log is told before anything is opened."""
    options = read_options(words, **values)
    session.require_reason(options.reason)
    require_reason_for(options.restricted, options.reason)
    return export(session, options, _asked(options))


def _asked(options: Options) -> Asked:
    detail: dict[str, object] = {"forms": list(options.forms), "initials": options.initials}
    if options.restricted:
        detail["restricted"] = True
    if options.replay is not None:
        detail["replay"] = options.replay.name
    if options.ids is not None:
        detail["ids_from"] = options.ids.name
    return Asked(
        "export" if options.recipient is None else "disclose",
        "evidence export",
        query=None if options.query is None else options.query.text,
        case=options.case,
        reason=options.reason or options.purpose,
        to=options.recipient,
        detail=detail,
    )
