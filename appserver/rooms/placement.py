"""Placement: on which MCU a room lives."""

from __future__ import annotations

from typing import Protocol

from confero.clock import Clock
from confero.errors import Unavailable

from .entities import Room
from .farm import Farm, Mcu

PLACE_TRIES = 5


class Homes(Protocol):
    """Where it is written down; implemented by the database."""

    async def room(self, room_id: str) -> Room | None: ...

    async def place_room(self, room_id: str, expected: str | None, mcu: str) -> bool:
        """Write where the room lives if it is still where it was expected; False if somebody was faster."""
        ...

    async def live_count(self, room_id: str, now: float) -> int: ...


class Placement:
    """Finds a home for each room."""

    def __init__(self, homes: Homes, farm: Farm, clock: Clock) -> None:
        self._homes = homes
        self._farm = farm
        self._clock = clock

    async def home(self, room: Room) -> Mcu:
        """The MCU on which the room lives: where it was as long as that lives, else a new one. One that drains keeps its
        rooms until they are empty.

        Raises Refused 503 ``no-media-server``, Unavailable for a room that is deleted meanwhile.
        """
        known: Room | None = room
        for _ in range(PLACE_TRIES):
            if known is None:
                break
            mcu = self._farm.alive(known.mcu)
            if mcu is not None and not (self._farm.is_draining(mcu) and await self._is_empty(known)):
                return mcu
            chosen = self._farm.choose()
            if await self._homes.place_room(known.id, known.mcu, chosen.id):
                return chosen
            known = await self._homes.room(room.id)  # another request was faster
        raise Unavailable("the placement of the room keeps changing")

    async def _is_empty(self, room: Room) -> bool:
        """Whoever comes first can be received anywhere."""
        return await self._homes.live_count(room.id, self._clock.wall()) == 0
