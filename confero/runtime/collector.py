"""The collector of cycles: a full pass stops everything, so it waits until nobody waits for us; and what passes take is measured.

Python would make one whenever there is a quarter more to look at, which is when a service is busy, and makes none when it rests,
so that what is left of a busy hour stays in memory.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from confero.runtime.logging import get_logger
from confero.runtime.metrics import Metrics

log = get_logger(__name__)

YOUNG, MIDDLE = 5_000, 5
"""Thresholds of the first two generations: new objects, and passes over those. Python's own are 700 and 10; a tenth of a busy
service's time went with looking at so few."""
NEVER = 1_000_000_000
"""... of the last one, whose passes are made here."""
MOST_OBJECTS = 5_000_000
"""More than were freed; then a full pass is made at any time. It bounds what can be lost in knots to some 500 MB."""
MOST_PASSES = MOST_OBJECTS // ((YOUNG + 1) * (MIDDLE + 1))
"""The same in passes of the middle generation, which are what Python counts."""
QUIET = 0.1
"""Of one core: an event loop that has had less to do for ``INTERVAL_S`` has time."""
SHARE = 0.01
"""Of the time that full passes may take in quiet: the next waits for a hundred times what the last took."""
INTERVAL_S = 1.0
MOST_NOTED = 4_096
"""Pauses between two looks at them; of more the oldest are not counted. A pass of the first generation takes 0.2 ms and more."""


def settle_memory() -> None:
    """What was made until now stays: the collector of cycles need not look at it again, and looks less often at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


@dataclass(frozen=True)
class Reading:
    """What tells whether it is time for a full pass."""

    now: float
    """Monotonic seconds."""
    worked: float
    """CPU seconds of the event loop's thread, since it began."""
    passes: int
    """Of the middle generation, since the last full pass."""


def read() -> Reading:
    """To be called in the event loop's thread."""
    return Reading(time.monotonic(), time.thread_time(), gc.get_count()[2])


class FullPasses:
    """Decides when one is due, from a reading every now and then. Without I/O, and without a clock."""

    def __init__(self, first: Reading) -> None:
        self._last = first
        self._not_before = first.now

    def due(self, reading: Reading) -> bool:
        """In quiet, if there is something new to look at; whatever there is to do, if there is too much of it."""
        last, self._last = self._last, reading
        if reading.passes >= MOST_PASSES:
            return True
        quiet = reading.worked - last.worked < QUIET * (reading.now - last.now)
        return quiet and reading.passes > 0 and reading.now >= self._not_before

    def made(self, before: Reading, after: Reading) -> None:
        """One was made between these two, which is not counted as work."""
        self._last = after
        self._not_before = after.now + (after.now - before.now) / SHARE


class Collector:
    """Makes full passes; ``run`` it as a task of the event loop, one for a process."""

    def __init__(self, read: Callable[[], Reading] = read) -> None:
        self._read = read

    async def run(self) -> None:
        """Until cancelled."""
        passes = FullPasses(self._read())
        while True:
            await asyncio.sleep(INTERVAL_S)
            before = self._read()
            if not passes.due(before):
                continue
            found = gc.collect()
            after = self._read()
            passes.made(before, after)
            log.debug("full pass", found=found, seconds=round(after.now - before.now, 3), passes=before.passes)


class Pauses:
    """Histogram ``gc_pause_seconds`` by generation: how long the process stood still for each pass of the collector."""

    def __init__(self, metrics: Metrics) -> None:
        histogram = metrics.histogram(
            "gc_pause_seconds", "How long the collector of cycles held everything up", ("generation",)
        )
        self._histograms = [histogram.labels(str(generation)) for generation in range(3)]
        self._began = 0.0
        self._noted: deque[tuple[int, float]] = deque(maxlen=MOST_NOTED)

    async def run(self) -> None:
        """Measures until cancelled."""
        gc.callbacks.append(self._note)
        try:
            while True:
                await asyncio.sleep(INTERVAL_S)
                self._count()
        finally:
            gc.callbacks.remove(self._note)

    def _note(self, phase: str, info: Mapping[str, Any]) -> None:
        """Called by the collector at any point of any thread, so that nothing is touched here that has a lock."""
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._noted.append((info["generation"], time.perf_counter() - self._began))

    def _count(self) -> None:
        while self._noted:
            generation, seconds = self._noted.popleft()
            self._histograms[generation].observe(seconds)
