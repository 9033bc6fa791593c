"""Settings to the custody register: read from every store at hand, written by the keyholder they name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from archiver.audit.keyholder import KeyholderLog, LogSetting
from archiver.audit.names import custody_chain
from archiver.audit.remembered import load_heads
from archiver.audit.verify import Noted
from archiver.audit.writing import ChainWriter
from archiver.chain import Head
from archiver.custody.key import require_register_key
from archiver.custody.reading import load_custody_of_all, noted_in
from archiver.custody.register import Custody
from archiver.custody.writing import CustodyWriter
from archiver.errors import NoKeyError
from archiver.keyholders import Keyholders
from archiver.keys import Identity, load_keyholder_signing_key
from archiver.settings import Settings
from archiver.stores.base import outcome
from archiver.stores.checks import find_vault_id
from archiver.stores.named import OpenedStore, open_all
from archiver.times import Clock
from archiver.vault import Archive
from archiver.wiring.log import actor_of, log_stores, other_chains
from archiver.wiring.stores import OpenedVault, named_stores


def vault_stores(settings: Settings, vault: str) -> list[OpenedStore]:
    """Every store of the settings, opened: those that hold this vault, and those that are away. One that
    holds none yet, or another, is left out: it has nothing of this register."""
    opened = open_all(named_stores(settings))
    return [
        one for one in opened if one.error is not None or outcome(partial(find_vault_id, one.store)) == vault
    ]


def noted_ends(settings: Settings, vault: str, archives: Iterable[Archive]) -> list[Noted]:
    """Ends of the register's chains as the manifests and this host know them."""
    noted = noted_in((one.name, dict(one.manifest.logs)) for one in archives)
    if settings.keyholder is not None:
        path = settings.keyholder.custody_head
        remembered = load_heads(path).get(vault)
        if remembered is not None:
            noted.append(Noted(remembered.chain, remembered.head, str(path)))
    return noted


def load_custody_everywhere(
    settings: Settings, identities: Sequence[Identity], opened: OpenedVault, archives: Iterable[Archive]
) -> tuple[Custody, list[OpenedStore]]:
    """What all stores at hand have of the register, taken together; and the stores that are away, in which
    more may be. For decisions that cannot be taken back: a hold counts in whichever store it is. Raise as
    `load_custody_of_all`."""
    stores = vault_stores(settings, opened.vault.id)
    custody = load_custody_of_all(
        [one.store for one in stores if one.error is None],
        identities,
        vault=opened.vault.id,
        noted=noted_ends(settings, opened.vault.id, archives),
    )
    return custody, [one for one in stores if one.error is not None]


def open_custody_writer(
    settings: Settings,
    environ: Mapping[str, str],
    identities: Sequence[Identity],
    opened: OpenedVault,
    archives: Callable[[], Head | None],
    clock: Clock,
) -> CustodyWriter:
    """What the keyholder whom the settings name decides with. The register is begun where there is none.

    To be opened inside an act of the keyholder's log (`Session.act`), which makes the signing key where there
    is none. Raise NoKeyError where the settings name nobody, or a key does not open; as
    `require_register_key`."""
    keyholder = settings.keyholder
    if keyholder is None:
        raise NoKeyError(f"{settings.path} names no keyholder, so nobody can decide here")
    recipients = Keyholders.load(settings.recipients).recipients()
    key = require_register_key(vault_stores(settings, opened.vault.id), identities, recipients)
    writer = ChainWriter(
        custody_chain(keyholder.name),
        opened.vault.id,
        load_keyholder_signing_key(keyholder, identities),
        [key.recipient()],
    )
    setting = LogSetting(
        writer,
        log_stores(settings, opened),
        keyholder.custody_head,
        opened=opened.store,
        archives=archives,
        others=other_chains(settings),
    )
    actor = actor_of(settings, environ, keyholder.name)
    return CustodyWriter(KeyholderLog(setting), key, actor, clock)
