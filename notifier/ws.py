"""The browser's WebSocket: gate, hello, then requests and events until either side ends it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from aiohttp import WSMsgType, web

from confero.clock import Clock
from confero.errors import Refused, RemoteError, Unavailable
from confero.models import Welcome
from confero.ratelimit import Rate, TokenBucket
from confero.runtime.logging import get_logger
from confero.runtime.tasks import spawn

from . import wire
from .config import NotifierConfig
from .connection import CLOSE_S, ENDED, GONE, Connection
from .entry import Gate, Upgrade
from .heartbeats import Heartbeats
from .messages import Message, message_of
from .session import Session
from .sessions import Sessions
from .wire import ClientRequest, Hello, Leave

log = get_logger(__name__)

NOT_UTF8 = 1007
MALFORMED = 4400
NO_TOKEN = 4401
NOT_ALLOWED = 4403
TOO_MANY = 4429
SERVICE_DOWN = 4503
RESTARTING = 1012
CLOSE_CODES = frozenset({1000, 1001, 1007, 1012, 4400, 4401, 4403, 4408, 4409, 4429, 4503})
"""All that this service closes with (docs/wire.md), and 1001 for a browser that went by itself."""

MAX_MESSAGE = 72_000
"""Bytes of a text message: the largest SDP with its line ends escaped, and the rest of an offer."""
MAX_FRAME = 4 * MAX_MESSAGE
"""Beyond it aiohttp ends the connection (1009) without having read the message."""
MAX_REQUESTS = 16
"""Requests of one connection that may wait while one is with the MCU; a browser has one or two."""


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


@dataclass(frozen=True)
class Shared:
    """What every connection of this notifier uses."""

    config: NotifierConfig
    clock: Clock
    gate: Gate
    sessions: Sessions
    heartbeats: Heartbeats
    closed: Callable[[int], None]
    """Told the close code of each connection that ends."""


class EventsEndpoint:
    """``GET /events``."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._open: set[Connection] = set()

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
            self._open.add(connection)
            try:
                await Dialogue(self._shared, ws, connection).run()
            finally:
                self._open.discard(connection)
                self._shared.closed(connection.code)
        return ws

    def close_all(self) -> None:
        """Tell every browser that the service restarts; they come back by themselves."""
        for connection in list(self._open):
            connection.close(RESTARTING, "service restarts")


def upgrade_of(request: web.Request) -> Upgrade:
    """The facts of the request that the gate judges."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    return Upgrade(
        origins=request.headers.getall("Origin", []),
        host=request.host,
        scheme=request.scheme,
        remote=request.remote or "",
        forwarded_for=request.headers.get("X-Forwarded-For", ""),
        forwarded_proto=request.headers.get("X-Forwarded-Proto", ""),
        bearer=credentials if scheme.lower() == "bearer" else "",
        query=request.query,
    )


def welcome_of(session: Session, resumed: bool, roster: bytes) -> Message:
    """The answer to hello; events follow after its positions. ``roster``: JSON, put in as it is."""
    grant = session.grant
    text = Welcome(
        session=session.id,
        topics=session.positions,
        resumed=resumed,
        participant=grant.participant,
        room=grant.room,
        room_name=grant.room_name,
        waiting=grant.waiting,
        roster=[],
    ).model_dump_json()
    assert text.endswith("[]}")  # the roster is the model's last field
    return Message(b"%b%b}" % (text[:-3].encode(), roster))


class Dialogue:
    """One connection: hello and welcome, then what comes is read, and requests are answered one after the other beside it."""

    def __init__(self, shared: Shared, ws: web.WebSocketResponse[Literal[False]], connection: Connection) -> None:
        self._shared = shared
        self._ws = ws
        self._connection = connection
        config = shared.config
        self._budget = TokenBucket(Rate(config.message_burst, config.messages_per_s), shared.clock)
        self._requests: deque[ClientRequest] = deque()
        self._worker: asyncio.Task[None] | None = None

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
            if self._worker is not None:
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
            grant = await sessions.validate(hello.token)
            session, resumed = await sessions.enter(grant, hello)
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
            if self._worker is None or self._worker.done():
                self._worker = spawn(self._work(session), name="requests of a browser")

    async def _work(self, session: Session) -> None:
        """Answer what waits, one after the other."""
        while self._requests:
            request = self._requests.popleft()
            reply = await self._shared.sessions.signaling.answer(session, request)
            self._connection.send(message_of(reply))
            if isinstance(request, Leave):
                self._shared.sessions.hub.end(session, "left")
                return
