"""What is turned away under load, and that the calls that run hear nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from confero.clock import FakeClock
from confero.runtime.tasks import TaskBag
from confero.sipgw.load import TICK_S, WEIGHT, Load

from ..support.waiting import until
from .house import House
from .telephone import Telephone

CALLS = 3
HEARD = 1500.0
Ring = Callable[..., Awaitable[Telephone]]


def test_it_begins_above_the_limit_and_ends_below_half_of_it() -> None:
    load = Load(FakeClock(), 0.5, 10, lambda: 0)
    load.ticked(2.4)
    assert load.refuses() is None, "one hitch is no overload"
    for _ in range(100):
        load.ticked(0.49)
    assert load.refuses() is None
    while not load.refuses():
        load.ticked(0.6)
    assert 0.5 < load.late_s < 0.6
    ticks = 0
    while load.refuses():
        load.ticked(0.0)
        ticks += 1
    assert ticks * TICK_S == pytest.approx(0.4), "it is over soon"
    assert load.late_s < 0.25
    load.ticked(0.49)
    assert load.refuses() is None, "what would not have begun it does not begin it again"
    assert load.counts["late"] == ticks + 1


def test_the_first_reason_is_told() -> None:
    load = Load(FakeClock(), 0.5, 2, lambda: 2)
    load.ticked(90.0)
    assert load.refuses() == "full"
    load.closed = True
    assert load.refuses() == "draining"
    assert load.counts == {"draining": 1, "full": 1, "late": 0}


async def test_a_timer_shows_how_late_it_is() -> None:
    """A clock that has gone on by 5 s while the loop thought that a tick had passed."""
    clock, tasks = FakeClock(), TaskBag()
    load = Load(clock, 0.5, 10, lambda: 0)
    tasks.spawn(load.run(), name="load")
    await asyncio.sleep(0)
    clock.advance(5.0)
    await until(lambda: load.refuses() == "late", "late")
    assert load.late_s == pytest.approx((5.0 - TICK_S) * WEIGHT)
    await tasks.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path, max_calls=CALLS)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def ring(house: House) -> AsyncIterator[Ring]:
    made: list[Telephone] = []

    async def call(room: str, hertz: float, status: int = 200) -> Telephone:
        telephone = await Telephone.open(house.sip, hertz)
        made.append(telephone)
        assert await telephone.call(room) == status
        return telephone

    yield call
    for telephone in made:
        await telephone.close()


async def refused(house: House) -> dict[str, float]:
    assert house.gateway.listener is not None
    async with aiohttp.ClientSession() as http, http.get(f"{house.gateway.listener.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    name = "confero_sipgw_calls_refused{reason="
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines if line.startswith(name)}


async def test_one_call_too_many(house: House, ring: Ring) -> None:
    """It gets 503 with Retry-After, and no leg; those that run go on without a gap, and one that ends makes room."""
    phones = [await ring("meeting", hertz) for hertz in (440, 700, 1100)]
    await until(lambda: phones[0].sound.levels(700, 1100)[1] > HEARD, "they hear each other")
    for phone in phones:
        phone.sound.times.clear()
    for _ in range(5):
        late = await ring("meeting", 1700, 503)
        assert "Retry-After: 5" in late.received[-1]
    phones[1].request("OPTIONS")
    phones[1].request("INFO", "Signal=6\r\nDuration=100\r\n", "application/dtmf-relay")
    await until(lambda: phones[1].status("OPTIONS") == 200 and phones[1].status("INFO") == 200, "what is within calls")
    await until(lambda: len(phones[0].sound.times) > 50)
    # 20 ms each; a quarter of a second is what a busy machine may do, and a call that stopped would not do.
    assert all(phone.sound.longest_gap() < 0.25 for phone in phones)
    assert house.legs == CALLS and len(house.gateway.book) == CALLS
    assert (await refused(house)) == {"draining": 0, "full": 5, "late": 0}
    phones[0].hang_up()
    await until(lambda: len(house.gateway.book) == CALLS - 1, "room for one")
    await ring("meeting", 1700)


async def test_overloaded(house: House, ring: Ring) -> None:
    """A gateway that is late takes no further calls; what is within the running one is done all the same."""
    phone = await ring("meeting", 440)
    house.gateway.load.ticked(1e6)
    await ring("meeting", 700, 503)
    phone.request("OPTIONS")
    await until(lambda: phone.status("OPTIONS") == 200)
    while house.gateway.load.refuses():
        house.gateway.load.ticked(0.0)
    other = await ring("meeting", 700)
    await until(lambda: phone.sound.levels(700)[0] > HEARD and other.sound.levels(440)[0] > HEARD, "both ways")
    phone.hang_up()
    await until(lambda: house.legs == 1)
