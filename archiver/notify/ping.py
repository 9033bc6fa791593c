"""An address that is asked for at each run's begin and end, as services do that watch for silence: plain for
a run that ended well, with `/start`, and with the exit code or `/fail` behind it (healthchecks.io, "HTTP
API"). They tell of what nobody else can: that no run came at all.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from archiver.notify.base import Notice, NoticeError, Resolve, one_line
from archiver.notify.bounded import PAUSE_SECONDS, tried_twice
from archiver.settings.notices import PingSettings

_RUN_ENDS: Final = ("done", "incomplete", "failed")
_UNKNOWN: Final = b"not found"
"""Older servers answer 200 all the same: `OK (not found)`."""


@dataclass(frozen=True, repr=False)
class PingNotifier:
    """`resolve`: reads secrets, when they are needed."""

    settings: PingSettings
    resolve: Resolve
    every_run: bool = True
    pause_seconds: float = PAUSE_SECONDS

    @property
    def name(self) -> str:
        return self.settings.name

    def wants(self, notice: Notice) -> bool:
        return notice.kind in _RUN_ENDS or notice.kind == "test"

    def begin(self, at_ms: int) -> None:
        """Say that a run begins; not again where that fails, as its end is what counts. Raise NoticeError."""
        self._ping("/start", "")

    def send(self, notice: Notice) -> None:
        """Say what it ended in. A test changes nothing there. Raise NoticeError."""
        if not self.wants(notice):
            return
        if notice.kind == "test":
            suffix = "/log"
        elif notice.code == 0:
            suffix = ""
        else:
            suffix = "/fail" if self.settings.failure == "fail" else f"/{notice.code}"
        tried_twice(lambda: self._ping(suffix, notice.subject), self.pause_seconds)

    def _ping(self, suffix: str, said: str) -> None:
        from archiver.notify.http import Post, find_address, send_post

        address = put_behind(find_address(self.name, self.settings.url, self.resolve), suffix)
        answer = send_post(
            Post(
                self.name,
                address,
                one_line(said).encode("utf-8", "replace"),
                {"Content-Type": "text/plain; charset=utf-8"},
                self.settings.ca_file,
                self.settings.timeout_seconds,
            )
        )
        if _UNKNOWN in answer[:64].lower():
            raise NoticeError(
                f"notice {self.name}: the address is unknown there, or was deleted", "look at it there"
            )


def put_behind(address: str, suffix: str) -> str:
    """An address with something more at the end of its path, before a `?`."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + suffix))
