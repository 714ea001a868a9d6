"""SIP over TCP and TLS: connections are kept, found again by where they lead, and used both ways (RFC 3261 18.1.1, RFC 5923)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Literal, cast

from confero.errors import LocalError
from confero.protocols.sip.errors import SipError
from confero.protocols.sip.framing import PONG, StreamFramer
from confero.protocols.sip.target import DEFAULT_PORTS, Target
from confero.runtime.accepting import Acceptor, Connections, Place, listening_sockets
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag
from confero.runtime.transports import abort

from .base import CONNECT_S, IDLE_S, MAX_WAITING, Local, Receiver, authority, next_connection

log = get_logger(__name__)

Kind = Literal["tcp", "tls"]
BACKLOG = 256
MAX_BEFORE_OPEN = 64
"""Messages that wait for a connection which is being made."""
SWEEP_S = 10.0
"""How often idle connections are looked for."""


class StreamTransport:
    """The connections of one kind, those that came and those that we made."""

    def __init__(
        self,
        kind: Kind,
        receiver: Receiver,
        connections: Connections,
        *,
        server: ssl.SSLContext | None = None,
        client: ssl.SSLContext | None = None,
    ) -> None:
        """``server``, ``client``: for kind ``tls``. ``connections``: counts those that come, with other transports'."""
        self.kind = kind
        self.receiver = receiver
        self.locals: list[Local] = []
        self._server = server
        self._client = client
        self._counted = connections
        self._tasks = TaskBag()
        self._acceptors: list[Acceptor] = []
        self._open: dict[int, Connection] = {}
        self._to: dict[tuple[str, int, str], Connection] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    async def start(self, addresses: Sequence[str], port: int) -> None:
        """Listens on each address. Raises LocalError for one that cannot be used."""
        for address in addresses:
            number = port or (self.locals[0].port if self.locals else 0)
            try:
                sockets = await listening_sockets(address, number, backlog=BACKLOG, reuse_port=False)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise LocalError(f"cannot listen on TCP {authority(address, number)}: {reason}") from error
            for sock in sockets:
                self.locals.append(Local(address, sock.getsockname()[1]))
                self._acceptors.append(Acceptor(sock, self._take))
        self._sweep_later()

    # -- connections that come --

    def _take(self, sock: socket.socket, address: str) -> None:
        place = self._counted.admit(address)
        if place is None:
            sock.close()
            return
        self._tasks.spawn(self._accept(sock, place), name=f"{self.kind} accepted")

    async def _accept(self, sock: socket.socket, place: Place) -> None:
        connection = Connection(self, next_connection(), place=place)
        timeout = CONNECT_S if self._server else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection, sock, ssl=self._server, ssl_handshake_timeout=timeout
            )
        except OSError as error:
            log.debug("no connection came about", kind=self.kind, reason=type(error).__name__)
            place.leave()

    # -- connections of ours --

    def open(self, target: Target, name: str) -> Target:
        """The target on a connection that leads there, a new one if there is none. ``name``: whose certificate a TLS peer must
        show; a connection made for one name is not used for another (RFC 5922)."""
        key = (target.host, target.port, name if self.kind == "tls" else "")
        return target._replace(connection=(self._to.get(key) or self._connect(target, key)).number)

    def send(self, data: bytes, target: Target) -> None:
        """On the target's connection if it still stands, else on one that leads there. What fails is told to the receiver."""
        connection = self._open.get(target.connection) if target.connection is not None else None
        if connection is None:
            there = self.open(target, target.host)
            connection = self._open[there.connection or 0]
        connection.send(data, target)

    def local(self, target: Target) -> Local:
        """Where the peer at ``target`` can connect to us."""
        version = ip_address(target.host).version
        same = [local for local in self.locals if ip_address(local.address).version == version]
        return (same or self.locals or [Local("", DEFAULT_PORTS[self.kind])])[0]

    def _connect(self, target: Target, key: tuple[str, int, str]) -> Connection:
        connection = Connection(self, next_connection(), key=key)
        self._to[key] = self._open[connection.number] = connection
        self._tasks.spawn(self._open_to(connection, target, key[2]), name=f"{self.kind} connecting")
        return connection

    async def _open_to(self, connection: Connection, target: Target, name: str) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection,
                    target.host,
                    target.port,
                    ssl=self._client,
                    server_hostname=(name or target.host) if self._client else None,
                )
        except (OSError, TimeoutError) as error:
            reason = _why(error)
            log.info("no connection", kind=self.kind, to=authority(target.host, target.port), reason=reason)
            connection.gave_up(reason)

    # -- told by connections --

    def opened(self, connection: Connection) -> None:
        self._open[connection.number] = connection

    def closed(self, connection: Connection) -> None:
        self._open.pop(connection.number, None)
        if connection.key is not None and self._to.get(connection.key) is connection:
            del self._to[connection.key]

    def _sweep_later(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(SWEEP_S, self._close_idle)

    def _close_idle(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in [one for one in self._open.values() if now - one.heard_at > IDLE_S]:
            connection.close()
        self._sweep_later()

    async def stop_accepting(self) -> None:
        for acceptor in self._acceptors:
            acceptor.close()

    async def close(self) -> None:
        """Ends all connections. Idempotent."""
        await self.stop_accepting()
        if self._sweep is not None:
            self._sweep.cancel()
        await self._tasks.close()
        for connection in list(self._open.values()):
            connection.close()


class Connection(asyncio.Protocol):
    """One connection: bytes to messages, and back."""

    def __init__(
        self,
        owner: StreamTransport,
        number: int,
        *,
        place: Place | None = None,
        key: tuple[str, int, str] | None = None,
    ) -> None:
        self.number = number
        self.key = key
        self.heard_at = asyncio.get_running_loop().time()
        self._owner = owner
        self._place = place
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None
        self._peer = ("", 0)
        self._before_open: list[bytes] = []
        self._targets: dict[Target, None] = {}

    # -- asyncio's side --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=MAX_WAITING)
        peer = transport.get_extra_info("peername") or ("", 0)
        self._peer = (str(peer[0]).split("%")[0], int(peer[1]))
        self._owner.opened(self)
        for data in self._before_open:
            self._transport.write(data)
        self._before_open.clear()

    def data_received(self, data: bytes) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        try:
            messages = self._framer.feed(data)
        except SipError as error:
            log.info("not SIP", kind=self._owner.kind, source=self._peer[0], reason=str(error))
            self._cut()
            return
        if self._framer.take_pings() and self._transport is not None:
            self._transport.write(PONG)
        source = Target(self._owner.kind, *self._peer, self.number)
        for message in messages:
            self._owner.receiver.received(message, source)

    def pause_writing(self) -> None:
        log.info("a peer does not read", kind=self._owner.kind, source=self._peer[0])
        self._cut()

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.closed(self)
        if self._place is not None:
            self._place.leave()
        self._tell("the connection has ended")

    # -- the owner's side --

    def send(self, data: bytes, target: Target) -> None:
        self._targets[target] = None
        if self._transport is not None:
            self._transport.write(data)
        elif len(self._before_open) < MAX_BEFORE_OPEN:
            self._before_open.append(data)
        else:
            asyncio.get_running_loop().call_soon(self._owner.receiver.failed, target, "too much waits for a connection")

    def gave_up(self, reason: str) -> None:
        """The connection did not come about."""
        self._owner.closed(self)
        self._tell(reason)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _cut(self) -> None:
        abort(self._transport)

    def _tell(self, reason: str) -> None:
        for target in self._targets:
            self._owner.receiver.failed(target, reason)
        self._owner.receiver.failed(Target(self._owner.kind, *self._peer, self.number), reason)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {error.reason}"
    if isinstance(error, TimeoutError):
        return "no answer"
    return getattr(error, "strerror", None) or type(error).__name__
