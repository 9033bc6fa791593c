"""The monthly notice: what it says of manifests and of how all stands, how it is set, what is not in it."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from archiver.archive.manifest import Count, File, KnownGap, Manifest, ModerationCount
from archiver.chain import Head
from archiver.health.month import Month, gather_month, month_of
from archiver.health.monthly import monthly_notice
from archiver.health.notices import Origin
from archiver.health.snapshot import AccountHealth, Snapshot, StoreHealth
from archiver.notify.base import Notice
from archiver.settings import AccountSettings, Settings
from archiver.spool import NOT_WANTED
from archiver.times import format_time, parse_time
from archiver.vault import Archive
from tests.faults.folders import LATER, make_folder, sample
from tests.homes import NOW_MS, Home, make_home

ORIGIN = Origin("collector", "/srv/archive/archiver.toml")
AT_MS = parse_time("2026-11-01T03:00:00Z")
SHA256 = "ab" * 32
OWN = "1001"


def manifest(sequence: int, **more: Any) -> Manifest:
    file = File(
        name="records-000.sqlite.zst.age", kind="records", size=1_500_000, sha256=SHA256, plain_size=1,
        records={"post": 1_200, "message": 34},
    )  # fmt: skip
    values: dict[str, Any] = {
        "format": "archiver-manifest-1", "vault": "v", "archive": f"2026-11-0{sequence}",
        "sequence": sequence, "previous": None, "sealed_at": format_time(AT_MS),
        "covers_from": None, "covers_to": None,
        "recipient": "age1", "mark": "m", "files": [file], "counts": [], "problems": {}, "origins": [],
        "tool": "archiver", "configuration": "c",
    }  # fmt: skip
    return Manifest(**{**values, **more})


def archive(sequence: int, **more: Any) -> Archive:
    made = manifest(sequence, **more)
    return Archive(made.archive, made, Head(sequence, SHA256), "collector")


def full_archive() -> Archive:
    def count(kind: str, **more: Any) -> Count:
        return Count(platform="x", account=OWN, kind=kind, **more)

    def decided(month: str, action: str, **more: Any) -> ModerationCount:
        return ModerationCount(platform="x", account=OWN, month=month, action=action, **more)

    return archive(
        2,
        counts=[
            count("post", new=1_200, changed=3, unparsed=1),
            count("follower", new=10),
            count("block", new=1, back=2),
            count("gone", new=7),
            count("media", new=20, missing={"not in the export": 4, NOT_WANTED: 100}),
            Count(platform="x", account="2002", kind="message", again=5),
        ],
        problems={"context": 9, "not understood": 2},
        gaps=[
            KnownGap(
                platform="x", account=OWN, kind="mentions", after_id="5", after="2026-10-03T01:00:00.000Z",
                before_id="9", before="2026-10-05T01:00:00.000Z", noticed_at=format_time(AT_MS),
                reason="X shows the newest 800 only",
            ),
            KnownGap(
                platform="x", account=OWN, kind="posts", after_id=None, after=None, before_id="9",
                before="2026-10-05T01:00:00.000Z", noticed_at=format_time(AT_MS), reason="too old",
            ),
        ],
        moderation=[
            decided("2026-10", "hide", decisions=3),
            decided("2026-09", "hide", decisions=1, reversals=1),
            decided("2026-10", "mute", decisions=2),
        ],
        logs={"_collector": Head(5, SHA256), "records": Head(2, SHA256)},
    )  # fmt: skip


def snapshot(**more: Any) -> Snapshot:
    account = AccountHealth(
        "x", OWN, "ExamplePolice", None, parse_time("2026-12-02T00:00:00Z"), False, (), (), 1_500_000,
        25_000_000,
    )  # fmt: skip
    stores = (
        StoreHealth("vault", True, "", AT_MS, AT_MS, None),
        StoreHealth("share", False, "", None, None, "it is away"),
    )
    values: dict[str, Any] = {
        "at_ms": AT_MS, "accounts": (account,), "stores": stores, "jobs": (), "archives": 2,
        "last_archive": None, "head": Head(9, SHA256), "spool_records": 12, "spool_bytes": 3_400,
        "inbox_files": 1, "moderation_pending": 2, "keyholders": ("legal", "records"),
    }  # fmt: skip
    return Snapshot(**{**values, **more})


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = Home(make_folder(tmp_path_factory.mktemp("home") / "home"))
    accounts = (AccountSettings("x", OWN, "ExamplePolice"), AccountSettings("x", "2002"))
    return replace(home.settings, accounts=accounts)


def notice(settings: Settings, *archives: Archive, since: int = 0, **more: Any) -> Notice:
    month = month_of(archives, since, "2026-10", {OWN: 3_200_000}, None)
    return monthly_notice(ORIGIN, settings, snapshot(**more), month)


def test_it_tells_what_came_what_is_missing_and_what_was_decided(settings: Settings) -> None:
    text = notice(settings, archive(1), full_archive(), since=1).text
    for line in (
        "How the archive stands on 1 November 2026. All is well.",
        "- archive 2026-11-02: 1,234 records, 1.5 MB",
        "- in all 2 archives, 3.0 MB",
        "Account @ExamplePolice (1001)",
        "- posts: 1,200 new, 3 edited",
        "- followers, blocks, lists and the like: 11 new, 2 back",
        "- gone from the platform: 7",
        "- missing, not in the export: 4",
        "- kept, but not understood: 1",
        "- gap in mentions: from 2026-10-03 to 2026-10-05 is out of reach, X shows the\n  newest 800 only",
        "- gap in posts: what is older than 2026-10-05 is out of reach, too old",
        "- moderation: hide 4, mute 2",
        "- moderation taken back: 1",
        "Account x 2002\n- nothing new",
        "Not taken or not understood\n- not understood: 2\n",
        "- @ExamplePolice (1001): 3.2 USD in 2026-10, 1.5 USD this month so far, at\n  most 25 USD a month",
        f"\n2:{SHA256}\n",
        f"\nrecords:2:{SHA256}\n",
        "- vault: found whole 1 November 2026, every byte read again 1 November 2026",
        "- share (not required): not yet checked: it is away",
        "Who can read the archives\n- legal\n- records",
        "- 12 records captured and not yet sealed, 3.4 kB",
        "- 1 file in the inbox",
        "- 2 moderation acts decided and not done: archiver moderation pending",
        "- next export of @ExamplePolice due 2 December 2026",
        "Sent by archiver on collector, settings /srv/archive/archiver.toml.",
    ):
        assert line in text, line
    assert "2026-11-01: 1,234" not in text  # told before
    assert NOT_WANTED not in text
    assert "context" not in text


def test_every_line_is_short_and_every_fact_can_be_json(settings: Settings) -> None:
    long = "a store whose name is " + "x" * 300 + "\x1b[2J\nof two lines"
    made = notice(settings, full_archive(), problems=(long,) * 30, advice=("do this",) * 30)
    assert max(map(len, made.text.splitlines())) <= 78
    assert "\x1b" not in made.text
    assert "- and 11 more" in made.text
    facts = msgspec.json.decode(msgspec.json.encode(made.facts))
    assert facts["accounts"][0]["missing"] == {"not in the export": 4}
    assert facts["accounts"][0]["decisions"] == {"hide": 4, "mute": 2}
    assert facts["accounts"][0]["gaps"] == 2
    assert facts["head"] == f"2:{SHA256}"


def test_what_is_not_well_comes_first_with_what_to_do(settings: Settings) -> None:
    made = notice(
        settings,
        problems=("store share is away",),
        advice=("mount it",),
        more={"disposal_due": 2, "holds": 1},
    )
    assert made.subject == (
        "archiver on collector: the month to 1 November 2026, 0 archives sealed, not all is well"
    )
    assert made.code == 3
    assert made.text.startswith(
        "How the archive stands on 1 November 2026. Not all is well: 1 thing needs\nsomebody.\n\n"
        "What to do next\n"
        "- store share is away: mount it\n"
        "- 2 archives are due for review: archiver retention due\n"
    )
    assert "Sealed since the last monthly notice\n- no archive\n" in made.text
    assert "- 1 hold is in force: archiver hold list\n" in made.text
    assert f"\n9:{SHA256}\n" in made.text  # what this host remembers


def test_an_account_that_is_asked_for_nothing_has_no_cost(settings: Settings) -> None:
    free = replace(snapshot().accounts[0], spent_micro_usd=None, handle=None)
    text = notice(settings, full_archive(), accounts=(free,)).text
    assert "USD" not in text
    assert "- next export of @1001 due 2 December 2026" in text


def test_a_month_of_daily_archives_is_told_whole(settings: Settings) -> None:
    many = [replace(archive(1), head=Head(number, SHA256), name=f"day-{number}") for number in range(1, 61)]
    text = notice(settings, *many).text
    assert "- 29 archives before these\n- archive day-30:" in text
    assert "- archive day-60:" in text


# From a real vault


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("sealed")
    made = make_home(folder)
    made.take(sample(folder / "later.zip", until=LATER), now_ms=NOW_MS + 31 * 86_400_000)
    return made


def gathered(home: Home, since: int | None, now_ms: int = NOW_MS + 32 * 86_400_000) -> Month:
    return gather_month(home.settings, since, now_ms)


def test_only_archives_that_were_not_told_of_are(home: Home) -> None:
    first, second = home.archives
    assert gathered(home, None).archives == (first, second)
    assert gathered(home, 1).archives == (second,)
    assert (gathered(home, 2).archives, gathered(home, 2).last_sequence) == ((), 2)
    month = gathered(home, 1)
    assert (month.total_archives, month.head, month.last_sequence) == (2, second.head, 2)
    assert month.spent_month == "2026-10"
    assert sum(one.new for one in month.accounts[0].brought.values()) > 0


def test_without_an_earlier_notice_the_last_two_months_are_told(home: Home) -> None:
    later = gathered(home, None, NOW_MS + 50 * 86_400_000)
    assert [one.name for one in later.archives] == [home.archives[1].name]


def test_a_vault_that_is_away_or_damaged_is_said_and_the_notice_is_made(home: Home) -> None:
    moved = home.folder / "moved"
    (home.folder / "vault").rename(moved)
    try:
        month = gathered(home, 1)
        assert month.error is not None
        assert "vault" in month.error
        made = monthly_notice(ORIGIN, home.settings, snapshot(), month)
        assert "What could not be looked at\n- " in made.text
        assert "no archive\n" not in made.text
        assert made.code == 3
    finally:
        moved.rename(home.folder / "vault")
    name = f"archives/{home.archives[0].name}/manifest.json"
    data = (home.folder / "vault" / name).read_bytes()
    home.replace(name, data.replace(b'"sequence": 1', b'"sequence": 7'))
    try:
        assert gathered(home, 0).error is not None
    finally:
        home.replace(name, data)


def test_no_text_and_no_name_of_others_is_in_the_notice(home: Home) -> None:
    with home.open_state():
        pass
    made = monthly_notice(ORIGIN, home.settings, snapshot(accounts=()), gathered(home, None))
    said = made.text + msgspec.json.encode(made.facts).decode()
    for archive_ in home.archives:
        for word in ("road", "Thank", "@"):
            assert word not in said.replace("@SpringfieldPolice", ""), (archive_.name, word)


def test_a_folder_that_never_sealed_has_a_month_as_well(tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    month = gathered(home, None)
    assert (month.archives, month.head, month.error, month.last_sequence) == ((), None, None, 0)
    text = monthly_notice(ORIGIN, home.settings, snapshot(head=None), month).text
    assert "- no archive\n" in text
    assert "Chain head" not in text


def test_what_x_cost_in_the_month_before_is_read_while_a_run_is_at_work(home: Home) -> None:
    with closing(sqlite3.connect(home.settings.spool / "spool.sqlite")) as database, database:
        for month, kind, micro_usd in (
            ("2026-10", "posts", 5),
            ("2026-10", "mentions", 2),
            ("2026-11", "posts", 9),
        ):
            database.execute(
                "INSERT INTO spend (month, platform, account, kind, requests, resources, micro_usd)"
                " VALUES (?, 'x', '1001', ?, 1, 1, ?)",
                (month, kind, micro_usd),
            )
    assert gathered(home, None).spent == {"1001": 7}
    with home.open_spool():
        assert gathered(home, None).spent == {"1001": 7}
    path = home.settings.spool / "spool.sqlite"
    data = path.read_bytes()
    path.write_bytes(b"no database" * 100)
    try:
        month = gathered(home, None)
        assert month.spent == {}
        assert month.error is not None
        assert "spool.sqlite is damaged" in month.error
        assert len(month.archives) == 2
    finally:
        path.write_bytes(data)
