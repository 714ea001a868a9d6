"""Registration, heartbeats and the notice of a start."""

from __future__ import annotations

import asyncio

import pytest

from confero import models
from confero.clock import FakeClock
from confero.errors import Refused, Unavailable
from confero.mcu.backoff import LONGEST_S, Backoff
from confero.mcu.farm import HEARTBEAT_S, REGISTER_S, Farm, Identity, Load

from ..support.waiting import until

ME = Identity("mcu-1", "boot-1", "http://127.0.0.1:2131", 500)


class AppServer:
    def __init__(self) -> None:
        self.said: list[object] = []
        self.failure: Exception | None = None
        self.database_down = False
        self.knows = False

    async def register(self, register: models.McuRegister) -> None:
        if self.failure is not None:
            raise self.failure
        if self.database_down:
            raise Unavailable("no database", code="database-down")
        self.knows = True
        self.said.append(register)

    async def heartbeat(self, mcu: str, heartbeat: models.McuHeartbeat) -> None:
        if self.failure is not None:
            raise self.failure
        if not self.knows:
            raise Refused("who are you", status=404, code="mcu-unknown")
        self.said.append((mcu, heartbeat))


def farm(clock: FakeClock | None = None) -> Farm:
    load = Load(3, 2, 3, False, ("a", "b", "c"))
    return Farm(ME, lambda: load, clock or FakeClock(), Backoff("appserver", jitter=lambda: 1.0))


async def test_registers_then_beats() -> None:
    appserver, f = AppServer(), farm()
    assert [await f.beat(appserver), await f.beat(appserver)] == [0.0, HEARTBEAT_S]
    register, beat = appserver.said
    assert register == models.McuRegister(
        id="mcu-1", boot="boot-1", url="http://127.0.0.1:2131", capacity=500, participants=["a", "b", "c"]
    )
    assert beat == ("mcu-1", models.McuHeartbeat(boot="boot-1", load=3, rooms=2, legs=3, draining=False))


async def test_registers_again_at_once_when_forgotten() -> None:
    appserver, clock = AppServer(), FakeClock()
    f = farm(clock)
    await f.beat(appserver)
    clock.advance(HEARTBEAT_S)
    appserver.knows = False
    assert [await f.beat(appserver) for _ in range(3)] == [0.0, 0.0, HEARTBEAT_S]
    assert appserver.knows
    assert [type(said) for said in appserver.said] == [models.McuRegister, models.McuRegister, tuple]


async def test_says_once_a_minute_who_is_here() -> None:
    appserver, clock = AppServer(), FakeClock()
    f = farm(clock)
    for _ in range(round(2 * REGISTER_S / HEARTBEAT_S) + 1):
        while not (pause_s := await f.beat(appserver)):
            pass
        clock.advance(pause_s)
    registrations = [i for i, said in enumerate(appserver.said) if isinstance(said, models.McuRegister)]
    every = round(REGISTER_S / HEARTBEAT_S) + 1
    assert registrations == [0, every, 2 * every] and appserver.said[0] == appserver.said[every]
    assert isinstance(appserver.said[-1], tuple)  # load and draining are known again


async def test_an_outage_at_the_time_of_registering_again() -> None:
    appserver, clock = AppServer(), FakeClock()
    f = farm(clock)
    await f.beat(appserver)
    clock.advance(REGISTER_S)
    appserver.failure = Unavailable("away")
    assert await f.beat(appserver) > 0 and f.registered
    appserver.failure = None
    assert [await f.beat(appserver), await f.beat(appserver)] == [0.0, HEARTBEAT_S]
    assert [type(said) for said in appserver.said] == [models.McuRegister, models.McuRegister, tuple]


async def test_heartbeats_go_on_while_registrations_cannot_be_written_down() -> None:
    """The server's database is away for a minute: whoever is silent meanwhile loses its rooms."""
    appserver, clock = AppServer(), FakeClock()
    f = farm(clock)
    await f.beat(appserver)
    appserver.database_down = True
    for _ in range(round(2 * REGISTER_S / HEARTBEAT_S)):
        clock.advance(HEARTBEAT_S)
        assert await f.beat(appserver) == HEARTBEAT_S and f.registered
    assert len(appserver.said) == 1 + round(2 * REGISTER_S / HEARTBEAT_S)
    appserver.database_down = False
    assert await f.beat(appserver) == 0.0
    assert isinstance(appserver.said[-1], models.McuRegister)


async def test_a_first_registration_that_cannot_be_written_down_is_tried_again() -> None:
    appserver, f = AppServer(), farm()
    appserver.database_down = True
    assert await f.beat(appserver) > 0 and not f.registered and not appserver.said


async def test_an_absent_server_is_tried_less_and_less_often() -> None:
    appserver, f = AppServer(), farm()
    appserver.failure = Unavailable("away")
    waits = [await f.beat(appserver) for _ in range(12)]
    assert waits == sorted(waits) and waits[0] < 1 and waits[-1] == LONGEST_S
    appserver.failure = None
    assert [await f.beat(appserver), await f.beat(appserver)] == [0.0, HEARTBEAT_S]


async def test_an_outage_needs_no_new_registration() -> None:
    appserver, f = AppServer(), farm()
    await f.beat(appserver)
    appserver.failure = Unavailable("away")
    await f.beat(appserver)
    appserver.failure = None
    await f.beat(appserver)
    assert [type(said) for said in appserver.said] == [models.McuRegister, tuple]


async def test_a_server_that_refuses_is_no_busy_loop() -> None:
    appserver, f = AppServer(), farm()
    appserver.failure = Refused("no", status=404)
    assert await f.beat(appserver) > 0
    assert await f.beat(appserver) > 0


async def test_a_server_that_forgets_at_once_is_no_busy_loop() -> None:
    appserver, clock = AppServer(), FakeClock()
    f = farm(clock)
    pauses = []
    for _ in range(10):
        pauses.append(await f.beat(appserver))
        clock.advance(pauses[-1])
        appserver.knows = False
    assert sum(pauses) == 5 * HEARTBEAT_S


async def test_the_start_is_told_until_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confero.mcu.backoff.FIRST_S", 0.001)
    heard: list[models.McuStarted] = []
    tries = 0

    class Notifier:
        async def started(self, mcu: str, started: models.McuStarted) -> None:
            nonlocal tries
            tries += 1
            if tries < 3:
                raise Unavailable("away")
            heard.append(started)

    task = asyncio.get_running_loop().create_task(farm().announce(Notifier()))
    await until(lambda: heard)
    assert heard == [models.McuStarted(boot="boot-1", url="http://127.0.0.1:2131")] and tries == 3
    await task


def test_backoff_is_jittered_and_bounded() -> None:
    low, high = Backoff("x", jitter=lambda: 0.0), Backoff("x", jitter=lambda: 1.0)
    for _ in range(2000):
        assert 0 < low.failed("r") <= high.failed("r") <= LONGEST_S
    assert low.down
    low.succeeded()
    assert not low.down
