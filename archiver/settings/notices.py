"""What the settings say of notices: who is told what, by which way."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

NoticeKind = Literal["done", "incomplete", "failed", "stale", "reminder", "monthly", "test"]
NOTICE_KINDS: Final[tuple[NoticeKind, ...]] = get_args(NoticeKind)
CHOSEN_KINDS: Final[tuple[NoticeKind, ...]] = tuple(one for one in NOTICE_KINDS if one != "test")
"""What `on` can name: a test is always sent."""
STANDARD_KINDS: Final[tuple[NoticeKind, ...]] = tuple(one for one in CHOSEN_KINDS if one != "done")
Security = Literal["tls", "starttls", "none"]
SECURITIES: Final[tuple[Security, ...]] = get_args(Security)
PORTS: Final[dict[Security, int]] = {"tls": 465, "starttls": 587, "none": 25}
"""What a mail server listens on (RFC 8314, 3.3; RFC 6409; RFC 5321)."""
Failure = Literal["code", "fail"]
FAILURES: Final[tuple[Failure, ...]] = get_args(Failure)
_ADDRESS: Final = re.compile(r"[!-~]{1,4000}")
HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*")


@dataclass(frozen=True)
class SmtpSettings:
    """E-mail. `password`: a reference to a secret. `timeout_seconds`: for one try as a whole."""

    name: str
    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    security: Security = "tls"
    user: str | None = None
    password: str | None = None
    on: tuple[NoticeKind, ...] = STANDARD_KINDS
    ca_file: Path | None = None
    timeout_seconds: int = 30


@dataclass(frozen=True)
class WebhookSettings:
    """A POST with JSON. `url`: an address, or a reference to one that is a secret; `headers`: names and
    references; `signing_secret`: a reference to what the body is signed with."""

    name: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    signing_secret: str | None = None
    on: tuple[NoticeKind, ...] = STANDARD_KINDS
    ca_file: Path | None = None
    timeout_seconds: int = 15


@dataclass(frozen=True)
class PingSettings:
    """An address that is asked for at each run's begin and end, for services that watch for silence. `url`:
    as a webhook's. `failure`: what is put behind it after a run that went wrong."""

    name: str
    url: str = field(repr=False)
    failure: Failure = "code"
    ca_file: Path | None = None
    timeout_seconds: int = 10


@dataclass(frozen=True)
class TextfileSettings:
    """A file of metrics, in the folder that Prometheus' node exporter reads."""

    name: str
    path: Path


@dataclass(frozen=True)
class AppriseSettings:
    """Whatever else the library Apprise knows. `urls`: references to its addresses, which hold secrets."""

    name: str
    urls: tuple[str, ...]
    on: tuple[NoticeKind, ...] = STANDARD_KINDS
    timeout_seconds: int = 30


NoticeSettings = SmtpSettings | WebhookSettings | PingSettings | TextfileSettings | AppriseSettings


def is_loopback(host: str) -> bool:
    """Whether a host's name or address leads to this machine and nowhere else."""
    from ipaddress import ip_address  # 3 ms that only a host with such a notice pays

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_address(text: str) -> bool:
    """Whether a notice may go there: https, or http on this machine; a host, no user, no fragment."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a port that is none, brackets that do not match
        return False
    return (
        _ADDRESS.fullmatch(text) is not None
        and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
        and HOST.fullmatch(host) is not None
        and port != 0
        and "@" not in parts.netloc
        and "#" not in text
    )
