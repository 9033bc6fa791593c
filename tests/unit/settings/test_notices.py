"""`[[notice]]`: what is read, and every problem with its place and without an address."""

from pathlib import Path

import pytest

from archiver.settings import SettingsError, parse_settings
from archiver.settings.notices import (
    STANDARD_KINDS,
    AppriseSettings,
    NoticeSettings,
    PingSettings,
    SmtpSettings,
    TextfileSettings,
    WebhookSettings,
    is_address,
)

SMTP = """
[[notice]]
name = "mail"
kind = "smtp"
host = "mail.example.org"
sender = "archive@example.org"
recipients = ["records@example.org"]
"""
WEBHOOK = '\n[[notice]]\nname = "hook"\nkind = "webhook"\nurl = "https://example.org/very-private"\n'
PING = '\n[[notice]]\nname = "watch"\nkind = "ping"\nurl = "https://example.org/very-private"\n'


def read(text: str, folder: Path) -> tuple[NoticeSettings, ...]:
    for name in ("keys/recipients.txt", "collector/signing_key", "collector/spool.identity"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return parse_settings(text.encode(), folder / "archiver.toml").notices


def problems(text: str, folder: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(text, folder)
    found = [str(problem) for problem in caught.value.problems]
    assert "very-private" not in "".join(found)
    return found


def test_without_a_table_nobody_is_told(tmp_path: Path) -> None:
    assert read("", tmp_path) == ()


def test_what_is_not_said_is_the_default(tmp_path: Path) -> None:
    mail, hook, ping = read(SMTP + WEBHOOK + PING, tmp_path)
    assert mail == SmtpSettings(
        "mail", "mail.example.org", 465, "archive@example.org", ("records@example.org",)
    )
    assert hook == WebhookSettings("hook", "https://example.org/very-private")
    assert ping == PingSettings("watch", "https://example.org/very-private")
    assert "done" not in STANDARD_KINDS
    assert "very-private" not in f"{hook}{ping}"


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    text = f"""{SMTP}
security = "starttls"
user = "archive"
password = "file:collector/password"
on = ["failed", "done"]
ca_file = "ca.pem"
timeout_seconds = 7
[[notice]]
name = "hook"
kind = "webhook"
url = "file:collector/url"
headers = ["Authorization: env:TOKEN", "X-Key:file:collector/key"]
signing_secret = "credential:secret"
[[notice]]
name = "watch"
kind = "ping"
url = "env:PING"
failure = "fail"
[[notice]]
name = "metrics"
kind = "textfile"
path = "archiver.prom"
[[notice]]
name = "chat"
kind = "apprise"
urls = ["file:collector/chat", "env:CHAT"]
"""
    mail, hook, ping, metrics, chat = read(text, tmp_path)
    assert isinstance(mail, SmtpSettings)
    assert (mail.port, mail.security, mail.user) == (587, "starttls", "archive")
    assert (mail.password, mail.ca_file) == (f"file:{tmp_path}/collector/password", tmp_path / "ca.pem")
    assert (mail.on, mail.timeout_seconds) == (("done", "failed"), 7)
    headers = (("Authorization", "env:TOKEN"), ("X-Key", f"file:{tmp_path}/collector/key"))
    url = f"file:{tmp_path}/collector/url"
    assert hook == WebhookSettings("hook", url, headers, "credential:secret")
    assert ping == PingSettings("watch", "env:PING", "fail")
    assert metrics == TextfileSettings("metrics", tmp_path / "archiver.prom")
    assert chat == AppriseSettings("chat", (f"file:{tmp_path}/collector/chat", "env:CHAT"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('on = ["fail"]', "notice[1].on: 'fail' is not known (out of: done, incomplete, failed"),
        ('on = ["test"]', "notice[1].on: 'test' is not known"),
        ("on = []", "notice[1].on: this names nothing"),
        ('security = "none"', "notice[1].security: without TLS only a mail server on this machine"),
        ('security = "ssl"', "notice[1].security: 'ssl' is not known"),
        ("port = 0", "notice[1].port: 0 is outside 1 to 65535"),
        ("timeout_seconds = 0", "notice[1].timeout_seconds: 0 is outside 1 to 300"),
        ('user = "archive"', "notice[1].password: this is missing (user and password come together)"),
        ('password = "env:A"', "notice[1].user: this is missing"),
        ('user = "a"\npassword = "very-private"', "notice[1].password: this is not a reference to a secret"),
        ('url = "https://very-private"', "notice[1].url: a notice of the kind smtp has no such setting"),
        ('ca_file = "none.pem"', "notice[1].ca_file: there is no file"),
        ('recipient = "x"', "notice[1].recipient: this is not a setting (did you mean recipients?)"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_mail_server_is_said(line: str, said: str, tmp_path: Path) -> None:
    (found,) = problems(f"{SMTP}{line}\n", tmp_path)
    assert found.startswith(said)


@pytest.mark.parametrize(
    "address",
    [
        "records", "a b@example.org", "Records <r@example.org>", "a@example.org\\nBcc: b@x.org", "a@b@c",
        "ä@x.org",
    ],
)  # fmt: skip
def test_an_address_is_one_mailbox_and_nothing_else(address: str, tmp_path: Path) -> None:
    for line in (f'sender = "{address}"', f'recipients = ["{address}"]'):
        key = line.partition(" ")[0]
        text = "".join(one + "\n" for one in SMTP.splitlines() if not one.startswith(f"{key} ")) + line
        assert problems(text, tmp_path)[0].startswith(f"notice[1].{key}: ")


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/very-private", "https://user:very-private@example.org/", "ftp://very-private/",
        "https://example.org/#very-private", "very-private", "https:///very-private", "https://x:0/very-private",
        "https://example.org/very-private\\n", "https://example.org:99999/very-private", "https://[very-private",
    ],
)  # fmt: skip
@pytest.mark.parametrize("table", [WEBHOOK, PING])
def test_an_address_is_https_and_is_never_repeated(table: str, address: str, tmp_path: Path) -> None:
    text = table.replace("https://example.org/very-private", address)
    (found,) = problems(text, tmp_path)
    assert found.startswith("notice[1].url: this is not an address that notices can go to")


def test_http_is_taken_on_this_machine_alone() -> None:
    assert all(map(is_address, ("http://127.0.0.1:8000/a", "http://localhost/a", "http://[::1]:8000/a")))
    assert not any(map(is_address, ("http://10.0.0.1/a", "http://localhost.example.org/a")))


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ('["very-private"]', "one of these is no header"),
        ('["Authorization: very-private"]', "Authorization: this is not a reference to a secret"),
        ('["Bad Name: env:A"]', "one of these is no header"),
        ('["content-type: env:A"]', "content-type is set by this program, or given twice"),
        ('["X-A: env:A", "x-a: env:B"]', "x-a is set by this program, or given twice"),
        ('"X-A: env:A"', "this must be a list of texts in quotes"),
        ("[1]", "this must be a list of texts in quotes"),
        ("[]", "this must be a list of texts in quotes"),
    ],
)
def test_what_is_wrong_with_headers_is_said_without_their_values(
    headers: str, said: str, tmp_path: Path
) -> None:
    (found,) = problems(f"{WEBHOOK}headers = {headers}\n", tmp_path)
    assert found.startswith(f"notice[1].headers: {said}")


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        ('["json://very-private"]', "this is not a reference to a secret"),
        ('["env:A", "env:A"]', "one of these is given twice"),
        ('"env:A"', "this must be a list of texts in quotes"),
    ],
)
def test_what_is_wrong_with_the_addresses_for_apprise_is_said(urls: str, said: str, tmp_path: Path) -> None:
    text = f'[[notice]]\nname = "chat"\nkind = "apprise"\nurls = {urls}\n'
    (found,) = problems(text, tmp_path)
    assert found.startswith(f"notice[1].urls: {said}")


def test_what_is_missing_is_said_for_every_kind(tmp_path: Path) -> None:
    for kind, missing in (
        ("smtp", ["host", "sender", "recipients"]), ("webhook", ["url"]), ("ping", ["url"]),
        ("textfile", ["path"]), ("apprise", ["urls"]),
    ):  # fmt: skip
        found = problems(f'[[notice]]\nname = "one"\nkind = "{kind}"\n', tmp_path)
        assert [each.partition(": this is missing")[0] for each in found] == [
            f"notice[1].{key}" for key in missing
        ]


def test_a_kind_that_is_not_known_is_the_one_thing_said(tmp_path: Path) -> None:
    (found,) = problems(SMTP.replace('"smtp"', '"mail"'), tmp_path)
    assert found == "notice[1].kind: 'mail' is not known (one of: smtp, webhook, ping, textfile, apprise)"


def test_each_has_a_name_of_its_own(tmp_path: Path) -> None:
    (found,) = problems(SMTP + SMTP, tmp_path)
    assert found.startswith("notice[2].name: a notice mail is given twice")


def test_the_exporter_reads_only_names_that_end_in_prom(tmp_path: Path) -> None:
    text = '[[notice]]\nname = "metrics"\nkind = "textfile"\npath = "archiver.txt"\n'
    (found,) = problems(text, tmp_path)
    assert found.startswith("notice[1].path: the name must end in .prom")
