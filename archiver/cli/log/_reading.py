"""What `archiver log show` and `export` have in common: which acts are wanted, found and opened."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from archiver.audit.entry import VERBS, Asked, Verb
from archiver.audit.following import Unpacked
from archiver.audit.names import is_custody
from archiver.audit.reading import LoggedAct, Reading, acts_of, chains_of, newest_first
from archiver.cli._acts import reason_option
from archiver.cli._session import Session
from archiver.cli.moderation._dates import parse_dates
from archiver.errors import ArchiverError, UsageError
from archiver.times import parse_time
from archiver.wiring.log import collector_queue, has_collector_key

Command = TypeVar("Command", bound=Callable[..., Any])
CLOCKS_DIFFER_MS = 24 * 60 * 60 * 1000
"""By which the clocks of the hosts that write one chain may be apart: so far back it is read on."""

_OPTIONS = (
    click.option("--since", metavar="DAY", help="On this day, month or year, or later; in UTC."),
    click.option("--until", metavar="DAY", help="On this day, month or year, or before; in UTC."),
    click.option("--by", metavar="WHO", help="Of this keyholder, or this account of the operating system."),
    click.option("--verb", type=click.Choice(VERBS), metavar="VERB", help=f"One of: {', '.join(VERBS)}."),
    click.option("--case", metavar="REF", help="Of this case."),
)


def wanted_options(command: Command) -> Command:
    """Which acts, and why the log is read."""
    for option in reversed((*_OPTIONS, reason_option)):
        command = option(command)
    return command


@dataclass(frozen=True)
class Wanted:
    """Which acts are wanted."""

    since_ms: int | None
    until_ms: int | None
    by: str | None
    verb: str | None
    case: str | None

    def takes(self, act: LoggedAct) -> bool:
        entry = act.first.entry
        at_ms = _time_of(act)
        names = (entry.keyholder, entry.system_account, entry.system_account.split(" ")[0])
        return (
            (self.since_ms is None or at_ms >= self.since_ms)
            and (self.until_ms is None or at_ms < self.until_ms)
            and (self.by is None or self.by in names)
            and (self.verb is None or entry.verb == self.verb)
            and (self.case is None or entry.case == self.case)
        )

    def is_past(self, act: LoggedAct) -> bool:
        """Whether nothing before this act in its chain can be wanted."""
        return self.since_ms is not None and _time_of(act) < self.since_ms - CLOCKS_DIFFER_MS


def read_wanted(
    since: str | None, until: str | None, by: str | None, verb: str | None, case: str | None
) -> Wanted:
    """The options as typed. Raise UsageError for what is no date, or days between which there is none."""
    first_ms = None if since is None else parse_dates(since)[0]
    after_ms = None if until is None else parse_dates(until)[1]
    if first_ms is not None and after_ms is not None and first_ms >= after_ms:
        raise UsageError(f"--since {since} is after --until {until}", "give the earlier day to --since")
    return Wanted(first_ms, after_ms, by, verb, case)


def asked_for(
    verb: Verb,
    command: str,
    typed: dict[str, str | None],
    reason: str | None,
    to: str | None = None,
) -> Asked:
    """What the log says of its being read."""
    query = " ".join(f"{name}:{value}" for name, value in typed.items() if value is not None)
    return Asked(verb, command, query=query or None, reason=reason, to=to)


@dataclass
class Found:
    """The acts that are wanted, oldest first, and what could not be read."""

    acts: list[LoggedAct]
    reading: Reading = field(default_factory=Reading)
    is_all: bool = True


def find_acts(session: Session, wanted: Wanted, limit: int) -> Found:
    """The newest acts that are wanted, as many as `limit`, 0 for all; of the store that was opened, and of
    what this host has not put there yet."""
    assert session.opened is not None  # noqa: S101 - the caller has begun an act
    store = session.opened.vault.store
    reading = Reading()
    chains = {chain: numbers for chain, numbers in chains_of(store).items() if not is_custody(chain)}
    waiting = _waiting(session, reading)
    streams = []
    for chain in sorted({*chains, *waiting}):
        entries = newest_first(
            store, chain, chains.get(chain, []), session.identities(), reading, waiting.get(chain, ())
        )
        streams.append(_wanted_of(acts_of(entries), wanted))
    found: list[LoggedAct] = []
    more = False
    for act in heapq.merge(*streams, key=_time_of, reverse=True):
        if limit and len(found) == limit:
            more = True
            break
        found.append(act)
    return Found(found[::-1], reading, not more)


def _wanted_of(acts: Iterator[LoggedAct], wanted: Wanted) -> Iterator[LoggedAct]:
    for act in acts:
        if wanted.is_past(act):
            return
        if wanted.takes(act):
            yield act


def _waiting(session: Session, reading: Reading) -> dict[str, list[Unpacked]]:
    found: dict[str, list[Unpacked]] = {}
    settings = session.settings
    if has_collector_key(settings) and settings.log_queue.is_dir():
        try:
            for one in collector_queue(settings).waiting():
                found.setdefault(one.link.chain, []).append(one)
        except ArchiverError as error:
            reading.problems.append(error)
    return found


def _time_of(act: LoggedAct) -> int:
    try:
        return parse_time(act.first.entry.at)
    except ValueError:  # somebody else's entry may say anything
        return 0
