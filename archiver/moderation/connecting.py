"""Connections to X for moderation: a person waits for them, so they wait less than a nightly collect."""

from collections.abc import Callable, Mapping
from contextlib import closing
from random import SystemRandom
from time import sleep as system_sleep
from typing import Final

import requests

from archiver.collect.connect import remembered_names
from archiver.settings import AccountSettings, Settings
from archiver.settings.api import AccountApi
from archiver.sources.x_api.client import XClient
from archiver.sources.x_api.media import MediaSource
from archiver.sources.x_api.names import Learnt, Names
from archiver.sources.x_api.pace import Pace, Patience, Random, Sleep
from archiver.sources.x_api.tokens import KeyChain
from archiver.state import State
from archiver.times import Clock, format_date

MOST_WAIT_SECONDS: Final = 60
"""For limits and faults, in one question after the other, together."""
_STATE_CACHE_BYTES: Final = 1024 * 1024


class Connections:
    """The accounts' connections, each made when first used. Close when done."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        clock: Clock,
        *,
        sleep: Sleep = system_sleep,
        random: Random | None = None,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._sleep = sleep
        self._random = random or SystemRandom().random
        self._clients: dict[str, XClient] = {}
        self._paces: dict[str, Pace] = {}
        self._names: Names | None = None

    def client(self, account: AccountSettings, api: AccountApi) -> XClient:
        """Raise ConfigurationError where the account's keys cannot be read, SourceError where X does not
        renew them."""
        found = self._clients.get(account.id)
        if found is None:
            session = requests.Session()
            chain = KeyChain(
                api.credentials,
                self._settings.x_api,
                self._environ,
                self._settings.home,
                session,
                self._clock,
                account.id,
            )
            found = XClient(
                chain, self._settings.x_api, self._pace_of, self._known_names(), self._clock, account.id
            )
            self._clients[account.id] = found
        return found

    def patience(self) -> Patience:
        most = min(MOST_WAIT_SECONDS, self._settings.x_api.max_wait_seconds)
        return Patience(most, self._sleep, self._random)

    def open_media(self, api: AccountApi) -> MediaSource:
        """What fetches pictures. A moderated item's are always taken, whatever the settings say of others."""
        return MediaSource(self._settings.x_api, api.media_bytes, self._sleep, self._random)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _pace_of(self, identity: str) -> Pace:
        return self._paces.setdefault(identity, Pace(self._clock))

    def _known_names(self) -> Names:
        """Which names X took last, as collecting learnt it; nothing is written back."""
        if self._names is None:
            learnt = Learnt()
            if self._settings.state.exists():
                with closing(State(self._settings.state, cache_bytes=_STATE_CACHE_BYTES)) as state:
                    learnt = remembered_names(state)
            month = format_date(self._clock())[:7]
            self._names = Names(self._settings.x_api, learnt.in_month(month))
        return self._names


Connect = Callable[[AccountSettings, AccountApi], XClient]
