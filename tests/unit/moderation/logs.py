"""Logs as a force may have kept them, made up; a mapping for them; what is imported, read back."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archiver.formats import age
from archiver.moderation.importing import Imported, import_log
from archiver.moderation.log_entry import RowReader
from archiver.moderation.log_reading import BadRow, open_log
from archiver.moderation.mapping import LogMapping, load_mapping, own_mapping
from archiver.records import Moderation
from archiver.search.moderation import spooled_entries
from archiver.settings import AccountSettings
from archiver.settings.moderation import ModerationSettings
from archiver.spool import Spool
from archiver.state import KeyedHash
from archiver.times import parse_time

IDENTITY = age.X25519Identity.generate()
KEY = KeyedHash.of(IDENTITY)
NOW_MS = parse_time("2026-11-25T12:00:00Z")
ACCOUNTS = (AccountSettings("x", "1001", "SpringfieldPD"), AccountSettings("x", "1002"))
HEADER = ("Ref", "Logged", "Who", "Comment", "Reason", "Action")
MAPPING = """
timezone = "Europe/London"
account = "SpringfieldPD"
[columns]
reference = "Ref"
entered_at = "Logged"
entered_by = "Who"
text = "Comment"
reason_codes = "Reason"
action = "Action"
[values.action]
Deleted = "removed"
[values.reason_codes]
Racism = ["abusive", "discriminatory"]
"""
WITHOUT_REFERENCE = MAPPING.replace('reference = "Ref"\n', "")


def row(number: int | str, **changed: str) -> list[str]:
    """A row under HEADER in which nothing is wrong."""
    cells = dict(
        zip(
            HEADER,
            (str(number), "24/11/2026 14:05", "Clerk A", f"words {number}", "abusive", "Deleted"),
            strict=True,
        )
    )
    return list((cells | changed).values())


def csv_text(*rows: Sequence[str], header: Sequence[str] = HEADER) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([header, *rows])
    return text.getvalue()


def mapping_of(folder: Path, text: str = MAPPING) -> LogMapping:
    (folder / "map.toml").write_text(text, encoding="utf-8")
    return load_mapping(folder / "map.toml", ModerationSettings())


class Import:
    """Imports into one spool, each with what became of it."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.bad: list[BadRow] = []

    def __call__(self, path: Path, mapping: LogMapping | None = None, **options: Any) -> Imported:
        mapping = mapping or own_mapping()
        dry_run, on_bad_row = options.pop("dry_run", False), options.pop("on_bad_row", None)
        self.bad = []
        with open_log(path, mapping) as log:
            known: Mapping[str, Any] = {"accounts": ACCOUNTS, "reasons": ModerationSettings().reason_codes}
            reader = RowReader(
                mapping=mapping,
                now_ms=NOW_MS,
                is_guarded=log.is_guarded,
                is_export=log.is_export,
                **known | options,
            )
            return import_log(
                self.spool, log, reader, KEY, dry_run=dry_run, on_bad_row=on_bad_row or self.bad.append
            )

    @property
    def entries(self) -> list[Moderation]:
        return list(spooled_entries(self.spool))

    @property
    def problems(self) -> list[tuple[int, str]]:
        return [(one.line, problem) for one in self.bad for problem in one.problems]
