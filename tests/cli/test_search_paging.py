"""`archiver search --after`: pages put together are the whole answer, whatever is sealed between them."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from archiver.errors import IntegrityError, UsageError
from archiver.inbox.exports import import_exports
from archiver.moderation.keeping import keep_entries
from archiver.seal import seal
from archiver.search.language import parse_query
from archiver.search.repeating.cursor import Cursor, encode_cursor, parse_cursor
from archiver.search.sql.statement import Order
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from tests.cli.runner import Runner
from tests.faults.folders import LATER, copy_folder, sample
from tests.homes import NOW_MS, Home, make_home
from tests.made_vaults import Made, VaultMaker, message, moderation, post

ORDERS = get_args(Order)
Between = Callable[[], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Path]:
    """The sample sealed, and an export with two months more."""
    home = make_home(tmp_path_factory.mktemp("paging"))
    return home, sample(home.folder.parent / "more.zip", until=LATER, months=3)


@pytest.fixture
def home(made: tuple[Home, Path], tmp_path: Path) -> Home:
    return Home(copy_folder(made[0].folder, tmp_path / "home"))


@pytest.fixture
def more(made: tuple[Home, Path]) -> Path:
    return made[1]


def page(run: Runner, home: Home, *arguments: str) -> tuple[list[object], dict[str, object]]:
    result = run("--config", home.folder, "search", "--json", *arguments)
    assert result.code == 0, result
    *hits, summary = result.json_lines()
    return [(hit["type"], hit["id"]) for hit in hits], summary


def pages(run: Runner, home: Home, order: str, size: int, between: Between = list) -> list[object]:
    """All pages of an answer put together; something happens after the first."""
    found, summary = page(run, home, "--order", order, "--limit", str(size), "the")
    between()
    while summary["more"]:
        after = str(summary["cursor"])
        some, summary = page(run, home, "--order", order, "--limit", str(size), "--after", after, "the")
        found += some
    assert summary["cursor"] is None
    return found


@pytest.mark.parametrize("order", ORDERS)
def test_pages_are_the_whole_answer_also_while_an_archive_is_sealed_between_them(
    run: Runner, home: Home, more: Path, order: str
) -> None:
    whole, _ = page(run, home, "--order", order, "--limit", "0", "the")
    assert len(whole) > 60
    assert pages(run, home, order, 29) == whole
    assert pages(run, home, order, 29, lambda: home.take(more)) == whole
    assert len(page(run, home, "--limit", "0", "the")[0]) > len(whole)


def test_archives_sealed_since_are_left_out_and_named(run: Runner, home: Home, more: Path) -> None:
    _, summary = page(run, home, "--limit", "5", "the")
    home.take(more)
    arguments = ("search", "--limit", "5", "--after", str(summary["cursor"]), "the")
    noted = run("--config", home.folder, *arguments).errors
    assert "\n1 archive sealed since the first page is not in it: search again for all\n" in noted
    _, summary = page(run, home, *arguments[1:])
    assert summary["sealed_since"] == {"left_out": 1, "searched": 0}


def import_only(home: Home, export: Path) -> None:
    with open_collector(home.settings) as collector:
        for result in import_exports(collector, [export], may_add_account=True, clock=lambda: NOW_MS):
            assert result.error is None, result


def seal_spool(home: Home) -> None:
    with open_collector(home.settings) as collector:
        seal(collector.spool, collector.state, home.vault, seal_options(home.settings), lambda: NOW_MS)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_records_of_the_spool_are_not_lost_when_it_is_sealed_between_pages(
    run: Runner, home: Home, more: Path, order: str
) -> None:
    sealed, _ = page(run, home, "--limit", "0", "the")
    import_only(home, more)
    whole, summary = page(run, home, "--order", order, "--limit", "0", "the")
    assert len(whole) > len(sealed)
    assert int(str(summary["spool_records"])) > 0
    assert pages(run, home, order, 29) == whole
    first = page(run, home, "--order", order, "--limit", "5", "the")[1]
    assert pages(run, home, order, 29, lambda: seal_spool(home)) == whole
    after = ("--order", order, "--limit", "5", "--after", str(first["cursor"]), "the")
    assert page(run, home, *after)[1]["sealed_since"] == {"left_out": 0, "searched": 1}
    assert (
        "\n1 archive sealed since the first page is in it, with what lay in the spool then\n"
        in run("--config", home.folder, "search", *after).errors
    )


def test_what_is_captured_between_pages_does_not_come_into_them(
    run: Runner, home: Home, more: Path, tmp_path: Path
) -> None:
    whole, _ = page(run, home, "--order", "oldest", "--limit", "0", "the")
    assert pages(run, home, "oldest", 29, lambda: import_only(home, more)) == whole
    _, summary = page(run, home, "--limit", "5", "--after", first_cursor(run, home), "the")
    assert "captured_since_left_out" not in summary  # it was there at this first page
    older = sample(tmp_path / "older.zip", until=LATER, months=4)
    whole, _ = page(run, home, "--order", "newest", "--limit", "0", "the")
    assert pages(run, home, "newest", 29, lambda: import_only(home, older)) == whole
    assert len(page(run, home, "--limit", "0", "the")[0]) > len(whole)


def first_cursor(run: Runner, home: Home, query: str = "the") -> str:
    return str(page(run, home, "--limit", "5", query)[1]["cursor"])


def test_it_is_said_that_what_was_captured_since_the_first_page_is_not_in_the_next(
    run: Runner, home: Home, more: Path
) -> None:
    note = "\nrecords captured since the first page are not in it: search again for all\n"
    cursor = first_cursor(run, home)
    arguments = ("search", "--limit", "5", "--after", cursor, "the")
    assert note not in run("--config", home.folder, *arguments).errors
    import_only(home, more)
    assert note in run("--config", home.folder, *arguments).errors
    assert page(run, home, *arguments[1:])[1]["captured_since_left_out"] is True
    assert note not in run("--config", home.folder, "search", "--limit", "5", "the").errors
    left_out = page(run, home, "--no-spool", "--limit", "5", "the")[1]
    asked = ("search", "--no-spool", "--limit", "5", "--after", str(left_out["cursor"]), "the")
    assert note not in run("--config", home.folder, *asked).errors


def test_of_moderation_records_it_is_said_too(run: Runner, home: Home) -> None:
    with home.open_spool() as spool:
        keep_entries(spool, [moderation(f"m{number}", text="the") for number in range(9)], [])
    cursor = first_cursor(run, home, "kind:moderation the")
    arguments = ("search", "--limit", "5", "--after", cursor, "kind:moderation the")
    note = "\nrecords captured since the first page are not in it: search again for all\n"
    before = run("--config", home.folder, *arguments)
    with home.open_spool() as spool:
        keep_entries(spool, [moderation("m9", text="the")], [])
    after = run("--config", home.folder, *arguments)
    assert (note in before.errors, note in after.errors) == (False, True)
    assert before.output == after.output


def test_a_page_by_relevance_is_refused_where_the_spool_was_sealed_since(
    run: Runner, home: Home, more: Path
) -> None:
    import_only(home, more)
    _, summary = page(run, home, "--order", "relevance", "--limit", "5", "the")
    seal_spool(home)
    after = ["--order", "relevance", "--after", str(summary["cursor"]), "the"]
    said = run.fails(UsageError.exit_code, "--config", home.folder, "search", *after)
    assert said.endswith("\narchiver: hint: begin again: leave --after out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["burglary"], "--after goes on with the answer to another query"),
        (["the", "--exact"], "--after goes on with the answer to another query"),
        (["the", "--no-spool"], "--after goes on with the answer to another query"),
        (["the", "--order", "oldest"], "--after goes on with an answer in the order newest"),
    ],
)
def test_a_cursor_of_another_search_is_a_usage_error(
    run: Runner, made: tuple[Home, Path], arguments: list[str], message: str
) -> None:
    home = made[0]
    _, summary = page(run, home, "--limit", "5", "the")
    asked = ["search", "--after", str(summary["cursor"]), *arguments]
    assert run.fails(UsageError.exit_code, "--config", home.folder, *asked).startswith(message)


@pytest.mark.parametrize("text", ["", "s1.", "-x", "s1.AAAA", "next", "\N{POLICE CAR}" * 5000])
def test_a_garbled_cursor_is_a_usage_error(run: Runner, made: tuple[Home, Path], text: str) -> None:
    asked = ["--config", made[0].folder, "search", "--after", text, "the"]
    assert "copy it whole" in run.fails(UsageError.exit_code, *asked)


def test_a_head_that_is_gone_from_the_chain_is_an_integrity_error(
    run: Runner, home: Home, more: Path
) -> None:
    home.take(more)
    _, summary = page(run, home, "--limit", "5", "the")
    last = home.archives[-1].name
    for name in ("manifest.json", "manifest.json.sig"):
        home.replace(f"archives/{last}/{name}", None)
    asked = ["search", "--after", str(summary["cursor"]), "the"]
    said = run.fails(IntegrityError.exit_code, "--config", home.folder, *asked)
    assert said.startswith("archive number 2, the last one when the first page was shown, is missing")


def test_the_cursor_that_a_person_is_told_goes_on(run: Runner, made: tuple[Home, Path]) -> None:
    home = made[0]
    noted = run("--config", home.folder, "search", "--limit", "5", "the").errors
    (line,) = [one for one in noted.splitlines() if one.startswith("the next ones: ")]
    after = line.removeprefix("the next ones: the same with ").split()
    assert page(run, home, "--limit", "5", *after, "the")[0] == page(run, home, "--limit", "10", "the")[0][5:]


# Equal times and equal scores


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("versions", [False, True])
def test_pages_are_whole_where_all_stand_in_one_place(tmp_path: Path, order: Order, versions: bool) -> None:
    maker = VaultMaker(tmp_path)
    for archive in range(3):
        posts = [Made(post(str(number), "flood here", 1_000), archive + 1) for number in range(archive, 9)]
        maker.add(f"2026-0{archive + 1}-01", [*posts, message(str(archive), "flood here", 1_000)])
    searcher = maker.searcher()
    query = parse_query("flood")
    whole = searcher.search(query, order=order, limit=0, versions=versions).hits
    assert len(whole) == (9 + 8 + 7 + 3 if versions else 9 + 3)
    found = []
    after = None
    while True:
        result = searcher.search(query, order=order, limit=2, after=after, versions=versions)
        found += result.hits
        if not result.more or result.ends_at is None:
            break
        after = parse_cursor(encode_cursor(Cursor(order, b"", result.ends_at, 0, b""))).position
    searcher.close()
    assert found == whole
