"""The engine's events into the conference: one reader on the event loop, and the conference's clock."""

from __future__ import annotations

import asyncio
from typing import Protocol

from confero.media import Event
from confero.runtime.logging import get_logger

from .conference import CYCLE_S, SLICES, Conference

log = get_logger(__name__)

BATCHES = 8
"""Batches taken at one wake-up; then the loop has its turn, and the descriptor is still readable."""


class EventSource(Protocol):
    """Readable while events wait."""

    def fileno(self) -> int: ...

    def events(self) -> list[Event]: ...


class EventPump:
    """From ``start`` to ``stop``."""

    def __init__(self, source: EventSource, conference: Conference) -> None:
        self._source = source
        self._conference = conference
        self._loop: asyncio.AbstractEventLoop | None = None
        self._descriptor = -1

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = self._source.fileno()
        self._loop.add_reader(self._descriptor, self.drain)

    def stop(self) -> None:
        """Idempotent."""
        if self._loop is not None:
            self._loop.remove_reader(self._descriptor)
            self._loop = None

    def drain(self) -> None:
        """Takes what waits. A fault in one event's handling is logged and does not stop the others."""
        for _ in range(BATCHES):
            events = self._source.events()
            for event in events:
                try:
                    self._conference.handle(event)
                except Exception:
                    log.exception("an event was not handled", type=event.type.name, leg=event.leg)
            if not events:
                return

    async def keep_time(self) -> None:
        """Ticks the conference until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CYCLE_S / SLICES)
            try:
                self._conference.tick(loop.time())
            except Exception:
                log.exception("a tick failed")
