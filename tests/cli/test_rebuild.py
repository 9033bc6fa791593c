"""`archiver rebuild`: every record derived again; what differs is named and fails."""

import pytest

from archiver.sources import parsers
from archiver.sources.base import Capture
from tests.cli.runner import Runner
from tests.homes import Home, make_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("rebuild"))


def test_an_archive_as_it_was_sealed_is_equal(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    records = sum(sum(file.records.values()) for file in archive.manifest.files)
    for arguments in ([], [archive.name]):
        result = run("--config", home.folder, "rebuild", *arguments)
        assert (result.code, result.errors) == (0, "")
        assert result.output == f"{records:,} records derived again from their captures: all equal.\n"
    told = run("--config", home.folder, "rebuild", "--json").json_lines()
    assert [(one["type"], one["archive"], one["different"]) for one in told] == [("rebuilt", archive.name, 0)]


def test_an_archive_that_is_not_there_is_a_usage_error(run: Runner, home: Home) -> None:
    assert "there is no archive 2020-01-01" in run.fails(2, "--config", home.folder, "rebuild", "2020-01-01")


def test_a_parser_that_reads_the_bytes_differently_shows(
    run: Runner, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = parsers.parser_for("x_export")

    def other(capture: Capture, kind: str, slices: object) -> object:
        record = usual(capture, kind, slices)
        return type(record)(**{**_fields(record), "text": "other"}) if kind == "message" else record

    monkeypatch.setattr(parsers, "parser_for", lambda source: other)
    result = run("--config", home.folder, "rebuild")
    assert result.code == 20
    assert result.output == ""
    assert "differs: " in result.errors
    assert ": message 1: text" in result.errors
    assert "rows differ from what their captures give" in result.errors
    told = run("--config", home.folder, "rebuild", "--json")
    assert told.code == 20
    assert told.json_lines()[0]["different"] > 1


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}
