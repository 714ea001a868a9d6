"""What happened to each leg, for the application server: in order, kept while it is away, bounded by dropping the oldest."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import Protocol

from confero import models
from confero.errors import ConferoError, Refused
from confero.runtime.logging import get_logger

from .backoff import Backoff

log = get_logger(__name__)

LIMIT = 2000
"""Records that wait: half an hour of joins at one a second, about a megabyte."""
PAUSE_S = 0.1
"""Between two calls: a burst of joins becomes one transaction there."""


class RecordKeeper(Protocol):
    """Takes records. Raises Refused, Unavailable."""

    async def record(self, records: models.LegRecords) -> None: ...


class Records:
    """``run`` it as a task: as many as wait go in one call. One may arrive twice when an answer was lost; never out of order."""

    def __init__(self, keeper: RecordKeeper, backoff: Backoff | None = None, limit: int = LIMIT) -> None:
        self._keeper = keeper
        self._backoff = backoff or Backoff("appserver records")
        self._limit = limit
        self._waiting: deque[models.LegRecord] = deque()
        self._news = asyncio.Event()
        self.dropped = 0

    def add(self, record: models.LegRecord) -> None:
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(record)
        self._news.set()

    @property
    def settled(self) -> bool:
        """Nothing waits, or the application server is away so that waiting is in vain."""
        return not self._waiting or self._backoff.down

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            while self._waiting:
                await self._send(list(islice(self._waiting, models.TOLD_AT_ONCE)))
                await asyncio.sleep(PAUSE_S)
            self._news.clear()
            await self._news.wait()

    async def _send(self, records: list[models.LegRecord]) -> None:
        try:
            await self._keeper.record(models.LegRecords(records=records))
        except Refused as error:
            log.warning("records were refused", count=len(records), code=error.code, detail=error.detail)
        except ConferoError as error:
            await asyncio.sleep(self._backoff.failed(str(error)))
            return
        self._backoff.succeeded()
        for record in records:
            if self._waiting and self._waiting[0] is record:  # else it was dropped for a newer one meanwhile
                self._waiting.popleft()
