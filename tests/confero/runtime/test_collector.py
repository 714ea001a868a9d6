"""Full passes of the collector: made in quiet, put off in work, never for ever; and what passes take."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from confero.runtime import collector
from confero.runtime.collector import (
    MIDDLE,
    MOST_OBJECTS,
    MOST_PASSES,
    NEVER,
    YOUNG,
    Collector,
    FullPasses,
    Pauses,
    Reading,
    settle_memory,
)
from confero.runtime.metrics import Metrics
from confero.runtime.tasks import spawn

from ...support.waiting import until


class Process:
    """Time goes on second by second, in which the event loop's thread works for ``load`` of it."""

    def __init__(self) -> None:
        self.now, self.worked = 1000.0, 7.0
        self.passes = FullPasses(self.read(0))

    def read(self, passes: int) -> Reading:
        return Reading(self.now, self.worked, passes)

    def due(self, load: float, passes: int) -> bool:
        self.now += 1.0
        self.worked += load
        return self.passes.due(self.read(passes))

    def make(self, seconds: float) -> None:
        """A full pass that takes so long."""
        before = self.read(1)
        self.now += seconds
        self.worked += seconds
        self.passes.made(before, self.read(0))


def test_in_quiet_what_is_new_is_looked_at() -> None:
    process = Process()
    assert process.due(0.05, 1)
    process.make(0.02)
    assert not process.due(0.0, 0), "there is nothing new"


def test_who_works_is_not_held_up() -> None:
    process = Process()
    assert not any(process.due(0.9, passes) for passes in range(100))
    assert not process.due(0.2, 100), "that is not quiet enough"
    assert process.due(0.0, 100)


def test_too_much_is_not_put_off() -> None:
    process = Process()
    assert not process.due(1.0, MOST_PASSES - 1)
    assert process.due(1.0, MOST_PASSES)
    process.make(5.0)
    assert process.due(1.0, MOST_PASSES), "what takes long is no reason to lose memory"


def test_the_bound_is_what_it_says() -> None:
    objects = MOST_PASSES * (YOUNG + 1) * (MIDDLE + 1)
    assert 0.9 * MOST_OBJECTS < objects <= MOST_OBJECTS


def test_long_passes_are_rare_ones() -> None:
    process = Process()
    process.make(0.3)
    due = [process.due(0.0, 1) for _ in range(31)]
    assert due == [False] * 29 + [True] * 2


def test_a_pass_is_not_taken_for_work() -> None:
    process = Process()
    process.make(0.001)
    assert process.due(0.05, 1)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(collector, "INTERVAL_S", 0.01)
    gc.disable()
    yield
    gc.enable()


class Knot:
    def __init__(self) -> None:
        self.self = self


@pytest.mark.usefixtures("hurried")
async def test_a_knot_is_collected_in_quiet_and_not_before() -> None:
    worked, rests = 0.0, False

    def read() -> Reading:
        nonlocal worked
        now = asyncio.get_running_loop().time()
        worked = worked if rests else now
        return Reading(now, worked, 1)

    left = weakref.ref(Knot())
    task = spawn(Collector(read).run(), name="collector")
    await asyncio.sleep(0.1)
    assert left() is not None
    rests = True
    await until(lambda: left() is None, "the pass")
    task.cancel()


async def test_this_process_is_read() -> None:
    gc.collect()
    first, second = collector.read(), collector.read()
    assert second.now >= first.now and second.worked >= first.worked > 0 and first.passes == 0


@pytest.mark.usefixtures("hurried")
async def test_pauses_are_measured_by_generation() -> None:
    metrics = Metrics()

    def seen(name: str, generation: int) -> float:
        sample = metrics.registry.get_sample_value(f"confero_gc_pause_seconds_{name}", {"generation": str(generation)})
        return sample or 0.0

    task = spawn(Pauses(metrics).run(), name="pauses")
    await asyncio.sleep(0)
    gc.collect(0)
    gc.collect()
    await until(lambda: seen("count", 2), "the measured pass")
    assert [seen("count", generation) for generation in range(3)] == [1, 0, 1]
    assert seen("sum", 0) > 0 and seen("sum", 2) > 0
    callbacks = len(gc.callbacks)
    task.cancel()
    await asyncio.wait([task])
    assert len(gc.callbacks) == callbacks - 1


def test_a_service_that_has_started_is_settled() -> None:
    thresholds = gc.get_threshold()
    knot = weakref.ref(Knot())
    try:
        settle_memory()
        assert knot() is None and gc.get_freeze_count() > 1000
        assert gc.get_threshold() == (YOUNG, MIDDLE, NEVER)
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
