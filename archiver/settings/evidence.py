"""The settings of evidence packs: `[evidence]`."""

from dataclasses import dataclass
from pathlib import Path

FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
"""Where Debian and its kin keep fonts."""


@dataclass(frozen=True)
class EvidenceSettings:
    """`[evidence]`. `organisation` and `contact` stand in each pack; `fonts` are the folders with the fonts
    that its PDF is printed with."""

    organisation: str | None = None
    contact: str | None = None
    fonts: tuple[Path, ...] = FONT_FOLDERS
