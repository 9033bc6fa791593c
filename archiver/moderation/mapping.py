"""How a log that was kept until now is read: a small TOML file that says what its columns and words mean.

`config/moderation-log.sample.toml` explains each key. Without such a file a log's columns are called as an
export of this register calls them.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast, get_args
from zoneinfo import ZoneInfo

from archiver.disk import os_errors_reported
from archiver.errors import ConfigurationError
from archiver.moderation.decision import APPEAL_OUTCOMES, DETECTIONS, ESCALATIONS
from archiver.records import MODERATION_VERBS, ItemType, ModerationAction, ModerationState
from archiver.settings import SettingsError
from archiver.settings.moderation import ModerationSettings
from archiver.settings.table import Problem, Table

Format = Literal["csv", "jsonl"]
Encoding = Literal["utf-8", "windows-1252"]
TIMES: Final = (
    "entered_at", "posted_at", "detected_at", "action_at", "until_at", "notified_at", "appeal_received_at",
    "appeal_decided_at",
)  # fmt: skip
CODES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "item_type": get_args(ItemType),
    "detection": DETECTIONS,
    "action": get_args(ModerationAction),
    "state": get_args(ModerationState),
    "escalated": ESCALATIONS,
    "appeal_outcome": APPEAL_OUTCOMES,
})  # fmt: skip
VERBATIM: Final = ("text", "reason_text")
NAMES: Final = (
    "entered_by", "author_name", "language", "detected_by", "house_rule", "house_rule_version",
    "legal_ground", "action_by", "authorised_by", "outcome", "notified_how", "not_notified",
    "escalated_reference", "appeal_decided_by", "exhibit", "case", "retention_rule", "hold",
)  # fmt: skip
IDS: Final = ("platform", "account", "item_id", "item_url", "author_id", "author_handle")
REFERENCE: Final = "reference"
"""What the log itself calls a row: a number of its own, which stays when the row is put right there."""
OWN_REFERENCE: Final = "record_id"
"""What an export of this register calls it."""
FIELDS: Final = (REFERENCE, *IDS, *TIMES, *CODES, "reason_codes", *NAMES, *VERBATIM)
"""What a column can be taken for."""
OF_AN_EXPORT: Final = ("account_handle", "way", "content", "unseen", "attachments")
"""What a column of an export of this register is taken for beside these."""
VALUES: Final = (*CODES, "reason_codes", "platform", "account")
"""The fields whose words a mapping can explain."""
UK_TIME_FORMATS: Final = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y")
PLATFORM_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
PLATFORM_HINT: Final = "small letters, digits, - and _, as facebook"
_DELIMITERS: Final = {",": ",", ";": ";", "|": "|", "\t": "\t", "tab": "\t"}
_PROBE: Final = datetime(2031, 10, 25, tzinfo=UTC)


@dataclass(frozen=True)
class LogMapping:
    """`columns`: our field to their column. `values`: of a field their word, as `word_key` makes it, to our
    codes. `is_own`: the columns are those of an export of this register, which are all known, whose ids stay
    and whose cells were guarded against spreadsheets."""

    columns: Mapping[str, str]
    format: Format | None = None
    encoding: Encoding = "utf-8"
    delimiter: str = ","
    timezone: ZoneInfo | None = None
    time_formats: tuple[str, ...] = UK_TIME_FORMATS
    platform: str | None = None
    account: str | None = None
    values: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    reason_separator: str = ","
    is_own: bool = False


def own_mapping() -> LogMapping:
    """For a log without a mapping: an export of this register, or one that is called so."""
    columns = {name: name for name in (*FIELDS, *OF_AN_EXPORT)}
    return LogMapping({**columns, REFERENCE: OWN_REFERENCE}, is_own=True)


def word_key(word: str) -> str:
    """By which words of a log are found: case, and space around them, do not count."""
    return word.strip().casefold()


def load_mapping(path: Path, moderation: ModerationSettings) -> LogMapping:
    """Read and check a mapping. Raise SettingsError with everything that is wrong in it, ConfigurationError
    for a file that is not there or no TOML."""
    with os_errors_reported("reading", path):
        if not path.is_file():
            raise ConfigurationError(
                f"there is no mapping {path}", "begin with a copy of config/moderation-log.sample.toml"
            )
        data = path.read_bytes()
    try:
        document: dict[str, object] = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: byte {error.start} is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"{path} is not TOML: {error}", 'a text needs quotes: key = "value"'
        ) from error
    problems: list[Problem] = []
    mapping = _read_mapping(Table(document, "", problems), document, moderation)
    if problems:
        raise MappingError(path, tuple(problems))
    return mapping


class MappingError(SettingsError):
    """All problems of one mapping."""

    def __init__(self, path: Path, problems: tuple[Problem, ...]) -> None:
        super().__init__(path, problems)
        if len(problems) > 1:
            self.hint = "config/moderation-log.sample.toml explains every key"


def _read_mapping(top: Table, document: Mapping[str, object], moderation: ModerationSettings) -> LogMapping:
    encoding = top.choice("encoding", "utf-8", ("utf-8", "utf-8-sig", "windows-1252"))
    form = top.choice("format", "csv", get_args(Format)) if top.has("format") else None
    mapping = LogMapping(
        columns=_read_columns(top),
        format=cast("Format | None", form),
        encoding="windows-1252" if encoding == "windows-1252" else "utf-8",
        delimiter=_DELIMITERS.get(top.choice("delimiter", ",", tuple(_DELIMITERS)), ","),
        timezone=_read_timezone(top),
        time_formats=_read_time_formats(top),
        platform=top.optional_text("platform", pattern=PLATFORM_NAME, hint=PLATFORM_HINT),
        account=top.optional_text("account"),
        values=_read_values(top, document, moderation),
        reason_separator=top.text("reason_separator", ","),
    )
    top.report_unknown()
    return mapping


def _read_columns(top: Table) -> Mapping[str, str]:
    table = top.table("columns")
    found = {name: table.optional_text(name) for name in FIELDS}
    columns = {name: column for name, column in found.items() if column is not None}
    if not columns:
        top.problem("columns", "this names no column", 'as: text = "Comment"')
    return columns


def _read_timezone(top: Table) -> ZoneInfo | None:
    name = top.optional_text("timezone")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # as for "Europe", which is a folder of the zones
        top.problem("timezone", f"{name!r} is no time zone that is known here", "as Europe/London, or UTC")
        return None


def _read_time_formats(top: Table) -> tuple[str, ...]:
    formats = top.texts("time_formats", UK_TIME_FORMATS, hint="as %d/%m/%Y %H:%M")
    for one in formats:
        if "%Z" in one:
            top.problem("time_formats", f"{one!r} reads a zone's name, which says nothing", "%z reads +01:00")
        elif not _gives_a_day(one):
            top.problem(
                "time_formats", f"{one!r} does not give a day with its year", "as %d/%m/%Y %H:%M, or %d %b %Y"
            )
    return formats


def _gives_a_day(form: str) -> bool:
    """Whether a day written in this form is read back as the same."""
    try:
        return datetime.strptime(_PROBE.strftime(form), form).date() == _PROBE.date()  # noqa: DTZ007  # a day
    except (ValueError, OverflowError):
        return False


def _read_values(
    top: Table, document: Mapping[str, object], moderation: ModerationSettings
) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """`[values.FIELD]`: the words are the log's own, so every key is known."""
    choices: dict[str, tuple[str, ...]] = {**dict.fromkeys(VALUES, ()), **CODES}
    choices["reason_codes"] = moderation.reason_codes
    choices["action"] = tuple(dict.fromkeys((*CODES["action"], *MODERATION_VERBS)))
    given = document.get("values")
    values: dict[str, Mapping[str, tuple[str, ...]]] = {}
    table = top.table("values")
    for name, allowed in choices.items():
        words = given.get(name) if isinstance(given, dict) else None
        if table.has(name):
            below = table.table(name)
            values[name] = _read_words(
                below, words if isinstance(words, dict) else {}, allowed, many=name == "reason_codes"
            )
    if "action" in values:
        values["action"] = {
            word: tuple(MODERATION_VERBS.get(one, one) for one in said)
            for word, said in values["action"].items()
        }
    return values


def _read_words(
    table: Table, words: Mapping[str, object], allowed: tuple[str, ...], *, many: bool
) -> Mapping[str, tuple[str, ...]]:
    """Each word with what it stands for: one code, of reasons also several."""
    found: dict[str, tuple[str, ...]] = {}
    for word, value in words.items():
        if word_key(word) in found:
            table.problem(word, "this word is given twice", "upper and lower case do not count")
        if many and isinstance(value, list):
            codes = table.texts(word, ())
            for code in codes:
                if code not in allowed:
                    table.problem(word, f"{code!r} is not known", f"one of: {', '.join(allowed)}")
        else:
            codes = (table.choice(word, None, allowed) if allowed else table.text(word),)
        found[word_key(word)] = codes
    return found
