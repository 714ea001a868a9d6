"""Presence: who is really there, from what notifier and MCUs tell, and what happens to rooms whose MCU is lost."""

from __future__ import annotations

from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.models import (
    LegRecord,
    McuHeartbeat,
    McuRegister,
    RoomPlacement,
    RoomSpec,
    SessionNotice,
    SessionsSnapshot,
)
from confero.runtime.logging import get_logger

from .entities import Room
from .farm import Farm
from .store import Store

log = get_logger(__name__)


class Notifier(Protocol):
    """What of the notifier is needed here. Raises Refused or Unavailable."""

    async def place(self, room: str, placement: RoomPlacement) -> None: ...


class Presence:
    """Keeps rows true to what lives elsewhere."""

    def __init__(self, store: Store, farm: Farm, notifier: Notifier, clock: Clock, join_grace_s: float) -> None:
        self._store = store
        self._farm = farm
        self._notifier = notifier
        self._clock = clock
        self._join_grace_s = join_grace_s
        self._homeless: set[str] = set()
        """Lost MCUs on which busy rooms may still be placed."""

    async def start(self) -> None:
        """Presume that the MCUs of before a restart live; they are to register again."""
        for known in await self._store.known_mcus():
            self._farm.recall(known)

    # --- notifier -------------------------------------------------------------------------------------------------

    async def connected(self, notice: SessionNotice) -> None:
        await self._store.session_connected(notice)

    async def disconnected(self, notice: SessionNotice) -> None:
        await self._store.session_disconnected(notice)

    async def snapshot(self, snapshot: SessionsSnapshot) -> None:
        """Sessions that the notifier does not list are over; whoever had one may come back for a while."""
        until = self._clock.wall() + self._join_grace_s
        closed = await self._store.keep_sessions(snapshot.notifier, frozenset(snapshot.sessions), until)
        if closed:
            log.info("sessions closed that the notifier does not know", notifier=snapshot.notifier, count=closed)

    # --- MCUs -----------------------------------------------------------------------------------------------------

    async def registered(self, body: McuRegister) -> None:
        """An MCU is there, with these participants and no others."""
        self._farm.register(body)
        self._homeless.discard(body.id)
        closed = await self._store.mcu_registered(body, self._clock.wall())
        log.info("mcu registered", mcu=body.id, boot=body.boot, url=body.url, closed=closed)

    def heartbeat(self, mcu: str, body: McuHeartbeat) -> None:
        """Raises Refused 404 ``mcu-unknown`` if the MCU is to register."""
        if not self._farm.heartbeat(mcu, body):
            raise Refused("register first", status=404, code="mcu-unknown")

    async def record(self, record: LegRecord) -> None:
        """Something happened to a leg. A record that was told before changes nothing."""
        await self._store.add_record(record)

    async def sweep(self) -> None:
        """Find lost MCUs and give their busy rooms a new home. Called every second."""
        for mcu in self._farm.lost():
            self._homeless.add(mcu.id)
            closed = await self._store.mcu_lost(mcu.id)
            log.warning("mcu lost", mcu=mcu.id, closed=closed)
        for mcu_id in list(self._homeless):
            await self._rehouse(mcu_id)

    async def _rehouse(self, mcu_id: str) -> None:
        rooms = await self._store.busy_rooms(mcu_id)
        if not rooms:
            self._homeless.discard(mcu_id)
            return
        for room in rooms:
            try:
                await self._move(room)
            except (Refused, Unavailable) as error:
                log.info("room has no media server yet", room=room.id, code=error.code)
                return  # the next sweep tries again

    async def _move(self, room: Room) -> None:
        """The notifier hears first: it makes the room at the new MCU and tells the sessions to renegotiate."""
        mcu = self._farm.choose()
        spec = RoomSpec(name=room.name, max_participants=room.max_participants)
        await self._notifier.place(room.id, RoomPlacement(mcu=mcu.id, mcu_url=mcu.url, spec=spec))
        if await self._store.place_room(room.id, room.mcu, mcu.id):
            log.info("room moved", room=room.id, mcu=mcu.id)
