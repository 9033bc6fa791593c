"""Who is told what at a run's begin and end: to a web server and a mail server on loopback, with a clock that
this test sets."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import ArchiverError, ConfigurationError, LockedError
from archiver.health.snapshot import AccountHealth, ArchiveHealth, JobHealth, KindHealth, Snapshot
from archiver.jobs.outbox import NOTE, Kept
from archiver.jobs.stamp import stamp_path
from archiver.jobs.telling import CUT_OFF, Telling, open_telling
from archiver.jobs.unsent import MOST_UNSENT
from archiver.notify.base import Notice, Notifier
from archiver.notify.ping import PingNotifier
from archiver.notify.smtp import SmtpNotifier
from archiver.notify.textfile import TextfileNotifier
from archiver.notify.webhook import WebhookNotifier
from archiver.schedule.due import DAY_MS
from archiver.schedule.journal import JobTimes, Journal
from archiver.schedule.report import JobName, JobReport, RunReport
from archiver.settings import Settings, load_settings
from archiver.settings.notices import PingSettings, SmtpSettings, TextfileSettings, WebhookSettings
from archiver.times import parse_time
from tests.certificates import make_certificates
from tests.faults.folders import make_folder
from tests.mail import mail_server
from tests.receiver import Answer, Receiver, receiver, unused_port

HOUR_MS = DAY_MS // 24
NOW_MS = parse_time("2026-11-10T03:00:00Z")
Build = Callable[..., "Runs"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(make_folder(tmp_path_factory.mktemp("home") / "home") / "archiver.toml")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def webhook(server: Receiver, name: str = "hook", **more: Any) -> WebhookNotifier:
    made = WebhookSettings(name, f"{server.url}/{name}", **more)
    return WebhookNotifier(made, lambda reference: reference, pause_seconds=0)


def mailing(certificates: Path, port: int, **more: Any) -> SmtpNotifier:
    made = SmtpSettings(
        "mail", "localhost", port, "archive@example.org", ("records@example.org", "duty@example.org"),
        ca_file=certificates / "ca.pem", timeout_seconds=3, **more,
    )  # fmt: skip
    return SmtpNotifier(made, lambda reference: reference, pause_seconds=0)


def snapshot(at_ms: int, **more: Any) -> Snapshot:
    values: dict[str, Any] = {
        "accounts": (), "stores": (), "jobs": (), "archives": 0, "last_archive": None, "head": None,
        "spool_records": 0, "spool_bytes": 0, "inbox_files": 0, "moderation_pending": 0, "keyholders": (),
    }  # fmt: skip
    return Snapshot(at_ms=at_ms, **{**values, **more})


@dataclass
class Runs:
    """Runs one after the other, each some hours after the one before."""

    settings: Settings
    notifiers: list[Notifier]
    now_ms: int = NOW_MS
    all_is: dict[str, Any] = field(default_factory=dict)
    looks: int = 0
    month_told: bool = True

    def __post_init__(self) -> None:
        if self.month_told:  # so that only tests of it meet the monthly notice
            self.note("told", {"monthly_ms": self.now_ms, "monthly_sequence": 0})

    @property
    def telling(self) -> Telling:
        return Telling(
            replace(self.settings, host="collector"),
            self.notifiers,
            lambda: self.now_ms,
            self.look,
            lambda one, run: "up 1\n",
        )

    def look(self) -> Snapshot:
        self.looks += 1
        return snapshot(self.now_ms, **self.all_is)

    def report(self, *jobs: tuple[JobName, int, str], **more: Any) -> RunReport:
        made = tuple(
            JobReport(
                name,
                self.now_ms,
                self.now_ms,
                code,
                {},
                (said,) if said else (),
                news=(said,) if said and name == "remind" else (),
            )
            for name, code, said in jobs
        )
        return RunReport(self.now_ms, self.now_ms, made, max((one[1] for one in jobs), default=0), **more)

    def run(self, *jobs: tuple[JobName, int, str], hours: float = 1) -> list[str]:
        """What failed of telling it."""
        self.now_ms += int(hours * HOUR_MS)
        return [one.message for one in self.telling.end(self.report(*jobs))]

    def note(self, name: str, value: object) -> None:
        journal = Journal(self.settings.journal)
        journal.set_note(name, value)
        journal.close()

    def kept(self) -> Kept:
        journal = Journal(self.settings.journal)
        try:
            return journal.note(NOTE, Kept) or Kept()
        finally:
            journal.close()

    def way(self, name: str) -> JobTimes:
        journal = Journal(self.settings.journal)
        try:
            return journal.job(f"notice {name}")
        finally:
            journal.close()


@pytest.fixture
def build(settings: Settings, tmp_path: Path) -> Build:
    def make(*notifiers: Notifier, **more: Any) -> Runs:
        ways = tuple(one.settings for one in notifiers)  # type: ignore[attr-defined]  # each of ours has them
        own = replace(settings, state=tmp_path / "state.sqlite", notices=ways)
        return Runs(own, list(notifiers), **more)

    return make


def subjects(server: Receiver, name: str = "hook") -> list[str]:
    bodies = [json.loads(one.body) for one in server.requests if one.path == f"/{name}"]
    return [body["subject"].removeprefix("archiver on collector: ") for body in bodies]


def test_without_any_way_nothing_is_opened_or_looked_at(build: Build) -> None:
    runs = build(month_told=False)
    assert runs.telling.begin() == []
    assert runs.run(("collect", 1, "X is away")) == []
    assert runs.telling.error(NOW_MS, ArchiverError("the disk is full")) == []
    assert not runs.settings.journal.exists()
    assert runs.looks == 0


def test_a_failure_is_told_once_a_day_and_that_it_is_well_again(build: Build, server: Receiver) -> None:
    runs = build(webhook(server))
    for _ in range(26):
        runs.run(("collect", 1, "X is away"))
    assert subjects(server) == ["failed: collect", "failed: collect"]
    again = json.loads(server.requests[1].body)
    assert "It has failed since 10 November 2026, 04:00 UTC." in again["text"]
    assert "Collect\n- X is away\n" in again["text"]
    assert again["facts"]["failing"] == {"collect": ["X is away"]}
    runs.run()
    runs.run(("collect", 0, ""))
    runs.run(("collect", 0, ""))
    assert subjects(server)[2:] == ["well again: collect"]
    assert json.loads(server.requests[2].body)["recovered"] is True


def test_a_run_that_went_well_is_told_to_who_wants_it_and_one_with_nothing_to_do_to_nobody(
    build: Build, server: Receiver
) -> None:
    runs = build(webhook(server, "all", on=("done",)), webhook(server, "usual"))
    runs.run(("collect", 0, ""))
    runs.run()
    runs.run(("collect", 3, "gap"))
    assert subjects(server, "all") == ["done"]
    assert subjects(server, "usual") == ["incomplete: 1 new problem"]


def test_what_is_missing_is_told_once(build: Build, server: Receiver) -> None:
    runs = build(webhook(server))
    runs.run(("collect", 3, "gap one"))
    runs.run(("collect", 3, "gap one"))
    runs.run(("collect", 3, "gap two"), ("sync", 3, "share is away"))
    assert subjects(server) == ["incomplete: 1 new problem", "incomplete: 2 new problems"]
    assert json.loads(server.requests[1].body)["facts"]["missing"] == [
        "collect: gap two", "sync: share is away",
    ]  # fmt: skip


def test_reminders_are_told_as_such_and_are_nothing_missing(build: Build, server: Receiver) -> None:
    runs = build(webhook(server))
    runs.run(("remind", 3, "an export of @ExamplePolice is due.\nOn X: Settings, Your account."))
    runs.run(("remind", 0, ""))
    assert subjects(server) == ["1 thing for a person to do"]
    text = json.loads(server.requests[0].body)["text"]
    assert text.startswith("an export of @ExamplePolice is due.\nOn X: Settings, Your account.\n")


def test_what_cannot_be_looked_at_is_a_failure_and_keeps_nobody_from_being_reminded(
    build: Build, server: Receiver
) -> None:
    runs = build(webhook(server))
    for code, news in ((2, "an export is due"), (2, ""), (3, "an export is due still"), (0, "")):
        runs.now_ms += DAY_MS // 24
        error = [] if code == 0 else ["few keyholders: what is due cannot be told: no key"]
        told = [news] if news else []
        job = JobReport("remind", runs.now_ms, runs.now_ms, code, {}, told + error, news=told)
        runs.telling.end(RunReport(runs.now_ms, runs.now_ms, (job,), code))
    assert subjects(server) == [
        "failed: remind",
        "1 thing for a person to do",
        "well again: remind",
        "incomplete: 1 new problem",
        "1 thing for a person to do",
    ]
    bodies = [json.loads(one.body) for one in server.requests]
    assert bodies[0]["facts"]["failing"] == {"remind": ["few keyholders: what is due cannot be told: no key"]}
    assert bodies[1]["text"].startswith("an export is due\n")
    assert "no key" not in bodies[1]["text"]
    assert bodies[3]["facts"]["missing"] == ["remind: few keyholders: what is due cannot be told: no key"]


def test_pings_and_metrics_come_with_every_run_and_with_nothing_else(
    build: Build, server: Receiver, tmp_path: Path
) -> None:
    ping = PingNotifier(PingSettings("watch", f"{server.url}/ping"), str)
    metrics = TextfileNotifier(TextfileSettings("metrics", tmp_path / "archiver.prom"))
    runs = build(ping, metrics, all_is={"jobs": (JobHealth("sync", None, None, None, None, True),)})
    assert runs.telling.begin() == []
    for jobs in ([], [("collect", 1, "X is away")], [("collect", 3, "gap")], [("collect", 20, "altered")]):
        assert runs.run(*jobs) == []
        assert (tmp_path / "archiver.prom").read_text() == "up 1\n"
        (tmp_path / "archiver.prom").unlink()
    assert server.paths == ["/ping/start", "/ping", "/ping/1", "/ping/3", "/ping/20"]
    assert runs.looks == 4


def stale(**more: Any) -> dict[str, Any]:
    kind = KindHealth("posts", parse_time("2026-11-01T03:00:00Z"), None, NOW_MS, True)
    account = AccountHealth("x", "1001", "ExamplePolice", None, NOW_MS, True, (kind,))
    return {
        "accounts": (account,), "problems": ("posts of @ExamplePolice are late",),
        "advice": ("see why: archiver collect",), **more,
    }  # fmt: skip


def test_what_is_late_is_told_once_a_day_also_by_runs_with_nothing_to_do(
    build: Build, server: Receiver
) -> None:
    runs = build(webhook(server), all_is=stale())
    for _ in range(30):
        runs.run()
    assert subjects(server) == ["2 things late", "2 things late"]
    text = json.loads(server.requests[0].body)["text"]
    for line in (
        "What is not well\n- posts of @ExamplePolice are late\n",
        "What to do\n- see why: archiver collect",
    ):
        assert line in text
    assert json.loads(server.requests[0].body)["facts"]["late"] == [
        "@ExamplePolice (1001): posts last collected 1 November 2026",
        "@ExamplePolice (1001): newest export never",
    ]
    assert runs.looks == 5  # every six hours
    runs.all_is = {}
    runs.run(hours=6)
    runs.all_is = stale()
    runs.run(hours=6)
    assert len(subjects(server)) == 3  # late again: told at once


def test_what_is_late_and_which_way_fails_is_told_each_night_by_a_run_each_night(
    build: Build, server: Receiver
) -> None:
    server.answer = lambda path: Answer(403 if path == "/other" else 200)
    runs = build(webhook(server), webhook(server, "other"), all_is=stale())
    for _ in range(8):
        runs.run(hours=24 - 1 / 3600)
    assert subjects(server).count("2 things late") == 8
    assert subjects(server).count("notices do not go out: other") == 7


def test_the_month_is_told_after_its_sealing_and_not_again(build: Build, server: Receiver) -> None:
    runs = build(webhook(server), month_told=False, now_ms=parse_time("2026-11-01T00:10:00Z"))
    runs.run(("collect", 0, ""))
    assert subjects(server) == []
    runs.all_is = {"last_archive": ArchiveHealth("2026-11-01", runs.now_ms, 10, 100)}
    runs.run(("seal", 0, ""))
    runs.run(("collect", 0, ""))
    for _ in range(31):
        runs.run(hours=24)
    assert subjects(server) == [
        "the month to 1 November 2026, 0 archives sealed",
    ]  # fmt: skip
    runs.run(hours=24)  # 3 December
    assert len(subjects(server)) == 2


def test_a_run_that_cannot_begin_is_told_as_failed_with_what_to_do(build: Build, server: Receiver) -> None:
    runs = build(webhook(server), PingNotifier(PingSettings("watch", f"{server.url}/ping"), str))
    error = ArchiverError("the disk is full while writing the spool", "free some space")
    assert runs.telling.error(runs.now_ms, error) == []
    assert subjects(server) == ["failed: run"]
    assert (
        "- the disk is full while writing the spool (free some space)"
        in json.loads(server.requests[1].body)["text"]
    )
    assert server.paths == ["/ping/1", "/hook"]
    runs.run()
    assert subjects(server)[1:] == ["well again: run"]


def test_that_another_run_is_at_work_is_told_to_nobody_until_something_is_late(
    build: Build, server: Receiver
) -> None:
    runs = build(webhook(server), PingNotifier(PingSettings("watch", f"{server.url}/ping"), str))
    held = LockedError("process 12 is at work here")
    assert runs.telling.error(runs.now_ms, held) == []
    assert server.requests == []
    runs.now_ms += DAY_MS
    runs.all_is = stale()
    assert runs.telling.error(runs.now_ms, held) == []
    assert subjects(server) == ["2 things late"]
    assert server.paths == ["/hook"]


def test_a_run_that_was_told_to_end_says_nothing(build: Build, server: Receiver) -> None:
    runs = build(webhook(server), PingNotifier(PingSettings("watch", f"{server.url}/ping"), str))
    for code in CUT_OFF:
        assert runs.telling.end(RunReport(NOW_MS, NOW_MS, (), code)) == []
    assert server.requests == []


# When a way fails


def test_a_mail_server_that_is_down_does_not_hide_what_the_run_ended_in(
    build: Build, certificates: Path
) -> None:
    port = unused_port()
    runs = build(mailing(certificates, port))
    assert runs.run(("collect", 20, "altered")) == [
        f"notice mail: no connection to the mail server localhost:{port} (ConnectionRefusedError)"
    ]
    assert runs.way("mail").code == 1
    assert "no connection" in runs.way("mail").problems[0]


def test_what_could_not_be_sent_comes_later_in_order_and_once(build: Build, certificates: Path) -> None:
    runs = build(mailing(certificates, unused_port()))
    runs.run(("collect", 1, "X is away"))
    runs.run(("collect", 3, "gap"))
    assert [one.kind for one in runs.kept().unsent] == ["failed", "done", "incomplete"]
    with mail_server(certificates) as mail:
        runs.notifiers = [mailing(certificates, mail.port)]
        assert runs.run(hours=2) == []
        runs.run()
        assert [one.message["Subject"] for one in mail.messages] == [
            "archiver on collector: failed: collect",
            "archiver on collector: well again: collect",
            "archiver on collector: incomplete: 1 new problem",
        ]
        assert runs.kept() == Kept()
        assert (runs.way("mail").code, runs.way("mail").problems) == (0, ())


def test_another_way_tells_in_the_next_run_that_mail_does_not_go_out(
    build: Build, certificates: Path, server: Receiver
) -> None:
    port = unused_port()
    runs = build(mailing(certificates, port), webhook(server))
    runs.run(("collect", 1, "X is away"))
    assert subjects(server) == ["failed: collect"]
    for _ in range(20):
        runs.run()
    assert subjects(server)[1:] == ["notices do not go out: mail"]
    text = json.loads(server.requests[1].body)["text"]
    said = f"- mail, since 10 November 2026, 04:00 UTC: no connection to the mail server localhost:{port}"
    assert said in " ".join(text.split())
    for _ in range(10):
        runs.run()
    assert subjects(server)[2:] == ["notices do not go out: mail"]


def test_a_way_that_stays_down_is_tried_less_and_less_often(build: Build, certificates: Path) -> None:
    runs = build(mailing(certificates, unused_port()))
    tried = [hour for hour in range(60) if runs.run(*([("seal", 1, "full")] if hour == 0 else []))]
    assert tried == [0, 1, 2, 4, 8, 16, 32, 52]


def test_of_what_tells_how_all_stands_the_newest_waits_and_what_is_a_month_old_is_let_go(
    build: Build, server: Receiver
) -> None:
    server.answer = lambda path: Answer(400)
    runs = build(webhook(server))
    runs.run(("collect", 3, "gap one"))
    runs.run(("seal", 1, "full"))
    runs.run(("collect", 3, "gap two"), ("sync", 1, "full"))
    assert [(one.kind, one.at_ms) for one in runs.kept().unsent] == [
        ("incomplete", NOW_MS + HOUR_MS),
        ("failed", NOW_MS + 3 * HOUR_MS),
        ("incomplete", NOW_MS + 3 * HOUR_MS),
    ]
    server.answer = lambda path: Answer()
    server.requests.clear()
    runs.now_ms = NOW_MS + 31 * DAY_MS
    runs.note("told", {"monthly_ms": runs.now_ms})
    runs.run(hours=2.5)
    assert subjects(server) == ["failed: sync", "incomplete: 1 new problem"]


def test_what_only_one_notice_says_waits_however_many_come_after_it(build: Build, server: Receiver) -> None:
    server.answer = lambda path: Answer(403)
    runs = build(webhook(server))
    runs.run(("import", 3, "the export lacks 12 pictures"))
    runs.run(("check", 3, "store offsite lacks 2026-11-01"))
    runs.run(("remind", 0, "only one keyholder"))
    runs.run(("remind", 0, "an export is due"))
    runs.run(("collect", 1, "X is away"), ("seal", 1, "full"))
    runs.run(("collect", 0, ""))
    runs.run(("seal", 0, ""))
    server.answer = lambda path: Answer()
    server.requests.clear()
    runs.run(hours=24)
    texts = [json.loads(one.body)["text"] for one in server.requests]
    said = (
        "12 pictures",
        "lacks 2026-11-01",
        "only one",
        "an export",
        "failed",
        "again: collect",
        "again: seal",
    )
    assert len(texts) == len(said)
    for text, words in zip(texts, said, strict=True):
        assert words in text


def test_of_very_many_that_wait_the_oldest_are_let_go_and_that_is_said(
    build: Build, server: Receiver
) -> None:
    server.answer = lambda path: Answer(403)
    runs = build(webhook(server))
    for number in range(MOST_UNSENT + 2):
        runs.run(("check", 3, f"file {number} is missing"), hours=1 / 60)
    runs.run(hours=1)
    waiting = runs.kept().unsent
    assert [one.let_go for one in waiting] == [2] + [0] * (MOST_UNSENT - 1)
    server.answer = lambda path: Answer()
    server.requests.clear()
    runs.run(hours=24)
    first, *others = [json.loads(one.body)["text"] for one in server.requests]
    assert len(others) == MOST_UNSENT - 1
    assert first.startswith("2 older notices of this kind could not be sent and were let go")
    assert "file 2 is missing" in first
    assert "let go" not in str(others)


def test_nothing_is_sent_twice_to_those_who_have_it(build: Build, certificates: Path) -> None:
    with mail_server(certificates) as mail:
        mail.refuse = lambda address: "550 unknown" if address.startswith("duty") else None
        runs = build(mailing(certificates, mail.port))
        assert runs.run(("collect", 1, "X is away")) == [
            "notice mail: the mail server refuses 1 of 2 recipients: 550 unknown"
        ]
        assert runs.kept().unsent == ()
        runs.run()
        assert len(mail.messages) == 1


def test_a_recipient_who_is_put_off_gets_it_later_and_the_others_once(
    build: Build, certificates: Path
) -> None:
    with mail_server(certificates) as mail:
        mail.refuse = lambda address: "450 4.2.0 greylisted" if address.startswith("duty") else None
        runs = build(mailing(certificates, mail.port))
        assert runs.run(("collect", 1, "X is away")) == [
            "notice mail: the mail server refuses 1 of 2 recipients: 450 4.2.0 greylisted"
        ]
        assert "duty" not in str(runs.kept())
        runs.run(("check", 3, "a file is missing"))
        for _ in range(6):  # 1, 2, 4 hours apart
            runs.run()
        mail.refuse = lambda address: None
        for _ in range(8):
            runs.run()
        got = [(one.message["Subject"].partition(": ")[2], *one.recipients) for one in mail.messages]
        assert got == [
            ("failed: collect", "records@example.org"),
            ("incomplete: 1 new problem", "records@example.org"),
            ("failed: collect", "duty@example.org"),
            ("incomplete: 1 new problem", "duty@example.org"),
        ]
        ids = [one.message["Message-ID"] for one in mail.messages]
        assert ids[:2] == ids[2:]
        assert runs.kept() == Kept()


@pytest.mark.parametrize("later", ["550 unknown", None])
def test_who_is_refused_for_good_later_or_is_taken_out_of_the_settings_is_let_go(
    build: Build, certificates: Path, later: str | None
) -> None:
    with mail_server(certificates) as mail:
        mail.refuse = lambda address: "450 greylisted" if address.startswith("duty") else None
        runs = build(mailing(certificates, mail.port))
        runs.run(("collect", 1, "X is away"))
        assert len(runs.kept().unsent) == 1
        if later is None:
            (way,) = runs.notifiers
            assert isinstance(way, SmtpNotifier)
            runs.notifiers = [replace(way, settings=replace(way.settings, recipients=("a@example.org",)))]
        else:
            mail.refuse = lambda address: later if address.startswith("duty") else None
        runs.run()
        assert runs.kept().unsent == ()
        assert len(mail.messages) == 1


def test_a_way_that_fails_holds_up_a_run_once_however_much_there_is_to_send(
    build: Build, server: Receiver
) -> None:
    server.answer = lambda path: Answer(400)
    runs = build(webhook(server), all_is=stale())
    assert len(runs.run(("collect", 1, "X is away"), ("sync", 3, "share is away"))) == 1
    assert len(server.requests) == 1
    assert [one.kind for one in runs.kept().unsent] == ["failed", "incomplete", "stale"]
    assert len(runs.run()) == 1
    assert len(server.requests) == 2


def test_what_waits_for_a_way_that_is_no_longer_in_the_settings_is_let_go(
    build: Build, server: Receiver
) -> None:
    server.answer = lambda path: Answer(400)
    runs = build(webhook(server, "old"))
    runs.run(("collect", 1, "X is away"))
    server.answer = lambda path: Answer()
    runs.notifiers = [webhook(server, "new")]
    assert runs.run() == []
    assert runs.kept() == Kept()
    assert subjects(server, "new") == []


def test_a_ping_that_fails_is_said_and_the_others_are_told(build: Build, server: Receiver) -> None:
    ping = PingNotifier(PingSettings("watch", f"http://127.0.0.1:{unused_port()}/"), str, pause_seconds=0)
    runs = build(ping, webhook(server))
    assert [one.message for one in runs.telling.begin()] == ["notice watch: no answer (ConnectionError)"]
    assert runs.run(("collect", 0, "")) == ["notice watch: no answer (ConnectionError)"]
    assert subjects(server) == ["notices do not go out: watch"]


@pytest.mark.parametrize(
    ("broken", "said"), [("/watch", "the server"), ("/watch/start", "where a run begins: the server")]
)
def test_a_ping_of_which_one_half_works_is_told_of_once_a_day_for_the_other(
    build: Build, server: Receiver, broken: str, said: str
) -> None:
    server.answer = lambda path: Answer(404 if path == broken else 200)
    ping = PingNotifier(PingSettings("watch", f"{server.url}/watch"), str, pause_seconds=0)
    runs = build(ping, webhook(server))
    for _ in range(48):
        runs.now_ms += HOUR_MS
        begun = runs.telling.begin()
        ended = runs.run(hours=1 / 60)
        assert len(begun) + len(ended) == 1
        assert runs.way("watch").code == 1
    texts = [json.loads(one.body)["text"] for one in server.requests if one.path == "/hook"]
    assert set(subjects(server)) == {"notices do not go out: watch"}
    assert 2 <= len(texts) <= 3
    assert all(f"UTC: {said} answers 404" in " ".join(one.split()) for one in texts)
    server.answer = lambda path: Answer()
    runs.now_ms += DAY_MS
    assert runs.telling.begin() + runs.telling.end(runs.report()) == []
    assert runs.kept() == Kept()
    assert runs.way("watch").code == 0


def test_a_secret_that_cannot_be_read_is_a_way_that_fails_and_no_failed_run(
    build: Build, server: Receiver
) -> None:
    def resolve(reference: str) -> str:
        raise ConfigurationError("the environment has no variable HOOK")

    unreadable = WebhookNotifier(WebhookSettings("secret", "env:HOOK"), resolve)
    runs = build(unreadable, webhook(server))
    assert runs.run(("collect", 1, "X is away")) == ["notice secret: the environment has no variable HOOK"]
    assert subjects(server) == ["failed: collect"]


def test_a_defect_in_a_way_ends_no_run(build: Build, server: Receiver) -> None:
    class Broken(WebhookNotifier):
        def send(self, notice: Notice) -> None:
            raise ValueError("very-private")

    runs = build(Broken(WebhookSettings("broken", "https://example.org"), str), webhook(server))
    assert runs.run(("collect", 1, "X is away")) == ["notice broken: it failed (ValueError)"]
    assert subjects(server) == ["failed: collect"]


def test_a_journal_that_is_damaged_is_said_and_what_there_is_to_tell_is_told(
    build: Build, server: Receiver
) -> None:
    runs = build(webhook(server))
    runs.settings.journal.write_bytes(b"this is no database" * 1_000)
    for name in ("-wal", "-shm"):
        runs.settings.journal.with_name(runs.settings.journal.name + name).unlink(missing_ok=True)
    (said,) = runs.run(("collect", 1, "X is away"))
    assert said.startswith("notices: ")
    assert "schedule.sqlite is damaged" in said
    assert subjects(server) == ["failed: collect"]


def test_without_a_journal_a_failure_is_told_once_a_day_and_its_end_by_the_next_journal(
    build: Build, server: Receiver
) -> None:
    runs = build(webhook(server))
    runs.run(("collect", 1, "X is away"))
    journal = runs.settings.journal
    kept = journal.read_bytes()
    assert not journal.with_name("told.json").exists()
    journal.write_bytes(b"this is no database" * 1_000)
    error = ArchiverError("schedule.sqlite is damaged")
    for _ in range(26):
        runs.now_ms += HOUR_MS
        (said,) = runs.telling.error(runs.now_ms, error)
        assert said.message.startswith("notices: ")
    assert subjects(server) == ["failed: collect", "failed: run", "failed: run"]
    journal.write_bytes(kept)
    runs.run(("collect", 0, ""))
    assert subjects(server)[3:] == ["well again: collect, run"]
    assert not journal.with_name("told.json").exists()
    runs.run(("collect", 0, ""))
    assert len(subjects(server)) == 4


def test_with_a_journal_that_takes_nothing_a_failure_is_told_once_a_day(
    build: Build, server: Receiver
) -> None:
    runs = build(webhook(server))
    runs.run(("collect", 1, "X is away"))
    with closing(sqlite3.connect(runs.settings.journal, isolation_level=None)) as database:
        for what in ("INSERT", "UPDATE"):
            database.execute(
                f"CREATE TRIGGER no_{what} BEFORE {what} ON note BEGIN SELECT RAISE(FAIL, 'no'); END"
            )
    for _ in range(26):
        assert len(runs.run(("collect", 1, "X is away"), ("seal", 1, "full"))) == 1
    assert subjects(server) == ["failed: collect", "failed: collect, seal", "failed: collect, seal"]
    with closing(sqlite3.connect(runs.settings.journal, isolation_level=None)) as database:
        for what in ("INSERT", "UPDATE"):
            database.execute(f"DROP TRIGGER no_{what}")
    assert runs.run(("collect", 0, ""), ("seal", 0, "")) == []
    assert subjects(server)[3:] == ["well again: collect, seal"]
    assert not stamp_path(runs.settings.journal).exists()


def test_without_a_journal_what_reached_nobody_is_told_by_the_next_run(
    build: Build, server: Receiver
) -> None:
    runs = build(webhook(server))
    runs.settings.journal.write_bytes(b"this is no database" * 1_000)
    server.answer = lambda path: Answer(403)
    runs.telling.error(runs.now_ms, ArchiverError("schedule.sqlite is damaged"))
    server.answer = lambda path: Answer()
    server.requests.clear()
    for _ in range(3):
        runs.now_ms += HOUR_MS
        runs.telling.error(runs.now_ms, ArchiverError("schedule.sqlite is damaged"))
    assert subjects(server) == ["failed: run"]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"told": 1}', b"[" * 100_000, None])
def test_a_stamp_that_is_damaged_silences_nothing(build: Build, server: Receiver, data: bytes | None) -> None:
    runs = build(webhook(server))
    runs.settings.journal.write_bytes(b"this is no database" * 1_000)
    path = stamp_path(runs.settings.journal)
    if data is None:
        path.mkdir()
    else:
        path.write_bytes(data)
    runs.telling.error(runs.now_ms, ArchiverError("schedule.sqlite is damaged"))
    assert subjects(server) == ["failed: run"]


def test_that_nobody_can_say_how_all_stands_is_said_and_the_rest_is_told(
    build: Build, server: Receiver
) -> None:
    def look() -> Snapshot:
        raise ArchiverError("the state cannot be read")

    runs = build(webhook(server))
    telling = replace(runs.telling, snapshot=look)
    assert [one.message for one in telling.end(runs.report(("collect", 1, "X is away")))] == [
        "notices: the state cannot be read"
    ]
    assert subjects(server) == ["failed: collect"]


def test_the_ways_of_the_settings_are_opened_without_any_secret(settings: Settings, tmp_path: Path) -> None:
    text = settings.path.read_text() + (
        '[[notice]]\nname = "mail"\nkind = "smtp"\nhost = "mail.example.org"\nuser = "a"\n'
        'password = "env:NO_SUCH"\nsender = "a@example.org"\nrecipients = ["b@example.org"]\n'
        '[[notice]]\nname = "hook"\nkind = "webhook"\nurl = "env:NO_SUCH"\n'
        '[[notice]]\nname = "watch"\nkind = "ping"\nurl = "env:NO_SUCH"\n'
        f'[[notice]]\nname = "metrics"\nkind = "textfile"\npath = "{tmp_path}/a.prom"\n'
        '[[notice]]\nname = "chat"\nkind = "apprise"\nurls = ["env:NO_SUCH"]\n'
    )
    path = settings.path.with_name("with-notices.toml")
    path.write_text(text)
    telling = open_telling(load_settings(path), {}, lambda: NOW_MS)
    assert [one.name for one in telling.notifiers] == ["mail", "hook", "watch", "metrics", "chat"]
    assert "NO_SUCH" not in repr(telling.notifiers)
    assert telling.snapshot is not None
    assert telling.snapshot().at_ms == NOW_MS
