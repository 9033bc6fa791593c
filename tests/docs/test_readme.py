"""README.md as a newcomer follows it: its commands run as written, its links lead somewhere, its tables
are true. The sample export of a fictional force stands in for EXPORT.zip."""

import datetime as dt
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from archiver import __version__
from archiver.cli._group import COMMANDS, group
from archiver.errors import ArchiverError
from archiver.sample import write_sample_export
from tests.cli.runner import Runner
from tests.docs.documents import blocks, links, table_rows
from tests.docs.terminal import run_on_terminal
from tests.programs import PROJECT, require_program

README = PROJECT / "README.md"
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")])
PASSPHRASE = "seven plain words nobody would guess here"
TYPED = [
    ("New passphrase of records: ", PASSPHRASE),
    ("Once more: ", PASSPHRASE),
    ("Passphrase of records.identity: ", PASSPHRASE),
]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


def commands(language: str) -> list[str]:
    return [one.text for one in blocks(README) if one.language == language]


def clone(folder: Path) -> Mapping[str, str]:
    """A folder as it is after `make backup`: the program in `.venv/bin`, and an export beside it. Return the
    environment of somebody whose home this is."""
    (folder / ".venv").mkdir(parents=True)
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    write_sample_export(folder / "EXPORT.zip", until=dt.date(2026, 10, 31), months=12)
    return {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, str], int, str]:
    """Every command of the README, in its order, with a person typing the passphrase: the folder, the
    environment, the exit code and what the terminal showed."""
    folder = tmp_path_factory.mktemp("newcomer") / "archiver"
    environ = clone(folder)
    code, shown = run_on_terminal("".join(commands("sh")), folder, TYPED, environ)
    return folder, environ, code, shown.replace("\r\n", "\n")


def test_the_commands_run_as_written(followed: tuple[Path, Mapping[str, str], int, str]) -> None:
    _, _, code, shown = followed
    assert code == 0, shown
    assert "MISSING" not in shown
    assert shown.count("Sealed archive") == 1
    assert "Nothing new to seal." in shown  # the same export again, from the inbox
    assert shown.count("No archive is missing or altered.") == 3
    assert re.search(r"[1-9][0-9]* records?; ", shown)
    assert "inbox: empty" in shown
    assert PASSPHRASE not in shown


def test_what_the_readme_names_is_there(followed: tuple[Path, Mapping[str, str], int, str]) -> None:
    folder = followed[0]
    for name in ("police-archive/keys/records.identity", "police-archive/vault"):
        assert name in README.read_text()
        assert (folder / name).exists()
    assert [path.name for path in (folder / "police-archive" / "inbox" / "done").iterdir()] == ["EXPORT.zip"]
    (archive,) = (folder / "police-archive" / "vault" / "archives").iterdir()
    (picture,) = (one.text for one in blocks(README) if one.heading == "How it works")
    for path in archive.iterdir():
        assert path.name in picture or path.name == "manifest.json.sig", path.name


def test_the_cron_line_runs_and_prints_nothing_when_all_is_well(
    followed: tuple[Path, Mapping[str, str], int, str],
) -> None:
    folder, environ, _, _ = followed
    (line,) = commands("cron")
    fields = line.split(maxsplit=5)
    assert all(re.fullmatch(r"[0-9*]+", field) for field in fields[:5])
    home = folder.parent  # the clone is $HOME/archiver
    if not (home / "police-archive").exists():
        (home / "police-archive").symlink_to(folder / "police-archive")
    done = subprocess.run(
        ["sh", "-c", fields[5]], env={**environ, "HOME": str(home)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "remind: done\n"), (
        "it was never reminded of a second keyholder"
    )
    assert "Only one keyholder" in done.stderr
    done = subprocess.run(
        ["sh", "-c", fields[5]], env={**environ, "HOME": str(home)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (home / "police-archive").unlink()
    failed = subprocess.run(
        ["sh", "-c", fields[5]], env={**environ, "HOME": str(home)}, capture_output=True, text=True
    )
    assert "archiver: error:" in failed.stderr


def test_every_query_and_every_kind_shown_finds_something_in_the_sample(run: Runner, tmp_path: Path) -> None:
    assert run("demo", tmp_path / "demo").code == 0
    by_hand = ["--text", "Nonsense.", "--author", "loud_resident", "--posted-at", "2026-01-05T10:00Z"]
    decided = [
        "--reason",
        "abusive",
        "--action",
        "hide",
        "--done-at",
        "2026-01-05T10:30Z",
        "--by",
        "duty officer",
    ]
    assert run("--config", tmp_path / "demo", "moderate", "123", *decided, *by_hand).code == 0
    rows = table_rows(README, "query")
    assert len(rows) == 17
    for query, explained in rows:
        words = query.strip("`")
        result = run("--config", tmp_path / "demo", "search", "--json", words)
        assert result.code == 0, words
        assert result.json_lines()[-1]["count"], words
        if words.startswith("kind:"):
            for kind in re.findall(r"`(\w+)`", explained):
                found = run("--config", tmp_path / "demo", "search", "--json", "--limit", "1", f"kind:{kind}")
                assert [line["type"] for line in found.json_lines()] == [kind, "summary"]


def test_the_exit_codes_are_those_of_the_error_tree() -> None:
    classes = [ArchiverError, *ArchiverError.__subclasses__()]
    rows = table_rows(README, "exit code")
    assert {int(row[0]) for row in rows} == {0} | {one.exit_code for one in classes}


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    (block,) = (one.text for one in blocks(README) if one.heading == "Two commands")
    assert block.splitlines() == ["make backup", "make test"]
    for command in block.splitlines():
        planned = subprocess.run(
            [require_program("make"), "--dry-run", *shlex.split(command)[1:]],
            cwd=PROJECT,
            capture_output=True,
        )
        assert planned.returncode == 0, planned.stderr


def anchors(path: Path) -> set[str]:
    """The fragments that headings of a document can be linked by."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in links(document):
        if re.match(r"https://", link):
            continue
        path, _, fragment = link.partition("#")
        target = document.parent / path if path else document
        assert target.is_file(), link
        assert not fragment or fragment in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_hold_no_machines_paths_and_nothing_unfinished(document: Path) -> None:
    text = document.read_text()
    assert not re.search(r"(?<![\w./*~>-])/(?:home|root|work|tmp|usr|opt|srv|mnt|Users)/", text)
    assert not re.search(r"\b(?:TODO|FIXME|XXX|TBD)\b", text)


def test_files_that_documents_name_are_there() -> None:
    for document in DOCUMENTS:
        for name in re.findall(r"`((?:docs|config|tests|archiver)/[\w./-]+)`", document.read_text()):
            assert (PROJECT / name).exists(), f"{document.name} names {name}"


def all_commands() -> Iterator[list[str]]:
    """Every command there is, with those below it."""
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        yield [name]
        if isinstance(command, click.Group):
            yield from ([name, below] for below in command.commands)


@pytest.mark.parametrize("words", list(all_commands()), ids=" ".join)
def test_every_commands_help_has_an_example_of_it_that_can_be_read(run: Runner, words: list[str]) -> None:
    shown = run(*words, "--help")
    assert shown.code == 0
    _, _, example = shown.output.partition("Example:\n")
    lines = [shlex.split(line) for line in example.strip().splitlines()]
    assert lines
    for line in lines:
        assert line[0] == "archiver"
        given = line[3:] if line[1] == "--config" else line[1:]
        assert given[: len(words)] == words
    assert all(one.strip() for one in shown.output.split("\n\n")[1].splitlines()[:1])  # it says what it does


def test_the_readme_names_every_limit_that_a_records_officer_must_know() -> None:
    text = " ".join(README.read_text().split())
    version = ".".join(__version__.split(".")[:2])
    for said in (
        "between two exports", "about 14 days", "Nothing else opens the archives", f"version {version}.",
    ):  # fmt: skip
        assert said in text
