"""A notice, and what every way of sending one does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from archiver.errors import ArchiverError

NoticeKind = Literal["done", "incomplete", "failed", "stale", "reminder", "monthly", "test"]
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)


class NoticeError(ArchiverError):
    """A notice that could not be sent. It never changes what a run ends in."""


@dataclass(frozen=True)
class Notice:
    """What is sent. `subject`: one line; `text`: plain, lines of at most 78 characters; `facts`: the same for
    a machine, as JSON can hold it; `code`: the run's exit code. Nothing personal is in any of them."""

    kind: NoticeKind
    subject: str
    text: str
    at_ms: int
    code: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)


class Notifier(Protocol):
    """One way, as one `[[notice]]` of the settings says."""

    @property
    def name(self) -> str: ...

    def begin(self, at_ms: int) -> None:
        """A run begins: a ping for those that watch for silence, else nothing. Raise NoticeError."""
        ...

    def send(self, notice: Notice) -> None:
        """Send it, if this way is for its kind. Raise NoticeError, within a bounded time."""
        ...


def send_all(notifiers: Iterable[Notifier], notice: Notice) -> list[NoticeError]:
    """Send a notice by every way; what failed, each naming its way. One that fails stops no other."""
    failed: list[NoticeError] = []
    for notifier in notifiers:
        try:
            notifier.send(notice)
        except NoticeError as error:
            failed.append(error)
        except ArchiverError as error:
            failed.append(NoticeError(f"notice {notifier.name}: {error.message}", error.hint))
    return failed
