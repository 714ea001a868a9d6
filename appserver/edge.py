"""WebSockets on their way through: passed on to the service behind message by message, as fast as the slower side takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import WSMsgType, hdrs, web

from confero.clock import Clock
from confero.errors import ConferoError, Refused, RemoteError, Unavailable
from confero.runtime.logging import get_logger
from confero.runtime.middleware import REQUEST_ID
from confero.runtime.tasks import spawn
from confero.runtime.transports import abort
from confero.tokens import service_token

log = get_logger(__name__)

MAX_MESSAGE = 1 << 20
"""Bytes of one message: a roster of 2,000 downwards."""
MAX_UPWARDS = 4 * 72_000
"""Characters of a browser's message that are passed on: what the notifier's socket takes. It would cut the connection in the
middle of a larger one, and its close code would be lost."""
CONNECT_S = 5.0
SEND_S = 20.0
"""A side that takes nothing for this long is gone; about as long as the notifier waits for a pong."""
CLOSE_S = 3.0
WRITE_BUFFER = 4096
"""Bytes after which a send waits for the socket; the socket's own buffer comes on top."""
SERVICE_DOWN = 4503
RESTARTING = 1012
GOING_AWAY = 1001
TOO_BIG = 1009
REASON_LIMIT = 123
"""Bytes (RFC 6455 section 5.5)."""
SENDABLE = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
"""Close codes that may be put into a frame (RFC 6455 section 7.4)."""

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


@dataclass(frozen=True)
class Behind:
    """Who is behind a path of the public port."""

    service: str
    path: str
    protocols: tuple[str, ...] = ()
    """Subprotocols (RFC 6455 section 1.9) of which the browser has to offer one."""


EVENTS = Behind("notifier", "/events")
SIP = Behind("sipgw", "/sip", ("sip",))
"""RFC 7118."""


class WebSocketProxy:
    """One path of the public port."""

    def __init__(self, behind: Behind, url: str, *, secret: bytes, clock: Clock, limit: int) -> None:
        self._behind = behind
        self._url = url.rstrip("/") + behind.path
        self._secret = secret
        self._clock = clock
        self._limit = limit
        self._http: aiohttp.ClientSession | None = None
        self._pairs: set[Pair] = set()

    @property
    def count(self) -> int:
        """WebSockets that are being passed on."""
        return len(self._pairs)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Connect to the service first, so that its refusal is answered before the upgrade; then pump until one side ends.

        Raises Refused or RemoteError with the service's status, Unavailable such as ``notifier-down``.
        """
        if request.query_string:
            raise RemoteError("The token goes into the first message, never into the URL.", code="query-not-allowed")
        if self.count >= self._limit:
            raise Refused("Too many connections; try again in a minute.", status=429, code="too-many-connections")
        browser = web.WebSocketResponse(
            autoping=False,
            compress=False,
            max_msg_size=MAX_MESSAGE,
            writer_limit=WRITE_BUFFER,
            protocols=self._behind.protocols,
        )
        if not browser.can_prepare(request) or not self._speaks(request):
            raise RemoteError("This address speaks WebSocket only.", status=426, code="upgrade-required")
        pair = Pair(browser, lambda: abort(request.transport))
        self._pairs.add(pair)
        try:
            pair.service = await self._connect(request)
            await browser.prepare(request)
            await pair.run()
        finally:
            self._pairs.discard(pair)
            await pair.close()
        return browser

    def _speaks(self, request: web.Request) -> bool:
        """One of the subprotocols, where it has to be."""
        offered = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")
        wanted = self._behind.protocols
        return not wanted or any(one.strip() in wanted for one in offered)

    async def _connect(self, request: web.Request) -> aiohttp.ClientWebSocketResponse:
        try:
            async with asyncio.timeout(CONNECT_S):
                return await self._session().ws_connect(
                    self._url,
                    headers=self._headers(request),
                    autoping=False,
                    compress=0,
                    max_msg_size=MAX_MESSAGE,
                    protocols=self._behind.protocols,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise refusal(error.status, self._behind.service) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("service not reached", service=self._behind.service, reason=type(error).__name__)
            raise down(self._behind.service) from None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            connector = aiohttp.TCPConnector(limit=0)  # bounded by self._limit
            self._http = aiohttp.ClientSession(
                connector=connector, timeout=aiohttp.ClientTimeout(), cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._http

    def _headers(self, request: web.Request) -> dict[str, str]:
        """What the service judges by. The token says that the forwarded values are our word, not the browser's."""
        token = service_token("appserver", self._behind.service, secret=self._secret, now=self._clock.wall())
        headers = {
            hdrs.AUTHORIZATION: f"Bearer {token}",
            hdrs.HOST: request.headers.get(hdrs.HOST, ""),
            hdrs.X_FORWARDED_FOR: request.remote or "",
            hdrs.X_FORWARDED_PROTO: request.scheme,
            "X-Request-Id": request[REQUEST_ID],
        }
        origins = request.headers.getall(hdrs.ORIGIN, [])
        return {**headers, hdrs.ORIGIN: origins[0]} if len(origins) == 1 else headers

    def drain(self) -> None:
        """Tell every browser that the service restarts."""
        for pair in list(self._pairs):
            pair.end(RESTARTING)

    async def close(self) -> None:
        self.drain()
        if self._http is not None:
            await self._http.close()


def down(service: str) -> Unavailable:
    """The service is not there, or not willing."""
    return Unavailable("The server is restarting; try again in a moment.", code=f"{service}-down")


def refusal(status: int, service: str) -> ConferoError:
    """The service's answer to the upgrade in our words."""
    if status == 403:
        return Refused("This page may not connect here.", status=403, code="origin-refused")
    if status == 429:
        return Refused("Too many connections; try again in a minute.", status=429, code="too-many-connections")
    if 400 <= status < 500:
        return RemoteError("The request is not one for a WebSocket.", status=status, code="bad-request")
    return down(service)


@dataclass(frozen=True)
class Goodbye:
    """What a side is closed with."""

    code: int
    reason: bytes = b""


class Pair:
    """A browser's socket and the service's, and the two pumps between them."""

    def __init__(self, browser: web.WebSocketResponse, abort: Callable[[], None]) -> None:
        self.browser = browser
        self.service: aiohttp.ClientWebSocketResponse | None = None
        self._abort = abort
        self._ended = asyncio.Event()
        self._up = Goodbye(GOING_AWAY)
        self._down = Goodbye(SERVICE_DOWN)

    async def run(self) -> None:
        """Until one side has closed, vanished or stopped taking what it is sent."""
        assert self.service is not None
        up = spawn(self._pump(self.browser, self.service), name="events up")
        down = spawn(self._pump(self.service, self.browser), name="events down")
        ended = spawn(self._ended.wait(), name="events ended")
        parts = (up, down, ended)
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            if up.done():
                self._up = up.result()
            if down.done():
                self._down = down.result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.wait(parts)

    async def _pump(self, source: Socket, sink: Socket) -> Goodbye:
        """Copy messages; what the sink is to be closed with."""
        vanished = Goodbye(GOING_AWAY if source is self.browser else SERVICE_DOWN)
        try:
            while True:
                message = await source.receive()
                if message.type is WSMsgType.CLOSE:
                    return farewell(message)
                if message.type in (WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                    return vanished
                if source is self.browser and len(message.data) > MAX_UPWARDS:
                    self.end(TOO_BIG)
                    return vanished
                async with asyncio.timeout(SEND_S):
                    await _send(sink, message)
        except (ConnectionError, RuntimeError, TimeoutError):
            return vanished

    def end(self, code: int) -> None:
        """Close the browser's side with this code."""
        self._down = Goodbye(code)
        self._ended.set()

    async def close(self) -> None:
        """Close both sides; then cut off the browser, which has had its time to close by itself."""
        closing = []
        if self.service is not None:
            closing.append(self.service.close(code=self._up.code, message=self._up.reason))
        if self.browser.prepared:
            closing.append(self.browser.close(code=self._down.code, message=self._down.reason))
        if not closing:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                # A pump cancelled while it waited for a full socket leaves that wait cancelled: an exception here, no matter.
                await asyncio.gather(*closing, return_exceptions=True)
        except TimeoutError:
            log.debug("websocket cut off")
        finally:
            if self.browser.prepared:
                self._abort()


def farewell(message: aiohttp.WSMessage) -> Goodbye:
    """What the other side closed with, as far as it may be repeated: 1005 and 1006 never stand in a frame."""
    if message.data not in SENDABLE:
        return Goodbye(1000)
    return Goodbye(message.data, (message.extra or "").encode()[:REASON_LIMIT])


async def _send(sink: Socket, message: aiohttp.WSMessage) -> None:
    match message.type:
        case WSMsgType.TEXT:
            await sink.send_str(message.data)
        case WSMsgType.BINARY:
            await sink.send_bytes(message.data)
        case WSMsgType.PING:
            await sink.ping(message.data)
        case WSMsgType.PONG:
            await sink.pong(message.data)
