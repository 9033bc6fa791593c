"""`archiver search` for moderation records, sealed and in the spool, with a keyholder's key and without."""

import re
from pathlib import Path

import pytest

from archiver.errors import NoKeyError, UsageError
from archiver.search.language import FIELDS
from tests.cli.runner import Runner, run_on_terminal, start_process
from tests.faults.folders import copy_folder, make_folder
from tests.homes import Home, make_home
from tests.unit.search.moderated import (
    ACCOUNT,
    BLOCKED,
    SEALED,
    decision,
    done,
    keep,
    later,
    make_register_home,
    numbers,
    record_id,
    run_json,
    without_keyholder,
    without_spool,
)

ACCOUNTS = f"@SpringfieldPolice ({ACCOUNT}), @SpringfieldTown (99)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_register_home(tmp_path_factory.mktemp("register"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


def test_a_record_is_three_short_lines_of_what_matters_and_the_text_and_notes_below(
    run: Runner, home: Home
) -> None:
    result = run("--config", home.folder, "search", "kind:moderation")
    archive = home.archives[1].name
    assert result.output == (
        f"2026-11-03 14:26Z  hidden, PENDING  @nobody_4  {record_id(4)}\n"
        "  moderation: abusive; by Duty Officer; in the spool\n"
        "  reply https://example.org/p/4\n"
        "  You are all donkeys, number 4\n"
        "  note: called officers names\n"
        f"2026-11-03 14:24Z  blocked, PENDING  @nobody_2  {record_id(2)}\n"
        "  moderation: threatening, abusive; by Night Desk; in the spool\n"
        "  reply https://x.com/nobody_2/status/772\n"
        "  I know\n"
        "  where you live \\x1b[2J\n"
        "  note: called officers names\n"
        f"2026-11-03 14:23Z  hidden, done  @nobody_1  {record_id(1)}\n"
        f"  moderation: spam; by Duty Officer; in {archive} and the spool\n"
        "  reply https://x.com/nobody_1/status/771\n"
        "  You are all donkeys, number 1\n"
        "  note: called officers names\n"
        "  correction: wrong box ticked\n"
        f"2026-10-14 14:22Z  no action  93  {record_id(3)}\n"
        f"  moderation: own_error; by Duty Officer; in {archive}\n"
        "  reply 773\n"
        "  [not seen: X says that it is not there]\n"
        "  note: called officers names\n"
    )
    assert result.errors == "4 records; the spool is included: 3 entries not sealed yet\n"


def test_no_line_is_wider_than_a_terminal_of_100_columns(run: Runner, home: Home) -> None:
    first = decision(
        5, author_handle="loud_resident", account_handle=None, text="short",
        item_url="https://x.com/loud_resident/status/2125719653983453191",
    )  # fmt: skip
    undone = later(done(first), "reversal", action="unhidden", state="planned")
    keep(home, first, done(first), undone, done(undone))
    for arguments in (["search", "kind:moderation"], ["moderation", "list"]):
        shown = run("--config", home.folder, *arguments).output
        assert "hidden, then unhidden, done  @loud_resident  " in shown
        assert max(map(len, shown.splitlines())) <= 100


def test_what_was_corrected_since_is_said_on_a_line_of_its_own_and_not_of_what_was_reversed(
    run: Runner, home: Home
) -> None:
    keep(home, later(decision(4), "reversal", action="none", state="done", account="99", platform="facebook"))
    said = "  [only what was corrected since matches]\n"
    assert said in run("--config", home.folder, "search", "reason:abusive from:nobody_1").output
    called_off = run("--config", home.folder, "search", "action:hide from:nobody_4").output
    assert called_off.startswith(f"2026-11-03 14:26Z  hidden: called off  @nobody_4  {record_id(4)}\n")
    assert said not in called_off


def test_as_json_a_record_says_all_that_its_line_does(run: Runner, home: Home) -> None:
    hit, summary = run_json(run, home, "search", "reason:abusive from:nobody_1")
    assert hit == {
        "type": "moderation", "platform": "x", "id": record_id(1), "record": record_id(1),
        "account": ACCOUNT, "author": "nobody_1", "author_id": "91", "posted_at": "2026-11-03T14:21:05.000Z",
        "recorded_at": "2026-11-03T14:23:05.000Z", "recorded_by": "Duty Officer", "reasons": ["spam"],
        "decided": "hidden", "action": "hidden", "state": "done", "reversals": [], "item_type": "reply",
        "item_id": "771", "item_url": "https://x.com/nobody_1/status/771",
        "text": "You are all donkeys, number 1", "note": "called officers names",
        "archive": home.archives[1].name, "in_spool": True, "versions": 3, "superseded": True,
        "pending": False,
    }  # fmt: skip
    said = {"type": "summary", "count": 1, "more": False, "spool_included": True, "spool_records": 3}
    assert said.items() <= summary.items()
    (waiting, _) = run_json(run, home, "search", "action:block")
    assert (waiting["archive"], waiting["in_spool"], waiting["pending"]) == (None, True, True)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("donkeys kind:moderation", [4, 1]),
        ('by:"night desk" know', [2]),
        ('by:"INSPECTOR example"', [2]),
        ("reason:spam", [1]),
        ("reason:abusive", [4, 2, 1]),
        ("-reason:abusive", [1, 3]),
        ("action:hide -reason:spam", [4]),
        ("kind:moderation account:springfieldpolice", [2, 1, 3]),
        ("kind:moderation -account:99", [2, 1, 3]),
        ("kind:moderation author:nobody_4", [4]),
        ("kind:moderation author:93", [3]),
        ("kind:moderation since:2026-11", [4, 2, 1]),
        ("kind:moderation until:31/10/2026", [3]),
        ('kind:moderation "wrong box"', [1]),
        ("kind:moderation -donkeys", [2, 3]),
        ("kind:moderation donk* OR threat*", [4, 1]),
    ],
)
def test_records_are_asked_in_the_language_of_every_search(
    run: Runner, home: Home, query: str, found: list[int]
) -> None:
    assert numbers(run_json(run, home, "search", "--", query)) == found
    assert numbers(run_json(run, home, "search", "--order", "oldest", "--", query)) == found[::-1]


def test_order_and_limit_hold_for_records_and_for_posts_among_them(run: Runner, home: Home) -> None:
    limited = run_json(run, home, "search", "--limit", "1", "kind:moderation")
    assert (numbers(limited), limited[-1]["more"]) == ([4], True)
    both = run_json(run, home, "search", "--limit", "9", "kind:moderation OR kind:reply OR kind:post")
    assert {line["type"] for line in both[:-1]} >= {"moderation", "post"}
    assert both[-1]["moderation_not_searched"] == 0
    times = [str(line.get("recorded_at", line["posted_at"])) for line in both[:-1]]
    assert times == sorted(times, reverse=True)
    ranked = run_json(run, home, "search", "--order", "relevance", "donkeys kind:moderation")
    assert sorted(numbers(ranked)) == [1, 4]


def test_another_search_says_how_many_records_it_left_aside(run: Runner, home: Home) -> None:
    result = run("--config", home.folder, "search", "--limit", "1", "police")
    assert result.errors.endswith("\n4 moderation records were not searched: kind:moderation\n")
    summary = run_json(run, home, "search", "--limit", "1", "police")[-1]
    assert summary["moderation_not_searched"] == 4
    meant = run("--config", home.folder, "search", "--limit", "1", "police -kind:moderation")
    assert "moderation" not in meant.errors


def test_a_host_without_a_spool_counts_what_the_manifests_say(run: Runner, home: Home) -> None:
    result = run("--config", without_spool(home).folder, "search", "--limit", "1", "police")
    assert result.errors.endswith("\n2 moderation records were not searched: kind:moderation\n")
    found = run("--config", home.folder, "search", "kind:moderation")
    assert found.errors == "2 records; no spool is at hand here\n"
    assert list((home.folder / "spool").rglob("*.sqlite")) == []


def test_where_there_are_no_records_nothing_is_said_of_them(run: Runner, tmp_path: Path) -> None:
    home = make_home(tmp_path)
    result = run("--config", home.folder, "search", "--limit", "1", "police")
    assert (
        result.errors
        == "1 record; there are more; the spool is included\n" + result.errors.partition("\n")[2]
    )
    assert "moderation" not in result.errors
    nobody = run("--config", home.folder, "search", "by:Nobody").errors
    assert nobody.startswith("no moderation record read here names Nobody; none names anybody\n")
    assert run("--config", home.folder, "search", "reason:spam").errors == (
        "no moderation record has the reason spam; none has any\n0 records; the spool is included\n"
    )


def test_a_reason_that_does_not_occur_is_answered_with_those_that_do(run: Runner, home: Home) -> None:
    result = run("--config", home.folder, "search", "reason:spma -reason:Abusive")
    assert (result.code, result.output) == (0, "")
    assert result.errors.startswith(
        "no moderation record has the reason spma; these occur: abusive, own_error, spam, threatening\n0 rec"
    )


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("account:Nobody", f"is of the account Nobody; these occur: {ACCOUNTS}\n"),
        ("-account:@nobody", "is of the account nobody; these occur: "),
        ("by:Somebody", "read here names Somebody; these occur: Duty Officer, Inspector Example, Night Desk"),
        ("-by:Somebody", "read here names Somebody; these occur: "),
    ],
)  # fmt: skip
def test_an_account_or_a_person_that_does_not_occur_is_answered_with_those_that_do(
    run: Runner, home: Home, query: str, note: str
) -> None:
    result = run("--config", home.folder, "search", "--", f"kind:moderation {query}")
    assert result.code == 0
    assert result.errors.startswith(f"no moderation record {note}")
    assert result.errors.count("\n") == 2
    known = run("--config", home.folder, "search", 'kind:moderation account:99 -by:"night desk"')
    assert known.errors == "1 record; the spool is included: 3 entries not sealed yet\n"
    assert "account" not in run("--config", home.folder, "search", "police account:Nobody").errors


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("kind:post by:somebody", "no kind of record has all of this"),
        ("action:delete", "delete is not an action of moderation"),
        ("kind:moderated", "kind:moderated is not a kind of record"),
    ],
)
def test_what_cannot_be_asked_of_records_is_a_usage_error(
    run: Runner, home: Home, query: str, message: str
) -> None:
    assert run.fails(UsageError.exit_code, "--config", home.folder, "search", query).startswith(message)


def test_a_collector_searches_its_spool_without_any_key_while_nothing_is_sealed(
    run: Runner, tmp_path: Path
) -> None:
    home = without_keyholder(Home(make_folder(tmp_path / "home")))
    keep(home, SEALED, BLOCKED)
    assert numbers(run_json(run, home, "search", "kind:moderation")) == [2, 1]
    assert numbers(run_json(run, home, "moderation", "list")) == [2, 1]
    home.take()
    assert "names no keyholder" in run.fails(
        NoKeyError.exit_code, "--config", home.folder, "search", "kind:moderation"
    )


def test_archives_without_records_need_no_key_for_searching_records(run: Runner, tmp_path: Path) -> None:
    home = without_keyholder(make_home(tmp_path))
    keep(home, BLOCKED)
    assert numbers(run_json(run, home, "search", "kind:moderation")) == [2]
    for query in ("know", "know kind:moderation OR kind:post", "kind:like"):
        run.fails(NoKeyError.exit_code, "--config", home.folder, "search", query)


def test_no_record_is_missing_or_twice_while_another_run_seals_them(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    for number in range(20):
        keep(home, decision(number))
    sealing = start_process("--config", home.folder, "seal")
    searches = 0
    while sealing.poll() is None or searches < 2:
        assert sorted(numbers(run_json(run, home, "search", "kind:moderation"))) == list(range(20))
        searches += 1
    assert sealing.wait() == 0
    (archive,) = home.archives
    hits = run_json(run, home, "search", "kind:moderation")[:-1]
    assert {(hit["archive"], hit["in_spool"]) for hit in hits} == {(archive.name, False)}


def test_the_help_names_every_name_that_narrows(run: Runner) -> None:
    shown = run("search", "--help").output
    assert [name for name in FIELDS if f"{name}:" not in shown] == []
    assert "archiver moderation codes" in " ".join(shown.split())


def test_on_a_terminal_words_in_texts_and_notes_stand_out(home: Home) -> None:
    query = "kind:moderation donkeys OR wrong"
    code, shown = run_on_terminal(["--config", home.folder, "search", query], {})
    assert code == 0
    assert set(re.findall(r"\x1b\[33m\x1b\[1m([^\x1b]+)\x1b\[0m", shown)) == {"donkeys", "wrong"}
