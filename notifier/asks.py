"""Requests of browsers whose events come by stream or poll: each is a POST that brings its reply; and what CORS asks before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from confero.errors import Refused
from confero.models import Answer, ErrorReply, Mute, Offer, Ok, Ping
from confero.models import Leave as LeaveModel
from confero.runtime.http import Route, read_json, reply

from . import wire
from .api import path_id
from .session import Session
from .shared import MAX_REQUESTS, Shared
from .visits import Visits, refused, token_of
from .wire import ClientRequest, Hello, Leave

ALLOWED = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


@dataclass
class Line:
    """Requests of one session, answered one after the other."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class AskEndpoint:
    """``POST /events/sessions/{session}``, and ``OPTIONS`` of all that is posted to."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._visits = Visits(shared)
        self._lines: dict[str, Line] = {}

    def routes(self) -> list[Route]:
        ask = Route(
            "POST",
            "/events/sessions/{session}",
            self.handle,
            summary="A request, as over the WebSocket, and its reply",
            body=Offer | Mute | LeaveModel | Ping,
            reply=Answer | Ok | ErrorReply,
            errors=("401 token-invalid", "403 origin-refused", "404 session-unknown", "429 too-many-requests"),
        )
        paths = ("/events/stream", "/events/poll", "/events/sessions/{session}")
        return [ask, *(Route("OPTIONS", path, self.allow, status=204, documented=False) for path in paths)]

    async def handle(self, request: web.Request) -> web.Response:
        """The reply to one request. Raises Refused, RemoteError or Unavailable."""
        with self._visits.place(request) as cors:
            session = self._shared.known(path_id(request, "session"), token_of(request))
            if session is None:
                raise Refused("The session is over; begin anew.", status=404, code="session-unknown")
            self._visits.spend(session)
            message = request_of(await read_json(request))
            async with self._turn(session):
                answer = await self._shared.sessions.signaling.answer(session, message)
            if isinstance(message, Leave):
                self._shared.sessions.hub.end(session, "left")
        response = reply(answer)
        response.headers.update(cors)
        return response

    @asynccontextmanager
    async def _turn(self, session: Session) -> AsyncIterator[None]:
        """Raises Refused 429 when too many wait for theirs."""
        line = self._lines.setdefault(session.id, Line())
        if line.waiting >= MAX_REQUESTS:
            raise Refused("Too many requests at once.", status=429, code="too-many-requests", retry_after_s=1)
        line.waiting += 1
        try:
            async with line.lock:
                yield
        finally:
            line.waiting -= 1
            if not line.waiting:
                self._lines.pop(session.id, None)

    async def allow(self, request: web.Request) -> web.Response:
        """What a page of another origin may send, if the gate takes it (Fetch, section 4.8)."""
        with self._visits.place(request) as cors:
            return web.Response(status=204, headers={**ALLOWED, **cors})


def request_of(data: bytes) -> ClientRequest:
    """A browser's request. Raises RemoteError 400, or InvalidBody."""
    try:
        message = wire.read_browser(data)
    except wire.Malformed as error:
        raise refused(error) from None
    if isinstance(message, Hello):
        raise refused(wire.Malformed("Expected a request, got `hello`"))
    return message
