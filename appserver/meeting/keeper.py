"""Looks after meetings in the background: what is due is told again, what everybody has left is over."""

from __future__ import annotations

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.runtime.logging import get_logger

from .store import MeetingStore
from .teller import Teller

log = get_logger(__name__)


class Keeper:
    """``look`` every second or so."""

    def __init__(self, store: MeetingStore, teller: Teller, clock: Clock) -> None:
        self._store = store
        self._teller = teller
        self._clock = clock

    async def look(self) -> None:
        """Raises Unavailable without database; a service that does not answer keeps one room waiting, not the others."""
        now = self._clock.wall()
        for room, version in await self._store.due(now):
            try:
                await self._teller.again(room, version)
            except (Refused, Unavailable) as error:
                log.info("a meeting is still not told", room=room, code=error.code)
        for room in await self._store.deserted(now):
            await self._store.conclude(room, now)
            log.info("meeting over", room=room)
