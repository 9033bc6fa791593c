"""`archiver search --record FILE` and `--replay FILE`."""

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import ArchiverError, IncompleteError, IntegrityError, UsageError
from archiver.inbox.exports import import_exports
from archiver.seal import seal
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from tests.cli.runner import Runner
from tests.faults.folders import LATER, copy_folder, sample
from tests.homes import NOW_MS, Home, make_home


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = make_home(tmp_path_factory.mktemp("record"))
    sample(home.folder.parent / "more.zip", until=LATER, months=3)
    return home


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


@pytest.fixture
def more(made: Home) -> Path:
    return made.folder.parent / "more.zip"


def record(run: Runner, home: Home, path: Path, *arguments: str) -> dict[str, Any]:
    result = run("--config", home.folder, "search", "--record", path, *arguments)
    assert result.code == 0, result
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def replay(run: Runner, home: Home, path: Path, code: int = 0) -> dict[str, Any]:
    result = run("--config", home.folder, "search", "--json", "--replay", path)
    assert result.code == code, result
    (line,) = result.json_lines()
    return line


def alter(path: Path, change: "dict[str, Any]") -> None:
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))


def test_a_record_names_all_results_and_holds_none_of_their_text(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    shown = run("--config", home.folder, "search", "--json", "--limit", "0", "appeal").json_lines()
    found = record(run, home, path, "--limit", "1", "appeal")
    assert [one["id"] for one in found["ids"]] == [hit["id"] for hit in shown[:-1]]
    assert (found["count"], found["limit"], found["query"]) == (len(shown) - 1, 1, "appeal")
    assert found["archives"] == [found["head"]]
    assert found["head"]["manifest_sha256"] == home.archives[0].head.sha256
    assert found["word_forms"] == shown[-1]["forms"] != {}
    written = path.read_text()
    assert not any(str(hit["text"]) in written for hit in shown[:-1])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_record_is_written_over_nothing_and_before_anything_is_searched(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    path.write_text("mine")
    said = run.fails(ArchiverError.exit_code, "--config", home.folder, "search", "--record", path, "the")
    assert said.startswith(f"{path} is there already")
    assert path.read_text() == "mine"


@pytest.mark.parametrize("order", ["newest", "oldest", "relevance"])
def test_a_search_made_again_is_the_same_also_after_more_was_sealed(
    run: Runner, home: Home, more: Path, tmp_path: Path, order: str
) -> None:
    path = tmp_path / "r.json"
    then = record(run, home, path, "--order", order, "the")
    assert replay(run, home, path)["same"] is True
    home.take(more)
    again = replay(run, home, path)
    now = run("--config", home.folder, "search", "--count", "the")
    assert (again["same"], again["count_now"]) == (True, then["count"])
    assert again["more_since"] == int(now.output) - then["count"] > 0
    said = run("--config", home.folder, "search", "--replay", path)
    assert said.code == 0
    assert f"\nthe same: {then['count']} records\n" in said.output
    assert f"\n{again['more_since']} more in 1 archive sealed since\n" in said.output


def test_records_found_in_the_spool_are_the_same_once_they_are_sealed(
    run: Runner, home: Home, more: Path, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    with open_collector(home.settings) as collector:
        for result in import_exports(collector, [more], may_add_account=True, clock=lambda: NOW_MS):
            assert result.error is None
    then = record(run, home, path, "the")
    assert then["spool"]["included"]
    assert len(then["spool"]["ids"]) > 10
    assert {one["archive"] for one in then["ids"]} == {home.archives[0].name, "spool"}
    assert replay(run, home, path)["same"] is True
    with open_collector(home.settings) as collector:
        seal(collector.spool, collector.state, home.vault, seal_options(home.settings), lambda: NOW_MS)
    again = replay(run, home, path)
    assert (again["same"], again["count_now"], again["more_since"]) == (True, then["count"], 0)
    assert again["sealed_since"] == [home.archives[1].name]


def test_a_record_that_tells_of_other_results_differs_and_ends_in_3(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    path, other = tmp_path / "r.json", tmp_path / "other.json"
    record(run, home, path, "burglary")
    record(run, home, other, "--exact", "appeal")
    wrong = {name: json.loads(other.read_bytes())[name] for name in ("ids", "ids_sha256", "count")}
    alter(path, wrong)
    again = replay(run, home, path, IncompleteError.exit_code)
    assert again["same"] is False
    assert [one["id"] for one in again["found_then"]] == [one["id"] for one in wrong["ids"]]
    said = run("--config", home.folder, "search", "--replay", path)
    assert said.code == IncompleteError.exit_code
    assert f"\nit differs: {wrong['count']} records then, {again['count_now']} now\n" in said.output
    assert f"  {wrong['count']} records found then and not now:\n    post " in said.output


def test_a_recorded_archive_that_is_another_one_or_missing_ends_in_20(
    run: Runner, home: Home, more: Path, tmp_path: Path
) -> None:
    home.take(more)
    path = tmp_path / "r.json"
    then = record(run, home, path, "the")
    then["archives"][0]["manifest_sha256"] = "00" * 32
    alter(path, {"archives": then["archives"]})
    again = replay(run, home, path, IntegrityError.exit_code)
    assert (again["different_archives"], again["missing_archives"]) == ([home.archives[0].name], [])
    then["archives"][0]["archive"] = "2020-01-01"
    alter(path, {"archives": then["archives"]})
    assert replay(run, home, path, IntegrityError.exit_code)["missing_archives"] == ["2020-01-01"]
    said = run("--config", home.folder, "search", "--replay", path)
    assert "\n  archive 2020-01-01, which was searched, is missing\n" in said.output
    kept = run("--config", home.folder, "search", "--keep-going", "--replay", path)
    assert kept.code == IncompleteError.exit_code


def test_an_answer_that_was_not_whole_is_never_called_the_same(
    run: Runner, home: Home, more: Path, tmp_path: Path
) -> None:
    home.take(more)
    left_out, other = (archive.name for archive in home.archives)
    path, key = tmp_path / "r.json", home.folder / f"vault/archives/{left_out}/key.age"
    data = key.read_bytes()
    key.write_bytes(data[:-40])
    then = run("--config", home.folder, "search", "--keep-going", "--record", path, "the")
    assert then.code == IncompleteError.exit_code
    recorded = json.loads(path.read_bytes())
    assert [one["archive"] for one in recorded["archives"]] == [other]
    for mended in (False, True):
        if mended:
            key.write_bytes(data)
        again = replay(run, home, path, IncompleteError.exit_code)
        assert (again["same"], again["found_now"], again["found_then"]) == (False, [], [])
        assert [one["archive"] for one in again["unsearched_then"]] == [left_out]
        said = run("--config", home.folder, "search", "--replay", path)
        assert said.code == IncompleteError.exit_code
        assert (
            f"\nnothing differs in what was searched then, which was not all: {recorded['count']} "
            in said.output
        )
        assert f"\n  archive {left_out} was not searched then: " in said.output
        assert "the same" not in said.output


def test_it_is_said_where_a_search_was_recorded_and_how_many_results(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    said = run("--config", home.folder, "search", "--limit", "1", "--record", path, "the").errors
    number = json.loads(path.read_bytes())["count"]
    assert said.startswith(f"recorded in {path}: {number} records\n1 record; there are more; ")
    other = tmp_path / "other.json"
    *_, summary = run("--config", home.folder, "search", "--json", "--record", other, "the").json_lines()
    assert summary["recorded"] == {"file": str(other), "count": number}


def test_moderation_records_are_recorded_and_repeated_too(run: Runner, home: Home, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    assert record(run, home, path, "kind:moderation")["kinds"] == ["moderation"]
    assert replay(run, home, path)["same"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["the"], "--replay repeats the query that is recorded, and takes no other"),
        (["--order", "oldest"], "--order is of the search that is recorded"),
        (["--ids"], "--ids is of the search that is recorded"),
        (["--record", "other.json"], "--record is of the search that is recorded"),
    ],
)
def test_a_replay_takes_nothing_that_is_of_the_recorded_search(
    run: Runner, home: Home, tmp_path: Path, arguments: list[str], message: str
) -> None:
    path = tmp_path / "r.json"
    record(run, home, path, "the")
    asked = ["--config", home.folder, "search", "--replay", path, *arguments]
    assert run.fails(UsageError.exit_code, *asked).startswith(message)


def test_a_record_of_another_vault_or_no_record_is_refused(run: Runner, home: Home, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    record(run, home, path, "the")
    alter(path, {"vault": "another"})
    asked = ["--config", home.folder, "search", "--replay", path]
    assert "records a search of another vault, another" in run.fails(UsageError.exit_code, *asked)
    alter(path, {"query": 'a "b', "vault": home.vault.id})
    assert "this version cannot read the query recorded there" in run.fails(ArchiverError.exit_code, *asked)
    alter(path, {"count": 0})
    assert "was altered" in run.fails(IntegrityError.exit_code, *asked)
    path.write_text("{}")
    assert "is no search record that this version knows" in run.fails(ArchiverError.exit_code, *asked)
