"""`archiver init`: a folder that works at once."""

from pathlib import Path

import click

from archiver.cli._group import Session, ask_new_passphrase, examples, pass_session
from archiver.errors import UsageError
from archiver.initialise import check_can_initialise, initialise
from archiver.secrets import resolve_secret
from archiver.settings import load_settings
from archiver.times import system_clock


@click.command(
    "init",
    epilog=examples(
        "archiver init police-archive --holder records",
        "archiver init police-archive --holder records --passphrase-from command:'pass show archiver'",
    ),
)
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--holder", required=True, metavar="NAME", help="Who will read the archives.")
@click.option("--classic", is_flag=True, help="X25519 keys, for an age program before 1.3.")
@click.option("--no-passphrase", is_flag=True, help="Leave the holder's identity file unencrypted.")
@click.option(
    "--passphrase-from",
    metavar="SECRET",
    help="Where the passphrase comes from, now and later: file:PATH, env:NAME, command:… or credential:NAME.",
)
@pass_session
def command(
    session: Session,
    directory: Path,
    holder: str,
    classic: bool,
    no_passphrase: bool,
    passphrase_from: str | None,
) -> None:
    """Make DIR with settings, keys and an empty vault.

    Keys are post-quantum. The holder's identity is encrypted to a passphrase, asked for twice. Nothing
    that is there is ever overwritten."""
    check_can_initialise(directory, holder)
    passphrase, reference = choose_passphrase(
        session, f"New passphrase of {holder}", no_passphrase, passphrase_from
    )
    settings = initialise(
        directory,
        holder,
        now_ms=system_clock(),
        classic=classic,
        passphrase=passphrase,
        passphrase_reference=reference,
        environ=session.environ,
    )
    _report(session, settings, encrypted=passphrase is not None)


def choose_passphrase(
    session: Session, question: str, no_passphrase: bool, reference: str | None
) -> tuple[str | None, str | None]:
    """The passphrase for a new identity, None for none, and the reference it came by, its file's path
    absolute. Raise UsageError where the options contradict each other or there is no terminal."""
    if no_passphrase and reference is not None:
        raise UsageError("--no-passphrase and --passphrase-from contradict each other", "give one of them")
    if no_passphrase:
        return None, None
    if reference is None:
        return ask_new_passphrase(question), None
    passphrase = resolve_secret(reference, session.environ, Path.cwd())
    scheme, _, rest = reference.partition(":")
    if scheme == "file":
        reference = f"file:{Path(rest).expanduser().absolute()}"
    return passphrase, reference


def _report(session: Session, path: Path, *, encrypted: bool) -> None:
    settings = load_settings(path)
    keyholder = settings.keyholder
    identity = keyholder.identity if keyholder else None
    if session.json:
        session.print_json(
            "vault",
            settings=str(path),
            vault=settings.stores[0].place,
            identity=str(identity),
            recipients=str(settings.recipients),
            encrypted=encrypted,
        )
        return
    protected = "encrypted to its passphrase" if encrypted else "NOT encrypted: keep it from other eyes"
    click.echo(f"{settings.home} is ready.")
    click.echo(f"  settings  {path}")
    click.echo(f"  vault     {settings.stores[0].place}")
    click.echo(f"  identity  {identity} ({protected})")
    click.echo(
        "Keep copies of the identity file and its passphrase elsewhere: nothing else opens the archives. With"
        " them the .signing_key.age beside it, which signs the log of what is read."
    )
    click.echo(
        "While the identity lies here, this host can read the archives. To collect on a host that cannot,"
        " move it to where searches are made and remove [keyholder] from the settings there."
    )
    click.echo(f"Next: archiver --config {settings.home} import --add-account EXPORT.zip")
