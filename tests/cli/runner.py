"""Runs `archiver`: in this process for speed, in one of its own where that matters, on a terminal."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from archiver.cli import main
from tests.programs import PROJECT

PROGRAM = (sys.executable, "-c", "import sys; from archiver.cli import main; sys.exit(main())")


@dataclass(frozen=True)
class Result:
    code: int
    output: str
    errors: str

    def json_lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.output.splitlines()]


class Runner:
    """`run("search", "word")` in this process; standard input is no terminal."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Result:
        self._capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return Result(code, captured.out, captured.err)

    def fails(self, code: int, *arguments: str | Path) -> str:
        """Run what must fail with this exit code, print no result, and say it in our two lines."""
        result = self(*arguments)
        assert result.code == code, result
        assert result.output == ""
        assert result.errors.startswith("archiver: error: ")
        return result.errors.removeprefix("archiver: error: ").rstrip("\n")


def start_process(
    *arguments: str | Path, environ: Mapping[str, str] | None = None, output: int = subprocess.PIPE
) -> "subprocess.Popen[str]":
    """A process of its own; `output` is the descriptor that takes its results."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=PROJECT,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_on_terminal(
    arguments: Sequence[str | Path], answers: Mapping[str, str], **environ: str
) -> tuple[int, str]:
    """Run on a terminal of its own, typing each answer when its question appears; return the exit code
    and all that the terminal showed."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(PROJECT)
        known = {**os.environ, "TERM": "xterm", "NO_COLOR": "", **environ}
        os.execve(PROGRAM[0], [*PROGRAM, *map(str, arguments)], known)  # noqa: S606  # no shell is what we want
    shown, waiting, answered_up_to = "", dict(answers), 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and select.select([terminal], [], [], 30)[0]:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux's way to say that the other side has ended
            break
        if not data:
            break
        shown += data.decode("utf-8", "replace")
        for question in [one for one in waiting if one in shown[answered_up_to:]]:
            answered_up_to = len(shown)
            os.write(terminal, f"{waiting.pop(question)}\n".encode())
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), shown
