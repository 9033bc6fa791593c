"""The outputs of `archiver search`: CSV, ids, numbers, groups, context, and what could not be searched."""

import csv
import io
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.cli._search_csv import COLUMNS, hit_rows, write_csv
from archiver.csv_guard import without_guard
from archiver.errors import IncompleteError, IntegrityError, NoKeyError, UsageError
from archiver.search.hit import Hit
from tests.cli.runner import Result, Runner, run_on_terminal, start_process
from tests.cli.stores import add_store
from tests.faults.folders import LATER, copy_folder, sample
from tests.homes import Home, make_home
from tests.made_vaults import VaultMaker, message, post

HOLDER = '[keyholder]\nname = "holder"\nidentity = "holder.identity"\n'
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "＋1", "－1", "＠A", "'=1"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two archives."""
    home = make_home(tmp_path_factory.mktemp("output"))
    home.take(sample(home.folder.parent / "later.zip", until=LATER, months=3))
    return home


@pytest.fixture
def copied(home: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(home.folder, tmp_path / "home"))


def search(run: Runner, home: Home, *arguments: str) -> Result:
    result = run("--config", home.folder, "search", *arguments)
    assert result.code == 0, result
    return result


def hits_of(run: Runner, home: Home, *arguments: str) -> list[dict[str, object]]:
    return search(run, home, "--json", *arguments).json_lines()[:-1]


# Ids and CSV


def test_ids_are_one_a_line_and_nothing_else(run: Runner, home: Home) -> None:
    result = search(run, home, "--ids", "--limit", "7", "the")
    assert result.output.splitlines() == [hit["id"] for hit in hits_of(run, home, "--limit", "7", "the")]
    assert result.errors.startswith("7 records; there are more; ")


def test_csv_is_one_flat_file_with_a_header_that_says_what_json_does(run: Runner, home: Home) -> None:
    written = search(run, home, "--csv", "--limit", "0", "the").output
    assert written.startswith(",".join(COLUMNS) + "\r\n")
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    hits = hits_of(run, home, "--limit", "0", "the")
    assert len(rows) == len(hits) > 100
    for row, hit in zip(rows, hits, strict=True):
        assert (row["kind"], row["id"], row["archive"]) == (hit["type"], hit["id"], hit["archive"])
        assert (row["posted_at"], row["alt_text"]) == (hit["posted_at"], hit["alt_text"] or "")
        assert without_guard(row["text"]) == hit["text"]
        assert not row["text"].startswith("@")
    assert {row["posted_at_uk"][-3:] for row in rows} == {"BST", "GMT"}


def test_without_hits_csv_has_its_header(run: Runner, home: Home) -> None:
    assert search(run, home, "--csv", "nosuchword").output == ",".join(COLUMNS) + "\r\n"


def rows_written(capfdbinary: pytest.CaptureFixture[bytes], texts: list[str]) -> list[dict[str, str]]:
    hit = Hit("x", "1", "post", "1001", "1001", "made", 0, "", None, "2026-11-01", 1, "1", 0.0)
    capfdbinary.readouterr()
    write_csv(COLUMNS, hit_rows(hit._replace(text=text, author=text) for text in texts))
    written = capfdbinary.readouterr().out.decode("utf-8")
    assert "\0" not in written
    return list(csv.DictReader(io.StringIO(written, newline="")))


def test_what_a_spreadsheet_would_run_is_guarded(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    rows = rows_written(capfdbinary, FORMULAS)
    assert [row["text"] for row in rows] == [f"'{text}" for text in FORMULAS]
    assert [row["author"] for row in rows] == [f"'{text}" for text in FORMULAS]


def test_no_text_breaks_the_file(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    texts = ["a\0b", "half \ud800", 'quo"ted', "two\r\nlines", "a,b", "\N{POLICE CAR}"]
    rows = rows_written(capfdbinary, texts)
    assert [row["text"] for row in rows] == ["a\ufffdb", "half ?", *texts[2:]]

    @given(st.lists(st.text(), min_size=1, max_size=5))
    def check(some: list[str]) -> None:
        assert len(rows_written(capfdbinary, some)) == len(some)

    check()


# Numbers


def test_count_is_a_number_and_the_same_that_a_search_shows(run: Runner, home: Home) -> None:
    for query in ("the", "kind:like", "nosuchword"):
        number = len(hits_of(run, home, "--limit", "0", query))
        assert search(run, home, "--count", query).output == f"{number}\n"
        assert search(run, home, "--count", "--csv", query).output == f"count\r\n{number}\r\n"
        (summary,) = search(run, home, "--count", "--json", query).json_lines()
        assert (summary["type"], summary["count"]) == ("summary", number)


def test_groups_are_a_table_with_a_total_and_add_up(run: Runner, home: Home) -> None:
    total = len(hits_of(run, home, "--limit", "0", "the"))
    for by in ("month", "account", "author", "kind"):
        *groups, summary = search(run, home, "--by", by, "--json", "the").json_lines()
        assert sum(int(str(group["count"])) for group in groups) == total == summary["count"]
        lines = search(run, home, "--by", by, "the").output.splitlines()
        assert re.fullmatch(rf"{by} +records", lines[0])
        assert re.fullmatch(rf"total +{total}", lines[-1])
        assert len({len(line) for line in lines}) == 1  # columns stand below each other
        assert len(lines) == len(groups) + 2
        rows = list(csv.reader(io.StringIO(search(run, home, "--by", by, "--csv", "the").output)))
        assert [(row[0], int(row[-1])) for row in rows[1:]] == [(one["name"], one["count"]) for one in groups]


def test_of_hashtags_it_is_said_that_they_overlap(run: Runner, home: Home) -> None:
    result = search(run, home, "--by", "hashtag", "police")
    assert "#policedogs" in result.output
    assert "a record with two hashtags counts in both, one without any in none\n" in result.errors


def test_on_a_terminal_groups_have_bars_that_fit_and_are_ascii_where_they_must_be(home: Home) -> None:
    asked = ["--config", home.folder, "search", "--by", "kind", "the"]
    shown = run_on_terminal(asked, {})[1].splitlines()
    bars = [line for line in shown if "█" in line]
    assert len(bars) > 2
    assert max(map(len, shown)) <= 80
    lengths = [line.count("█") for line in bars]
    assert lengths == sorted(lengths, reverse=True)


# Context


@pytest.fixture(scope="module")
def threads(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A made-up vault in the place of the folder's own: a thread of five posts, of which two match, a lone
    post and a conversation."""
    made = Home(copy_folder(home.folder, tmp_path_factory.mktemp("threads") / "home"))
    maker = VaultMaker(made.folder.parent / "vault", holder=made.identities[0])  # type: ignore[arg-type]  # classic
    thread = [
        post("1", "first, before all", 1_000), post("2", "second", 2_000, in_reply_to_id="1", kind="reply"),
        post("3", "third about otters", 3_000, in_reply_to_id="2", kind="reply"),
        post("4", "fourth about otters", 4_000, in_reply_to_id="3", kind="reply"),
        post("5", "fifth", 5_000, in_reply_to_id="4", kind="reply"), post("9", "otters alone", 90_000),
    ]  # fmt: skip
    talk = [message("m1", "what of otters", 50_000), message("m2", "they swim", 51_000)]
    maker.add("2026-01-01", [*thread, *talk])
    settings = made.folder / "archiver.toml"
    settings.write_text(re.sub(r'"vault"', f'"{maker.folder}"', settings.read_text()))
    return made


def test_context_shows_each_thread_once_with_its_hits_marked(run: Runner, threads: Home) -> None:
    shown = search(run, threads, "--context", "1", "otters").output
    blocks = [block.splitlines() for block in shown.split("\n\n")]
    assert [[line[:3] for line in block if not line.startswith("     ")] for block in blocks] == [
        [">> "],
        [">> ", "   "],
        ["   ", ">> ", ">> ", "   "],
    ]
    assert [line for line in blocks[2] if line.startswith("     ")] == [
        "     third about otters",
        "     fourth about otters",
    ]
    assert blocks[2][0].endswith(["second", "2"][-1])
    assert "first, before all" not in shown
    assert "first, before all" in search(run, threads, "--context", "2", "otters").output


def test_hits_whose_contexts_meet_stand_together(run: Runner, threads: Home) -> None:
    shown = search(run, threads, "--context", "1", "first OR third").output
    assert "\n\n" not in shown
    assert [line[:3] for line in shown.splitlines() if not line.startswith("     ")] == [
        ">> ", "   ", ">> ", "   ",
    ]  # fmt: skip
    apart = search(run, threads, "--context", "1", "first OR fifth").output
    assert apart.count("\n\n") == 1


def test_context_as_json_is_a_list_in_which_the_record_itself_is_told(run: Runner, threads: Home) -> None:
    hits = hits_of(run, threads, "--context", "1", "otters kind:reply")
    lines: list[list[dict[str, object]]] = [hit["context"] for hit in hits]  # type: ignore[misc]  # JSON
    assert [[line["id"] for line in some] for some in lines] == [["3", "4", "5"], ["2", "3", "4"]]
    assert [[line["id"] for line in some if line["is_record"]] for some in lines] == [["4"], ["3"]]
    assert "context" not in hits_of(run, threads, "otters")[0]


# What was looked for


def test_an_answer_says_what_was_looked_for_beside_what_was_typed(run: Runner, home: Home) -> None:
    noted = search(run, home, "--limit", "1", "appeal OR *ffic* OR 東京 OR burglery").errors
    assert "\nappeal: also appealing\n" in noted
    assert "\n*ffic*: found by reading every text, as it may stand within words\n" in noted
    assert "\n東京: found by reading every text, as its script puts no spaces between words\n" in noted
    assert re.search(r"\nno archive has burglery; did you mean burglary \(in \d+ texts\)\?\n", noted)
    exact = search(run, home, "--exact", "--limit", "1", "appeal").errors
    assert "also" not in exact


def test_a_mistake_in_a_query_is_shown_under_it(run: Runner, home: Home) -> None:
    assert run.fails(UsageError.exit_code, "--config", home.folder, "search", 'road "closed') == (
        "a quotation mark is not closed\n"
        '  road "closed\n'
        "       ^\n"
        'archiver: hint: a phrase stands between two: "road closed"'
    )


@pytest.mark.parametrize(
    "options",
    [
        ("--ids", "--json"), ("--ids", "--csv"), ("--csv", "--json"), ("--count", "--limit", "5"),
        ("--count", "--by", "month"), ("--by", "month", "--order", "oldest"), ("--ids", "--context", "2"),
        ("--csv", "--context", "2"), ("--record", "never.json", "--after", "s1.x"), ("--ids", "--count"),
    ],
)  # fmt: skip
def test_options_that_exclude_each_other_are_refused_by_name(
    run: Runner, home: Home, options: tuple[str, ...]
) -> None:
    said = run.fails(UsageError.exit_code, "--config", home.folder, "search", *options, "the")
    assert "exclude each other" in said
    assert sum(option in said for option in options) == 2


# What could not be searched


def test_a_damaged_archive_is_named_and_the_others_are_answered_for(run: Runner, copied: Home) -> None:
    name = copied.damage()
    for keep_going, code in (((), IntegrityError.exit_code), (("--keep-going",), IncompleteError.exit_code)):
        result = run("--config", copied.folder, "search", *keep_going, "--limit", "0", "the")
        assert result.code == code
        assert f"  in {copied.archives[1].name}" in result.output
        assert f"  in {name}\n" not in result.output
        assert f"archiver: error: archive {name} was not searched: " in result.errors
        assert "archiver: hint: restore it from another store: " in result.errors
    result = run("--config", copied.folder, "search", "--json", "the")
    (left_out,) = result.json_lines()[-1]["unsearched"]  # type: ignore[misc]  # JSON
    assert (result.code, left_out["archive"]) == (IntegrityError.exit_code, name)
    assert left_out["error"]
    assert left_out["hint"]
    assert f"archive {name} was not searched" in result.errors


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [(["the"], ""), (["--count", "the"], "0\n"), (["--ids", "the"], ""), (["--context", "2", "the"], "")],
)
def test_where_every_archive_is_damaged_each_is_named_and_nothing_is_found(
    run: Runner, copied: Home, arguments: list[str], shown: str
) -> None:
    for number in range(2):
        copied.damage(number)
    for keep_going, code in (((), IntegrityError.exit_code), (("--keep-going",), IncompleteError.exit_code)):
        result = run("--config", copied.folder, "search", *keep_going, *arguments)
        assert (result.code, result.output) == (code, shown)
        for archive in copied.archives:
            assert f"archiver: error: archive {archive.name} was not searched: " in result.errors
    (summary,) = run("--config", copied.folder, "search", "--json", "the").json_lines()
    assert summary["count"] == 0
    assert [one["archive"] for one in summary["unsearched"]] == [  # type: ignore[attr-defined]  # JSON
        archive.name for archive in copied.archives
    ][::-1]


def test_where_no_key_fits_any_archive_each_is_named_and_the_command_ends_in_12(
    run: Runner, copied: Home
) -> None:
    for number, archive in enumerate(copied.archives):
        other = VaultMaker(copied.folder / f"other{number}")
        other.add("2026-01-01", [post("1", "of others")])
        key = (other.folder / "archives/2026-01-01/key.age").read_bytes()
        copied.replace(f"archives/{archive.name}/key.age", key)
    for keep_going, code in (((), NoKeyError.exit_code), (("--keep-going",), IncompleteError.exit_code)):
        result = run("--config", copied.folder, "search", *keep_going, "the")
        assert (result.code, result.output) == (code, "")
        for archive in copied.archives:
            assert f"archiver: error: archive {archive.name} was not searched: " in result.errors


def test_an_archive_whose_key_is_for_others_is_left_out_and_the_command_ends_in_3(
    run: Runner, copied: Home
) -> None:
    first, second = copied.archives
    other = VaultMaker(copied.folder / "other")
    other.add("2026-01-01", [post("1", "of others")])
    key = (other.folder / "archives/2026-01-01/key.age").read_bytes()
    copied.replace(f"archives/{first.name}/key.age", key)
    result = run("--config", copied.folder, "search", "--ids", "the")
    assert result.code == IncompleteError.exit_code
    assert result.output
    assert f"archiver: error: archive {first.name} was not searched: " in result.errors
    assert second.name not in result.errors


def test_ascii_is_enough_for_a_terminal_that_has_no_blocks(home: Home) -> None:
    """Asked of the bar itself: what a terminal's encoding is the program learns from its environment."""
    environ = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    process = start_process("--config", home.folder, "search", "--by", "kind", "the", environ=environ)
    output, _ = process.communicate()
    assert process.returncode == 0
    assert output.isascii()


def test_the_spool_is_left_out_when_asked(run: Runner, home: Home) -> None:
    noted = search(run, home, "--no-spool", "--limit", "1", "the").errors
    assert noted.startswith("1 record; there are more; the spool was left out\n")
    summary = json.loads(search(run, home, "--no-spool", "--json", "the").output.splitlines()[-1])
    assert summary["spool_included"] is False
    assert os.path.isdir(home.folder / "spool")


def test_a_store_that_lags_behind_costs_the_catalogue_nothing(run: Runner, copied: Home) -> None:
    newest = copied.archives[-1].name
    shutil.copytree(copied.folder / "vault", copied.folder / "copy")
    shutil.rmtree(copied.folder / "copy" / "archives" / newest)
    add_store(copied, "copy", required=False)
    assert run("--config", copied.folder, "search", "the").code == 0
    parts = catalogued(copied)
    assert parts
    lagging = run("--config", copied.folder, "search", "--store", "copy", "the")
    assert lagging.code == 3
    assert catalogued(copied) == parts


def catalogued(home: Home) -> dict[str, bytes]:
    """The files of the catalogue by name."""
    folder = home.settings.cache.folder / "catalogue"
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
