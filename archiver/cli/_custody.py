"""The custody register for commands: opened with the keyholder's identity, read from every store at hand."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from archiver.cli._search_opening import open_catalogue
from archiver.cli._session import Session, one_line
from archiver.custody.register import Custody
from archiver.custody.writing import CustodyWriter
from archiver.errors import ArchiverError, StoreError, UsageError
from archiver.evidence.register import Listed, list_exhibits
from archiver.search.language import parse_query
from archiver.search.run import Searcher
from archiver.stores.named import OpenedStore
from archiver.times import system_clock
from archiver.vault import Archive, ArchiveList, Vault
from archiver.wiring.custody import load_custody_everywhere, open_custody_writer
from archiver.wiring.spool import open_entries, open_spool_segments


@dataclass(frozen=True)
class Opened:
    """The vault as a keyholder decides about it."""

    vault: Vault
    listed: ArchiveList


def open_to_decide(session: Session, store: str | None = None) -> Opened:
    """The identities, the vault, its archives. Raise as these do, and the first problem of the chain: nothing
    is decided about a vault that is not whole."""
    session.identities()
    vault = session.open_vault(store)
    listed = session.list_archives(vault)
    listed.require_sound()
    return Opened(vault, listed)


def load_register(session: Session, opened: Opened, *, to_dispose: bool = False) -> Custody:
    """What all stores at hand have of the register. Of those away a line says that more may be in them; raise
    StoreError for a required one where something is to be disposed of: a hold may be in it."""
    assert session.opened is not None  # noqa: S101 - `open_to_decide` did
    custody, away = load_custody_everywhere(
        session.settings, session.identities(), session.opened, opened.listed.archives
    )
    for one in away:
        if to_dispose and one.required:
            raise StoreError(
                f"store {one.name} is away, and a hold may be in it: {_why(one)}", "try again when it is back"
            )
        session.note(one_line(f"store {one.name} is away; decisions may be in it: {_why(one)}"))
    return custody


def _why(one: OpenedStore) -> str:
    return one.error.message if one.error is not None else ""


def open_writer(session: Session) -> CustodyWriter:
    """What the keyholder decides with; inside an act of the session, which has opened the vault."""
    assert session.opened is not None  # noqa: S101 - the act did
    return open_custody_writer(
        session.settings, session.environ, session.identities(), session.opened,
        lambda: session.last_archive, system_clock,
    )  # fmt: skip


def find_archive(listed: ArchiveList, name: str) -> Archive:
    """Raise UsageError where there is none of this name."""
    for one in listed.archives:
        if one.name == name:
            return one
    raise UsageError(f"there is no archive {name[:80]}", "see which there are: archiver status")


def load_exhibits(session: Session, opened: Opened) -> Sequence[Listed]:
    """The register of exhibits."""
    return list_exhibits(opened.vault.store, session.identities(), opened.vault.id)


class Finder:
    """In which archives a query finds anything; each query asked once."""

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher
        self._known: dict[str, set[str]] = {}

    def __call__(self, query: str) -> set[str]:
        """An archive that could not be searched counts as one in which it is found."""
        if query not in self._known:
            found = self.searcher.archives_with(parse_query(query))
            self._known[query] = found | {one.archive for one in self.searcher.unsearched}
        return self._known[query]

    @property
    def unsearched(self) -> list[tuple[str, ArchiverError]]:
        return [(one.archive, one.error) for one in self.searcher.unsearched]


@contextmanager
def open_finder(session: Session, opened: Opened, *, with_spool: bool = False) -> Iterator[Finder]:
    """Every archive that can be read, to be searched, and what this host has not sealed yet, as `SPOOL`: the
    moderation register always, all else where asked for. Inside an act of the session."""
    identities = session.identities()
    spooled = open_entries(session.settings)
    spool = open_spool_segments(session.settings) if with_spool else []
    catalogue = open_catalogue(session, opened.vault, opened.listed, identities)
    with closing(catalogue):
        searcher = Searcher(
            opened.vault, opened.listed.archives, identities, catalogue=catalogue,
            language=session.settings.language, spooled=spooled, spool=spool,
        )  # fmt: skip
        with closing(searcher):
            yield Finder(searcher)
