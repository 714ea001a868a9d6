"""One task that lets every connection beat once in an interval, some of them each tenth of it."""

from __future__ import annotations

import asyncio
from itertools import cycle
from typing import Protocol

PARTS = 10
"""Of an interval, so that the pings of all do not go out in one burst."""


class Beating(Protocol):
    """A connection that has to be kept alive, or found dead."""

    def beat(self) -> None: ...


class Heartbeats:
    """Connections by the part of the interval in which they beat."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._parts: list[set[Beating]] = [set() for _ in range(PARTS)]
        self._places: dict[Beating, set[Beating]] = {}
        self._next = cycle(self._parts)

    def add(self, connection: Beating) -> None:
        """From now on it beats, first within an interval."""
        part = self._places[connection] = next(self._next)
        part.add(connection)

    def remove(self, connection: Beating) -> None:
        """It beats no more; one that is not known is ignored."""
        self._places.pop(connection, set()).discard(connection)

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            for part in self._parts:
                await asyncio.sleep(self._interval_s / PARTS)
                for connection in list(part):
                    connection.beat()
