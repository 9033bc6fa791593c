"""The commented sample of a mapping loads, names every key there is, and reads the log it is about."""

import csv
import re
import tomllib
from pathlib import Path

from archiver.moderation.log_entry import Read, RowReader
from archiver.moderation.log_reading import Row, open_log
from archiver.moderation.mapping import CODES, FIELDS, UK_TIME_FORMATS, load_mapping
from archiver.settings import AccountSettings
from archiver.settings.moderation import ModerationSettings
from archiver.times import parse_time
from tests.docs.test_sample_settings import with_all_lines
from tests.programs import PROJECT

SAMPLE = PROJECT / "config" / "moderation-log.sample.toml"


def test_the_sample_loads_as_it_is() -> None:
    mapping = load_mapping(SAMPLE, ModerationSettings())
    assert mapping.columns["text"] == "Comment"
    assert mapping.values["reason_codes"]["racism"] == ("abusive", "discriminatory")
    assert mapping.time_formats == UK_TIME_FORMATS


def test_the_sample_names_every_key_once_its_lines_are_used(tmp_path: Path) -> None:
    text = with_all_lines(SAMPLE.read_text())
    (tmp_path / "all.toml").write_text(text)
    mapping = load_mapping(tmp_path / "all.toml", ModerationSettings())
    assert set(mapping.columns) == set(FIELDS)
    assert {*tomllib.loads(text)} == {
        "format", "encoding", "delimiter", "timezone", "time_formats", "reason_separator", "platform",
        "account", "columns", "values",
    }  # fmt: skip
    prose = re.search(r"So it goes for\n# (.*)\n", SAMPLE.read_text())
    assert prose is not None
    for name in CODES:
        assert name in prose[1] or name in mapping.values


def test_the_sample_reads_a_log_of_its_columns(tmp_path: Path) -> None:
    mapping = load_mapping(SAMPLE, ModerationSettings())
    cells = dict.fromkeys(mapping.columns.values(), "") | {
        "Log no.": "17", "Logged": "24/11/2026 14:05", "Logged by": "Clerk A", "Type": "Own post",
        "Link": "https://x.com/SpringfieldPD/status/771", "Comment": "words", "Reason": "Racism, spam",
        "Action": "blocked USER",
    }  # fmt: skip
    with (tmp_path / "log.csv").open("w", newline="") as file:
        csv.writer(file).writerows([cells.keys(), cells.values()])
    with open_log(tmp_path / "log.csv", mapping) as log:
        (row,) = log.rows()
    assert isinstance(row, Row)
    reader = RowReader(
        mapping=mapping,
        accounts=[AccountSettings("x", "1001", "SpringfieldPD")],
        reasons=ModerationSettings().reason_codes,
        now_ms=parse_time("2026-11-25T00:00:00Z"),
    )
    read = reader.read(row)
    assert isinstance(read, Read)
    assert (read.reference, read.entry.item_id, read.entry.action) == ("17", "771", "blocked")
    assert (read.entry.item_type, read.entry.reason_codes) == (
        "own_post",
        ("abusive", "discriminatory", "spam"),
    )
