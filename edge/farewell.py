"""A last word to a connection that is then closed, in such a way that the word arrives."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict

LINGER_S = 1.0
"""So long the other side may take to close; its answer is read and dropped, as unread bytes would make our close a reset that
can overtake the word."""
LIMIT = 256
"""Connections that are being taken leave of; beyond it the oldest is cut."""
READ = 16_384
MAX_READ = 1 << 18
"""Bytes of one connection that are read and dropped: a request's body."""


class Farewells:
    """Connections that have been answered and wait for their end."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._open: OrderedDict[socket.socket, asyncio.TimerHandle] = OrderedDict()
        self._read: dict[socket.socket, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def say(self, connection: socket.socket, word: bytes) -> None:
        """``connection`` is ours from here on. A word that the socket does not take whole at once is not worth waiting for."""
        try:
            connection.send(word)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            connection.close()
            return
        if len(self._open) >= LIMIT:
            self._end(next(iter(self._open)))
        self._open[connection] = self._loop.call_later(LINGER_S, self._end, connection)
        self._read[connection] = 0
        self._loop.add_reader(connection, self._readable, connection)

    def _readable(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        self._read[connection] += len(data)
        if not data or self._read[connection] > MAX_READ:
            self._end(connection)

    def _end(self, connection: socket.socket) -> None:
        self._open.pop(connection).cancel()
        del self._read[connection]
        self._loop.remove_reader(connection)
        connection.close()

    def close(self) -> None:
        """Cuts what is open. Idempotent."""
        for connection in list(self._open):
            self._end(connection)
