"""Keys in the media of all calls: each MCU that has legs of ours is asked for them, over and over, by one task each."""

from __future__ import annotations

import asyncio

from confero.errors import ConferoError
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from ..peers import McuPeers
from .book import CallBook

log = get_logger(__name__)

LOOK_S = 0.25
"""How often it is looked for MCUs that are new: nobody presses a key so soon after a call is answered."""
WAIT_S = 20.0
"""How long an MCU may wait with its answer until there is a key."""
PAUSE_S = 1.0
"""After an MCU has not answered."""


class KeyFeed:
    """``run`` it as a task."""

    def __init__(self, book: CallBook, mcus: McuPeers, owner: str) -> None:
        self._book = book
        self._mcus = mcus
        self._owner = owner
        self._asked: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        tasks = TaskBag()
        try:
            while True:
                for url in self._book.mcus() - self._asked.keys():
                    self._asked[url] = tasks.spawn(self._read(url), name=f"keys of {url}")
                await asyncio.sleep(LOOK_S)
        finally:
            await tasks.close()

    async def _read(self, url: str) -> None:
        """As long as that MCU has legs of ours."""
        last = 0
        try:
            while url in self._book.mcus():
                last = await self._read_once(url, last)
        finally:
            del self._asked[url]

    async def _read_once(self, url: str, last: int) -> int:
        """The number of the last key."""
        try:
            digits = (await self._mcus.at(url).digits(self._owner, last, WAIT_S)).digits
        except ConferoError as error:
            log.info("no keys from an MCU", mcu=url, reason=str(error))
            await asyncio.sleep(PAUSE_S)
            return last
        for digit in digits:
            self._book.key(digit.leg, digit.digit)
        return digits[-1].number if digits else last
