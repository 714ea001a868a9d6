"""This server's place among the TURN servers: registration and heartbeats with the application server, and what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol
from urllib.parse import quote

from confero.clock import Clock
from confero.errors import ConferoError, Refused
from confero.models.turn import MediaPlace, TurnHeartbeat, TurnPeers, TurnRegister
from confero.runtime.client import ServiceClient
from confero.runtime.logging import get_logger

log = get_logger(__name__)

HEARTBEAT_S = 2.0
"""Silent for 6 s, a TURN server is offered to nobody any more (docs/wire.md)."""
SOON_S = 0.05
"""Where the application server itself waits with its answer until something is new: no more than so many beats a second."""
REGISTER_S = 60.0
MAX_REPLY = 1 << 22
"""Bytes: some thousand media servers with a few addresses each."""
LONGEST_S = 5.0
"""Between two tries of an application server that does not answer."""


class AppServer(Protocol):
    """Raises Refused, Unavailable."""

    async def register(self, register: TurnRegister) -> TurnPeers: ...

    async def heartbeat(self, turn: str, heartbeat: TurnHeartbeat) -> TurnPeers: ...


class AppServerPeer:
    """The application server's internal API."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def register(self, register: TurnRegister) -> TurnPeers:
        return await self._client.call("POST", "/internal/v1/turns", body=register, reply=TurnPeers, idempotent=True)

    async def heartbeat(self, turn: str, heartbeat: TurnHeartbeat) -> TurnPeers:
        path = f"/internal/v1/turns/{quote(turn, safe='')}/heartbeat"
        return await self._client.call("PUT", path, body=heartbeat, reply=TurnPeers)

    async def close(self) -> None:
        await self._client.close()


class Membership:
    """Run ``keep`` as a task."""

    def __init__(
        self,
        registration: Callable[[], TurnRegister],
        heartbeat: Callable[[], TurnHeartbeat],
        told: Callable[[Iterable[MediaPlace]], None],
        clock: Clock,
    ) -> None:
        """``told`` hears at each beat where the farm takes media."""
        self._registration = registration
        self._heartbeat = heartbeat
        self._told = told
        self._clock = clock
        self._registered: TurnRegister | None = None
        self._registered_at = 0.0
        self._failures = 0
        self._known: str | None = None
        """The version of what was told last."""

    async def keep(self, appserver: AppServer) -> None:
        """Until cancelled."""
        while True:
            pause_s = await self.beat(appserver)
            await asyncio.sleep(pause_s)

    async def beat(self, appserver: AppServer) -> float:
        """Registers, or says that we are alive; seconds until the next time."""
        wanted, now = self._registration(), self._clock.monotonic()
        registers = wanted != self._registered or now - self._registered_at >= REGISTER_S
        try:
            if registers:
                peers = await appserver.register(wanted)
                self._registered, self._registered_at = wanted, now
            else:
                patience = {"known": self._known, "wait_s": HEARTBEAT_S}
                peers = await appserver.heartbeat(wanted.id, self._heartbeat().model_copy(update=patience))
        except ConferoError as error:
            return self._failed(error)
        if self._failures:
            log.info("the application server answers again", after=self._failures)
        self._failures = 0
        self._known = peers.version or None
        self._told(peers.media)
        if registers:
            return 0.0  # it says nothing of load and draining
        return SOON_S if peers.version else HEARTBEAT_S

    async def say(self, appserver: AppServer) -> None:
        """A heartbeat out of turn: that we drain is to be known at once. Whether it arrives is no matter."""
        try:
            await appserver.heartbeat(self._registration().id, self._heartbeat())
        except ConferoError as error:
            log.info("the application server was not told", reason=str(error))

    def _failed(self, error: ConferoError) -> float:
        forgotten = isinstance(error, Refused) and error.status == 404
        if forgotten and self._registered is not None:
            self._registered = None
            return 0.0  # it has been restarted: register at once
        self._failures += 1
        if self._failures == 1:
            log.warning("the application server does not take us", reason=str(error))
        return min(LONGEST_S, 0.5 * float(2 ** min(self._failures, 4)))
