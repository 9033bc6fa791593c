"""What `archiver doctor` looks at, and how what it finds is said: each check by itself, within a bounded
time, whatever became of those before it."""

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import msgspec
from msgspec import Struct

from archiver.errors import ArchiverError
from archiver.health.bounded import TooLateError, bounded
from archiver.settings import Settings
from archiver.times import Clock

Verdict = Literal["ok", "warning", "failed"]
SECONDS = 10.0
"""For one check."""
ASK_SECONDS = 4
"""For one connection and one answer, in what is to be done within that."""


class Finding(Struct, frozen=True):
    """One thing that was looked at: what it is, how it is, in a sentence, and what to do where that is not
    well. Nothing secret is in it."""

    verdict: Verdict
    what: str
    said: str
    advice: str | None = None


@dataclass(frozen=True)
class Subject:
    """What is looked at. `environ`: for secrets."""

    settings: Settings
    environ: Mapping[str, str] = field(repr=False)
    clock: Clock


Look = Callable[[], Iterable[Finding]]


@dataclass(frozen=True)
class Check:
    """A name, for what went wrong in it, and what it does. It may raise ArchiverError: that is a failure."""

    what: str
    look: Look


def ok(what: str, said: str) -> Finding:
    return Finding("ok", what, said)


def warning(what: str, said: str, advice: str | None = None) -> Finding:
    return Finding("warning", what, said, advice)


def failed(what: str, said: str, advice: str | None = None) -> Finding:
    return Finding("failed", what, said, advice)


def of_error(what: str, error: ArchiverError) -> Finding:
    """An error as a failure."""
    return failed(what, error.message, error.hint)


def examine(checks: Iterable[Check], seconds: float = SECONDS) -> Iterator[Finding]:
    """Do one check after the other; what each finds. Raises nothing: a check that fails, or takes longer, is
    itself what was found."""
    for check in checks:
        try:
            data = bounded(partial(_encoded, check), seconds)
            yield from msgspec.json.decode(data, type=list[Finding])
        except TooLateError:
            yield failed(
                check.what, f"it did not answer within {seconds:.0f} seconds", "see why it takes so long"
            )
        except msgspec.DecodeError:  # it was killed by somebody else, as by the kernel for want of memory
            yield failed(check.what, "its check was ended from outside", "see whether memory is short: dmesg")
        except OSError as error:
            yield failed(check.what, f"no process could be started for it: {(error.strerror or '').lower()}")


def _encoded(check: Check) -> bytes:
    return msgspec.json.encode(list(find(check)))


def find(check: Check) -> Sequence[Finding]:
    """What one check finds, here and now, its errors included."""
    try:
        return list(check.look())
    except ArchiverError as error:
        return [of_error(check.what, error)]
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return [failed(check.what, f"{where}{(error.strerror or str(error)).lower()}")]
    except Exception as error:  # noqa: BLE001  # a defect of ours in one check must not hide the others
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
        return [
            failed(check.what, f"a defect of this program: {type(error).__name__} at {where}", "report it")
        ]


def worst(findings: Iterable[Finding]) -> Verdict:
    """The worst of the verdicts."""
    verdicts = {one.verdict for one in findings}
    return "failed" if "failed" in verdicts else "warning" if "warning" in verdicts else "ok"
