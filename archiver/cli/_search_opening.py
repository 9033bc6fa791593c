"""What a search is over: the spool where its key is at hand, the archives, and which of both a page takes."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

from archiver.audit.acts import Act
from archiver.audit.entry import Asked
from archiver.cli._acts import Unlogged, host_act
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._restricted import has_identity, hidden_records, learn_from_spool
from archiver.cli._session import Session
from archiver.custody.reading import has_custody
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, NoKeyError
from archiver.keys import Identity, load_identity
from archiver.records import Moderation
from archiver.search.catalogue import Catalogue
from archiver.search.language import MODERATION, Query
from archiver.search.language.tree import Filter, leaves
from archiver.search.moderation import count_sealed
from archiver.search.question import tables_of
from archiver.search.repeating.cursor import Chosen, Cursor, choose_archives
from archiver.search.run import Searcher
from archiver.search.spool_segment import SpoolSegment, not_in_archives
from archiver.settings import Settings
from archiver.sources.moderation import KIND
from archiver.spool import Spool as OpenSpool
from archiver.spool.counting import SPOOL_FILE
from archiver.vault import Archive, ArchiveList, Vault, readable
from archiver.wiring.seal import available_cores
from archiver.wiring.spool import has_spool, open_entries, open_spool_segments

Some = TypeVar("Some")


@dataclass(frozen=True)
class Spool:
    """What is captured and not sealed yet. `is_here`: its key is at hand; `is_wanted`: it was to be searched.
    `last_page`: the highest id of the pages that were read. `error`: why it could not be searched.
    `has_later`: there is something in it that was captured since the first page, and was not read."""

    is_here: bool
    is_wanted: bool
    segments: Sequence[SpoolSegment] = ()
    entries: Sequence[Moderation] = ()
    last_page: int = 0
    error: ArchiverError | None = None
    has_later: bool = False

    @property
    def is_included(self) -> bool:
        return self.is_here and self.is_wanted and self.error is None

    @property
    def records(self) -> int:
        """Not sealed yet: records of the segments, and entries of the moderation register."""
        return sum(one.records for one in self.segments) + len(self.entries)

    @property
    def unparsed(self) -> int:
        return sum(one.unparsed for one in self.segments)


@dataclass(frozen=True)
class Opened:
    """A vault that is being searched. `archives` are all that it has, `chosen` those searched, `problems`
    what is wrong with their chain."""

    vault: Vault
    archives: tuple[Archive, ...]
    problems: tuple[ArchiverError, ...]
    chosen: Chosen
    spool: Spool
    searcher: Searcher
    progress: "Progress"
    act: Act | Unlogged


class Progress:
    """A line on a terminal that says what takes long, until there is something else to be said."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._show = step_progress(session)
        self._is_shown = False

    def __call__(self, what: str, done: int, total: int) -> None:
        self._show(what, done, total)
        self._is_shown = True

    def clear(self) -> None:
        if self._is_shown:
            clear_progress(self._session)
        self._is_shown = False


def needs_moderation(query: Query) -> bool:
    """Whether moderation records are searched, or what is searched depends on them."""
    if query.wants(MODERATION):
        return True
    return any(
        isinstance(leaf, Filter) and (leaf.field, leaf.value) == ("is", "moderated")
        for leaf in leaves(query.root)
    )


@contextmanager
def open_search(
    session: Session,
    query: Query,
    *,
    store: str | None = None,
    spool: bool = True,
    cursor: Cursor | None = None,
    only: Sequence[Archive] | None = None,
    asked: Asked | None = None,
    restricted: bool = False,
) -> Iterator[Opened]:
    """Open what a query is asked of. `cursor`: of the page before. `only`: these archives of the vault.
    `asked`: what the log is told, before any archive is opened; None where the caller has told it.
    `restricted`: whether what is restricted is searched too.

    The keyholder's identities first, as a passphrase may be asked for; then the spool, and after it the
    archives: a seal moves records from the one to the other. Where moderation records alone are asked for,
    only archives that hold some are opened, and no identity is needed where none does."""
    only_moderation = query.wants(MODERATION) and not tables_of(query)
    identities = None if only_moderation else session.identities()
    progress = Progress(session)
    try:
        there = _open_spool(session, query, cursor, progress, is_wanted=spool)
    finally:
        progress.clear()
    vault = session.open_vault(store)
    listed = session.list_archives(vault)
    if only is None:
        session.note_disposed(listed)
    there = _without_sealed(there, listed.archives)
    if only is not None:
        chosen = Chosen(tuple(only))
    elif cursor is not None:
        chosen = choose_archives(cursor, listed.archives)
        if cursor.spool_entries is not None and not chosen.added:  # they come in the order they were made
            later = len(there.entries) > cursor.spool_entries
            entries = there.entries[: cursor.spool_entries]
            there = replace(there, entries=entries, has_later=there.has_later or later)
    else:
        chosen = Chosen(listed.archives)
    searched = chosen.archives
    if identities is None:
        searched = tuple(one for one in readable(searched) if count_sealed([one]))
        # What is about a restricted record is left out, be it in the spool alone.
        is_needed = bool(searched) or (has_custody(vault.store) and has_identity(session))
        identities = session.identities() if is_needed else []
    hidden = hidden_records(session, listed.archives, identities, shown=restricted)
    with _logged(session, asked, identities) as act:
        # What is kept of the whole vault has words that archives left out brought: whoever compares does
        # without.
        is_kept = only is None
        catalogue = open_catalogue(session, vault, listed if is_kept else None, identities)
        searcher = Searcher(
            vault,
            searched,
            identities,
            catalogue=catalogue,
            language=session.settings.language,
            processes=available_cores(),
            spooled=there.entries,
            spool=there.segments,
            restricted=hidden,
            known_from=listed.archives if hidden else (),
            progress=progress,
        )
        try:
            if not there.segments:  # of moderation records alone the spool's other ones were not read
                learn_from_spool(session, searcher.restricted)
            yield Opened(vault, listed.archives, listed.problems, chosen, there, searcher, progress, act)
        finally:
            progress.clear()
            searcher.close()
            catalogue.close()


def _logged(
    session: Session, asked: Asked | None, identities: Sequence[Identity]
) -> "AbstractContextManager[Act | Unlogged]":
    """In the keyholder's log where an identity opens something, else, of what the spool alone has, in that of
    the host."""
    if asked is None:
        return nullcontext(Unlogged())
    return session.act(asked) if identities else host_act(session, asked)


def answer_of(searcher: Searcher, act: Callable[[], Some], nothing: Some) -> Some:
    """What an act gives; nothing where none of the archives could be read, which are all in `unsearched`."""
    try:
        return act()
    except (IntegrityError, NoKeyError) as error:
        if searcher.segments.all or all(one.error is not error for one in searcher.unsearched):
            raise
        return nothing


def open_catalogue(
    session: Session, vault: Vault, listed: ArchiveList | None, identities: Sequence[Identity]
) -> Catalogue:
    """What is kept for searches of a vault, without what the vault has no longer; an empty one, which nobody
    keeps, where the settings want that, or without a list."""
    cache = session.settings.cache
    catalogue = Catalogue.open(
        cache.folder if cache.bytes and listed is not None else None, vault.id, identities
    )
    # A store that lags behind has not everything that there is.
    if listed is not None and not listed.problems and not session.may_lack_archives:
        catalogue.keep((one.name, file) for one in listed.readable for file in one.manifest.segments)
    return catalogue


def _open_spool(
    session: Session, query: Query, cursor: Cursor | None, progress: Progress, *, is_wanted: bool
) -> Spool:
    """As far as the first page read it, where this is a later one. A damaged spool is left out, as a damaged
    archive is."""
    settings = session.settings
    is_here = has_spool(settings)
    if not is_wanted or not is_here:
        return Spool(is_here, is_wanted, error=_shut_out(settings) if is_wanted else None)
    segments: Sequence[SpoolSegment] = ()
    entries: Sequence[Moderation] = ()
    try:
        if needs_moderation(query) and (cursor is None or cursor.spool_entries is not None):
            entries = open_entries(settings)
        if tables_of(query) and (cursor is None or cursor.spool_page is not None):
            up_to_page = None if cursor is None else cursor.spool_page
            segments = open_spool_segments(settings, progress, up_to_page=up_to_page)
        has_later = cursor is not None and _has_later(settings, query, cursor)
    except (IntegrityError, NoKeyError) as error:
        return Spool(is_here, is_wanted, error=error)
    last_page = max((one.last_page for one in segments), default=0)
    return Spool(is_here, is_wanted, segments, entries, last_page, has_later=has_later)


def _shut_out(settings: Settings) -> ArchiverError | None:
    """What is wrong where a spool's key is at hand, and the spool is there, but not for whoever runs this."""
    database = settings.spool / SPOOL_FILE
    try:
        os.stat(database)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass
    if not os.access(settings.spool_identity, os.R_OK):
        return None
    return IncompleteError(
        f"{database} is there, but cannot be read and written by whoever runs this",
        "run this as the user who collects, or leave what is not sealed yet out: --no-spool",
    )


def _has_later(settings: Settings, query: Query, cursor: Cursor) -> bool:
    """Whether something was captured since the first page that the search would be over but for that."""
    with closing(OpenSpool(settings.spool, load_identity(settings.spool_identity))) as spool:
        kinds = {page.kind == KIND for page in spool.pages(cursor.spool_page or 0)}
    # Of a register whose entries were read it is told by their number: pages of it may be older.
    has_entries = needs_moderation(query) and cursor.spool_entries is None and True in kinds
    return has_entries or (bool(tables_of(query)) and False in kinds)


def _without_sealed(spool: Spool, archives: Sequence[Archive]) -> Spool:
    return replace(spool, segments=not_in_archives(spool.segments, archives))
