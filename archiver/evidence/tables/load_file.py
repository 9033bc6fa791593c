"""records.dat: a Concordance load file, with which disclosure platforms take documents in.

A convention and no standard: ask the receiver. Written here: UTF-8 with a byte order mark; a line a
document, ended by CR LF; every cell between þ (two bytes in UTF-8, one in Windows-1252); 0x14 between cells;
a line break within a cell as ®; a header row. The convention has no way to write these three signs inside a
cell, and programs take any of them for what it stands for. So they are spelt out: `th`, `(R)` and a space.
The texts themselves are untouched in the files that TEXTPATH names.

A record is a document, each picture or video that the pack holds for it another, right after it: BEGATTACH to
ENDATTACH are the numbers of both together, the same in each of their lines. Paths are relative to the
load file, with `/`. Dates and times are UTC. Columns (`-`: empty for a picture or video):

| column | holds |
| --- | --- |
| BEGBATES, ENDBATES | the record's reference as in file names, `ABC_1_17`; of its pictures `ABC_1_17_1` … |
| CUSTODIAN | the body that produces, or the archived account |
| DOCTYPE | the record's kind; of a picture `photo`, `video` … |
| FROM, TO (-) | who wrote it and to whom, of a reply whom it answers; as `Name @handle (id)` |
| POSTID, THREADID | the platform's ids of the post or message and of its conversation |
| PARENTID | the platform's id of what it replies to; of a picture of the record that shows it |
| DELETED, EDITED | Y or N: found missing and not there again; captured in several versions |
| SHA256HASH, NATIVEPATH | of the verbatim JSON (the first file, where there are several); of the picture |
| PAGECOUNT | empty, as there are no page images |
| CONFIDENTIALITY | as the producer says |
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from archiver.evidence.model import Exhibit, Medium, Production
from archiver.evidence.tables.cells import in_one_line, joined, person_in_words, plain, refuse_public, utc
from archiver.evidence.tables.load_texts import text_path
from archiver.evidence.tables.summary import Summary, held_media, is_gone, summary_of, version_count

LOAD_FILE: Final = "data/records.dat"
LOAD_FILE_COLUMNS: Final = (
    "BEGBATES", "ENDBATES", "BEGATTACH", "ENDATTACH", "CUSTODIAN", "DOCTYPE", "FROM", "TO", "DATESENT",
    "TIMESENT", "TIMEZONE", "URL", "PLATFORM", "POSTID", "THREADID", "PARENTID", "DELETED", "EDITED",
    "SHA256HASH", "NATIVEPATH", "TEXTPATH", "PAGECOUNT", "CONFIDENTIALITY",
)  # fmt: skip
SEPARATOR, QUALIFIER, NEW_LINE = "\x14", "þ", "®"
_BETWEEN: Final = QUALIFIER + SEPARATOR + QUALIFIER
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SPELT_OUT: Final = ((QUALIFIER, "th"), (NEW_LINE, "(R)"), (SEPARATOR, " "))
_AWKWARD: Final = re.compile("[\0\x14þ®\n\r\v\f\x1c-\x1e\x85\u2028\u2029\ud800-\udfff]")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9:]{8})")


def load_file(
    production: Production, exhibits: Iterable[Exhibit], *, confidentiality: str = ""
) -> Iterator[bytes]:
    """The file, a document a piece, header first. Raise UsageError of a pack for the public."""
    refuse_public(production, "records.dat")
    yield _BYTE_ORDER_MARK + _line(LOAD_FILE_COLUMNS)
    for exhibit in exhibits:
        custodian = production.organisation or exhibit.account_handle or exhibit.account
        shown = summary_of(exhibit)
        held = held_media(exhibit)
        last = attachment_stem(exhibit, len(held)) if held else exhibit.stem
        family = [exhibit.stem, last] if held else ["", ""]
        yield _line(_record(exhibit, shown, family, custodian, confidentiality))
        for position, medium in enumerate(held, 1):
            yield _line(_medium(exhibit, shown, medium, position, family, custodian, confidentiality))


def attachment_stem(exhibit: Exhibit, position: int) -> str:
    """What the picture or video at this place (from 1) in `held_media` is called as a document."""
    return f"{exhibit.stem}_{position}"


def _line(cells: Sequence[str]) -> bytes:
    line = _BETWEEN.join([_spelt_out(cell) if _AWKWARD.search(cell) else cell for cell in cells])
    return f"{QUALIFIER}{line}{QUALIFIER}\r\n".encode()


def _spelt_out(cell: str) -> str:
    for sign, instead in _SPELT_OUT:
        cell = cell.replace(sign, instead)
    return in_one_line(plain(cell), NEW_LINE)


def _record(
    exhibit: Exhibit, shown: Summary, family: list[str], custodian: str, confidentiality: str
) -> list[str]:
    version = shown.version
    original = version.originals[0] if version is not None and version.originals else None
    return [
        exhibit.stem, exhibit.stem, *family, custodian, exhibit.kind, person_in_words(shown.author),
        _to(shown), *_sent(shown.posted_ms), exhibit.url or "", exhibit.platform, exhibit.id,
        (version and version.conversation_id) or "", (version and version.in_reply_to_id) or "",
        "Y" if is_gone(exhibit) else "N", _edited(exhibit), original.sha256 if original else "",
        relative(original.path) if original and original.path else "", relative(text_path(exhibit.stem)),
        "", confidentiality,
    ]  # fmt: skip


def _medium(
    exhibit: Exhibit,
    shown: Summary,
    medium: Medium,
    position: int,
    family: list[str],
    custodian: str,
    confidentiality: str,
) -> list[str]:
    stem = attachment_stem(exhibit, position)
    version = shown.version
    return [
        stem, stem, *family, custodian, medium.media_type, "", "", *_sent(shown.posted_ms), medium.url or "",
        exhibit.platform, "", (version and version.conversation_id) or "", exhibit.id,
        "Y" if is_gone(exhibit) else "N", "N", medium.sha256 or "", relative(medium.path or ""),
        relative(text_path(stem)) if medium.alt_text else "", "", confidentiality,
    ]  # fmt: skip


def relative(path: str) -> str:
    """A path of the pack as seen from the load file's folder."""
    folder = posixpath.dirname(LOAD_FILE) + "/"
    return path[len(folder) :] if path.startswith(folder) else posixpath.relpath(path, folder)


def _to(shown: Summary) -> str:
    """Whoever a message names beside its sender; of a reply the handle that it answers."""
    version = shown.version
    if version is None:
        return ""
    if version.in_reply_to_handle:
        return f"@{version.in_reply_to_handle}"
    return joined(
        [person_in_words(one) for one in version.people if one.role in ("recipient", "participant")]
    )


def _edited(exhibit: Exhibit) -> str:
    return "Y" if version_count(exhibit) > 1 else "N"


def _sent(milliseconds: int | None) -> list[str]:
    """Date, time and zone; all empty of what has no time, or one that no calendar writes."""
    found = _DATE.match(utc(milliseconds))
    return ["".join(found.groups()[:3]), found[4], "UTC"] if found else ["", "", ""]
