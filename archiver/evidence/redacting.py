"""A pack's contents without what the rules name: exhibits, the bytes below them, and what is beside them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.chain import encode_document
from archiver.errors import IntegrityError
from archiver.evidence.contents import LogLine, Vaulted
from archiver.evidence.gathering import Gathered
from archiver.evidence.gathering.answers import Answer
from archiver.evidence.gathering.media import MediaPlace
from archiver.evidence.gathering.shown import Books
from archiver.evidence.model import Capture, Exhibit, Production
from archiver.evidence.public import for_public
from archiver.evidence.redaction import LeakFinder, Redactor, Rules
from archiver.evidence.trimming import Trimmer, paths_in

CAPTURES_FOLDER = "data/captures/"
Watch = Callable[[str, Iterable[bytes]], None]
"""Takes in the bytes of a file of the pack, by its path, to the end."""


@dataclass(frozen=True)
class Redacted:
    """What goes into a pack. `count`: exhibits in which something was taken out; `warnings`: rules that found
    nothing. `leaks` finds what is left, in a pack that is made by rules."""

    production: Production
    records: Sequence[Gathered]
    captures: Sequence[Capture]
    answers: Mapping[str, Answer]
    slices: Mapping[str, Iterable[str]]
    media: Mapping[str, MediaPlace]
    search_record: bytes
    log: Sequence[LogLine]
    warnings: tuple[str, ...] = ()
    count: int = 0
    leaks: LeakFinder | None = None
    found: list[str] = field(default_factory=list)

    def watch(self, path: str, pieces: Iterable[bytes]) -> None:
        """Take in a file of the pack while it is written, and note what it still holds."""
        if self.leaks is None:
            for _ in pieces:
                pass
        elif rules := self.leaks.rules_in(path, pieces):
            numbers = ", ".join(map(str, sorted(rules)))
            self.found.append(f"{path} (rule {numbers})")

    def require_clean(self) -> None:
        """Raise IntegrityError where any file of the pack held what was to be taken out."""
        if self.found:
            raise IntegrityError(
                f"the redacted pack was not made: {'; '.join(self.found[:5])} would still hold what was to be"
                " taken out",
                "nothing was written; leave this form out by --format, or change the rules",
            )


def redact(
    rules: Rules | None,
    forms: Sequence[str],
    production: Production,
    records: Sequence[Gathered],
    books: Books,
    vaulted: Vaulted,
    search_record: bytes,
    log: Sequence[LogLine],
) -> Redacted:
    """The contents of a pack of these forms, by the rules. Raise ConfigurationError where a rule cannot be
    followed, and as reading captures does."""
    if rules is None:
        exhibits = [_in_form(one.exhibit, forms, production) for one in records]
        return _of_exhibits(
            Redacted(production, records, books.captures.all(), {}, {}, {}, search_record, log),
            exhibits,
            books,
        )
    bodies = {path: body for record in records for path, body in record.bodies.items()}

    def read(path: str) -> bytes | None:
        if (answer := books.captures.answers.get(path)) is not None:
            return vaulted.answer(answer)
        slices = books.captures.slices.get(path)
        return bodies.get(path) if slices is None else b"\n".join(bodies[one] for one in slices)

    redactor = Redactor(rules, read)
    for record in records:
        redactor.learn(record.exhibit)
    exhibits = [redactor.redact(record.exhibit) for record in records]
    # A capture that one record loses for what was taken out of it is whole in no other's hands.
    withheld: set[str] = set()
    for before, after in zip(records, exhibits, strict=True):
        withheld |= set(_captures_in([before.exhibit])) - set(_captures_in([after]))
    whole = [Trimmer(forms, withheld).trim(one) for one in exhibits]
    redacted = Redacted(
        production=redactor.clean_all(production),
        records=records,
        captures=redactor.clean_all(books.captures.all()),
        answers={},
        slices={},
        media={},
        search_record=_cleaned(redactor, search_record),
        log=[_readable(redactor, line) for line in log],
        count=sum(after is not before.exhibit for after, before in zip(exhibits, records, strict=True)),
        warnings=tuple(
            f"rule {rule.number} of the redaction, {rule.kind}, matches nothing"
            for rule in redactor.unmatched()
        ),
        leaks=redactor.leak_finder(),
    )
    return _of_exhibits(redacted, [_in_form(one, forms, production) for one in whole], books)


def _captures_in(exhibits: Iterable[Exhibit]) -> Iterator[str]:
    """The files with whole captures that exhibits name."""
    return (path for path in paths_in(exhibits) if path.startswith(CAPTURES_FOLDER))


def _in_form(exhibit: Exhibit, forms: Sequence[str], production: Production) -> Exhibit:
    return Trimmer(forms).trim(for_public(exhibit) if production.public else exhibit)


def _of_exhibits(redacted: Redacted, exhibits: Sequence[Exhibit], books: Books) -> Redacted:
    """With these exhibits, and of all bytes those that they still name."""
    kept = set(paths_in(exhibits))
    return replace(
        redacted,
        records=[
            Gathered(exhibit, {path: body for path, body in record.bodies.items() if path in kept})
            for exhibit, record in zip(exhibits, redacted.records, strict=True)
        ],
        answers={path: one for path, one in books.captures.answers.items() if path in kept},
        slices={
            path: tuple(one for one in some if one in kept)
            for path, some in books.captures.slices.items()
            if path in kept
        },
        media={path: one for path, one in books.media.places.items() if path in kept},
    )


def _cleaned(redactor: Redactor, document: bytes) -> bytes:
    """A JSON document; as it is where it holds nothing of it."""
    if not redactor.withholds(document):
        return document
    fields: dict[str, Any] = redactor.clean_all(json.loads(document))
    return encode_document({**fields, "redacted": True})


def _readable(redactor: Redactor, line: LogLine) -> LogLine:
    held = line.entry is not None and redactor.withholds(line.entry)
    return LogLine(line.link, line.signature, None) if held else line
