"""What goes on by itself: lost MCUs and people are noticed within seconds, and old rows go once an hour."""

from __future__ import annotations

import asyncio

from confero.clock import Clock
from confero.errors import Unavailable
from confero.runtime.logging import get_logger

from .accountparts import AccountParts
from .config import AppserverConfig
from .db.records import SqlRecords
from .db.repeatstore import SqlRepeats
from .db.repositories import SqlStore
from .history.retention import forget
from .meetings import Meetings
from .rooms.lobby import Lobby
from .rooms.presence import Presence
from .telephony import Telephony

log = get_logger(__name__)

SWEEP_S = 0.5
"""With silence and heartbeats a lost MCU is noticed within 5 s."""
EVERY_S = 3600.0
FIRST_S = 60.0
"""After the start, when there is other work."""
DAY_S = 86_400.0
BREATH_S = 0.05
"""Between two pieces of a long deletion."""


async def sweep(presence: Presence, meetings: Meetings, lobby: Lobby) -> None:
    """Without end. While the database is away it is tried on, and said once."""
    failed = False
    while True:
        await asyncio.sleep(SWEEP_S)
        try:
            await presence.sweep()
            await meetings.keeper.look()
            await lobby.look()
            failed = False
        except Unavailable as error:
            if not failed:
                log.warning("sweeps fail; tried on", reason=error.detail)
            failed = True


class Housekeeping:
    """Deletes what nobody can need any more: ``once``, or for ever (``run``)."""

    def __init__(
        self,
        config: AppserverConfig,
        clock: Clock,
        store: SqlStore,
        records: SqlRecords,
        repeats: SqlRepeats,
        accounts: AccountParts,
        telephony: Telephony,
    ) -> None:
        self._config = config
        self._clock = clock
        self._store = store
        self._records = records
        self._repeats = repeats
        self._accounts = accounts
        self._telephony = telephony

    async def run(self) -> None:
        """Without end."""
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                await self.once()
            except Unavailable as error:
                log.warning("housekeeping failed", reason=error.detail)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> None:
        """Raises Unavailable."""
        config, now = self._config, self._clock.wall()
        old = now - config.retention_days * DAY_S
        rows = await self._store.forget(
            people_before=now - config.rejoin_window_s - config.token_ttl_s, unused_before=old, now=now
        )
        rows += await self._accounts.keep_house()
        rows += await self._repeats.forget(now)
        rows += await self._telephony.calls.forget(calls_before=old, now=now)
        rows += await forget(self._records, old, lambda: asyncio.sleep(BREATH_S))
        if rows:
            log.info("old rows deleted", rows=rows)
