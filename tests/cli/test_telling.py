"""What `archiver run` says of notices: on standard error alone, and never over the run's own exit code."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.cli._session import Session
from archiver.cli._telling import tell_begin, tell_end, tell_error
from archiver.errors import ArchiverError
from archiver.schedule.report import JobReport, RunReport
from archiver.times import system_clock
from tests.faults.folders import make_folder
from tests.receiver import Answer, Receiver, receiver


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: Receiver) -> Path:
    made = make_folder(tmp_path / "home")
    with (made / "archiver.toml").open("a") as file:
        for name, kind in (("hook", "webhook"), ("watch", "ping")):
            file.write(f'[[notice]]\nname = "{name}"\nkind = "{kind}"\nurl = "{server.url}/{name}"\n')
    return made


def failed() -> RunReport:
    now_ms = system_clock()
    return RunReport(now_ms, now_ms, (JobReport("seal", now_ms, now_ms, 1, {}, ("X is away",)),), 1)


def test_a_run_is_told_from_its_begin_to_its_end(
    folder: Path, server: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session({}, folder)
    assert tell_begin(session) == 0
    assert tell_end(session, failed()) == 0
    assert [path for path in server.paths if path != "/hook"] == ["/watch/start", "/watch/1"]
    assert server.paths.count("/hook") == 2  # the failure, and the month
    assert capsys.readouterr() == ("", "")


def test_what_could_not_be_sent_is_said_on_standard_error_and_makes_3(
    folder: Path, server: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = lambda path: Answer(403)
    session = Session({}, folder)
    assert tell_begin(session) == 3
    assert tell_end(session, failed()) == 3
    tell_error(session, ArchiverError("the disk is full"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("archiver: error: notice watch: the server answers 403\n") == 3
    assert captured.err.count("archiver: error: notice hook: the server answers 403\n") == 2
    assert server.url not in captured.err


def test_where_the_settings_cannot_be_read_nobody_is_told_and_no_other_error_comes(
    folder: Path, server: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "archiver.toml").write_text("not TOML")
    tell_error(Session({}, folder), ArchiverError("not TOML"))
    assert server.requests == []
    assert capsys.readouterr() == ("", "")


def test_who_names_nobody_pays_nothing(tmp_path: Path) -> None:
    session = Session({}, make_folder(tmp_path / "home"))
    assert (tell_begin(session), tell_end(session, failed())) == (0, 0)
    assert not session.settings.journal.exists()
