"""One row of a log to an entry of the register, with everything that is wrong in the row at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from archiver.errors import UsageError
from archiver.moderation.csv_guard import without_guard
from archiver.moderation.decision import CLOCK_TOLERANCE_MS
from archiver.moderation.item import parse_item_name
from archiver.moderation.log_lines import BadRow, Row
from archiver.moderation.log_times import parse_log_time
from archiver.moderation.mapping import (
    CODES,
    NAMES,
    PLATFORM_HINT,
    PLATFORM_NAME,
    REFERENCE,
    TIMES,
    VERBATIM,
    LogMapping,
    word_key,
)
from archiver.records import Moderation
from archiver.settings import PLATFORMS, AccountSettings

NOT_IN_THE_LOG: Final = "not in the imported log"
_X: Final = "x"
_SHORTENED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,2}")
_ADDRESS: Final = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_MAY_BE_AHEAD: Final = frozenset({"until_at"})
_REQUIRED: Final[Mapping[str, str]] = {
    "action": "map the column that says what was done",
    "entered_by": "give --by WHO",
}


@dataclass(frozen=True)
class Read:
    """A row's entry without its ids, and what the log calls the row."""

    entry: Moderation
    reference: str | None


@dataclass(frozen=True)
class RowReader:
    """Makes entries of one log's rows. `account` and `entered_by` stand for what a row does not say."""

    mapping: LogMapping
    accounts: Sequence[AccountSettings]
    reasons: Sequence[str]
    now_ms: int
    account: str | None = None
    entered_by: str | None = None
    is_guarded: bool = False

    def read(self, row: Row) -> Read | BadRow:
        """The entry, or all that is wrong."""
        cells = _Cells(row, self)
        fields = cells.fields()
        if cells.problems:
            return BadRow(row.line, tuple(cells.problems))
        entry = Moderation(id="", record_id="", number=1, entry="decision", way="hand", **fields)
        return Read(entry, cells.cell(REFERENCE))


class _Cells:
    """One row while it is read: every problem found goes into `problems`."""

    def __init__(self, row: Row, reader: RowReader) -> None:
        self._row = row
        self._reader = reader
        self._mapping = reader.mapping
        self.problems: list[str] = []

    def problem(self, field: str, what: str) -> None:
        column = self._mapping.columns.get(field, field)
        self.problems.append(f"{column}: {what}" if column == field else f"{column} ({field}): {what}")

    def verbatim(self, field: str) -> str | None:
        """What stands there; None for nothing but space."""
        cell = self._row.cells.get(self._mapping.columns.get(field, ""), "")
        text = without_guard(cell) if self._reader.is_guarded else cell
        return text if text.strip() else None

    def cell(self, field: str) -> str | None:
        """Without the space around it."""
        text = self.verbatim(field)
        return None if text is None else text.strip()

    def fields(self) -> dict[str, Any]:
        """Everything the row says, by the names of an entry's fields."""
        fields: dict[str, Any] = {name: self.cell(name) for name in NAMES}
        fields |= {name: self.verbatim(name) for name in VERBATIM}
        fields |= {f"{name.removesuffix('_at')}_ms": self._time(name) for name in TIMES}
        fields |= {name: self._code(name) for name in CODES}
        fields["reason_codes"] = self._reasons()
        fields["entered_by"] = fields["entered_by"] or self._reader.entered_by
        fields["state"] = fields["state"] or "done"
        fields["content"] = "unseen" if fields["text"] is None else "given"
        fields["unseen"] = NOT_IN_THE_LOG if fields["text"] is None else None
        fields |= self._who_and_what()
        self._check(fields)
        return fields

    def _check(self, fields: dict[str, Any]) -> None:
        """What must be there, and what cannot be so."""
        for name, hint in _REQUIRED.items():
            if fields[name] is None and self.cell(name) is None:
                self.problem(name, f"this is missing; {hint}")
        if fields["entered_ms"] is None and self.cell("entered_at") is None:
            fields["entered_ms"] = fields["action_ms"] or fields["detected_ms"]
            if fields["entered_ms"] is None and not (self.cell("action_at") or self.cell("detected_at")):
                self.problem("entered_at", "there is no time: when it was entered, acted on or detected")
        if self._mapping.is_own and self._row.cells.get("entry", "decision") != "decision":
            self.problem("entry", "only records can be imported: export them without --entries")
        posted, entered = fields["posted_ms"], fields["entered_ms"]
        if posted is not None and entered is not None and posted > entered:
            self.problem("posted_at", "it was posted after it was entered in the log")

    # Times and codes

    def _time(self, field: str) -> int | None:
        text = self.cell(field)
        if text is None:
            return None
        try:
            moment = parse_log_time(text, self._mapping.time_formats, self._mapping.timezone)
        except ValueError as error:
            self.problem(field, str(error))
            return None
        if moment > self._reader.now_ms + CLOCK_TOLERANCE_MS and field not in _MAY_BE_AHEAD:
            self.problem(field, f"{text!r} lies in the future")
        return moment

    def _meaning(self, field: str, word: str, choices: Sequence[str]) -> tuple[str, ...]:
        """The codes that a word stands for; none, and a problem, for one that is not known."""
        found = self._mapping.values.get(field, {}).get(word_key(word))
        if found is not None:
            return found
        if word_key(word) in choices:
            return (word_key(word),)
        known = ", ".join(choices)
        how = f"say in a mapping what it stands for, under [values.{field}]"
        self.problem(field, f"{word!r} is none of: {known}; {how}")
        return ()

    def _code(self, field: str) -> str | None:
        word = self.cell(field)
        codes = self._meaning(field, word, CODES[field]) if word is not None else ()
        return codes[0] if codes else None

    def _reasons(self) -> tuple[str, ...]:
        """The reasons of a cell: one that the mapping knows whole, a JSON list, or several parted as the
        mapping says."""
        cell = self.cell("reason_codes")
        if cell is None:
            return ()
        words = [cell]
        if word_key(cell) not in self._mapping.values.get("reason_codes", {}):
            words = _listed(cell) or cell.split(self._mapping.reason_separator)
        found = [
            code
            for word in words
            if word.strip()
            for code in self._meaning("reason_codes", word.strip(), self._reader.reasons)
        ]
        return tuple(dict.fromkeys(found))

    # Who and what it is about

    def _who_and_what(self) -> dict[str, Any]:
        platform = self._translated("platform") or self._mapping.platform or _X
        if not PLATFORM_NAME.fullmatch(platform):
            self.problem("platform", f"{platform!r} is no platform's name: {PLATFORM_HINT}")
        account, handle = self._account(platform)
        url = self.cell("item_url")
        if url is not None and not _ADDRESS.fullmatch(url):
            self.problem("item_url", f"{url!r} is no address: it begins with https://")
        return {
            "platform": platform,
            "account": account,
            "account_handle": handle,
            "item_id": self._item_id(platform, url),
            "item_url": url,
            "author_id": self._x_id("author_id") if platform == _X else self.cell("author_id"),
            "author_handle": self._handle(platform),
        }

    def _translated(self, field: str) -> str | None:
        """A text, or what the mapping says that it stands for."""
        word = self.cell(field)
        if word is None:
            return None
        return self._mapping.values.get(field, {}).get(word_key(word), (word,))[0]

    def _account(self, platform: str) -> tuple[str, str | None]:
        """An account of the settings by its id or handle; of a platform they know nothing of, any."""
        name = self._translated("account") or self._reader.account or self._mapping.account
        if name is None:
            self.problem("account", "this is missing; give --account, or account in the mapping")
            return "", None
        mine = [one for one in self._reader.accounts if one.platform == platform]
        for one in mine:
            if name == one.id or (one.handle and name.removeprefix("@").casefold() == one.handle.casefold()):
                return one.id, one.handle
        if platform in PLATFORMS:
            known = ", ".join(f"@{one.handle}" if one.handle else one.id for one in mine) or "none"
            self.problem("account", f"{name!r} is no {platform} account of the settings, which have: {known}")
        return name, None

    def _item_id(self, platform: str, url: str | None) -> str | None:
        given = self._x_id("item_id") if platform == _X else self.cell("item_id")
        if platform != _X or url is None:
            return given
        try:
            found = parse_item_name(url).id
        except UsageError:  # an address of something else on X, or of what quotes it
            return given
        if given is not None and found is not None and given != found:
            self.problem("item_id", f"{given} is not the post that item_url leads to, {found}")
        return given or found

    def _x_id(self, field: str) -> str | None:
        cell = self.cell(field)
        if cell is None or PLATFORMS[_X].account_id.fullmatch(cell):
            return cell
        if _SHORTENED.fullmatch(cell):
            self.problem(
                field, f"{cell!r} was shortened by a spreadsheet: export the log with this column as text"
            )
        else:
            self.problem(field, f"{cell!r} is no id of X, which is a number")
        return None

    def _handle(self, platform: str) -> str | None:
        cell = self.cell("author_handle")
        if cell is None:
            return None
        handle = cell.removeprefix("@")
        if platform == _X and not PLATFORMS[_X].handle.fullmatch(handle):
            self.problem("author_handle", f"{cell!r} is no handle of X; a name belongs in author_name")
        return handle


def _listed(cell: str) -> list[str] | None:
    """The texts of a JSON list; None for a cell that is none."""
    try:
        return msgspec.json.decode(cell, type=list[str])
    except (msgspec.MsgspecError, RecursionError):
        return None
