"""Where a host's own chain begins that has no queue yet."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from archiver.audit.ends import find_last
from archiver.audit.following import may_sign, parse_signers
from archiver.audit.names import COLLECTOR, signers_name
from archiver.audit.signers import MAXIMUM_SIGNERS_BYTES
from archiver.chain import Head
from archiver.errors import ArchiverError
from archiver.formats.ssh_signature import SigningKey
from archiver.stores.base import Store
from archiver.stores.checks import find_vault_id


@dataclass(frozen=True)
class Start:
    """Where a host begins that has no queue yet: the vault, the chain it writes, and what is there of it."""

    vault: str | None
    chain: str
    head: Head | None = None


def find_start(stores: Iterable[Callable[[], Store]], key: SigningKey) -> Start:
    """Where a host begins that has no queue yet, as the first store says that holds a vault: a chain of its
    own; or the one that this key signed before the spool was lost. Where no store can be asked, or another
    key's chain is there, one with a name that nobody else takes."""
    other = f"{COLLECTOR}.{secrets.token_hex(4)}"
    for open_store in stores:
        try:
            store = open_store()
            vault = find_vault_id(store)
            listed = store.look(signers_name(COLLECTOR), MAXIMUM_SIGNERS_BYTES)
            if vault is None:
                continue
            if listed is None:
                return Start(vault, COLLECTOR)
            if not may_sign(parse_signers(listed, COLLECTOR), key):
                return Start(vault, other)
            last = find_last(store, COLLECTOR)
            return Start(vault, COLLECTOR, None if last is None else last.head)
        except ArchiverError:
            continue
    return Start(None, other)
