"""One request through the proxy of the tests, and its answer back, with what a fault does to them."""

import re
import select
import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tests.http_wire import BrokenOffError, Head, Piece, Wire
from tests.proxy_faults import (
    Answer,
    CutAnswer,
    CutRequest,
    EditHead,
    Exchange,
    Fault,
    Hold,
    LoseAnswer,
    Reset,
    Slow,
)

if TYPE_CHECKING:
    from tests.tcp_proxy import TcpProxy

MOST_KEPT_BYTES = 4 << 20
IDLE_SECONDS = 300.0
HOLD_SECONDS = 120.0


class BreakError(Exception):
    """Break this connection now, with a reset or as one that ends."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__()
        self.reset = reset


class Act:
    """One request on its way to the server, and the answer on its way back."""

    def __init__(
        self,
        proxy: "TcpProxy",
        client: Wire,
        upstream: Callable[[], Wire],
        head: Head,
        exchange: Exchange,
        fault: Fault | None,
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._upstream = upstream
        self._head = head
        self._exchange = exchange
        self._fault = fault
        self._pace = fault.bytes_per_second if isinstance(fault, Slow) else None
        self._ends = head.ends_connection

    def run(self) -> bool:
        if isinstance(self._fault, Reset):
            raise BreakError(reset=True)
        if isinstance(self._fault, Answer) and not self._fault.pass_on:
            return self._answer_at_once(self._fault)
        server = self._upstream()
        server.socket.sendall(self._head.raw)
        return self._answer(server, self._pass_request(server))

    @property
    def _waits_for_leave(self) -> bool:
        return self._head.headers.get("expect", "").lower() == "100-continue"

    def _answer_at_once(self, answer: Answer) -> bool:
        if not self._waits_for_leave:
            for piece in self._client.body(self._head):
                self._exchange.request_bytes += len(piece.payload)
        self._give(answer)
        return not self._waits_for_leave

    def _give(self, answer: Answer) -> None:
        self._wait(self._proxy.answer_delay_seconds)
        self._exchange.status = answer.status
        self._exchange.answer_bytes = len(answer.body)
        self._exchange.end = time.monotonic()
        self._client.socket.sendall(answer.encode(self._exchange.method))

    def _pass_request(self, server: Wire) -> Head:
        """Pass the body on, and return the head of the server's final answer. A client that waits for leave
        to send gets it from the server, or sends without, or gets its answer."""
        if self._waits_for_leave and not self._client.has_more_at_hand():
            ready, _, _ = select.select([self._client.socket, server.socket], [], [], IDLE_SECONDS)
            if server.socket in ready:
                head = _required(server.read_head())
                if head.status >= 200:
                    self._ends = True  # whether the body still comes, only the client knows
                    return head
                self._client.socket.sendall(head.raw)
        self._pass_body(server)
        while True:
            head = _required(server.read_head())
            if head.status >= 200:
                return head

    def _pass_body(self, server: Wire) -> None:
        cut = self._fault if isinstance(self._fault, CutRequest) else None
        for piece in self._client.body(self._head):
            if cut is not None and self._exchange.request_bytes + len(piece.payload) > cut.after_bytes:
                left = cut.after_bytes - self._exchange.request_bytes
                self._exchange.request_bytes += left
                server.socket.sendall(piece.payload[:left])
                raise BreakError(reset=cut.reset)
            self._exchange.request_bytes += len(piece.payload)
            try:
                self._send(server.socket, piece.raw)
            except (BrokenPipeError, ConnectionResetError):
                self._ends = True  # the server may have answered before all had come, and closed
                return
        if cut is not None:
            raise BreakError(reset=cut.reset)

    def _answer(self, server: Wire, head: Head) -> bool:
        """Give the client the answer, or what the fault makes of it."""
        method = self._exchange.method
        has_body = method != "HEAD" and head.status not in (204, 304)
        body: Iterable[Piece] = server.body(head, until_end=True) if has_body else ()
        fault = self._fault
        if isinstance(fault, LoseAnswer) or (isinstance(fault, Answer) and fault.pass_on):
            for _ in body:
                pass
            if isinstance(fault, LoseAnswer):
                raise BreakError(reset=fault.reset)
            self._give(fault)
            return not (self._ends or head.ends_connection)
        if isinstance(fault, Hold):
            fault.reached.set()
            fault.released.wait(HOLD_SECONDS)
        self._wait(self._proxy.answer_delay_seconds + (fault.delay_seconds if isinstance(fault, Slow) else 0))
        self._pass_answer(head, body)
        endless = has_body and head.length is None and not head.is_chunked
        return not (self._ends or head.ends_connection or endless)

    def _pass_answer(self, head: Head, body: Iterable[Piece]) -> None:
        exchange = self._exchange
        exchange.status = head.status
        exchange.end = time.monotonic()
        fault = self._fault
        self._client.socket.sendall(fault.edited(head.raw) if isinstance(fault, EditHead) else head.raw)
        cut = self._fault if isinstance(self._fault, CutAnswer) else None
        kept = bytearray()
        for piece in body:
            if cut is not None and exchange.answer_bytes + len(piece.payload) > cut.after_bytes:
                left = cut.after_bytes - exchange.answer_bytes
                exchange.answer_bytes += left
                self._client.socket.sendall(piece.payload[:left])
                raise BreakError(reset=cut.reset)
            exchange.answer_bytes += len(piece.payload)
            kept += piece.payload[: MOST_KEPT_BYTES - len(kept)] if self._proxy.keep else b""
            exchange.end = time.monotonic()
            if cut is None and (not piece.payload or exchange.answer_bytes == head.length):
                self._keep(head, kept)  # before the client has it all, and may look for it
            self._send(self._client.socket, piece.raw)
        if cut is not None:
            raise BreakError(reset=cut.reset)
        self._keep(head, kept)

    def _keep(self, head: Head, body: bytearray) -> None:
        """Have the log keep the answer, where the proxy was told to."""
        if self._proxy.keep and re.search(self._proxy.keep, self._exchange.target):
            self._exchange.answer = Answer(head.status, bytes(body), head.headers)

    def _send(self, connection: socket.socket, data: bytes) -> None:
        """Send it at the fault's pace, twenty pieces a second."""
        step = len(data) if self._pace is None else max(1, int(self._pace / 20))
        for begin in range(0, len(data), step or 1):
            piece = data[begin : begin + step]
            if self._pace is not None:
                self._wait(len(piece) / self._pace)
            connection.sendall(piece)

    def _wait(self, seconds: float) -> None:
        """Wait, but not beyond the proxy's end."""
        if seconds > 0 and self._proxy.stopping.wait(seconds):
            raise BreakError


def _required(head: Head | None) -> Head:
    if head is None:
        raise BrokenOffError("the server gave no answer")
    return head
