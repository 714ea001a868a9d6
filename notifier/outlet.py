"""What leads to one browser over a socket: bytes go straight out, what the socket does not take is bounded, and it ends once."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from aiohttp import web

from confero.runtime.transports import abort

from .closecodes import TOO_MANY

CLOSE_S = 3.0
"""How long what is queued, and the end, may take; then the connection is reset."""


class Outlet(ABC):
    """A session's sink. Nothing here waits.

    Bytes are written to the transport itself, whole pieces each, as aiohttp does with its own: what was made once serves every
    connection, and none needs a task that sends.
    """

    __slots__ = ("_ending", "_limit", "_transport", "closing", "code", "ended")

    def __init__(self, request: web.Request, limit: int) -> None:
        """Of a request whose answer has been prepared. ``limit``: bytes that may wait for a slow reader."""
        self._transport = request.transport
        self._limit = limit
        self._ending: asyncio.TimerHandle | None = None
        self.closing = False
        """Once the connection is to end, from either side."""
        self.code = 1006
        """Close code as far as it is known."""
        self.ended: Callable[[], None] | None = None
        """Told once when the connection is to end: from then on it is no use to its session, though the peer may take its time."""

    def _write(self, data: bytes) -> None:
        """Of a reader for whom more waits than the limit the connection is closed with 4429."""
        transport = self._transport
        if self.closing or transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._limit:
            self.close(TOO_MANY, "reader too slow")

    @abstractmethod
    def _last(self, code: int, reason: str) -> bytes:
        """What tells the peer why it is the end."""

    def close(self, code: int, reason: str) -> None:
        """End the connection once what is queued is sent, or in 3 s; the first call counts."""
        if self.closing:
            return
        self.code = code
        self.closing = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._last(code, reason))
        self._ending = asyncio.get_running_loop().call_later(CLOSE_S, abort, self._transport)
        if self.ended is not None:
            self.ended()
