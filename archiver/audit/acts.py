"""An act from its beginning to its end, each an entry of the log."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from archiver.audit.entry import DONE, Actor, Asked, Entry, make_entry
from archiver.audit.writing import Made, new_nonce
from archiver.errors import ArchiverError
from archiver.times import Clock, format_time


class Log(Protocol):
    """A chain that entries can be added to."""

    def write(self, entry: Entry) -> Made: ...


class Act:
    """What is being done; its beginning is on record. Made by `begin_act`."""

    def __init__(self, log: Log, actor: Actor, asked: Asked, clock: Clock) -> None:
        self._log = log
        self._actor = actor
        self._asked = asked
        self._clock = clock
        self.begin = log.write(make_entry(asked, actor, nonce=new_nonce(), at=format_time(clock())))
        self.ended: Made | None = None

    def end(
        self,
        *,
        results: int | None = None,
        outcome: str = DONE,
        ids: Sequence[str] = (),
        to: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> Made:
        """Put on record what came of it: how many results, `done` or what failed. Once; where it cannot be
        written nothing may be shown, so it is called before that. Raise as writing the log does."""
        if self.ended is None:
            asked = replace(
                self._asked,
                query=None,
                reason=None,
                ids=ids,
                to=self._asked.to if to is None else to,
                detail=detail or {},
            )
            entry = make_entry(
                asked,
                self._actor,
                nonce=new_nonce(),
                at=format_time(self._clock()),
                of=self.begin.head.sequence,
                results=results,
                outcome=outcome,
            )
            self.ended = self._log.write(entry)
        return self.ended


@contextmanager
def acting(log: Log, actor: Actor, asked: Asked, clock: Clock) -> Iterator[Act]:
    """Do something between its two entries. The body may end the act itself, before it shows anything; else
    it ends with the body. What the body raises goes on, its kind on record."""
    act = Act(log, actor, asked, clock)
    try:
        yield act
    except BaseException as error:
        try:
            act.end(outcome=f"failed: {type(error).__name__}")
        except ArchiverError as another:
            error.add_note(f"the log does not say so: {another.message}")
        raise
    act.end()
