"""What people type to `archiver search` as they think it must be, and what they are told."""

import shlex
from pathlib import Path

import pytest

from archiver.errors import UsageError
from tests.cli.runner import Runner
from tests.faults.folders import LATER, sample
from tests.homes import Home, make_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = make_home(tmp_path_factory.mktemp("typed"))
    home.take(sample(home.folder.parent / "later.zip", until=LATER, months=3))
    return home


def ids(run: Runner, home: Home, *words: str) -> list[str]:
    result = run("--config", home.folder, "search", "--ids", "--limit", "0", *words)
    assert result.code == 0, result
    return result.output.splitlines()


def noted(run: Runner, home: Home, *words: str) -> list[str]:
    result = run("--config", home.folder, "search", "--limit", "1", *words)
    assert result.code == 0, result
    return result.errors.splitlines()


# Words that begin with a hyphen


@pytest.mark.parametrize("query", ["-from:SpringfieldPolice", "-kind:repost the", "-the", "-url:x.com/a?b=c"])
def test_a_query_may_begin_with_a_hyphen(run: Runner, home: Home, query: str) -> None:
    found = ids(run, home, query)
    assert found == ids(run, home, "--", query)
    assert len(found) > 10
    assert found == ids(run, home, *query.split())


def test_options_stand_where_they_like_beside_such_words(run: Runner, home: Home) -> None:
    result = run("--config", home.folder, "search", "-kind:repost", "--limit", "3", "--ids", "the", "-police")
    assert result.output.splitlines() == ids(run, home, "--", "-kind:repost the -police")[:3]


@pytest.mark.parametrize("arguments", [["--limt", "3", "the"], ["the", "--limt=3"]])
def test_a_mistyped_option_is_refused_with_the_one_that_is_like_it(
    run: Runner, home: Home, arguments: list[str]
) -> None:
    said = run.fails(UsageError.exit_code, "--config", home.folder, "search", *arguments)
    assert said.startswith("no such option")
    assert "--limt" in said
    assert "--limit" in said.replace("--limt", "")


def test_behind_two_hyphens_nothing_is_an_option(run: Runner, home: Home) -> None:
    assert ids(run, home, "--", "--limt") == []
    assert "no archive has limt; did you mean limit" in noted(run, home, "--", "--limt")[-1]


def test_help_is_help_and_letters_of_words_are_none(run: Runner, home: Home) -> None:
    for asked in ("-h", "--help"):
        assert run("search", asked).output.startswith("Usage: archiver search ")
    assert run("--config", home.folder, "search", "-halfway", "the").output.startswith("2026-")


# As a phrase


def test_the_command_for_a_phrase_is_one_that_works(run: Runner, home: Home) -> None:
    (line, *_) = noted(run, home, "road  closed")
    said, command = line.split("; as a phrase: ")
    assert said == "searching for all of these words"
    program, *arguments = shlex.split(command)
    assert program == "archiver"
    found = run(*arguments, "--ids").output
    assert found
    assert found.splitlines() == ids(run, home, '"road closed"')


@pytest.mark.parametrize(
    "query",
    [
        "road AND closed", "road OR closed", "road NOT closed", "road NEAR closed", "(road closed)",
        "road -closed", "road clos*", "road closed~1", "road covid-19", '"road" closed', "road from:a",
        "road #a", "road £", "road",
    ],
)  # fmt: skip
def test_a_query_that_is_more_than_words_is_not_taken_for_a_phrase(
    run: Runner, home: Home, query: str
) -> None:
    assert not any("as a phrase" in line for line in noted(run, home, query))


def test_a_phrase_is_quoted_for_the_shell(run: Runner, home: Home) -> None:
    (line, *_) = noted(run, home, "road' closed")
    assert shlex.split(line.split("; as a phrase: ")[1])[-1] == '"road\' closed"'


# What is in no archive


def test_a_word_that_no_archive_has_is_named_also_without_one_like_it(run: Runner, home: Home) -> None:
    assert "no archive has xylophonist" in noted(run, home, "the OR xylophonist")
    assert not any(
        "xyloph1" in line for line in noted(run, home, "the OR xyloph1")
    )  # its number is kept nowhere
    summary = run("--config", home.folder, "search", "--json", "xylophonist").json_lines()[-1]
    assert summary["suggestions"] == {"xylophonist": []}


def test_of_a_word_that_is_like_one_it_is_said_in_how_many_texts_that_is(run: Runner, home: Home) -> None:
    lines = noted(run, home, "burglery")
    assert any(line.startswith("no archive has burglery; did you mean burglary (in ") for line in lines)


@pytest.mark.parametrize("word", ["or", "and", "not", "near"])
def test_an_operator_in_small_letters_is_pointed_out_where_nothing_is_found(
    run: Runner, home: Home, word: str
) -> None:
    note = f"{word} was looked for as a word; the operator is written in capitals: {word.upper()}"
    assert note in noted(run, home, f"xylophonist {word} burglary")
    assert note in run("--config", home.folder, "search", "--count", f"xylophonist {word} burglary").errors
    assert note not in noted(run, home, f'xylophonist "{word}"')


def test_operators_in_small_letters_are_words_where_something_is_found(run: Runner, home: Home) -> None:
    assert not any("operator" in line for line in noted(run, home, "and"))


@pytest.mark.parametrize("field", ["from", "to", "mention", "account"])
def test_a_name_that_no_archive_knows_is_told_where_nothing_is_found(
    run: Runner, home: Home, field: str
) -> None:
    note = "no archive knows @SpringfieldPolise"
    assert note in noted(run, home, f"{field}:SpringfieldPolise")
    assert note not in noted(run, home, f"{field}:SpringfieldPolise OR the")
    assert not any("knows" in line for line in noted(run, home, f"{field}:SpringfieldPolice xylophonist"))


def test_an_id_that_no_handle_is_known_of_is_known_by_what_is_there(run: Runner, home: Home) -> None:
    hits = run("--config", home.folder, "search", "--json", "kind:message").json_lines()[:-1]
    sender = next(str(hit["author_id"]) for hit in hits if hit["author_id"] != hit["account"])
    assert not any("knows" in line for line in noted(run, home, f"from:{sender} xylophonist"))
    assert "no archive knows 123456" in noted(run, home, "from:123456")


def test_a_platform_that_no_archive_has_is_answered_with_those_there_are(run: Runner, home: Home) -> None:
    assert "no archive is of the platform facebook; there are: x" in noted(run, home, "platform:facebook")
    assert not any("platform" in line for line in noted(run, home, "platform:x xylophonist"))


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "https://x.com/NAME/status/{}", "https://twitter.com/NAME/status/{}?s=20",
        "mobile.twitter.com/N/status/{}",        "http://www.x.com/NAME/status/{}/photo/1", "https://x.com/i/web/status/{}#top",
    ],
)  # fmt: skip
def test_a_post_is_found_and_shown_by_its_address(run: Runner, home: Home, address: str) -> None:
    own = ids(run, home, "kind:post the")[0]
    assert ids(run, home, f"id:{address.format(own)}") == [own]
    shown = run("--config", home.folder, "show", address.format(own))
    assert (shown.code, shown.output) == (0, run("--config", home.folder, "show", own).output)


def test_the_address_of_something_else_is_no_id(run: Runner, home: Home, tmp_path: Path) -> None:
    assert "no record https://example.org/a/status/1 " in run.fails(
        1, "--config", home.folder, "show", "https://example.org/a/status/1"
    )
