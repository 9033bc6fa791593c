"""The command line: one module a command, imported when it runs."""

import os
import sys
from collections.abc import Sequence

from archiver import __version__

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code. `--version` alone pays for no import."""
    _have_somewhere_to_write()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        print(f"archiver {__version__}")
        return 0
    from archiver.cli._group import run
    from archiver.cli._signals import interruption

    if arguments is None:
        interruption.install()
    try:
        code = run(words)
    except KeyboardInterrupt:  # in the instant before there was anything to interrupt, or after
        code = interruption.exit_code
    if arguments is None:
        interruption.finish()
    if interruption.number is not None and arguments is None:
        # Python would wait for threads that wait for a server, a minute or more. Nothing is lost by not doing
        # so: every `with` has been left by now, so that the spool and the state are committed and closed,
        # unfinished files are removed and uploads aborted; output is flushed here; and child processes end
        # with their parent (`archiver/sources/apart.py`, `archiver/seal/workers.py`). What `atexit` would do
        # besides is to note when parts of the cache were last used, which only decides what goes first.
        # Whoever calls `main` with arguments, as tests do, goes on living.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _have_somewhere_to_write() -> None:
    """A stream that whoever started this has closed (`>&-`) is None to Python, and its number free for the
    next file that is opened. A job goes on, and says nothing there."""
    for number, name, stream in ((1, "stdout", sys.stdout), (2, "stderr", sys.stderr)):
        if stream is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115  # to the end
