"""One task that does large work a piece at a time: whoever else waits for the event loop comes in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from confero.runtime.logging import get_logger

log = get_logger(__name__)


class Turns:
    """``piece`` is called once in each turn of the loop as long as it says that there is more to do."""

    def __init__(self, piece: Callable[[], bool]) -> None:
        self._piece = piece
        self._wake = asyncio.Event()

    def begin(self) -> None:
        """There is something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Work for ever. A piece that fails is logged, and the next one made."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._more():  # noqa: ASYNC110 - it waits for nothing: others have their turn
                await asyncio.sleep(0)

    def _more(self) -> bool:
        try:
            return self._piece()
        except Exception as error:
            log.error("a piece of work has failed", exc_info=error)
            return True
