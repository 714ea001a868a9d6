"""Events as a stream of server-sent events (HTML, section 9.2), read by ``fetch``: for networks that let no WebSocket through."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import hdrs, web

from confero.errors import RemoteError
from confero.models import Farewell, Opening
from confero.runtime.http import Route

from .closecodes import GONE
from .heartbeats import Heartbeats
from .messages import Message, chunk, message_of
from .outlet import Outlet
from .shared import Shared
from .visits import Visits

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

    __slots__ = ("_heartbeats", "_over", "_response")

    def __init__(
        self, request: web.Request, response: web.StreamResponse, heartbeats: Heartbeats, *, limit: int
    ) -> None:
        """As Outlet's; ``response`` has been prepared."""
        super().__init__(request, limit)
        self._response = response
        self._heartbeats = heartbeats
        self._over = asyncio.Event()
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
        self._over.set()

    def lost(self) -> None:
        """The connection is no more."""
        self.close(GONE, "")

    async def serve(self, wait_s: float) -> web.StreamResponse:
        """Until either side ends it, however long that is."""
        self._heartbeats.add(self)
        try:
            await self._over.wait()
        finally:
            self._heartbeats.remove(self)
            self.close(GONE, "")
        return self._response


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
        return await self._visits.serve(request, self._begin, greet=True)

    async def _begin(self, request: web.Request, cors: Mapping[str, str]) -> Stream:
        response = web.StreamResponse(headers={**HEADERS, **cors})
        response.enable_chunked_encoding()
        response.force_close()
        await response.prepare(request)
        return Stream(request, response, self._shared.heartbeats, limit=self._shared.config.queue_bytes)
