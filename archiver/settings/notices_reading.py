"""`[[notice]]` of `archiver.toml`, read into the dataclasses of `archiver.settings.notices`.

No address is ever repeated in a problem: whoever knows that of a webhook or a ping can use it.
"""

import re
from pathlib import Path
from typing import Final, Literal, cast, get_args

from archiver.errors import ConfigurationError
from archiver.secrets import SCHEMES
from archiver.settings.notices import (
    CHOSEN_KINDS,
    FAILURES,
    HOST,
    PORTS,
    SECURITIES,
    STANDARD_KINDS,
    AppriseSettings,
    Failure,
    NoticeKind,
    NoticeSettings,
    PingSettings,
    Security,
    SmtpSettings,
    TextfileSettings,
    WebhookSettings,
    is_address,
    is_loopback,
)
from archiver.settings.table import Table, absolute_reference

WayKind = Literal["smtp", "webhook", "ping", "textfile", "apprise"]
KINDS: Final[tuple[WayKind, ...]] = get_args(WayKind)
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
MAILBOX: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}): *([^ ].*)")
_OURS: Final = frozenset(
    ("content-type", "content-length", "host", "transfer-encoding", "connection", "x-archiver-signature")
)
_MOST_HEADERS: Final = 20
_URL_HINT: Final = (
    "as https://example.org/path, without user and fragment, http only on this machine; or where it is kept:"
    " file:PATH, env:NAME, command:PROGRAM ARGUMENTS, credential:NAME"
)
_OF: Final[dict[WayKind, tuple[str, ...]]] = {
    "smtp": (
        "on", "host", "port", "security", "user", "password", "sender", "recipients", "ca_file",
        "timeout_seconds",
    ),
    "webhook": ("on", "url", "headers", "signing_secret", "ca_file", "timeout_seconds"),
    "ping": ("url", "failure", "ca_file", "timeout_seconds"),
    "textfile": ("path",),
    "apprise": ("on", "urls", "timeout_seconds"),
}  # fmt: skip
"""Which settings each kind has beside `name` and `kind`."""
_EVERY: Final = tuple(dict.fromkeys(key for keys in _OF.values() for key in keys))


def read_notices(top: Table, home: Path) -> tuple[NoticeSettings, ...]:
    """Every way in order; nobody is told anything without such a table."""
    notices: list[NoticeSettings] = []
    for table in top.tables("notice"):
        one = _read_notice(table, home)
        if one is None:
            continue
        if one.name and any(known.name == one.name for known in notices):
            table.problem("name", f"a notice {one.name} is given twice", "give each a name of its own")
        notices.append(one)
    return tuple(notices)


def _read_notice(table: Table, home: Path) -> NoticeSettings | None:
    """None where the kind is not known: then nothing else can be said of it."""
    name = table.text("name", pattern=NAME, hint="up to 64 of A-Z a-z 0-9 . _ @ -")
    kind = table.choice("kind", None, KINDS)
    if kind not in KINDS:
        for key in _EVERY:  # right in one kind or another: not unknown
            table.has(key)
        return None
    for key in _EVERY:
        if key not in _OF[kind] and table.has(key):
            table.problem(key, f"a notice of the kind {kind} has no such setting", "remove it, or set kind")
    if kind == "smtp":
        return _read_smtp(table, home, name)
    if kind == "webhook":
        return _read_webhook(table, home, name)
    if kind == "ping":
        return _read_ping(table, home, name)
    if kind == "textfile":
        return TextfileSettings(name, _read_path(table, home))
    return _read_apprise(table, home, name)


def _read_on(table: Table) -> tuple[NoticeKind, ...]:
    hint = f"out of: {', '.join(CHOSEN_KINDS)}"
    texts = table.texts("on", STANDARD_KINDS, hint=hint)
    for text in texts:
        if text and text not in CHOSEN_KINDS:
            table.problem("on", f"{text!r} is not known", hint)
    return tuple(one for one in CHOSEN_KINDS if one in texts)


def _read_smtp(table: Table, home: Path, name: str) -> SmtpSettings:
    security = cast(Security, table.choice("security", "tls", SECURITIES))
    host = table.text("host", pattern=HOST, hint="a mail server's name or address, as mail.example.org")
    if security == "none" and host and not is_loopback(host):
        table.problem(
            "security", "without TLS only a mail server on this machine is used", '"tls" or "starttls"'
        )
    hint = "an address alone, as archive@example.org"
    user = table.optional_text("user", pattern=re.compile(r"[^\x00-\x1f\x7f]{1,256}"))
    password = table.secret_reference("password", home)
    if table.has("user") != table.has("password"):
        missing = "password" if table.has("user") else "user"
        table.problem(missing, "this is missing", "user and password come together")
    return SmtpSettings(
        name=name,
        host=host,
        port=table.integer("port", PORTS.get(security, 465), 1, 65_535),
        sender=table.text("sender", pattern=MAILBOX, hint=hint),
        recipients=_read_recipients(table, hint),
        security=security,
        user=user,
        password=password,
        on=_read_on(table),
        ca_file=_read_ca_file(table, home),
        timeout_seconds=table.integer("timeout_seconds", 30, 1, 300),
    )


def _read_recipients(table: Table, hint: str) -> tuple[str, ...]:
    recipients = table.texts("recipients", (), pattern=MAILBOX, hint=hint)
    if not table.has("recipients"):
        table.problem("recipients", "this is missing", f"a list of addresses, each {hint}")
    return recipients


def _read_webhook(table: Table, home: Path, name: str) -> WebhookSettings:
    return WebhookSettings(
        name=name,
        url=_read_url(table, home),
        headers=_read_headers(table, home),
        signing_secret=table.secret_reference("signing_secret", home),
        on=_read_on(table),
        ca_file=_read_ca_file(table, home),
        timeout_seconds=table.integer("timeout_seconds", 15, 1, 120),
    )


def _read_ping(table: Table, home: Path, name: str) -> PingSettings:
    return PingSettings(
        name=name,
        url=_read_url(table, home),
        failure=cast(Failure, table.choice("failure", "code", FAILURES)),
        ca_file=_read_ca_file(table, home),
        timeout_seconds=table.integer("timeout_seconds", 10, 1, 60),
    )


def _read_apprise(table: Table, home: Path, name: str) -> AppriseSettings:
    urls = table.secret_references("urls", home)
    if not urls and not table.has("urls"):
        table.problem("urls", "this is missing", "a list of where Apprise's addresses are kept")
    return AppriseSettings(
        name=name,
        urls=urls,
        on=_read_on(table),
        timeout_seconds=table.integer("timeout_seconds", 30, 1, 300),
    )


def _read_path(table: Table, home: Path) -> Path:
    path = table.path("path", None, home)
    if table.has("path") and path != home and path.suffix != ".prom":
        table.problem("path", "the name must end in .prom", "the node exporter reads no other file")
    return path


def _read_url(table: Table, home: Path) -> str:
    """An address, or a reference to one."""
    text = table.text("url", hint=_URL_HINT)
    if not text or is_address(text):
        return text
    if text.partition(":")[0] in SCHEMES:
        return table.secret_reference("url", home) or ""
    table.problem("url", "this is not an address that notices can go to", _URL_HINT)
    return ""


def _read_headers(table: Table, home: Path) -> tuple[tuple[str, str], ...]:
    """What stands in the list is not repeated in a problem: a value may be the secret itself."""
    hint = 'the name, a colon, and where the value is kept: "Authorization: file:collector/webhook-token"'
    headers: dict[str, str] = {}
    for text in table.private_texts("headers", hint):
        match = _HEADER.fullmatch(text)
        if match is None:
            table.problem("headers", "one of these is no header", hint)
            continue
        name = match[1]
        try:
            reference = absolute_reference(match[2], home)
        except ConfigurationError as error:
            table.problem("headers", f"{name}: {error.message}", error.hint)
            continue
        if name.lower() in _OURS or name.lower() in map(str.lower, headers):
            table.problem("headers", f"{name} is set by this program, or given twice", "remove it")
        headers[name] = reference
    if len(headers) > _MOST_HEADERS:
        table.problem("headers", f"{len(headers)} headers", f"at most {_MOST_HEADERS}")
    return tuple(headers.items())


def _read_ca_file(table: Table, home: Path) -> Path | None:
    return table.path("ca_file", None, home, must_exist=True) if table.has("ca_file") else None
