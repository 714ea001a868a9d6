"""A wire between us and a MariaDB server that can be cut: at any time, or when a COMMIT passes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Literal

from confero.runtime.tasks import spawn

COMMIT = b"\x03COMMIT"
"""COM_QUERY and its text, in the protocol of MySQL."""
Cut = Literal["before", "after"]


class Wire:
    """Passes bytes on from ``port``. ``cut_at_commit``: once, before the server gets it, or before we get its answer."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.cut_at_commit: Cut | None = None
        self.mute = False
        """Connections are taken, and nothing passes any more."""
        self.connections = 0
        self.port = 0

    async def connect(self) -> None:
        """Take connections, on the same port as before."""
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def break_all(self) -> None:
        """Every connection that there is; new ones are taken."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def disconnect(self) -> None:
        """Every connection, and no new ones. Idempotent."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.break_all()

    async def _serve(self, from_us: asyncio.StreamReader, to_us: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        self.connections += 1
        pair = {to_us, to_server}
        self._writers |= pair
        back = spawn(self._pass(from_server, to_us), name="wire: back")
        await self._pass(from_us, to_server)
        to_us.transport.abort()
        await back
        to_server.transport.abort()
        self._writers -= pair

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                if COMMIT in data and self.cut_at_commit is not None:
                    await self._cut(target, data)
                elif not self.mute:
                    target.write(data)
                    await target.drain()

    async def _cut(self, server: asyncio.StreamWriter, data: bytes) -> None:
        cut, self.cut_at_commit = self.cut_at_commit, None
        self.mute = True
        if cut == "after":
            server.write(data)
            await asyncio.sleep(0.1)  # it has been committed by then
        self.break_all()
        self.mute = False
