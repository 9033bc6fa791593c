"""Whether `archiver run` is started by anything, and did run; who is at work; whether the log gets away."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from archiver.health.checkup import ASK_SECONDS, Check, Finding, Subject, failed, of_error, ok, warning
from archiver.health.gather import take_snapshot
from archiver.health.local import read_local
from archiver.health.snapshot import Snapshot
from archiver.health.words import day, moment
from archiver.processes import holder_in
from archiver.schedule.due import DAY_MS, trusted
from archiver.schedule.journal import RUN
from archiver.settings import Settings

_LATE_DAYS = 2
_LINE = re.compile(r"(?m)^[^#\n]*\barchiver\b[^#\n]*\brun\b")
_CRON_FILES = ("/etc/crontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily")
_UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
_INSTALL = "let cron or systemd start it: archiver schedule cron --install"


def checks(subject: Subject) -> list[Check]:
    settings = subject.settings
    found = [Check("status", lambda: _status(subject))]
    if settings.spool_identity.exists():
        found += [
            Check("runs", lambda: _runs(settings, subject.clock())),
            Check("lock", lambda: _lock(settings.lock, subject.clock())),
            Check("log", lambda: _queue(settings.log_queue, subject.clock())),
        ]
    return found


def _status(subject: Subject) -> Iterator[Finding]:
    """What `archiver status` says, in a sentence."""
    snapshot: Snapshot = take_snapshot(subject.settings, subject.clock(), subject.environ)
    if snapshot.healthy:
        yield ok("status", "all is well")
    else:
        more = f", and {len(snapshot.problems) - 1:,} more" if snapshot.problems[1:] else ""
        yield warning("status", f"{snapshot.problems[0]}{more}", "see all of it: archiver status")


def _runs(settings: Settings, now_ms: int) -> Iterator[Finding]:
    what = "runs"
    facts = read_local(settings, now_ms)
    yield from (of_error(what, one) for one in facts.errors)  # each keeps the next run from its work
    jobs = facts.journal.jobs or {}
    noted = [(jobs[name].finished_ms or jobs[name].started_ms) for name in jobs if name == RUN]
    last = next((one for one in noted if one is not None), None)
    started_by = _starter()
    if last is None:
        known = f"; {started_by} starts it" if started_by else ", and nothing was found that starts it"
        yield warning(what, f"archiver run never ran here{known}", None if started_by else _INSTALL)
        return
    when = f"archiver run ran last at {moment(last)}"
    if trusted(last, now_ms) is not None and now_ms - last > _LATE_DAYS * DAY_MS:
        advice = f"see why {started_by} does not start it" if started_by else _INSTALL
        yield failed(what, f"{when}, which is {(now_ms - last) // DAY_MS} days ago", advice)
    elif started_by is None:
        yield ok(what, f"{when}; what starts it was not found")
    else:
        yield ok(what, f"{when}; {started_by} starts it")


def _starter() -> str | None:
    """What starts it: a cron line, a timer of systemd; None where neither is found."""
    table = _own_crontab()
    if table is not None and _LINE.search(table):
        return "a line of this user's crontab"
    for name in _CRON_FILES:
        for path in _files_in(Path(name)):
            if _LINE.search(_text(path)):
                return str(path)
    for folder in _UNIT_FOLDERS:
        for path in sorted(Path(folder).glob("*archiver*.timer")):
            return str(path)
    return None


def _own_crontab() -> str | None:
    program = shutil.which("crontab")
    if program is None:
        return None
    with suppress(OSError, subprocess.SubprocessError):
        listed = subprocess.run(  # noqa: S603  # the system's own program, no argument of anybody's
            [program, "-l"], capture_output=True, timeout=ASK_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
        return listed.stdout.decode("utf-8", "replace") if listed.returncode == 0 else None
    return None


def _files_in(path: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
    return []


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_bytes()[: 1 << 20].decode("utf-8", "replace")
    return ""


# Who is at work, and what waits


def _lock(lock: Path, now_ms: int) -> Iterator[Finding]:
    """Whoever took it last, if that process is still there. The lock itself is not tried."""
    holder = holder_in(lock)
    if holder is None:
        yield ok("lock", "nobody is at work here")
        return
    since = int(lock.stat().st_mtime * 1000)
    said = f"process {holder} is at work here since {moment(since)}"
    if now_ms - since > DAY_MS:
        yield warning("lock", said, f"see what it is: ps {holder}; it may hang")
    else:
        yield ok("lock", said)


def _queue(folder: Path, now_ms: int) -> Iterator[Finding]:
    """Entries of the log that no store has taken yet."""
    waiting = [path for path in _files_in(folder) if folder.is_dir() and path.suffix == ".tar"]
    if not waiting:
        yield ok("log", "every entry that was made here is in a store")
        return
    oldest = min(path.stat().st_mtime for path in waiting) * 1000
    entries = "1 entry waits" if len(waiting) == 1 else f"{len(waiting):,} entries wait"
    said = f"{entries} for a store, the oldest since {day(int(oldest))}"
    if now_ms - oldest > DAY_MS:
        yield warning("log", said, "see which store takes none: archiver sync; archiver log verify")
    else:
        yield ok("log", said)
