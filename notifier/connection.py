"""One WebSocket as a sink: a bounded queue, a writer, pings, and a close that reaches the peer if anything can."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

SLOW_READER = 4429
NO_PONG = 4408
CLOSE_S = 3.0
"""How long sending what is queued and the closing handshake may take (RFC 6455 section 7.1.1); then the connection is reset."""
REASON_LIMIT = 123
"""Bytes of text in a close frame (RFC 6455 section 5.5)."""

Kind = Literal["text", "ping", "pong"]


@dataclass(frozen=True)
class QueueLimits:
    messages: int = 256
    size: int = 1 << 20
    """Characters."""


class Connection:
    """What a session writes to. ``send`` and ``close`` never wait; ``write`` is the task behind them."""

    def __init__(self, ws: web.WebSocketResponse, abort: Callable[[], None], limits: QueueLimits) -> None:
        self._ws = ws
        self._abort = abort
        self._limits = limits
        self._queue: deque[tuple[Kind, str | bytes]] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self.closing = asyncio.Event()
        """Set once the connection is to end, from either side."""
        self.code = 1006
        """Close code as far as it is known."""
        self._reason = ""

    def send(self, text: str) -> None:
        """Queue a message; a reader that lets the queue grow beyond its bound is closed with 4429 and loses what is queued."""
        self._put("text", text)

    def ping(self) -> None:
        self._put("ping", b"")

    def pong(self, payload: bytes) -> None:
        self._put("pong", payload)

    def _put(self, kind: Kind, payload: str | bytes) -> None:
        if self.closing.is_set():
            return
        if len(self._queue) >= self._limits.messages or self._size + len(payload) > self._limits.size:
            self._queue.clear()
            self.close(SLOW_READER, "reader too slow")
            return
        self._queue.append((kind, payload))
        self._size += len(payload)
        self._wake.set()

    def close(self, code: int, reason: str) -> None:
        """End the connection once what is queued is sent; the first call counts."""
        if self.closing.is_set():
            return
        self.code, self._reason = code, reason
        self.closing.set()
        self._wake.set()

    async def write(self) -> None:
        """Send what is queued until the connection is to end and the queue is empty."""
        try:
            while self._queue or not self.closing.is_set():
                if not self._queue:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                kind, payload = self._queue.popleft()
                self._size -= len(payload)
                await self._send_frame(kind, payload)
        except (ConnectionError, RuntimeError):  # aiohttp's two ways to say that the socket is closed
            self.close(1006, "connection lost")

    async def _send_frame(self, kind: Kind, payload: str | bytes) -> None:
        if isinstance(payload, str):
            await self._ws.send_str(payload)
        elif kind == "ping":
            await self._ws.ping(payload)
        else:
            await self._ws.pong(payload)

    async def finish(self, writer: asyncio.Task[None]) -> None:
        """Flush, close and, if the peer does not play along within 3 s, reset. ``writer`` is the task that runs ``write``.

        The writer is not cancelled while it waits for the socket to drain: aiohttp shares that wait with the close frame.
        """
        deadline = asyncio.get_running_loop().time() + CLOSE_S
        try:
            await asyncio.wait([writer], timeout=CLOSE_S)
            if writer.done() and not self._ws.closed:
                async with asyncio.timeout_at(deadline):
                    await self._ws.close(code=self.code, message=self._reason.encode()[:REASON_LIMIT])
        except (TimeoutError, ConnectionError, RuntimeError):
            pass
        finally:
            self._abort()
            writer.cancel()


async def heartbeat(connection: Connection, frames_heard: Callable[[], int], interval_s: float) -> None:
    """Ping for ever; a peer from which nothing came between two pings is closed with 4408."""
    heard = frames_heard()
    connection.ping()
    while True:
        await asyncio.sleep(interval_s)
        if frames_heard() == heard:
            connection.close(NO_PONG, "no answer to pings")
            return
        heard = frames_heard()
        connection.ping()
