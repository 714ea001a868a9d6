"""The reader of the engine's events, and the clock that drives the conference."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Any

from confero.mcu.events import BATCHES, EventPump
from confero.media import Event, EventType

from ..support.waiting import until
from .fakes import event


class Source:
    def __init__(self) -> None:
        self.descriptor = os.eventfd(0, os.EFD_NONBLOCK)
        self.waiting: list[list[Event]] = []

    def fileno(self) -> int:
        return self.descriptor

    def put(self, *batches: list[Event]) -> None:
        self.waiting += batches
        os.eventfd_write(self.descriptor, 1)

    def events(self) -> list[Event]:
        found = self.waiting.pop(0) if self.waiting else []
        if not self.waiting:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self.descriptor)
        return found


class Listener:
    def __init__(self) -> None:
        self.heard: list[int] = []
        self.ticks = 0

    def handle(self, event: Event) -> None:
        if event.leg == 13:
            raise RuntimeError("a fault")
        self.heard.append(event.leg)

    def tick(self, now: float) -> None:
        self.ticks += 1
        if self.ticks == 1:
            raise RuntimeError("a fault")


async def test_all_events_arrive_whatever_one_of_them_does() -> None:
    source, listener = Source(), Listener()
    conference: Any = listener
    pump = EventPump(source, conference)
    pump.start()
    many = BATCHES * 3
    source.put(*([event(EventType.MEDIA, leg=leg)] for leg in range(many)))
    await until(lambda: len(listener.heard) == many - 1)
    assert listener.heard == [leg for leg in range(many) if leg != 13]
    pump.stop()
    pump.stop()
    source.put([event(EventType.MEDIA, leg=99)])
    await asyncio.sleep(0.02)
    assert 99 not in listener.heard
    os.close(source.descriptor)


async def test_ticks_go_on_after_a_fault() -> None:
    source, listener = Source(), Listener()
    conference: Any = listener
    task = asyncio.get_running_loop().create_task(EventPump(source, conference).keep_time())
    await until(lambda: listener.ticks >= 3)
    task.cancel()
    os.close(source.descriptor)
