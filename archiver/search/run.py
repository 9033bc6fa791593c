"""A query over every archive: segments opened newest first, and no more of them than are needed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from archiver.archive.manifest import File
from archiver.errors import ArchiverError, IntegrityError, NoKeyError
from archiver.keys import Identity
from archiver.records import Moderation
from archiver.search.archives import archives_of_entries, archives_of_rows
from archiver.search.catalogue import Catalogue, Form
from archiver.search.counting import By, Counting, Group, group_of, handle_of, sorted_groups
from archiver.search.expansion import Expander, Looked
from archiver.search.facts import read_facts
from archiver.search.hit import Edge, Effort, Hit, Position, Result
from archiver.search.in_time import find_in_time
from archiver.search.language import Query
from archiver.search.language.fields import MODERATION
from archiver.search.language.tree import Near, Part, Words, leaves
from archiver.search.merging import Page, merged
from archiver.search.moderation import READ_ENTRIES, TABLE, HeldRecord, hold, sealed_entries
from archiver.search.moderation.index import find_moderation
from archiver.search.question import ALWAYS, Question, Times, tables_of
from archiver.search.relevance import Best, find_best
from archiver.search.repeated import Repeated
from archiver.search.restricted import Name, Restricted
from archiver.search.revised import Revised
from archiver.search.segments import Segment, Segments
from archiver.search.settling import Settler
from archiver.search.spool_segment import OpenSegment, SpoolSegment
from archiver.search.sql.conditions import Facts, facts_needed
from archiver.search.sql.statement import MANY, Order
from archiver.vault import Archive, Vault

__all__ = ["Effort", "Hit", "Result", "Searcher", "Unsearched"]

Answer = TypeVar("Answer")
Progress = Callable[[str, int, int], None]


class Unsearched(NamedTuple):
    """An archive that was left out of an answer, and why."""

    archive: str
    error: ArchiverError


class Searcher:
    """An opened vault: segments stay open, so that a second search is quicker than the first.

    An archive that no identity opens, or that is damaged, is left out, named in `unsearched`, and the others
    are answered for; raise its error, NoKeyError or IntegrityError, where that leaves none. Raise StoreError
    where the store cannot be reached."""

    def __init__(
        self,
        vault: Vault,
        archives: Sequence[Archive],
        identities: Sequence[Identity],
        *,
        catalogue: Catalogue | None = None,
        language: str = "english",
        processes: int = 1,
        spooled: Sequence[Moderation] = (),
        spool: Sequence[SpoolSegment] = (),
        restricted: Iterable[Name] = (),
        known_from: Sequence[Archive] = (),
        progress: Progress = lambda what, done, total: None,
    ) -> None:
        """`catalogue`: None for one that is not kept. `language`: of the stemmer, for words that no
        vocabulary has. `processes`: how many may rank side by side. `spooled`: entries of the moderation
        register that are not sealed yet, `spool` all other records that are not, both read before the
        archives were listed. `restricted`: records that are hidden; `known_from`: all archives, where only
        some are searched, as another may tell by which ids one is known. `progress`: told what takes long,
        how much is done, and of how much."""
        self.catalogue = Catalogue.open(None, vault.id, identities) if catalogue is None else catalogue
        self.restricted = Restricted(restricted)
        self.segments = Segments(
            vault, archives, identities, self.catalogue, spool, self.restricted, known_from
        )
        self.unsearched: list[Unsearched] = []
        self._vault = vault
        # A process that is forked beside threads waiting for a network would inherit their locks.
        self._best = Best(self.segments, processes if self.segments.are_near else 1)
        self._expander = Expander(self.catalogue, self.segments, language)
        self._revised = Revised(self.segments)
        self._settler = Settler(self._revised)
        self._counting = Counting(self.segments, Repeated(self._revised), self._best.processes)
        self._language = language
        self._spooled = spooled
        self._moderation: list[HeldRecord] | None = None
        self.hidden_moderation = 0
        """How many moderation records are restricted, once they were read."""
        self._known_facts: dict[frozenset[str], Facts] = {}
        self._progress = progress
        self._is_prepared = False

    # Answers

    def search(
        self,
        query: Query,
        *,
        order: Order = "newest",
        limit: int = 50,
        after: Position | None = None,
        versions: bool = False,
    ) -> Result:
        """The first `limit` records in the order asked for, 0 for all of them; those that stand `after` a
        place, where one is given. `versions`: each version that matches as a hit of its own."""
        return self._answered(query, lambda: self._search(query, order, limit, after, versions=versions))

    def count(self, query: Query, *, versions: bool = False) -> int:
        """How many hits a search without a limit has."""
        return sum(group.records for group in self._count(query, None, versions=versions))

    def count_by(self, query: Query, by: By, *, versions: bool = False) -> list[Group]:
        """The same by group: months in order of time, all others with the largest first. By hashtag a post
        counts with each that it has, and one without any nowhere."""
        return sorted_groups(self._count(query, by, versions=versions), by)

    def archives_with(self, query: Query) -> set[str]:
        """The archives in which anything matches, in any version, by whichever way it came. Those that could
        not be searched are not among them: see `unsearched`."""

        def act() -> set[str]:
            found = archives_of_rows(self.segments, self.question(query)) if tables_of(query) else set()
            hits = self._find_moderation(query, "newest")
            ids = {hit.moderation.id for hit in hits if hit.moderation is not None}
            records = [one for one in self.moderation() if one.record.id in ids] if ids else []
            return found | archives_of_entries(records)

        return self._answered(query, act)

    def suggest(self, query: Query) -> dict[str, tuple[Form, ...]]:
        """Words like those of the query that no catalogued segment has, with in how many records each is."""
        found = {}
        for one in leaves(query.root):
            for part in one.parts if isinstance(one, Near) else (one,):
                if isinstance(part, Words) and not part.prefix and not part.edits:
                    missing = [word for word in part.tokens if self.catalogue.stem_of(word) is None]
                    found.update({word: self.catalogue.suggest(word) for word in missing})
        return {word: forms for word, forms in found.items() if forms}

    def looked_for(self) -> Looked:
        """What all searches so far looked for beside what was typed."""
        return self._expander.looked_for()

    def effort(self) -> Effort:
        """What all searches so far have read."""
        return self.segments.effort()

    def close(self) -> None:
        self.segments.close()

    def readers(self, table: str | None = None) -> Iterator[tuple[Archive, OpenSegment, File]]:
        """Every segment, or each that has rows of one table, opened; oldest archive first."""
        return self.segments.opened(table)

    def moderation(self) -> list[HeldRecord]:
        """Every moderation record, sealed and in the spool, the one entered first at the beginning. Read
        once; only segments that have any are opened."""
        if self._moderation is None:
            holding = [segment for segment in self.segments.all if segment.file.records.get(TABLE)]
            self.segments.gather((segment, READ_ENTRIES) for segment in holding)
            sealed = (
                held
                for archive, reader, _ in self.readers(TABLE)
                for held in sealed_entries(archive.name, reader)
            )
            together = hold(sealed, self._spooled)
            if together:
                self.segments.know_restricted()
            hides = self.restricted.hides_record
            self._moderation = [one for one in together if not hides(one.record.entries)]
            self.hidden_moderation = len(together) - len(self._moderation)
        return self._moderation

    def question(self, query: Query, order: Order = "newest", within: Times = ALWAYS) -> Question:
        """The query as segments are asked."""
        return Question(self.segments, query, order, self._facts(query), self._expander, within)

    def without_unreadable(self, act: Callable[[], Answer]) -> Answer:
        """What an act gives without the archives that cannot be read. It is begun anew whenever one is found:
        what was read of the others is still at hand."""
        while True:
            if self.unsearched and not self.segments.all:
                raise self.unsearched[0].error
            try:
                self._check_keys()
                answer = act()
                self._renew()
                return answer
            except (IntegrityError, NoKeyError) as error:
                if error.archive is None or not self.segments.set_aside(error.archive):
                    raise
                self.unsearched.append(Unsearched(error.archive, error))
                self._moderation = None
                self._known_facts.clear()
                self._expander.forget()
                self._counting.repeated = Repeated(self._revised)

    def _answered(self, query: Query, act: Callable[[], Answer]) -> Answer:
        def prepared() -> Answer:
            if tables_of(query):
                self._prepare()
            return act()

        return self.without_unreadable(prepared)

    def _check_keys(self) -> None:
        """Raise NotInStoreError for an archive without `key.age`: the catalogue may answer for it where no
        word of a query is in it, but it is not readable any more. And where the newest archive's is another
        than when it was catalogued, keyholders have changed: whoever asks may be none any more, and must not
        learn from the catalogue which words there are."""
        newest: Segment | None = None
        for newest in self.segments.sealed:
            self._vault.require_key(newest.archive)
        if newest is None or not self.catalogue.covers(newest.archive.name, newest.file):
            return
        key = self.segments.key_sha256(newest.archive)
        if self.catalogue.file_key(newest.archive.name, newest.file, key) is None:
            self.catalogue.keep(())
            self._expander.forget()
            self._is_prepared = False

    def _prepare(self) -> None:
        """Where segments are near, have all of them in the catalogue."""
        if self._is_prepared or not self.segments.are_near:
            return
        new = [one for one in self.segments.sealed if not self.catalogue.covers(one.archive.name, one.file)]
        for number, segment in enumerate(new):
            self._progress("archives catalogued", number, len(new))
            reader = self.segments.sealed_reader(segment)
            key = self.segments.key_sha256(segment.archive)
            self.catalogue.add(segment.archive.name, segment.file, reader, key)
        self.catalogue.save()
        self.segments.unwrapped.clear()
        self._is_prepared = True

    def _renew(self) -> None:
        """Have the next search catalogue anew what the catalogue had another key of."""
        for archive, file in self.segments.unwrapped:
            if self.catalogue.covers(archive.name, file):
                self.catalogue.forget(archive.name, file)
        if self.segments.unwrapped and self.segments.are_near:
            self.segments.unwrapped.clear()
            self.catalogue.save()
            self._is_prepared = False

    def _facts(self, query: Query) -> Facts:
        needed = frozenset(facts_needed(leaves(query.root)))
        facts = self._known_facts.get(needed)
        if facts is None:
            moderated = self.moderation() if "moderated" in needed else ()
            facts = self._known_facts[needed] = read_facts(self._revised, set(needed), moderated)
        return facts

    # Counting

    def _count(self, query: Query, by: By | None, *, versions: bool) -> list[Group]:
        def act() -> list[Group]:
            counts: dict[str, Group] = {}
            groups = (
                self._counting.count(self.question(query), by, versions=versions) if tables_of(query) else []
            )
            moderated = self._find_moderation(query, "newest") if by != "hashtag" else []
            groups += [Group(group_of(hit, by), 1, handle_of(hit, by)) for hit in moderated]
            for one in groups:
                known = counts.get(one.name, Group(one.name, 0))
                counts[one.name] = Group(one.name, known.records + one.records, known.handle or one.handle)
            return list(counts.values())

        return self._answered(query, act)

    # Searching

    def _search(
        self, query: Query, order: Order, limit: int, after: Position | None, *, versions: bool
    ) -> Result:
        question = self.question(query, order, _within(order, after))
        page = Page(order, limit or MANY, after, versions)
        fetch = page.wanted + 1
        moderated = self._find_moderation(query, order)
        while True:
            found, edge = self._collect(question, fetch, after) if tables_of(query) else ([], None)
            result = merged(self._settler, question, page, [*found, *moderated], edge)
            if result is not None:
                return result
            fetch *= 2

    def _find_moderation(self, query: Query, order: Order) -> list[Hit]:
        if not query.wants(MODERATION):
            return []
        return find_moderation(self.moderation(), query, order, language=self._language)

    # Collecting hits

    def _collect(
        self, question: Question, fetch: int, after: Position | None
    ) -> tuple[list[Hit], Edge | None]:
        """Hits of all segments that can matter, and the edge, None where none is left out at all."""
        if question.order == "relevance":
            return find_best(self._best, question, fetch, None if after is None else after[0])
        scans = any(isinstance(one, Part) for one in leaves(question.query.root))
        return find_in_time(self.segments, question, fetch, self._best.processes if scans else 1)


def _within(order: Order, after: Position | None) -> Times:
    """The times in which hits after a place in an order of time lie."""
    if after is None or order == "relevance":
        return ALWAYS
    return Times(-MANY, 1 - int(after[0])) if order == "newest" else Times(int(after[0]), MANY)
