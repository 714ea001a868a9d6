"""A front door on a free port of 127.0.0.1, and services that keep what they are handed."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from confero.clock import Clock
from confero.edge.app import EdgeApp
from confero.edge.config import EdgeConfig
from confero.runtime.handover import Flags, Receiver, receive

from ..support.waiting import until

SECRET = "a secret of the front door's tests 12"


class Service:
    """A taker."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / "handover" / f"{name}.sock"
        self.got: list[tuple[socket.socket, str, tuple[str, int]]] = []
        self._receiver: Receiver | None = None

    async def start(self) -> None:
        def take(connection: socket.socket, kind: str, client: tuple[str, int], flags: Flags) -> None:
            assert flags is Flags.NONE
            self.got.append((connection, kind, client))

        self._receiver = await receive(self._path, take)

    async def take(self) -> tuple[socket.socket, str, tuple[str, int]]:
        """The oldest that was not looked at yet."""
        await until(lambda: self.got, "a connection is handed over")
        return self.got.pop(0)

    def stop(self) -> None:
        if self._receiver is not None:
            self._receiver.close()
        for connection, *_ in self.got:
            connection.close()


class House:
    """The door with services behind it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.services = {name: Service(folder, name) for name in ("appserver", "turn", "flash")}
        self.app: EdgeApp
        self._open: list[socket.socket] = []

    async def start(self, *services: str, clock: Clock | None = None, **settings: Any) -> None:
        for name in services:
            await self.services[name].start()
        values = {"https_host": "127.0.0.1", "https_port": 0, "http_port": 0, **settings}
        self.app = EdgeApp(EdgeConfig(state_dir=self._folder, secret=SecretStr(SECRET), **values), clock)
        await self.app.start()

    def call(self, data: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        """A client that has said this."""
        made = socket.create_connection(("127.0.0.1", self.app.port), 5, (source, 0))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if data:
            made.send(data)
        made.setblocking(False)
        self._open.append(made)
        return made

    def count(self, kind: str, outcome: str) -> float:
        labels = {"kind": kind, "outcome": outcome}
        return self.app.http.metrics.registry.get_sample_value("confero_edge_connections_total", labels) or 0.0

    @property
    def undecided(self) -> float:
        return self.app.http.metrics.registry.get_sample_value("confero_edge_undecided") or 0.0

    async def stop(self) -> None:
        await self.app.stop()
        for service in self.services.values():
            service.stop()
        for made in self._open:
            made.close()


def ended(client: socket.socket) -> bool:
    """Whether the other side has closed; False while it is open."""
    try:
        return client.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


async def answered(client: socket.socket) -> bytes:
    """All that comes until the end."""
    await until(lambda: _drained(client), "it ends")
    return b"".join(READ.pop(client, []))


READ: dict[socket.socket, list[bytes]] = {}


def _drained(client: socket.socket) -> bool:
    try:
        while data := client.recv(65_536):
            READ.setdefault(client, []).append(data)
    except BlockingIOError:
        return False
    return True
