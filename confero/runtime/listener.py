"""A listening socket that serves an app: idle and slow connections are bounded, garbage costs one log line."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl as tls
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any

from aiohttp import web

from confero.errors import LocalError
from confero.runtime.accepting import Acceptor, Connections, Place, listening_sockets
from confero.runtime.logging import get_logger
from confero.runtime.problems import problem, respond
from confero.runtime.tasks import TaskBag

log = get_logger(__name__)

IDLE_S = 30.0
"""A connection may be without a complete request head for this long, at its start and between requests."""
LINGER_S = 2.0
"""An unread rest of a body is read and dropped for this long, so that the answer reaches its sender."""
HANDSHAKE_S = 10.0
"""For TLS; half of one is no reason to keep a socket."""
BACKLOG = 512
CONNECTIONS = 10_000
"""At once, for one listener, those in their TLS handshake among them; further ones are closed as they come."""


class Protocol(web.RequestHandler):
    """aiohttp's HTTP/1 connection; what is not HTTP is answered as every other error, and logged in one line, without trace."""

    __slots__ = ("_place", "when_lost")

    def __init__(self, server: web.Server, place: Place, **options: Any) -> None:
        """``place`` is given back when the connection ends."""
        super().__init__(server, **options)
        self._place = place
        self.when_lost: Callable[[], object] | None = None

    def connection_lost(self, exc: BaseException | None) -> None:
        self._place.leave()
        if self.when_lost is not None:
            self.when_lost()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if isinstance(exc, ConnectionError):
            log.debug("caller has gone", remote=request.remote)
            raise exc  # aiohttp then closes the connection, quietly
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        log.info("not HTTP", remote=request.remote, reason=type(exc).__name__)
        response = respond(problem(status, "bad-request", "not a HTTP request"), {"Server": "confero"})
        response.force_close()
        return response


def when_lost(request: web.Request, told: Callable[[], object]) -> None:
    """``told`` is called once the request's connection is lost: for answers that wait, whose readers would not be missed otherwise.

    The connection's next request may have another one told.
    """
    protocol = request.protocol
    if isinstance(protocol, Protocol):
        protocol.when_lost = told
    if request.transport is None or request.transport.is_closing():
        told()


class BehindTls(Protocol):
    """The same where somebody else has ended TLS: what comes is HTTPS all the same, and of the client whom that one saw."""

    __slots__ = ("_client",)

    def __init__(self, server: web.Server, place: Place, client: tuple[str, int], **options: Any) -> None:
        super().__init__(server, place, **options)
        self._client = client

    @property
    def peername(self) -> tuple[str, int]:
        return self._client

    @property
    def ssl_context(self) -> tls.SSLContext:
        """Requests take their scheme from there being one."""
        return ENDED_ELSEWHERE


ENDED_ELSEWHERE = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)


class Listener:
    """Serves one app on one address, and connections that others have accepted. Made by ``start`` or ``without_address``."""

    def __init__(
        self,
        runner: web.AppRunner,
        sockets: Sequence[socket.socket],
        host: str,
        ssl: tls.SSLContext | None,
        connections: Connections,
    ) -> None:
        self._runner = runner
        self._connections = connections
        self._connecting = TaskBag(limit=connections.limit)
        self._accepts = True
        self._options: dict[str, Any] = {"access_log": None, "keepalive_timeout": IDLE_S, "lingering_time": LINGER_S}
        self._secure: dict[str, Any] = {"ssl": ssl, "ssl_handshake_timeout": HANDSHAKE_S} if ssl else {}
        self.host = host
        self.port: int = sockets[0].getsockname()[1] if sockets else 0
        """The port in use, also when 0 was asked for; 0: it has no address."""
        self._acceptors = [Acceptor(one, self._take) for one in sockets]

    @classmethod
    async def start(
        cls,
        app: web.Application,
        host: str,
        port: int,
        ssl: tls.SSLContext | None = None,
        *,
        reuse_port: bool = False,
        shutdown_s: float = 5.0,
        max_connections: int = CONNECTIONS,
        max_per_source: int = CONNECTIONS,
    ) -> Listener:
        """Listens on TCP ``host``:``port`` (0: any free one). Raises LocalError if the address cannot be used.

        ``shutdown_s``: what ``close`` gives running requests. ``reuse_port``: other processes may listen there too.
        ``max_per_source``: connections from one IPv4 address or IPv6 /64.
        """
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=shutdown_s)
        await runner.setup()
        try:
            sockets = await listening_sockets(host, port, backlog=BACKLOG, reuse_port=reuse_port)
        except OSError as error:
            await runner.cleanup()
            raise LocalError(f"cannot listen on {_authority(host, port)}: {_reason(error)}") from error
        return cls(runner, sockets, host, ssl, Connections(max_connections, max_per_source))

    @classmethod
    async def without_address(
        cls,
        app: web.Application,
        ssl: tls.SSLContext | None = None,
        *,
        shutdown_s: float = 5.0,
        max_connections: int = CONNECTIONS,
        max_per_source: int = CONNECTIONS,
    ) -> Listener:
        """Serves what ``adopt`` brings, within the same bounds as if it had been accepted here."""
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=shutdown_s)
        await runner.setup()
        return cls(runner, (), "", ssl, Connections(max_connections, max_per_source))

    def adopt(self, connection: socket.socket, client: tuple[str, int], *, tls_ended: bool = False) -> None:
        """A connection that somebody else has accepted from ``client``; ours from here on. Closed if there are too many, or no
        more are taken. ``tls_ended``: its bytes are those inside of TLS.
        """
        if not self._accepts:
            connection.close()
        else:
            self._take(connection, client[0], client if tls_ended else None)

    def _take(self, connection: socket.socket, address: str, behind_tls: tuple[str, int] | None = None) -> None:
        place = self._connections.admit(address)
        if place is None:
            connection.close()
        else:
            self._connecting.spawn(self._connect(connection, place, behind_tls), name="connecting")

    async def _connect(self, connection: socket.socket, place: Place, behind_tls: tuple[str, int] | None) -> None:
        """Handshake, if TLS is spoken; from then on the connection gives its place back itself."""
        server, loop = self._runner.server, asyncio.get_running_loop()
        assert server is not None

        def protocol() -> Protocol:
            if behind_tls is not None:
                return BehindTls(server, place, behind_tls, loop=loop, **self._options)
            return Protocol(server, place, loop=loop, **self._options)

        ready = False
        try:
            secure = {} if behind_tls else self._secure
            await loop.connect_accepted_socket(protocol, connection, **secure)
            ready = True
        except OSError as error:
            log.debug("no connection came about", reason=type(error).__name__)
        finally:
            if not ready:
                place.leave()

    @property
    def url(self) -> str:
        """Where a client on this machine reaches it, without a path."""
        return f"{'https' if self._secure else 'http'}://{_authority(_reachable(self.host), self.port)}"

    async def stop_accepting(self) -> None:
        """No new connections; those that exist go on. For drain."""
        self._accepts = False
        for acceptor in self._acceptors:
            acceptor.close()

    async def close(self) -> None:
        """No new connections; running requests get ``shutdown_s`` seconds; then all connections end. Idempotent."""
        await self.stop_accepting()
        await asyncio.sleep(0)  # a task that is cancelled before its first step would leave its socket open
        await self._connecting.close()
        await self._runner.cleanup()


def _reason(error: OSError) -> str:
    """asyncio puts the address into the text of its errors; the system's own words are shorter."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or type(error).__name__


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reachable(host: str) -> str:
    """The loopback address in place of a wildcard."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"
