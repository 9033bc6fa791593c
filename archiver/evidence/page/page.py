"""`report.html`: all records of a pack on one page, written record by record."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from archiver.evidence.model import Exhibit, Medium, Production
from archiver.evidence.page.facts import Facts, kind_in_words
from archiver.evidence.page.html import Html
from archiver.evidence.page.languages import language_tag
from archiver.evidence.page.listing import Fact, label, listing, row
from archiver.evidence.page.media import MediaShelf
from archiver.evidence.page.moments import moment
from archiver.evidence.page.record import Views, anchor_of
from archiver.evidence.page.style import hash_of, marking_of, style_of
from archiver.evidence.page.texts import REDACTION_MARK, Texts, attribute

_RECENT_CAPTURES: Final = 64
"""Captures whose facts are kept as they are written: those of a walk stand on one after the other."""
_LONGEST_AUTHOR: Final = 60


def render_page(
    production: Production, exhibits: Iterable[Exhibit], read_medium: Callable[[Medium], bytes]
) -> Iterator[bytes]:
    """Yield the page in UTF-8: its head, each exhibit, its end. The exhibits are iterated once and none is
    kept; what grows with them is a line each of the index, some 300 bytes. Raise what reading a picture or
    the exhibits raises: what was yielded is then no whole page."""
    page = _Page(production, read_medium)
    yield page.head()
    for exhibit in exhibits:
        yield page.record(exhibit)
    yield from page.tail()


class _Page:
    """One page while it is written."""

    def __init__(self, production: Production, read_medium: Callable[[Medium], bytes]) -> None:
        self._production = production
        self._texts = texts_of(production.is_redacted)
        self._environment = environment_of(production.is_redacted)
        self._shelf = MediaShelf(read_medium)
        self._views = Views(self._texts, self._shelf, public=production.public)
        self._record = self._template("record.html")
        self._kinds: Counter[str] = Counter()
        self._marks: Counter[str] = Counter()
        self._index = bytearray()
        self._captured = lru_cache(maxsize=_RECENT_CAPTURES)(self._views.capture_facts)

    def _template(self, name: str) -> Template:
        return self._environment.get_template(name)

    def head(self) -> bytes:
        production = self._production
        style = style_of(production)
        return _encoded(
            self._template("head.html").render(
                production=production,
                style=style,
                style_hash=hash_of(style),
                marking=marking_of(production),
                redaction_mark=Markup(REDACTION_MARK),
                facts=listing(pack_facts(production, self._texts)),
                summary=_rows(_summary(production, self._texts)),
            )
        )

    def record(self, exhibit: Exhibit) -> bytes:
        self._count(exhibit)
        view = self._views.view(exhibit)
        return _encoded(
            self._record.render(view=view, public=self._production.public, captured=self._captured)
        )

    def _count(self, exhibit: Exhibit) -> None:
        """Remember what the index says of it."""
        now = exhibit.now
        self._kinds[kind_in_words(exhibit.kind)] += 1
        self._marks["Records with several versions"] += sum(not one.again for one in exhibit.versions) > 1
        self._marks["Records found missing"] += bool(exhibit.gone)
        self._marks["Records with a moderation record"] += bool(exhibit.moderation)
        self._marks["Redacted records"] += bool(exhibit.redactions)
        author = "" if now is None else now.author.handle or now.author.name or ""
        words, anchor = self._texts.words, anchor_of(exhibit.reference)
        self._index += _encoded(
            row(
                Html(f'<a href="#{anchor}">{words(exhibit.reference)}</a>'),
                label(kind_in_words(exhibit.kind)),
                words(author[:_LONGEST_AUTHOR]),
                Html("") if now is None or now.posted_ms is None else moment(now.posted_ms).utc,
            )
        )

    def tail(self) -> Iterator[bytes]:
        """The index, with what was counted."""
        shelf = self._shelf
        media = {
            "Pictures shown": shelf.embedded,
            "Pictures, videos and files linked": shelf.linked,
            "Pictures, videos and files missing": shelf.missing,
        }
        counts = {"Records": self._kinds.total(), **self._kinds, **self._marks, **media}
        totals = _rows(
            (name, Html(f"{count:,}")) for name, count in counts.items() if count or name == "Records"
        )
        yield _encoded(self._template("index.html").render(totals=totals, rows=bool(self._index)))
        yield bytes(self._index)
        production = self._production
        yield _encoded(
            self._template("end.html").render(
                production=production,
                rows=bool(self._index),
                marking=marking_of(production),
                made=Markup(moment(production.made_ms).both),
            )
        )


def pack_facts(production: Production, texts: Texts) -> Iterator[Fact]:
    """Who made the pack of what, for whom and why."""
    words = texts.words
    yield "Exhibit", words(production.exhibit)
    yield "Case", words(production.case)
    yield "Produced by", words(production.produced_by)
    for name, value in (
        ("Organisation", production.organisation),
        ("Contact", production.contact),
        ("Purpose", production.purpose),
        ("Recipient", production.recipient),
        ("Reason", production.reason),
    ):
        if value is not None:
            yield name, words(value)
    yield "Found by", words(production.question)
    yield "Made", moment(production.made_ms).both
    if not production.public:
        yield from _custody(production, texts)


def _custody(production: Production, texts: Texts) -> Iterator[Fact]:
    words, facts = texts.words, Facts(texts, public=False)
    yield "Vault", words(production.vault)
    if production.head_sequence:
        yield "Its newest archive", Html(f"number {production.head_sequence} of the chain")
        yield "SHA-256 of that archive’s manifest", facts.digest(production.head_sha256)
    else:
        yield "Its newest archive", Html("none: nothing is sealed yet")
    yield "Keyholder", words(production.keyholder)
    yield "Signed with the key", facts.digest(production.signer)
    yield "System account and host", Html(f"{words(production.system_account)} on {words(production.host)}")
    yield "Program", words(production.tool)
    yield "SHA-256 of the settings", facts.digest(production.configuration)


def _summary(production: Production, texts: Texts) -> Iterator[Fact]:
    """What is known before the records are gone through; the index at the end counts the rest."""
    yield "Records", Html(f"{production.records:,}")
    if production.records:
        exhibit = texts.words(production.exhibit)
        last = f" to {exhibit}/{production.records}" if production.records > 1 else ""
        yield "Numbered", Html(f"{exhibit}/1{last}")
    yield "Redacted", Html("yes: see each record" if production.is_redacted else "no")
    yield "Archives not searched", Html(f"{len(production.unsearched):,}")
    yield "By kind", Html('<a href="#index">see the index</a>')


def _rows(facts: Iterable[Fact]) -> Markup:
    return Markup("".join(row(label(name), value) for name, value in facts))


@cache
def texts_of(marks_redacted: bool) -> Texts:
    return Texts(marks_redacted=marks_redacted)


@cache
def environment_of(marks_redacted: bool) -> Environment:
    """Templates, compiled once. Everything that they write is escaped, and goes through `Texts.said` first:
    a template that forgets to ask for it cannot write a text as it came."""
    texts = texts_of(marks_redacted)
    environment = Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        finalize=texts.said,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters |= {
        "visible": texts.block, "attribute": attribute, "language_tag": language_tag,
    }  # fmt: skip
    return environment


def _encoded(text: str) -> bytes:
    return text.encode("utf-8")
