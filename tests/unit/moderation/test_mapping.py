"""The mapping of a log: what it may say, and that everything wrong is said at once."""

from pathlib import Path

import pytest

from archiver.errors import ConfigurationError
from archiver.moderation.exporting import COLUMN_NAMES
from archiver.moderation.mapping import (
    FIELDS,
    UK_TIME_FORMATS,
    LogMapping,
    MappingError,
    load_mapping,
    own_mapping,
)
from archiver.records import Moderation
from archiver.settings.moderation import ModerationSettings, Reason
from tests.unit.moderation.logs import mapping_of


def problems(folder: Path, text: str) -> list[str]:
    """Each as `place: what`."""
    with pytest.raises(MappingError) as caught:
        mapping_of(folder, text)
    assert caught.value.exit_code == 2
    return [f"{problem.where}: {problem.what}" for problem in caught.value.problems]


def test_a_small_mapping_has_defaults(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, '[columns]\ntext = "Comment"')
    assert mapping == LogMapping({"text": "Comment"})
    assert (mapping.format, mapping.encoding, mapping.delimiter) == (None, "utf-8", ",")
    assert mapping.timezone is None
    assert mapping.time_formats == UK_TIME_FORMATS


def test_everything_that_is_said_is_taken(tmp_path: Path) -> None:
    mapping = mapping_of(
        tmp_path,
        """
        format = "jsonl"
        encoding = "windows-1252"
        delimiter = "tab"
        timezone = "Europe/London"
        time_formats = ["%d %b %Y %H:%M", "%d.%m.%y"]
        reason_separator = " / "
        platform = "facebook"
        account = "Our page"
        [columns]
        text = "Comment"
        until_at = "Until"
        [values.action]
        "Taken Down" = "removed"
        [values.reason_codes]
        Racism = ["abusive", "discriminatory"]
        Rude = "abusive"
        [values.account]
        "Main page" = "Springfield"
        """,
    )
    assert (mapping.format, mapping.encoding, mapping.delimiter) == ("jsonl", "windows-1252", "\t")
    assert str(mapping.timezone) == "Europe/London"
    assert (mapping.platform, mapping.account) == ("facebook", "Our page")
    assert mapping.columns == {"text": "Comment", "until_at": "Until"}
    assert mapping.values == {
        "action": {"taken down": ("removed",)},
        "reason_codes": {"racism": ("abusive", "discriminatory"), "rude": ("abusive",)},
        "account": {"main page": ("Springfield",)},
    }
    assert mapping.reason_separator == " / "


def test_everything_that_is_wrong_is_said_at_once_with_its_place(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """
        format = "xlsx"
        encoding = "latin"
        delimiter = "--"
        timezone = "Europe"
        time_formats = ["%H:%M", "%d/%m/%Y %Z", "%d/%m", "%d/%m/%Y %q"]
        platform = "Face Book"
        colour = 1
        [columns]
        txt = "Comment"
        action = ""
        [values.action]
        Deleted = "deleted"
        deleted = "removed"
        [values.reason_codes]
        Racism = ["abusive", "racist"]
        Rude = 3
        [values.colour]
        a = "b"
        """,
    )
    for expected in (
        "format: 'xlsx' is not known",
        "encoding: 'latin' is not known",
        "delimiter: '--' is not known",
        "timezone: 'Europe' is no time zone that is known here",
        "time_formats: '%H:%M' does not give a day with its year",
        "time_formats: '%d/%m/%Y %Z' reads a zone's name, which says nothing",
        "time_formats: '%d/%m' does not give a day with its year",
        "time_formats: '%d/%m/%Y %q' does not give a day with its year",
        "platform: 'Face Book' cannot be right",
        "colour: this is not a setting",
        "columns.txt: this is not a setting",
        "columns.action: '' cannot be right",
        "values.action.Deleted: 'deleted' is not known",
        "values.action.deleted: this word is given twice",
        "values.reason_codes.Racism: 'racist' is not known",
        "values.reason_codes.Rude: this must be a text in quotes",
        "values.colour: this is not a setting",
    ):
        assert expected in found
    assert len(found) == 17


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "columns: this names no column"),
        ("columns = 3", "columns: this must be a table"),
        ('values = 3\n[columns]\ntext = "T"', "values: this must be a table"),
        ('[columns]\ntext = "T"\n[values]\naction = 3', "values.action: this must be a table"),
    ],
)
def test_a_table_of_another_type_is_a_problem(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in problems(tmp_path, text)


def test_the_reasons_that_count_are_those_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[columns]\ntext = "T"\n[values.reason_codes]\nRude = "rude"')
    load_mapping(tmp_path / "map.toml", ModerationSettings(reasons=(Reason("rude", "rudeness"),)))
    with pytest.raises(MappingError, match=r"values\.reason_codes\.Rude"):
        load_mapping(tmp_path / "map.toml", ModerationSettings())


def test_an_action_may_be_called_by_its_verb(tmp_path: Path) -> None:
    text = '[columns]\ntext = "T"\n[values.action]\nA = "hide"\nB = "removed"\nC = "comments-off"\nD = "none"'
    assert mapping_of(tmp_path, text).values["action"] == {
        "a": ("hidden",),
        "b": ("removed",),
        "c": ("comments_off",),
        "d": ("none",),
    }


@pytest.mark.parametrize("data", [b"columns = [", b"\xff", b"a = " + b"[" * 5000])
def test_what_is_no_toml_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "map.toml").write_bytes(data)
    with pytest.raises(ConfigurationError, match=r"map\.toml"):
        load_mapping(tmp_path / "map.toml", ModerationSettings())


def test_a_mapping_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no mapping"):
        load_mapping(tmp_path / "map.toml", ModerationSettings())


def test_a_byte_order_mark_before_a_mapping_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_bytes(b'\xef\xbb\xbf[columns]\ntext = "T"')
    assert load_mapping(tmp_path / "map.toml", ModerationSettings()).columns == {"text": "T"}


def test_without_a_mapping_columns_are_called_as_an_export_calls_them() -> None:
    assert set(own_mapping().columns.values()) <= COLUMN_NAMES
    assert own_mapping().columns["reference"] == "record_id"


def test_every_field_that_can_be_mapped_is_one_of_an_entry() -> None:
    entry = set(Moderation.__struct_fields__)
    named = {f"{name.removesuffix('_at')}_ms" if name.endswith("_at") else name for name in FIELDS}
    assert named - entry == {"reference"}
    # What is not among them says something of the entry itself, or was captured.
    assert entry - named == {
        "id", "record_id", "number", "entry", "schema_version", "account_handle", "corrects", "entry_note",
        "cleared", "content", "unseen", "attachments", "context_sha256", "context_missing", "way", "imported",
    }  # fmt: skip
