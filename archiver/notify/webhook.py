"""A notice as JSON to an address, signed where a secret is agreed on."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Final

from archiver.notify.base import Notice, NoticeError, Resolve, find_secret, is_wanted
from archiver.notify.bounded import PAUSE_SECONDS, tried_twice
from archiver.settings.notices import WebhookSettings
from archiver.times import format_time

SIGNATURE: Final = "X-Archiver-Signature"


@dataclass(frozen=True, repr=False)
class WebhookNotifier:
    """`resolve`: reads secrets, when they are needed."""

    settings: WebhookSettings
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
        """Send it. Raise NoticeError."""
        if not self.wants(notice):
            return
        from archiver.notify.http import Post, find_address, send_post  # 80 ms that runs without it save

        address = find_address(self.name, self.settings.url, self.resolve)
        body = webhook_body(notice)
        post = Post(
            self.name,
            address,
            body,
            self._headers(body),
            self.settings.ca_file,
            self.settings.timeout_seconds,
        )

        def act() -> None:
            send_post(post)

        tried_twice(act, self.pause_seconds)

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        for name, reference in self.settings.headers:
            value = find_secret(self.name, reference, self.resolve)
            if not value.isascii() or not value.isprintable():
                raise NoticeError(
                    f"notice {self.name}: what is kept for the header {name} cannot stand in a header",
                    "one line of letters, digits and signs",
                )
            headers[name] = value.strip()
        if self.settings.signing_secret is not None:
            secret = find_secret(self.name, self.settings.signing_secret, self.resolve)
            headers[SIGNATURE] = f"sha256={sign(secret, body)}"
        return headers


def webhook_body(notice: Notice) -> bytes:
    """What is sent: a JSON object, UTF-8."""
    fields = {
        "type": "notice",
        "kind": notice.kind,
        "subject": notice.subject,
        "text": notice.text,
        "at": format_time(notice.at_ms),
        "code": notice.code,
        "recovered": notice.recovered,
        "facts": dict(notice.facts),
    }
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace")


def sign(secret: str, body: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) of the body's bytes, hexadecimal."""
    return hmac.new(secret.encode("utf-8"), body, hashlib.sha256).hexdigest()
