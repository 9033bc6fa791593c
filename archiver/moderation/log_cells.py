"""The cells of one row by our names for them, and what their words mean, with everything that is wrong."""

from collections.abc import Sequence
from typing import Final

import msgspec

from archiver.csv_guard import without_guard
from archiver.moderation.log_lines import Row
from archiver.moderation.mapping import VALUES, LogMapping, word_key
from archiver.records import MODERATION_VERBS

REASONS: Final = "reason_codes"


class Cells:
    """One row while it is read: every problem found goes into `problems`.

    `is_guarded`: its cells were guarded against spreadsheets. `is_export`: it stands in an export of this
    register, so that it is taken as it stands, with the space around its texts."""

    def __init__(
        self, row: Row, mapping: LogMapping, *, is_guarded: bool = False, is_export: bool = False
    ) -> None:
        self.mapping = mapping
        self.is_export = is_export
        self.problems: list[str] = []
        self._row = row
        self._is_guarded = is_guarded

    def problem(self, field: str, what: str) -> None:
        column = self.mapping.columns.get(field, field)
        self.problems.append(f"{column}: {what}" if column == field else f"{column} ({field}): {what}")

    def verbatim(self, field: str) -> str | None:
        """What stands there; None for nothing, and but in an export for nothing but space."""
        column = self.mapping.columns.get(field)
        cell = "" if column is None else self._row.cells.get(column, "")
        text = without_guard(cell) if self._is_guarded else cell
        return text if text.strip() or (text and self.is_export) else None

    def cell(self, field: str) -> str | None:
        """Without the space around it."""
        return (self.verbatim(field) or "").strip() or None

    def name(self, field: str) -> str | None:
        """A text of one line: without the space around it, but as it stands in an export."""
        return self.verbatim(field) if self.is_export else self.cell(field)

    def translated(self, field: str) -> str | None:
        """A text, or what the mapping says that it stands for."""
        word = self.cell(field)
        if word is None:
            return None
        return self.mapping.values.get(field, {}).get(word_key(word), (word,))[0]

    def code(self, field: str, choices: Sequence[str]) -> str | None:
        """The code that the cell stands for; None, and a problem, for a word that is not known."""
        word = self.cell(field)
        codes = self._meaning(field, word, choices) if word is not None else ()
        return codes[0] if codes else None

    def reasons(self, choices: Sequence[str]) -> tuple[str, ...]:
        """The reasons of a cell: one that the mapping knows whole, a JSON list, or several parted as the
        mapping says."""
        cell = self.cell(REASONS)
        if cell is None:
            return ()
        words = [cell]
        if word_key(cell) not in self.mapping.values.get(REASONS, {}):
            words = listed(cell) or cell.split(self.mapping.reason_separator)
        found = [
            code for word in words if word.strip() for code in self._meaning(REASONS, word.strip(), choices)
        ]
        return tuple(dict.fromkeys(found))

    def _meaning(self, field: str, word: str, choices: Sequence[str]) -> tuple[str, ...]:
        """The codes that a word stands for; none, and a problem, for one that is not known."""
        found = self.mapping.values.get(field, {}).get(word_key(word))
        if found is not None:
            return found
        if word_key(word) in choices:
            return (word_key(word),)
        if field == "action" and word_key(word) in MODERATION_VERBS:
            return (MODERATION_VERBS[word_key(word)],)
        self.problem(field, f"{word!r} is none of: {', '.join(choices)}{self._remedy(field)}")
        return ()

    def _remedy(self, field: str) -> str:
        if self.is_export and field == REASONS:
            return "; add it to the reasons of the settings, [[moderation.reason]]"
        return f"; say in a mapping what it stands for, under [values.{field}]" if field in VALUES else ""


def listed(cell: str) -> list[str] | None:
    """The texts of a JSON list; None for a cell that is none."""
    try:
        return msgspec.json.decode(cell, type=list[str])
    except (msgspec.MsgspecError, RecursionError):
        return None
