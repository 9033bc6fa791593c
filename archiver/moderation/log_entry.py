"""One row of a log to an entry of the register, with everything that is wrong in the row at once.

A row of an export of this register is taken as it stands: who acts, what is known of the content and why
something is not, so that nothing that was over becomes a thing to be done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from archiver.moderation.decision import CLOCK_TOLERANCE_MS
from archiver.moderation.log_cells import Cells, listed
from archiver.moderation.log_item import item_fields
from archiver.moderation.log_lines import BadRow, Row
from archiver.moderation.log_times import parse_log_time
from archiver.moderation.mapping import CODES, NAMES, REFERENCE, TIMES, VERBATIM, LogMapping
from archiver.records import Attachment, Moderation
from archiver.settings import AccountSettings

NOT_IN_THE_LOG: Final = "not in the imported log"
FILE_ELSEWHERE: Final = "its file was not in the imported log"
CONTENTS: Final = ("captured", "given", "unseen")
WAYS: Final = ("api", "hand")
_MAY_BE_AHEAD: Final = frozenset({"until_at"})
_REQUIRED: Final[Mapping[str, str]] = {
    "action": "map the column that says what was done",
    "entered_by": "give --by WHO",
}
_MEDIA_TYPES: Final[Mapping[str, str]] = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp4": "video/mp4",
}


@dataclass(frozen=True)
class Read:
    """A row's entry without its ids, and what the log calls the row."""

    entry: Moderation
    reference: str | None


@dataclass(frozen=True)
class RowReader:
    """Makes entries of one log's rows. `account` and `entered_by` stand for what a row does not say;
    `is_guarded` and `is_export` are what the log says of itself."""

    mapping: LogMapping
    accounts: Sequence[AccountSettings]
    reasons: Sequence[str]
    now_ms: int
    account: str | None = None
    entered_by: str | None = None
    is_guarded: bool = False
    is_export: bool = False

    def read(self, row: Row) -> Read | BadRow:
        """The entry, or all that is wrong."""
        cells = Cells(row, self.mapping, is_guarded=self.is_guarded, is_export=self.is_export)
        fields = self._fields(cells)
        if cells.problems:
            return BadRow(row.line, tuple(cells.problems))
        entry = Moderation(id="", record_id="", number=1, entry="decision", **fields)
        return Read(entry, cells.cell(REFERENCE))

    def _fields(self, cells: Cells) -> dict[str, Any]:
        """Everything the row says, by the names of an entry's fields."""
        fields: dict[str, Any] = {name: cells.name(name) for name in NAMES}
        fields |= {name: cells.verbatim(name) for name in VERBATIM}
        fields |= {f"{name.removesuffix('_at')}_ms": self._time(cells, name) for name in TIMES}
        fields |= {name: cells.code(name, choices) for name, choices in CODES.items()}
        fields["reason_codes"] = cells.reasons(self.reasons)
        fields["entered_by"] = fields["entered_by"] or self.entered_by
        fields |= _of_an_export(cells)
        if not self.is_export:
            fields = _filled(fields)
        fields |= item_fields(cells, self.accounts, self.account)
        _check(cells, fields)
        return fields

    def _time(self, cells: Cells, field: str) -> int | None:
        text = cells.cell(field)
        if text is None:
            return None
        try:
            moment = parse_log_time(text, self.mapping.time_formats, self.mapping.timezone)
        except ValueError as error:
            cells.problem(field, str(error))
            return None
        if moment > self.now_ms + CLOCK_TOLERANCE_MS and field not in _MAY_BE_AHEAD:
            cells.problem(field, f"{text!r} lies in the future")
        return moment


def _of_an_export(cells: Cells) -> dict[str, Any]:
    """What only this register says of a record. Its files are named as they were, and are not there."""
    cell = cells.cell("attachments")
    names = [] if cell is None else listed(cell) or cell.split(", ")
    return {
        "way": cells.code("way", WAYS),
        "content": cells.code("content", CONTENTS),
        "unseen": cells.verbatim("unseen"),
        "attachments": tuple(map(_attachment, names)),
    }


def _attachment(name: str) -> Attachment:
    return Attachment(
        role="screenshot" if name.startswith("screenshot-") else "media",
        file_name=name,
        media_type=_MEDIA_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream"),
        missing=FILE_ELSEWHERE,
    )


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    """With what a log kept by hand means where it says nothing: a person did it, and it is done."""
    unseen = fields["text"] is None
    usual = {
        "way": "hand",
        "state": "done",
        "content": "unseen" if unseen else "given",
        "unseen": NOT_IN_THE_LOG if unseen else None,
    }
    return {**fields, **{name: fields[name] or value for name, value in usual.items()}}


def _check(cells: Cells, fields: dict[str, Any]) -> None:
    """What must be there, and what cannot be so."""
    for name, hint in _REQUIRED.items():
        if fields[name] is None and cells.cell(name) is None:
            cells.problem(name, f"this is missing; {hint}")
    if fields["entered_ms"] is None and cells.cell("entered_at") is None:
        fields["entered_ms"] = fields["action_ms"] or fields["detected_ms"]
        if fields["entered_ms"] is None and not (cells.cell("action_at") or cells.cell("detected_at")):
            cells.problem("entered_at", "there is no time: when it was entered, acted on or detected")
    posted, entered = fields["posted_ms"], fields["entered_ms"]
    if posted is not None and entered is not None and posted > entered + CLOCK_TOLERANCE_MS:
        cells.problem("posted_at", "it was posted after it was entered in the log")
