"""Exhibits for a pack that has not all forms: what it does not hold has no path in it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from archiver.evidence.model import (
    Capture,
    Exhibit,
    GoneNotice,
    Medium,
    ModerationNote,
    Original,
    ShownVersion,
)

_WITH_MEDIA = frozenset(("html", "load", "media"))
"""The page links to what is too large to stand in it, the load file names it."""
_NOT_IN_FORM = "not in this form of the pack"
Held = TypeVar("Held", Original, Capture)


class Trimmer:
    """Takes away the paths of files that a pack of these forms has not, and those of captures `withheld`."""

    def __init__(self, forms: Collection[str], withheld: Collection[str] = ()) -> None:
        self._withheld = withheld
        self._originals = "originals" in forms
        self._captures = "captures" in forms
        self._media = not _WITH_MEDIA.isdisjoint(forms)

    def trim(self, exhibit: Exhibit) -> Exhibit:
        """The exhibit; the same object where all is in the pack."""
        if self._originals and self._captures and self._media and not self._withheld:
            return exhibit
        return replace(
            exhibit,
            versions=tuple(self._version(one) for one in exhibit.versions),
            gone=tuple(self._notice(one) for one in exhibit.gone),
            moderation=tuple(self._note(one) for one in exhibit.moderation),
        )

    def _version(self, version: ShownVersion) -> ShownVersion:
        return replace(
            version,
            originals=self._all(version.originals),
            capture=self._capture(version.capture),
            media=self._some(version.media),
        )

    def _notice(self, notice: GoneNotice) -> GoneNotice:
        original, capture = notice.original, notice.capture
        return replace(
            notice,
            original=original if self._originals or original is None else _without_path(original),
            capture=None if capture is None else self._capture(capture),
        )

    def _capture(self, capture: Capture) -> Capture:
        return capture if self._captures and capture.path not in self._withheld else _without_path(capture)

    def _note(self, note: ModerationNote) -> ModerationNote:
        return replace(note, originals=self._all(note.originals), media=self._some(note.media))

    def _all(self, originals: Sequence[Original]) -> tuple[Original, ...]:
        return tuple(originals if self._originals else map(_without_path, originals))

    def _some(self, media: Sequence[Medium]) -> tuple[Medium, ...]:
        if self._media:
            return tuple(media)
        return tuple(
            one if one.path is None else replace(one, path=None, missing=_NOT_IN_FORM) for one in media
        )


def _without_path(held: Held) -> Held:
    return held if held.path is None else replace(held, path=None)


def paths_in(exhibits: Iterable[Exhibit]) -> Iterator[str]:
    """The files of the pack that exhibits name."""
    for exhibit in exhibits:
        structs: list[Struct | None] = []
        for version in exhibit.versions:
            structs += [*version.originals, *version.media, version.capture]
        for notice in exhibit.gone:
            structs += [notice.original, notice.capture]
        for note in exhibit.moderation:
            structs += [*note.originals, *note.media]
        yield from (path for one in structs if (path := getattr(one, "path", None)) is not None)
