"""Chromium as the judge of redundancy and digits: it sends and takes RFC 2198, and presses keys as RFC 4733."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from confero.lab.members.chromium import Chromium, Heard
from confero.lab.page import Page
from confero.lab.stack import Stack
from confero.models import CollectRequest, Digits, LegStats
from confero.runtime.client import ServiceClient

from .listening import HEARD_DBFS, level, tone

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 44
ROOM = "lobby"
ADA_HZ, GRACE_HZ = 433.0, 719.0
KEEP_CONNECTION = """(() => { const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real { constructor(...a) { super(...a); window.connection = this; } }; })()"""
BOTH_WAYS = """window.confero.stats().then((all) => { const of = (type) => all.find((s) => s.type === type);
  const out = of("outbound-rtp"), incoming = of("inbound-rtp");
  return [out.bytesSent / out.packetsSent / (out.targetBitrate / 8 / 50),
          incoming.packetsDiscarded / incoming.packetsReceived]; })"""
"""Bytes of a packet as a multiple of one Opus frame's, and redundant payloads in each packet that came in: nothing is lost here, so
every one of them has come before and is discarded. (The codec that the browser tells is the one inside.)"""


class Watched:
    """A browser that keeps hold of the page's connection."""

    def __init__(self, browser: Chromium) -> None:
        self._browser = browser

    async def goto(self, url: str) -> None:
        await self._browser.goto(url)
        await self._browser.evaluate(KEEP_CONNECTION)

    async def evaluate(self, expression: str) -> Any:
        return await self._browser.evaluate(expression)

    async def hear(self, seconds: float) -> Heard:
        return await self._browser.hear(seconds)


@dataclass
class Pair:
    ada: Page
    grace: Page
    mcu: ServiceClient


@pytest.fixture(scope="module")
def always() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONFERO_MCU_REDUNDANCY", "always")
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(always: None, stack: Stack) -> AsyncIterator[Pair]:
    async with contextlib.AsyncExitStack() as cleanup:
        mcu = stack.client("mcu")
        cleanup.push_async_callback(mcu.close)
        pages = []
        for name, hertz in (("Ada", ADA_HZ), ("Grace", GRACE_HZ)):
            browser = Watched(await cleanup.enter_async_context(Chromium(tone(hertz))))
            pages.append(Page(browser, stack.page_url))
            await pages[-1].join(ROOM, name)
            cleanup.push_async_callback(pages[-1].leave)
        yield Pair(*pages, mcu)


async def stats_of(pair: Pair, page: Page) -> LegStats:
    return await pair.mcu.call("GET", f"/v1/legs/{await page.leg()}/stats", reply=LegStats)


async def test_both_directions_are_redundant_and_heard(pair: Pair) -> None:
    hears = await pair.ada.hear(3.0)
    assert level(hears, GRACE_HZ) > HEARD_DBFS
    assert level(await pair.grace.hear(3.0), ADA_HZ) > HEARD_DBFS
    sent, received = await pair.ada.value(BOTH_WAYS)
    assert sent > 1.5 and received > 0.9
    stats = await stats_of(pair, pair.ada)
    assert stats.counters["rx_packets"] > 100 and stats.counters["rx_dropped"] == 0
    assert stats.playout["duplicate"] == stats.playout["undecodable"] == 0


async def test_keys_that_a_browser_presses_are_collected(pair: Pair) -> None:
    path = f"/v1/legs/{await pair.ada.leg()}/collect"
    await pair.mcu.call("POST", path, body=CollectRequest())
    dial = 'window.connection.getSenders().find((s) => s.dtmf).dtmf.insertDTMF("159#*0D", 100, 70)'
    await pair.ada.value(f"({dial}, true)")
    got: list[tuple[str, bool]] = []
    async with asyncio.timeout(15):
        while len(got) < 7:
            reply = await pair.mcu.call("GET", path + "?wait_s=1", reply=Digits)
            got = [(digit.digit, digit.in_band) for digit in reply.digits]
    assert got == [(digit, False) for digit in "159#*0D"]
    assert all(digit.ms == pytest.approx(100, abs=20) for digit in reply.digits)
    await pair.mcu.call("DELETE", path)
    assert (await stats_of(pair, pair.ada)).playout["lost"] == 0
