"""Where the commands that read moderation records find them: this host's spool and the archives."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

from archiver.audit.acts import Act
from archiver.audit.entry import Asked
from archiver.cli._acts import Unlogged
from archiver.cli._restricted import has_identity, hidden_records, learn_from_spool, note_hidden
from archiver.cli._session import Session, one_line
from archiver.cli.moderation._lines import headline, row_headline
from archiver.custody.entry import RecordId
from archiver.custody.reading import has_custody
from archiver.errors import ArchiverError, UsageError
from archiver.moderation.item import parse_item_name
from archiver.register import Registered
from archiver.search.moderation import HeldRecord, count_sealed, hold, people_that_occur
from archiver.search.moderation.index import folded
from archiver.search.run import Searcher
from archiver.vault import Archive, Vault
from archiver.wiring.spool import RegisterHere, read_register


@dataclass(frozen=True)
class Sources:
    """What there is before anything sealed is opened. `problems`: what is wrong with the archives' chain."""

    here: RegisterHere
    vault: Vault
    archives: tuple[Archive, ...]
    problems: tuple[ArchiverError, ...]

    @property
    def sealed(self) -> int:
        """How many entries the archives hold."""
        return count_sealed(self.archives)

    def raise_problem(self) -> None:
        if self.problems:
            raise self.problems[0]


def find_sources(session: Session, store: str | None = None) -> Sources:
    """The spool first, then the archives, of the store named or of the first that can be read: a seal moves
    entries from the one to the other."""
    here = read_register(session.settings)
    vault = session.open_vault(store)
    listed = session.list_archives(vault)
    session.note_disposed(listed)
    return Sources(here, vault, listed.readable, listed.problems)


@contextmanager
def open_sources(
    session: Session, sources: Sources, asked: Asked, *, restricted: bool = False
) -> Iterator[tuple[Searcher, Act | Unlogged]]:
    """All records of both, and the act that the log knows this as, begun before any archive is opened. Raise
    NoKeyError where archives hold some and no identity is at hand; where none does, none is asked for, and
    the log is told nothing: what is not sealed was read already. `restricted`: with those that are not to be
    shown otherwise; of others a line says that there are some."""
    hidden = hidden_of(session, sources, shown=restricted)
    identities = session.identities() if sources.sealed or hidden else []
    with session.act(asked) if sources.sealed or hidden else nullcontext(Unlogged()) as act:
        searcher = Searcher(
            sources.vault,
            sources.archives,
            identities,
            spooled=sources.here.entries,
            restricted=hidden,
        )
        with closing(searcher):
            learn_from_spool(session, searcher.restricted)
            yield searcher, act
        note_hidden(session, searcher.hidden_moderation, "moderation record")


def open_records(session: Session, records: list[HeldRecord], *, restricted: bool) -> list[HeldRecord]:
    """Those of the spool's own that may be shown, as far as anybody here can tell. Raise as `find_sources`
    does where there is a keyholder's identity."""
    if restricted or not records or not has_identity(session):
        return records
    sources = find_sources(session)
    hidden = hidden_of(session, sources, shown=False)
    if not hidden:
        return records
    searcher = Searcher(sources.vault, sources.archives, session.identities(), restricted=hidden)
    with closing(searcher):
        learn_from_spool(session, searcher.restricted)
        searcher.segments.know_restricted()
    shown = [one for one in records if not searcher.restricted.hides_record(one.record.entries)]
    note_hidden(session, len(records) - len(shown), "moderation record")
    return shown


def hidden_of(session: Session, sources: Sources, *, shown: bool) -> frozenset[RecordId]:
    """What is not to be shown, as far as anybody here can tell: not without a keyholder's identity."""
    if shown or not has_custody(sources.vault.store) or not has_identity(session):
        return frozenset()
    return hidden_records(session, sources.archives, session.identities(), shown=False)


def spooled_records(here: RegisterHere) -> tuple[list[HeldRecord], list[Registered]]:
    """Without any key: records all of whose entries lie in the spool, and the rows of those of which the
    register knows more, because some or all of it is sealed."""
    entries = {row.record_id: row.entries for row in here.records}
    whole = [
        one for one in hold([], here.entries) if len(one.held) >= entries.get(one.record.id, 0)
    ]  # fmt: skip
    ids = {one.record.id for one in whole}
    return whole, [row for row in here.records if row.record_id not in ids]


def knows_all(sources: Sources) -> bool:
    """Whether this host's register knows of every entry that the archives hold: not where another host, or a
    spool that was replaced, made some of them."""
    known = sum(row.entries for row in sources.here.records)
    return sources.sealed <= known - len(sources.here.entries)


def note_unknown_people(session: Session, records: Iterable[HeldRecord], asked: Iterable[str]) -> None:
    """Say who occurs in the records where somebody was asked for who does not, as one mistyped."""
    wanted = dict.fromkeys(asked)
    if not wanted:
        return
    known = people_that_occur(records)
    there = f"these occur: {', '.join(known)}" if known else "none names anybody"
    for name in wanted:
        if folded(name) not in map(folded, known):
            session.note(one_line(f"no moderation record read here names {name}; {there}"))


# Records by what a person calls them

FEWEST_CHARACTERS = 4
"""Of the beginning of a record's id."""
_NAMED = 10


class Named(NamedTuple):
    """A record by its id, by what names its item (its id, its address, an account's `@handle` in small
    letters), and a line that tells it from others."""

    id: str
    items: frozenset[str]
    line: str


def name_held(held: HeldRecord) -> Named:
    entries = held.record.entries
    items = {name for one in entries for name in (one.item_id, one.item_url) if name}
    if held.record.now.item_type == "user":
        handles = {one.author_handle for one in entries if one.author_handle}
        items |= {f"@{handle.lower()}" for handle in handles}
        items |= {name for one in entries if (name := _item_name(one.item_url or "")) is not None}
    return Named(held.record.id, frozenset(items), headline(held.record))


def name_row(row: Registered) -> Named:
    return Named(row.record_id, frozenset([row.item_id] if row.item_id else []), row_headline(row))


def choose(records: Iterable[Named], text: str) -> list[str]:
    """The ids of the records meant: the one with this id, all about this item, or the only one whose id
    begins so. Raise UsageError where several begin so, listing them."""
    text = text.strip()
    items = {text, _item_name(text)}
    candidates = list(records)
    if exact := [one.id for one in candidates if one.id == text.lower()]:
        return exact
    if about := [one.id for one in candidates if items & one.items]:
        return about
    begun = [one for one in candidates if one.id.startswith(text.lower())]
    if not begun or len(text) < FEWEST_CHARACTERS:
        return []
    if len(begun) > 1:
        lines = [f"  {one.line}" for one in begun[:_NAMED]]
        more = [f"  and {len(begun) - _NAMED} more"] if len(begun) > _NAMED else []
        raise UsageError(
            "\n".join([f"the ids of {len(begun)} records begin with {text}:", *lines, *more]),
            "give more of the id",
        )
    return [begun[0].id]


def _item_name(text: str) -> str | None:
    """The number of the post, or `@` and the handle of the account in small letters, that an address of X or
    a handle names; None for any other text."""
    try:
        name = parse_item_name(text)
    except UsageError:
        return None
    return f"@{name.handle.lower()}" if name.kind == "user" and name.handle else name.id
