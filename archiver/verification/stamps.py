"""The time stamps beside the manifests: each that is there must be right."""

from collections.abc import Sequence
from dataclasses import dataclass

from archiver.archive.manifest import token_name
from archiver.errors import ArchiverError, IntegrityError, repair_hint
from archiver.settings.timestamps import AuthoritySettings
from archiver.stores.base import Store
from archiver.timestamps import MAXIMUM_TOKEN_BYTES, UnknownAuthorityError, verify_sha256
from archiver.vault import Archive


@dataclass
class StampCounts:
    """Of how many archives the time stamp was found right; was not checked, as no certificate of whoever
    signed it is in the settings; and how many have none. Wrong ones are problems."""

    right: int = 0
    unchecked: int = 0
    lacking: int = 0


def verify_stamps(
    store: Store, archives: Sequence[Archive], authorities: Sequence[AuthoritySettings]
) -> tuple[StampCounts, list[ArchiverError]]:
    """Judge the token of each of these archives, which have one, against its manifest's SHA-256; the counts,
    and every one that is wrong or cannot be read."""
    counts = StampCounts()
    problems: list[ArchiverError] = []
    tokens = store.read_many({token_name(archive.name): MAXIMUM_TOKEN_BYTES for archive in archives})
    for archive in archives:
        name = token_name(archive.name)
        data = tokens[name]
        if isinstance(data, ArchiverError):
            problems.append(data)
            continue
        try:
            verify_sha256(data, bytes.fromhex(archive.head.sha256), authorities)
            counts.right += 1
        except UnknownAuthorityError:
            counts.unchecked += 1
        except IntegrityError as error:
            problems.append(IntegrityError(f"{name}: {error.message}", repair_hint(archive.name)))
    return counts, problems
