"""Legs whose session is over: removed if their media is down too, else left to consent and looked at again."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.models import Participant, TokenGrant
from confero.runtime.logging import get_logger

from .hub import Hub
from .session import RoomSession

log = get_logger(__name__)

PAUSE_S = 1.0
"""How often it is asked which looks are due."""
MCUS_AT_ONCE = 8
GRID_S = 10.0
"""Later looks are put off to multiples of this: legs of a room that lost their sessions one by one share a question."""
REASON = "owner-gone"


class MediaServer(Protocol):
    """What of an MCU is needed here; ``url`` says which. Each raises Refused or Unavailable."""

    async def roster(self, url: str, room: str) -> list[Participant]: ...

    async def delete_leg(self, url: str, leg: str, reason: str) -> None: ...


@dataclass(frozen=True)
class OrphanLimits:
    legs: int = 20_000
    """Legs remembered. The one that waits for longest is forgotten first: the MCU ends it when its consent runs out."""
    look_s: float = 30.0
    """Time between two looks: as long as consent lasts (RFC 7675), so that the MCU has always had its turn."""
    misses: int = 20
    """Looks in vain after which an MCU is taken to have lost the leg."""


@dataclass(eq=False)
class Orphan:
    """The leg of a participant without a session."""

    grant: TokenGrant
    due: float
    suspect: bool = True
    """The last look found no media; at first, the silence of the session says the same."""
    misses: int = 0

    @property
    def mcu_url(self) -> str:
        return self.grant.mcu_url

    @property
    def room(self) -> str:
        return self.grant.room


class Orphans:
    """Watches the legs of expired sessions until the participant is back, or the leg is gone.

    When the way for events breaks but media does not, because another service is restarted, nobody is to be cut off. So only
    a leg that is not ``connected`` is removed: at the first look, or when two later looks in succession find it so.
    """

    def __init__(self, media: MediaServer, hub: Hub, clock: Clock, limits: OrphanLimits) -> None:
        self._media = media
        self._hub = hub
        self._clock = clock
        self._limits = limits
        self._orphans: OrderedDict[str, Orphan] = OrderedDict()
        self._calling = asyncio.Semaphore(MCUS_AT_ONCE)

    def __len__(self) -> int:
        return len(self._orphans)

    def add(self, session: RoomSession) -> None:
        """The session has expired. Its leg is looked at first at the next ``look``."""
        participant = session.grant.participant
        self._orphans.pop(participant, None)
        self._orphans[participant] = Orphan(session.grant, self._clock.monotonic())
        if len(self._orphans) > self._limits.legs:
            self._orphans.popitem(last=False)

    async def run(self) -> None:
        """``look`` for ever."""
        while True:
            await asyncio.sleep(PAUSE_S)
            await self.look()

    async def look(self) -> None:
        """Ask the MCUs about every orphan whose time has come: each MCU by itself, so that none waits for one that is away."""
        now = self._clock.monotonic()
        due = sorted((o for o in self._orphans.values() if o.due <= now), key=attrgetter("mcu_url", "room"))
        for orphan in due:
            orphan.due = math.ceil((now + self._limits.look_s) / GRID_S) * GRID_S
        await asyncio.gather(*(self._ask(url, list(some)) for url, some in groupby(due, key=attrgetter("mcu_url"))))

    async def _ask(self, url: str, orphans: list[Orphan]) -> None:
        async with self._calling:
            try:
                for room, some in groupby(orphans, key=attrgetter("room")):
                    await self._ask_room(url, room, list(some))
            except Unavailable as error:
                log.info("media server not asked about legs without owner", url=url, code=error.code)
                self._miss(orphans)

    async def _ask_room(self, url: str, room: str, orphans: list[Orphan]) -> None:
        try:
            roster = {entry.id: entry for entry in await self._media.roster(url, room)}
        except Refused as error:
            log.debug("no legs without owner", room=room, code=error.code)
            roster = {}
        for orphan in orphans:
            orphan.misses = 0
            await self._judge(orphan, roster.get(orphan.grant.participant))

    async def _judge(self, orphan: Orphan, entry: Participant | None) -> None:
        participant = orphan.grant.participant
        if self._orphans.get(participant) is not orphan:
            return
        if entry is None or self._hub.of_participant(participant) is not None:
            del self._orphans[participant]  # the leg has gone, or has an owner again
        elif entry.state == "connected":
            orphan.suspect = False
        elif not orphan.suspect:
            orphan.suspect = True
        else:
            await self._remove(orphan, entry.leg)

    async def _remove(self, orphan: Orphan, leg: str) -> None:
        try:
            await self._media.delete_leg(orphan.mcu_url, leg, REASON)
        except Refused as error:
            log.debug("leg was gone already", leg=leg, code=error.code)
        log.info("leg without owner and media removed", leg=leg, room=orphan.room)
        self._forget(orphan)

    def _miss(self, orphans: Iterable[Orphan]) -> None:
        for orphan in orphans:
            orphan.misses += 1
            if orphan.misses >= self._limits.misses:
                self._forget(orphan)

    def _forget(self, orphan: Orphan) -> None:
        if self._orphans.get(orphan.grant.participant) is orphan:
            del self._orphans[orphan.grant.participant]
