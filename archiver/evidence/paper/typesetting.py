"""Runs typst: a report to PDF, a picture or some letters alone to see whether they can be printed.

Everything that was written by others goes in as JSON or as SVG made here, never as markup, so that none of
it is run; nothing is read from disk but fonts, and nothing is written. What typst says of a failure may
repeat what it was given, so none of it goes into an error.
"""

import json
import multiprocessing
import os
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Final

from archiver.errors import ArchiverError
from archiver.evidence.paper.fonts import Fonts
from archiver.evidence.paper.pictures import (
    UnreadablePictureError,
    Wrapped,
    is_blank_png,
    parse_picture,
    wrap,
)

STANDARDS: Final = ("a-2a", "ua-1")
"""PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1) at once. typst checks both and refuses
what breaks them."""
MOST_SIDE: Final = 1600
"""Pictures that are too large, or in colours that PDF/A wants a profile for, are drawn with so many
pixels."""
_MOST_KEPT = {"image/jpeg": 24_000_000}
_MOST_DRAWN = 3_000_000
"""Pixels up to which a picture goes in as it is: a JPEG stays compressed, all others grow."""
_UNPRINTABLE = re.compile(r"the text `\"(.*?)\"` could not be displayed", re.DOTALL)
_DISALLOWED = re.compile(r"the disallowed codepoint `\"(.*?)\"`")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_HEAD = (
    '#set document(title: "x", date: datetime(year: 2000, month: 1, day: 1))\n'
    "#set page(width: 400pt, height: auto, margin: 10pt)\n"
)
_PROOF = _HEAD + (
    "#let data = json(bytes(sys.inputs.data))\n"
    '#set text(lang: "en", size: 6pt, font: data.families, fallback: false)\n'
    "#for one in data.clusters { [#one #strong(one) ] }\n"
)
_PICTURE = _HEAD + '#image(bytes(sys.inputs.picture), format: "svg", width: 10pt, alt: "x")\n'
_DRAWING = (
    "#set page(width: int(sys.inputs.width) * 1pt, height: int(sys.inputs.height) * 1pt)\n"
    "#set page(margin: 0pt, fill: none)\n"
    '#image(bytes(sys.inputs.picture), format: "svg", width: 100%)\n'
)


class UnprintableError(Exception):
    """typst refused texts; `texts` are the clusters that no font has."""

    def __init__(self, texts: frozenset[str]) -> None:
        super().__init__(texts)
        self.texts = texts

    def __str__(self) -> str:
        return "there are characters for which there is no font"


class TypesettingError(ArchiverError):
    """typst failed in another way."""


@cache
def _template() -> str:
    return resources.files("archiver.evidence.paper").joinpath("report.typ").read_text("utf-8")


def typeset(data: Mapping[str, Any], pictures: Mapping[str, str], fonts: Fonts, made_ms: int) -> bytes:
    """A report's data as PDF, made in a process of its own: typst keeps what it made, some 1.5 MB a record,
    as long as its process lives. `pictures` are SVG by the names that the data has for them. Raise
    UnprintableError for characters that no font has, TypesettingError for anything else."""
    inputs = {"data": json.dumps(data, separators=(",", ":")), **pictures}
    made = datetime.fromtimestamp(made_ms // 1000, UTC)
    return run_apart(_template(), inputs, fonts.folders, made)


def run_apart(main: str, inputs: Mapping[str, str], folders: Sequence[str], made: datetime) -> bytes:
    """A document as PDF, from a process that is started for it and then ends. What goes in and out goes
    through pipes."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _end_with_parent_soon) as executor:
        try:
            return executor.submit(_run_here, main, inputs, folders, made).result()
        except BrokenProcessPool:
            raise TypesettingError(
                "the process that makes the PDF ended before its time", "look for an out-of-memory kill"
            ) from None


def _run_here(main: str, inputs: Mapping[str, str], folders: Sequence[str], made: datetime) -> bytes:
    fonts = Fonts([Path(one) for one in folders])
    return _run(main, inputs, fonts, format="pdf", pdf_standards=list(STANDARDS), timestamp=made)


def _end_with_parent_soon() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def find_unprintable(clusters: Iterable[str], families: list[str], fonts: Fonts) -> frozenset[str]:
    """Those of some clusters that cannot be printed: typst tries all of them, and tries again without those
    that it refused, as it may name a part of one only."""
    waiting = sorted(clusters)
    refused: set[str] = set()
    while waiting:
        inputs = {"data": json.dumps({"families": families, "clusters": waiting})}
        try:
            _run(_PROOF, inputs, fonts, format="pdf", pdf_standards=list(STANDARDS))
            break
        except UnprintableError as error:
            found = _holding(error.texts, waiting)
            refused |= found or set(waiting)
            waiting = [one for one in waiting if one not in refused]
    return frozenset(refused)


def _holding(texts: frozenset[str], clusters: list[str]) -> set[str]:
    """The clusters that are one of these texts; if none is, those that have one in them."""
    found = texts & set(clusters)
    return set(found) or {one for one in clusters if any(text in one for text in texts)}


def prepare_picture(data: bytes, fonts: Fonts) -> Wrapped:
    """A picture that can stand in a report: as it is, or drawn anew where it is too large or has colours that
    PDF/A-2 allows with a profile only. Raise UnreadablePictureError for what cannot be decoded."""
    picture = parse_picture(data)
    wrapped = wrap(picture)
    pixels = picture.width * picture.height
    if pixels <= _MOST_KEPT.get(picture.mime_type, _MOST_DRAWN) and _is_taken(wrapped, fonts):
        return wrapped
    return _drawn(wrapped, fonts)


def _is_taken(wrapped: Wrapped, fonts: Fonts) -> bool:
    """Whether it is in a PDF made of it alone. What cannot be decoded typst refuses or leaves out."""
    try:
        made = _run(_PICTURE, {"picture": wrapped.svg}, fonts, format="pdf", pdf_standards=list(STANDARDS))
    except (TypesettingError, UnprintableError):
        return False
    return re.search(rb"/Subtype\s*/Image", made) is not None


def _drawn(wrapped: Wrapped, fonts: Fonts) -> Wrapped:
    scale = min(1.0, MOST_SIDE / max(wrapped.width, wrapped.height))
    width, height = (max(1, round(side * scale)) for side in (wrapped.width, wrapped.height))
    inputs = {"picture": wrapped.svg, "width": str(width), "height": str(height)}
    try:
        made = _run(_DRAWING, inputs, fonts, format="png", ppi=72.0)
    except TypesettingError:
        raise UnreadablePictureError("the file cannot be decoded") from None  # its cause repeats the SVG
    drawn = wrap(parse_picture(made))
    if is_blank_png(made) or not _is_taken(drawn, fonts):  # what cannot be decoded leaves nothing there
        raise UnreadablePictureError("the file cannot be decoded")
    return drawn


def _run(main: str, inputs: Mapping[str, str], fonts: Fonts, **options: Any) -> bytes:
    import typst

    try:
        made = typst.Compiler(
            main.encode(), font_paths=fonts.loaded, sys_inputs=dict(inputs), ignore_system_fonts=True
        ).compile(**options)
    except typst.TypstError as error:
        raise _translated(error.diagnostic or error.message) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a mistake in typst itself, which is no Exception
            raise
        raise TypesettingError("typst broke off while it made the PDF") from None
    if not isinstance(made, bytes):
        raise TypesettingError("typst made no single file of the report")
    return made


def _translated(said: str) -> UnprintableError | TypesettingError:
    refused = [*_UNPRINTABLE.findall(said), *_DISALLOWED.findall(said)]
    if refused:
        return UnprintableError(frozenset(map(_unescaped, refused)))
    return TypesettingError(
        "typst could not make the PDF of the report", "the other forms of the pack do not need it"
    )


def _unescaped(text: str) -> str:
    """What typst wrote with escapes, as it is."""

    def one(match: re.Match[str]) -> str:
        code, other = match.groups()
        return chr(int(code, 16)) if code else _PLAIN_ESCAPES.get(other, other)

    return _ESCAPE.sub(one, text)
