"""`archiver moderation export`, as a person runs it: all records or none, and what was left out is said."""

import csv
import io
import json
import stat
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from archiver.csv_guard import without_guard
from archiver.moderation.keeping import keep_entries
from archiver.times import parse_time
from tests.cli.moderation_logs import entries_of, make_register, open_spool, row, seal_all, write_log
from tests.cli.runner import Result, Runner
from tests.faults.folders import copy_folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three records, two of them sealed. Not to be changed."""
    folder = tmp_path_factory.mktemp("register")
    home = make_register(folder)
    from archiver.cli import main

    def take(*rows: list[str]) -> None:
        log = write_log(folder / "log.csv", *rows)
        assert (
            main(
                ["--config", str(home), "moderation", "import", str(log), "--mapping", str(home / "map.toml")]
            )
            == 0
        )

    take(
        row(1, Comment='=HYPERLINK("http://example.invalid")\r\nline two'), row(2, Logged="25/11/2024 15:00")
    )
    seal_all(home)
    take(row(3, Logged="26/11/2024 15:00", Action="warned"))
    return home


@pytest.fixture
def home(kept: Path, tmp_path: Path) -> Path:
    return copy_folder(kept, tmp_path / "home")


def export(run: Runner, home: Path, *arguments: str | Path) -> Result:
    result = run("--config", home, "moderation", "export", *arguments)
    assert result.code == 0, result
    return result


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def references(rows: list[dict[str, str]]) -> list[str]:
    return [row["imported_from"].removeprefix("log.csv, line ") for row in rows]


def test_sealed_and_open_records_are_written_as_csv(run: Runner, home: Path) -> None:
    result = export(run, home)
    rows = csv_rows(result.output)
    assert len(rows) == 3
    assert result.errors == "3 records\n"
    assert rows[0]["text"] == '\'=HYPERLINK("http://example.invalid")\r\nline two'
    assert without_guard(rows[0]["text"]) == '=HYPERLINK("http://example.invalid")\r\nline two'
    assert (rows[0]["account"], rows[0]["action"], rows[0]["entered_by"]) == ("1001", "removed", "Clerk A")


def test_json_lines_are_verbatim(run: Runner, home: Path) -> None:
    lines = export(run, home, "--format", "jsonl").json_lines()
    assert [line["action"] for line in lines] == ["removed", "removed", "warned"]
    assert lines[0]["text"] == '=HYPERLINK("http://example.invalid")\r\nline two'


def test_entries_are_written_one_by_one(run: Runner, home: Path) -> None:
    corrected = entries_of(home)[0].record_id
    said = run("--config", home, "moderation", "correct", corrected, "--why", "mistyped", "--reason", "spam")
    assert said.code == 0, said
    rows = csv_rows(export(run, home, "--entries").output)
    assert [(row["number"], row["entry"]) for row in rows] == [("1", "decision")] * 3 + [("2", "correction")]
    result = export(run, home, "--entries", "--format", "jsonl")
    assert [line["number"] for line in result.json_lines()] == [1, 1, 1, 2]
    assert result.errors == "4 entries\n"
    assert csv_rows(export(run, home).output)[2]["reason_codes"] == "spam"


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (("--since", "2024-11-25"), ["4", "2"]),
        (("--until", "2024-11-25"), ["2", "4"]),
        (("--since", "2024-11-25", "--until", "2024-11-25"), ["4"]),
        (("--since", "2024-12"), []),
        (("--account", "@springfieldpd", "--until", "2024-11-24"), ["2"]),
        (("--account", "1001", "--since", "26/11/2024"), ["2"]),
        (("--account", "1002"), []),
    ],
)
def test_records_are_chosen_by_day_and_account(
    run: Runner, home: Path, arguments: tuple[str, ...], lines: list[str]
) -> None:
    assert references(csv_rows(export(run, home, *arguments).output)) == lines


def test_a_file_is_new_and_for_its_owners_eyes_only(run: Runner, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    result = export(run, home, "-o", path)
    assert (result.output, result.errors) == ("", f"3 records in {path}\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    data = path.read_bytes()
    assert data.count(b"\r\n") == 5
    assert "is there already" in run.fails(1, "--config", home, "moderation", "export", "-o", path)
    assert path.read_bytes() == data


def test_an_export_that_fails_leaves_no_file(run: Runner, home: Path, tmp_path: Path) -> None:
    (home / "keys" / "records.identity").unlink()
    path = tmp_path / "records.csv"
    assert run("--config", home, "moderation", "export", "-o", path).code == 12
    assert not list(tmp_path.glob("*records*"))


def test_an_export_is_imported_again_in_another_folder(run: Runner, home: Path, tmp_path: Path) -> None:
    for name in ("records.csv", "records.jsonl"):
        export(run, home, "--format", name.rpartition(".")[2], "-o", tmp_path / name)
        other = make_register(tmp_path / name.replace(".", "-"))
        result = run("--config", other, "moderation", "import", tmp_path / name)
        assert result.output == f"{name}: 3 records imported, 0 known already, 0 bad rows\n"
        assert [row["record_id"] for row in csv_rows(export(run, other).output)] == [
            row["record_id"] for row in csv_rows(export(run, home).output)
        ]
    again = run("--config", home, "moderation", "import", tmp_path / "records.csv")
    assert again.output == "records.csv: 0 records imported, 3 known already, 0 bad rows\n"


# Never silently short


def test_without_a_key_nothing_is_written(run: Runner, home: Path) -> None:
    (home / "keys" / "records.identity").unlink()
    result = run("--config", home, "moderation", "export")
    assert (result.code, result.output) == (12, "")


def test_what_is_not_sealed_can_be_had_without_a_key_and_the_rest_is_counted(run: Runner, home: Path) -> None:
    (home / "keys" / "records.identity").unlink()
    result = export(run, home, "--open")
    assert [row["action"] for row in csv_rows(result.output)] == ["warned"]
    assert "2 records sealed, wholly or in part, and not in this export" in result.errors


def test_where_nothing_is_sealed_no_key_is_needed(run: Runner, tmp_path: Path) -> None:
    home = make_register(tmp_path)
    log = write_log(tmp_path / "log.csv", row(1))
    run("--config", home, "moderation", "import", log, "--mapping", home / "map.toml")
    (home / "keys" / "records.identity").unlink()
    assert len(csv_rows(export(run, home).output)) == 1
    assert "not in this export" not in export(run, home, "--open").errors


def test_a_missing_archive_is_an_error_and_nothing_is_written(run: Runner, home: Path) -> None:
    seal_all(home)
    first = sorted((home / "vault" / "archives").iterdir())[0]
    for path in first.iterdir():
        path.unlink()
    first.rmdir()
    result = run("--config", home, "moderation", "export")
    assert (result.code, result.output) == (20, "")


def test_no_record_at_all_is_a_header(run: Runner, tmp_path: Path) -> None:
    result = export(run, make_register(tmp_path))
    assert csv_rows(result.output) == []
    assert result.output.startswith("record_id,entries,")
    assert result.errors.endswith("\n0 records\n")


# Statements of reasons


def test_statements_of_reasons_name_nobody_and_say_what_was_left_out(run: Runner, home: Path) -> None:
    result = export(run, home, "--format", "dsa")
    document = json.loads(result.output)
    assert document["schema"] == "2"
    assert [one["decision_facts"] for one in document["statements"]] == [
        "[removed] called officers names"
    ] * 2
    for text in ("nobody_1", "donkeys", "Clerk", "HYPERLINK"):
        assert text not in result.output
    assert result.errors.splitlines() == [
        "2 statements",
        "  left out 1 record: no restriction of what is seen",
        "Read every statement before it goes anywhere: a name may stand in it that no record knows.",
    ]


def test_the_json_summary_has_what_was_left_out(run: Runner, home: Path, tmp_path: Path) -> None:
    summary = {
        "type": "moderation_export", "of": "statement", "number": 2,
        "left_out": {"no restriction of what is seen": 1},
    }  # fmt: skip
    result = export(run, home, "--json", "--format", "dsa")
    assert json.loads(result.errors) == summary
    assert json.loads(result.output)["schema"] == "2"
    result = export(run, home, "--json", "--format", "dsa", "-o", tmp_path / "statements.json")
    assert result.json_lines() == [summary]


def test_the_help_says_that_a_person_must_read_it(run: Runner) -> None:
    text = " ".join(run("moderation", "export", "--help").output.split())
    assert "A person must read it before it goes anywhere" in text


def test_the_account_of_later_entries_is_found_by_its_handle(run: Runner, home: Path) -> None:
    corrected = entries_of(home)[0].record_id
    assert (
        run("--config", home, "moderation", "correct", corrected, "--why", "x", "--reason", "spam").code == 0
    )
    rows = csv_rows(export(run, home, "--entries", "--account", "@SpringfieldPD").output)
    assert [row["entry"] for row in rows] == ["decision", "decision", "decision", "correction"]


@pytest.mark.parametrize("more", [(), ("--open",), ("--entries",), ("--format", "dsa")])
def test_an_account_that_there_is_not_is_an_error_that_names_those_there_are(
    run: Runner, home: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    path = tmp_path / "out.csv"
    said = run.fails(
        2, "--config", home, "moderation", "export", "--account", "Nobody", "-o", path, *more
    )  # fmt: skip
    assert "'Nobody' is no account of the settings or of any record" in said
    assert "archiver: hint: there are: @SpringfieldPD (1001), @ShelbyvillePD (1002)" in said
    assert not path.exists()


def test_an_account_that_only_records_have_can_be_named(run: Runner, home: Path, tmp_path: Path) -> None:
    text = (home / "map.toml").read_text().replace("SpringfieldPD", "Our Page")
    (home / "page.toml").write_text('platform = "facebook"\n' + text)
    log = write_log(tmp_path / "page.csv", row(9))
    assert run("--config", home, "moderation", "import", log, "--mapping", home / "page.toml").code == 0
    for more in ((), ("--open",)):
        assert len(csv_rows(export(run, home, "--account", "Our Page", *more).output)) == 1
    assert export(run, home, "--open", "--account", "1002").errors.endswith("\n0 records\n")


def test_what_is_entered_by_a_clock_that_is_ahead_can_still_be_asked_for(run: Runner, home: Path) -> None:
    (first,), name = entries_of(home), str(uuid4())
    ahead = msgspec.structs.replace(
        first, id=name, record_id=name, entered_ms=parse_time("2092-02-02T10:00Z")
    )
    with open_spool(home) as spool:
        keep_entries(spool, [ahead])
    assert len(csv_rows(export(run, home, "--since", "2092").output)) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--since", "2024-11-26", "--until", "2024-11-25"),
            "--since 2024-11-26 is after --until 2024-11-25",
        ),
        (("--since", "2092"), "--since 2092 lies in the future, and nothing is entered then"),
        (("--account", ""), "'' is no account of the settings"),
        (("--entries", "--format", "dsa"), "--entries and --format dsa exclude each other"),
        (("--since", "yesterday"), "'yesterday' is not a date"),
        (("--format", "xlsx"), "'xlsx' is not one of"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    run: Runner, home: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in run.fails(2, "--config", home, "moderation", "export", *arguments)
