"""How hits of `archiver search` are shown: times, what is gone, threads, colours, and what is said once."""

import re
import time
from pathlib import Path

import pytest

from archiver.cli._search_context import put_together
from archiver.cli._search_hits import print_hit, time_in_words
from archiver.cli._search_marks import Wanted
from archiver.cli._search_options import Options
from archiver.cli.search import _numbers
from archiver.search.hit import Hit
from archiver.search.language import Query, parse_query
from archiver.search.record.thread import Line, Thread
from archiver.search.run import Searcher
from archiver.times import parse_time
from tests.cli.runner import Runner, run_on_terminal
from tests.faults.folders import LATER, copy_folder, sample
from tests.homes import Home, make_home
from tests.made_vaults import VaultMaker, like, post

HIT = Hit("x", "7", "post", "1001", "1001", "made", 0, "text", None, "2026-11-01", 1, "7", 0.0)
ESCAPE = "\x1b["
COLOUR = re.compile(r"\x1b\[[0-9;]+m")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = make_home(tmp_path_factory.mktemp("shown"))
    home.take(sample(home.folder.parent / "later.zip", until=LATER, months=3))
    return home


# Headlines


@pytest.mark.parametrize(
    ("utc", "shown"),
    [
        ("2026-07-22T23:57:00.000Z", "2026-07-22 23:57:00 UTC (2026-07-23 00:57 BST)"),
        ("2026-07-22T22:57:59.999Z", "2026-07-22 22:57:59 UTC (23:57 BST)"),
        ("2026-01-22T23:57:00.000Z", "2026-01-22 23:57:00 UTC"),
        ("2026-10-25T01:00:00.000Z", "2026-10-25 01:00:00 UTC"),
        ("1970-01-01T12:00:00.000Z", "1970-01-01 12:00:00 UTC (13:00 BST)"),  # all year round then
    ],
)
def test_a_time_is_in_utc_and_where_clocks_in_the_uk_differ_also_as_they_show_it(
    utc: str, shown: str
) -> None:
    assert time_in_words(parse_time(utc)) == shown


def headline(capsys: pytest.CaptureFixture[str], hit: Hit, **handles: str) -> str:
    capsys.readouterr()
    print_hit(hit, Wanted(), {key.removeprefix("_"): name for key, name in handles.items()})
    return capsys.readouterr().out.splitlines()[0]


def test_what_is_gone_is_said_to_have_been_found_missing_then(capsys: pytest.CaptureFixture[str]) -> None:
    gone_ms = parse_time("2026-10-31T23:00:00.000Z")
    shown = headline(capsys, HIT._replace(gone=(gone_ms, "absent from the export")))
    assert shown.endswith("  [found missing 2026-10-31: absent from the export]")


def test_that_a_newer_version_does_not_match_is_said_whatever_the_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = headline(capsys, HIT._replace(superseded=True))
    assert one.endswith("  [a newer version does not match]")
    two = headline(capsys, HIT._replace(superseded=True, versions=2))
    assert two.endswith("  [2 versions, a newer one does not match]")
    assert headline(capsys, HIT._replace(versions=2)).endswith("  [2 versions]")


def test_a_like_was_captured_then_and_is_of_an_account_not_by_an_author(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hit = HIT._replace(kind="like", author=None, author_id=None, posted_ms=1_768_000_000_000)
    assert headline(capsys, hit) == "captured 2026-01-09 23:06:40 UTC  like  of 1001  7  in 2026-11-01"
    assert "  like  of @made  7  " in headline(capsys, hit, _1001="made")


def test_of_a_like_the_account_is_named_as_it_is_called(run: Runner, home: Home) -> None:
    result = run("--config", home.folder, "search", "--limit", "1", "kind:like")
    assert re.match(r"captured 2026-\S+ \S+ UTC.*  like  of @SpringfieldPolice  \d+  in ", result.output)


# Threads


def line(own: int, text: str = "text") -> Line:
    return Line("post", "2026-11-01", "x", str(own), str(own), "post", "1001", "1001", "made", own, text, 1)


def thread(*owns: int, of: int) -> Thread:
    lines = {own: line(own) for own in owns}
    before = tuple(one for own, one in lines.items() if own < of)
    return Thread(lines[of], before, tuple(one for own, one in lines.items() if own > of), 0, 0)


def hits_of(*owns: int) -> list[Hit]:
    return [HIT._replace(id=str(own), record_id=str(own)) for own in owns]


def test_threads_that_share_a_line_are_one_however_they_come() -> None:
    hits = hits_of(5, 90, 1, 3, 70)
    threads = [thread(4, 5, of=5), thread(90, of=90), thread(1, 2, of=1), thread(2, 3, 4, of=3), None]
    together = [
        (first.id, sorted(int(key[2]) for key in lines)) for first, lines in put_together(hits, threads)
    ]
    assert together == [("5", [1, 2, 3, 4, 5]), ("90", [90]), ("70", [])]


@pytest.mark.parametrize("step", [1, 10])
def test_three_thousand_hits_are_put_together_in_no_time(step: int) -> None:
    """In one long thread, and in as many threads."""
    owns = range(step, 3_000 * step + 1, step)
    hits = hits_of(*owns)
    threads = [thread(own - 1, own, own + 1, of=own) for own in owns]
    before = time.process_time()
    together = put_together(hits, threads)
    assert time.process_time() - before < 2
    assert len(together) == (1 if step == 1 else 3_000)


@pytest.fixture
def told(home: Home, tmp_path: Path) -> Home:
    """A vault of a long question and its answer."""
    made = Home(copy_folder(home.folder, tmp_path / "home"))
    maker = VaultMaker(made.folder.parent / "vault", holder=made.identities[0])  # type: ignore[arg-type]  # classic
    answer = post("2", "otters", 2_000, in_reply_to_id="1", kind="reply")
    maker.add("2026-01-01", [post("1", "far away " * 30, 1_000), answer])
    settings = made.folder / "archiver.toml"
    settings.write_text(re.sub(r'"vault"', f'"{maker.folder}"', settings.read_text()))
    return made


def test_lines_of_a_thread_are_whole_where_nobody_looks_at_them_on_a_terminal(
    run: Runner, told: Home
) -> None:
    shown = run("--config", told.folder, "search", "--context", "1", "otters").output
    assert f"  {('far away ' * 30).strip()}  1\n" in shown


@pytest.mark.parametrize("width", [70, 132])
def test_lines_of_a_thread_are_as_wide_as_the_terminal(told: Home, width: int) -> None:
    asked = ["--config", told.folder, "search", "--context", "1", "otters"]
    _, shown = run_on_terminal(asked, {}, COLUMNS=str(width))
    (cut,) = [COLOUR.sub("", one).rpartition("\x1b[K")[2] for one in shown.splitlines() if "far away" in one]
    assert len(cut) == width
    assert cut.endswith("…  1")


# Colours


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colours_gets_none(home: Home, environ: dict[str, str]) -> None:
    changed = run_on_terminal(["--config", home.folder, "search", "--ids", "--limit", "1", "the"], {})[1]
    own = next(one for one in changed.split() if one.isdigit() and len(one) > 10)
    for asked in (["search", "--limit", "2", "police"], ["search", "--by", "kind", "the"], ["show", own]):
        code, shown = run_on_terminal(["--config", home.folder, *asked], {}, **environ)
        assert code == 0
        assert COLOUR.search(shown) is None
    assert COLOUR.search(run_on_terminal(["--config", home.folder, "search", "police"], {})[1])


# Numbers


def test_a_count_is_said_once(run: Runner, home: Home) -> None:
    piped = run("--config", home.folder, "search", "--count", "the")
    assert piped.output.strip().isdigit()
    assert piped.errors.startswith("the spool is included")
    _, shown = run_on_terminal(["--config", home.folder, "search", "--count", "the"], {})
    assert [one for one in shown.splitlines() if one.startswith(piped.output.strip())] == [
        f"{piped.output.strip()} records"
    ]
    assert shown.count(piped.output.strip()) == 1


def test_versions_are_counted_as_versions(run: Runner, home: Home) -> None:
    _, shown = run_on_terminal(["--config", home.folder, "search", "--count", "--versions", "the"], {})
    assert re.search(r"^\d+ versions\r?$", shown, re.MULTILINE)
    result = run("--config", home.folder, "search", "--versions", "--limit", "2", "the")
    assert result.errors.startswith("2 versions; ")
    assert "versions\n" in run("--config", home.folder, "search", "--versions", "--by", "kind", "the").output


class CountedOnce(Searcher):
    """Has no number but those of groups."""

    def count(self, query: Query, *, versions: bool = False) -> int:
        raise AssertionError("counted once more")


def test_groups_that_add_up_are_not_counted_once_more(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path)
    maker.add("2026-01-01", [post("1", "otters", 1_000), post("2", "otters", 2_000), like("3", "otters")])
    vault = maker.vault()
    searcher = CountedOnce(vault, vault.list_archives().require_sound(), [maker.holder])
    total, groups = _numbers(parse_query("otters"), options(by="kind"), searcher)
    searcher.close()
    assert (total, [(one.name, one.records) for one in groups]) == (2, [("post", 2)])


def options(**some: object) -> Options:
    known: dict[str, object] = dict.fromkeys(Options.__dataclass_fields__, False)
    return Options(**{**known, **some})  # type: ignore[arg-type]  # what is not given is not looked at


# What takes long, and what is kept


def test_on_a_terminal_it_is_said_what_takes_long_until_the_answer_is_there(
    home: Home, tmp_path: Path
) -> None:
    fresh = Home(copy_folder(home.folder, tmp_path / "home"))
    for path in fresh.settings.cache.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    code, shown = run_on_terminal(["--config", fresh.folder, "search", "--count", "the"], {})
    assert code == 0
    assert "archives catalogued 0 of 2 …" in shown
    assert re.search(r"of 2 …\x1b\[K\r\x1b\[K\d+ records\r\n", shown)
    code, shown = run_on_terminal(["--config", fresh.folder, "search", "--json", "--count", "the"], {})
    assert "…" not in shown


def test_a_catalogue_that_cannot_be_kept_is_told_once(run: Runner, home: Home, tmp_path: Path) -> None:
    shut = Home(copy_folder(home.folder, tmp_path / "home"))
    folder = shut.settings.cache.folder / "catalogue"
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    if folder.is_dir():
        folder.rmdir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in its place")
    for json in ((), ("--json",)):
        result = run("--config", shut.folder, "search", *json, "--count", "the")
        assert result.code == 0
        assert result.errors.count("searches are slower than need be: ") == 1
        assert str(folder) in result.errors
    assert "slower" not in run("--config", home.folder, "search", "--count", "the").errors
