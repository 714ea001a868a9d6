"""One WebSocket as a sink: frames, pings, and a close that reaches the peer if anything can."""

from __future__ import annotations

from typing import Literal

from aiohttp import WSMsgType, web

from confero.runtime.transports import abort

from .closecodes import NO_PONG
from .messages import PING, PONG, Message, close_frame, frame
from .outlet import Outlet

ENDED = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})
PING_FRAME = frame(PING, b"")


class Connection(Outlet):
    """What a session writes to. Nothing here waits but ``linger``."""

    __slots__ = ("_beaten", "heard")

    def __init__(self, request: web.Request, limit: int) -> None:
        """As Outlet's."""
        super().__init__(request, limit)
        self.heard = 0
        """Frames that have come."""
        self._beaten: int | None = None

    def send(self, message: Message) -> None:
        """Write a message."""
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

    def _last(self, code: int, reason: str) -> bytes:
        return close_frame(code, reason)

    async def linger(self, ws: web.WebSocketResponse[Literal[False]]) -> None:
        """Read until the peer has closed too, or its time is over (RFC 6455 section 7.1.1); then the connection is no more."""
        assert self.closing
        try:
            while (await ws.receive()).type not in ENDED:
                pass
        finally:
            if self._ending is not None:
                self._ending.cancel()
            abort(self._transport)
            self._transport = None
