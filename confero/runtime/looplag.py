"""How late the event loop runs: something that means to wake at fixed intervals, and measures by how much it misses."""

from __future__ import annotations

import asyncio

from confero.runtime.metrics import Metrics

INTERVAL_S = 0.25


class LoopLag:
    """Gauge ``loop_lag_seconds`` (the last wake-up) and histogram ``loop_late_seconds`` (all of them)."""

    def __init__(self, metrics: Metrics) -> None:
        self._gauge = metrics.gauge("loop_lag_seconds", "How late the event loop was at its last measured wake-up")
        self._histogram = metrics.histogram("loop_late_seconds", "How late the event loop woke up")

    async def run(self) -> None:
        """Measures until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + INTERVAL_S
            await asyncio.sleep(INTERVAL_S)
            late = max(0.0, loop.time() - due)
            self._gauge.set(late)
            self._histogram.observe(late)
