"""Keeps the gateway's legs: every MCU that has some is told that we are there, and says which of them it still has."""

from __future__ import annotations

import asyncio

from confero.clock import Clock
from confero.errors import ConferoError
from confero.runtime.logging import get_logger

from ..peers import McuPeers
from .book import CallBook

log = get_logger(__name__)

RENEW_S = 2.0
"""A third of the shortest sensible lease (the MCU's default is 10 s)."""
LOST_S = 5.0
"""An MCU that has not answered for this long is gone: its calls look for another."""


class Leases:
    """``run`` it as a task."""

    def __init__(self, book: CallBook, mcus: McuPeers, clock: Clock, owner: str) -> None:
        self._book = book
        self._mcus = mcus
        self._clock = clock
        self._owner = owner
        self._heard: dict[str, float] = {}
        """When each MCU was heard of last."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await self.renew()

    async def renew(self) -> None:
        """Once, at all MCUs with legs of ours."""
        known = self._book.legs()
        self._heard = {url: self._heard.get(url, self._clock.monotonic()) for url in known}
        await asyncio.gather(*(self._renew(url, legs) for url, legs in known.items()))

    async def _renew(self, url: str, before: set[str]) -> None:
        try:
            reply = await self._mcus.at(url).renew(self._owner)
        except ConferoError as error:
            silent = self._clock.monotonic() - self._heard[url]
            log.warning("MCU not reached", mcu=url, silent_s=round(silent), reason=str(error))
            if silent >= LOST_S:
                self._book.legs_lost(url, before)
            return
        self._heard[url] = self._clock.monotonic()
        # Only legs that were there before the question: others may have been made while it was answered.
        self._book.legs_lost(url, before - set(reply.legs), reply.boot)
