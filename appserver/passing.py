"""Requests on their way through: posted to the service behind, the answer passed back piece by piece as it comes, never kept."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from aiohttp import hdrs, web
from pydantic import TypeAdapter

from confero.clock import Clock
from confero.errors import Refused, RemoteError
from confero.models.signalling import Answer, ErrorReply, Leave, Mute, Offer, Ok, Opening, Ping
from confero.runtime.http import Route, read_bytes
from confero.runtime.listener import when_lost
from confero.runtime.logging import get_logger
from confero.runtime.middleware import REQUEST_ID
from confero.runtime.tasks import spawn
from confero.tokens import service_token

from .edge import CONNECT_S, SEND_S, down

log = get_logger(__name__)

PROXY = "X-Confero-Proxy"
"""Our own service token: ``Authorization`` is the browser's."""
ASKED = (hdrs.AUTHORIZATION, hdrs.CONTENT_TYPE, hdrs.ORIGIN, hdrs.ACCESS_CONTROL_REQUEST_METHOD)
"""Headers of the browser that are passed on."""
ANSWERED = (
    *(hdrs.CONTENT_TYPE, hdrs.CACHE_CONTROL, hdrs.RETRY_AFTER, hdrs.WWW_AUTHENTICATE, hdrs.VARY, "X-Accel-Buffering"),
    *(hdrs.ACCESS_CONTROL_ALLOW_ORIGIN, hdrs.ACCESS_CONTROL_ALLOW_METHODS, hdrs.ACCESS_CONTROL_ALLOW_HEADERS),
    hdrs.ACCESS_CONTROL_MAX_AGE,
)
"""Headers of the answer that are passed back."""
SILENCE_S = 60.0
"""A service from which nothing comes for this long is gone: a stream beats every 10 s, a poll ends after 25 s."""
ASK = TypeAdapter[Offer | Mute | Leave | Ping](Offer | Mute | Leave | Ping)
TOLD = TypeAdapter[Answer | Ok | ErrorReply](Answer | Ok | ErrorReply)
FAULTS = ("400 query-not-allowed", "401 token-invalid", "401 token-expired", "403 origin-refused", "429 too-many-connections",
          "429 too-many-requests", "503 notifier-down")  # fmt: skip
POSTS: dict[str, dict[str, Any]] = {
    "/events/stream": {
        "summary": "Events as server-sent events", "body": Opening, "reply_type": "text/event-stream", "errors": FAULTS,
    },
    "/events/poll": {
        "summary": "Events since those seen, or the first that comes", "body": Opening, "reply_type": "application/json",
        "errors": FAULTS,
    },
    "/events/sessions/{listening}": {
        "summary": "A request of a session that streams or polls, and its reply", "body": ASK, "reply": TOLD,
        "errors": (*FAULTS, "404 session-unknown"),
    },
}  # fmt: skip


class Passing:
    """Streams, polls and requests of browsers, for the notifier."""

    def __init__(self, url: str, *, secret: bytes, clock: Clock, limit: int) -> None:
        """``limit``: how many may be on their way at once."""
        self._url = url.rstrip("/")
        self._secret = secret
        self._clock = clock
        self._limit = limit
        self._http: aiohttp.ClientSession | None = None
        self._count = 0
        self._asking: set[asyncio.Task[aiohttp.ClientResponse]] = set()
        self._answers: set[aiohttp.ClientResponse] = set()

    def routes(self) -> list[Route]:
        return [
            *(Route("POST", path, self.handle, rule="events.connect", **facts) for path, facts in POSTS.items()),
            *(Route("OPTIONS", path, self.handle, rule="events.connect", documented=False) for path in POSTS),
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The notifier's answer, whatever it is. Raises RemoteError 400 for a query, Refused 429, Unavailable ``notifier-down``."""
        if request.query_string:
            raise RemoteError("The token never goes into the URL.", code="query-not-allowed")
        if self._count >= self._limit:
            raise Refused("Too many connections; try again in a minute.", status=429, code="too-many-connections")
        self._count += 1
        try:
            return await self._pass_on(request, await read_bytes(request))
        finally:
            self._count -= 1

    async def _pass_on(self, request: web.Request, body: bytes) -> web.StreamResponse:
        answer = await self._answered(request, body)
        self._answers.add(answer)
        when_lost(request, answer.close)
        try:
            return await copied(request, answer)
        finally:
            self._answers.discard(answer)
            answer.release()

    async def _answered(self, request: web.Request, body: bytes) -> aiohttp.ClientResponse:
        """The head of the answer, which a poll may take long to have. Raises Unavailable, also for one that is cut."""
        asking = spawn(self._ask(request, body), name="ask the notifier", logged=False)
        self._asking.add(asking)
        when_lost(request, asking.cancel)
        try:
            return await asking
        except asyncio.CancelledError:
            if not asking.cancelled() or _is_cancelled():
                raise
            raise down("notifier") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("service not reached", service="notifier", reason=type(error).__name__)
            raise down("notifier") from None
        finally:
            self._asking.discard(asking)

    async def _ask(self, request: web.Request, body: bytes) -> aiohttp.ClientResponse:
        url, headers = self._url + request.path, self._headers(request)
        return await self._session().request(request.method, url, data=body or None, headers=headers)

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
            connector = aiohttp.TCPConnector(limit=0)  # bounded by self._limit
            self._http = aiohttp.ClientSession(
                connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._http

    def _headers(self, request: web.Request) -> dict[str, str]:
        given: dict[str, str] = {str(name): request.headers[name] for name in ASKED if name in request.headers}
        return {
            **given,
            PROXY: service_token("appserver", "notifier", secret=self._secret, now=self._clock.wall()),
            hdrs.HOST: request.headers.get(hdrs.HOST, ""),
            hdrs.X_FORWARDED_FOR: request.remote or "",
            hdrs.X_FORWARDED_PROTO: request.scheme,
            "X-Request-Id": request[REQUEST_ID],
        }

    def drain(self) -> None:
        """Cut what is on its way: browsers come again and go on where they were."""
        for asking in list(self._asking):
            asking.cancel()
        for answer in list(self._answers):
            answer.close()

    async def close(self) -> None:
        """End what is on its way."""
        self.drain()
        if self._http is not None:
            await self._http.close()


def _is_cancelled() -> bool:
    """Whether it is the request itself that is to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def copied(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """The answer, as fast as the browser takes it; cut where either side is gone."""
    headers = {name: answer.headers[name] for name in ANSWERED if name in answer.headers}
    response = web.StreamResponse(status=answer.status, headers=headers)
    if answer.content_length is not None:
        response.content_length = answer.content_length
    await response.prepare(request)
    try:
        async for piece in answer.content.iter_any():
            async with asyncio.timeout(SEND_S):
                await response.write(piece)
        await response.write_eof()
    except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        log.debug("answer cut off", reason=type(error).__name__)
        response.force_close()
        if request.transport is not None:
            request.transport.close()
    return response
