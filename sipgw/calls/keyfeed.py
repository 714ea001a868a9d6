"""Keys in the media of all calls, and what hosts decide about them: each MCU with legs of ours is asked, by a task."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

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
OLD = -1
"""In place of a number: all that there is now has been dealt with."""
PAUSE_S = 1.0
"""After an MCU has not answered."""


class KeyFeed:
    """``run`` it as a task."""

    def __init__(self, book: CallBook, mcus: McuPeers, owner: str, stale: Iterable[str] = ()) -> None:
        """``stale``: MCUs with calls of the process before this one, to which what is old has been told."""
        self._book = book
        self._mcus = mcus
        self._owner = owner
        self._stale = set(stale)
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
        last = OLD if url in self._stale else 0
        self._stale.discard(url)
        try:
            while url in self._book.mcus():
                last = await self._read_once(url, last)
        finally:
            del self._asked[url]

    async def _read_once(self, url: str, last: int) -> int:
        """The number of the last happening."""
        try:
            news = await self._mcus.at(url).digits(self._owner, max(last, 0), 0.0 if last == OLD else WAIT_S)
        except ConferoError as error:
            log.info("no keys from an MCU", mcu=url, reason=str(error))
            await asyncio.sleep(PAUSE_S)
            return last
        if last == OLD:
            return news.last
        for digit in news.digits:
            self._book.key(digit.leg, digit.digit)
        for change in news.changes:
            self._book.changed(change.leg, muted=change.muted, held=change.held)
        return news.last
