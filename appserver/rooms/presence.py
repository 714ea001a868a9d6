"""Presence: who is really there, from what notifier and MCUs tell, and what happens to rooms whose MCU is lost."""

from __future__ import annotations

import math
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.models import (
    LegRecords,
    McuHeartbeat,
    McuRegister,
    RoomPlacement,
    RoomSpec,
    SessionNotices,
    SessionsSnapshot,
)
from confero.runtime.logging import get_logger

from .entities import Room
from .farm import Farm, Mcu
from .store import Store

log = get_logger(__name__)


class Notifier(Protocol):
    """What of the notifier is needed here. Raises Refused or Unavailable."""

    async def place(self, room: str, placement: RoomPlacement) -> None: ...


class Presence:
    """Keeps rows true to what lives elsewhere."""

    def __init__(
        self,
        store: Store,
        farm: Farm,
        notifier: Notifier,
        clock: Clock,
        *,
        join_grace_s: float,
        changing: AbstractAsyncContextManager[Any],
    ) -> None:
        """``changing``: a lock between registrations and the sweep, so that an MCU which is just back is not taken for lost."""
        self._store = store
        self._farm = farm
        self._notifier = notifier
        self._clock = clock
        self._join_grace_s = join_grace_s
        self._lost: dict[str, float] = {}
        """Lost MCUs whose legs may still stand in rows, and on which busy rooms may still be placed; since when, Unix time."""
        self._changing = changing

    async def start(self) -> None:
        """Presume that the MCUs of before a restart live, and are to register again. Any other that is in use has been lost."""
        known = await self._store.known_mcus()
        for mcu in known:
            self._farm.recall(mcu)
        gone = await self._store.used_mcus() - {mcu.id for mcu in known}
        self._lost = dict.fromkeys(gone, self._clock.wall())

    # --- notifier -------------------------------------------------------------------------------------------------

    async def sessions(self, told: SessionNotices) -> None:
        """Browsers have come and gone."""
        await self._store.note_sessions(told.notices)

    async def snapshot(self, snapshot: SessionsSnapshot) -> None:
        """Sessions that the notifier does not list are over; whoever had one may come back for a while."""
        until = self._clock.wall() + self._join_grace_s
        closed = await self._store.keep_sessions(snapshot.notifier, frozenset(snapshot.sessions), until)
        if closed:
            log.info("sessions closed that the notifier does not know", notifier=snapshot.notifier, count=closed)

    # --- MCUs -----------------------------------------------------------------------------------------------------

    async def registered(self, body: McuRegister) -> None:
        """An MCU is there, with these participants and no others. It says so again now and then, for records that were lost.

        A record that crosses a registration may be undone by it, until the next one.
        """
        async with self._changing:
            news = self._farm.register(body)
            self._lost.pop(body.id, None)
            closed = await self._store.mcu_registered(body, self._clock.wall())
        level = log.info if news else log.debug
        level("mcu registered", mcu=body.id, boot=body.boot, url=body.url, closed=closed)
        if closed and not news:
            log.warning("legs closed whose end was not recorded", mcu=body.id, count=closed)

    def heartbeat(self, mcu: str, body: McuHeartbeat) -> None:
        """Raises Refused 404 ``mcu-unknown`` if the MCU is to register."""
        if not self._farm.heartbeat(mcu, body):
            raise Refused("register first", status=404, code="mcu-unknown")

    async def records(self, told: LegRecords) -> None:
        """Things happened to legs. A record that was told before changes nothing."""
        await self._store.add_records(told.records)

    async def sweep(self) -> None:
        """Find lost MCUs, close what was there, and give their busy rooms a new home. Called twice a second; raises Unavailable."""
        async with self._changing:
            for mcu in self._farm.lost():
                log.warning("mcu lost", mcu=mcu.id)
                self._lost[mcu.id] = self._last_heard(mcu)
            for mcu_id, at in sorted(self._lost.items()):
                await self._store.mcu_lost(mcu_id, at)
                if await self._rehouse(mcu_id):
                    self._lost.pop(mcu_id, None)

    def _last_heard(self, mcu: Mcu) -> float:
        """Unix time. One that another has superseded was heard of until now."""
        silent_s = self._clock.monotonic() - mcu.seen_at
        return self._clock.wall() - (silent_s if math.isfinite(silent_s) else 0.0)

    async def _rehouse(self, mcu_id: str) -> bool:
        """False if a busy room is left without a home, or without having been told: the next sweep tries again."""
        for room in await self._store.busy_rooms(mcu_id):
            try:
                await self._move(room)
            except (Refused, Unavailable) as error:
                log.info("room has no media server yet", room=room.id, code=error.code)
                return False
        return True

    async def _move(self, room: Room) -> None:
        """The notifier hears first: it makes the room at the new MCU and tells the sessions to renegotiate."""
        mcu = self._farm.choose()
        spec = RoomSpec(
            name=room.name,
            max_participants=room.max_participants,
            talkers=room.talkers,
            noise_dbov=room.noise_dbov,
            announce=room.announce,
        )
        await self._notifier.place(room.id, RoomPlacement(mcu=mcu.id, mcu_url=mcu.url, spec=spec))
        if await self._store.place_room(room.id, room.mcu, mcu.id):
            log.info("room moved", room=room.id, mcu=mcu.id)
