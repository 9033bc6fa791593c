"""Notices by e-mail: what arrives, and every way in which a mail server can fail."""

import base64
import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from archiver.errors import ConfigurationError
from archiver.notify import mail
from archiver.notify.base import Notice, NoticeError
from archiver.notify.bounded import within
from archiver.notify.mail import recipient_key
from archiver.notify.smtp import SmtpNotifier
from archiver.settings.notices import SmtpSettings
from tests.certificates import make_certificates
from tests.mail import PASSWORD, USER, MailServer, mail_server
from tests.receiver import silent, unused_port

NOTICE = Notice(
    "failed", "archiver on host: failed: collect", "What failed\n- X answers 401\n", 1_793_000_000_000
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.fixture
def server(certificates: Path) -> Iterator[MailServer]:
    with mail_server(certificates) as running:
        yield running


def notifier(certificates: Path, port: int, **more: object) -> SmtpNotifier:
    values: dict[str, object] = {
        "name": "mail", "host": "localhost", "port": port, "sender": "archive@example.org",
        "recipients": ("records@example.org", "duty@example.org"), "security": "tls",
        "ca_file": certificates / "ca.pem", "timeout_seconds": 5,
    }  # fmt: skip
    settings = SmtpSettings(**{**values, **more})  # type: ignore[arg-type]  # what each test changes
    return SmtpNotifier(
        settings,
        lambda reference: {"env:MAIL": PASSWORD, "env:OTHER": "wrong"}[reference],
        pause_seconds=0.05,
    )


def failure(one: SmtpNotifier, notice: Notice = NOTICE) -> str:
    """Why it was not sent; never the password, and always by which way."""
    with pytest.raises(NoticeError) as caught:
        one.send(notice)
    said = f"{caught.value.message} {caught.value.hint}"
    assert PASSWORD not in said
    assert "wrong" not in said
    assert caught.value.message.startswith("notice mail: ")
    return caught.value.message.removeprefix("notice mail: ")


def test_a_notice_arrives_over_tls_with_all_its_headers(certificates: Path, server: MailServer) -> None:
    notifier(certificates, server.port).send(NOTICE)
    (mail,) = server.messages
    assert mail.is_private
    assert (mail.sender, mail.recipients) == (USER, ["records@example.org", "duty@example.org"])
    assert mail.message["Subject"] == NOTICE.subject
    assert mail.message["To"] == "records@example.org, duty@example.org"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<archiver\.[0-9a-f]{32}@example\.org>", mail.message["Message-ID"])
    assert parsedate_to_datetime(mail.message["Date"]).timestamp() * 1000 == NOTICE.at_ms
    assert mail.text == NOTICE.text


def test_a_notice_arrives_over_starttls_after_signing_in(certificates: Path) -> None:
    with mail_server(certificates, "starttls", needs_password=True) as server:
        notifier(certificates, server.port, security="starttls", user=USER, password="env:MAIL").send(NOTICE)
    (mail,) = server.messages
    assert mail.is_private
    assert mail.user == USER


def test_a_notice_arrives_over_tls_after_signing_in(certificates: Path) -> None:
    with mail_server(certificates, needs_password=True) as server:
        notifier(certificates, server.port, user=USER, password="env:MAIL").send(NOTICE)
    assert [mail.user for mail in server.messages] == [USER]


def test_a_notice_arrives_without_tls_on_this_machine(certificates: Path) -> None:
    with mail_server(certificates, "none") as server:
        notifier(certificates, server.port, security="none", ca_file=None).send(NOTICE)
    assert [mail.is_private for mail in server.messages] == [False]


def test_the_same_notice_sent_twice_has_one_id_and_another_notice_another(
    certificates: Path, server: MailServer
) -> None:
    one = notifier(certificates, server.port)
    for notice in (NOTICE, NOTICE, Notice("failed", "other", "text\n", NOTICE.at_ms)):
        one.send(notice)
    ids = [mail.message["Message-ID"] for mail in server.messages]
    assert ids[0] == ids[1] != ids[2]


def test_no_subject_and_no_text_can_begin_a_header_or_end_the_message(
    certificates: Path, server: MailServer
) -> None:
    subject = "bad\r\nBcc: other@example.com\n\x00\x1b[2J\u2028 Zürich ✓ " + "x" * 400
    text = "first\r\n.\r\nMAIL FROM:<other@example.com>\n" + "y" * 2_000 + "\n.\n"
    notifier(certificates, server.port).send(Notice("failed", subject, text, NOTICE.at_ms))
    (mail,) = server.messages
    assert mail.recipients == ["records@example.org", "duty@example.org"]
    assert mail.message["Bcc"] is None
    assert str(mail.message["Subject"]).startswith("bad Bcc: other@example.com [2J Zürich ✓ xxx")
    assert len(str(mail.message["Subject"])) == 200
    assert mail.text == text.replace("\r\n", "\n")
    assert max(map(len, mail.data.split(b"\r\n"))) <= 998
    assert mail.data.isascii()


def test_only_what_it_is_for_is_sent_and_tests_are_always(certificates: Path, server: MailServer) -> None:
    one = notifier(certificates, server.port, on=("failed",))
    kinds = ("done", "incomplete", "failed", "stale", "reminder", "monthly", "test")
    for kind in kinds:
        one.send(Notice(kind, kind, "text", 0))
    one.send(Notice("done", "well again", "text", 0, recovered=True))
    assert [mail.message["Subject"] for mail in server.messages] == ["failed", "test", "well again"]


def test_a_mail_server_that_is_down_is_said(certificates: Path) -> None:
    port = unused_port()
    said = failure(notifier(certificates, port))
    assert re.fullmatch(rf"no connection to the mail server \S+:{port} \(ConnectionRefusedError\)", said)


def test_a_host_that_there_is_not_is_said(certificates: Path) -> None:
    said = failure(notifier(certificates, 25, host="mail.invalid"))
    assert said.startswith(("the mail server's name mail.invalid is", "no end of the mail server's answers"))


@pytest.mark.parametrize("drip", [b"", b"220-", b"220-so slow\r\n"], ids=["silent", "drips", "drips lines"])
@pytest.mark.parametrize("security", ["tls", "none"])
def test_a_mail_server_that_hangs_or_drips_takes_twice_the_time_and_no_more(
    certificates: Path, drip: bytes, security: str
) -> None:
    with silent(drip) as port:
        started = time.monotonic()
        said = failure(notifier(certificates, port, security=security, timeout_seconds=1))
        taken = time.monotonic() - started
    assert taken < 4
    if not drip or security == "none":
        assert said == "no end of the mail server's answers within 1 seconds"
        assert taken > 1.9


def test_a_server_that_is_waited_for_at_the_socket_first_is_said_alike(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both times are up at once, and a busy machine notices either first."""
    monkeypatch.setattr(mail, "within", lambda seconds, act: within(seconds + 9, act))
    with silent() as port:
        said = failure(notifier(certificates, port, security="none", timeout_seconds=1))
    assert said == "no end of the mail server's answers within 1 seconds"


def test_a_recipient_that_is_put_off_is_tried_once_more(certificates: Path, server: MailServer) -> None:
    server.refuse = lambda address: "450 4.2.0 greylisted" if server.asked <= 2 else None
    notifier(certificates, server.port).send(NOTICE)
    assert len(server.messages) == 1


def test_recipients_that_are_put_off_twice_are_said_without_their_addresses(
    certificates: Path, server: MailServer
) -> None:
    server.refuse = lambda address: "450 4.2.0 greylisted, come back later"
    with pytest.raises(NoticeError) as caught:
        notifier(certificates, server.port).send(NOTICE)
    assert caught.value.message == (
        "notice mail: the mail server refuses 2 of 2 recipients: 450 4.2.0 greylisted, come back later"
    )
    assert not caught.value.delivered
    assert server.asked == 4


def test_recipients_that_are_refused_for_good_are_not_tried_again(
    certificates: Path, server: MailServer
) -> None:
    server.refuse = lambda address: "550 5.7.1 relaying denied"
    assert failure(notifier(certificates, server.port)).endswith(
        "2 of 2 recipients: 550 5.7.1 relaying denied"
    )
    assert server.asked == 2


def test_one_recipient_that_is_refused_is_said_and_the_others_have_it_once(
    certificates: Path, server: MailServer
) -> None:
    server.refuse = lambda address: "450 mailbox busy" if address.startswith("duty") else None
    with pytest.raises(NoticeError) as caught:
        notifier(certificates, server.port).send(NOTICE)
    assert caught.value.delivered
    assert caught.value.again == (recipient_key("duty@example.org"),)
    assert caught.value.message == "notice mail: the mail server refuses 1 of 2 recipients: 450 mailbox busy"
    assert [mail.recipients for mail in server.messages] == [["records@example.org"]]


def test_a_wrong_password_is_said_and_nothing_is_sent(certificates: Path) -> None:
    with mail_server(certificates, needs_password=True) as server:
        said = failure(notifier(certificates, server.port, user=USER, password="env:OTHER"))
    assert said == "the mail server refuses user or password (535)"
    assert server.messages == []


def test_a_password_that_cannot_be_read_is_said(certificates: Path, server: MailServer) -> None:
    def resolve(reference: str) -> str:
        raise ConfigurationError("the environment has no variable MAIL", "set MAIL for this command")

    settings = notifier(certificates, server.port, user=USER, password="env:MAIL").settings
    with pytest.raises(NoticeError, match="notice mail: the environment has no variable MAIL"):
        SmtpNotifier(settings, resolve).send(NOTICE)
    assert server.messages == []


def test_a_password_of_other_letters_than_mail_servers_know_is_said(
    certificates: Path, server: MailServer
) -> None:
    settings = notifier(certificates, server.port, user=USER, password="env:MAIL").settings
    with pytest.raises(NoticeError, match="user or password hold letters"):
        SmtpNotifier(settings, lambda reference: "pässword").send(NOTICE)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_an_unknown_authority_is_refused(
    certificates: Path, tmp_path: Path, security: str
) -> None:
    make_certificates(tmp_path)
    more = {"security": security, "user": USER, "password": "env:MAIL"}
    with mail_server(certificates, security) as server:
        for ca_file in (None, tmp_path / "ca.pem"):
            said = failure(notifier(certificates, server.port, ca_file=ca_file, **more))
            assert said.startswith("the mail server's certificate is not right: ")
    assert server.messages == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_for_another_name_is_refused(certificates: Path, security: str) -> None:
    with mail_server(certificates, security, address="127.0.0.2") as server:
        said = failure(notifier(certificates, server.port, host="127.0.0.2", security=security))
    assert said.startswith("the mail server's certificate is not right: ")
    assert "127.0.0.2" in said


def test_a_mail_server_that_offers_no_starttls_gets_no_password(certificates: Path) -> None:
    with mail_server(certificates, "none", needs_password=True) as server:
        one = notifier(certificates, server.port, security="starttls", user=USER, password="env:MAIL")
        assert failure(one) == "the mail server offers no STARTTLS"
    assert server.messages == []


def test_tls_where_the_mail_server_speaks_none_is_said(certificates: Path) -> None:
    with mail_server(certificates, "none") as server:
        assert failure(notifier(certificates, server.port)) == "no TLS with the mail server"


def test_neither_notifier_nor_settings_show_a_secret(certificates: Path) -> None:
    one = notifier(certificates, 465, user=USER, password="env:MAIL")
    assert PASSWORD not in repr(one) + repr(one.settings)


def test_addresses_that_a_mail_server_repeats_are_left_out(certificates: Path, server: MailServer) -> None:
    server.refuse = lambda address: f"550 5.1.1 <{address}>: {address} is unknown"
    said = failure(notifier(certificates, server.port))
    assert said == "the mail server refuses 2 of 2 recipients: 550 5.1.1 <…>: … is unknown"


def test_a_password_that_a_mail_server_repeats_is_left_out(certificates: Path) -> None:
    told = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    with mail_server(certificates, needs_password=True) as server:
        server.refuse = lambda address: f"550 not with {PASSWORD} or {told}"
        said = failure(notifier(certificates, server.port, user=USER, password="env:MAIL"))
    assert said == "the mail server refuses 2 of 2 recipients: 550 not with … or …"


def test_a_file_that_holds_no_certificates_is_said(certificates: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none\n")
    said = failure(notifier(certificates, 465, ca_file=tmp_path / "ca.pem"))
    assert said == f"{tmp_path}/ca.pem cannot be used as ca_file"
