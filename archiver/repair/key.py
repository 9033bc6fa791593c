"""Which of the stores' copies of an archive's `key.age` are right.

A key is in no manifest: it is rewritten when keyholders change. With a keyholder's identity, a right one
opens to the recipient that the manifest names. Without one, all that can be asked is whether it is an age
file, and whether the stores agree. A store may keep what lay there before somebody put something over it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from archiver.errors import ArchiverError
from archiver.formats import age
from archiver.keyholders import Recipient
from archiver.keys import MAXIMUM_KEY_BYTES, Identity, archive_key_name, is_age_file, seal_archive_key
from archiver.repair.reference import Reference
from archiver.stores.base import outcome
from archiver.stores.named import OpenedStore

_BRING_IDENTITY = (
    "an older version of it is an age file: run this where a keyholder's identity is, which tells whether"
    " it is the right one"
)


@dataclass(frozen=True)
class KeyJudgement:
    """The key's name in a store; what it may hold, in the order of the stores, nothing where none can be
    told to be right; why the stores' copies are in doubt, where they are, and what to do then. `data`: the
    right bytes, where only an older version of some store's holds the archive's identity."""

    name: str
    right: tuple[bytes, ...]
    doubt: str = ""
    hint: str | None = None
    data: bytes | None = None


def judge_keys(
    stores: Sequence[OpenedStore],
    reference: Reference,
    identities: Sequence[Identity],
    recipients: Sequence[Recipient],
) -> KeyJudgement:
    """Look at every store's copy. `recipients`: of the keyholders there are now."""
    name = archive_key_name(reference.archive.name)
    copies: list[bytes] = []
    older: list[bytes] = []
    for one in stores:
        found = outcome(partial(one.store.read_versions, name, MAXIMUM_KEY_BYTES))
        if isinstance(found, ArchiverError):
            continue
        copies += [data for data in found[:1] if data not in copies]
        older += found[1:]
    return _judge(name, copies, older, identities, recipients, reference.archive.manifest.recipient)


def _judge(
    name: str,
    copies: Sequence[bytes],
    older: Sequence[bytes],
    identities: Sequence[Identity],
    recipients: Sequence[Recipient],
    recipient: str,
) -> KeyJudgement:
    opened = [data for data in copies if _open(data, identities, recipient)]
    if opened:
        return KeyJudgement(name, tuple(opened))
    whole = [data for data in copies if is_age_file(data)]
    before = next(((data, own) for data in older if (own := _open(data, identities, recipient))), None)
    is_keyholder = any(one.recipient() in recipients for one in identities)
    # A sound one may be for others than whom these identities belong to, who may have been removed.
    if before is not None and (is_keyholder or not whole):
        data, own = before
        data = seal_archive_key(own, recipients) if is_keyholder else data
        return KeyJudgement(name, (data,), data=data)
    if len(whole) > 1:
        return KeyJudgement(name, (), "differs between stores, and no identity here tells which is right")
    if not whole and any(is_age_file(data) for data in older):
        return KeyJudgement(name, (), "is not an age file", _BRING_IDENTITY)
    return KeyJudgement(name, tuple(whole))


def _open(data: bytes, identities: Sequence[Identity], recipient: str) -> Identity | None:
    """The archive's own identity, where one of these opens it."""
    if not identities:
        return None
    try:
        found = age.parse_identities(age.decrypt(identities, data).decode("ascii"))
    except (age.AgeError, UnicodeDecodeError):
        return None
    return found[0] if [one.recipient().encode() for one in found] == [recipient] else None
