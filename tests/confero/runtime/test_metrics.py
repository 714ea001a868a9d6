"""Metrics: one prefix, shared by name, and never of two kinds."""

from __future__ import annotations

import asyncio
import time

import pytest

from confero.errors import LocalError
from confero.runtime import looplag
from confero.runtime.looplag import LoopLag
from confero.runtime.metrics import Metrics
from confero.runtime.tasks import spawn


def test_a_name_gives_the_same_metric_again() -> None:
    metrics = Metrics()
    assert metrics.counter("calls", "Calls", ["kind"]) is metrics.counter("calls", "Calls", ["kind"])
    with pytest.raises(LocalError, match="metric calls is a counter already"):
        metrics.gauge("calls", "Calls")


def test_two_services_in_one_process_do_not_share() -> None:
    one, other = Metrics(), Metrics()
    one.gauge("rooms", "Rooms").set(3)
    assert other.registry.get_sample_value("confero_rooms") is None
    assert one.registry.get_sample_value("confero_rooms") == 3


def test_the_exposition_holds_help_type_and_process() -> None:
    metrics = Metrics()
    metrics.histogram("answer_seconds", "Time to answer").observe(0.2)
    text, content_type = metrics.render()
    assert b"# HELP confero_answer_seconds Time to answer\n# TYPE confero_answer_seconds histogram" in text
    assert b"process_open_fds" in text and content_type.startswith("text/plain")


async def test_a_loop_that_is_held_up_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looplag, "INTERVAL_S", 0.01)
    metrics = Metrics()
    task = spawn(LoopLag(metrics).run(), name="lag")
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - what is to be noticed
    async with asyncio.timeout(5):
        while not metrics.registry.get_sample_value("confero_loop_late_seconds_count"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert (metrics.registry.get_sample_value("confero_loop_late_seconds_sum") or 0) > 0.1
    assert metrics.registry.get_sample_value("confero_loop_lag_seconds") is not None
    task.cancel()
