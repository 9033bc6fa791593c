"""The clock: against what was noted before, against servers, and whether anything keeps it right."""

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import requests

from archiver.errors import ArchiverError
from archiver.health.checkup import ASK_SECONDS, Check, Finding, Subject, failed, ok, warning
from archiver.health.judging import CLOCK_SLACK_MS, latest_noted_ms
from archiver.health.local import read_local
from archiver.health.vaults import last_archive, look_at_vaults
from archiver.settings import Settings
from archiver.settings.stores import S3StoreSettings
from archiver.times import format_time

EARLIEST_MS = 1_767_225_600_000
"""2026-01-01: this program is younger than any day before."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01."""
ODD_SECONDS = 30
WRONG_SECONDS = 300
"""Servers refuse requests of a clock that is off by 5 to 15 minutes (S3: "RequestTimeTooSkewed")."""
_SET_IT = "set the clock right, best by NTP: timedatectl set-ntp true"
_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronized."""


def checks(subject: Subject) -> list[Check]:
    """The day, then each server's clock, then whether the kernel is told of the time by anybody."""
    return [
        Check("clock", partial(_against_notes, subject)),
        *(
            Check(f"clock of {name}", partial(_against_server, subject, name, url, ca_file))
            for name, url, ca_file in _addresses(subject.settings)
        ),
        Check("time service", _time_service),
    ]


def _against_notes(subject: Subject) -> Iterator[Finding]:
    now_ms = subject.clock()
    if not EARLIEST_MS <= now_ms < LATEST_MS:
        yield failed("clock", f"it shows {_shown(now_ms)}, which cannot be", _SET_IT)
        return
    facts = read_local(subject.settings, now_ms)
    noted = latest_noted_ms(facts, last_archive(look_at_vaults(subject.settings, facts).archives))
    if noted is not None and noted > now_ms + CLOCK_SLACK_MS:
        said = f"it shows {_shown(now_ms)}, but something was noted at {_shown(noted)}: it was set back"
        yield failed("clock", f"{said}, or was wrong then", _SET_IT)
    else:
        yield ok("clock", f"{_shown(now_ms)}; nothing was noted later")


# Servers


def _addresses(settings: Settings) -> list[tuple[str, str, Path | None]]:
    """Whom the time can be asked: X, where any account is collected from it, and buckets."""
    found: list[tuple[str, str, Path | None]] = []
    if any(account.api is not None for account in settings.accounts):
        found.append(("X", settings.x_api.base_url, settings.x_api.ca_file))
    for store in settings.stores:
        if isinstance(store, S3StoreSettings):
            amazon = f"https://s3.{store.region or 'us-east-1'}.amazonaws.com"
            found.append((f"store {store.name}", store.endpoint or amazon, store.ca_file))
    return found


def _against_server(subject: Subject, name: str, url: str, ca_file: Path | None) -> Iterator[Finding]:
    """By the `Date` of an answer, whatever it answers: no key is sent, and nothing is asked for."""
    what = f"clock of {name}"
    theirs = _date_of(url, ca_file)
    if theirs is None:
        yield warning(what, "there was no answer that says the time", "see whether the network is there")
        return
    seconds = (subject.clock() - theirs) / 1000
    off = f"the clock here is {abs(seconds):,.0f} seconds {'ahead of' if seconds > 0 else 'behind'} it"
    if abs(seconds) > WRONG_SECONDS:
        yield failed(what, off, _SET_IT)
    elif abs(seconds) > ODD_SECONDS:
        yield warning(what, off, _SET_IT)
    else:
        yield ok(what, "the same, within half a minute")


def _date_of(url: str, ca_file: Path | None) -> int | None:
    """When a server says it is, in milliseconds; None where it says nothing."""
    with suppress(requests.RequestException, ValueError, TypeError, OverflowError, ArchiverError):
        answer = requests.head(
            url,
            timeout=(ASK_SECONDS, ASK_SECONDS),
            verify=True if ca_file is None else str(ca_file),
            allow_redirects=False,
        )
        moment = parsedate_to_datetime(answer.headers.get("Date", ""))
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) * 1000
    return None


# The kernel


def _time_service() -> Iterator[Finding]:
    """adjtimex(2), which asks and changes nothing."""
    what = "time service"
    adjust = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)
    state = -1 if adjust is None else adjust(ctypes.create_string_buffer(1024))
    if state < 0:
        yield ok(what, "this system does not say whether any keeps the clock right")
    elif state == _TIME_ERROR:
        yield warning(what, "nothing is known to keep the clock right", "timedatectl set-ntp true")
    else:
        yield ok(what, "the clock is kept right")


def _shown(milliseconds: int) -> str:
    try:
        return format_time(milliseconds)[:19].replace("T", " ") + " UTC"
    except OverflowError:
        return "a time that there is not"
