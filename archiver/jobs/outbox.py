"""Notices on their way: what could not be sent is kept in the journal and tried again, and by which ways
nothing goes out is told by the others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from archiver.errors import ArchiverError
from archiver.health.notices import Origin, trouble_notice
from archiver.jobs.unsent import Unsent, kept_with
from archiver.notify.base import Notice, NoticeError, Notifier
from archiver.schedule.checks import DAILY_MS
from archiver.schedule.due import DAY_MS, HOUR_MS, trusted
from archiver.schedule.journal import Journal, Moment

NOTE = "notices"
"""Under this name the journal keeps it."""
KEEP_MS = 31 * DAY_MS
"""A notice that could not be sent for so long is given up: what it says is old."""


class Trouble(Struct, frozen=True, kw_only=True):
    """One way by which nothing goes out: since when, why, how often and when it was last tried, and when that
    was told by another."""

    since_ms: Moment
    why: str
    tries: int
    tried_ms: Moment
    told_ms: Moment | None = None


class Kept(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept between runs. `troubles`: with notices, by way; `begin_troubles`: with saying that a run
    begins, which says nothing of the other, as its address is another."""

    unsent: tuple[Unsent, ...] = ()
    troubles: dict[str, Trouble] = {}
    begin_troubles: dict[str, Trouble] = {}


@dataclass(frozen=True)
class _Attempt:
    """What came of a way in this run: None where it works."""

    error: NoticeError | None


class Outbox:
    """The ways that there are, and what waits. Without a journal nothing is kept.

    `errors`: what failed in this run, one for each way."""

    def __init__(
        self, notifiers: Sequence[Notifier], journal: Journal | None, origin: Origin, now_ms: int
    ) -> None:
        self._notifiers = notifiers
        self._journal = journal
        self._origin = origin
        self._now_ms = now_ms
        self._kept = (journal.note(NOTE, Kept) if journal is not None else None) or Kept()
        self._unsent = [
            one
            for one in self._kept.unsent
            if now_ms - one.at_ms < KEEP_MS and self._find(one.way) is not None
        ]
        self._attempts: dict[str, _Attempt] = {}
        self._begun: dict[str, _Attempt] = {}
        self._reached = False

    @property
    def reaches_nobody(self) -> bool:
        """Whether there was something for a person to read, and no way has taken any of it."""
        return bool(self._unsent) and not self._reached

    @property
    def errors(self) -> list[NoticeError]:
        attempts = [*self._begun.values(), *self._attempts.values()]
        return [one.error for one in attempts if one.error is not None]

    def begin(self) -> None:
        """Say that a run begins, by the ways that say so."""
        for notifier in self._notifiers:
            if notifier.every_run:
                self._try(notifier, None)

    def finish(self, notice: Notice) -> None:
        """Tell the machines of a run's end. What they missed is not sent again: the next run's end is."""
        for notifier in self._notifiers:
            if notifier.every_run and notifier.wants(notice):
                self._try(notifier, notice)

    def retry(self) -> None:
        """Send what waits, in order; of a way that fails again, nothing more in this run."""
        waiting, self._unsent = self._unsent, []
        for one in waiting:
            notifier = self._find(one.way)
            if notifier is not None:
                self._send_by(notifier, one, wait=self._must_wait(one.way))

    def send(self, notice: Notice) -> None:
        """Send a notice by every way that wants it; keep it for those that fail."""
        for notifier in self._notifiers:
            if not notifier.every_run and notifier.wants(notice):
                self._send_by(notifier, Unsent.of(notifier.name, notice), wait=False)

    def tell_troubles(self) -> None:
        """By the ways that work, once a day: which others have not since an earlier run."""
        troubles, begins = self._troubles(), self._begin_troubles()
        said: dict[str, tuple[int, str]] = {}
        for name in dict.fromkeys((*troubles, *begins)):
            both = [one[name] for one in (troubles, begins) if name in one]
            if self._is_to_tell(both):
                at_begin = "" if name in troubles else "where a run begins: "
                said[name] = (
                    min(one.since_ms for one in both),
                    at_begin + both[0].why.removeprefix(f"notice {name}: "),
                )
        others = [one for one in self._notifiers if not one.every_run and one.name not in troubles]
        if not said or not others:
            return
        notice = trouble_notice(self._origin, said, self._now_ms)
        wanting = [one for one in others if one.wants(notice)]
        for notifier in wanting:
            self._send_by(notifier, Unsent.of(notifier.name, notice), wait=False)
        if any(self._attempts[one.name].error is None for one in wanting):
            self._kept = replace(
                self._kept,
                troubles={**self._kept.troubles, **self._as_told(troubles, said)},
                begin_troubles={**self._kept.begin_troubles, **self._as_told(begins, said)},
            )

    def _is_to_tell(self, troubles: Sequence[Trouble]) -> bool:
        """Whether a way has not worked since an earlier run, and that was not told for a day."""
        told = [one.told_ms for one in troubles if trusted(one.told_ms, self._now_ms) is not None]
        is_old = any(one.since_ms < self._now_ms for one in troubles)
        return is_old and all(self._now_ms - (one or 0) >= DAILY_MS for one in told)

    def _as_told(self, troubles: Mapping[str, Trouble], said: Collection[str]) -> dict[str, Trouble]:
        return {name: replace(one, told_ms=self._now_ms) for name, one in troubles.items() if name in said}

    def save(self) -> None:
        """Keep what is left for the next run. Raise ArchiverError."""
        troubles, begins = self._troubles(), self._begin_troubles()
        kept = Kept(unsent=tuple(self._unsent), troubles=troubles, begin_troubles=begins)
        if self._journal is None:
            return
        if kept != self._journal.note(NOTE, Kept):
            self._journal.set_note(NOTE, kept)
        for name, one in self._attempts.items():
            self._note_attempt(self._journal, name, one, also=begins)
        for name, one in self._begun.items():
            self._note_attempt(self._journal, name, one, also=troubles)

    def _note_attempt(self, journal: Journal, name: str, attempt: _Attempt, *, also: Collection[str]) -> None:
        """As a part of the journal of jobs, `notice NAME`: for whoever looks at how all stands. That a way
        still works is written once a day. `also`: the ways of whose other half it is known that it does not
        work."""
        job, before = f"notice {name}", journal.job(f"notice {name}")
        if attempt.error is not None:
            journal.end(job, self._now_ms, attempt.error.exit_code, (attempt.error.message,))
        elif name not in also and (before.code != 0 or abs(self._now_ms - (before.good_ms or 0)) >= DAILY_MS):
            journal.end(job, self._now_ms, 0)

    def _find(self, name: str) -> Notifier | None:
        return next((one for one in self._notifiers if one.name == name), None)

    def _must_wait(self, way: str) -> bool:
        """Whether it is too early to try a way again: at once in the next run, then after 1, 2, 4 … hours, at
        most a day."""
        trouble = self._kept.troubles.get(way)
        if trouble is None or trouble.tries < 2 or trusted(trouble.tried_ms, self._now_ms) is None:
            return False
        wait_ms = min(DAILY_MS, HOUR_MS << min(trouble.tries - 2, 5))
        return self._now_ms - trouble.tried_ms < wait_ms

    def _send_by(self, notifier: Notifier, one: Unsent, *, wait: bool) -> None:
        if wait or self._is_down(notifier, one):
            self._keep(one)
            return
        error = self._try(notifier, one.notice())
        if error is None or error.delivered:
            self._reached = True
        if error is not None and not error.delivered:
            self._keep(one)
        elif error is not None and error.again:
            self._keep(replace(one, only=error.again))

    def _is_down(self, notifier: Notifier, one: Unsent) -> bool:
        """Whether a way has failed in this run: for all, or for some of its recipients, whom alone this is
        for. One who is refused keeps nothing from the others."""
        attempt = self._attempts.get(notifier.name)
        error = None if attempt is None else attempt.error
        return error is not None and (not error.delivered or bool(one.only))

    def _keep(self, one: Unsent) -> None:
        self._unsent = kept_with(self._unsent, one)

    def _try(self, notifier: Notifier, notice: Notice | None) -> NoticeError | None:
        """Send it, or say that a run begins; what failed is remembered of the way."""
        error: NoticeError | None = None
        try:
            if notice is None:
                notifier.begin(self._now_ms)
            else:
                notifier.send(notice)
        except NoticeError as failed:
            error = failed
        except (ArchiverError, OSError, ValueError) as failed:  # a way's own mistake does not end a run
            error = NoticeError(f"notice {notifier.name}: it failed ({type(failed).__name__})")
        (self._begun if notice is None else self._attempts)[notifier.name] = _Attempt(error)
        return error

    def _troubles(self) -> dict[str, Trouble]:
        return self._judged(self._kept.troubles, self._attempts)

    def _begin_troubles(self) -> dict[str, Trouble]:
        return self._judged(self._kept.begin_troubles, self._begun)

    def _judged(
        self, known_troubles: Mapping[str, Trouble], attempts: Mapping[str, _Attempt]
    ) -> dict[str, Trouble]:
        """Of the ways that there are: which were in trouble and were not tried, and which failed."""
        found: dict[str, Trouble] = {}
        for notifier in self._notifiers:
            known, attempt = known_troubles.get(notifier.name), attempts.get(notifier.name)
            if attempt is None and known is not None:
                found[notifier.name] = known
            elif attempt is not None and attempt.error is not None:
                found[notifier.name] = Trouble(
                    since_ms=self._now_ms if known is None else min(known.since_ms, self._now_ms),
                    why=attempt.error.message,
                    tries=1 if known is None else known.tries + 1,
                    tried_ms=self._now_ms,
                    told_ms=None if known is None else known.told_ms,
                )
        return found
