"""This MCU's place in the farm: registration and heartbeats with the application server, and word of its start to the notifier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from confero import models
from confero.clock import Clock
from confero.errors import ConferoError, Refused, Unavailable
from confero.models.turn import MOST_PLACES, MediaPlace

from .backoff import Backoff

HEARTBEAT_S = 1.0
"""Silent for 4 s, an MCU counts as lost (docs/wire.md)."""
REGISTER_S = 60.0
"""So often the application server hears who is here: a record that was dropped leaves nobody in its rows for longer."""
MAX_PARTICIPANTS = 10_000
"""As ``McuRegister`` has it."""


class AppServer(Protocol):
    """Raises Refused, Unavailable."""

    async def register(self, register: models.McuRegister) -> None: ...

    async def heartbeat(self, mcu: str, heartbeat: models.McuHeartbeat) -> None: ...


class Notifier(Protocol):
    """Raises Refused, Unavailable."""

    async def started(self, mcu: str, started: models.McuStarted) -> None: ...


@dataclass(frozen=True)
class Load:
    """How busy the MCU is."""

    units: float
    rooms: int
    legs: int
    draining: bool
    participants: tuple[str, ...]


@dataclass(frozen=True)
class Identity:
    """As others know this process."""

    id: str
    boot: str
    url: str
    capacity: int
    media: Callable[[], list[MediaPlace]] = list
    """Where it takes media now."""
    version: str = ""


class Farm:
    """Run ``keep_registered`` and ``announce`` as tasks."""

    def __init__(
        self, identity: Identity, load: Callable[[], Load], clock: Clock, backoff: Backoff | None = None
    ) -> None:
        self._identity = identity
        self._load = load
        self._clock = clock
        self._backoff = backoff or Backoff("appserver")
        self._registered_at = 0.0
        self.registered = False

    async def keep_registered(self, appserver: AppServer) -> None:
        """Until cancelled."""
        pause_s = 0.0
        while True:
            await asyncio.sleep(pause_s)
            pause_s = await self.beat(appserver)

    async def beat(self, appserver: AppServer) -> float:
        """Registers, or says that we are alive; seconds until the next time."""
        known = self.registered
        try:
            if self._is_due() and await self._register(appserver):
                self._backoff.succeeded()
                return 0.0  # a registration says nothing of load and draining: the heartbeat follows at once
            await appserver.heartbeat(self._identity.id, self._heartbeat())
        except ConferoError as error:
            self.registered = known and not isinstance(error, Refused)
            if known and isinstance(error, Refused) and error.status == 404:
                lately = self._clock.monotonic() - self._registered_at < HEARTBEAT_S
                return HEARTBEAT_S if lately else 0.0  # it has forgotten us: register at once
            return self._backoff.failed(str(error))
        self._backoff.succeeded()
        return HEARTBEAT_S

    def _is_due(self) -> bool:
        return not self.registered or self._clock.monotonic() - self._registered_at >= REGISTER_S

    async def _register(self, appserver: AppServer) -> bool:
        """False if it cannot be written down there, by a server that knows us: heartbeats go on, or it would take us for lost."""
        try:
            await appserver.register(self._registration())
        except Unavailable:
            if not self.registered:
                raise
            return False
        self.registered, self._registered_at = True, self._clock.monotonic()
        return True

    async def announce(self, notifier: Notifier) -> None:
        """Tells the notifier that this process has started, until it has heard: sessions of an earlier one offer afresh."""
        backoff = Backoff("notifier start notice")
        started = models.McuStarted(boot=self._identity.boot, url=self._identity.url)
        while True:
            try:
                await notifier.started(self._identity.id, started)
            except ConferoError as error:
                await asyncio.sleep(backoff.failed(str(error)))
                continue
            backoff.succeeded()
            return

    def _registration(self) -> models.McuRegister:
        return models.McuRegister(
            id=self._identity.id,
            boot=self._identity.boot,
            url=self._identity.url,
            capacity=self._identity.capacity,
            participants=list(self._load().participants[:MAX_PARTICIPANTS]),
            media=self._identity.media()[:MOST_PLACES],
            version=self._identity.version,
        )

    def _heartbeat(self) -> models.McuHeartbeat:
        load = self._load()
        return models.McuHeartbeat(
            boot=self._identity.boot, load=load.units, rooms=load.rooms, legs=load.legs, draining=load.draining
        )
