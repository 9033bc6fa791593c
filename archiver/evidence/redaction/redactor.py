"""A pack's redaction, in two passes: `learn` every exhibit, then `redact` each. Names and handles of a
person, short links and texts are learned from wherever they stand."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final

from archiver.evidence.model import Exhibit
from archiver.evidence.redaction.compiling import Compiled, compile_rules
from archiver.evidence.redaction.exhibits import ExhibitRedactor
from archiver.evidence.redaction.finding import Finder
from archiver.evidence.redaction.leaks import LeakFinder
from archiver.evidence.redaction.learning import Knowledge
from archiver.evidence.redaction.needles import make_needle
from archiver.evidence.redaction.rules import Rule, Rules
from archiver.evidence.redaction.scanning import Scanner
from archiver.evidence.redaction.walking import Walker

Read = Callable[[str], bytes | None]
"""The bytes of an original or a capture by its path in the pack; None where there are none."""
_LEAST_LITERAL: Final = 5
"""Characters of what a pattern found, from which on the finished pack is searched for it."""


class Redactor:
    """Redacts exhibits, texts and bytes by the same rules.

    `read` gives the bytes of originals and captures by their paths, to see whether one that looks harmless
    holds something that no field of the model shows. Without it the caller has to ask `withholds` of each.
    Every method raises ConfigurationError where a pattern takes for ever; nothing is written then."""

    def __init__(self, rules: Rules, read: Read | None = None) -> None:
        self._rules = rules.rules
        self._knowledge = Knowledge(rules)
        self._read = read
        self._compiled: Compiled | None = None
        self._scanner: Scanner | None = None
        self._of_paths: dict[str, set[int]] = {}
        self._matched: set[int] = set()
        self._literals: set[tuple[int, str]] = set()

    def learn(self, exhibit: Exhibit) -> None:
        """Take in whom and what an exhibit names. To be called for every exhibit before the first is
        redacted: one that was redacted before knows nothing of it. Raise ConfigurationError where a span of
        a rule lies beyond its record's text."""
        self._knowledge.learn(exhibit)
        if self._compiled is not None:
            self._literals |= self._compiled.finder.literals
            self._compiled = self._scanner = None
            self._of_paths.clear()

    def redact(self, exhibit: Exhibit) -> Exhibit:
        """The exhibit without all that the rules name; the same object where it holds nothing of it."""
        work = ExhibitRedactor(self._ready(), self._rules, None if self._read is None else self._in_file)
        found = work.redact(exhibit)
        self._matched |= work.rules
        return found

    def clean(self, text: str) -> str:
        """A single text, as the question, without it."""
        cleaned = self._ready().finder.clean(text)
        self._matched |= cleaned.rules
        return cleaned.text

    def clean_all(self, value: Any) -> Any:
        """Any struct, list or mapping, as the production, with every text in it cleaned. The same object
        where nothing was."""
        walker = Walker(self._ready(), {rule.number: rule.reason for rule in self._rules})
        found = walker.walk(value)
        self._matched |= walker.rules
        return found

    def withholds(self, data: bytes) -> bool:
        """Whether these bytes hold anything redacted, in whatever way it is written there, or are redacted
        as a whole."""
        rules = self._in_bytes(data)
        self._matched |= rules
        return bool(rules)

    def withholds_capture(self, name: str) -> bool:
        """Whether a capture, by its name in the pack, holds a record that a rule takes out: what it says may
        be too short to be searched for."""
        return name in self._ready().captures

    def unmatched(self) -> list[Rule]:
        """The rules that found nothing so far."""
        matched = self._matched | self._ready().matched
        return [rule for rule in self._rules if rule.number not in matched]

    def leak_finder(self) -> LeakFinder:
        """What looks for all of it in a finished pack. Of patterns, what they found is searched for: in
        hashes and sizes they would find what is none of it. To be asked for after all else."""
        compiled = self._ready()
        literals = self._literals | compiled.finder.literals
        found = (
            make_needle(rule, "token", text) for rule, text in sorted(literals) if len(text) >= _LEAST_LITERAL
        )
        needles = [*compiled.finder.needles, *(one for one in found if one is not None)]
        return LeakFinder(Scanner(Finder(needles, {})), compiled.media)

    def find_leaks(self, files: Iterable[tuple[str, Iterable[bytes]]]) -> list[tuple[str, int]]:
        """Search a finished pack: every file's path, and its bytes in pieces of any size. Name each file that
        still holds something, with the rule's number."""
        finder = self.leak_finder()
        return [(path, number) for path, pieces in files for number in sorted(finder.rules_in(path, pieces))]

    def _in_file(self, path: str) -> set[int]:
        """The rules of what is in a file of the pack. Asked once for each: many records share a capture."""
        if path not in self._of_paths:
            data = None if self._read is None else self._read(path)
            self._of_paths[path] = set() if data is None else self._in_bytes(data)
        return self._of_paths[path]

    def _in_bytes(self, data: bytes) -> set[int]:
        compiled = self._ready()
        if self._scanner is None:
            self._scanner = Scanner(compiled.finder)
        whole = compiled.media.get(sha256(data).hexdigest())
        return self._scanner.holds([data]) | (set() if whole is None else {whole})

    def _ready(self) -> Compiled:
        if self._compiled is None:
            self._compiled = compile_rules(self._knowledge)
        return self._compiled
