"""`[evidence]` of `archiver.toml`, read into the dataclass of `archiver.settings.evidence`."""

import re
from pathlib import Path

from archiver.settings.evidence import EvidenceSettings
from archiver.settings.table import Table

_WORDS = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


def read_evidence_settings(table: Table, home: Path) -> EvidenceSettings:
    """`[evidence]`. An absent table has all defaults. A folder of fonts that is not there is a problem, so
    that no report lacks letters because of a slip of the pen; those of the default may be absent."""
    default = EvidenceSettings()
    folders = table.texts("fonts", tuple(map(str, default.fonts)), hint='as ["/usr/share/fonts"]')
    fonts = tuple(home / Path(one).expanduser() for one in folders if "\0" not in one)
    for one in fonts:
        if one not in default.fonts and not one.is_dir():
            table.problem(
                "fonts", f"there is no folder {one}", "a path is taken from the folder of the settings"
            )
    return EvidenceSettings(
        organisation=table.optional_text("organisation", pattern=_WORDS, hint="on one line"),
        contact=table.optional_text("contact", pattern=_WORDS, hint="on one line"),
        fonts=fonts,
    )
