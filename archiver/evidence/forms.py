"""The forms of a pack that a user may ask for."""

from collections.abc import Iterable
from typing import Final

from archiver.errors import UsageError

FORMS: Final = {
    "html": "report.html, the page to be read",
    "pdf": "report.pdf, the same to be printed and bundled",
    "csv": "records.csv, a row for each record",
    "jsonl": "records.jsonl, everything about each record",
    "load": "records.dat and text/, a load file for review platforms",
    "originals": "originals/, the bytes as the platform sent them",
    "captures": "captures/, answers of the platform's interface",
    "media": "media/, pictures and videos",
    "case": "case.jsonld, the graph in CASE/UCO",
}
FLAT: Final = "flat"
"""One CSV file as the web service gave it that was used before; no pack."""
_PUBLIC = frozenset(("csv", "html"))


def read_forms(text: str | None) -> tuple[str, ...]:
    """What `--format` names, in the order above; all of it without one. Raise UsageError for an unknown
    form, and for `flat` beside others."""
    if text is None:
        return tuple(FORMS)
    wanted = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    unknown = [one for one in wanted if one not in FORMS and one != FLAT]
    if unknown or not wanted:
        what = f"there is no form {unknown[0][:40]!r}" if unknown else "no form is named"
        raise UsageError(what, f"one or several of: {', '.join((*FORMS, FLAT))}, as --format csv,html")
    if FLAT in wanted:
        if len(wanted) > 1:
            raise UsageError("flat is one CSV file and goes with no other form", "give --format flat alone")
        return (FLAT,)
    return tuple(one for one in FORMS if one in wanted)


def is_public(forms: Iterable[str]) -> bool:
    """Whether a pack of these forms is one for publication: nothing but tables and pages of columns that
    may be published."""
    return _PUBLIC.issuperset(forms)
