"""`archiver moderation import` and `codes`, as a person runs them."""

import signal
import time
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.moderation.mapping import CODES
from tests.cli.moderation_logs import (
    ACCOUNTS,
    entries_of,
    make_register,
    open_spool,
    row,
    settings_of,
    write_log,
)
from tests.cli.runner import Runner, start_process


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_register(tmp_path)


def arguments(home: Path, log: Path, *more: str) -> list[str | Path]:
    return ["--config", home, "moderation", "import", log, "--mapping", home / "map.toml", *more]


def test_a_log_is_imported_and_known_the_next_time(run: Runner, home: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", row(1), row(2))
    result = run(*arguments(home, log))
    assert (result.code, result.errors) == (0, "")
    assert result.output == "log.csv: 2 records imported, 0 known already, 0 bad rows\n"
    assert [one.text for one in entries_of(home)] == [
        f"you are all donkeys, number {number}" for number in (1, 2)
    ]
    result = run(*arguments(home, log))
    assert (result.code, result.output) == (0, "log.csv: 0 records imported, 2 known already, 0 bad rows\n")


def test_bad_rows_are_named_and_the_good_ones_are_taken(run: Runner, home: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", row(1), row(2, Action="Vanished\x1b[2J", Logged="noon"), row(3))
    result = run(*arguments(home, log))
    assert result.code == 3
    first, second = result.output.splitlines()
    assert first == "log.csv: 2 records imported, 0 known already, 1 bad row"
    assert second.startswith("  BAD line 3: Logged (entered_at): 'noon' is not a time")
    assert "Action (action): 'Vanished\\x1b[2J' is none of: none, warned" in second
    assert "\x1b" not in result.output
    assert len(entries_of(home)) == 2


def test_a_column_cannot_steer_the_terminal(run: Runner, home: Path, tmp_path: Path) -> None:
    header = ("Ref", "Logged", "Who\x1b[2J\nBAD line 1")
    (home / "map.toml").write_text('account = "1001"\n[columns]\nentered_by = "Who\\u001b[2J\\nBAD line 1"\n')
    log = write_log(tmp_path / "log.csv", ["1", "2", ""], header=header)
    output = run(*arguments(home, log)).output
    assert "BAD line 3: action: this is missing" in output
    assert "Who\\x1b[2J\\nBAD line 1 (entered_by): this is missing" in output
    assert "\x1b" not in output
    assert len(output.splitlines()) == 2


def test_all_bad_rows_are_in_the_json_and_twenty_in_words(run: Runner, home: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", *[row(number, Action="Vanished") for number in range(25)], row(26))
    result = run(*arguments(home, log))
    assert result.code == 3
    lines = result.output.splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  BAD and 5 bad rows more; --json names all"
    result = run(*arguments(home, log, "--json"))
    assert result.code == 3
    lines = result.json_lines()
    assert [line["line"] for line in lines[:-1]] == list(range(2, 27))
    assert {line["type"] for line in lines[:-1]} == {"bad_row"}
    assert lines[-1] == {
        "type": "moderation_import", "file": "log.csv", "sha256": lines[-1]["sha256"], "imported": 0,
        "known": 1, "bad": 25, "dry_run": False,
    }  # fmt: skip


def test_a_log_without_a_good_row_fails(run: Runner, home: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", row(1, Action="Vanished"))
    result = run(*arguments(home, log))
    assert result.code == 1
    assert "BAD line 2" in result.output
    assert entries_of(home) == []


def test_a_dry_run_says_everything_and_keeps_nothing(run: Runner, home: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", row(1), row(2, Action="Vanished"))
    result = run(*arguments(home, log, "--dry-run"))
    assert result.code == 3
    assert result.output.startswith("log.csv: 1 record would be imported, 0 known already, 1 bad row\n")
    assert entries_of(home) == []


def test_what_the_command_line_says_stands_for_what_a_row_does_not(
    run: Runner, home: Path, tmp_path: Path
) -> None:
    (home / "map.toml").write_text((home / "map.toml").read_text().replace('account = "SpringfieldPD"', ""))
    log = write_log(tmp_path / "log.csv", row(1, Who=""))
    result = run(*arguments(home, log))
    assert result.code == 1
    assert "Who (entered_by): this is missing; give --by WHO" in result.output
    assert "account: this is missing; give --account" in result.output
    assert run(*arguments(home, log, "--by", "web team", "--account", "@shelbyvillepd")).code == 0
    (entry,) = entries_of(home)
    assert (entry.entered_by, entry.account, entry.account_handle) == ("web team", "1002", "ShelbyvillePD")


def test_where_the_settings_have_one_account_none_need_be_named(run: Runner, tmp_path: Path) -> None:
    home = make_register(tmp_path, ACCOUNTS[:1])
    (home / "map.toml").write_text((home / "map.toml").read_text().replace('account = "SpringfieldPD"', ""))
    assert run(*arguments(home, write_log(tmp_path / "log.csv", row(1, Action="Hide")))).code == 0
    (entry,) = entries_of(home)
    assert (entry.account, entry.account_handle, entry.action) == ("1001", "SpringfieldPD", "hidden")


def test_an_export_of_single_entries_is_refused_whole(run: Runner, home: Path, tmp_path: Path) -> None:
    assert run(*arguments(home, write_log(tmp_path / "log.csv", row(1)))).code == 0
    for form in ("csv", "jsonl"):
        path = tmp_path / f"entries.{form}"
        assert run(
            "--config", home, "moderation", "export", "--entries", "--format", form, "-o", path
        ).code == 0  # fmt: skip
        other = make_register(tmp_path / form)
        said = run.fails(2, "--config", other, "moderation", "import", path, "--dry-run")
        assert f"entries.{form} holds single entries, not records" in said
        assert "archiver: hint: export the records without --entries" in said


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ('[columns]\ntext = "No such"', "log.csv lacks columns that the mapping names: 'No such' (text)"),
        ('colour = 1\n[columns]\ntxt = "a"', "map.toml: 3 problems"),
        ("[columns", "is not TOML"),
    ],
)
def test_a_wrong_mapping_is_a_usage_error(
    run: Runner, home: Path, tmp_path: Path, mapping: str, said: str
) -> None:
    (home / "map.toml").write_text(mapping)
    log = write_log(tmp_path / "log.csv", row(1))
    assert said in run.fails(2, *arguments(home, log))


def test_a_log_that_is_not_ours_needs_a_mapping(run: Runner, home: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", row(1))
    said = run.fails(2, "--config", home, "moderation", "import", log)
    assert "columns that this program does not know: 'Ref', 'Logged'" in said
    assert "archiver: hint: say what they are in a mapping: --mapping FILE" in said


@pytest.mark.parametrize(
    ("name", "data", "code", "said"),
    [
        ("log.csv", b"", 1, "log.csv is empty"),
        ("log.csv", b"Ref,Logged\r\n", 1, "log.csv has a header and no row"),
        ("log.xlsx", b"PK\x03\x04", 2, "log.xlsx does not end in .csv, .jsonl or .ndjson"),
        ("log.csv", b"a,a\r\n1,2\r\n", 2, "log.csv has two columns of one name: 'a'"),
    ],
)
def test_a_file_that_is_no_log_is_refused(
    run: Runner, home: Path, tmp_path: Path, name: str, data: bytes, code: int, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert said in run.fails(code, *arguments(home, tmp_path / name))


def test_a_log_that_is_not_there_and_an_empty_name_are_said(run: Runner, home: Path, tmp_path: Path) -> None:
    assert "no such file or directory" in run.fails(1, *arguments(home, tmp_path / "no.csv"))
    log = write_log(tmp_path / "log.csv", row(1))
    assert "--by is empty" in run.fails(2, *arguments(home, log, "--by", " "))


def test_it_runs_beside_a_run_that_collects(run: Runner, home: Path, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", row(1))
    with Lock(settings_of(home).lock):
        assert run(*arguments(home, log)).code == 0


def test_a_run_that_is_killed_leaves_whole_batches_and_the_next_finishes(
    run: Runner, home: Path, tmp_path: Path
) -> None:
    log = write_log(tmp_path / "log.csv", *[row(number) for number in range(6000)])
    process = start_process(*arguments(home, log))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with open_spool(home) as spool:
            if spool.pages():
                break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = len(entries_of(home))
    assert process.returncode == -signal.SIGKILL
    assert 0 < kept < 6000
    assert kept % 500 == 0
    result = run(*arguments(home, log))
    assert result.output == f"log.csv: {6000 - kept:,} records imported, {kept:,} known already, 0 bad rows\n"
    found = entries_of(home)
    assert len({one.id for one in found}) == len(found) == 6000


# What can be said


def test_the_codes_are_those_of_the_settings(run: Runner, home: Path) -> None:
    with (home / "archiver.toml").open("a") as file:
        file.write(
            '\n[[moderation.reason]]\ncode = "rude"\nwords = "rudeness"\ndsa_category = "VIOLENCE"\n'
            '\n[[moderation.rule]]\nclause = "3"\nversion = "2026-01"\nwords = "Be civil."\n'
        )
    result = run("--config", home, "moderation", "codes")
    assert result.code == 0
    lines = [line.split() for line in result.output.splitlines()]
    for expected in (
        "rude rudeness", "hide hidden; undone by: unhidden", "warn warned",
        "own_post a post of our own account", "partner another body that we work with told us",
        "upheld what was decided stays", "3 Be civil. (version 2026-01)",
    ):  # fmt: skip
        assert expected.split() in lines
    assert "abusive" not in result.output
    found = run("--config", home, "moderation", "codes", "--json").json_lines()
    assert {
        "type": "reason",
        "code": "rude",
        "words": "rudeness",
        "dsa_category": "VIOLENCE",
        "dsa_keyword": None,
    } in found
    assert {"type": "action", "verb": "hide", "code": "hidden", "undone_by": "unhidden"} in found
    assert {"type": "house_rule", "clause": "3", "version": "2026-01", "words": "Be civil."} in found
    assert {one["type"] for one in found} == {
        "reason", "action", "item_type", "detection", "escalation", "appeal_outcome", "house_rule",
    }  # fmt: skip


def test_every_code_is_explained_under_where_it_is_said(run: Runner, home: Path) -> None:
    lines = run("--config", home, "moderation", "codes").output.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "Reasons (--reason; reason_codes in a log)",
        "Actions (--action, and what a record then says; a log may say either)",
        "Kinds of item (in a record; item_type in a log)",
        "Ways of detection (--detection; detection in a log)",
        "Escalations (--escalate; escalated in a log)",
        "Outcomes of an appeal (--outcome of archiver moderation appeal; appeal_outcome in a log)",
        "House rules (--rule; house_rule in a log)",
    ]
    assert [line for line in lines if line.startswith(" ") and len(line.split()) < 2] == []
    found = run("--config", home, "moderation", "codes", "--json").json_lines()
    for kind, name in (("escalation", "escalated"), ("detection", "detection"), ("item_type", "item_type"),
                       ("appeal_outcome", "appeal_outcome")):  # fmt: skip
        words = {one["code"]: one["words"] for one in found if one["type"] == kind}
        assert tuple(words) == CODES[name]
        assert all(words.values())


def test_without_house_rules_any_text_is_one(run: Runner, home: Path) -> None:
    output = run("--config", home, "moderation", "codes").output
    assert "any text: the settings name none" in output
    assert "abusive" in output
