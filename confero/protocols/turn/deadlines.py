"""Deadlines in a heap: one for each thing that ends, moved earlier by a push, and thrown away in bulk when it holds no more."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """Something to be looked at once ``wakes_at`` has come."""

    wakes_at: float | None


T = TypeVar("T", bound=Timed)
SLACK = 1024
"""Stale entries are not worth a look while they are fewer than these."""


class Deadlines(Generic[T]):
    """Entries are counted, so that things with the same deadline come in the order in which they were scheduled."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._serial = 0
        self._live = 0
        """Things that have a deadline; the entries above these are stale."""

    def __len__(self) -> int:
        """Entries, stale ones included."""
        return len(self._heap)

    def wake(self, item: T, at: float) -> None:
        """Look at the item then, or before, if that was asked for."""
        if item.wakes_at is None:
            self._live += 1
        elif item.wakes_at <= at:
            return
        item.wakes_at = at
        self._serial += 1
        heappush(self._heap, (at, self._serial, item))
        self._sweep()

    def forget(self, item: T) -> None:
        """It is not looked at any more."""
        if item.wakes_at is not None:
            item.wakes_at = None
            self._live -= 1
            self._sweep()

    def next(self) -> float | None:
        """The earliest deadline that holds."""
        heap = self._heap
        while heap:
            if heap[0][2].wakes_at == heap[0][0]:
                return heap[0][0]
            heappop(heap)
        return None

    def due(self, now: float) -> Iterator[T]:
        """Items whose deadline has come, the earliest first, without a deadline from then on. They may be given new ones."""
        while self._heap and self._heap[0][0] <= now:
            at, _, item = heappop(self._heap)
            if item.wakes_at == at:
                item.wakes_at = None
                self._live -= 1
                yield item

    def _sweep(self) -> None:
        """What is stale keeps things alive that are gone: it is thrown away when it outnumbers what is live."""
        if len(self._heap) > 2 * self._live + SLACK:
            self._heap[:] = [entry for entry in self._heap if entry[2].wakes_at == entry[0]]
            heapify(self._heap)
