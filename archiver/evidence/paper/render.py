"""A pack's report as PDF, in one file or in volumes, and what of it could not be printed as it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

import msgspec
from msgspec import Struct

from archiver.evidence.model import Exhibit, Medium, Production
from archiver.evidence.paper.blocks import Writer
from archiver.evidence.paper.characters import all_clusters, code_point
from archiver.evidence.paper.fonts import Fonts
from archiver.evidence.paper.front import document
from archiver.evidence.paper.media import Shelf, is_picture, media_of
from archiver.evidence.paper.record import exhibit_blocks
from archiver.evidence.paper.typesetting import TypesettingError, UnprintableError, find_unprintable, typeset

MOST_RECORDS: Final = 500
"""In one file: with some 1,500 pages it can still be opened, sent and made in bounded memory."""
MOST_PICTURE_BYTES: Final = 128 << 20
"""In one file, as the sizes of the pictures' own files say."""
_MOST_TRIES = 5


class PaperFile(Struct, frozen=True):
    """One PDF. `unprintable`: what no font has and is printed as code points, as `U+13000`; `broken`:
    pictures that cannot be shown, by their paths in the pack, each with why."""

    name: str
    data: bytes
    unprintable: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    plain: tuple[str, ...] = ()
    """References of records whose texts are in ASCII and code points, as typst breaks off at them."""


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
        yield _render(name, _prepared(production, volume, told, read_medium, fonts))


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


class _Volume(Struct, frozen=True):
    """What one file is made of. `plain`: numbers of records whose texts are printed in ASCII and code points,
    as typst breaks off at them."""

    production: Production
    exhibits: Sequence[Exhibit]
    told: str | None
    shelf: Shelf
    fonts: Fonts
    families: list[str]
    clusters: frozenset[str]
    plain: frozenset[int] = frozenset()

    def typeset(self, unprintable: frozenset[str]) -> tuple[bytes, frozenset[str]]:
        """The PDF, and the clusters that are not printed as they are."""
        made_ms = self.production.made_ms
        for _ in range(_MOST_TRIES):
            try:
                return typeset(self._data(unprintable), self._pictures(), self.fonts, made_ms), unprintable
            except UnprintableError as error:  # only seen together with what stands around it
                unprintable |= _holding(self.clusters, error.texts) or error.texts
        raise TypesettingError("typst refuses characters of this report again and again")

    def _pictures(self) -> dict[str, str]:
        wanted = {medium.path for exhibit in self.exhibits for medium in media_of(exhibit)}
        return {key: one.svg for path, (key, one) in self.shelf.pictures.items() if path in wanted}

    def _data(self, unprintable: frozenset[str]) -> dict[str, Any]:
        writer = self._writer(unprintable)
        careful = self._writer(frozenset(one for one in self.clusters if not one.isascii()))
        blocks = (
            exhibit_blocks(one, careful if one.number in self.plain else writer) for one in self.exhibits
        )
        return document(self.production, self.told, self.families, list(chain.from_iterable(blocks)), writer)

    def _writer(self, unprintable: frozenset[str]) -> Writer:
        production = self.production
        return Writer(
            unprintable, self.shelf.pictures, self.shelf.broken, production.public, production.is_redacted
        )


def _holding(clusters: frozenset[str], texts: frozenset[str]) -> frozenset[str]:
    return frozenset(one for one in clusters if any(text in one or one in text for text in texts))


def _prepared(
    production: Production,
    exhibits: Sequence[Exhibit],
    told: str | None,
    read_medium: Callable[[Medium], bytes],
    fonts: Fonts,
) -> _Volume:
    shelf = Shelf()
    shelf.fill(exhibits, read_medium, fonts)
    clusters = frozenset(all_clusters(_texts((production, exhibits))))
    families = fonts.families({character for cluster in clusters for character in cluster} | _ASCII)
    return _Volume(production, exhibits, told, shelf, fonts, families, clusters)


def _render(name: str, volume: _Volume) -> PaperFile:
    """One PDF. A mistake in typst that texts of some records lead to must not keep the others from being
    printed: these are looked for, half by half, and printed without what only fonts can show."""
    unprintable = find_unprintable(volume.clusters, volume.families, volume.fonts)
    broken = tuple(volume.shelf.broken.items())
    try:
        made, unprintable = volume.typeset(unprintable)
    except TypesettingError:
        plain = frozenset(_breaking(volume, unprintable))
        if not plain:
            raise
        made, unprintable = msgspec.structs.replace(volume, plain=plain).typeset(unprintable)
        told = tuple(one.reference for one in volume.exhibits if one.number in plain)
        return PaperFile(name, made, _named(unprintable), broken, told)
    return PaperFile(name, made, _named(unprintable), broken)


def _breaking(volume: _Volume, unprintable: frozenset[str]) -> Iterator[int]:
    """The numbers of the records at which typst breaks off."""
    half = len(volume.exhibits) // 2
    if half == 0:
        yield from (one.number for one in volume.exhibits)
        return
    for part in (volume.exhibits[:half], volume.exhibits[half:]):
        smaller = msgspec.structs.replace(volume, exhibits=part)
        try:
            smaller.typeset(unprintable)
        except TypesettingError:
            yield from _breaking(smaller, unprintable)


_ASCII = frozenset(map(chr, range(0x20, 0x7F))) | frozenset("·–“”’…")


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
