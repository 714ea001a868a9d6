"""A room fills at once: everybody sees and hears everybody, and the meeting is written down, whole and at a bounded price.

40 people by default. ``CONFERO_TEST_LONG=1``: 500, who are in within 30 s.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from confero.lab.bench import counters
from confero.lab.bench.case import Case
from confero.lab.bench.generator import Generator, build
from confero.lab.bench.whole import allow_many_sockets
from confero.lab.stack import SERVICES, Stack

from .crowd import Crowd
from .listening import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 61
SETTINGS = {
    "CONFERO_APPSERVER_JOINS_PER_MINUTE": "100000",  # all of these come from one address
    "CONFERO_APPSERVER_MAX_CONNECTIONS_PER_SOURCE": "5000",
    "CONFERO_NOTIFIER_MAX_CONNECTIONS_PER_SOURCE": "5000",
}
LONG = bool(int(os.environ.get("CONFERO_TEST_LONG", "0") or 0))
MEMBERS, WITHIN_S = (500, 30.0) if LONG else (40, 10.0)
SEEN_WITHIN_S = 5.0
"""From the last one's keys until everybody's roster is complete."""
WRITES = 4.0
"""Transactions that a join may cost: the place, the meeting, its share of notices and notes of legs, which come many at once."""
WRITTEN = 'confero_database_seconds_count{kind="write"}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def generator() -> AsyncIterator[Generator]:
    allow_many_sockets()
    made = Generator(case(), await asyncio.to_thread(build, "bench_load"))
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowd(stack: Stack, generator: Generator) -> AsyncIterator[Crowd]:
    room = await stack.make_room(name="Full", max_participants=MEMBERS, talkers=4)
    made = Crowd(stack, room, case(), generator)
    yield made
    await made.close()


def case() -> Case:
    return Case(members=MEMBERS, talkers=3, seconds=3.0, warm_s=1.0)


async def written(stack: Stack) -> float:
    """Transactions of the application server that have written."""
    async with aiohttp.ClientSession() as http, http.get(f"{stack.url('appserver')}/metrics") as response:
        lines = (await response.text()).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(WRITTEN))


async def administered(stack: Stack, path: str) -> Any:
    token = (stack.state_dir / "admin-token").read_text().strip()
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
        http.get(f"{stack.page_url}/api/v1/{path}", ssl=stack.tls()) as response,
    ):
        assert response.status == 200, await response.text()
        return await response.json()


async def test_everybody_comes_in_and_sees_everybody(
    stack: Stack, crowd: Crowd, record_figure: Callable[[str, str], None]
) -> None:
    before = {service: counters.process_s(stack.pid(service)) for service in SERVICES}
    writes, begun = await written(stack), time.monotonic()
    await crowd.join()
    joined_s = time.monotonic() - begun
    await until(lambda: all(one.sees(MEMBERS) for one in crowd.people), SEEN_WITHIN_S, "everybody sees everybody")
    names = {one.participant for one in crowd.people}
    assert all(one.roster.keys() == names for one in crowd.people)
    writes = (await written(stack) - writes) / MEMBERS
    cpu = ", ".join(
        f"{service} {1000 * (counters.process_s(stack.pid(service)) - before[service]) / MEMBERS:.1f}"
        for service in ("appserver", "notifier", "mcu")
    )
    took = f"{MEMBERS} people in one room within {joined_s:.1f} s, all sessions open"
    record_figure(f"full-room-{MEMBERS}", f"{took}; a join costs {writes:.1f} writes, and ms of CPU: {cpu}")
    assert writes <= WRITES
    assert joined_s <= WITHIN_S


async def test_everybody_hears_who_talks(crowd: Crowd, generator: Generator) -> None:
    generator.go()
    heard = await generator.result()
    assert (heard["joined"], heard["unheard_members"], heard["srtp_failures"]) == (MEMBERS, 0, 0)
    assert -3 < heard["heard_db"]["p50"] < 3
    assert heard["own_voice_db"] < -30


async def test_what_one_says_in_the_chat_all_read(crowd: Crowd) -> None:
    await crowd.say(0, "hello, all of you")
    await until(lambda: all(one.chat == ["hello, all of you"] for one in crowd.people), SEEN_WITHIN_S, "all read it")


async def test_the_record_has_everybody_once(stack: Stack, crowd: Crowd) -> None:
    await crowd.leave()
    async with asyncio.timeout(30):
        while (await administered(stack, "live"))["items"]:  # noqa: ASYNC110 - said by another process
            await asyncio.sleep(0.2)
    (meeting,) = (await administered(stack, "meetings?everyone=true"))["items"]
    assert (meeting["participants"], meeting["most"], meeting["reason"]) == (MEMBERS, MEMBERS, "empty")
    detail = await administered(stack, f"meetings/{meeting['id']}")
    assert sorted(stay["display_name"] for stay in detail["stays"]) == sorted(one.name for one in crowd.people)
    assert all(stay["left_at"] is not None for stay in detail["stays"])
