"""Deadlines in a heap: the next one is at hand, moving one costs a push, and what has been moved is thrown away in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """Something with at most two deadlines at a time; an entry that is neither of them any more is stale."""

    again_at: float | None
    ends_at: float | None


T = TypeVar("T", bound=Timed)
SLACK = 1024
"""Stale entries are not worth a look while they are fewer than these, or than what is live."""


class Deadlines(Generic[T]):
    """Entries are counted, so that items with the same deadline come in the order in which they were scheduled."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._serial = 0
        self._sweep_at = SLACK

    def __len__(self) -> int:
        """Entries, stale ones included."""
        return len(self._heap)

    def schedule(self, at: float, item: T) -> None:
        """The item's ``again_at`` or ``ends_at`` has become ``at``."""
        self._serial += 1
        heappush(self._heap, (at, self._serial, item))
        if len(self._heap) >= self._sweep_at:
            self._sweep()

    def next(self) -> float | None:
        """The earliest deadline that holds."""
        heap = self._heap
        while heap:
            at, _, item = heap[0]
            if _holds(at, item):
                return at
            heappop(heap)
        return None

    def due(self, now: float) -> Iterator[T]:
        """Items whose deadline has come, the earliest first. They may be scheduled anew meanwhile."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, item = heappop(heap)
            if _holds(at, item):
                yield item

    def _sweep(self) -> None:
        self._heap[:] = [entry for entry in self._heap if _holds(entry[0], entry[2])]
        heapify(self._heap)
        self._sweep_at = 2 * len(self._heap) + SLACK


def _holds(at: float, item: Timed) -> bool:
    return at in (item.again_at, item.ends_at)
