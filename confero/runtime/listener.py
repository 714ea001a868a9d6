"""A listening socket that serves an app: idle and slow connections are bounded, garbage costs one log line."""

from __future__ import annotations

import asyncio
import os
import ssl as tls
from ipaddress import ip_address
from typing import Any

from aiohttp import web

from confero.errors import LocalError
from confero.runtime.logging import get_logger
from confero.runtime.problems import problem, respond

log = get_logger(__name__)

IDLE_S = 30.0
"""A connection may be without a complete request head for this long, at its start and between requests."""
LINGER_S = 2.0
"""An unread rest of a body is read and dropped for this long, so that the answer reaches its sender."""
HANDSHAKE_S = 10.0
"""For TLS; half of one is no reason to keep a socket."""
BACKLOG = 512
CONNECTIONS = 10_000
"""At once, for one listener; further ones are closed as they come."""


class Connections:
    """Counts the connections of a listener, and says when there are too many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.count = 0
        self._full = False

    def admit(self) -> bool:
        """Takes one more, unless that is too many, which is logged once until there is room again."""
        if self.count >= self._limit:
            if not self._full:
                log.warning("too many connections", limit=self._limit)
            self._full = True
            return False
        self.count += 1
        return True

    def leave(self) -> None:
        self.count -= 1
        self._full = False


class Protocol(web.RequestHandler):
    """aiohttp's HTTP/1 connection; what is not HTTP is answered as every other error, and logged in one line, without trace."""

    __slots__ = ("_admitted", "_connections")

    def __init__(self, server: web.Server, connections: Connections, **options: Any) -> None:
        super().__init__(server, **options)
        self._connections = connections
        self._admitted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._admitted = self._connections.admit()
        if self._admitted:
            super().connection_made(transport)
        else:
            transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._admitted:
            self._connections.leave()
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._admitted:
            super().data_received(data)

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


class Listener:
    """Serves one app on one address. Made by ``start``."""

    def __init__(self, runner: web.AppRunner, server: asyncio.Server, host: str, *, secure: bool) -> None:
        self._runner = runner
        self._server = server
        self._scheme = "https" if secure else "http"
        self.host = host
        self.port: int = server.sockets[0].getsockname()[1]
        """The port in use, also when 0 was asked for."""

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
    ) -> Listener:
        """Listens on TCP ``host``:``port`` (0: any free one). Raises LocalError if the address cannot be used.

        ``shutdown_s``: what ``close`` gives running requests. ``reuse_port``: other processes may listen there too.
        """
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=shutdown_s)
        await runner.setup()
        loop = asyncio.get_running_loop()
        connections = Connections(max_connections)
        options: dict[str, Any] = {"access_log": None, "keepalive_timeout": IDLE_S, "lingering_time": LINGER_S}
        secure: dict[str, Any] = {"ssl": ssl, "ssl_handshake_timeout": HANDSHAKE_S} if ssl else {}

        def connection() -> Protocol:
            assert runner.server is not None
            return Protocol(runner.server, connections, loop=loop, **options)

        try:
            server = await loop.create_server(
                connection, host, port, backlog=BACKLOG, reuse_port=reuse_port or None, **secure
            )
        except OSError as error:
            await runner.cleanup()
            raise LocalError(f"cannot listen on {_authority(host, port)}: {_reason(error)}") from error
        return cls(runner, server, host, secure=ssl is not None)

    @property
    def url(self) -> str:
        """Where a client on this machine reaches it, without a path."""
        return f"{self._scheme}://{_authority(_reachable(self.host), self.port)}"

    async def stop_accepting(self) -> None:
        """No new connections; those that exist go on. For drain."""
        self._server.close()

    async def close(self) -> None:
        """No new connections; running requests get ``shutdown_s`` seconds; then all connections end. Idempotent."""
        self._server.close()
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
