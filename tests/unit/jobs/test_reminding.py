"""What a person is reminded of: once when it is due, again after a week, more strongly when it is late."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from archiver.disk import write_atomically
from archiver.jobs.reminding import JOB
from archiver.keyholders import Keyholder, Keyholders
from archiver.keys import new_identity
from archiver.register import Registered
from archiver.sample import SAMPLE_ACCOUNT_ID
from archiver.schedule.drills import note_drill
from archiver.schedule.due import NOW
from archiver.schedule.report import JobReport
from archiver.sources.x_api.tokens import UserToken
from tests.disposals import dispose_at_home
from tests.faults.folders import LATER, UNTIL, sample
from tests.unit.inbox.boxes import DAY_MS, HOUR_MS, Box

MADE_MS = 1_790_812_799_000
"""When X made the sample: in the evening of 30 September 2026."""
DUE_MS = MADE_MS + 31 * DAY_MS
SECRET = "a-secret-access-token"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """With two keyholders and an account of which an export was taken when X made it."""
    made = Box(tmp_path / "home")
    made.know_the_account()
    path = made.home.settings.recipients
    other = Keyholder("other", new_identity(classic=True).recipient(), "2026-01-31")
    Keyholders.load(path).add(other).save(path)
    shutil.copy(sample(tmp_path / "first.zip", until=UNTIL), made.inbox / "first.zip")
    made.now_ms = MADE_MS
    made.by_hand()
    return made


def remind(box: Box, *, after_ms: int = 0) -> JobReport:
    box.now_ms += after_ms
    with box.context() as context:
        return JOB.work(context)


def due_ms(box: Box) -> int | None:
    with box.context() as context:
        return JOB.due_ms(context)


def days_with_reminders(box: Box, days: int) -> list[int]:
    """On which of the next days, from today on, something is said; asked every hour whether it is due."""
    said = []
    with box.context() as context:
        for day in range(days):
            reports = []
            for _ in range(24):
                at_ms = JOB.due_ms(context)
                if at_ms is not None and at_ms <= box.now_ms:
                    reports.append(JOB.work(context))
                box.now_ms += HOUR_MS
            assert len(reports) == 1
            if reports[0].problems:
                said.append(day)
    return said


def test_an_export_that_is_due_is_told_once_then_weekly_and_once_more_when_it_becomes_late(box: Box) -> None:
    assert box.home.settings.accounts[0].export_every_days == 31
    box.now_ms = DUE_MS - 12 * HOUR_MS
    assert days_with_reminders(box, 16) == [1, 4, 11]


def test_a_reminder_says_how_and_that_no_password_is_wanted(box: Box) -> None:
    box.now_ms = DUE_MS
    report = remind(box)
    (said,) = report.problems
    assert said.startswith(
        f"An export of the account {SAMPLE_ACCOUNT_ID} is due: the newest was made on 2026-09-30,"
        " and one is wanted every 31 days."
    )
    for part in (
        "Settings and privacy, Your account, Download an archive of your data",
        f"into {box.inbox} of the host that collects",
        "Never give the password or the code to a program",
    ):
        assert part in said
    assert report.code == 0
    assert report.facts == {
        "standing": [f"export x {SAMPLE_ACCOUNT_ID}"],
        "said": [f"export x {SAMPLE_ACCOUNT_ID}"],
        "late": [],
    }


def test_a_late_export_is_told_more_strongly_and_is_not_all_well(box: Box) -> None:
    box.now_ms = DUE_MS + 3 * DAY_MS
    report = remind(box)
    assert report.code == 3
    (said,) = report.problems
    assert said.startswith(f"LATE: The export of the account {SAMPLE_ACCOUNT_ID} is 3 days late")
    assert "X keeps it for about 14 days" in said
    assert remind(box, after_ms=DAY_MS).code == 0


def test_once_the_export_is_taken_nothing_is_told_until_the_next_is_due(box: Box) -> None:
    box.now_ms = DUE_MS
    assert remind(box).problems
    sample(box.inbox / "later.zip", until=LATER, months=3)
    box.now_ms = DUE_MS + 2 * HOUR_MS
    box.by_hand()
    report = remind(box, after_ms=DAY_MS)
    assert (report.problems, report.facts["standing"]) == ([], [])
    box.now_ms = MADE_MS + 62 * DAY_MS + DAY_MS
    assert remind(box).problems[0].startswith("An export of the account")


def test_an_account_of_which_no_export_was_taken_is_asked_for_and_one_that_wants_none_is_not(
    box: Box,
) -> None:
    settings = box.home.folder / "archiver.toml"
    with settings.open("a", encoding="utf-8") as file:
        file.write('\n[[account]]\nplatform = "x"\nid = "5"\nhandle = "ExamplePolice"\n')
        file.write('\n[[account]]\nplatform = "x"\nid = "6"\nexport_every_days = 0\n')
    report = remind(box)
    assert report.facts["standing"] == ["export x 5"]
    assert report.problems[0].startswith(
        "An export of @ExamplePolice is wanted from X: none has been taken in here yet."
    )
    assert report.code == 0


def test_an_export_that_was_made_later_than_it_is_here_tells_of_the_clock(box: Box) -> None:
    box.now_ms = MADE_MS - 10 * DAY_MS
    (said,) = remind(box).problems
    assert said.startswith(
        f"The newest export of the account {SAMPLE_ACCOUNT_ID} was made on 2026-09-30, which"
    )
    assert "Set the clock right" in said


def test_moderation_that_is_not_done_after_a_day_is_told_with_its_number_alone(box: Box) -> None:
    with box.home.open_spool() as spool:
        spool.add_entries([], [pending("a", MADE_MS), pending("b", MADE_MS + DAY_MS)])
    assert remind(box, after_ms=DAY_MS - 1).problems == []
    (said,) = remind(box, after_ms=1).problems
    assert said.startswith(
        "1 moderation act is not done more than a day after being decided, the first since 2026-09-30."
    )
    assert "archiver moderation pending" in said
    assert remind(box, after_ms=DAY_MS).problems == []
    (again,) = remind(box, after_ms=6 * DAY_MS).problems
    assert again.startswith("2 moderation acts are not done")


def pending(record_id: str, entered_ms: int) -> Registered:
    return Registered(
        record_id=record_id, entries=1, last_entry=record_id, platform="x", account=SAMPLE_ACCOUNT_ID,
        item_type="post", item_id="1", decided="hidden", action="hidden", state="planned", way="manual",
        entered_ms=entered_ms,
    )  # fmt: skip


def test_a_single_keyholder_is_told_of_once_a_month(tmp_path: Path) -> None:
    box = Box(tmp_path / "home")
    assert days_with_reminders(box, 32) == [0, 30]


def test_far_more_in_the_spool_than_the_last_archives_had_is_told(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archiver.jobs.reminders import standing

    monkeypatch.setattr(standing, "SPOOL_RECORDS", 1)
    assert remind(box).problems == [], "there is no archive to compare with"
    box.seal()
    box.now_ms += 31 * DAY_MS
    shutil.copy(sample(tmp_path / "more.zip", until=LATER, months=3), box.inbox / "more.zip")
    box.by_hand()
    assert remind(box, after_ms=DAY_MS).problems == [], "a month's records are not many"
    monkeypatch.setattr(standing, "SPOOL_TIMES", 0.01)
    (said,) = remind(box, after_ms=DAY_MS).problems
    assert "wait to be sealed" in said


def test_a_drill_that_is_due_is_told_of_where_no_identity_opens_without_a_person(box: Box) -> None:
    (box.home.folder / "keys" / "records.identity").rename(box.home.folder / "in-the-safe")
    assert remind(box).problems == [], "nothing is sealed yet"
    box.seal()
    (said,) = remind(box, after_ms=DAY_MS).problems
    assert said.startswith(
        "It is time to try whether the archives can be restored: that was never done here. A keyholder does"
    )
    with box.context() as context:
        note_drill(context.journal, box.now_ms, 0)
    assert remind(box, after_ms=8 * DAY_MS).facts["standing"] == []
    box.now_ms = MADE_MS + 182 * DAY_MS
    assert "drill" in str(remind(box).facts["said"])
    (box.home.folder / "in-the-safe").rename(box.home.folder / "keys" / "records.identity")
    assert "drill" not in str(remind(box).facts["standing"]), "a run does it itself"


def test_no_drill_is_asked_for_where_every_archive_was_disposed_of(box: Box) -> None:
    box.seal()
    dispose_at_home(box.home, box.home.archives[0].name)
    (box.home.folder / "keys" / "records.identity").rename(box.home.folder / "in-the-safe")
    assert "drill" not in str(remind(box, after_ms=DAY_MS).facts["standing"])


def test_archives_that_are_due_by_the_rules_of_retention_are_told_of_once_a_month(box: Box) -> None:
    with (box.home.folder / "archiver.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[retention.rule]]\nname = "all"\ntrigger = "sealed"\ndays = 10\n')
    box.seal()
    assert days_with_reminders(box, 30) == [10]
    (said,) = [one for one in remind(box, after_ms=10 * DAY_MS).problems if "retention" in one]
    assert said.startswith("1 archive is due for review by the rules of retention. See which")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (UserToken(access_token=SECRET, expires_ms=MADE_MS + 15 * DAY_MS), None),
        (
            UserToken(access_token=SECRET, expires_ms=MADE_MS + 13 * DAY_MS),
            "The token of @ExamplePolice for X ends on 2026-10-13 and cannot be renewed.",
        ),
        (
            UserToken(access_token=SECRET, expires_ms=MADE_MS - DAY_MS),
            "The token of @ExamplePolice for X ended on 2026-09-29 and cannot be renewed.",
        ),
        (UserToken(access_token=SECRET), None),
        (UserToken(access_token=SECRET, refresh_token="b" * 20, expires_ms=MADE_MS - 29 * DAY_MS), None),
        (
            UserToken(access_token=SECRET, refresh_token="b" * 20, expires_ms=MADE_MS - 30 * DAY_MS),
            "The token of @ExamplePolice for X was not renewed since 2026-08-31",
        ),
    ],
)
def test_a_token_that_will_not_do_much_longer_is_told_of(
    box: Box, token: UserToken, expected: str | None
) -> None:
    ask_x(box, 'client_id = "an-app"', ['token = "file:x.token"'])
    write_atomically(box.home.folder / "x.token", token.encode())
    problems = remind(box).problems
    assert SECRET not in str(problems)
    if expected is None:
        assert list(problems) == []
    else:
        (said,) = problems
        assert said.startswith(expected)
        assert "archiver " in said


def test_a_token_that_cannot_be_read_or_renewed_is_told_of_and_a_bearer_token_is_not(box: Box) -> None:
    ask_x(box, "", ['token = "file:x.token"'])
    (said,) = remind(box).problems
    assert said.startswith("X cannot be asked about @ExamplePolice: there is no token yet in")
    assert "rchiver login x --account 5" in said
    refreshable = UserToken(access_token=SECRET, refresh_token="b" * 20)
    write_atomically(box.home.folder / "x.token", refreshable.encode())
    (said,) = remind(box, after_ms=8 * DAY_MS).problems
    assert said.startswith("The token of @ExamplePolice for X cannot be renewed: ")
    assert "x_api.client_id is not set" in said


def ask_x(box: Box, x_api: str, credentials: Sequence[str]) -> None:
    settings = box.home.folder / "archiver.toml"
    account = ["[[account]]", 'platform = "x"', 'id = "5"', 'handle = "ExamplePolice"', "[account.api]"]
    before, accounts, rest = settings.read_text().partition("\n[[account]]")
    text = f"{before}\n[x_api]\n{x_api}\n{accounts}{rest}\n" + "\n".join([*account, *credentials]) + "\n"
    settings.write_text(text)


def test_what_cannot_be_looked_at_stops_no_other_reminder_and_what_stands_is_not_forgotten(
    tmp_path: Path,
) -> None:
    box = Box(tmp_path / "home")
    assert remind(box).facts["said"] == ["keyholders"]
    box.know_the_account()
    recipients = box.home.settings.recipients
    text = recipients.read_text()
    recipients.write_text("no key")
    report = remind(box, after_ms=DAY_MS)
    assert report.code == 2
    export, failed = report.problems
    assert list(report.news) == [export]
    assert export.startswith("An export of the account")
    assert failed.startswith("few keyholders: ")
    recipients.write_text(text)
    assert remind(box, after_ms=DAY_MS).problems == []


@pytest.mark.parametrize("wrong_ms", [-2 * DAY_MS, -400 * DAY_MS, 4_000 * DAY_MS])
def test_a_clock_that_was_wrong_silences_no_reminder_for_ever(box: Box, wrong_ms: int) -> None:
    box.now_ms = DUE_MS + wrong_ms
    remind(box)
    box.now_ms = DUE_MS + HOUR_MS
    at_ms = due_ms(box)
    assert at_ms is not None
    assert at_ms <= box.now_ms
    assert remind(box).facts["standing"] == [f"export x {SAMPLE_ACCOUNT_ID}"]
    assert len(remind(box, after_ms=8 * DAY_MS).problems) == 1


def test_a_lost_journal_makes_the_look_due_again(box: Box) -> None:
    remind(box)
    assert due_ms(box) != NOW
    box.home.settings.journal.unlink()
    assert due_ms(box) == NOW
