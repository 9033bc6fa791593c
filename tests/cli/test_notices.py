"""`archiver notices`: a test by each way, and the monthly notice as it would be sent."""

import json
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.certificates import make_certificates
from tests.cli.runner import Runner
from tests.faults.folders import make_folder
from tests.homes import Home, make_home
from tests.mail import PASSWORD, USER, mail_server
from tests.receiver import Answer, Receiver, receiver


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "home")


def add(folder: Path, text: str) -> None:
    with (folder / "archiver.toml").open("a") as file:
        file.write(text)


def hook(server: Receiver, name: str = "hook") -> str:
    return f'[[notice]]\nname = "{name}"\nkind = "webhook"\non = ["failed"]\nurl = "{server.url}/{name}"\n'


def test_a_test_goes_out_by_every_way_whatever_it_is_for(
    run: Runner, folder: Path, server: Receiver, tmp_path: Path
) -> None:
    make_certificates(tmp_path)
    (folder / "mail-password").write_text(PASSWORD)
    (folder / "mail-password").chmod(0o600)
    (folder / "chat-url").write_text(f"json://{server.url.removeprefix('http://')}/chat")
    (folder / "chat-url").chmod(0o600)
    with mail_server(tmp_path, "starttls", needs_password=True) as mail:
        add(
            folder,
            f'{hook(server)}[[notice]]\nname = "mail"\nkind = "smtp"\nhost = "localhost"\n'
            f"port = {mail.port}\n"
            f'security = "starttls"\nuser = "{USER}"\npassword = "file:mail-password"\n'
            f'sender = "{USER}"\nrecipients = ["records@example.org"]\nca_file = "{tmp_path}/ca.pem"\n'
            f'[[notice]]\nname = "watch"\nkind = "ping"\nurl = "{server.url}/ping"\n'
            f'[[notice]]\nname = "metrics"\nkind = "textfile"\npath = "archiver.prom"\n'
            f'[[notice]]\nname = "chat"\nkind = "apprise"\nurls = ["file:chat-url"]\n',
        )
        result = run("--config", folder, "notices", "test")
    assert (result.code, result.errors) == (0, "")
    assert result.output.splitlines() == [
        "hook (webhook): taken", "mail (smtp): taken", "watch (ping): taken", "metrics (textfile): taken",
        "chat (apprise): taken",
    ]  # fmt: skip
    assert server.paths == ["/hook", "/ping/log", "/chat"]
    (arrived,) = mail.messages
    message = message_from_bytes(arrived.data)
    assert str(message["Subject"]).endswith(": a test of notices")
    assert "notices reach you by this way" in arrived.text.replace("\n", " ")
    assert not (folder / "archiver.prom").exists()


def test_only_those_named_are_tried_and_one_that_fails_is_said(
    run: Runner, folder: Path, server: Receiver
) -> None:
    add(folder, hook(server, "one") + hook(server, "two") + hook(server, "three"))
    server.answer = lambda path: Answer(404 if path == "/two" else 200)
    result = run("--config", folder, "notices", "test", "two", "three", "three")
    assert result.code == 1
    assert result.output == "three (webhook): taken\n"
    assert result.errors.splitlines() == [
        "archiver: error: notice two: the server answers 404",
        "archiver: hint: the address is unknown there, or was deleted",
    ]
    assert server.paths == ["/two", "/three"]


def test_json_says_of_each_way_whether_it_was_taken(run: Runner, folder: Path, server: Receiver) -> None:
    add(folder, hook(server, "one") + hook(server, "two"))
    server.answer = lambda path: Answer(404 if path == "/two" else 200)
    result = run("--json", "--config", folder, "notices", "test")
    assert result.code == 1
    one, two = result.json_lines()
    assert one == {
        "type": "notice",
        "name": "one",
        "kind": "webhook",
        "sent": True,
        "error": None,
        "hint": None,
    }
    assert (two["sent"], two["error"]) == (False, "notice two: the server answers 404")


def test_where_nobody_is_told_anything_that_is_said(run: Runner, folder: Path) -> None:
    said = run.fails(2, "--config", folder, "notices", "test")
    assert "names nobody who is told anything" in said
    assert "docs/unattended.md" in said


def test_a_name_that_there_is_not_is_said_with_those_that_there_are(
    run: Runner, folder: Path, server: Receiver
) -> None:
    add(folder, hook(server, "one") + hook(server, "two"))
    said = run.fails(2, "--config", folder, "notices", "test", "thre")
    assert "there is no notice thre in " in said
    assert "one of: one, two" in said
    assert server.requests == []


def test_the_monthly_notice_is_shown_and_nothing_is_sent_or_noted(run: Runner, home: Home) -> None:
    before = sorted(str(one) for one in home.folder.rglob("*"))
    result = run("--config", home.folder, "notices", "show", "monthly")
    assert (result.code, result.errors) == (0, "")
    assert result.output.startswith("Subject: archiver on ")
    assert "Account @SpringfieldPolice (451207733)\n" in result.output
    assert f"\n{home.archives[0].head.sequence}:{home.archives[0].head.sha256}\n" in result.output
    assert max(map(len, result.output.splitlines()[2:])) <= 78
    assert sorted(str(one) for one in home.folder.rglob("*")) == before


def test_the_head_that_it_shows_is_what_verify_takes(run: Runner, home: Home) -> None:
    (shown,) = run("--config", home.folder, "--json", "notices", "show", "monthly").json_lines()
    facts = shown["facts"]
    assert isinstance(facts, dict)
    assert run("--config", home.folder, "verify", "--head", str(facts["head"])).code == 0
    other = str(facts["head"])[:-1] + ("0" if str(facts["head"])[-1] != "0" else "1")
    assert run("--config", home.folder, "verify", "--head", other).code == 20
    assert json.dumps(shown["facts"])


def test_other_notices_are_shown_too(run: Runner, home: Home) -> None:
    assert "a test of notices" in run("--config", home.folder, "notices", "show", "test").output
    assert run("--config", home.folder, "notices", "show", "stale").code == 0
    assert "monthly, stale, test" in run.fails(
        2, "--config", home.folder, "notices", "show", "failed"
    ).replace("'", "")
