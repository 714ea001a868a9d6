"""Draining by an administrator's wish: written down first, so that it outlives restarts of the MCU and of this process."""

from __future__ import annotations

from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused

from .farm import Farm


class DrainStore(Protocol):
    """Each call is one transaction. Raises Unavailable."""

    async def drained(self) -> list[str]: ...

    async def drain(self, mcu: str, since: float | None) -> None:
        """``since``: Unix time; None: it is drained no more."""
        ...


class Drains:
    """``start`` it before MCUs are listened to."""

    def __init__(self, store: DrainStore, farm: Farm, clock: Clock) -> None:
        self._store = store
        self._farm = farm
        self._clock = clock

    async def start(self) -> None:
        """As it was before a restart."""
        for mcu in await self._store.drained():
            self._farm.drain(mcu, draining=True)

    async def put(self, mcu: str, *, draining: bool) -> None:
        """Raises Refused 404 ``mcu-unknown`` for one that is neither here nor remembered as lost."""
        if not self._farm.knows(mcu):
            raise Refused("There is no such media server.", status=404, code="mcu-unknown")
        await self._store.drain(mcu, self._clock.wall() if draining else None)
        self._farm.drain(mcu, draining=draining)
