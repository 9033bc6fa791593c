"""Time stamps for manifests: fetched as an archive is sealed, or later where no authority answered then.

A token is the one file that is ever added to an archive that exists. Nothing is replaced by it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from archiver.archive.manifest import token_name
from archiver.errors import ArchiverError, IncompleteError
from archiver.settings.timestamps import AuthoritySettings
from archiver.stores.base import ExistsInStoreError, Store
from archiver.sync.holding import Holding, Sealed
from archiver.timestamps import NoStampError, Stamped, fetch_token


def put_token(store: Store, archive: str, token: bytes) -> bool:
    """Put a token beside a manifest; False where another run put one meanwhile, which counts."""
    try:
        store.put_new(token_name(archive), token, sha256=hashlib.sha256(token).hexdigest())
    except ExistsInStoreError:
        return False
    return True


@dataclass
class Stamping:
    """What became of time stamps in one run: which archives were given one, which have none still, and what
    failed. Where no authority is set nothing is in it."""

    brought: dict[str, Stamped] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    problems: list[ArchiverError] = field(default_factory=list)


class Stamper:
    """Asks the authorities of the settings. Once none of them answered, none is asked again in this run: each
    further archive would wait for all of them."""

    def __init__(self, authorities: Sequence[AuthoritySettings] = ()) -> None:
        self.authorities = authorities
        self.result = Stamping()
        self._gave_up = False

    def fetch(self, archive: str, manifest: bytes) -> bytes | None:
        """A token over a manifest. None where no authority is set or none answered, which is noted."""
        if not self.authorities:
            return None
        if self._gave_up:
            self.result.lacking.append(archive)
            return None
        try:
            stamped = fetch_token(self.authorities, manifest)
        except NoStampError as error:
            self._gave_up = True
            self._lacks(archive, error)
            return None
        self.result.brought[archive] = stamped
        return stamped.token

    def bring(self, archive: str, manifest: bytes, store: Store) -> bool:
        """Fetch a token and put it beside the manifest of an archive that exists; whether one is there."""
        token = self.fetch(archive, manifest)
        if token is None:
            return False
        try:
            if not put_token(store, archive, token):
                del self.result.brought[archive]
        except ArchiverError as error:
            del self.result.brought[archive]
            self._lacks(archive, error)
            return False
        return True

    def lacks(self, archive: str) -> None:
        """An archive has no token, and there is no store to put one into."""
        if self.authorities:
            self.result.lacking.append(archive)

    def _lacks(self, archive: str, error: ArchiverError) -> None:
        self.result.lacking.append(archive)
        self.result.problems.append(IncompleteError(f"archive {archive}: {error.message}", error.hint))


def bring_tokens(
    stamper: Stamper, chain: Sequence[Sealed], holdings: Sequence[Holding], targets: Sequence[Holding]
) -> None:
    """A token for each archive of which no store has one, into the first of the targets that has the archive;
    filling takes it to the others."""
    if not stamper.authorities:
        return
    for sealed in chain:
        name = token_name(sealed.archive)
        if any(name in one.names for one in holdings if one.usable):
            continue
        target = next((one for one in targets if one.usable and sealed.archive in one.sealed), None)
        if target is None:
            stamper.lacks(sealed.archive)
        elif stamper.bring(sealed.archive, sealed.data, target.store):
            target.names.add(name)
