"""A pack's report as PDF, in one file or in volumes, and what of it could not be printed as it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from archiver.evidence.model import Exhibit, Medium, Production
from archiver.evidence.paper.blocks import Writer
from archiver.evidence.paper.characters import all_clusters, code_point
from archiver.evidence.paper.fonts import Fonts
from archiver.evidence.paper.front import front_blocks
from archiver.evidence.paper.media import Shelf, is_picture, media_of
from archiver.evidence.paper.record import exhibit_blocks
from archiver.evidence.paper.typesetting import TypesettingError, Unprintable, find_unprintable, typeset
from archiver.times import as_datetime

MOST_RECORDS: Final = 500
"""In one file: with some 1,500 pages it can still be opened, sent and made in bounded memory."""
MOST_PICTURE_BYTES: Final = 128 << 20
"""In one file, as the sizes of the pictures' own files say."""
_MOST_TRIES = 5
_LONGEST_MARKING = 60


class PaperFile(Struct, frozen=True):
    """One PDF. `unprintable`: what no font has and is printed as code points, as `U+13000`; `broken`: pictures
    that cannot be shown, by their paths in the pack, each with why."""

    name: str
    data: bytes
    unprintable: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()


def render_paper(
    production: Production,
    exhibits: Sequence[Exhibit],
    read_medium: Callable[[Medium], bytes],
    fonts: Fonts,
) -> Iterator[PaperFile]:
    """Yield `report.pdf`, or `report-001.pdf` and so on where there are more records or pictures than one
    file takes. Each is made in memory: nothing is written to disk. Raise what reading a picture raises, and
    TypesettingError where typst fails."""
    volumes = list(_volumes(exhibits))
    for number, volume in enumerate(volumes, start=1):
        name = "report.pdf" if len(volumes) == 1 else f"report-{number:03}.pdf"
        told = None if len(volumes) == 1 else _told(volume, number, len(volumes))
        yield _render(name, production, volume, told, read_medium, fonts)


def _volumes(exhibits: Sequence[Exhibit]) -> Iterator[Sequence[Exhibit]]:
    """Cut where a file would become too large; one without records where there are none."""
    start, size = 0, 0
    for number, exhibit in enumerate(exhibits):
        own = sum(medium.size or 0 for medium in media_of(exhibit) if is_picture(medium))
        if number - start == MOST_RECORDS or (number > start and size + own > MOST_PICTURE_BYTES):
            yield exhibits[start:number]
            start, size = number, 0
        size += own
    yield exhibits[start:]


def _told(volume: Sequence[Exhibit], number: int, count: int) -> str:
    return f"volume {number} of {count}: {volume[0].reference} to {volume[-1].reference}"


def _render(
    name: str,
    production: Production,
    exhibits: Sequence[Exhibit],
    volume: str | None,
    read_medium: Callable[[Medium], bytes],
    fonts: Fonts,
) -> PaperFile:
    shelf = Shelf()
    shelf.fill(exhibits, read_medium, fonts)
    clusters = all_clusters(_texts((production, exhibits)))
    families = fonts.families({character for cluster in clusters for character in cluster} | _ASCII)
    unprintable = find_unprintable(clusters, families, fonts)
    pictures = {key: wrapped.svg for key, wrapped in shelf.pictures.values()}
    for _ in range(_MOST_TRIES):
        writer = Writer(unprintable, shelf.pictures, shelf.broken, production.public, production.is_redacted)
        document = _document(production, exhibits, volume, families, writer)
        try:
            made = typeset(document, pictures, fonts, production.made_ms)
        except Unprintable as error:  # only seen together with what stands around it
            unprintable |= {
                one for one in clusters if any(text in one or one in text for text in error.texts)
            }
            continue
        return PaperFile(name, made, _named(unprintable), tuple(shelf.broken.items()))
    raise TypesettingError("typst refuses characters of this report again and again")


_ASCII = frozenset(map(chr, range(0x20, 0x7F))) | frozenset("·–“”’…")


def _document(
    production: Production,
    exhibits: Sequence[Exhibit],
    volume: str | None,
    families: list[str],
    writer: Writer,
) -> dict[str, Any]:
    made = as_datetime(production.made_ms)
    part = f" ({volume.split(':')[0]})" if volume else ""
    under = f"Case {production.case}" + (f" · {production.organisation}" if production.organisation else "")
    return {
        "families": families,
        "title": _plain(f"Exhibit {production.exhibit}, case {production.case}: evidence pack{part}"),
        "author": _plain(production.organisation or production.produced_by),
        "date": {"year": made.year, "month": made.month, "day": made.day},
        "heading": f"Exhibit {production.exhibit}",
        "under": writer.runs(under),
        "marking": {
            "exhibit": writer.runs(f"Exhibit {production.exhibit}{part}"),
            "case": writer.runs(_shortened(f"Case {production.case}")),
            "redacted": production.is_redacted,
        },
        "front": front_blocks(production, volume, writer),
        "records": [block for exhibit in exhibits for block in exhibit_blocks(exhibit, writer)],
    }


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_MARKING else text[: _LONGEST_MARKING - 1] + "…"


def _plain(text: str) -> str:
    """For where no box can stand: what is not ASCII is left to the title that is printed."""
    return text.encode("ascii", "replace").decode("ascii")


def _named(unprintable: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(" ".join(map(code_point, one)) for one in unprintable))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a model, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))
    elif isinstance(value, dict):
        yield from _texts(list(value.items()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
