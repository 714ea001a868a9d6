"""The front door put together: everything is made from the configuration and a clock."""

from __future__ import annotations

import asyncio
import resource
import socket

from confero.clock import Clock, SystemClock
from confero.config import service_secret
from confero.errors import LocalError
from confero.protocols.sniff import Kind, Sniffed
from confero.runtime.accepting import Acceptor, listening_sockets
from confero.runtime.giving import Giver
from confero.runtime.handover import Address, Handed
from confero.runtime.http import HttpApp, Listener
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from .answers import answer
from .config import EVERYWHERE, EdgeConfig
from .door import Caller, Door
from .farewell import Farewells
from .lobby import Lobby
from .routes import ROUTES, SERVICES

log = get_logger(__name__)

PUBLIC = ("0.0.0.0", "::")
"""What EVERYWHERE stands for."""
BACKLOG = 1024
WATCH_S = 1.0


class EdgeApp:
    """Service ``edge``; ports may be 0, then ``port`` and ``internal.port`` are those in use."""

    name = "edge"

    def __init__(self, config: EdgeConfig, clock: Clock | None = None) -> None:
        self.config = config
        self._clock = clock or SystemClock()
        self.http = HttpApp("edge", [], secret=service_secret(config), clock=self._clock)
        self.internal: Listener | None = None
        self.port = 0
        self._acceptors: list[Acceptor] = []
        self._givers: dict[str, Giver] = {}
        self._tasks = TaskBag()
        self._crowded = False
        """In the last second."""
        self._measure()

    def _measure(self) -> None:
        metrics = self.http.metrics
        self._connections = metrics.counter(
            "edge_connections", "Connections by what they are and what became of them", ("kind", "outcome")
        )
        self._undecided = metrics.gauge("edge_undecided", "Connections that have not said yet what they are")
        self._up = metrics.gauge("edge_service_up", "Whether a service takes connections", ("service",))
        self._waiting = metrics.gauge("edge_waiting", "Connections that wait for a service", ("service",))

    async def start(self) -> None:
        """Listen. Raises LocalError if an address cannot be used."""
        config = self.config
        lobby: Lobby[Caller] = Lobby(
            min(config.max_undecided, half_the_files()), config.max_undecided_per_source, config.classify_s
        )
        self._undecided.set_function(lambda: len(lobby))
        self._door = Door(lobby, self._clock, self._decided, self._dropped)
        self._farewells = Farewells()
        for service in SERVICES:
            self._add_giver(service)
        self.internal = await Listener.start(self.http.app, config.http_host, config.http_port)
        await self._listen()
        self._tasks.spawn(self._watch(), name="watch services")
        self.http.set_ready(True)

    def _add_giver(self, service: str) -> None:
        def told(handed: Handed, taken: bool) -> None:
            self._count(handed.kind, "handed-on" if taken else "not-taken")

        path = self.config.folder / f"{service}.sock"
        giver = self._givers[service] = Giver(path, self._clock, told, uids=self.config.handover_uids)
        self._up.labels(service).set_function(giver.is_there)
        self._waiting.labels(service).set_function(lambda: len(giver))

    async def _listen(self) -> None:
        """One address, or all of IPv4 and, on a machine that has it, of IPv6 under the same number."""
        first, *more = PUBLIC if self.config.https_host == EVERYWHERE else (self.config.https_host,)
        await self._listen_on(first, self.config.https_port)
        for host in more:
            try:
                await self._listen_on(host, self.port)
            except LocalError as error:
                log.warning("not served over IPv6", reason=str(error))

    async def _listen_on(self, host: str, port: int) -> None:
        try:
            sockets = await listening_sockets(host, port, backlog=BACKLOG, reuse_port=False)
        except OSError as error:
            raise LocalError(f"cannot listen on {host} port {port}: {error.strerror}") from error
        self.port = sockets[0].getsockname()[1]
        self._acceptors += [Acceptor(one, self._door.take) for one in sockets]

    def _dropped(self, why: str) -> None:
        """Logged once while it is crowded: there may be thousands."""
        self._count("none", why)
        if why == "crowded" and not self._crowded:
            log.warning("too many connections that do not say what they are: the oldest are closed")
        self._crowded |= why == "crowded"

    async def _watch(self) -> None:
        """So that each giver knows since when its service is away, also where nobody came meanwhile."""
        while True:
            self._crowded = False
            for giver in self._givers.values():
                giver.is_there()
            await asyncio.sleep(WATCH_S)

    def _decided(self, connection: socket.socket, client: Address, sniffed: Sniffed) -> None:
        """To the first of its services that is there; if none is and we can say so ourselves, we do; else it waits for the last."""
        kind, services = sniffed.kind, ROUTES[sniffed.kind]
        there = next((service for service in services if self._givers[service].is_there()), None)
        word = answer(sniffed) if there is None else b""
        if word:
            self._farewells.say(connection, word)
            self._count(kind.value, "redirected" if kind is Kind.HTTP else "refused")
        elif services:
            self._givers[there or services[-1]].give(connection, Handed(kind.value, client))
        else:
            connection.close()
            self._count(kind.value, "refused")

    def _count(self, kind: str, outcome: str) -> None:
        self._connections.labels(kind, outcome).inc()

    async def drain(self) -> None:
        """No new connections. Those handed on are not ours any more, and nobody is told to wait for us."""
        self.http.set_ready(False)
        for acceptor in self._acceptors:
            acceptor.close()

    async def stop(self) -> None:
        """End everything that was not handed on. Idempotent."""
        await self.drain()
        await self._tasks.close()
        if self.internal is None:
            return
        self._door.close()
        self._farewells.close()
        for giver in self._givers.values():
            giver.close()
        await self.internal.close()


def half_the_files() -> int:
    """Of those that this process may open: the other half is for who is accepted, answered, and waits for a service."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, soft // 2) if soft != resource.RLIM_INFINITY else 1 << 30
