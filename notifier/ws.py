"""The browser's WebSocket: gate, hello, then requests and events until either side ends it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Literal

from aiohttp import WSMsgType, web

from confero.errors import Refused, RemoteError, Unavailable
from confero.ratelimit import TokenBucket
from confero.runtime.http import Route
from confero.runtime.logging import get_logger
from confero.runtime.tasks import spawn

from . import wire
from .closecodes import GONE, MALFORMED, NO_TOKEN, NOT_ALLOWED, NOT_UTF8, SERVICE_DOWN, TOO_MANY
from .connection import ENDED, Connection
from .messages import message_of
from .outlet import CLOSE_S
from .session import Session
from .shared import MAX_MESSAGE, MAX_REQUESTS, Shared, welcome_of
from .visits import upgrade_of
from .wire import ClientRequest, Hello, Leave

log = get_logger(__name__)
MAX_FRAME = 4 * MAX_MESSAGE
"""Beyond it aiohttp ends the connection (1009) without having read the message."""


class Goodbye(Exception):
    """The connection is to end with this close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def parse(text: bytes) -> Hello | ClientRequest:
    """One message of a browser. Raises Goodbye 4400 for anything that is not one, 1007 for no UTF-8 (RFC 6455 section 8.1)."""
    if len(text) > MAX_MESSAGE:
        raise Goodbye(MALFORMED, "message too long")
    try:
        return wire.read_browser(text)
    except wire.Malformed:
        raise Goodbye(MALFORMED if is_utf8(text) else NOT_UTF8, "malformed message") from None


def is_utf8(data: bytes) -> bool:
    """aiohttp hands texts on as they came; only what is refused is looked at again."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class EventsEndpoint:
    """``GET /events``."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/events",
                self.handle,
                summary="WebSocket of a browser (docs/notifications.md)",
                status=101,
                errors=(
                    "400 query-not-allowed",
                    "403 origin-refused",
                    "426 upgrade-required",
                    "429 too-many-connections",
                ),
            )
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket to its end. Raises Refused (403, 429) or RemoteError (400) before the upgrade."""
        source = self._shared.gate.judge(upgrade_of(request))
        with self._shared.gate.slot(source):
            ws: web.WebSocketResponse[Literal[False]] = web.WebSocketResponse(
                autoping=False,
                autoclose=False,
                compress=False,
                max_msg_size=MAX_FRAME,
                timeout=CLOSE_S,
                decode_text=False,
            )
            if not ws.can_prepare(request):
                raise RemoteError("This address speaks WebSocket only.", status=426, code="upgrade-required")
            await ws.prepare(request)
            connection = Connection(request, self._shared.config.queue_bytes)
            with self._shared.opened(connection):
                await Dialogue(self._shared, ws, connection).run()
        return ws


class Dialogue:
    """One connection: hello and welcome, then what comes is read, and requests are answered one after the other beside it."""

    __slots__ = ("_budget", "_connection", "_leaving", "_requests", "_shared", "_worker", "_ws")

    def __init__(self, shared: Shared, ws: web.WebSocketResponse[Literal[False]], connection: Connection) -> None:
        self._shared = shared
        self._ws = ws
        self._connection = connection
        self._budget = TokenBucket(shared.rate, shared.clock)
        self._requests: list[ClientRequest] = []
        self._worker: asyncio.Task[None] | None = None
        self._leaving = False
        """The peer has said goodbye: that is heard though it hangs up at once, as a page does that is closed."""

    async def run(self) -> None:
        """Until the connection has ended; never raises for anything that the peer did."""
        connection, shared = self._connection, self._shared
        try:
            session = await self._greet()
            shared.heartbeats.add(connection)
            await self._read(session)
        except Goodbye as goodbye:
            connection.close(goodbye.code, goodbye.reason)
        finally:
            connection.close(GONE, "")
            shared.heartbeats.remove(connection)
            if self._worker is not None and not self._leaving:
                self._worker.cancel()
            await connection.linger(self._ws)

    # --- hello ----------------------------------------------------------------------------------------------------

    async def _greet(self) -> Session:
        """The session after a good hello. Raises Goodbye."""
        return await self._welcome(await self._hello())

    async def _hello(self) -> Hello:
        try:
            async with asyncio.timeout(self._shared.config.hello_timeout_s):
                message = parse(await self._next_text())
        except TimeoutError:
            raise Goodbye(NO_TOKEN, "no hello in time") from None
        if not isinstance(message, Hello):
            raise Goodbye(NO_TOKEN, "hello comes first")
        return message

    async def _welcome(self, hello: Hello) -> Session:
        sessions = self._shared.sessions
        try:
            session, resumed = await self._entered(hello)
        except Refused as error:
            raise Goodbye(NO_TOKEN if error.status == 401 else NOT_ALLOWED, error.code) from None
        except Unavailable as error:
            raise Goodbye(SERVICE_DOWN, error.code) from None
        roster = await sessions.signaling.roster(session)
        self._connection.ended = partial(sessions.hub.detach, session, self._connection)
        sessions.hub.attach(session, self._connection, welcome_of(session, resumed, roster))
        if self._connection.closing:  # told so while the welcome was made
            sessions.hub.detach(session, self._connection)
        return session

    async def _entered(self, hello: Hello) -> tuple[Session, bool]:
        """The session, and whether it is one that is resumed. While nobody can be asked about its token, one that we know goes on.

        Raises Refused or Unavailable.
        """
        sessions = self._shared.sessions
        try:
            grant = await sessions.validate(hello.token)
        except Unavailable:
            session = self._shared.again(hello.resume, hello.token, hello.seen)
            if session is None:
                raise
            log.info("session goes on unasked", session=session.id)
            return session, True
        return await sessions.enter(grant, hello)

    # --- then -----------------------------------------------------------------------------------------------------

    async def _next_text(self) -> bytes:
        """The next text message. Answers pings. Raises Goodbye when there will be none."""
        while True:
            message = await self._ws.receive()
            self._connection.heard += 1
            if message.type in ENDED:
                raise Goodbye(GONE, "")
            if self._budget.take():
                raise Goodbye(TOO_MANY, "too many messages")
            if message.type is WSMsgType.PING:
                self._connection.pong(message.data)
            elif message.type is WSMsgType.BINARY:
                raise Goodbye(MALFORMED, "binary message")
            elif message.type is WSMsgType.TEXT:
                return bytes(message.data)

    async def _read(self, session: Session) -> None:
        """Until there is no more. Raises Goodbye then."""
        while True:
            message = parse(await self._next_text())
            if isinstance(message, Hello):
                raise Goodbye(MALFORMED, "second hello")
            if len(self._requests) >= MAX_REQUESTS:
                raise Goodbye(TOO_MANY, "too many requests at once")
            self._requests.append(message)
            self._leaving = self._leaving or isinstance(message, Leave)
            if self._worker is None or self._worker.done():
                self._worker = spawn(self._work(session), name="requests of a browser")

    async def _work(self, session: Session) -> None:
        """Answer what waits, one after the other."""
        while self._requests:
            request = self._requests.pop(0)
            reply = await self._shared.sessions.signaling.answer(session, request)
            self._connection.send(message_of(reply))
            if isinstance(request, Leave):
                self._shared.sessions.hub.end(session, "left")
                return
