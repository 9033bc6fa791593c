"""A service and a timer for systemd: text. Nothing is run here. systemd.service(5), systemd.exec(5),
systemd.timer(5)."""

from dataclasses import dataclass
from pathlib import Path

from archiver.errors import UsageError
from archiver.schedule.starting import DAY_MINUTES, Started, Touched, require_one_line

MARK = "# Written by: archiver schedule systemd"
"""The first line of what this program may replace."""
CREDENTIAL_FOLDER = "/etc/credstore.encrypted"

_SANDBOX = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""
_FILE_SYSTEM = """\
ProtectSystem=strict
ProtectHome={home}
PrivateTmp={private}
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
"""


@dataclass(frozen=True)
class Units:
    """The text of a service and of the timer that starts it."""

    service: str
    timer: str


def make_units(started: Started, touched: Touched, *, of_user: bool = False) -> Units:
    """Both units. `of_user`: for a user's own systemd, which has no right to shut a service off from the file
    system. Raise UsageError for paths that cannot stand in a unit."""
    return Units(_service(started, touched, of_user=of_user), _timer(started))


def quote(word: str, what: str = "the path") -> str:
    """A word for a unit: specifiers (`%`) doubled, in double quotes where it needs them. systemd.syntax(7),
    "Quoting"."""
    require_one_line(word, what)
    word = word.replace("%", "%%")
    if word and not set(word) & set(" \t\"'\\;"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _service(started: Started, touched: Touched, *, of_user: bool) -> str:
    program, *words = started.words
    # A `$` begins a variable in what a program is given, and nowhere else.
    command = " ".join([_program(program), *(quote(word.replace("$", "$$")) for word in words)])
    settings = require_one_line(started.settings, "the settings' path").replace("%", "%%")
    user = f"User={started.user}\n" if started.user and not of_user else ""
    return (
        f"""{MARK}
[Unit]
Description=Archive what is due, by {settings}
Wants=network-online.target
After=network-online.target local-fs.target remote-fs.target

[Service]
Type=oneshot
{user}UMask=0077
ExecStart={command}
# 3: done, and something is listed as missing. 11: another run, or another host, is at work.
SuccessExitStatus=3 11
TimeoutStartSec=24h
# A run that is told to end does so within ten seconds, with all that was captured kept.
TimeoutStopSec=30
KillMode=mixed
Nice=10
"""
        + _credentials(touched)
        + "\n"
        + ("" if of_user else _file_system(touched))
        + _SANDBOX
    )


def _program(path: str) -> str:
    """systemd starts nothing whose path has a quotation mark or a backslash."""
    if set(path) & set("'\"\\"):
        raise UsageError(
            f"systemd starts no program whose path has a quotation mark or a backslash: {path[:200]}",
            "install the program elsewhere, or make a link to it",
        )
    return quote(path, "the program's path")


def _credentials(touched: Touched) -> str:
    """A line for each secret that the settings take from systemd: made with systemd-creds(1)."""
    lines = [
        f"LoadCredentialEncrypted={quote(f'{name}:{CREDENTIAL_FOLDER}/{name}', 'the credential')}\n"
        for name in touched.credentials
    ]
    return "".join(lines)


def _file_system(touched: Touched) -> str:
    """What of it may be written to: the folders of the settings. One that is not there, as a share that is
    not mounted, stops nothing here (`-`): the run itself says so, and tells whoever is to know."""
    home = "read-only" if touched.in_home else "yes"
    private = "no" if touched.in_temporary else "yes"
    paths = " ".join(quote(f"-{folder}") for folder in touched.folders)
    return _FILE_SYSTEM.format(home=home, private=private) + f"ReadWritePaths={paths}\n"


def _timer(started: Started) -> str:
    spread = min(600, started.every_minutes * 10)
    return f"""{MARK}
[Unit]
Description=Start archiver {_every(started.every_minutes)}

[Timer]
OnCalendar={_calendar(started.every_minutes)}
# What was missed while the machine was off is caught up on.
Persistent=yes
RandomizedDelaySec={spread}
AccuracySec=60

[Install]
WantedBy=timers.target
"""


def _every(minutes: int) -> str:
    if minutes < 60:
        return f"every {minutes} minutes"
    if minutes == DAY_MINUTES:
        return "every day"
    return "every hour" if minutes == 60 else f"every {minutes // 60} hours"


def _calendar(minutes: int) -> str:
    """systemd.time(7), "Calendar events"."""
    if minutes < 60:
        return f"*:0/{minutes}"
    if minutes == DAY_MINUTES:
        return "*-*-* 05:00:00"
    return "hourly" if minutes == 60 else f"0/{minutes // 60}:00:00"


def unit_paths(folder: Path, name: str) -> tuple[Path, Path]:
    """Where the service and the timer of a name lie."""
    return folder / f"{name}.service", folder / f"{name}.timer"
