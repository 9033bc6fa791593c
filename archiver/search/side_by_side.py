"""The same work on several parts of a vault, a process each, where there are cores for it.

Ranking every hit of a common word is the one part of searching that takes longer than starting a process
does. A child is forked, so it has the keys already; it sends what it found through a pipe and ends.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from archiver.errors import ArchiverError, error_of, parts_of

_DONE, _FAILED = b"\0", b"\1"


def each_in_a_process(tasks: Sequence[Callable[[], bytes]]) -> list[bytes]:
    """What each task returns, in their order; the first is done here, every other in a child of its own.

    Raise the first ArchiverError of any, when all have ended."""
    children = [_start(task) for task in tasks[1:]]
    try:
        results = [tasks[0]()]
    finally:
        answers = [_receive(process, pipe) for process, pipe in children]
    return results + [_result_of(answer) for answer in answers]


def _start(task: Callable[[], bytes]) -> tuple[int, int]:
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    with suppress(BaseException):  # whatever happens, a child ends here and not in its parent's code
        os.close(reading)
        try:
            answer = _DONE + task()
        except ArchiverError as error:
            answer = _FAILED + msgspec.msgpack.encode(parts_of(error))
        with open(writing, "wb") as stream:
            stream.write(answer)
    os._exit(0)


def _receive(process: int, pipe: int) -> bytes:
    with open(pipe, "rb") as stream:
        answer = stream.read()
    os.waitpid(process, 0)
    return answer


def _result_of(answer: bytes) -> bytes:
    if answer[:1] == _DONE:
        return answer[1:]
    if answer[:1] == _FAILED:
        raise error_of(msgspec.msgpack.decode(answer[1:], type=tuple[str, str, str | None]))
    raise ArchiverError("a searching process ended before its time", "run the search again")
