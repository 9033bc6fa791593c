"""A notice, and what every way of sending one does."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from archiver.errors import ArchiverError
from archiver.settings.notices import NOTICE_KINDS as NOTICE_KINDS
from archiver.settings.notices import NoticeKind as NoticeKind

Resolve = Callable[[str], str]
"""A reference to a secret to the secret; raises ConfigurationError."""


class NoticeError(ArchiverError):
    """A notice that could not be sent. It never changes what a run ends in. `delivered`: some have it all the
    same, so that it is not sent again, but to those in `again`, as a notice's `only` names them."""

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        delivered: bool = False,
        again: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, hint)
        self.delivered = delivered
        self.again = again


class PassingError(NoticeError):
    """One that may be sent a moment later: a server that is busy, a connection that broke."""


@dataclass(frozen=True)
class Notice:
    """What is sent. `subject`: one line; `text`: plain, lines of at most 78 characters; `facts`: the same for
    a machine, as JSON can hold it; `code`: the run's exit code; `metrics`: how all stands, for Prometheus.
    `recovered`: it says that what failed is well again, to whoever was told so. `only`: it is for these of
    the way's recipients, each named by a hash; for all where there is none. Nothing personal is in any of
    them."""

    kind: NoticeKind
    subject: str
    text: str
    at_ms: int
    code: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    metrics: str = ""
    recovered: bool = False
    only: tuple[str, ...] = ()


class Notifier(Protocol):
    """One way, as one `[[notice]]` of the settings says."""

    @property
    def name(self) -> str: ...

    @property
    def every_run(self) -> bool:
        """Whether it is for machines, which are told of every run's end and of nothing else."""
        ...

    def wants(self, notice: Notice) -> bool:
        """Whether this way is for such a notice."""
        ...

    def begin(self, at_ms: int) -> None:
        """A run begins: a ping for those that watch for silence, else nothing. Raise NoticeError."""
        ...

    def send(self, notice: Notice) -> None:
        """Send it, if it `wants` it. Raise NoticeError, within a bounded time."""
        ...


def is_wanted(on: Collection[NoticeKind], notice: Notice) -> bool:
    """Whether a way that is for these kinds sends it. Who is told of a failure is told of its end too."""
    return notice.kind in on or notice.kind == "test" or (notice.recovered and "failed" in on)


def find_secret(way: str, reference: str, resolve: Resolve) -> str:
    """A secret, for this way. Raise NoticeError where it cannot be read."""
    try:
        return resolve(reference)
    except ArchiverError as error:
        raise NoticeError(f"notice {way}: {error.message}", error.hint) from error


def one_line(text: str, most: int = 200) -> str:
    """A text that may hold anything, from a server or an error, as one printable line."""
    words = "".join(one if one.isprintable() else " " for one in text).split()
    line = " ".join(words)
    return line if len(line) <= most else f"{line[: most - 1]}…"


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
