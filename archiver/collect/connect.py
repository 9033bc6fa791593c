"""Collecting through X's interface: settings to connections."""

import threading
from collections.abc import Mapping, Sequence
from random import SystemRandom
from typing import Protocol

import msgspec
import requests

from archiver.collect.accounts import Told, collect_accounts
from archiver.collect.asking import Shared
from archiver.collect.keeping import Keeper
from archiver.collect.report import AccountReport
from archiver.errors import UsageError
from archiver.settings import AccountSettings, Settings
from archiver.settings.api import AccountApi, CollectKind
from archiver.sources.base import Problem
from archiver.sources.x_api.client import XClient
from archiver.sources.x_api.media import MediaSource
from archiver.sources.x_api.names import Learnt, Names
from archiver.sources.x_api.pace import Pace, Patience, Random, Sleep
from archiver.sources.x_api.tokens import KeyChain
from archiver.spool import Spool
from archiver.state import KeyedHash, State
from archiver.times import Clock, format_date


class Collector(Protocol):
    """What a run that collects works with; `archiver.wiring.collector.open_collector` opens it."""

    @property
    def settings(self) -> Settings: ...
    @property
    def spool(self) -> Spool: ...
    @property
    def state(self) -> State: ...
    @property
    def key(self) -> KeyedHash: ...


NAMES_NOTE = "x_api names"
"""The state's note of which names X takes."""
Asked = tuple[AccountSettings, AccountApi]


def asked_accounts(settings: Settings, only: Sequence[str] = ()) -> list[Asked]:
    """The accounts that are collected through X's interface; those named by id or handle, if any are. Raise
    UsageError for a name that is none of them."""
    asked = [(one, one.api) for one in settings.accounts if one.api is not None]
    chosen: list[Asked] = []
    for name in only:
        wanted = name.removeprefix("@").lower()
        found = [pair for pair in asked if wanted in (pair[0].id, (pair[0].handle or "").lower())]
        if not found:
            known = ", ".join(f"@{one.handle or one.id}" for one, _ in asked) or "none"
            raise UsageError(
                f"{name} is no account that is collected from X",
                f"those with [account.api] in the settings: {known}",
            )
        chosen += [pair for pair in found if pair not in chosen]
    return chosen or asked


def collect_from_x(
    collector: Collector,
    accounts: Sequence[Asked],
    environ: Mapping[str, str],
    *,
    only: Sequence[CollectKind] = (),
    clock: Clock,
    sleep: Sleep | None = None,
    random: Random | None = None,
    told: Told = lambda account, kind: None,
) -> list[AccountReport]:
    """Collect what is due of these accounts into the spool; a report for each. `sleep` and `random` are for
    whoever wants to see or to shorten the waiting."""
    settings, chance = collector.settings.x_api, random or SystemRandom().random
    stop = threading.Event()
    wait = sleep or (lambda seconds: _wait(stop, seconds))
    names = Names(settings, remembered_names(collector.state).in_month(format_date(clock())[:7]))
    paces: dict[str, Pace] = {}
    lock = threading.Lock()

    def pace_of(identity: str) -> Pace:
        with lock:
            return paces.setdefault(identity, Pace(clock))

    def connect(account: AccountSettings, api: AccountApi) -> XClient:
        chain = KeyChain(
            api.credentials, settings, environ, collector.settings.home, requests.Session(), clock, account.id
        )
        return XClient(chain, settings, pace_of, names, clock, account.id)

    def open_media(api: AccountApi) -> MediaSource | None:
        return MediaSource(settings, api.media_bytes, wait, chance) if api.media else None

    shared = Shared(
        settings=settings,
        keeper=Keeper(collector.spool, collector.state, collector.key, clock),
        clock=clock,
        patience=lambda: Patience(settings.max_wait_seconds, wait, chance, stop.is_set),
        stop=stop,
    )
    reports = collect_accounts(shared, accounts, connect, open_media, only, told)
    collector.state.set_note(NAMES_NOTE, msgspec.json.encode(names.learnt).decode())
    for name in names.newly_refused if reports else ():
        detail = "X refuses it; it is asked for no more"
        reports[0].problems.append(Problem(f"the field {name}", "unknown layout", detail))
    return reports


def _wait(stop: threading.Event, seconds: float) -> None:
    """Sleep, but no longer than the run lasts."""
    stop.wait(seconds)


def remembered_names(state: State) -> Learnt:
    """Which names X took last; what cannot be read is learnt again."""
    try:
        return msgspec.json.decode(str(state.note(NAMES_NOTE)), type=Learnt)
    except msgspec.MsgspecError:
        return Learnt()
