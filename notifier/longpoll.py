"""Events by long polls, for networks that let nothing else through: each answer has what has happened since the last."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web

from confero.models import Farewell, Opening
from confero.runtime.http import Route

from .closecodes import GONE, TOO_MANY
from .messages import Message, array, message_of
from .shared import Shared
from .visits import Visits

GATHER_S = 0.02
"""What happens at once goes into one answer."""


class Poll:
    """One answer as a sink."""

    def __init__(self, limit: int, headers: Mapping[str, str]) -> None:
        """``limit``: bytes that one answer may have. ``headers``: of the answer."""
        self._headers = headers
        self._limit = limit
        self._size = 0
        self._bodies: list[bytes] = []
        self._wake = asyncio.Event()
        self.code = 0
        """What it ended with, if it did not end by being an answer."""
        self._over = False

    def send(self, message: Message) -> None:
        """Put into the answer."""
        if self._over:
            return
        self._bodies.append(message.json)
        self._size += len(message.json)
        self._wake.set()
        if self._size > self._limit:
            self.close(TOO_MANY, "reader too slow")

    def close(self, code: int, reason: str) -> None:
        """No more answers; the first call counts."""
        if not self._over:
            self._bodies.append(message_of(Farewell(code=code, reason=reason)).json)
            self.code, self._over = code, True
            self._wake.set()

    def lost(self) -> None:
        """Nobody is there any more who would read the answer."""
        self.close(GONE, "")

    async def serve(self, wait_s: float) -> web.Response:
        """What has come, after ``wait_s`` seconds at most."""
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
            await asyncio.sleep(GATHER_S)
        except TimeoutError:
            pass
        body = b'{"messages":%b}' % array(self._bodies)
        return web.Response(body=body, content_type="application/json", headers=self._headers)


class PollEndpoint:
    """``POST /events/poll``."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._visits = Visits(shared)

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST",
                "/events/poll",
                self.handle,
                summary="Events since those seen, or the first that comes (docs/notifications.md)",
                body=Opening,
                reply_type="application/json",
                errors=("400 query-not-allowed", "401 token-invalid", "403 origin-refused", "429 too-many-requests"),
            )
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One answer. Raises Refused, RemoteError or Unavailable."""
        return await self._visits.serve(request, self._begin)

    async def _begin(self, request: web.Request, cors: Mapping[str, str]) -> Poll:
        return Poll(self._shared.config.queue_bytes, {"Cache-Control": "no-store", **cors})
