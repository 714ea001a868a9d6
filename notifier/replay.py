"""The replay window: the last events of one session, kept until they are too old or too many."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class ReplayLimits:
    """How much a session may keep for a browser that comes back."""

    age_s: float = 40.0
    """Older events are dropped. Resume window plus the time in which a dead connection is noticed (two heartbeats)."""
    events: int = 200
    """Five events a second for the whole age; fewer than a connection may have queued, so that a replay never overflows it."""
    size: int = 768 << 10
    """Characters; below the bound of a connection's queue for the same reason. The bodies are shared by all sessions of a room."""


class ReplayWindow:
    """Numbered event bodies in order, without gaps, oldest first."""

    def __init__(self, limits: ReplayLimits) -> None:
        self._limits = limits
        self._kept: deque[tuple[float, int, str]] = deque()
        self._size = 0
        self._last = 0

    @property
    def last(self) -> int:
        """Number of the newest event; 0 before the first."""
        return self._last

    def add(self, body: str, now: float) -> int:
        """Keep ``body`` under the next number, which is returned; drop what is beyond the limits."""
        self._last += 1
        self._kept.append((now, self._last, body))
        self._size += len(body)
        while self._too_much(now):
            self._size -= len(self._kept.popleft()[2])
        return self._last

    def _too_much(self, now: float) -> bool:
        limits = self._limits
        if not self._kept:
            return False
        too_old = now - self._kept[0][0] > limits.age_s
        return too_old or len(self._kept) > limits.events or self._size > limits.size

    def since(self, seq: int) -> list[tuple[int, str]] | None:
        """The events after ``seq``; None if one of them is gone or ``seq`` was never given out."""
        if seq > self._last:
            return None
        first = self._last - len(self._kept) + 1
        if seq + 1 < first:
            return None
        return [(number, body) for _, number, body in self._kept if number > seq]
