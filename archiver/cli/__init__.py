"""The command line: one module a command, imported when it runs."""

import sys
from collections.abc import Sequence

from archiver import __version__

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code. `--version` alone pays for no import."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        print(f"archiver {__version__}")
        return 0
    from archiver.cli._group import run

    return run(words)
