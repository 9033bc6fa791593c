"""A real mail server on loopback, aiosmtpd, in a thread of its own.

    with mail_server(certificates, security="starttls") as server:
        server.port, server.messages

It takes whatever comes, unless `refuse` says otherwise."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER = "archive@example.org"
PASSWORD = "correct horse battery staple"


@dataclass
class Mail:
    """What came in: who signed in, from whom, to whom, the message's bytes, whether over TLS."""

    user: str | None
    sender: str
    recipients: list[str]
    data: bytes
    is_private: bool

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.data, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def text(self) -> str:
        return str(self.message.get_content()).replace("\r\n", "\n")


@dataclass
class MailServer:
    """A running one. `refuse` is asked at each recipient for what to answer instead of yes."""

    port: int = 0
    messages: list[Mail] = field(default_factory=list)
    refuse: Callable[[str], str | None] = lambda recipient: None
    asked: int = 0

    async def handle_RCPT(  # noqa: N802  # aiosmtpd finds it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked += 1
        answer = self.refuse(address)
        if answer is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        login = session.auth_data
        user = login.login.decode() if isinstance(login, LoginPassword) else None
        private = session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None
        self.messages.append(
            Mail(user, str(envelope.mail_from), list(envelope.rcpt_tos), envelope.content, private)
        )
        return "250 taken"


def _authenticate(server: SMTP, session: Session, envelope: Envelope, kind: str, data: object) -> AuthResult:
    right = data == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False, auth_data=data if right else None)


@contextmanager
def mail_server(
    certificates: Path, security: str = "tls", *, needs_password: bool = False, address: str = "127.0.0.1"
) -> Iterator[MailServer]:
    """`certificates`: a folder of `tests.certificates.make_certificates`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    mail = MailServer()
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        return SMTP(
            mail,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=_authenticate,
            auth_required=needs_password,
            auth_require_tls=security == "starttls",
            hostname="mail.example.org",
            loop=loop,
        )

    opening = loop.create_server(protocol, address, 0, ssl=context if security == "tls" else None)
    server = loop.run_until_complete(opening)
    mail.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield mail
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
