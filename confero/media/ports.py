"""Ports of a range, one at a time or in RTP/RTCP pairs: never a service's own port, never one that is bound already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from confero import ports
from confero.errors import LocalError

from .errors import NoPortFree

T = TypeVar("T")

_SPREAD = 0x9E3779B97F4A7C15
"""The golden ratio in 64 bits: neighbouring seeds start far apart."""


class PortAllocator:
    """Walks through its range, starting where the seed says, and remembers what it has handed out.

    The kernel knows best what is bound: ``bind`` is called with a port (for a pair the even one) and returns None if it is taken.
    Each claim tries each port of the range at most once.
    """

    def __init__(
        self, low: int | None = None, high: int | None = None, *, seed: int, avoid: frozenset[int] | None = None
    ) -> None:
        media = ports.find("mcu", "media")
        self.low = media.low if low is None else low
        self.high = media.high if high is None else high
        if not 1 <= self.low <= self.high <= 65535:
            raise LocalError(f"{self.low}-{self.high} is not a range of ports")
        self._avoid = ports.reserved() if avoid is None else avoid
        self._taken: set[int] = set()
        self._next = self.low + (seed * _SPREAD >> 32) % self._size

    @property
    def _size(self) -> int:
        return self.high - self.low + 1

    @property
    def in_use(self) -> int:
        """How many ports are handed out."""
        return len(self._taken)

    def claim(self, bind: Callable[[int], T | None]) -> tuple[int, T]:
        """One port and what ``bind`` made of it. Raises NoPortFree."""
        return self._claim(bind, 1)

    def claim_pair(self, bind: Callable[[int], T | None]) -> tuple[int, T]:
        """An even port whose odd neighbour is free too (RFC 3550 section 11); ``bind`` binds both. Raises NoPortFree."""
        return self._claim(bind, 2)

    def release(self, port: int, count: int = 1) -> None:
        """The port (with ``count`` 2: the pair) may be handed out again. Unknown ones are ignored."""
        self._taken.difference_update(range(port, port + count))

    def _claim(self, bind: Callable[[int], T | None], count: int) -> tuple[int, T]:
        for port in self._walk(count):
            bound = bind(port)
            if bound is not None:
                self._taken.update(range(port, port + count))
                self._next = port + count if port + count <= self.high else self.low
                return port, bound
        kind = "pair of ports" if count == 2 else "port"
        raise NoPortFree(f"no media {kind} is free between {self.low} and {self.high} ({self.in_use} in use here)")

    def _walk(self, count: int) -> Iterator[int]:
        """The candidates, from the next one on and once around."""
        start = self._next
        for step in range(self._size):
            port = self.low + (start - self.low + step) % self._size
            wanted = range(port, port + count)
            if (count == 2 and port % 2) or wanted[-1] > self.high:
                continue
            if self._taken.isdisjoint(wanted) and self._avoid.isdisjoint(wanted):
                yield port
