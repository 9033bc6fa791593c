"""A cron line, and a crontab that holds it between two comments. Nothing is run here.

crontab(5): the command is given to sh as it is, but for a `%`, which is a line break where no backslash is
before it; the backslash before a `%` is taken away.
"""

import shlex
from hashlib import sha256

from archiver.errors import UsageError
from archiver.schedule.starting import DAY_MINUTES, Started, require_one_line

MOST_COMMAND_BYTES = 900
"""Debian's cron cuts a command off at 998 without a word."""
_BEGIN, _END = "# archiver: begin ", "# archiver: end "
_MAIL_HINT = "# What this prints, cron mails to MAILTO: set it above, if this machine sends mail."


def cron_block(started: Started) -> str:
    """The line between its two comments, each with a line end. Raise UsageError for paths that cannot stand
    in a crontab."""
    settings = require_one_line(started.settings, "the settings' path")
    require_one_line(started.program, "the program's path")
    return f"{_BEGIN}{settings}\n{_MAIL_HINT}\n{cron_line(started)}\n{_END}{settings}\n"


def cron_line(started: Started) -> str:
    """When, and the command: paths quoted for sh, and `%` for cron."""
    command = " ".join(quote_for_cron(word) for word in started.words)
    if len(command.encode()) > MOST_COMMAND_BYTES:
        raise UsageError(
            f"the command for cron is {len(command.encode())} bytes long",
            f"cron takes {MOST_COMMAND_BYTES} at most: use shorter paths, or a link to them",
        )
    return f"{cron_time(started)} {command}"


def cron_time(started: Started) -> str:
    """The five fields. The minute is made of the settings' path, so that not every machine of an office
    starts at once, and the same again each time."""
    number = int.from_bytes(sha256(str(started.settings).encode()).digest()[:4], "big")
    minutes = started.every_minutes
    if minutes < 60:
        return f"{number % minutes}-59/{minutes} * * * *"
    minute = number % 60
    if minutes == 60:
        return f"{minute} * * * *"
    if minutes == DAY_MINUTES:
        return f"{minute} 5 * * *"
    return f"{minute} */{minutes // 60} * * *"


def quote_for_cron(word: str) -> str:
    """A word for sh in a crontab. A `%` stands outside of quotes, so that what is before it is never a
    backslash of the word's own."""
    quoted = shlex.quote(word)
    return quoted.replace("%", "'\\%'" if quoted.startswith("'") else "\\%")


def put_block(crontab: str, started: Started) -> str:
    """The crontab with the block in it: in place of an earlier one of the same settings, else at the end. All
    other lines stay as they are. Raise UsageError where an earlier block has no end or another begins in
    it."""
    block = cron_block(started)
    begin, end = f"{_BEGIN}{started.settings}\n", f"{_END}{started.settings}\n"
    lines = [f"{line}\n" for line in crontab.removesuffix("\n").split("\n")] if crontab else []
    begins = [number for number, line in enumerate(lines) if line == begin]
    if not begins:
        return "".join(lines) + block
    first = begins[0]
    last = next((number for number in range(first + 1, len(lines)) if lines[number] == end), None)
    broken = last is None or any(line.startswith(_BEGIN) for line in lines[first + 1 : last])
    if broken or last is None or len(begins) > 1:
        raise UsageError(
            f"the crontab has the line {begin.strip()!r} and what belongs to it is not whole",
            "take the lines of archiver out with: crontab -e; then again",
        )
    return "".join([*lines[:first], block, *lines[last + 1 :]])
