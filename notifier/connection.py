"""One WebSocket as a sink: frames go straight to the socket, what it does not take yet is bounded, and a close reaches the peer if
anything can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from aiohttp import WSMsgType, web

from confero.runtime.transports import abort

from .messages import PING, PONG, Message, close_frame, frame

GONE = 1001
SLOW_READER = 4429
NO_PONG = 4408
CLOSE_S = 3.0
"""How long what is queued and the closing handshake may take (RFC 6455 section 7.1.1); then the connection is reset."""
ENDED = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})
PING_FRAME = frame(PING, b"")


class Connection:
    """What a session writes to. Nothing here waits but ``linger``.

    Frames are written to the transport itself, whole and in one piece each, as aiohttp does with its own: a frame made once serves
    every connection, and none needs a task that sends.
    """

    __slots__ = ("_beaten", "_ending", "_limit", "_transport", "closing", "code", "ended", "heard")

    def __init__(self, request: web.Request, limit: int) -> None:
        """Of a request whose WebSocket has been prepared. ``limit``: bytes that may wait for a slow reader."""
        self._transport = request.transport
        self._limit = limit
        self._ending: asyncio.TimerHandle | None = None
        self.closing = False
        """Once the connection is to end, from either side."""
        self.code = 1006
        """Close code as far as it is known."""
        self.heard = 0
        """Frames that have come."""
        self.ended: Callable[[], None] | None = None
        """Told once when the connection is to end: from then on it is no use to its session, though the peer may take its time."""
        self._beaten: int | None = None

    def send(self, message: Message) -> None:
        """Write a message; a reader for whom more waits than the limit is closed with 4429."""
        self._write(message.frame)

    def pong(self, payload: bytes) -> None:
        """Answer a ping."""
        self._write(frame(PONG, payload))

    def beat(self) -> None:
        """Ping; a peer from which nothing came since the last time is closed with 4408."""
        if self._beaten == self.heard:
            self.close(NO_PONG, "no answer to pings")
            return
        self._beaten = self.heard
        self._write(PING_FRAME)

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if self.closing or transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._limit:
            self.close(SLOW_READER, "reader too slow")

    def close(self, code: int, reason: str) -> None:
        """End the connection once what is queued is sent, or in 3 s; the first call counts."""
        if self.closing:
            return
        self.code = code
        self.closing = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(close_frame(code, reason))
        self._ending = asyncio.get_running_loop().call_later(CLOSE_S, abort, self._transport)
        if self.ended is not None:
            self.ended()

    async def linger(self, ws: web.WebSocketResponse[Literal[False]]) -> None:
        """Read until the peer has closed too, or its time is over; then the connection is no more."""
        assert self.closing
        try:
            while (await ws.receive()).type not in ENDED:
                pass
        finally:
            if self._ending is not None:
                self._ending.cancel()
            abort(self._transport)
            self._transport = None
