"""MariaDB is killed during a meeting: everybody goes on talking, newcomers are told, and afterwards all of it has been one meeting;
also when the application server dies meanwhile.

For 3 s; ``CONFERO_TEST_LONG=1``: for 60 s, which covers the minute after which media servers register again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from confero.lab.members.chromium import Chromium
from confero.lab.members.loopback import gather_loopback
from confero.lab.members.webrtc import WebRtcMember
from confero.lab.page import Page
from confero.lab.stack import Stack

from ..appserver.mariadb import MariaDb
from .listening import HEARD_DBFS, level, listen, tone, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 58
DATABASE = "meetings"
AWAY_S = 60.0 if int(os.environ.get("CONFERO_TEST_LONG", "0") or 0) else 3.0
BACK_WITHIN_S = 10.0
SILENT_S = 4.0
"""A member that is short of processor time on a busy machine may miss half a second; whoever is cut off hears nothing more."""
ADA_HZ, BOB_HZ, EVE_HZ = 433.0, 719.0, 1151.0


@pytest.fixture(scope="module")
def mariadb() -> MariaDb:
    return MariaDb()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    gather_loopback()
    state: Path = tmp_path_factory.mktemp("state")
    await asyncio.to_thread(mariadb.start)
    mariadb.sql(f"CREATE DATABASE {DATABASE}")
    running = Stack(state, network=NETWORK, database=mariadb.url(DATABASE))
    try:
        await running.start()
        yield running
    finally:
        await running.stop()
        await asyncio.to_thread(mariadb.stop)
    assert "Traceback" not in running.output, running.output[-6000:]


def member(stack: Stack, name: str, hertz: float) -> WebRtcMember:
    return WebRtcMember(name, tone(hertz), page_url=stack.page_url, room="lobby", tls=stack.tls())


async def hear_each_other(ada: WebRtcMember, bob: WebRtcMember) -> bool:
    heard = await asyncio.gather(listen(ada), listen(bob))
    return level(heard[0], BOB_HZ) > HEARD_DBFS and level(heard[1], ADA_HZ) > HEARD_DBFS


async def told(stack: Stack) -> tuple[int, str]:
    """What a page gets that asks for the room: status and code."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{stack.page_url}/api/v1/rooms/lobby", ssl=stack.tls()) as reply,
    ):
        return reply.status, (await reply.json(content_type=None)).get("type", "").rpartition(":")[2]


def written(mariadb: MariaDb, query: str) -> list[list[str]]:
    found = mariadb.sql(query.replace("FROM ", f"FROM {DATABASE}."))
    return [line.split("\t") for line in found.stdout.decode().splitlines()]


async def test_a_meeting_goes_on_without_its_database(stack: Stack, mariadb: MariaDb) -> None:
    ada, bob, eve = member(stack, "Ada", ADA_HZ), member(stack, "Bob", BOB_HZ), member(stack, "Eve", EVE_HZ)
    try:
        await asyncio.gather(ada.join(), bob.join())
        await until(lambda: len(written(mariadb, "SELECT id FROM stays")) == 2, 5, "both are written down")
        pids = {service: stack.pid(service) for service in stack.addresses if service != "edge"}
        mariadb.kill()
        away_at = heard_at = time.monotonic()
        while time.monotonic() - away_at < AWAY_S:
            heard_at = time.monotonic() if await hear_each_other(ada, bob) else heard_at
            assert time.monotonic() - heard_at < SILENT_S
            assert await told(stack) == (503, "database-down")
        await asyncio.to_thread(mariadb.run)
        back_at = time.monotonic()
        await stack.wait_ready()
        await eve.join()
        assert time.monotonic() - back_at < BACK_WITHIN_S
        assert await hear_each_other(ada, bob) and level(await listen(eve), ADA_HZ) > HEARD_DBFS
        await bob.leave()
        await until(lambda: len(written(mariadb, "SELECT id FROM stays WHERE left_at > 0")) == 1, 10, "Bob has gone")
        assert {service: stack.pid(service) for service in pids} == pids, "nobody was restarted"
    finally:
        for each in (ada, bob, eve):
            await each.leave()
    await until(lambda: written(mariadb, "SELECT id FROM meetings WHERE ended_at > 0"), 10, "the meeting is over")
    assert written(mariadb, "SELECT most, participants FROM meetings") == [["3", "3"]]
    assert "mcu lost" not in stack.output


async def test_a_restart_meanwhile_is_no_end_of_it(stack: Stack, mariadb: MariaDb) -> None:
    """The application server dies too: it is open at once, those who talk go on and have their events, a newcomer is told what
    is away, and comes in when it is back.
    """
    async with Chromium(tone(ADA_HZ)) as browser:
        other = await browser.another()
        ada, eve = Page(browser, stack.page_url), Page(other, stack.page_url)
        await ada.join("lobby", "Ada")
        mariadb.kill()
        stack.kill("appserver")
        try:
            await until_told(stack, (503, "database-down"))
            await ada.until("window.confero.signalling === 'open' && window.confero.media === 'connected'", 20)
            await other.goto(f"{stack.page_url}/rooms/lobby")
            await expect(other.page.get_by_text("The database can't be reached.")).to_be_visible()
            assert await told(stack) == (503, "database-down"), "all of it was during the outage"
        finally:
            await asyncio.to_thread(mariadb.run)
        back_at = time.monotonic()
        await expect(other.page.get_by_text("The database can't be reached.")).to_have_count(0, timeout=10_000)
        await stack.wait_ready()
        assert time.monotonic() - back_at < BACK_WITHIN_S
        await eve.join("lobby", "Eve")
        await ada.until("window.confero.signalling === 'open' && window.confero.roster.length === 2")
        await asyncio.gather(ada.leave(), eve.leave())


async def until_told(stack: Stack, wanted: tuple[int, str]) -> None:
    """While nobody listens there is no answer at all."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                if await told(stack) == wanted:
                    return
            await asyncio.sleep(0.05)
