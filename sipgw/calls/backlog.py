"""Calls that wait for the application server or an MCU: where many do, one more is told at once that it would wait too long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

MOST = 100
"""At 150 calls a second they are answered within 0.7 s. An INVITE over UDP comes again after 0.5 s (RFC 3261 section 17.1.1.2)."""


class Backlog:
    """How many calls wait; ``full`` is asked before anything is kept of another one."""

    def __init__(self, limit: int = MOST) -> None:
        self._limit = limit
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    @property
    def full(self) -> bool:
        return self._waiting >= self._limit

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While a service is asked something for a call that comes in."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
