"""Rules and what was learned of the pack, as what is searched for and what is taken out field by field."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from archiver.evidence.redaction.finding import Finder
from archiver.evidence.redaction.folding import fold, weight
from archiver.evidence.redaction.learning import Knowledge, RecordTexts
from archiver.evidence.redaction.needles import Needle, Sort, make_needle
from archiver.evidence.redaction.rules import Rule, compile_pattern

LEAST_PHRASE: Final = 20
"""Letters of a record's text, or of a part with what stands around it, that are searched for elsewhere: less
is said by others, too."""
LEAST_PART: Final = 8
"""Of a part of a record's text by itself."""
_PIECE: Final = 48
_AROUND: Final = 24


@dataclass
class People:
    """Whom the rules of kind `person` name, by each of what they are known by; with the rule's number."""

    ids: dict[str, int] = field(default_factory=dict)
    handles: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)

    def rule_of(self, own_id: str | None, handle: str | None) -> int | None:
        """The rule that names who has this id or handle."""
        found = None if own_id is None else self.ids.get(own_id)
        return found if found is not None or handle is None else self.handles.get(fold(handle))


@dataclass(frozen=True)
class WantedRecord:
    """A record that a rule names. `learned`: what it says; nothing where the pack only mentions it."""

    rule: Rule
    learned: RecordTexts

    @property
    def is_whole(self) -> bool:
        return not self.rule.spans


@dataclass
class Compiled:
    """All that one pack is redacted by. `alone`: values that are too short to be searched for, taken out
    where a field is just that, with the rule; `matched`: rules that found something while learning."""

    finder: Finder
    people: People = field(default_factory=People)
    media: dict[str, int] = field(default_factory=dict)
    """Hashes, and file names in small letters, with the rule."""
    records: dict[str, WantedRecord] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    """Of people and of records that lead to one, with the rule: taken out of every field that holds an id."""
    captures: dict[str, int] = field(default_factory=dict)
    matched: set[int] = field(default_factory=set)


def compile_rules(knowledge: Knowledge) -> Compiled:
    """Make the needles. Links that lead to something redacted are redacted as well, so these come last."""
    compiled = Compiled(Finder((), {}))
    rules = knowledge.rules.rules
    patterns = {rule.number: compile_pattern(rule.values[0]) for rule in rules if rule.kind == "pattern"}
    needles = [needle for rule in rules for needle in _needles(rule, knowledge, compiled)]
    finder = Finder(needles, patterns)
    for short, expanded in sorted(knowledge.links):
        for rule in sorted(finder.clean(expanded).rules)[:1]:
            needles += _made(rule, "token", short)
    compiled.finder = Finder(needles, patterns)
    return compiled


def _needles(rule: Rule, knowledge: Knowledge, compiled: Compiled) -> Iterator[Needle]:
    if rule.kind in ("name", "handle"):
        for value in rule.values:
            yield from _made(rule.number, "name" if rule.kind == "name" else "handle", value)
    elif rule.kind == "text":
        yield from _made(rule.number, "loose" if rule.loose else "text", rule.values[0])
    elif rule.kind == "person":
        yield from _person(rule, knowledge, compiled)
    elif rule.kind == "media":
        yield from _medium(rule, knowledge, compiled)
    elif rule.kind == "record":
        yield from _record(rule, knowledge, compiled)


def _made(rule: int, sort: Sort, value: str) -> Iterator[Needle]:
    needle = make_needle(rule, sort, value)
    if needle is not None:
        yield needle


def _person(rule: Rule, knowledge: Knowledge, compiled: Compiled) -> Iterator[Needle]:
    (own_id,) = rule.values
    handles, names = knowledge.of_person(own_id)
    compiled.people.ids[own_id] = rule.number
    compiled.people.handles |= {fold(handle): rule.number for handle in handles}
    compiled.people.names |= {fold(name): rule.number for name in names}
    posts = knowledge.posts_of(own_id, handles)
    compiled.ids |= dict.fromkeys([own_id, *posts], rule.number)
    if knowledge.is_known(own_id):
        compiled.matched.add(rule.number)
    for one in sorted({own_id, *posts}):
        yield from _made(rule.number, "id", one)
    for handle in sorted(handles):
        yield from _made(rule.number, "handle", handle)
    for name in sorted(names):
        yield from _made(rule.number, "name", name)


def _medium(rule: Rule, knowledge: Knowledge, compiled: Compiled) -> Iterator[Needle]:
    (value,) = rule.values
    hashes, names, urls = knowledge.of_medium(value)
    if names or hashes:
        compiled.matched.add(rule.number)
    is_hash = len(value) == 64 and all(one in "0123456789abcdef" for one in value.lower())
    hashes, names = (hashes | {value.lower()}, names) if is_hash else (hashes, names | {value})
    compiled.media |= dict.fromkeys([*hashes, *(name.casefold() for name in names)], rule.number)
    for one in sorted(hashes):
        yield from _made(rule.number, "hash", one)
    for one in sorted(names | urls):
        yield from _made(rule.number, "token", one)


def _record(rule: Rule, knowledge: Knowledge, compiled: Compiled) -> Iterator[Needle]:
    (own_id,) = rule.values
    learned = knowledge.records.get(own_id)
    compiled.records[own_id] = WantedRecord(rule, learned or RecordTexts())
    if not rule.spans:
        compiled.ids[own_id] = rule.number
        yield from _made(rule.number, "id", own_id)
    if learned is None:
        return
    compiled.matched.add(rule.number)
    compiled.captures |= dict.fromkeys(learned.captures, rule.number)
    phrases = set(_phrases(rule, learned))
    for phrase in sorted(phrases):
        if weight(fold(phrase)) >= LEAST_PHRASE:
            yield from _made(rule.number, "loose", phrase)
    for part in sorted(learned.parts):
        if weight(fold(part)) >= LEAST_PART:
            yield from _made(rule.number, "loose", part)


def _phrases(rule: Rule, learned: RecordTexts) -> Iterator[str]:
    """What of a record's text is known again elsewhere: all of it in pieces; of parts what stands around
    them."""
    if not rule.spans:
        for text in learned.whole:
            yield from _pieces(text)
    elif learned.newest is not None:
        for start, end in rule.spans:
            yield learned.newest[max(0, start - _AROUND) : end]
            yield learned.newest[start : end + _AROUND]


def _pieces(text: str) -> Iterator[str]:
    """A long text in pieces of whole words, so that a part of it that stands elsewhere is found."""
    if len(text) <= 2 * _PIECE:
        yield text
        return
    words: list[str] = []
    for word in text.split():
        words.append(word)
        if sum(map(len, words)) >= _PIECE:
            yield " ".join(words)
            words = []
    if words:
        yield " ".join(words)
