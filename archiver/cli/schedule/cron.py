"""`archiver schedule cron`: the line that starts `archiver run` from cron."""

import os
import shutil
import subprocess

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli.schedule._started import every_option, read_started
from archiver.errors import ArchiverError, UsageError
from archiver.schedule.cron import cron_block, put_block
from archiver.schedule.starting import Started

SECONDS = 30
"""That crontab may take, which takes some milliseconds."""


@click.command(
    "cron",
    epilog=examples(
        "archiver --config police-archive schedule cron",
        "archiver --config police-archive schedule cron --install --every 15m",
        "archiver --config /etc/archiver schedule cron --install --user archiver",
    ),
)
@click.option("--install", is_flag=True, help="Put it into the crontab; what is there otherwise stays.")
@every_option
@click.option("--user", metavar="NAME", help="Into this user's crontab, as root; else into your own.")
@pass_session
def command(session: Session, install: bool, every: str, user: str | None) -> None:
    """Print the lines for a crontab that start `archiver run`; with --install, put them there.

    They stand between two comments, by which a later --install finds and replaces them. All other lines stay
    as they are."""
    started = read_started(session, every, user)
    block = cron_block(started)
    if not install:
        if session.json:
            session.print_json("crontab", text=block)
        else:
            click.echo(block, nl=False)
            session.note("Put this into a crontab with: crontab -e; or give --install.")
        return
    changed = _install(started)
    if session.json:
        session.print_json("crontab", text=block, changed=changed)
        return
    whose = "your" if user is None else f"{user}'s"
    click.echo(f"It is in {whose} crontab{'' if changed else ' already; nothing was changed'}.")


def _install(started: Started) -> bool:
    """Put the block into the crontab, and see that it is there; whether anything was changed. Raise
    ArchiverError where crontab does not do it."""
    program = shutil.which("crontab")
    if program is None:
        raise UsageError(
            "there is no program crontab on this machine", "install cron, or: archiver schedule systemd"
        )
    base = [program, *(["-u", started.user] if started.user else [])]
    before = _read(base)
    after = put_block(before, started)
    if after == before:
        return False
    _crontab([*base, "-"], after)
    if _read(base) != after:
        raise ArchiverError("the crontab is not what was written", "look at it: crontab -l")
    return True


def _read(base: list[str]) -> str:
    """The crontab; empty where there is none yet, which crontab calls an error."""
    done = _crontab([*base, "-l"], None, may_fail=True)
    if done.returncode == 0:
        return done.stdout
    if "no crontab for" in done.stderr:
        return ""
    raise _failed(done)


def _crontab(
    words: list[str], text: str | None, *, may_fail: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run crontab; bytes that are no UTF-8 come back as they were."""
    try:
        done = subprocess.run(  # noqa: S603  # the system's own crontab, found on the PATH; no shell
            words,
            input=text if text is not None else "",
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=SECONDS,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ArchiverError(f"crontab does not run: {error}") from error
    if done.returncode and not may_fail:
        raise _failed(done)
    return done


def _failed(done: "subprocess.CompletedProcess[str]") -> ArchiverError:
    said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return ArchiverError(f"crontab refuses: {said}", "may this user have a crontab? see /etc/cron.allow")
