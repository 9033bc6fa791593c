"""The register's own key: an identity in `audit/_custody/key.age`, encrypted to every keyholder, the same in
every store. Made once, with the first decision; rewritten when keyholders change (`archiver.rewrap`)."""

from collections.abc import Sequence
from contextlib import suppress

from archiver.audit.names import CUSTODY, CUSTODY_KEY, FOLDER
from archiver.errors import IntegrityError, NoKeyError, StoreError
from archiver.formats import age
from archiver.keyholders import Recipient
from archiver.keys import MAXIMUM_KEY_BYTES, Identity, new_identity, seal_archive_key
from archiver.stores.base import ExistsInStoreError, NotInStoreError, SmallFiles, Store
from archiver.stores.named import OpenedStore

_SYNC_HINT = "another store may have it: archiver sync"


def open_register_key(files: SmallFiles, identities: Sequence[Identity]) -> Identity:
    """The register's identity. Raise NoKeyError where none of these opens it, IntegrityError where it is
    missing or is none."""
    try:
        return parse_register_key(files.read(CUSTODY_KEY, MAXIMUM_KEY_BYTES), identities)
    except NotInStoreError as error:
        raise IntegrityError(error.message, _SYNC_HINT) from error


def parse_register_key(data: bytes, identities: Sequence[Identity]) -> Identity:
    """The identity in the bytes of the register's key file. Raise as `open_register_key`."""
    try:
        found = age.parse_identities(age.decrypt(identities, data).decode("ascii"))
    except age.NoMatchError as error:
        raise NoKeyError(
            f"{CUSTODY_KEY}: none of these identities opens it",
            "use the identity of another keyholder, who lets you in: archiver keys rewrap",
        ) from error
    except (age.AgeError, UnicodeDecodeError) as error:
        reason = error if isinstance(error, age.AgeError) else "it holds no identity"
        raise IntegrityError(f"{CUSTODY_KEY}: {reason}", _SYNC_HINT) from None
    if len(found) != 1:
        raise IntegrityError(f"{CUSTODY_KEY} holds {len(found)} identities where one is needed", _SYNC_HINT)
    return found[0]


def require_register_key(
    stores: Sequence[OpenedStore], identities: Sequence[Identity], recipients: Sequence[Recipient]
) -> Identity:
    """The register's identity, to write with: put into each store that lacks it; made where no store has one.

    `stores`: all of the settings that hold this vault, and those that are away. Raise IntegrityError where
    two have different ones, or decisions without one; StoreError where one would be made while a required
    store is away, which may have one."""
    at_hand = [one.store for one in stores if one.error is None]
    found = [(store, data) for store in at_hand if (data := store.look(CUSTODY_KEY, MAXIMUM_KEY_BYTES))]
    if found:
        key, data = parse_register_key(found[0][1], identities), found[0][1]
        for store, other in found[1:]:
            if other != data and parse_register_key(other, identities).encode() != key.encode():
                raise IntegrityError(
                    f"{CUSTODY_KEY} in {store.location} is another one than in {found[0][0].location}",
                    "two hosts began the register without seeing each other: find out which one is in use",
                )
    else:
        _require_none_begun(stores)
        key = new_identity(classic=not recipients[0].labels)
        data = seal_archive_key(key, recipients)
    return _put_everywhere(at_hand, key, data, identities)


def _put_everywhere(
    stores: Sequence[Store], key: Identity, data: bytes, identities: Sequence[Identity]
) -> Identity:
    """Another process that was faster in the first store has made the one that counts."""
    for store in stores:
        with suppress(ExistsInStoreError):
            store.put_new(CUSTODY_KEY, data)
            continue
        there = parse_register_key(store.look(CUSTODY_KEY, MAXIMUM_KEY_BYTES) or b"", identities)
        if there.encode() == key.encode():
            continue
        if store is not stores[0]:
            raise IntegrityError(f"{CUSTODY_KEY} in {store.location} is another one than in other stores")
        key, data = there, store.look(CUSTODY_KEY, MAXIMUM_KEY_BYTES) or b""
    return key


def _require_none_begun(stores: Sequence[OpenedStore]) -> None:
    for one in stores:
        if one.error is not None and one.required:
            raise StoreError(
                f"the custody register is begun while store {one.name} is away: {one.error.message}",
                "it may hold one already: try again when it is back",
            )
        if one.error is None and any(one.store.list(f"{FOLDER}{CUSTODY}.")):
            raise IntegrityError(
                f"{one.store.location} holds decisions of the custody register, and {CUSTODY_KEY} is missing",
                _SYNC_HINT,
            )
