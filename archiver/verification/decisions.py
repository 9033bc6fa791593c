"""The custody register opened, and certificates of disposal held against it: what only a keyholder sees."""

from collections.abc import Iterable, Iterator, Sequence

from archiver.custody.reading import load_custody_of_all, noted_in
from archiver.custody.register import Custody
from archiver.disposal import certificate_name
from archiver.errors import ArchiverError, IntegrityError
from archiver.keys import Identity
from archiver.vault import Archive, Vault


def register_problems(vaults: Sequence[Vault], identities: Sequence[Identity]) -> Iterator[ArchiverError]:
    """What is wrong with the register in the stores of one vault, and with certificates of archives that
    nobody has decided to dispose of by it."""
    if not vaults:
        return
    archives: dict[str, Archive] = {}
    for one in (each for vault in vaults for each in vault.list_archives().archives):
        if one.disposed is not None or one.name not in archives:
            archives[one.name] = one
    noted = noted_in((one.name, dict(one.manifest.logs)) for one in archives.values())
    stores = [vault.store for vault in vaults]
    try:
        custody = load_custody_of_all(stores, identities, vault=vaults[0].id, noted=noted)
    except ArchiverError as error:
        yield error
        return
    yield from _undecided(archives.values(), custody)


def _undecided(archives: Iterable[Archive], custody: Custody) -> Iterator[ArchiverError]:
    known = {one.id: one for one in custody.of_kind("dispose", "erase")}
    for archive in archives:
        disposal = archive.disposed
        if disposal is None:
            continue
        entry = known.get(disposal.decision)
        if entry is None or entry.by != disposal.keyholder or archive.name not in entry.scope.archives:
            yield IntegrityError(
                f"{certificate_name(archive.name)} names a decision that the custody register has not",
                "nobody decided it: find out who put the certificate there, and who could destroy the key",
            )
