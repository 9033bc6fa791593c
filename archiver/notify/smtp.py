"""A notice as e-mail, by a mail server that takes it over TLS (RFC 5321, RFC 5322, RFC 3207, RFC 8314)."""

import hashlib
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime
from typing import Final

from archiver.notify.base import Notice, NoticeError, PassingError, Resolve, find_secret, is_wanted, one_line
from archiver.notify.bounded import PAUSE_SECONDS, tried_twice, within
from archiver.settings_notices import SmtpSettings
from archiver.times import as_datetime

_GOODBYE_SECONDS: Final = 2.0
Refused = dict[str, tuple[int, bytes]]


@dataclass
class _Attempt:
    """`taken`: the mail server took the message, whatever comes after."""

    taken: bool = False
    refused: Refused = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class SmtpNotifier:
    """`resolve`: reads secrets, when they are needed."""

    settings: SmtpSettings
    resolve: Resolve
    every_run: bool = False
    pause_seconds: float = PAUSE_SECONDS

    @property
    def name(self) -> str:
        return self.settings.name

    def wants(self, notice: Notice) -> bool:
        return is_wanted(self.settings.on, notice)

    def begin(self, at_ms: int) -> None:
        """Nobody is told that a run begins."""

    def send(self, notice: Notice) -> None:
        """Send it to every recipient. Raise NoticeError, whatever the server does, within two times the
        settings' time and a moment."""
        if not self.wants(notice):
            return
        reference = self.settings.password
        password = None if reference is None else find_secret(self.name, reference, self.resolve)
        message = make_message(self.settings, notice)
        tried_twice(lambda: self._send(message, password), self.pause_seconds)

    def _send(self, message: EmailMessage, password: str | None) -> None:
        attempt = _Attempt()
        try:
            within(self.settings.timeout_seconds, lambda: _talk(self.settings, message, password, attempt))
        except Exception as error:  # noqa: BLE001  # a server may answer anything, and smtplib raise anything
            if not attempt.taken:
                raise self._translated(error) from None
        if attempt.refused:
            raise NoticeError(
                f"notice {self.name}: {_counted(attempt.refused, self.settings)}", delivered=True
            )

    def _translated(self, error: Exception) -> NoticeError:
        kind, what, hint = _reason(error, self.settings)
        return kind(f"notice {self.name}: {what}", hint)


_CA_HINT: Final = "for a certificate of your own authority: ca_file; host must be the name it is for"
_SECURITY_HINT: Final = 'security = "tls" is for port 465 mostly, "starttls" for 587'
Reason = tuple[type[NoticeError], str, str | None]


def _reason(error: Exception, settings: SmtpSettings) -> Reason:
    """Why nothing was sent. Of what a server says to a password nothing is repeated."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return _kind(min(codes, default=0)), _counted(error.recipients, settings), None
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = f"the mail server refuses user or password ({error.smtp_code})"
        return _kind(error.smtp_code), said, None
    if isinstance(error, smtplib.SMTPResponseException):
        said = f"the mail server says {_reply(error.smtp_code, error.smtp_error)}"
        return _kind(error.smtp_code), said, None
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NoticeError, f"the mail server offers no {_missing(error)}", _SECURITY_HINT
    if isinstance(error, UnicodeError):
        return NoticeError, "user or password hold letters that cannot be sent to it", "A-Z, digits, signs"
    return _broken(error, settings)


def _broken(error: Exception, settings: SmtpSettings) -> Reason:
    """Why there is no connection, or none any more."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = one_line(error.verify_message)
        return NoticeError, f"the mail server's certificate is not right: {reason}", _CA_HINT
    if isinstance(error, ssl.SSLError):
        return NoticeError, "no TLS with the mail server", _SECURITY_HINT
    if isinstance(error, TimeoutError):
        said = f"no end of the mail server's answers within {settings.timeout_seconds} seconds"
        return PassingError, said, None
    return PassingError, f"no connection to the mail server ({type(error).__name__})", None


def _kind(code: int) -> type[NoticeError]:
    """Whether a second try may help (RFC 5321, 4.2.1): 5yz is for good."""
    return NoticeError if code >= 500 else PassingError


def _missing(error: Exception) -> str:
    return "STARTTLS" if "STARTTLS" in str(error) else "way to sign in that is known here"


def _counted(refused: Refused, settings: SmtpSettings) -> str:
    """No recipient's address: this is printed and noted."""
    code, said = next(iter(refused.values()))
    total = len(settings.recipients)
    return f"the mail server refuses {len(refused)} of {total} recipients: {_reply(code, said)}"


def _reply(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {one_line(text)}".rstrip()


def _talk(settings: SmtpSettings, message: EmailMessage, password: str | None, attempt: _Attempt) -> None:
    context = ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=settings.timeout_seconds, context=context
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)
    try:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.user is not None and password is not None:
            server.login(settings.user, password)
        attempt.refused = server.send_message(message, settings.sender, list(settings.recipients))
        attempt.taken = True
        with suppress(OSError):
            if server.sock is not None:
                server.sock.settimeout(_GOODBYE_SECONDS)
            server.quit()
    finally:
        server.close()


def make_message(settings: SmtpSettings, notice: Notice) -> EmailMessage:
    """The mail. Its id is made of what it says, so that one which is sent twice is known to be the same; no
    line end of a subject begins a header; it says that a machine wrote it (RFC 3834, 5)."""
    message = EmailMessage(policy=MAIL_POLICY)
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Subject"] = one_line(notice.subject)
    message["Date"] = format_datetime(as_datetime(notice.at_ms))
    message["Message-ID"] = _message_id(settings, notice)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Archiver-Notice"] = notice.kind
    text = notice.text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    message.set_content(text if text.endswith("\n") else text + "\n")
    return message


def _message_id(settings: SmtpSettings, notice: Notice) -> str:
    said = "\0".join((settings.name, notice.kind, str(notice.at_ms), notice.subject, notice.text))
    digest = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]
    return f"<archiver.{digest}@{settings.sender.rpartition('@')[2]}>"
