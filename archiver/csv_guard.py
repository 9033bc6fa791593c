"""Cells of a CSV file that a spreadsheet would run as a formula, made harmless and made as they were again.

A post may begin with `=HYPERLINK(…)`; whoever opens the export in a spreadsheet must not run it. A leading
apostrophe makes it text (OWASP, "CSV Injection"). RFC 4180's quotes do not help: they are gone once read.
"""

import csv
import io
import unicodedata
from collections.abc import Sequence

GUARD = "'"
_STARTS_A_FORMULA = ("=", "+", "-", "@")
_PASSED_OVER = ("Zs", "Zl", "Zp", "Cf", "Cc")
"""Spaces of every kind, controls, and what is not seen: a byte order mark, joiners, marks of direction."""


def needs_guard(text: str) -> bool:
    """Whether the cell would be run, or would be once the apostrophes before it are taken off: so that
    `without_guard` gives every text back."""
    if text[:1].isalnum() and text[0].isascii():
        return False  # most cells: told in a tenth of the time
    text = text.lstrip(GUARD)
    if not text:
        return False
    if unicodedata.category(text[0]) == "Cc":
        return True
    first = next((one for one in text if unicodedata.category(one) not in _PASSED_OVER), "")
    # NFKC takes full-width, small and raised signs (＝ ﹢ ⁻) for what they stand for.
    return unicodedata.normalize("NFKC", first)[:1] in _STARTS_A_FORMULA


def with_guard(text: str) -> str:
    """The cell as it is written."""
    return GUARD + text if needs_guard(text) else text


def without_guard(cell: str) -> str:
    """The text of a cell that `with_guard` wrote; any other as it is."""
    return cell[1:] if cell.startswith(GUARD) and needs_guard(cell[1:]) else cell


def csv_line(cells: Sequence[str]) -> bytes:
    """One line of a CSV file (RFC 4180), UTF-8; its cells guarded already."""
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode()
