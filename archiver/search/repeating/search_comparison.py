"""A recorded search held against the same search made again: the same, or what differs."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from archiver.search.hit import SPOOL, Hit
from archiver.search.language import Query, format_query
from archiver.search.repeating.search_record import (
    Expansion,
    FoundArchives,
    FoundId,
    LeftOut,
    SearchRecord,
    found_id,
)


class Repeated(Struct, frozen=True):
    """A search made again. `hits`: over the archives recorded that are still as they were. `later`: over
    these, those sealed since and the open spool; the same where there is nothing of either."""

    query: Query
    tool: str
    hits: Sequence[Hit]
    expansion: Expansion
    later: Sequence[Hit]
    later_expansion: Expansion


class Comparison(Struct, frozen=True):
    """`added`: found now and not then; `gone`: then and not now. `words`: whose forms differ, `names`
    likewise. `later`: records that archives sealed since would add. `unsearched`: archives that could not be
    searched then, and are not now."""

    then: int
    now: int
    added: list[FoundId]
    gone: list[FoundId]
    words: list[str]
    names: list[str]
    is_reordered: bool
    is_read_differently: bool
    missing: list[str]
    different: list[str]
    tool_then: str
    tool_now: str
    later: int
    later_archives: int
    unsearched: list[LeftOut]

    @property
    def is_same(self) -> bool:
        """Whether the answer is, and was a whole one; it may have been given by another version of the
        program."""
        return not (self.differs or self.unsearched)

    @property
    def differs(self) -> bool:
        """Whether the answer does, as far as it went then."""
        differs = self.added or self.gone or self.words or self.names or self.missing or self.different
        return bool(differs or self.is_reordered or self.is_read_differently)


def compare(record: SearchRecord, found: FoundArchives, repeated: Repeated) -> Comparison:
    """What lay in the spool then is the same where it is found now, in an archive sealed since or still in
    the spool."""
    now = [found_id(hit) for hit in repeated.hits]
    later = [found_id(hit) for hit in repeated.later]
    then = set(record.ids)
    then_spooled = {one.record for one in record.ids if one.archive == SPOOL}
    later_records = {one.record for one in later}
    known_now = set(now)
    of_later = set(later)
    gone = [one for one in record.ids if not _is_there(one, known_now, of_later, later_records, record)]
    added = [
        one
        for one in now
        if one not in then
        and one.record not in then_spooled
        # What was in the spool then, a newer version as a rule, ruled it out.
        and not (record.spool.included and one not in of_later)
    ]
    since = {one.name for one in found.since}
    then_records = {one.record for one in record.ids}
    new = [one for one in later if one.archive in since and one.record not in then_records]
    kept = [one for one in record.ids if one in known_now]
    return Comparison(
        then=record.count,
        now=record.count - len(gone) + len(added),
        added=added,
        gone=gone,
        words=_differing(record, "word_forms", repeated),
        names=_differing(record, "names", repeated),
        is_reordered=kept != [one for one in now if one in then],
        is_read_differently=record.canonical != format_query(repeated.query.root),
        missing=found.missing,
        different=found.different,
        tool_then=record.tool,
        tool_now=repeated.tool,
        later=len(new),
        later_archives=len(found.since),
        unsearched=record.unsearched,
    )


def _is_there(
    one: FoundId,
    now: set[FoundId],
    later: set[FoundId],
    later_records: set[tuple[str, str, str]],
    record: SearchRecord,
) -> bool:
    if one in now:
        return True
    if one.archive == SPOOL:
        return one.record in later_records
    # It may have depended on something that lay in the spool.
    return record.spool.included and one in later


def _differing(record: SearchRecord, of: str, repeated: Repeated) -> list[str]:
    """The words, or names, for which other ones were looked for then. The spool's own words are known now
    only as far as they were sealed since."""
    then = getattr(record, of)
    now = getattr(repeated.expansion, of)
    later = getattr(repeated.later_expansion, of)
    differing = []
    for word in sorted({*then, *now}):
        before, after = set(then.get(word, ())), set(now.get(word, ()))
        more = set(later.get(word, ())) if record.spool.included else set()
        if not after <= before or not before <= after | more:
            differing.append(word)
    return differing


def records_of(ids: Iterable[FoundId]) -> list[dict[str, object]]:
    """As JSON."""
    return [
        {"platform": one.platform, "account": one.account, "kind": one.kind, "id": one.id,
         "version": one.version, "archive": one.archive}
        for one in ids
    ]  # fmt: skip
