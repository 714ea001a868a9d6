"""Browsers whose media may go through the TURN server only: over UDP, TCP and TLS they are heard in a real conference, and hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from confero.lab.members import RtpMember
from confero.lab.members.chromium import Chromium
from confero.lab.members.firefox import FAKE_TONE_HZ, Firefox
from confero.lab.page import Page
from confero.lab.stack import Stack
from confero.models import LegStats
from confero.models.turn import TurnAllocation

from .listening import HEARD_DBFS, UNHEARD_DBFS, level, listen, tone
from .relayed import ADA_HZ, CHOSEN, LISTEN_S, PHONE_HZ, ROOM, WAYS, hear_each_other, page_over, phone_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 52
SETTINGS = {"CONFERO_APPSERVER_ICE_POLICY": "relay", "CONFERO_APPSERVER_TURNS_TRUSTED": "true"}
AGAIN_S = 45.0
"""After a crash: noticed by ICE's own time-outs, an offer, an allocation."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone(stack: Stack) -> AsyncIterator[RtpMember]:
    async with phone_at(stack, f"127.0.{NETWORK}.101") as made:
        yield made


async def allocations(stack: Stack) -> list[TurnAllocation]:
    turn = stack.client("turn")
    try:
        return await turn.call("GET", "/v1/allocations", reply=list[TurnAllocation])
    finally:
        await turn.close()


async def given_back(stack: Stack, user: str) -> None:
    """Chromium gives its places back. (A Firefox that is closed on a busy machine may leave one, which ends by its lifetime.)"""
    for _ in range(100):
        left = [one for one in await allocations(stack) if one.user.startswith(user)]
        if not left:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"left: {left}")


@pytest.mark.parametrize("way", WAYS)
async def test_a_browser_talks_through_the_turn_server(stack: Stack, phone: RtpMember, way: str) -> None:
    async with page_over(stack, way) as ada:
        await hear_each_other(ada, phone)
        assert await ada.value(CHOSEN) == ["relay", way]
        mcu = stack.client("mcu")
        stats = await mcu.call("GET", f"/v1/legs/{await ada.leg()}/stats", reply=LegStats)
        await mcu.close()
        who = str(await ada.value("window.confero.participant"))
        relayed = [place for one in await allocations(stack) if one.user == who for place in one.relayed]
        assert stats is not None and stats.remote in relayed, "the media server sees the relayed address"
    await given_back(stack, who)


async def test_firefox_talks_through_the_turn_server(stack: Stack, phone: RtpMember) -> None:
    async with Firefox() as browser:
        ada = Page(browser, stack.page_url)
        await ada.join(ROOM, "Ada")
        heard = await ada.hear(LISTEN_S)
        assert level(heard, PHONE_HZ) > HEARD_DBFS
        heard = await listen(phone, LISTEN_S)
        assert level(heard, FAKE_TONE_HZ) > HEARD_DBFS
        local, how = await ada.value(CHOSEN)
        assert local == "relay" and how in WAYS
        await ada.leave()


async def test_the_network_is_tried_before_joining(stack: Stack) -> None:
    async with Chromium(tone(ADA_HZ), flags=("--ignore-certificate-errors",)) as browser:
        page = browser.page
        await page.goto(f"{stack.page_url}/r/{ROOM}")
        await page.get_by_role("button", name="Test the network").click()
        for way in ("UDP", "TCP", "TLS"):
            await page.get_by_text(f"The relay is reached by {way} in").wait_for(timeout=20_000)
        await given_back(stack, "test_")


async def test_a_turn_server_that_is_killed_comes_back_and_browsers_with_it(stack: Stack, phone: RtpMember) -> None:
    async with page_over(stack, "udp") as ada:
        await hear_each_other(ada, phone)
        stack.kill("turn")
        await asyncio.sleep(1)
        assert level(await listen(phone), ADA_HZ) < UNHEARD_DBFS, "nothing is relayed by who is dead"
        async with asyncio.timeout(AGAIN_S):
            while level(await listen(phone, LISTEN_S), ADA_HZ) < HEARD_DBFS:
                pass
        await ada.connected()
        await hear_each_other(ada, phone)
        assert await ada.value(CHOSEN) == ["relay", "udp"]
