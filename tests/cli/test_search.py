"""`archiver search`: what it prints for a person, on a terminal, and for a program."""

import json
import os
import re
import zipfile
from pathlib import Path

import pytest

from archiver.cli._search_marks import Wanted, highlighted, marked, wanted_of
from archiver.cli._session import printable
from archiver.errors import NoKeyError, UsageError
from archiver.search.language import parse_query
from archiver.search.words import fold as folded
from tests.cli.runner import Runner, run_on_terminal
from tests.faults.folders import LATER, sample
from tests.homes import Home, make_home

FIELDS = {
    "type", "platform", "id", "account", "author", "author_id", "posted_at", "text", "alt_text", "archive",
    "versions", "superseded", "gone_at", "gone_how",
}  # fmt: skip
NOTHING_MORE = {
    "type": "summary", "more": False, "cursor": None, "names": {}, "all_names": True,
    "scanned": [], "suggestions": {},
    "spool_included": True, "spool_records": 0, "unsearched": [], "moderation_not_searched": 0,
}  # fmt: skip
SUMMARY = {*NOTHING_MORE, "count", "forms"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two archives: the second export changes nothing, adds a month, and lacks one post."""
    home = make_home(tmp_path_factory.mktemp("search"))
    folder = home.folder.parent
    first = json.loads(_posts(folder / "sample.zip"))[0]["tweet"]["id_str"]
    home.take(sample(folder / "later.zip", until=LATER, months=3, drop_post_ids=[first]))
    return home


def _posts(export: Path) -> str:
    with zipfile.ZipFile(export) as archive:
        text = archive.read("data/tweets.js").decode()
    return text[text.index("=") + 1 :]


def search(run: Runner, home: Home, *words: str) -> list[dict[str, object]]:
    result = run("--config", home.folder, "search", "--json", *words)
    assert result.code == 0, result
    return result.json_lines()


def test_every_line_of_json_is_a_record_and_the_last_one_a_summary(run: Runner, home: Home) -> None:
    *hits, summary = search(run, home, "--limit", "0", "police")
    assert set(summary) == SUMMARY
    assert {**summary, **NOTHING_MORE, "count": len(hits)} == summary
    assert len(hits) > 3
    for hit in hits:
        assert set(hit) == FIELDS
        assert hit["type"] in ("post", "reply", "repost", "quote", "message")
        assert hit["platform"] == "x"
        assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(hit["posted_at"]))
        assert "police" in folded(f"{hit['text']} {hit['alt_text']}")
        assert hit["archive"] in {archive.name for archive in home.archives}
        assert isinstance(hit["versions"], int)
    times = [str(hit["posted_at"]) for hit in hits]
    assert times == sorted(times, reverse=True)


def test_order_and_limit_are_as_asked(run: Runner, home: Home) -> None:
    oldest = search(run, home, "--order", "oldest", "--limit", "3", "the")
    newest = search(run, home, "--limit", "3", "the")
    assert [(one[-1]["count"], one[-1]["more"]) for one in (oldest, newest)] == [(3, True), (3, True)]
    assert str(oldest[0]["posted_at"]) < str(oldest[2]["posted_at"]) < str(newest[2]["posted_at"])
    ranked = search(run, home, "--order", "relevance", "--limit", "3", "burglary")
    assert all("burglary" in folded(str(hit["text"])) for hit in ranked[:-1])


def test_without_a_limit_fifty_are_shown(run: Runner, home: Home) -> None:
    summary = search(run, home, "the")[-1]
    assert (summary["count"], summary["more"]) == (50, True)


def test_a_post_that_a_later_export_lacks_is_shown_as_gone(run: Runner, home: Home) -> None:
    gone = [hit for hit in search(run, home, "--limit", "0", "kind:post")[:-1] if hit["gone_at"]]
    assert "absent from the export" in {hit["gone_how"] for hit in gone}
    result = run("--config", home.folder, "search", "--limit", "0", "kind:post")
    assert re.search(r"\[found missing 2026-10-31: absent from the export\]", result.output)


def test_a_person_gets_a_headline_and_the_text_and_the_number_apart(run: Runner, home: Home) -> None:
    hits = search(run, home, "--limit", "2", "police")
    result = run("--config", home.folder, "search", "--limit", "2", "police")
    lines = result.output.splitlines()
    first = hits[0]
    when = str(first["posted_at"])[:19].replace("T", " ")
    assert re.match(rf"{when} UTC \(\d\d:\d\d BST\)  {first['type']}  ", lines[0])
    assert f"  {first['id']}  in {first['archive']}" in lines[0]
    assert lines[1] == f"  {str(first['text']).splitlines()[0]}"
    noted = result.errors.splitlines()
    assert noted[0] == "2 records; there are more; the spool is included"
    assert re.fullmatch(r"the next ones: the same with --after s1\.[\w-]+", noted[1])
    assert "\x1b" not in result.output
    one = run("--config", home.folder, "search", "--limit", "1", f"kind:{first['type']}")
    assert one.errors.startswith("1 record;")
    none = run("--config", home.folder, "search", "nosuchword")
    said = "0 records; the spool is included\nno archive has nosuchword\n"
    assert (none.code, none.output, none.errors) == (0, "", said)


def test_messages_are_found_and_named_by_their_senders_number(run: Runner, home: Home) -> None:
    hits = search(run, home, "--limit", "0", "kind:message")[:-1]
    assert len(hits) > 10
    assert {hit["type"] for hit in hits} == {"message"}
    assert all(hit["author"] is None for hit in hits)
    assert all(hit["author_id"] for hit in hits)


def test_likes_are_found_only_when_asked_for(run: Runner, home: Home) -> None:
    likes = search(run, home, "--limit", "0", "kind:like")
    assert likes[-1]["count"] > 0
    word = next(one for one in re.findall(r"[a-z]{5,}", str(likes[0]["text"]).lower()))
    assert all(hit["type"] != "like" for hit in search(run, home, "--limit", "0", word)[:-1])
    assert {hit["type"] for hit in search(run, home, "--limit", "0", word, "kind:like")[:-1]} == {"like"}


def test_several_arguments_are_one_search(run: Runner, home: Home) -> None:
    assert search(run, home, "kind:reply", "the") == search(run, home, "kind:reply the")
    assert search(run, home, "--limit", "1", "--", "-the", "kind:post")[-1]["count"] == 1


def test_effort_says_how_much_was_read(run: Runner, home: Home) -> None:
    summary = search(run, home, "--effort", "police")[-1]
    read = summary["read"]
    assert isinstance(read, dict)
    assert set(read) == {"segments", "chunks", "frames", "bytes", "requests"}
    assert read.pop("requests") == 0  # of a folder
    assert all(number > 0 for number in read.values())
    said = run("--config", home.folder, "search", "--effort", "police").errors
    assert re.search(r"^read \d segments?, \d+ chunks?, \d+ frames?, [\d,]+ bytes$", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--order", "relevance", "kind:like"], "relevance needs words to be relevant to"),
        (["owner:me"], "owner: is not something a search can be narrowed by"),
        (["--limit", "-1", "a"], "invalid value for '--limit'"),
        (["--order", "best", "a"], "invalid value for '--order'"),
        ([], "missing argument 'QUERY…'"),
    ],
)
def test_what_cannot_be_searched_for_is_a_usage_error(
    run: Runner, home: Home, arguments: list[str], message: str
) -> None:
    assert run.fails(UsageError.exit_code, "--config", home.folder, "search", *arguments).startswith(message)


def test_on_a_terminal_the_words_searched_for_stand_out(home: Home) -> None:
    code, shown = run_on_terminal(["--config", home.folder, "search", "--limit", "3", "Police OR road*"], {})
    assert code == 0
    marked = re.findall(r"\x1b\[33m\x1b\[1m([^\x1b]+)\x1b\[0m", shown)
    assert marked
    assert all(folded(word) in ("police", "policing") or folded(word).startswith("road") for word in marked)


def test_marking_follows_the_index_and_not_the_letters() -> None:
    query = parse_query('café "open road" flood* -closed from:road OR_x *ffic*')
    forms = {"cafe": ("cafes",), "closed": ("close",)}
    assert wanted_of(query.root, forms) == (
        frozenset({"cafe", "cafes", "open", "road", "or", "x"}), ("flood",), ("ffic",)
    )  # fmt: skip


def test_quoted_words_are_marked_without_their_forms() -> None:
    forms = {"flood": ("flooding",), "road": ("roads",)}
    words = wanted_of(parse_query('"flood" road~1').root, forms).words
    assert words == {"flood", "road", "roads"}


def test_accents_fold_and_what_stands_within_words_is_marked_where_it_stands() -> None:
    text = "Un CAFÉ, the traﬃc 東京都 and cafe\u0301s"
    wanted = Wanted(frozenset({"cafe"}), ("the",), ("ffic", "東京"))
    assert [text[start:end] for start, end in marked(text, wanted)] == ["CAFÉ", "the", "ﬃc", "東京"]


def test_what_could_steer_the_terminal_is_written_out() -> None:
    assert printable("a\x1b[2Jb\rc\u202ed\ne") == "a\\x1b[2Jb\\rc\\u202ed\ne"


def test_without_a_key_nothing_is_searched(run: Runner, home: Home, tmp_path: Path) -> None:
    settings = home.folder / "archiver.toml"
    text = settings.read_text()
    try:
        settings.write_text(text.replace("keys/records.identity", "keys/absent.identity"))
        assert "there is no identity file" in run.fails(
            NoKeyError.exit_code, "--config", home.folder, "search", "a"
        )
    finally:
        settings.write_text(text)


def test_a_broken_chain_is_told_after_what_was_found(run: Runner, home: Home) -> None:
    name = f"archives/{home.archives[0].name}/manifest.json"
    data = (home.folder / "vault" / name).read_bytes()
    home.replace(name, None)
    try:
        result = run("--config", home.folder, "search", "--json", "the")
    finally:
        home.replace(name, data)
    assert result.code == 20
    assert result.json_lines()[-1]["type"] == "summary"
    assert "is due" in result.errors


@pytest.mark.parametrize("word", [b"caf\xe9", b"a\xffb", "naïve".encode(), b"*", b"\xf0\x9f\x9a\x93"])
def test_arguments_in_any_encoding_are_a_search_or_a_usage_error(
    run: Runner, home: Home, word: bytes
) -> None:
    result = run("--config", home.folder, "search", os.fsdecode(word))
    assert result.code in (0, 2)
    assert "Traceback" not in result.errors


def test_nothing_is_marked_where_there_is_no_terminal() -> None:
    assert highlighted("a road", Wanted(frozenset({"road"}))) == "a road"
