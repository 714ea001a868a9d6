"""Accepts TCP connections from a listening socket, and counts each one from that moment: in all, and by source."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from confero.ratelimit import source_of
from confero.runtime.logging import get_logger

log = get_logger(__name__)

AT_ONCE = 64
"""Connections accepted before other work has its turn."""
PAUSE_S = 1.0
"""Without descriptors or memory for another connection, none is accepted for this long."""
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Place:
    """One connection's place, from ``Connections.admit``."""

    __slots__ = ("_connections", "_source")

    def __init__(self, connections: Connections, source: str) -> None:
        self._connections: Connections | None = connections
        self._source = source

    def leave(self) -> None:
        """The connection is over. Idempotent."""
        connections, self._connections = self._connections, None
        if connections is not None:
            connections.left(self._source)


class Connections:
    """Counts the connections of a listener, and says when there are too many."""

    def __init__(self, limit: int, per_source: int) -> None:
        """``limit``: in all; ``per_source``: from one IPv4 address or IPv6 /64."""
        self.limit = limit
        self._per_source = per_source
        self._by_source: dict[str, int] = {}
        self.count = 0
        self._full = False

    def admit(self, address: str) -> Place | None:
        """A place for one more, or None: too many. That is logged once until there is room again."""
        source = source_of(address)
        held = self._by_source.get(source, 0)
        if self.count >= self.limit or held >= self._per_source:
            if not self._full:
                log.warning("too many connections", count=self.count, source=source, of_source=held)
            self._full = True
            return None
        self._by_source[source] = held + 1
        self.count += 1
        return Place(self, source)

    def left(self, source: str) -> None:
        """One of this source is over; said by its place."""
        self.count -= 1
        self._by_source[source] -= 1
        if self._by_source[source] == 0:
            del self._by_source[source]
        self._full = False


class Acceptor:
    """Hands each connection of a listening socket, with the caller's address, to ``take``, which then owns it."""

    def __init__(self, listening: socket.socket, take: Callable[[socket.socket, str], None]) -> None:
        listening.setblocking(False)
        self._socket = listening
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._paused: asyncio.TimerHandle | None = None
        self._listen()

    def _listen(self) -> None:
        self._paused = None
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            if self._socket.fileno() < 0:
                return  # whoever took the last one has closed it
            try:
                connection, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._failed(error)
                return
            connection.setblocking(False)
            self._take(connection, address[0])

    def _failed(self, error: OSError) -> None:
        """Waits a moment: the socket stays readable, and asking it in vain would take all the time there is."""
        event = "no resources for another connection" if error.errno in EXHAUSTED else "accepting failed"
        log.error(event, reason=error.strerror or type(error).__name__)
        self._loop.remove_reader(self._socket)
        self._paused = self._loop.call_later(PAUSE_S, self._listen)

    def close(self) -> None:
        """No new connections. Idempotent."""
        if self._socket.fileno() < 0:
            return
        if self._paused is not None:
            self._paused.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()


async def listening_sockets(host: str, port: int, *, backlog: int, reuse_port: bool) -> list[socket.socket]:
    """A TCP socket for each address of ``host``; with port 0 all get the port of the first. Raises OSError."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    made: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((info[0], info[4]) for info in infos):
            shared = (address[0], address[1] or (made[0].getsockname()[1] if made else 0), *address[2:])
            # SO_REUSEADDR and, for IPv6, IPV6_V6ONLY are set by it.
            made.append(socket.create_server(shared, family=family, backlog=backlog, reuse_port=reuse_port))
    except BaseException:
        for one in made:
            one.close()
        raise
    return made
