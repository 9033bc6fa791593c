"""A collector's folder that has taken and sealed the short sample, made once for a module of tests."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from archiver.claims.claim import Claim
from archiver.claims.holder import load_claims
from archiver.inbox.exports import import_exports
from archiver.keys import Identity, load_identities
from archiver.seal import seal
from archiver.settings import Settings, load_settings
from archiver.spool import Spool
from archiver.state import State
from archiver.vault import Archive, Vault
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from archiver.wiring.spool import load_identity
from archiver.wiring.stores import open_vault
from tests.faults.folders import make_folder, sample

NOW_MS = 1_793_000_000_000
"""In October 2026."""


@dataclass(frozen=True)
class Home:
    """`archiver --config` takes its folder."""

    folder: Path

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder / "archiver.toml")

    @property
    def vault(self) -> Vault:
        return open_vault(self.settings)

    @property
    def archives(self) -> list[Archive]:
        return list(self.vault.list_archives().require_sound())

    @property
    def claim(self) -> Claim:
        """By which the vault is kept, where it is."""
        vault = self.vault
        return load_claims(vault.store, vault.id, vault.allowed_signers())[-1].claim

    @property
    def identities(self) -> list[Identity]:
        keyholder = self.settings.keyholder
        assert keyholder is not None
        return load_identities(keyholder, {}, input)

    def take(self, *exports: Path, now_ms: int = NOW_MS) -> None:
        """Import exports and seal them."""
        with open_collector(self.settings) as collector:
            for result in import_exports(collector, exports, may_add_account=True, clock=lambda: now_ms):
                assert result.error is None, result
            seal(collector.spool, collector.state, self.vault, seal_options(self.settings), lambda: now_ms)

    def damage(self, number: int = 0) -> str:
        """Alter bytes throughout the segment of an archive, the first unless another is named; its name."""
        archive = self.archives[number]
        path = self.folder / "vault" / archive.path(archive.manifest.segments[0])
        data = bytearray(path.read_bytes())
        for place in range(1_000, len(data), 2_000):
            data[place] ^= 1
        path.write_bytes(data)
        return archive.name

    def replace(self, name: str, data: bytes | None) -> None:
        """Put other bytes in a file of the vault, or take it away."""
        path = self.folder / "vault" / name
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)

    def open_state(self) -> "closing[State]":
        return closing(State(self.settings.state))

    def open_spool(self) -> "closing[Spool]":
        settings = self.settings
        return closing(Spool(settings.spool, load_identity(settings.spool_identity)))


def make_home(folder: Path) -> Home:
    """A new one that has sealed the short sample; it lies beside it as `sample.zip`."""
    home = Home(make_folder(folder / "home"))
    home.take(sample(folder / "sample.zip"))
    return home
