"""Where in a text something stands that is to be taken out, and the text without it.

An automaton (Aho-Corasick) over the folded text says which needles may be there; only their patterns are
tried. A text in which none may be costs a microsecond for 300 characters, however many needles there are.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import regex
from ahocorasick_rs import AhoCorasick

from archiver.errors import ConfigurationError
from archiver.evidence.model import REDACTED
from archiver.evidence.redaction.escapes import has_escapes, may_hide_letters, unescaped
from archiver.evidence.redaction.folding import fold, fold_mapped, keep_case
from archiver.evidence.redaction.needles import Needle

PATTERN_SECONDS: Final = 2.0
"""What a pattern may take on one text, and again for each million characters."""
_MOST_ROUNDS: Final = 50
_MOST_REMEMBERED: Final = 20_000
_LONGEST_REMEMBERED: Final = 400
_ADDRESS: Final = re.compile(
    r"(?:[a-zA-Z][a-zA-Z0-9+.-]{1,20}://|www\.)[^\s<>\"']{1,4000}"
    r"|(?<![\w.-])(?:[\w-]{1,63}\.){1,8}[a-zA-Z]{2,24}/[^\s<>\"']{0,4000}"
)
_CLOSING: Final = ".,;:!?)]}…’”»"
_CHANCE: Final = re.compile(
    r"[A-Za-z0-9+/]{200,}+|[0-9a-f]{32,}+|[0-9A-F]{32,}+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
"""Pictures within a page, hashes, UUIDs: letters and digits by chance, in which nobody reads anything."""
_RUN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-")


Candidates = list[tuple[Needle, list[int]]]


class Hit(NamedTuple):
    start: int
    end: int
    rule: int


class Cleaned(NamedTuple):
    """A text without what is to be taken out, and the numbers of the rules that took something."""

    text: str
    rules: frozenset[int]


class Finder:
    """Finds needles and patterns, each with the number of its rule. Raise ConfigurationError, from every
    method, where a pattern takes for ever."""

    def __init__(self, needles: Iterable[Needle], patterns: Mapping[int, "regex.Pattern[str]"]) -> None:
        self._by_anchor: dict[str, list[Needle]] = {}
        for needle in needles:
            self._by_anchor.setdefault(needle.anchor, []).append(needle)
        self._anchors = list(self._by_anchor)
        self._automaton = AhoCorasick(self._anchors) if self._anchors else None
        self._patterns = patterns
        self._known: dict[str, Cleaned] = {}
        self.literals: set[tuple[int, str]] = set()
        """What patterns found, with the rule: the last guard searches for it."""

    @property
    def needles(self) -> list[Needle]:
        return [needle for each in self._by_anchor.values() for needle in each]

    def clean(self, text: str) -> Cleaned:
        """The text with REDACTED in place of all that is found, however it is escaped."""
        known = self._known.get(text)
        if known is None:
            known = self._clean(text)
            if len(text) <= _LONGEST_REMEMBERED:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[text] = known
        return known

    def _clean(self, text: str) -> Cleaned:
        """Until nothing more is found: what is left may be found once its neighbours are gone."""
        rules: set[int] = set()
        for _ in range(_MOST_ROUNDS):
            cleaned = self._once(text)
            if cleaned is None:
                return Cleaned(text, frozenset(rules))
            text = cleaned.text
            rules |= cleaned.rules
        return Cleaned(REDACTED, frozenset(rules))

    def _once(self, text: str) -> Cleaned | None:
        if not text or text == REDACTED:
            return None
        hits = self._outside(text, self.find(text))
        if not hits and self._patterns and not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
            hits = self._outside(text, list(self._found_by_patterns(text)))
        if hits:
            return Cleaned(_without(text, hits), frozenset(hit.rule for hit in hits))
        rules = self._escaped(text)
        return Cleaned(self._without_escaped(text), frozenset(rules)) if rules else None

    def _escaped(self, text: str) -> set[int]:
        return self.rules_in(text) if has_escapes(text) else set()

    def _without_escaped(self, text: str) -> str:
        """Without the words in which something escaped stands; where it takes several, without all of it."""
        parts = re.split(r"(\s+)", text)
        parts = [REDACTED if self._escaped(one) else one for one in parts]
        cleaned = "".join(parts)
        return REDACTED if cleaned == text or self._escaped(cleaned) else cleaned

    def find(self, text: str) -> list[Hit]:
        """Every place, in any order; places may overlap."""
        hits = list(self._found_by_patterns(text))
        candidates = self._candidates(fold(text))
        if candidates:
            folded, starts, ends = fold_mapped(text)
            for needle, anchors in candidates:
                for first, last in needle.matches(folded, anchors):
                    start, end = starts[first], ends[last - 1]
                    if not needle.exact or keep_case(text[start:end]) == needle.exact:
                        hits.append(Hit(start, end, needle.rule))
        return hits

    def _found_by_patterns(self, text: str) -> Iterator[Hit]:
        for rule, pattern in self._patterns.items():
            for start, end in self._matches(rule, pattern, text):
                if end > start:
                    self.literals.add((rule, text[start:end]))
                    yield Hit(start, end, rule)

    def _matches(self, rule: int, pattern: "regex.Pattern[str]", text: str) -> list[tuple[int, int]]:
        seconds = PATTERN_SECONDS * (1 + len(text) / 1_000_000)
        try:
            return [match.span() for match in pattern.finditer(text, timeout=seconds)]
        except TimeoutError as error:
            raise ConfigurationError(
                f"rule {rule}: its pattern takes for ever on a text of {len(text):,} characters",
                "no repetition within a repetition, as (a+)+; nothing was written",
            ) from error

    def _candidates(self, folded: str) -> Candidates:
        """Each needle that may be there, and where its anchor begins."""
        if self._automaton is None:
            return []
        found: dict[int, list[int]] = {}
        for one, start, _ in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            found.setdefault(one, []).append(start)
        return [
            (needle, anchors)
            for one, anchors in sorted(found.items())
            for needle in self._by_anchor[self._anchors[one]]
        ]

    @staticmethod
    def _outside(text: str, hits: Sequence[Hit]) -> list[Hit]:
        """Those that take more than what stands for something that was taken out before."""
        if REDACTED not in text:
            return list(hits)
        before = [match.span() for match in re.finditer(re.escape(REDACTED), text)]
        return [
            hit for hit in hits if not any(start <= hit.start and hit.end <= end for start, end in before)
        ]

    # Of what may be anything: whether something is there, and by which rule

    def rules_in(self, text: str, *, first: bool = True, last: bool = True) -> set[int]:
        """The rules of all that is in a text as it stands, and with its escapes undone. Not `first`:
        something was before it; then what begins with it may be the end of a longer word, and was in what
        was before. So at its end, if it is not the `last`."""
        folded = fold(text)
        candidates = self._candidates(folded)
        rules = self._rules_in(text, folded, candidates, first, last)
        if has_escapes(text) and (candidates or self._patterns or may_hide_letters(folded)):
            for one in unescaped(text):
                of_one = fold(one)
                rules |= self._rules_in(one, of_one, self._candidates(of_one), first, last)
        return rules

    def _rules_in(self, text: str, folded: str, candidates: Candidates, first: bool, last: bool) -> set[int]:
        rules: set[int] = set()
        kept: str | None = None  # the text with its capitals, made once where that is needed
        for needle, anchors in candidates:
            if needle.rule in rules:
                continue
            places = needle.matches(folded, anchors)
            if needle.exact and next(places, None) is not None:
                kept = kept or keep_case(text)
                places = (match.span() for match in re.finditer(re.escape(needle.exact), kept))
            within = kept if needle.exact and kept is not None else folded
            if any(_counts(needle, within, start, end, first, last) for start, end in places):
                rules.add(needle.rule)
        for rule, pattern in self._patterns.items():
            if rule not in rules and self._pattern_is_in(rule, pattern, text):
                rules.add(rule)
        return rules

    def _pattern_is_in(self, rule: int, pattern: "regex.Pattern[str]", text: str) -> bool:
        forms = {one.replace(REDACTED, "\n") for one in (text, unicodedata.normalize("NFC", text))}
        return any(
            end > start and not _is_chance(one, start, end)
            for one in forms
            for start, end in self._matches(rule, pattern, one)
        )


def _counts(needle: Needle, text: str, start: int, end: int, first: bool, last: bool) -> bool:
    """Whether a place is a whole one, and not there by chance."""
    is_whole = (start > 0 or first) and (end < len(text) or last)
    return is_whole and (needle.sort == "hash" or not _is_chance(text, start, end))


def _is_chance(text: str, start: int, end: int) -> bool:
    """Whether a place lies within a hash or the like."""
    first, last = start, end
    while first and start - first < 300 and text[first - 1] in _RUN:
        first -= 1
    while last < len(text) and last - end < 300 and text[last] in _RUN:
        last += 1
    if last - first < 32:
        return False
    return any(
        first + one.start() <= start and end <= first + one.end()
        for one in _CHANCE.finditer(text[first:last])
    )


def _without(text: str, hits: Sequence[Hit]) -> str:
    """The text with REDACTED for each place; of an address for all of it: the rest of it leads there, too."""
    places = [(hit.start, hit.end) for hit in hits]
    places += [match.span() for match in re.finditer(re.escape(REDACTED), text)]
    for match in _ADDRESS.finditer(text):
        start, end = match.start(), match.start() + len(match[0].rstrip(_CLOSING))
        if any(hit.start < end and start < hit.end for hit in hits):
            places.append((start, end))
    pieces: list[str] = []
    at = 0
    for start, end in merged(places):
        pieces += [text[at:start], REDACTED]
        at = end
    return "".join([*pieces, text[at:]])


def merged(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Without overlaps, in order. Places that only touch are one as well."""
    start, end = -1, -1
    for first, last in sorted(places):
        if first <= end:
            end = max(end, last)
            continue
        if end >= 0:
            yield start, end
        start, end = first, last
    if end >= 0:
        yield start, end
