"""A mail: how it is written, how it is handed to a mail server, and why one does not take it (RFC 5321, RFC
5322, RFC 3207, RFC 8314)."""

import base64
import hashlib
import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime
from typing import Final

from archiver.notify.base import Notice, NoticeError, PassingError, one_line
from archiver.notify.bounded import within
from archiver.settings.notices import SmtpSettings
from archiver.times import as_datetime

_GOODBYE_SECONDS: Final = 2.0
_CA_HINT: Final = "for a certificate of your own authority: ca_file; host must be the name it is for"
_SECURITY_HINT: Final = 'security = "tls" is for port 465 mostly, "starttls" for 587'
_HOST_HINT: Final = "check host, port and security of this notice; a firewall may be in between"
_MAILBOX: Final = re.compile(r"[^\s<>]+@[^\s<>]+")
Refused = dict[str, tuple[int, bytes]]
Reason = tuple[type[NoticeError], str, str | None]


@dataclass
class _Attempt:
    """`taken`: the mail server took the message, whatever comes after."""

    taken: bool = False
    refused: Refused = field(default_factory=dict)


def send_mail(
    settings: SmtpSettings, recipients: Sequence[str], message: EmailMessage, password: str | None
) -> None:
    """Hand it to the mail server, once, for these of the settings' recipients. Raise NoticeError, whatever
    that one does, within the settings' time: PassingError where a second try may help."""
    said = f"notice {settings.name}: "
    context = _context(settings)
    attempt = _Attempt()
    try:
        within(
            settings.timeout_seconds, lambda: _talk(settings, recipients, context, message, password, attempt)
        )
    except Exception as error:  # noqa: BLE001  # a server may answer anything, and smtplib raise anything
        if isinstance(error, smtplib.SMTPRecipientsRefused) and len(recipients) < len(settings.recipients):
            attempt.refused = error.recipients  # the others have it
        elif not attempt.taken:
            kind, what, hint = _reason(error, settings)
            raise kind(said + _hidden(what, settings, password), hint) from None
    if attempt.refused:
        what = _hidden(_counted(attempt.refused, settings), settings, password)
        put_off = (one for one, (code, _) in attempt.refused.items() if _kind(code) is PassingError)
        raise NoticeError(said + what, delivered=True, again=tuple(map(recipient_key, put_off)))


def recipient_key(address: str) -> str:
    """What is noted of a recipient instead of the address."""
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()[:32]


def _context(settings: SmtpSettings) -> ssl.SSLContext:
    """What certificates are judged by. Raise NoticeError where the settings' file holds none."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise NoticeError(
            f"notice {settings.name}: {settings.ca_file} cannot be used as ca_file",
            "a file of certificates in PEM: -----BEGIN CERTIFICATE----- …",
        ) from error


def _talk(
    settings: SmtpSettings,
    recipients: Sequence[str],
    context: ssl.SSLContext,
    message: EmailMessage,
    password: str | None,
    attempt: _Attempt,
) -> None:
    """One connection, from the greeting to the goodbye, which may fail."""
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
        attempt.refused = server.send_message(message, settings.sender, list(recipients))
        attempt.taken = True
        with suppress(OSError):
            if server.sock is not None:
                server.sock.settimeout(_GOODBYE_SECONDS)
            server.quit()
    finally:
        server.close()


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
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):  # as smtplib says it
        said = f"no end of the mail server's answers within {settings.timeout_seconds} seconds"
        return PassingError, said, None
    where = f"{settings.host}:{settings.port}"
    if isinstance(error, socket.gaierror):
        return (
            PassingError,
            f"the mail server's name {settings.host} is not known to this machine",
            _HOST_HINT,
        )
    return PassingError, f"no connection to the mail server {where} ({type(error).__name__})", _HOST_HINT


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
    """What the server says, without the addresses that it may repeat."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {one_line(_MAILBOX.sub('…', text))}".rstrip()


def _hidden(text: str, settings: SmtpSettings, password: str | None) -> str:
    """A text in which the password is not: a server may say at any time what it was told before, also as it
    was told (RFC 4616; LOGIN)."""
    if not password:
        return text
    plain = f"\0{settings.user}\0{password}"
    told = (base64.b64encode(one.encode("utf-8", "replace")).decode() for one in (plain, password))
    for secret in (*told, password):
        text = text.replace(secret, "…")
    return text


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
