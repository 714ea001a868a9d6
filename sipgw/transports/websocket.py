"""SIP over WebSocket (RFC 7118): a message a frame, on connections that browsers open through the application server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_address

from aiohttp import WSMsgType, web

from confero.clock import Clock
from confero.errors import ConferoError, Refused, RemoteError
from confero.protocols.sip.target import DEFAULT_PORTS, Target
from confero.runtime.accepting import Connections
from confero.runtime.http import Route
from confero.runtime.logging import get_logger
from confero.runtime.tasks import spawn
from confero.runtime.transports import abort
from confero.tokens import check_service_token

from .base import MAX_MESSAGE, MAX_WAITING, Local, Receiver, next_connection

log = get_logger(__name__)

SUBPROTOCOL = "sip"
"""RFC 7118 section 4."""
HEARTBEAT_S = 30.0
"""Between pings: a browser does not send any by itself (RFC 7118 section 6)."""
KEEPALIVES = ("\r\n\r\n", "\r\n")
"""RFC 7118 section 6 leaves keep-alive to WebSocket's pings; some clients send RFC 5626's all the same."""


class Forwarded:
    """Who is behind a request: the application server's word counts if it shows a service token; anybody else is himself."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def source_of(self, request: web.Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        remote = request.remote or ""
        try:
            caller = check_service_token(token, audience="sipgw", secret=self._secret, now=self._clock.wall())
            said = request.headers.get("X-Forwarded-For", "")
            known = scheme.lower() == "bearer" and caller == "appserver"
            return str(ip_address(said)) if known else remote
        except (ConferoError, ValueError):
            return remote


def websocket_route(transport: WebSocketTransport) -> Route:
    """``GET /sip`` of the control port, to which the application server passes its own."""
    return Route(
        "GET",
        "/sip",
        transport.handle,
        summary="SIP over WebSocket (RFC 7118)",
        status=101,
        errors=("426 upgrade-required", "429 too-many-connections"),
    )


class WebSocketTransport:
    """Serves ``GET /sip``; connections are never made by us (RFC 7118 section 5)."""

    def __init__(self, receiver: Receiver, connections: Connections, source_of: Callable[[web.Request], str]) -> None:
        """``source_of``: the address of the browser behind a request, which may come through the application server."""
        self._receiver = receiver
        self._counted = connections
        self._source_of = source_of
        self._open: dict[int, Socket] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection, to its end. Raises Refused 429, RemoteError 426 before the upgrade."""
        ws = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,), heartbeat=HEARTBEAT_S, compress=False, max_msg_size=MAX_MESSAGE
        )
        if not ws.can_prepare(request).ok or SUBPROTOCOL not in request.headers.get("Sec-WebSocket-Protocol", ""):
            raise RemoteError("This address speaks SIP over WebSocket only.", status=426, code="upgrade-required")
        address = self._source_of(request)
        place = self._counted.admit(address)
        if place is None:
            raise Refused("Too many connections.", status=429, code="too-many-connections")
        try:
            await ws.prepare(request)
            await self._serve(Socket(ws, request, next_connection()), address)
        finally:
            place.leave()
        return ws

    async def _serve(self, socket: Socket, address: str) -> None:
        source = Target("wss", address, socket.port, socket.number)
        self._open[socket.number] = socket
        try:
            async for message in socket.ws:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                if message.data in KEEPALIVES:
                    continue
                data = message.data.encode() if isinstance(message.data, str) else message.data
                self._receiver.received(data, source)
        finally:
            del self._open[socket.number]
            socket.end()
            self._receiver.failed(source, "the connection has ended")

    def local(self, target: Target) -> Local:
        """The address is told by others: a browser reaches us by the connection that it has made, and by no other way."""
        return Local("", DEFAULT_PORTS["wss"])

    def send(self, data: bytes, target: Target) -> None:
        """On the target's connection; if that has ended there is no way to the browser, and the receiver is told."""
        socket = self._open.get(target.connection) if target.connection is not None else None
        if socket is None or not socket.send(data):
            asyncio.get_running_loop().call_soon(self._receiver.failed, target, "the connection has ended")

    async def close(self) -> None:
        """Ends all connections. Idempotent."""
        for socket in self._open.values():
            socket.end()


class Socket:
    """A connection's outgoing side: a bounded queue and the task that empties it."""

    def __init__(self, ws: web.WebSocketResponse, request: web.Request, number: int) -> None:
        self.ws = ws
        self.number = number
        peer = request.transport.get_extra_info("peername") if request.transport else None
        self.port = int(peer[1]) if peer else 0
        self._transport = request.transport
        self._waiting = 0
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._writer = spawn(self._write(), name="sip websocket")

    def send(self, data: bytes) -> bool:
        """False: the browser does not read; its connection is cut."""
        self._waiting += len(data)
        if self._waiting > MAX_WAITING:
            log.info("a browser does not read")
            self.end()
            return False
        self._queue.put_nowait(data)
        return True

    async def _write(self) -> None:
        while True:
            data = await self._queue.get()
            try:
                # RFC 7118 section 4.1: text if it is UTF-8, which a body need not be.
                await self.ws.send_str(data.decode())
            except UnicodeDecodeError:
                await self.ws.send_bytes(data)
            except (ConnectionError, RuntimeError):
                return
            self._waiting -= len(data)

    def end(self) -> None:
        self._writer.cancel()
        abort(self._transport)
