"""The texts beside a load file: of each record what it says, and of each picture what describes it."""

from collections.abc import Iterable, Iterator
from typing import Final

from archiver.evidence.model import Exhibit, Production, ShownVersion
from archiver.evidence.tables.cells import plain, refuse_public
from archiver.evidence.tables.summary import held_media, summary_of

TEXT_FOLDER: Final = "data/text"


def text_path(stem: str) -> str:
    """Where the text of a document lies in the pack."""
    return f"{TEXT_FOLDER}/{stem}.txt"


def text_files(production: Production, exhibits: Iterable[Exhibit]) -> Iterator[tuple[str, bytes]]:
    """Each file as its path in the pack and its bytes: UTF-8 without a byte order mark, line ends as the
    record has them. A record's file holds its newest text and nothing else. One that has none
    has its further fields, a line each; where there are none either it is empty. Raise UsageError of a pack
    for the public."""
    refuse_public(production, "text/")
    for exhibit in exhibits:
        shown = summary_of(exhibit)
        yield text_path(exhibit.stem), _encoded(shown.text or _facts(shown.version))
        for position, medium in enumerate(held_media(exhibit), 1):
            if medium.alt_text:
                yield text_path(f"{exhibit.stem}_{position}"), _encoded(medium.alt_text)


def _facts(version: ShownVersion | None) -> str:
    facts = version.facts if version is not None else ()
    return "\n".join(f"{name}: {value}" for name, value in facts)


def _encoded(text: str) -> bytes:
    return plain(text).encode()
