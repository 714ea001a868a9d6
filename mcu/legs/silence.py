"""How long a peer that should send has been silent: the engine measures it, and where its word is missing we do."""

from __future__ import annotations

from confero.clock import Clock

from .base import GRACE_S


class Silence:
    """``limit_s`` 0: it may be silent for ever."""

    def __init__(self, clock: Clock, limit_s: float) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._packets = 0
        self._since = self._packets_at = 0.0
        self.wanted = False
        """Whether the peer should send; while it is on hold nothing is over."""
        self.heard = False
        """A packet has come since ``begin``."""

    def expect(self) -> None:
        """Silence counts from now on, a moment before the engine begins to count."""
        self._since = self._packets_at = self._clock.monotonic()

    def begin(self) -> None:
        """The stream has begun, anew perhaps: its packets count from nothing."""
        self.heard, self._packets = False, 0

    def look(self, packets: int) -> None:
        """So many have come."""
        if packets != self._packets:
            self._packets, self._packets_at, self.heard = packets, self._clock.monotonic(), True

    def is_over(self, *, unheard_of: bool = False) -> bool:
        """The peer should send, has a limit, and has had that long: what was silent on hold may start afresh. ``unheard_of``: by
        our own count, without a word of the engine."""
        since = self._packets_at + GRACE_S if unheard_of else self._since
        return self.wanted and 0 < self._limit_s <= self._clock.monotonic() - since
