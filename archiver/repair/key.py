"""Which of the stores' copies of an archive's `key.age` are right.

A key is in no manifest: it is rewritten when keyholders change. With a keyholder's identity, a right one
opens to the recipient that the manifest names. Without one, all that can be asked is whether it is an age
file, and whether the stores agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archiver.formats import age
from archiver.keys import MAXIMUM_KEY_BYTES, Identity, archive_key_name, is_age_file
from archiver.repair.reference import OpenStore, Reference


@dataclass(frozen=True)
class KeyJudgement:
    """The key's name in a store; what it may hold, in the order of the stores, nothing where none can be
    told to be right; and why the stores' copies are in doubt, where they are."""

    name: str
    right: tuple[bytes, ...]
    doubt: str = ""


def judge_keys(
    stores: Sequence[OpenStore], reference: Reference, identities: Sequence[Identity]
) -> KeyJudgement:
    """Look at every store's copy."""
    name = archive_key_name(reference.archive.name)
    copies: list[bytes] = []
    for one in stores:
        data = one.store.read_many({name: MAXIMUM_KEY_BYTES})[name]
        if isinstance(data, bytes) and data not in copies:
            copies.append(data)
    opened = _opened(copies, identities, reference.archive.manifest.recipient)
    if opened:
        return KeyJudgement(name, tuple(opened))
    whole = [data for data in copies if is_age_file(data)]
    if len(whole) > 1:
        return KeyJudgement(name, (), "differs between stores, and no identity here tells which is right")
    return KeyJudgement(name, tuple(whole))


def _opened(copies: Sequence[bytes], identities: Sequence[Identity], recipient: str) -> list[bytes]:
    """Those that one of the identities opens to the archive's own identity."""
    return [data for data in copies if identities and _opens(data, identities, recipient)]


def _opens(data: bytes, identities: Sequence[Identity], recipient: str) -> bool:
    try:
        found = age.parse_identities(age.decrypt(identities, data).decode("ascii"))
    except (age.AgeError, UnicodeDecodeError):
        return False
    return [one.recipient().encode() for one in found] == [recipient]
