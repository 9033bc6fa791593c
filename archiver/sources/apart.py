"""Reading a large source in a process of its own, so that decoding it and storing it use a core each.

The child sends its events through a pipe, as MessagePack; a thread here receives a few ahead. Should
either process be killed, the other notices by the pipe's end.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from queue import Queue
from typing import IO, Any

import msgspec

from archiver.cycles import look_for_cycles_rarely
from archiver.errors import ArchiverError, error_of, parts_of
from archiver.sources.base import (
    Absence,
    Batch,
    Capture,
    CaptureEnd,
    Event,
    Item,
    Problem,
    Source,
    Unread,
    digest_of,
)

_TYPES: tuple[Any, ...] = (Batch, Capture, CaptureEnd, Problem, Unread, Absence)
_BATCH, _END, _ERROR = 0, 254, 255
_AHEAD = 8
"""Messages received before they are asked for, a mebibyte or two each."""


class ApartSource:
    """The same source, its events read by another process that opens it once more.

    `reopen` makes the source anew there and `content_hash` is applied to every item's content there: the
    items that arrive here hold the hash in its place. Both must be picklable."""

    def __init__(
        self, source: Source, reopen: Callable[[], Any], content_hash: Callable[[bytes], bytes]
    ) -> None:
        self._source = source
        self._reopen = reopen
        self._content_hash = content_hash
        self.platform = source.platform
        self.account = source.account
        self.handle = source.handle
        self.name = source.name
        self.digest = source.digest
        self.generated_ms = source.generated_ms
        self.partial = source.partial

    def open_media(self, file_name: str) -> IO[bytes] | None:
        """As the source itself."""
        return self._source.open_media(file_name)

    def events(self) -> Iterator[Event]:
        """As the source itself; raise what it raised there."""
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(
            target=_send_events, args=(sender, self._reopen, self._content_hash), daemon=True
        )
        process.start()
        sender.close()
        messages: Queue[bytes] = Queue(_AHEAD)
        thread = threading.Thread(target=_receive, args=(receiver, messages), daemon=True)
        thread.start()
        try:
            yield from _decoded(messages)
        finally:
            process.terminate()
            process.join()
            receiver.close()


def _receive(receiver: Connection, messages: "Queue[bytes]") -> None:
    """Pass messages on until the other end closes, which an empty one stands for."""
    with suppress(EOFError, OSError):
        while True:
            messages.put(receiver.recv_bytes())
    messages.put(b"")


def _decoded(messages: "Queue[bytes]") -> Iterator[Event]:
    decoders: list[msgspec.msgpack.Decoder[Event]] = [msgspec.msgpack.Decoder(each) for each in _TYPES]
    while message := messages.get():
        kind = message[0]
        if kind == _END:
            return
        if kind == _ERROR:
            raise error_of(msgspec.msgpack.decode(message[1:], type=tuple[str, str, str | None]))
        yield decoders[kind].decode(memoryview(message)[1:])
    raise ArchiverError(
        "the process that read the export ended before its time",
        "look for an out-of-memory kill; run the command again",
    )


def _send_events(
    sender: Connection, reopen: Callable[[], Any], content_hash: Callable[[bytes], bytes]
) -> None:
    look_for_cycles_rarely()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    encode = msgspec.msgpack.Encoder().encode
    kinds: dict[type, int] = {each: index for index, each in enumerate(_TYPES)}
    with suppress(BrokenPipeError):
        try:
            with reopen() as source:
                for event in source.events():
                    kind = kinds[type(event)]
                    if kind == _BATCH:
                        event = Batch(
                            event.capture_key, [_hashed(item, content_hash) for item in event.items]
                        )
                    sender.send_bytes(bytes((kind,)) + encode(event))
            sender.send_bytes(bytes((_END,)))
        except ArchiverError as error:
            sender.send_bytes(bytes((_ERROR,)) + encode(parts_of(error)))


def _hashed(item: Item, content_hash: Callable[[bytes], bytes]) -> Item:
    return Item(
        item.kind,
        item.id,
        item.posted_ms,
        digest_of(item, content_hash),
        item.slices,
        item.record_id,
        item.media,
    )


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
