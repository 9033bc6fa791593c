"""Moderation records listed and shown: sealed and in the spool, with a keyholder's identity and without."""

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import NoKeyError, UsageError
from archiver.moderation.keeping import keep_entries
from archiver.records import Attachment, Moderation
from archiver.sources.moderation import decode_entry
from tests.cli.runner import Runner
from tests.collected import fake_x
from tests.faults.folders import copy_folder, make_folder
from tests.homes import Home
from tests.moderated import TEXT, make_scene
from tests.unit.search.moderated import (
    ACCOUNT,
    BLOCKED,
    CORRECTION,
    HANDLE,
    LOST,
    OTHER,
    PNG,
    SCREENSHOT,
    SEALED,
    decision,
    done,
    keep,
    later,
    make_register_home,
    numbers,
    record_id,
    run_json,
    seal_all,
    without_keyholder,
    without_spool,
)

HIDDEN = decision(9)
WARNED = decision(9, action="warned", state="done", way="hand")
NOTHING = decision(9, action="none", state="done", way=None)


def _reversed(before: Moderation, **fields: Any) -> list[Moderation]:
    """A record and its reversal, with the outcome between where there is one."""
    first = [decision(int(before.record_id[:8], 16))] if before.number == 2 else []
    return [*first, before, later(before, "reversal", **fields)]


STOPPED = later(
    _reversed(done(HIDDEN), action="unhidden", state="planned")[-1], "reversal", action="none", state="done"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_register_home(tmp_path_factory.mktemp("register"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


# Listing


def test_the_list_is_what_a_search_without_words_finds(run: Runner, home: Home) -> None:
    listed = run("--config", home.folder, "moderation", "list")
    searched = run("--config", home.folder, "search", "kind:moderation")
    assert listed.output == searched.output
    assert searched.errors.startswith(listed.errors.rstrip())
    *lines, summary = run_json(run, home, "moderation", "list", "--limit", "3")
    assert [line.pop("unread") for line in lines] == [False] * 3
    assert lines == run_json(run, home, "search", "--limit", "3", "kind:moderation")[:-1]
    assert summary == {"type": "summary", "count": 3, "more": True, "spool_included": True, "unread": 0}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--account", "@springfieldtown"], [4]),
        (["--account", ACCOUNT, "--account", "99"], [4, 2, 1, 3]),
        (["--reason", "spam", "--reason", "threatening"], [2, 1]),
        (["--action", "hide"], [4, 1]),
        (["--action", "hidden", "--state", "done"], [1]),
        (["--state", "planned"], [4, 2]),
        (["--by", "night desk"], [2]),
        (["--since", "2026-11-03"], [4, 2, 1]),
        (["--until", "2026-10"], [3]),
        (["--limit", "0"], [4, 2, 1, 3]),
        (["--open"], [4, 2, 1]),
        (["--open", "--reason", "abusive"], [4, 2]),
    ],
)
def test_the_list_is_narrowed_by_its_options(
    run: Runner, home: Home, options: list[str], found: list[int]
) -> None:
    assert numbers(run_json(run, home, "moderation", "list", *options)) == found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--action", "delete"], "delete is not an action of moderation"),
        (["--account", "Nobody"], "neither the settings nor any record read here has the account Nobody"),
        (["--account", "99", "--account", "@none"], "neither the settings nor any record read here has the"),
        (["--reason", "rude"], "neither the settings nor any record read here has the reason rude"),
        (["--open", "--reason", "rude"], "neither the settings nor any record read here has the reason rude"),
        (["--since", "soon"], "'soon' is not a date"),
        (["--state", "open"], "invalid value for '--state'"),
        (["--limit", "-1"], "invalid value for '--limit'"),
    ],
)
def test_options_of_the_list_that_mean_nothing_are_usage_errors(
    run: Runner, home: Home, options: list[str], message: str
) -> None:
    error = run.fails(UsageError.exit_code, "--config", home.folder, "moderation", "list", *options)
    assert error.startswith(message)


def test_what_cannot_be_listed_is_answered_with_what_can(run: Runner, home: Home) -> None:
    def hint(*options: str) -> str:
        error = run.fails(UsageError.exit_code, "--config", home.folder, "moderation", "list", *options)
        return error.partition("archiver: hint: one of: ")[2]

    accounts = f"@{HANDLE} ({ACCOUNT}), @SpringfieldTown (99)"
    assert hint("--account", "Nobody") == accounts
    assert hint("--reason", "rude").startswith("abusive, copyright, defamatory, ")
    assert "hidden" in hint("--action", "delete")
    keep(home, decision(8, reason_codes=("of_an_older_setting",)))
    seal_all(home)
    assert numbers(run_json(run, home, "moderation", "list", "--reason", "OF_AN_older_setting")) == [8]
    nobody = run("--config", home.folder, "moderation", "list", "--by", "Nobody")
    assert (nobody.code, nobody.output) == (0, "")
    known = "Duty Officer, Inspector Example, Night Desk"
    assert nobody.errors.splitlines() == [
        f"no moderation record read here names Nobody; these occur: {known}",
        "0 records; the spool is included",
    ]
    # Without a key the archives' manifests know their reasons, and the register its accounts.
    without_keyholder(home)
    assert numbers(run_json(run, home, "moderation", "list", "--reason", "of_an_older_setting")) == []
    assert "rude" not in hint("--reason", "rude")
    assert hint("--account", "Nobody") == f"@{HANDLE} ({ACCOUNT}), 99"
    assert numbers(run_json(run, home, "moderation", "list", "--account", "99")) == [4]


def test_an_account_of_the_settings_is_found_by_its_handle_in_records_that_do_not_have_it(
    run: Runner, home: Home
) -> None:
    keep(home, decision(8, account_handle=None))
    for options in ([], ["--open"]):
        found = run_json(run, home, "moderation", "list", "--account", f"@{HANDLE.upper()}", *options)
        assert 8 in numbers(found)


def test_the_help_calls_a_day_and_codes_the_same_everywhere(run: Runner) -> None:
    for command in ("list", "export"):
        shown = run("moderation", command, "--help").output
        assert "--since DAY" in shown
        assert "--until DAY" in shown
    listed = " ".join(run("moderation", "list", "--help").output.split())
    assert listed.count("archiver moderation codes") == 2


def test_without_a_keyholder_sealed_records_are_lines_of_the_register(run: Runner, home: Home) -> None:
    result = run("--config", without_keyholder(home).folder, "moderation", "list")
    assert result.code == 0
    why = "  moderation, sealed: text and reasons are in the archives\n"
    assert result.output.endswith(
        f"2026-11-03 14:23Z  hidden, done  account {ACCOUNT}  {record_id(1)}\n{why}"
        f"2026-10-14 14:22Z  no action  account {ACCOUNT}  {record_id(3)}\n{why}"
    )
    assert "4 records; the spool is included\nof 2 sealed records this host knows only ids" in result.errors
    *lines, summary = run_json(run, home, "moderation", "list")
    assert [line["unread"] for line in lines] == [False, False, True, True]
    assert set(lines[2]) == set(lines[0])
    assert all(line["record"] == line["id"] for line in lines)
    assert (lines[2]["text"], lines[2]["action"], lines[2]["versions"]) == (None, "hidden", 3)
    assert [line["in_spool"] for line in lines] == [True, True, True, False]
    assert summary["unread"] == 2


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--account", HANDLE.lower()], [2, 1, 3]),
        (["--account", "99"], [4]),
        (["--action", "hide"], [4, 1]),
        (["--state", "done"], [1, 3]),
        (["--since", "2026-11"], [4, 2, 1]),
        (["--until", "2026-10"], [3]),
        (["--limit", "3"], [4, 2, 1]),
    ],
)
def test_lines_of_the_register_are_narrowed_by_what_they_say(
    run: Runner, home: Home, options: list[str], found: list[int]
) -> None:
    assert numbers(run_json(run, without_keyholder(home), "moderation", "list", *options)) == found


@pytest.mark.parametrize("option", [("--reason", "abusive"), ("--by", "Night Desk")])
def test_what_the_register_cannot_be_asked_for_is_said(
    run: Runner, home: Home, option: tuple[str, str]
) -> None:
    result = run("--config", without_keyholder(home).folder, "moderation", "list", *option)
    assert result.code == 0
    assert record_id(2) in result.output
    assert record_id(1) not in result.output
    assert (
        "of 2 sealed records this host knows only ids, actions and times; they are left out" in result.errors
    )


def test_a_keyholders_identity_that_is_not_there_is_as_none(run: Runner, home: Home) -> None:
    (home.folder / "keys" / "records.identity").unlink()
    assert len(numbers(run_json(run, home, "moderation", "list"))) == 4
    lines = run_json(run, home, "moderation", "summary", "--all")
    assert {line["counted_from"] for line in lines if line["type"] == "summary"} == {"manifests"}


def test_what_is_open_is_listed_without_key_and_vault(run: Runner, home: Home) -> None:
    (without_keyholder(home).folder / "vault").rename(home.folder / "unmounted")
    assert numbers(run_json(run, home, "moderation", "list", "--open")) == [4, 2, 1]
    assert run.fails(10, "--config", home.folder, "moderation", "list").startswith("there is no folder")


def test_a_host_without_spool_lists_what_is_sealed_or_says_that_it_cannot(run: Runner, home: Home) -> None:
    without_spool(home)
    assert numbers(run_json(run, home, "moderation", "list")) == [1, 3]
    nothing = run("--config", home.folder, "moderation", "list", "--open")
    assert (nothing.code, nothing.output) == (0, "")
    assert nothing.errors == "0 records; no spool is at hand here\n"
    assert "names no keyholder" in run.fails(
        NoKeyError.exit_code, "--config", without_keyholder(home).folder, "moderation", "list"
    )


def test_a_broken_chain_is_told_after_what_is_there(run: Runner, home: Home) -> None:
    home.replace(f"archives/{home.archives[0].name}/manifest.json", None)
    for command in (["list"], ["show", record_id(1)], ["summary"]):
        result = run("--config", home.folder, "moderation", *command)
        assert result.code == 20
        assert result.output
        assert "is due" in result.errors
    assert "is due" in run.fails(20, "--config", home.folder, "moderation", "show", "ffffffff")


# Showing


def test_a_record_is_shown_as_it_stands_and_of_each_entry_what_it_said_otherwise(
    run: Runner, home: Home
) -> None:
    output = run("--config", home.folder, "moderation", "show", record_id(1)).output
    archive = home.archives[1].name
    stands, *entries = re.split(r"^Entry ", output, flags=re.MULTILINE)
    assert stands.startswith(f"Moderation record {record_id(1)}\n")
    assert "  reasons             spam\n  action              hidden, done\n" in stands
    assert f"  lies in             {archive} and the spool\n" in stands
    assert "  acted at            2026-11-03 14:24:05 UTC\n" in stands
    assert "  You are all donkeys, number 1\n  note: called officers names\n" in stands
    assert [entry.splitlines() for entry in entries] == [
        [
            f"1 of 3: decision, 2026-11-03 14:23:05 UTC by Duty Officer, in {archive}",
            "  action              hidden, planned",
            "  reasons             abusive",
        ],
        [
            f"2 of 3: outcome, 2026-11-03 14:24:05 UTC by Duty Officer, in {archive}",
            "  action              hidden, done",
            "  adds                acted at, acted by, outcome",
        ],
        [
            "3 of 3: correction, 2026-11-03 14:25:05 UTC by Duty Officer, in the spool",
            "  reasons             spam",
            "  why                 wrong box ticked",
        ],
    ]


def test_of_a_record_with_one_entry_nothing_is_shown_twice(run: Runner, home: Home) -> None:
    output = run("--config", home.folder, "moderation", "show", "00000002").output
    stands, entry = output.split("Entry ")
    assert entry == "1 of 1: decision, 2026-11-03 14:24:05 UTC by Night Desk, in the spool\n"
    assert "  action              blocked, PENDING\n" in stands
    assert "  authorised by       Inspector Example\n" in stands
    fields = [line for line in stands.splitlines() if line.startswith("  ") and line.count("  ") > 2]
    assert len(fields) == len(set(fields)) > 15


def test_what_was_undone_shows_with_who_did_and_allowed_it(run: Runner, home: Home) -> None:
    first = decision(8, authorised_by="Inspector Example", hold="inquest")
    acted = done(first, outcome="X says: hidden")
    undone = later(acted, "reversal", action="unhidden", state="planned", entry_note="mistaken identity")
    again = done(undone, outcome="X says: not hidden any more")
    cleared = later(again, "correction", cleared=("hold",), attachments=(LOST,), entry_note="it is over")
    keep(home, first, acted, undone, again, cleared)
    output = run("--config", home.folder, "moderation", "show", "00000008").output
    stands, *entries = re.split(r"^Entry .*\n", output, flags=re.MULTILINE)
    assert "  action              hidden, then unhidden, done\n" in stands
    assert "X says: not hidden any more\n" in stands
    for gone in ("Inspector", "inquest", "PENDING", "planned"):
        assert gone not in stands
    assert [[line[2:].split("  ")[0] for line in entry.splitlines()] for entry in entries] == [
        ["action", "authorised by", "hold"],
        ["action", "acted at", "outcome", "adds"],
        ["action", "why"],
        ["action", "adds"],
        ["adds", "takes back", "why"],
    ]
    assert re.findall(r"^  action +(.*)$", "".join(entries), re.MULTILINE) == [
        "hidden, planned", "hidden, done", "unhidden, planned", "unhidden, done",
    ]  # fmt: skip
    assert "  authorised by       Inspector Example\n  hold                inquest\n" in entries[0]
    assert "  outcome             X says: hidden\n  adds                acted by\n" in entries[1]
    assert entries[4].startswith("  adds                attachments\n  takes back          hold\n")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (_reversed(WARNED, action=None, state=None), "warned, done; taken back"),
        (_reversed(HIDDEN, action="none", state="done"), "hidden: called off"),
        (_reversed(done(HIDDEN), action="unhidden", state="done"), "hidden, then unhidden, done"),
        (_reversed(done(HIDDEN), action="unhidden", state="planned"), "hidden, then unhidden, PENDING"),
        (_reversed(NOTHING, action=None, state=None), "no action; taken back"),
        ([*_reversed(done(HIDDEN), action="unhidden", state="planned"), STOPPED],
         "hidden, then unhidden: called off"),
        ([later(HIDDEN, "outcome", action="hidden", state="failed")], "hidden, FAILED"),
        ([later(HIDDEN, "reversal", action="none", state="done")], "called off"),
    ],
)  # fmt: skip
def test_what_was_reversed_is_said_with_what_it_was(
    run: Runner, home: Home, entries: list[Moderation], words: str
) -> None:
    keep(home, *entries)
    listed = run("--config", home.folder, "moderation", "list", "--limit", "1").output
    assert listed.startswith(f"2026-11-03 14:31Z  {words}  ") or entries[0].number > 1
    assert f"  {words}  " in listed
    shown = run("--config", home.folder, "moderation", "show", record_id(9)).output
    assert f"  action              {words}\n" in shown
    assert f"\n  {words}; " in run("--config", home.folder, "show", "779").output or entries[0].number > 1
    (record, _) = run_json(run, home, "moderation", "list", "--limit", "1")
    assert record["reversals"] == [one.action for one in entries if one.entry == "reversal"]


def test_without_a_key_a_reversed_record_is_said_as_far_as_the_register_knows(
    run: Runner, home: Home
) -> None:
    keep(home, *_reversed(HIDDEN, action="none", state="done"))
    keep(home, *_reversed(done(decision(10)), action="unhidden", state="planned"))
    keep(home, *_reversed(done(decision(11)), action="none", state="done"))
    seal_all(home)
    listed = run("--config", without_keyholder(home).folder, "moderation", "list", "--limit", "3").output
    acts = [line.split("  ")[1] for line in listed.splitlines() if not line.startswith("  ")]
    assert acts == ["hidden, then called off", "hidden, then unhidden, PENDING", "hidden: called off"]
    assert numbers(run_json(run, home, "moderation", "list", "--action", "hide")) == [11, 10, 9, 4, 1]


def test_files_and_context_are_shown_with_hash_and_place_and_what_is_missing(run: Runner, home: Home) -> None:
    output = run("--config", home.folder, "moderation", "show", "00000001").output
    assert (
        f"  screenshot          screenshot-1.png (image/png)  in {home.archives[1].name}/media-000.tar.age\n"
        f"  SHA-256             {SCREENSHOT.sha256}\n"
    ) in output
    assert "  media               7-lost.jpg (photo)  MISSING: X answered 404\n" in output
    assert "  described as        a donkey\n" in output
    assert f"  context SHA-256     {'ab' * 32}\n" in output
    assert "  MISSING             the thread\n" in output


def test_files_that_wait_in_the_spool_are_there_and_another_under_the_name_is_not(
    run: Runner, tmp_path: Path
) -> None:
    home = Home(make_folder(tmp_path / "home"))
    other = Attachment(role="media", file_name="b.png", media_type="photo", sha256="00" * 32)
    with home.open_spool() as spool:
        spool.add_media(ACCOUNT, SCREENSHOT.file_name, BytesIO(PNG))
        spool.add_media(ACCOUNT, "b.png", BytesIO(b"something else"))
        keep_entries(spool, [decision(1, attachments=(SCREENSHOT, other))])
    shown = run("--config", home.folder, "moderation", "show", "00000001").output
    assert f"(image/png)  in the spool\n  SHA-256             {SCREENSHOT.sha256}\n" in shown
    assert f"(photo)  MISSING: not in the spool\n  SHA-256             {'00' * 32}\n" in shown


def test_content_that_nobody_saw_is_said_to_be_unseen_and_why(run: Runner, home: Home) -> None:
    output = run("--config", home.folder, "moderation", "show", "00000003").output
    assert "  [not seen: X says that it is not there]\n" in output
    assert output.count("X says that it is not there") == 1
    assert "  action              no action\n" in output
    keep(home, decision(8, content="given", unseen="X does not show it"))
    given = run("--config", home.folder, "moderation", "show", "00000008").output
    assert "  not seen            X does not show it\n  You are all donkeys, number 8\n" in given


def test_an_imported_record_shows_the_row_it_came_from(run: Runner, home: Home) -> None:
    output = run("--config", home.folder, "moderation", "show", "https://example.org/p/4").output
    assert f"  imported from       log.csv, line 7, SHA-256 {'cd' * 32}\n" in output
    assert "    Why               rude\n" in output


def test_text_that_could_steer_a_terminal_is_written_out(run: Runner, home: Home) -> None:
    output = run("--config", home.folder, "moderation", "show", "00000002").output
    assert "\x1b" not in output
    assert "where you live \\x1b[2J" in output
    assert "  pending             finish it: archiver moderation pending 00000002\n" in output


@pytest.mark.parametrize(
    "name",
    [
        record_id(1),
        record_id(1).upper(),
        "00000001",
        "00000001-0000",
        " 00000001 ",
        "771",
        "https://x.com/nobody_1/status/771",
        "https://twitter.com/whoever/status/771?s=20",
        "x.com/i/web/status/771",
    ],
)
def test_a_record_is_named_by_its_id_the_beginning_of_it_or_its_item(
    run: Runner, home: Home, name: str
) -> None:
    lines = run_json(run, home, "moderation", "show", name)
    assert numbers(lines) == [1]
    assert [line["type"] for line in lines] == ["moderation", "entry", "entry", "entry"]


def test_as_json_the_record_comes_first_and_each_entry_as_it_was_written(run: Runner, home: Home) -> None:
    record, *entries = run_json(run, home, "moderation", "show", "00000001")
    assert record["record"] == record["id"] == record_id(1)
    assert (record["reasons"], record["versions"]) == (["spam"], 3)
    assert [entry["archive"] for entry in entries] == [home.archives[1].name] * 2 + [None]
    written = [decode_entry(json.dumps(entry["entry"]).encode()) for entry in entries]
    assert written == [SEALED, done(SEALED), CORRECTION]
    assert entries[0]["files"] == {
        "screenshot-1.png": f"in {home.archives[1].name}/media-000.tar.age",
        "7-lost.jpg": "MISSING: X answered 404",
    }


def test_the_raw_lines_are_those_that_were_sealed_and_those_that_wait(run: Runner, home: Home) -> None:
    raw = run("--config", home.folder, "moderation", "show", "--raw", "00000001").output.splitlines()
    assert [decode_entry(line.encode()) for line in raw] == [SEALED, done(SEALED), CORRECTION]
    keep(home, done(BLOCKED))
    before = run("--config", home.folder, "moderation", "show", "--raw", "00000002").output
    seal_all(home)
    assert run("--config", home.folder, "moderation", "show", "--raw", "00000002").output == before
    assert run("--config", home.folder, "moderation", "show", "--raw", "00000001").output.splitlines() == raw


@pytest.mark.parametrize(
    "name",
    [
        "@Loud_Resident", "@loud_resident", " @LOUD_RESIDENT ", "https://x.com/Loud_Resident",
        "x.com/@loud_resident", "https://mobile.twitter.com/loud_resident/", "2000000002",
    ],
)  # fmt: skip
def test_an_accounts_record_is_named_by_its_handle(run: Runner, home: Home, name: str) -> None:
    of_account = {
        "item_type": "user",
        "item_id": "2000000002",
        "author_id": "2000000002",
        "action": "blocked",
    }
    keep(
        home, decision(8, **of_account, author_handle="loud_resident", item_url="https://x.com/Loud_Resident")
    )
    keep(home, decision(9, author_handle="loud_resident"))
    assert numbers(run_json(run, home, "moderation", "show", name)) == [8]
    seal_all(home)
    assert numbers(run_json(run, home, "moderation", "show", name)) == [8]


def test_somebody_who_is_no_item_is_answered_with_where_their_posts_are_found(
    run: Runner, home: Home
) -> None:
    error = run.fails(1, "--config", home.folder, "moderation", "show", "@nobody_2")
    assert error.startswith("there is no moderation record @nobody_2\n")
    assert "archiver search kind:moderation author:nobody_2" in error
    assert numbers(run_json(run, home, "search", "kind:moderation author:nobody_2")) == [2]


def test_all_records_about_an_item_are_shown(run: Runner, home: Home) -> None:
    keep(home, decision(7, item_id="771"))
    assert numbers(run_json(run, home, "moderation", "show", "771")) == [1, 7]


def test_a_beginning_that_several_ids_have_lists_them(run: Runner, home: Home) -> None:
    error = run.fails(UsageError.exit_code, "--config", home.folder, "moderation", "show", "0000")
    assert error.startswith("the ids of 4 records begin with 0000:\n")
    assert all(record_id(number) in error for number in (1, 2, 3, 4))
    for number in range(10, 30):
        keep(home, decision(number))
    error = run.fails(UsageError.exit_code, "--config", home.folder, "moderation", "show", "0000")
    assert "\n  and 14 more\n" in error


@pytest.mark.parametrize("name", ["000", "", "fffffff0", "77", "https://x.com/a/status/1", "\udcff", "*"])
def test_a_record_that_is_not_there_is_a_failure_with_a_hint(run: Runner, home: Home, name: str) -> None:
    error = run.fails(1, "--config", home.folder, "moderation", "show", name)
    assert error.startswith("there is no moderation record ")
    assert "archiver moderation list" in error


def test_a_record_that_waits_in_the_spool_whole_is_shown_without_a_key(run: Runner, home: Home) -> None:
    without_keyholder(home)
    assert numbers(run_json(run, home, "moderation", "show", "00000002")) == [2]
    assert numbers(run_json(run, home, "moderation", "show", "774")) == [4]
    for name in ("00000001", "773", "ffffffff"):
        run.fails(NoKeyError.exit_code, "--config", home.folder, "moderation", "show", name)


def test_where_archives_hold_what_this_register_never_knew_all_of_it_is_read(run: Runner, home: Home) -> None:
    """A spool that was replaced knows of none of what an earlier one sealed."""
    without_spool(home)
    keep(home, decision(9, item_id="771"))
    assert numbers(run_json(run, home, "moderation", "show", "771")) == [1, 9]
    run.fails(NoKeyError.exit_code, "--config", without_keyholder(home).folder, "moderation", "show", "771")


def test_a_record_whose_beginning_is_in_no_archive_at_hand_says_so(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    keep(home, later(decision(1), "correction", reason_codes=("spam",)))
    without_register = run("--config", home.folder, "moderation", "show", "00000001")
    assert "  MISSING: its first 1 entries, in an archive not at hand\n" in without_register.output


# `archiver show`


def test_the_whole_id_of_a_record_shows_it_like_a_post(run: Runner, home: Home) -> None:
    for options in ([], ["--raw"], ["--json"]):
        shown = run("--config", home.folder, "show", *options, record_id(1))
        assert shown == run("--config", home.folder, "moderation", "show", *options, record_id(1))
    without_keyholder(home)
    assert run("--config", home.folder, "show", record_id(2)).code == 0


def test_a_post_is_shown_with_the_records_about_it(run: Runner, home: Home) -> None:
    platform_id = str(run_json(run, home, "search", "--limit", "1", "kind:post")[0]["id"])
    keep(home, decision(6, item_id=platform_id, item_type="own_post", action="removed"))
    result = run("--config", home.folder, "show", platform_id)
    assert result.output.startswith("Version 1 of 1, in archive ")
    assert result.output.endswith(
        f"\nModeration record {record_id(6)}, 2026-11-03 14:28:05 UTC\n"
        "  removed, PENDING; abusive; by Duty Officer\n"
    )
    lines = run_json(run, home, "show", platform_id)
    assert [line["type"] for line in lines] == ["version", "moderation"]
    raw = run("--config", home.folder, "show", "--raw", platform_id)
    assert "Moderation record" not in raw.output
    assert raw.errors.startswith(f"Moderation record {record_id(6)}, ")


def test_an_item_of_which_nothing_else_is_held_shows_its_records(run: Runner, home: Home) -> None:
    assert run("--config", home.folder, "show", "772").output == (
        f"Moderation record {record_id(2)}, 2026-11-03 14:24:05 UTC\n"
        "  blocked, PENDING; threatening, abusive; by Night Desk\n"
    )


def test_what_moderate_records_is_found_shown_and_sealed_alike(run: Runner, tmp_path: Path) -> None:
    with fake_x() as x:
        scene = make_scene(x, pictures=1)
        home = scene.home(tmp_path / "home")
        arguments = ("--reason", "abusive", "--action", "hide", "--note", "seen by staff")
        assert run("--config", home.folder, "moderate", scene.url, *arguments).code == 0
    (waiting, _) = run_json(run, home, "search", "action:hide you staff")
    assert (waiting["text"], waiting["archive"], waiting["state"]) == (TEXT, None, "done")
    seal_all(home)
    (sealed, _) = run_json(run, home, "search", "action:hide from:loud_resident")
    assert sealed == {**waiting, "archive": home.archives[0].name, "in_spool": False}
    # The posts around it are posts of the vault, once each, and no versions of anything.
    posts = run_json(run, home, "search", "kind:reply OR kind:post")
    assert len({post["id"] for post in posts[:-1]}) == len(posts) - 1 == 4
    assert {post["versions"] for post in posts[:-1]} == {1}
    assert posts[-1]["moderation_not_searched"] == 1
    shown = run("--config", home.folder, "show", scene.reply).output
    assert shown.startswith("Captured for a moderation record, in archive ")
    assert f"\nModeration record {sealed['record']}, " in shown
    _, entry, _ = run_json(run, home, "moderation", "show", scene.url)
    ((name, place),) = entry["files"].items()  # type: ignore[attr-defined]  # an object of JSON
    assert place == f"in {home.archives[0].name}/media-000.tar.age", name


# What waits


def test_acts_that_are_pending_are_part_of_the_status(run: Runner, home: Home) -> None:
    said = "  moderation: 2 acts pending; finish them: archiver moderation pending\n"
    assert said in run("--config", home.folder, "status").output
    (waiting,) = [
        line
        for line in run("--config", home.folder, "status", "--json").json_lines()
        if line["type"] == "waiting"
    ]
    assert waiting["moderation_pending"] == 2
    keep(home, done(BLOCKED))
    keep(home, done(OTHER))
    assert "moderation" not in run("--config", home.folder, "status").output


def test_a_host_that_has_done_nothing_but_moderate_has_a_status(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    keep(home, BLOCKED)
    assert not home.settings.state.exists()
    output = run("--config", home.folder, "status").output
    assert re.search(
        r"spool: 1 records wait to be sealed \(\d{3} bytes\), the oldest captured [-\d]{10}\n"
        r"  moderation: 1 act pending",
        output,
    )
    assert not home.settings.state.exists()
