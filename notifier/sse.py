"""Events as a stream of server-sent events (HTML, section 9.2), read by ``fetch``: for networks that let no WebSocket through."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import hdrs, web

from confero.errors import RemoteError
from confero.models import Farewell, Opening
from confero.runtime.http import Route
from confero.runtime.listener import when_lost

from .closecodes import GONE
from .messages import Message, chunk, message_of
from .outlet import Outlet
from .shared import Shared
from .visits import Visits, opening_of

HEADERS = {
    hdrs.CONTENT_TYPE: "text/event-stream",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Accel-Buffering": "no",
}
"""The last one is for proxies that would rather have the whole first."""
BEAT = chunk(b":\n\n")
"""A comment: keeps what lies between awake."""


class Stream(Outlet):
    """A body that does not end, as a sink: each message is an event, in a chunk of its own."""

    __slots__ = ("over",)

    def __init__(self, request: web.Request, limit: int) -> None:
        """As Outlet's."""
        super().__init__(request, limit)
        self.over = asyncio.Event()
        """Set at the end, from either side."""

    def send(self, message: Message) -> None:
        """Write a message."""
        self._write(message.block)

    def beat(self) -> None:
        """Write something that means nothing. A peer that has gone is noticed by its connection."""
        self._write(BEAT)

    def _last(self, code: int, reason: str) -> bytes:
        return message_of(Farewell(code=code, reason=reason)).block

    def close(self, code: int, reason: str) -> None:
        """As Outlet's."""
        super().close(code, reason)
        self.over.set()

    def lost(self) -> None:
        """The connection is no more."""
        self.close(GONE, "")


class StreamEndpoint:
    """``POST /events/stream``."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._visits = Visits(shared)

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST",
                "/events/stream",
                self.handle,
                summary="Events as server-sent events (docs/notifications.md)",
                body=Opening,
                reply_type="text/event-stream",
                errors=("400 query-not-allowed", "401 token-invalid", "403 origin-refused", "429 too-many-connections"),
            )
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Welcome and events until either side ends it. Raises Refused, RemoteError or Unavailable before that."""
        if request.version < (1, 1):
            raise RemoteError("a stream needs HTTP/1.1", status=505, code="http-version")
        with self._visits.place(request) as cors:
            opening = await opening_of(request)
            session, welcome = await self._visits.enter(request, opening, greet=True)
            response = web.StreamResponse(headers={**HEADERS, **cors})
            response.enable_chunked_encoding()
            response.force_close()
            await response.prepare(request)
            stream = Stream(request, self._shared.config.queue_bytes)
            hub = self._shared.sessions.hub
            with self._shared.opened(stream):
                stream.ended = partial(hub.detach, session, stream)
                hub.attach(session, stream, welcome)
                when_lost(request, stream.lost)
                self._shared.heartbeats.add(stream)
                try:
                    await stream.over.wait()
                finally:
                    self._shared.heartbeats.remove(stream)
                    stream.close(GONE, "")
        return response
