"""The stores of the settings as sealing takes them, the first required one and all others; and what is there
after it."""

from collections.abc import Sequence

from archiver.chain import Head
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._session import Session
from archiver.cli._verification import report_stores_verification, report_verification
from archiver.errors import ConfigurationError, NoVaultError
from archiver.seal.copies import Others
from archiver.settings import Settings
from archiver.stores.checks import check_store
from archiver.stores.named import NamedStore, open_named, sync_command
from archiver.sync import Filled
from archiver.vault import Vault
from archiver.verification import Depth, verify_vault
from archiver.verification.agreement import verify_stores
from archiver.wiring import named_stores

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


def verify_after_sealing(session: Session, vault: Vault, head: Head | None, copies: Sequence[Filled]) -> int:
    """Check every store that sealing could write to, and say so; what failed of the others was told."""
    progress = step_progress(session)
    stores = named_stores(session.settings)
    authorities = session.settings.timestamps
    if len(stores) == 1:
        result = verify_vault(vault, known_head=head, authorities=authorities, progress=progress)
        clear_progress(session)
        return report_verification(session, result)
    failed = {one.name for one in copies if one.error is not None}
    reached = [one for one in stores if one.name not in failed]
    depth = Depth(authorities=authorities)
    results = verify_stores(reached, known_head=head, depth=depth, progress=progress)
    clear_progress(session)
    return report_stores_verification(session, results)
