"""The fonts that a report is printed with: those installed, in the order in which typst is to try them.

Which of them has a character is read from the fonts themselves (OpenType, "cmap"). typst and fonttools are
loaded at the first use: together 0.1 s, which nobody pays who makes no PDF.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from archiver.errors import ConfigurationError
from archiver.settings.evidence import FONT_FOLDERS

if TYPE_CHECKING:
    pass

BUILT_IN: Final = ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono")
"""typst's own fonts: European scripts, and Hebrew in the first. They are in no file, so that only typst can
say what is in them."""
_LEADING = ("Noto Sans", "DejaVu Sans", "Liberation Sans")
"""The first of these that is installed prints all it has. Without one typst's own does: a font for emoji
has digits too, and one for Arabic has Latin letters."""
_EMOJI = "Noto Color Emoji"
_SPECIAL = ("UI", "Display", "Mono", "Looped", "Kufi", "Nastaliq", "Rashi", "Math", "Music")
"""In names of families that are not for running text, or a second choice for it."""
_CJK = {"kana": " JP", "hangul": " KR", "other": " SC"}


class _Face(NamedTuple):
    family: str
    path: str
    number: int


class Fonts:
    """The fonts in some folders and those that are built into typst. What was read of them is kept, so one
    of these serves for a whole run."""

    def __init__(self, folders: Sequence[Path] = FONT_FOLDERS) -> None:
        """Folders that are not there hold nothing. Raise ConfigurationError where typst is not installed."""
        self.folders = tuple(str(one) for one in folders if one.is_dir())
        try:
            import typst
        except ImportError as error:
            raise ConfigurationError(
                "the report cannot be made as PDF: typst is not installed",
                "install it: pip install 'archiver[pdf]'; or leave pdf out of --format",
            ) from error
        self.loaded: typst.Fonts = typst.Fonts(include_system_fonts=False, font_paths=list(self.folders))
        self._characters: dict[_Face, frozenset[int]] = {}

    @cached_property
    def _faces(self) -> list[_Face]:
        """The plain face of each family that is in a file."""
        found: dict[str, tuple[tuple[bool, float, int], _Face]] = {}
        for one in self.loaded.fonts():
            if one.path is None or one.style != "normal":
                continue
            distance = (one.weight != 400, abs(one.stretch - 1.0), abs(one.weight - 400))
            if one.family not in found or distance < found[one.family][0]:
                found[one.family] = (distance, _Face(one.family, one.path, one.index))
        return [face for _, face in found.values()]

    def families(self, characters: Iterable[str]) -> list[str]:
        """The families to print these characters with, best first: no more of those installed than are
        needed, then those built in."""
        waiting = {ord(one) for one in characters}
        installed = {face.family for face in self._faces}
        leading = next((one for one in _LEADING if one in installed), None)
        chosen = [] if leading else [BUILT_IN[0]]
        waiting -= set() if leading else set(range(128))
        for face in sorted(self._faces, key=lambda one: _rank(one.family, leading, waiting)):
            covered = waiting & self._read(face) if waiting else set()
            if covered or face.family == leading:
                chosen.append(face.family)
                waiting -= covered
        return [*chosen, *(one for one in BUILT_IN if one not in chosen)]

    def _read(self, face: _Face) -> frozenset[int]:
        """The code points that a font has; none of one that cannot be read, which typst then may know."""
        if face not in self._characters:
            from fontTools.ttLib import TTFont, TTLibError

            try:
                with TTFont(face.path, fontNumber=face.number, lazy=True) as font:
                    known = frozenset(font.getBestCmap() or ())
            except (OSError, TTLibError, ValueError, KeyError, AssertionError):
                known = frozenset()
            self._characters[face] = known
        return self._characters[face]


def _rank(family: str, leading: str | None, characters: set[int]) -> tuple[int, bool, bool, str]:
    """Sans before serif, fonts for running text before others. Those for Chinese, Japanese and Korean come
    first, as others have their full stop too, in another width; of them the one for what is written."""
    if family in (leading, _EMOJI):
        return int(family == _EMOJI), False, False, ""
    is_special = any(word in family.split() or family.endswith(word) for word in _SPECIAL)
    is_sans = family.startswith("Noto Sans")
    is_cjk = family.startswith("Noto Sans CJK")
    wrong_region = is_cjk and not family.endswith(_CJK[_region(characters)])
    place = 2 + (0 if is_sans else 1 if family.startswith("Noto") else 2)
    return place + (3 if is_special else 0), not is_cjk, wrong_region, family


def _region(characters: set[int]) -> str:
    if any(0x3040 <= one <= 0x30FF for one in characters):
        return "kana"
    return "hangul" if any(0xAC00 <= one <= 0xD7A3 for one in characters) else "other"
