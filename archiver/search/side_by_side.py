"""The same work on several parts of a vault, a process each, where there are cores for it.

Ranking every hit of a common word is the one part of searching that takes longer than starting a process
does, and Python's threads would take turns. A child is forked, so it has the keys already; it sends what it
found through a pipe and ends.

The work has two steps. What all found in the first is put together and given to each for the second: by how
many posts of the whole vault a word stands in, each ranks its own.
"""

import os
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO, NamedTuple

import msgspec

from archiver.errors import ArchiverError, error_of, parts_of

_DONE, _FAILED = b"\0", b"\1"
_LENGTH = struct.Struct("=Q")
Step = Callable[[], bytes]


class Work(NamedTuple):
    """One part's two steps; the second is given what `combine` made of all first ones."""

    first: Callable[[], bytes]
    second: Callable[[bytes], bytes]


class _Child(NamedTuple):
    process: int
    answers: BinaryIO
    orders: BinaryIO


def in_two_steps(works: Sequence[Work], combine: Callable[[list[bytes]], bytes]) -> list[bytes]:
    """What each second step returns, in their order; the first of the works is done here, every other in a
    child of its own.

    Raise the first ArchiverError of any, when all have ended."""
    children: list[_Child] = []
    try:
        for work in works[1:]:
            children.append(_start(work, children))
        firsts = [works[0].first(), *(_result_of(_receive(one.answers)) for one in children)]
        combined = combine(firsts)
        for one in children:
            _send(one.orders, combined)
        return [works[0].second(combined), *(_result_of(_receive(one.answers)) for one in children)]
    finally:
        for one in children:  # whoever still waits for an order reads the end of it, and ends
            with suppress(OSError):
                one.orders.close()
            one.answers.close()
        for one in children:
            os.waitpid(one.process, 0)


def _start(work: Work, others: Sequence[_Child]) -> _Child:
    answers_read, answers_write = os.pipe()
    orders_read, orders_write = os.pipe()
    process = os.fork()
    if process:
        os.close(answers_write)
        os.close(orders_read)
        return _Child(process, open(answers_read, "rb"), open(orders_write, "wb"))
    with suppress(BaseException):  # whatever happens, a child ends here and not in its parent's code
        os.close(answers_read)
        os.close(orders_write)
        for one in others:  # or these would never read an end
            os.close(one.orders.fileno())
        with open(answers_write, "wb") as answers, open(orders_read, "rb") as orders:
            _work(work, answers, orders)
    os._exit(0)


def _work(work: Work, answers: BinaryIO, orders: BinaryIO) -> None:
    try:
        _send(answers, _DONE + work.first())
        order = _receive(orders)
        if order is not None:
            _send(answers, _DONE + work.second(order))
    except ArchiverError as error:
        _send(answers, _FAILED + msgspec.msgpack.encode((parts_of(error), error.archive)))


def _send(stream: BinaryIO, message: bytes) -> None:
    with suppress(BrokenPipeError):  # whoever would read it has ended, which is told where that was
        stream.write(_LENGTH.pack(len(message)) + message)
        stream.flush()


def _receive(stream: BinaryIO) -> bytes | None:
    """A message; None where the other side ended without one."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = stream.read(length)
    return message if len(message) == length else None


def _result_of(answer: bytes | None) -> bytes:
    if answer is None:
        raise ArchiverError("a searching process ended before its time", "run the search again")
    if answer[:1] == _FAILED:
        parts, archive = msgspec.msgpack.decode(
            answer[1:], type=tuple[tuple[str, str, str | None], str | None]
        )
        error = error_of(parts)
        error.archive = archive
        raise error
    return answer[1:]
