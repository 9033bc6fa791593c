"""Keys: what signs, what opens, and who the keyholders are."""

from collections.abc import Iterator, Mapping
from functools import partial

from archiver.archive.manifest import NAMESPACE
from archiver.errors import ArchiverError, NoKeyError
from archiver.formats.age.errors import AgeError
from archiver.formats.age.header import parse_header
from archiver.formats.errors import FormatError
from archiver.formats.ssh_signature import public_key_fingerprint, verify
from archiver.health.checks.vaults import near_vault
from archiver.health.checkup import Check, Finding, Subject, failed, ok, warning
from archiver.keyholders import Keyholders
from archiver.keys import (
    MAXIMUM_KEY_BYTES,
    Identity,
    archive_key_name,
    load_identities,
    load_identity,
    load_signing_key,
    open_archive_key,
)
from archiver.settings import KeyholderSettings, Settings
from archiver.spool.counting import SPOOL_FILE
from archiver.spool.reading import SpoolReader
from archiver.stores.base import outcome
from archiver.vault import Vault

ENOUGH_KEYHOLDERS = 2
"""With one alone its loss is the loss of everything."""
_SHOWN = 3


def checks(subject: Subject) -> list[Check]:
    """Each key by itself, then whether keyholders and archives fit."""
    settings = subject.settings
    found = [Check("keyholders", lambda: _keyholders(settings))]
    if settings.signing_key.exists():
        found.append(Check("signing key", lambda: _signing_key(settings)))
    if settings.spool_identity.exists():
        found.append(Check("spool's identity", lambda: _spool_identity(settings)))
    keyholder = settings.keyholder
    if keyholder is not None:
        found.append(Check("identity", lambda: _identity(settings, keyholder, subject.environ)))
    found.append(Check("archives' keys", lambda: _archive_keys(settings, subject.environ)))
    return found


def _keyholders(settings: Settings) -> Iterator[Finding]:
    names = [one.name for one in Keyholders.load(settings.recipients).entries]
    if len(names) < ENOUGH_KEYHOLDERS:
        yield warning(
            "keyholders",
            f"{names[0]} is the only one: if that key is lost, nobody can read the vault again",
            "add another: archiver keys new NAME, then archiver keys add NAME RECIPIENT",
        )
    else:
        yield ok("keyholders", f"{len(names)}: {', '.join(names)}")


def _signing_key(settings: Settings) -> Iterator[Finding]:
    what = "signing key"
    key = load_signing_key(settings.signing_key)
    fingerprint = public_key_fingerprint(key.public_line())
    vault = near_vault(settings)
    if vault is None:
        yield ok(what, f"{fingerprint}; no store at hand says whether it counts")
        return
    try:
        verify(key.sign(b"", NAMESPACE), b"", NAMESPACE, vault.allowed_signers())
    except FormatError as error:
        yield failed(
            what,
            f"what {settings.signing_key} signs does not count in {vault.store.location}: {error}",
            f"its line is missing from allowed_signers: {fingerprint}",
        )
        return
    yield ok(what, f"{fingerprint} is among the allowed signers")


def _spool_identity(settings: Settings) -> Iterator[Finding]:
    """And whether what waits was captured for it."""
    identity = load_identity(settings.spool_identity)
    if not (settings.spool / SPOOL_FILE).exists():
        yield ok("spool's identity", "opens; nothing was captured yet")
        return
    try:
        SpoolReader(settings.spool, identity).close()
    except ArchiverError:  # another run may have written meanwhile: its log is read too
        SpoolReader(settings.spool, identity, at_rest=False).close()
    yield ok("spool's identity", "opens, and what waits was captured for it")


# Keyholders


def _unattended(keyholder: KeyholderSettings, environ: Mapping[str, str]) -> list[Identity] | None:
    """The keyholder's identities; None where a person is asked for the passphrase."""

    def nobody(question: str) -> str:
        raise _AskedError(question)

    try:
        return load_identities(keyholder, environ, nobody)
    except _AskedError:
        return None


class _AskedError(Exception):
    """A person would be asked, and none is."""


def _identity(
    settings: Settings, keyholder: KeyholderSettings, environ: Mapping[str, str]
) -> Iterator[Finding]:
    what = f"identity of {keyholder.name}"
    identities = _unattended(keyholder, environ)
    if identities is None:
        yield ok(what, f"{keyholder.identity} asks for a passphrase, so it was not opened")
        return
    known = Keyholders.load(settings.recipients).recipients()
    if not any(one.recipient() in known for one in identities):
        yield failed(
            what,
            f"{keyholder.identity} is no keyholder's of {settings.recipients}",
            "what is sealed from now on would not open with it: archiver keys add NAME RECIPIENT",
        )
        return
    yield ok(what, f"{keyholder.identity} opens")


def _archive_keys(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether each archive's key is encrypted to as many as there are keyholders; and to the keyholder here,
    where that can be tried."""
    what = "archives' keys"
    vault = near_vault(settings)
    if vault is None:
        yield ok(what, "no store at hand has any")
        return
    recipients = len(Keyholders.load(settings.recipients).entries)
    keyholder = settings.keyholder
    identities = None if keyholder is None else _opened(keyholder, environ)
    # Of one that was disposed of the key is gone on purpose, and a certificate says so.
    names = [one.name for one in vault.list_archives().readable]
    other: list[str] = []
    wrong: list[ArchiverError] = []
    for name in names:
        found = outcome(partial(_stanzas, vault, name, identities))
        if isinstance(found, NoKeyError):
            other.append(name)
        elif isinstance(found, ArchiverError):
            wrong.append(found)
        elif found != recipients:
            other.append(name)
    if wrong:
        more = f", and {len(wrong) - 1:,} more" if wrong[1:] else ""
        yield failed(what, f"{wrong[0].message}{more}", wrong[0].hint)
    if other:
        some = ", ".join(other[:_SHOWN]) + (f" and {len(other) - _SHOWN:,} more" if other[_SHOWN:] else "")
        yield warning(
            what, f"not encrypted to the keyholders of today: {some}", "archiver keys rewrap, as a keyholder"
        )
    if not names:
        yield ok(what, "there are none yet")
    elif not other and not wrong:
        yield ok(what, f"{len(names):,}, each encrypted to as many keyholders as are listed: {recipients}")


def _opened(keyholder: KeyholderSettings, environ: Mapping[str, str]) -> list[Identity] | None:
    """None where they do not open, which their own check tells."""
    found = outcome(partial(_unattended, keyholder, environ))
    return None if isinstance(found, ArchiverError) else found


def _stanzas(vault: Vault, archive: str, identities: list[Identity] | None) -> int:
    """To how many an archive's key is encrypted. Raise NoKeyError where none of the identities opens it."""
    if identities is not None:
        open_archive_key(vault, archive, identities)
    try:
        return len(parse_header(vault.read(archive_key_name(archive), MAXIMUM_KEY_BYTES)).stanzas)
    except AgeError as error:
        raise ArchiverError(f"{archive_key_name(archive)}: {error}", f"archiver repair {archive}") from error
