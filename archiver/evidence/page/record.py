"""One exhibit made ready for the page's template: what it shows, in the order in which it shows it."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from markupsafe import Markup

from archiver.evidence.model import Capture, Exhibit, GoneNotice, ShownVersion, ThreadLine
from archiver.evidence.page.facts import Facts, kind_in_words
from archiver.evidence.page.html import Html
from archiver.evidence.page.languages import language_tag
from archiver.evidence.page.listing import listing, row
from archiver.evidence.page.media import MediaShelf, ShownMedium
from archiver.evidence.page.moderation import ModerationFacts, ShownModeration
from archiver.evidence.page.moments import moment
from archiver.evidence.page.texts import Texts, hidden_names

_MOST_CAPTURED: Final = 10
"""Times of captures that are listed; the tables of the pack have all."""
_NOT_IN_ANCHORS: Final = re.compile("[^A-Za-z0-9]")
_TAKEN_OUT: Final = {"text": "in the text", "person": "who it was", "media": "picture or file",
                     "record": "the whole record"}  # fmt: skip


class VersionView(NamedTuple):
    """One version. `title` is None where there is but one; `repeats`: one above has the same text."""

    version: ShownVersion
    title: str | None
    repeats: bool
    author: Markup
    posted: Markup | None
    language: str
    hidden: str
    media: list[ShownMedium]
    text: Markup
    facts: Markup
    changes: Markup
    place: Markup
    is_captured_above: bool


class LineView(NamedTuple):
    """A line of the thread. `anchor`: where in the page the post itself stands."""

    line: ThreadLine
    author: Markup
    posted: Markup
    kind: str
    anchor: str | None


class ExhibitView(NamedTuple):
    """All that the template writes of an exhibit."""

    exhibit: Exhibit
    anchor: str
    kind: str
    tags: list[str]
    redactions: list[tuple[str, str]]
    versions: list[VersionView]
    facts: Markup
    times: Markup
    thread: list[LineView]
    moderation: list[tuple[ShownModeration, list[ShownMedium]]]


class Views:
    """Makes exhibits of one page ready."""

    def __init__(self, texts: Texts, shelf: MediaShelf, *, public: bool) -> None:
        self._facts = Facts(texts, public=public)
        self._moderation = ModerationFacts(self._facts, texts, public=public)
        self._texts, self._words, self._shelf, self._public = texts, texts.words, shelf, public

    def view(self, exhibit: Exhibit) -> ExhibitView:
        """Raise what reading media raises."""
        seen: set[str] = set()
        return ExhibitView(
            exhibit,
            anchor_of(exhibit.reference),
            kind_in_words(exhibit.kind),
            list(_tags(exhibit)),
            [(_TAKEN_OUT.get(one.what, one.what), one.reason) for one in exhibit.redactions],
            list(self._versions(exhibit, seen)),
            listing(self._facts.of_record(exhibit)),
            Markup("".join(self._times(exhibit))),
            [self._line(one) for one in exhibit.thread],
            [(self._moderation.show(one), self._shelf.show(one.media, seen)) for one in exhibit.moderation],
        )

    def _versions(self, exhibit: Exhibit, seen: set[str]) -> Iterator[VersionView]:
        shown: set[str] = set()
        captures: set[Capture] = set()
        facts, public = self._facts, self._public
        for version, title in zip(exhibit.versions, _titles(exhibit.versions), strict=True):
            text = self._texts.block(version.text)
            yield VersionView(
                version,
                title,
                version.again and version.text in shown,
                Markup(facts.person(version.author)),
                None if version.posted_ms is None else Markup(moment(version.posted_ms).both),
                language_tag(version.language),
                hidden_names(version.text, text),
                self._shelf.show(version.media, seen),
                text,
                listing(facts.of_version(version)),
                Markup("".join(facts.changes(version))),
                Markup("") if public else listing(facts.of_place(version)),
                bool(captures) and version.capture in captures,
            )
            shown.add(version.text)
            if title is not None:  # to know a capture again takes two microseconds
                captures.add(version.capture)

    def _times(self, exhibit: Exhibit) -> Iterator[Html]:
        """The lines of the table of times."""
        now = exhibit.now
        if now is not None and now.posted_ms is not None:
            yield _time_row("Posted", now.posted_ms)
        for number, captured_ms in enumerate(exhibit.captured[:_MOST_CAPTURED]):
            yield _time_row("Captured again" if number else "First captured", captured_ms)
        more = len(exhibit.captured) - _MOST_CAPTURED
        if more > 0:
            yield row(Html("And again"), Html(f"{more:,} times more"), _NO_TIME)
        if exhibit.last_seen_ms is not None:
            yield _time_row("Last seen", exhibit.last_seen_ms)
        elif exhibit.kind != "moderation":
            yield row(Html("Last seen"), Html("not known"), _NO_TIME)
        for notice in exhibit.gone:
            yield from self._gone(notice)

    def _gone(self, notice: GoneNotice) -> Iterator[Html]:
        how = f"known by {self._words(notice.how)}"
        if not self._public:
            how += f"; noted in archive {self._words(notice.archive)}"
        yield _time_row("Found missing", notice.noticed_ms, how)
        if notice.deleted_ms is not None:
            yield _time_row("Deleted", notice.deleted_ms, "as the platform says")
        if notice.back_ms is not None:
            yield _time_row("There again", notice.back_ms)

    def _line(self, line: ThreadLine) -> LineView:
        return LineView(
            line,
            Markup(self._facts.person(line.author)),
            Markup(moment(line.posted_ms).both),
            kind_in_words(line.kind),
            None if line.exhibit is None else anchor_of(line.exhibit),
        )

    def capture_facts(self, capture: Capture) -> Markup:
        """How bytes were got."""
        return listing(self._facts.of_capture(capture))


_NO_TIME: Final = Html("")


def _time_row(name: str, milliseconds: int, note: str = "") -> Html:
    at = moment(milliseconds)
    about = f'{name} <span class="quiet">{note}</span>' if note else name
    return row(Html(about), at.utc, at.uk)


def anchor_of(reference: str) -> str:
    """Where an exhibit stands in the page: ABC_1_17 for ABC/1/17."""
    return _NOT_IN_ANCHORS.sub("_", reference)


def _titles(versions: tuple[ShownVersion, ...]) -> Iterator[str | None]:
    """`Version 1 of 2` each; the same captured another way is no version of its own."""
    of = sum(not one.again for one in versions)
    number = 0
    for one in versions:
        number += not one.again
        if len(versions) == 1:
            yield None
        else:
            yield "The same, captured another way" if one.again else f"Version {number} of {of}"


def _tags(exhibit: Exhibit) -> Iterator[str]:
    """What a reader should see of it at once."""
    of = sum(not one.again for one in exhibit.versions)
    if exhibit.redactions:
        yield "Redacted"
    if of > 1:
        yield f"{of} versions"
    if exhibit.gone:
        yield "Found missing, later there again" if exhibit.gone[-1].back_ms is not None else "Found missing"
    if exhibit.moderation and exhibit.kind != "moderation":
        yield "Has a moderation record"
