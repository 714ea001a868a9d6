"""The browser's WebSocket: gate, hello, then requests and events until either side ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web
from pydantic import TypeAdapter, ValidationError

from confero.clock import Clock
from confero.errors import Refused, RemoteError, Unavailable
from confero.models import ClientMessage, Hello, Leave, Mute, Offer, Ping, Welcome
from confero.ratelimit import Rate, TokenBucket
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag, spawn
from confero.runtime.transports import abort

from .config import NotifierConfig
from .connection import Connection, QueueLimits, heartbeat
from .entry import Gate, Upgrade
from .hub import Session
from .sessions import Sessions

log = get_logger(__name__)

MALFORMED = 4400
NO_TOKEN = 4401
NOT_ALLOWED = 4403
TOO_MANY = 4429
SERVICE_DOWN = 4503
GONE = 1001
RESTARTING = 1012
CLOSE_CODES = frozenset({1000, 1001, 1012, 4400, 4401, 4403, 4408, 4409, 4429, 4503})
"""All that this service closes with (docs/wire.md), and 1001 for a browser that went by itself."""

MAX_MESSAGE = 72_000
"""Bytes of a text message: the largest SDP with its line ends escaped, and the rest of an offer."""
MAX_FRAME = 4 * MAX_MESSAGE
"""Beyond it aiohttp ends the connection (1009) without having read the message."""
MAX_REQUESTS = 16
"""Requests of one connection that may wait while one is with the MCU; a browser has one or two."""

_message = TypeAdapter[ClientMessage](ClientMessage)


class Goodbye(Exception):
    """The connection is to end with this close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def parse(text: str) -> Hello | Offer | Mute | Leave | Ping:
    """One message of a browser. Raises Goodbye 4400 for anything that is not one."""
    if len(text) > MAX_MESSAGE or len(text.encode(errors="replace")) > MAX_MESSAGE:
        raise Goodbye(MALFORMED, "message too long")
    try:
        return _message.validate_json(text)
    except ValidationError:
        raise Goodbye(MALFORMED, "malformed message") from None


@dataclass(frozen=True)
class Shared:
    """What every connection of this notifier uses."""

    config: NotifierConfig
    clock: Clock
    gate: Gate
    sessions: Sessions
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
        config = self._shared.config
        with self._shared.gate.slot(source):
            ws = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=MAX_FRAME, writer_limit=4096)
            if not ws.can_prepare(request):
                raise RemoteError("This address speaks WebSocket only.", status=426, code="upgrade-required")
            await ws.prepare(request)
            connection = Connection(
                ws, abort_of(request), QueueLimits(messages=config.queue_messages, size=config.queue_bytes)
            )
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


def abort_of(request: web.Request) -> Callable[[], None]:
    """Resets the request's TCP connection if it still stands."""
    transport = request.transport
    return lambda: abort(transport)


def welcome_text(session: Session, after: int, resumed: bool, roster: str) -> str:
    """The answer to hello; events follow from number ``after`` + 1 on. ``roster``: JSON, put in as it is."""
    grant = session.grant
    text = Welcome(
        session=session.id,
        seq=after,
        resumed=resumed,
        participant=grant.participant,
        room=grant.room,
        room_name=grant.room_name,
        waiting=grant.waiting,
        roster=[],
    ).model_dump_json()
    assert text.endswith("[]}")  # the roster is the model's last field
    return f"{text[:-3]}{roster}}}"


class Dialogue:
    """One connection: hello and welcome, then a reader, a worker, a heartbeat and a writer beside each other."""

    def __init__(self, shared: Shared, ws: web.WebSocketResponse, connection: Connection) -> None:
        self._shared = shared
        self._ws = ws
        self._connection = connection
        self._frames = 0
        config = shared.config
        self._budget = TokenBucket(Rate(config.message_burst, config.messages_per_s), shared.clock)
        self._requests: asyncio.Queue[Offer | Mute | Leave | Ping] = asyncio.Queue(MAX_REQUESTS)

    async def run(self) -> None:
        """Until the connection has ended; never raises for anything that the peer did."""
        connection = self._connection
        writer = spawn(connection.write(), name="ws-write")
        parts = TaskBag()
        session: Session | None = None
        try:
            session = await self._greet()
            if session is not None:
                interval = self._shared.config.ping_interval_s
                parts.spawn(self._read(), name="ws-read")
                parts.spawn(self._work(session), name="ws-work")
                parts.spawn(heartbeat(connection, lambda: self._frames, interval), name="ws-heartbeat")
            await connection.closing.wait()
        finally:
            connection.close(GONE, "")
            if session is not None:
                self._shared.sessions.hub.detach(session, connection)
            await parts.close()
            await connection.finish(writer)

    # --- hello ----------------------------------------------------------------------------------------------------

    async def _greet(self) -> Session | None:
        """The session after a good hello; None after the connection was told to close."""
        try:
            hello = await self._hello()
            return await self._welcome(hello)
        except Goodbye as goodbye:
            self._connection.close(goodbye.code, goodbye.reason)
            return None

    async def _hello(self) -> Hello:
        deadline = asyncio.timeout(self._shared.config.hello_timeout_s)
        try:
            async with deadline:
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
        after = hello.last_seq if resumed else 0
        roster = await sessions.signaling.roster(session)
        text = welcome_text(session, after, resumed, roster)
        sessions.hub.attach(session, self._connection, text, after)
        return session

    # --- the parts ------------------------------------------------------------------------------------------------

    async def _next_text(self) -> str:
        """The next text message. Answers pings. Raises Goodbye when there will be none."""
        while True:
            message = await self._ws.receive()
            self._frames += 1
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                raise Goodbye(GONE, "")
            if self._budget.take():
                raise Goodbye(TOO_MANY, "too many messages")
            if message.type is WSMsgType.PING:
                self._connection.pong(message.data)
            elif message.type is WSMsgType.BINARY:
                raise Goodbye(MALFORMED, "binary message")
            elif message.type is WSMsgType.TEXT:
                return str(message.data)

    async def _read(self) -> None:
        try:
            while True:
                message = parse(await self._next_text())
                if isinstance(message, Hello):
                    raise Goodbye(MALFORMED, "second hello")
                if self._requests.full():
                    raise Goodbye(TOO_MANY, "too many requests at once")
                self._requests.put_nowait(message)
        except Goodbye as goodbye:
            self._connection.close(goodbye.code, goodbye.reason)

    async def _work(self, session: Session) -> None:
        while True:
            request = await self._requests.get()
            reply = await self._shared.sessions.signaling.answer(session, request)
            self._connection.send(reply.model_dump_json())
            if isinstance(request, Leave):
                self._shared.sessions.hub.end(session, "left")
                return
