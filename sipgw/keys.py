"""Each key once: some telephones send a key in their media and by INFO as well. A machine without I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

Way = Literal["media", "info"]
"""RFC 4733 or by its sound (the media engine tells those two apart), or INFO."""
APART_S = 2.0
"""Between the two reports of one key at most: an INFO is retransmitted over a network that loses packets."""
MEMORY = 32
"""Keys that wait for their twin; nobody presses more in that time."""


@dataclass(frozen=True, slots=True)
class _Seen:
    way: Way
    digit: str
    at: float


class Once:
    """Matches every key of the one way with the same key of the other, in their order."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=MEMORY)

    def counts(self, way: Way, digit: str, now: float) -> bool:
        """False: it is the twin of a key that has counted."""
        while self._seen and now - self._seen[0].at > APART_S:
            self._seen.popleft()
        for seen in self._seen:
            if seen.way != way and seen.digit == digit:
                self._seen.remove(seen)
                return False
        self._seen.append(_Seen(way, digit, now))
        return True
