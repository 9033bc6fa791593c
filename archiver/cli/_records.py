"""The records that a person names: by an id alone, an address, or platform, kind and id."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

import apsw

from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._session import Session
from archiver.errors import ArchiverError
from archiver.keys import Identity
from archiver.reseal.names import RecordName, item_of, parse_name
from archiver.reseal.survey import Surveyor, find_names
from archiver.search.language.fields import plain_id
from archiver.search.spool_segment import SpoolSegment
from archiver.vault import Archive, Vault
from archiver.wiring.spool import open_entries, open_spool_segments


class NamedRecords:
    """What is held, in archives and in this host's spool, for finding records by their names. To be made
    before the archives are listed: a sealing moves records from the one to the other."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.spool: Sequence[SpoolSegment] = open_spool_segments(session.settings)
        self._entries = open_entries(session.settings)

    def close(self) -> None:
        for one in self.spool:
            one.close()

    def find(
        self, vault: Vault, archives: Sequence[Archive], identities: list[Identity], texts: Iterable[str]
    ) -> dict[str, set[RecordName]]:
        """For each name as typed the records that it means: several where a post and a like of it have one
        id. Raise ArchiverError where one means none that is held."""
        found = self.look(vault, archives, identities, texts)
        for text, names in found.items():
            if not names:
                raise not_held(text)
        return found

    def look(
        self, vault: Vault, archives: Sequence[Archive], identities: list[Identity], texts: Iterable[str]
    ) -> dict[str, set[RecordName]]:
        """As `find`, with no records for a name that means none. Where nobody holds a post or a message, and
        there is a decision about it, as one that was entered by hand, it is meant all the same."""
        wanted = {text: _read(text) for text in texts}
        surveyor = Surveyor(vault, archives, identities, step_progress(self._session))
        ids = {one.id if isinstance(one, RecordName) else one for one in wanted.values()}
        held = surveyor.resolve(ids)
        clear_progress(self._session)
        for own in ids:
            held[own] |= find_names(self._connections(), own)
            held[own] |= {
                RecordName(one.platform, "moderation", one.record_id)
                for one in self._entries
                if one.record_id == own
            }
        items = surveyor.resolve_items([own for own in ids if not held[own]])
        for own, names in items.items():
            held[own] = names | {name for one in self._entries if (name := item_of(one)) and name.id == own}
        return {
            text: held[one.id] & {one} if isinstance(one, RecordName) else held[one]
            for text, one in wanted.items()
        }

    def _connections(self) -> Iterator[apsw.Connection]:
        return (one.connection for one in self.spool)


def not_held(text: str) -> ArchiverError:
    return ArchiverError(f"no record {text} is held here", "search for its words: archiver search WORDS")


def _read(text: str) -> RecordName | str:
    named = parse_name(text)
    return plain_id(named) if isinstance(named, str) else named


def open_named_records(session: Session) -> "closing[NamedRecords]":
    """To be used in a `with`."""
    return closing(NamedRecords(session))
