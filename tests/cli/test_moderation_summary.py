"""`archiver moderation summary`: decisions counted by month, from the records and without any key."""

import re
from pathlib import Path

import pytest

from archiver.errors import UsageError
from archiver.records import Moderation
from archiver.times import parse_time
from tests.cli.runner import Runner
from tests.faults.folders import copy_folder, make_folder
from tests.homes import Home
from tests.unit.search.moderated import (
    ACCOUNT,
    BLOCKED,
    CORRECTION,
    HANDLE,
    MINUTE_MS,
    NOVEMBER_MS,
    decision,
    done,
    keep,
    later,
    make_register_home,
    run_json,
    seal_all,
    without_keyholder,
    without_spool,
)

DECEMBER_MS = parse_time("2026-12-01T00:00:00Z")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_register_home(tmp_path_factory.mktemp("register"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


# With a key


def test_a_months_decisions_are_counted_with_how_they_stand(run: Runner, home: Home) -> None:
    undone = later(BLOCKED, "reversal", action="none", state="done", entry_note="called off")
    keep(home, undone)
    keep(home, later(undone, "appeal", appeal_received_ms=NOVEMBER_MS + 9 * MINUTE_MS))
    keep(home, decision(5, state="failed"), decision(6, state="failed", way=None))
    warned = decision(7, action="warned", state="done", way="hand", reason_codes=())
    keep(home, warned, later(warned, "reversal"))
    result = run("--config", home.folder, "moderation", "summary", "--month", "2026-11")
    assert result.output == (
        "2026-11: 6 decisions; 2 acts pending, 2 reversals, 1 objected to\n"
        "  account             reason       action   decided  done  pending  failed  called off\n"
        "  99                  abusive      hidden         1     0        1       0           0\n"
        f"  @{HANDLE}  no reason    warned         1     1        0       0           0\n"
        f"  @{HANDLE}  abusive      blocked        1     0        0       0           1\n"
        f"  @{HANDLE}  abusive      hidden         2     0        0       2           0\n"
        f"  @{HANDLE}  spam         hidden         1     1        0       0           0\n"
        f"  @{HANDLE}  threatening  blocked        1     0        0       0           1\n"
        "  in all                                          6     2        1       2           1\n"
    )
    assert result.errors == ""


def test_every_month_is_counted_as_json(run: Runner, home: Home) -> None:
    lines = run_json(run, home, "moderation", "summary", "--all")
    october, november = [line for line in lines if line["type"] == "summary"]
    assert october == {
        "type": "summary", "month": "2026-10", "decisions": 1, "done": 1, "pending": 0, "failed": 0,
        "called_off": 0, "acts_pending": 0, "reversals": 0, "appeals": 0, "counted_from": "records",
    }  # fmt: skip
    assert november == {
        **october, "month": "2026-11", "decisions": 3, "done": 1, "pending": 2, "acts_pending": 2,
    }  # fmt: skip
    assert next(line for line in lines if line["type"] == "count") == {
        "type": "count", "month": "2026-10", "platform": "x", "account": ACCOUNT, "handle": HANDLE,
        "reason": "own_error", "action": "none", "decided": 1, "done": 1, "pending": 0, "failed": 0,
        "called_off": 0,
    }  # fmt: skip


# Without one


def test_without_a_keyholder_the_manifests_and_the_spool_are_counted(run: Runner, home: Home) -> None:
    without_keyholder(home)
    result = run("--config", home.folder, "moderation", "summary", "--month", "2026-11")
    assert result.code == 0
    assert result.errors.startswith("Sealed decisions are counted from the archives' manifests, ")
    assert result.output == (
        "2026-11: 3 decisions; 2 acts pending, 0 reversals, unknown objected to\n"
        "  account             reason       action   decided\n"
        "  99                  abusive      hidden         1\n"
        f"  @{HANDLE}  abusive      blocked        1\n"
        f"  @{HANDLE}  abusive      hidden         1\n"
        f"  @{HANDLE}  threatening  blocked        1\n"
    )
    keep(home, later(CORRECTION, "reversal", action="unhidden", state="planned", way="api"))
    result = run("--config", home.folder, "moderation", "summary", "--month", "2026-11")
    assert result.output.startswith("2026-11: 3 decisions; 3 acts pending, 1 reversal, unknown objected to\n")


def test_a_host_with_neither_key_nor_spool_counts_the_manifests(run: Runner, home: Home) -> None:
    undone = later(CORRECTION, "reversal", action="unhidden", state="planned", way="api")
    keep(home, undone)
    seal_all(home)
    lines = run_json(run, without_keyholder(without_spool(home)), "moderation", "summary", "--all")
    october, november = [line for line in lines if line["type"] == "summary"]
    assert (october["month"], october["decisions"], october["reversals"]) == ("2026-10", 1, 0)
    assert november == {
        "type": "summary", "month": "2026-11", "decisions": 3, "done": None, "pending": None, "failed": None,
        "called_off": None, "acts_pending": None, "reversals": 1, "appeals": None,
        "counted_from": "manifests",
    }  # fmt: skip
    assert sum(int(str(line["decided"])) for line in lines if line["type"] == "count") == 5


def test_where_the_register_does_not_know_all_that_is_sealed_what_is_pending_is_unknown(
    run: Runner, home: Home
) -> None:
    without_spool(home)
    keep(home, decision(9))
    lines = run_json(run, without_keyholder(home), "moderation", "summary", "--month", "2026-11")
    assert (lines[-1]["decisions"], lines[-1]["acts_pending"]) == (2, None)


def record(number: int, *reasons: str, month_ms: int = NOVEMBER_MS, **fields: object) -> Moderation:
    return decision(number, entered_ms=month_ms + number, reason_codes=reasons, **fields)


def every_kind_of_record() -> list[list[list[Moderation]]]:
    """Entries as they are sealed, an archive after the other; the last are not sealed."""
    hidden = [record(number, "abusive", "spam") for number in range(1, 5)]
    ended = [done(one) for one in hidden]
    unhide = later(ended[0], "reversal", action="unhidden", state="planned", entered_ms=DECEMBER_MS)
    stop = later(record(5, "spam", action="blocked"), "reversal", action="none", state="done")
    warned = record(6, action="warned", state="done", way="hand")
    december = record(7, "abusive", month_ms=DECEMBER_MS)
    other = record(8, "abusive", account="99", account_handle=None, platform="facebook", action="removed")
    refused = later(record(9, "spam"), "outcome", action="hidden", state="failed", way="api")
    return [
        [hidden, [record(5, "spam", action="blocked"), warned], [record(9, "spam")]],
        [ended, [stop, december], [refused]],
        [[unhide], [later(warned, "reversal", entered_ms=DECEMBER_MS), other]],
        [[later(ended[1], "reversal", action="unhidden", state="done")], [later(ended[2], "appeal")]],
        [[done(unhide), record(10, action="none", state="done", way=None), record(11, "spam")]],
    ]


@pytest.mark.parametrize("sealed", range(6))
def test_both_ways_of_counting_give_the_same_numbers(run: Runner, tmp_path: Path, sealed: int) -> None:
    """Whatever of the entries is sealed."""
    home = Home(make_folder(tmp_path / "home"))
    for number, batches in enumerate(every_kind_of_record()):
        for entries in batches:
            keep(home, *entries)
        if number < sealed:
            seal_all(home)
    with_key = run_json(run, home, "moderation", "summary", "--all")
    without = run_json(run, without_keyholder(home), "moderation", "summary", "--all")
    assert {line["counted_from"] for line in with_key if line["type"] == "summary"} == {"records"}
    of_both = ("type", "month", "platform", "account", "reason", "action", "decided", "decisions",
               "acts_pending", "reversals")  # fmt: skip
    assert [[line.get(name) for name in of_both] for line in without] == [
        [line.get(name) for name in of_both] for line in with_key
    ]
    totals = {line["month"]: line for line in without if line["type"] == "summary"}
    assert {month: (line["decisions"], line["reversals"]) for month, line in totals.items()} == {
        "2026-11": (10, 4), "2026-12": (1, 0),
    }  # fmt: skip
    assert ("manifests" if sealed else "records") in {line["counted_from"] for line in totals.values()}


# What is asked for


def test_without_a_month_it_is_this_one_and_one_without_decisions_has_none(run: Runner, home: Home) -> None:
    nothing = run("--config", home.folder, "moderation", "summary", "--month", "2020-02").output
    assert nothing == "2020-02: 0 decisions; 0 acts pending, 0 reversals, 0 objected to\n"
    assert re.match(r"\d{4}-\d\d: \d decision", run("--config", home.folder, "moderation", "summary").output)


@pytest.mark.parametrize("month", ["2026", "2026-11-03", "November", "2026-13", "03/11/2026"])
def test_what_is_no_month_is_a_usage_error(run: Runner, home: Home, month: str) -> None:
    run.fails(UsageError.exit_code, "--config", home.folder, "moderation", "summary", "--month", month)
    run.fails(
        UsageError.exit_code, "--config", home.folder, "moderation", "summary", "--all", "--month", "2026-11"
    )
