"""Settings to what sealing takes: how to seal, the first required store, and all others."""

import os

from archiver.errors import ConfigurationError, NoVaultError
from archiver.formats import age
from archiver.keyholders import Keyholders
from archiver.keys import load_signing_key
from archiver.seal import SealOptions
from archiver.seal.copies import Others
from archiver.settings import Settings
from archiver.stores.checks import check_store
from archiver.stores.named import NamedStore, open_named, sync_command
from archiver.vault import Vault
from archiver.wiring.claims import claimant_of
from archiver.wiring.stores import named_stores

_ALONE = "mount it; if it is gone, name a copy of the vault as a [[store]], and archiver sync brings it back"


def available_cores() -> int:
    """How many processes can work side by side here."""
    return len(os.sched_getaffinity(0))


def seal_options(settings: Settings) -> SealOptions:
    """How to seal: today's keyholders, the collector's signing key, a process for each core."""
    recipients = Keyholders.load(settings.recipients).recipients()
    signing_key = load_signing_key(settings.signing_key)
    return SealOptions(
        recipients=recipients,
        signing_key=signing_key,
        classic=all(isinstance(one, age.X25519Recipient) for one in recipients),
        segment_bytes=settings.segment_bytes,
        language=settings.language,
        configuration=settings.digest,
        workers=min(4, available_cores()),
        authorities=settings.timestamps,
        claimant=claimant_of(settings, signing_key),
    )


def first_name(settings: Settings) -> str:
    """What the settings call the store that is sealed into."""
    return _first(settings).name


def _first(settings: Settings) -> NamedStore:
    """The first required store. Raise ConfigurationError where there is none: such a host only reads."""
    first = next((one for one in named_stores(settings) if one.required), None)
    if first is None:
        raise ConfigurationError(
            f"no store in {settings.path} is required, so that nothing can be sealed here",
            "the spool is emptied once every required store has the archive: required = true",
        )
    return first


def open_first(settings: Settings) -> Vault:
    """The vault in the store that is sealed into. Raise NoVaultError where there is none, or no store: one
    that was emptied is filled from the others, while a new vault would begin another chain."""
    opened = open_named(_first(settings))
    alone = len(settings.stores) == 1
    try:
        return Vault(opened.store)
    except NoVaultError as error:
        if opened.error is not None:
            hint = (
                _ALONE if alone else f"mount it; if it is gone: mkdir it, then: {sync_command(opened.name)}"
            )
        elif alone:
            hint = "mount what belongs there, or bring the vault back from a copy of it"
        else:
            hint = f"bring it back from the other stores first: {sync_command(opened.name)}"
        raise NoVaultError(error.message, hint) from error


def other_stores(settings: Settings) -> Others:
    """All stores but that one, in the settings' order."""
    first = first_name(settings)
    return Others(first, [one for one in named_stores(settings) if one.name != first], check_store)
