"""A script on a terminal of its own, and a person who types the answers."""

import os
import pty
import select
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_on_terminal(
    script: str,
    folder: Path,
    answers: Sequence[tuple[str, str]],
    environ: Mapping[str, str],
    timeout_seconds: float = 120,
) -> tuple[int, str]:
    """Run a bash script in `folder`; type each answer, in this order, once its question has appeared.
    Return the exit code and all that the terminal showed."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvpe("bash", ["bash", "-e", "-c", script], dict(environ))  # noqa: S606  # no second shell
    shown, answered_up_to, waiting = "", 0, list(answers)
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline and select.select([terminal], [], [], 60)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux's way to say that the other side has ended
            break
        if not data:
            break
        shown += data.decode("utf-8", "replace")
        while waiting and waiting[0][0] in shown[answered_up_to:]:
            question, answer = waiting.pop(0)
            answered_up_to = shown.index(question, answered_up_to) + len(question)
            os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), shown
