"""The stores of the settings as sealing takes them: the first required one, and all others."""

from archiver.errors import ConfigurationError, NoVaultError
from archiver.seal.copies import Others
from archiver.settings import Settings
from archiver.stores.checks import check_store
from archiver.stores.named import NamedStore, open_named, sync_command
from archiver.vault import Vault
from archiver.wiring_stores import named_stores

_ALONE = "mount it; if it is gone, name a copy of the vault as a [[store]], and archiver sync brings it back"


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
