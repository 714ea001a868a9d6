"""What is measured of the database: times, tries, failures, and whether it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from confero.runtime.logging import get_logger
from confero.runtime.metrics import Metrics

log = get_logger(__name__)

Kind = Literal["read", "write"]
LONGEST_TEXT = 300
"""Characters of a statement in the log; values are never part of it."""
SELDOM_S = 1.0
"""Between two lines of one kind: when everything is slow nobody wants to read that thousands of times."""


class Seldom:
    """Lines of a log of which the first of a second is written, with how many were left out since the one before."""

    def __init__(self, write: Callable[..., Any]) -> None:
        self._write = write
        self._written_at = float("-inf")
        self._left_out = 0

    def __call__(self, words: str, **values: object) -> None:
        now = time.monotonic()
        if now - self._written_at < SELDOM_S:
            self._left_out += 1
            return
        if self._left_out:
            values["left_out"] = self._left_out
        self._written_at, self._left_out = now, 0
        self._write(words, **values)


class Meters:
    """Of one database. Counting never fails."""

    def __init__(self, metrics: Metrics, slow_s: float = 0.5) -> None:
        """``slow_s``: what takes longer is logged, waiting for a connection and all tries counted in."""
        self._slow_s = slow_s
        self.warn_slow = Seldom(log.warning)
        self.say_failed = Seldom(log.error)
        self.up = metrics.gauge("database_up", "1 while the database answers")
        self.up.set(1)
        self.retries = metrics.counter(
            "database_retries", "Transactions begun again, by what was in the way", ("fault",)
        )
        self.failures = metrics.counter("database_failures", "Transactions given up, by their last fault", ("fault",))
        self.refused = metrics.counter("database_refused", "Requests refused at once", ("reason",))
        self.seconds = metrics.histogram("database_seconds", "Time of transactions with all their tries", ("kind",))
        self.connections = metrics.gauge("database_connections", "Connections of the pool, by their use", ("use",))

    def pool(self, busy: Callable[[], float], idle: Callable[[], float]) -> None:
        """How many connections are in use, and how many are not."""
        self.connections.labels("busy").set_function(busy)
        self.connections.labels("idle").set_function(idle)

    @contextmanager
    def timed(self, kind: Kind, what: Callable[[], str]) -> Iterator[None]:
        """``what``: says what it is, if it was slow."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - begun
            self.seconds.labels(kind).observe(seconds)
            if seconds > self._slow_s:
                self.warn_slow("slow transaction", kind=kind, seconds=round(seconds, 3), what=what()[:LONGEST_TEXT])
