"""The layout of the samples in `config/`: settings in /etc/archiver, what is written in /var/lib/archiver."""

from pathlib import Path

from archiver.schedule.starting import Started, Touched

STARTED = Started(
    Path("/opt/archiver/.venv/bin/archiver"), Path("/etc/archiver/archiver.toml"), user="archiver"
)
TOUCHED = Touched((Path("/var/lib/archiver"),))
