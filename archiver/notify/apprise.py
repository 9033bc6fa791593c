"""Whatever else can tell a person something: the library Apprise knows over a hundred services.

It is an extra, `archiver[apprise]`: what it sends where is its own matter. Its addresses hold tokens.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from archiver.notify.base import (
    Notice,
    NoticeError,
    NoticeKind,
    PassingError,
    Resolve,
    find_secret,
    is_wanted,
    one_line,
)
from archiver.notify.bounded import within
from archiver.settings.notices import AppriseSettings

_LOOKS: Final[dict[NoticeKind, str]] = {
    "done": "success", "incomplete": "warning", "failed": "failure", "stale": "warning",
    "reminder": "warning", "monthly": "info", "test": "info",
}  # fmt: skip
"""What Apprise calls a notice's kind."""


@dataclass(frozen=True, repr=False)
class AppriseNotifier:
    """`resolve`: reads secrets, when they are needed."""

    settings: AppriseSettings
    resolve: Resolve
    every_run: bool = False

    @property
    def name(self) -> str:
        return self.settings.name

    def wants(self, notice: Notice) -> bool:
        return is_wanted(self.settings.on, notice)

    def begin(self, at_ms: int) -> None:
        """Nobody is told that a run begins."""

    def send(self, notice: Notice) -> None:
        """Send it to every address, to those that fail once more. Raise NoticeError, which counts them."""
        if not self.wants(notice):
            return
        addresses = [find_secret(self.name, one, self.resolve) for one in self.settings.urls]
        senders = [self._sender(number, one) for number, one in enumerate(addresses, start=1)]
        seconds = self.settings.timeout_seconds
        failed = list(range(1, len(senders) + 1))
        for _ in range(2):
            try:
                within(seconds, lambda: _send_each(senders, failed, notice))
            except TimeoutError:
                raise PassingError(f"notice {self.name}: not sent within {seconds} seconds") from None
            if not failed:
                return
        raise NoticeError(
            f"notice {self.name}: {len(failed)} of {len(senders)} addresses did not take it",
            f"the first of them is number {failed[0]} of urls",
            delivered=len(failed) < len(senders),
        )

    def _sender(self, number: int, address: str) -> Callable[[Notice], bool]:
        """What sends to one address. Apprise's own messages may name it, so they go nowhere."""
        try:
            import apprise
        except ImportError as error:
            raise NoticeError(
                f"notice {self.name}: Apprise is not installed", "pip install 'archiver[apprise]'"
            ) from error
        logger = logging.getLogger("apprise")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        asset = apprise.AppriseAsset(
            secure_logging=True, async_mode=False, storage_mode=apprise.PersistentStoreMode.MEMORY
        )
        service = apprise.Apprise(asset=asset)
        if not service.add(address):
            raise NoticeError(
                f"notice {self.name}: number {number} of urls is no address that Apprise knows",
                "its pages list them; nothing is repeated here, as it may hold a token",
            )

        def send(notice: Notice) -> bool:
            return bool(
                service.notify(
                    body=notice.text,
                    title=one_line(notice.subject),
                    notify_type=apprise.NotifyType(_LOOKS[notice.kind]),
                    body_format=apprise.NotifyFormat.TEXT,
                )
            )

        return send


def _send_each(senders: list[Callable[[Notice], bool]], failed: list[int], notice: Notice) -> None:
    """Send to those that are counted as failed; those that took it are no longer."""
    for number in list(failed):
        if senders[number - 1](notice):
            failed.remove(number)
