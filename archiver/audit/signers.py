"""Who may sign a chain: a list beside it in each store, written before the first entry and never replaced.
A key that comes later is named by a link that a key of before signed."""

from contextlib import suppress

from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.following import Follower, may_sign, parse_signers, unpack_entry
from archiver.audit.names import FOLDER, parse_entry_name, signers_line, signers_name
from archiver.errors import ConfigurationError, IntegrityError
from archiver.formats.ssh_signature import AllowedSigners, SigningKey
from archiver.stores.base import ExistsInStoreError, Store

MAXIMUM_SIGNERS_BYTES = 1 << 20


def require_signer(store: Store, chain: str, key: SigningKey) -> AllowedSigners:
    """Who may sign a chain in a store, this key among them. Where there is no list yet, one with this key is
    put there. Raise ConfigurationError where the chain is another key's: a host made one of its own."""
    name = signers_name(chain)
    listed = store.look(name, MAXIMUM_SIGNERS_BYTES)
    if listed is None:
        with suppress(ExistsInStoreError):
            store.append(name, signers_line(chain, key.public_line()))
        listed = store.look(name, MAXIMUM_SIGNERS_BYTES) or b""
    allowed = parse_signers(listed, chain)
    if not may_sign(allowed, key):
        allowed = with_later_keys(store, chain, allowed)
    if not may_sign(allowed, key):
        raise ConfigurationError(
            f"the signing key here is not the one that signs the log of {chain} in {store.location}",
            "bring the key from the host where the log was begun",
        )
    return allowed


def with_later_keys(store: Store, chain: str, allowed: AllowedSigners) -> AllowedSigners:
    """The list with all keys that the chain's own links name, as far as it is whole. Reads all of it."""
    follower = Follower(chain, allowed)
    for name in store.list(f"{FOLDER}{chain}/"):
        data = store.look(name, MAXIMUM_BYTES) if parse_entry_name(name) else None
        if data is not None:
            try:
                follower.follow(unpack_entry(data, name))
            except IntegrityError:
                break
    return follower.allowed


def require_keyholders_key(store: Store, chain: str, keyholder: str, allowed: AllowedSigners) -> None:
    """Raise IntegrityError unless every key that may sign a chain of the custody register is one that may
    sign the log of the keyholder whose it is."""
    data = store.look(signers_name(keyholder), MAXIMUM_SIGNERS_BYTES)
    if data is None:
        raise IntegrityError(
            f"{signers_name(keyholder)} is missing", "another store may have it: archiver sync"
        )
    log = parse_signers(data, keyholder)
    if _has_all(log, allowed) or _has_all(with_later_keys(store, keyholder, log), allowed):
        return
    raise IntegrityError(
        f"{signers_name(chain)} names a key that does not sign the log of {keyholder}",
        "somebody who can write to the store put it there: see archiver log verify",
    )


def _has_all(keys: AllowedSigners, wanted: AllowedSigners) -> bool:
    known = {one.key_blob for one in keys.entries}
    return all(one.key_blob in known for one in wanted.entries)
