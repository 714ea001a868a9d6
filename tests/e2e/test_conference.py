"""The main job: two browsers and a phone meet on the documented ports and hear each other, each without itself."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest
import pytest_asyncio

from confero.lab.members import RtpMember
from confero.lab.members.chromium import Chromium
from confero.lab.members.firefox import FAKE_TONE_HZ, Firefox
from confero.lab.page import Page
from confero.lab.signals import sources
from confero.lab.stack import Stack
from confero.models import LegStats

from .listening import HEARD_DBFS, level, level_beside, tone

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 41
ROOM = "lobby"
ADA_HZ, GRACE_HZ, PHONE_HZ, LATE_HZ = 433.0, 719.0, 1151.0, 1493.0
LISTEN_S = 3.0


@dataclass
class Conference:
    """Ada and Grace in Chromium, and a G.711 phone, all in one room and all talking."""

    stack: Stack
    ada: Page
    grace: Page
    phone: RtpMember

    async def phone_hears(self, seconds: float = LISTEN_S) -> sources.Signal:
        self.phone.heard.clear()
        await asyncio.sleep(seconds)
        return self.phone.heard.signal()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def conference(stack: Stack) -> AsyncIterator[Conference]:
    async with contextlib.AsyncExitStack() as cleanup:
        ada_browser = await cleanup.enter_async_context(Chromium(tone(ADA_HZ)))
        grace_browser = await cleanup.enter_async_context(Chromium(tone(GRACE_HZ)))
        mcu = stack.client("mcu")
        cleanup.push_async_callback(mcu.close)
        ada, grace = Page(ada_browser, stack.page_url), Page(grace_browser, stack.page_url)
        for page, name in ((ada, "Ada"), (grace, "Grace")):
            await page.join(ROOM, name)
            cleanup.push_async_callback(page.leave)
        phone = RtpMember("Phone", tone(PHONE_HZ), mcu=mcu, room=ROOM, host=f"127.0.{NETWORK}.101", port=9000)
        await phone.join()
        cleanup.push_async_callback(phone.leave)
        yield Conference(stack, ada, grace, phone)


async def test_each_browser_hears_the_other_two(conference: Conference) -> None:
    ada, grace = await asyncio.gather(conference.ada.hear(LISTEN_S), conference.grace.hear(LISTEN_S))
    assert level(ada, GRACE_HZ) > HEARD_DBFS
    assert level(ada, PHONE_HZ) > HEARD_DBFS
    assert level(grace, ADA_HZ) > HEARD_DBFS
    assert level(grace, PHONE_HZ) > HEARD_DBFS


async def test_the_phone_hears_both_browsers_and_itself_60_db_below(conference: Conference) -> None:
    heard = await conference.phone_hears(6.0)
    ada, grace = level(heard, ADA_HZ), level(heard, GRACE_HZ)
    assert min(ada, grace) > HEARD_DBFS
    assert level(heard, PHONE_HZ, 1.0) < max(ada, grace) - 60


async def test_own_voice_is_60_db_below_before_the_encoders(conference: Conference) -> None:
    """At the MCU's taps, where no codec stands between."""
    legs = {ADA_HZ: await conference.ada.leg(), GRACE_HZ: await conference.grace.leg(), PHONE_HZ: conference.phone.leg}
    taps = await asyncio.gather(*(conference.stack.tap(leg, "out", 4) for leg in legs.values()))
    for own, tap in zip(legs, taps, strict=True):
        others = [level(tap, hertz) for hertz in legs if hertz != own]
        assert min(others) > HEARD_DBFS
        assert level(tap, own, 1.0) < max(others) - 60


async def test_own_voice_at_the_browser_is_what_a_silent_member_shows(conference: Conference) -> None:
    """At most 3 dB above what the same chain shows at that frequency while the member is silent, or beside it at the time.

    Both are noise of the codec and of a busy machine, which wander by some dB: so they are measured in turns, and medians count.
    """
    for page, own, other in ((conference.ada, ADA_HZ, GRACE_HZ), (conference.grace, GRACE_HZ, ADA_HZ)):
        turns = []
        for _ in range(2):
            talking = await page.hear(LISTEN_S)
            await page.mute(True)
            turns.append((talking, await page.hear(LISTEN_S)))
            await page.mute(False)
        heard, unheard = (np.concatenate(parts) for parts in zip(*turns, strict=True))
        loud, quiet, crackle = level(heard, own), level(unheard, own), level_beside(heard, own)
        assert loud <= max(quiet, crackle, -90.0) + 3, f"{page.name}: {loud:.1f}, {quiet:.1f}, {crackle:.1f}"
        assert level(heard, other) > level_beside(heard, other) + 15, "a voice stands out from what is beside it"


async def test_mute_is_heard_and_shown(conference: Conference) -> None:
    """The second half of what is heard: what was said before is still on its way when the roster says so."""
    await conference.ada.mute(True)
    try:
        await conference.grace.sees_muted("Ada")
        heard = await conference.phone_hears()
    finally:
        await conference.ada.mute(False)
    later = heard[heard.size // 2 :]
    assert level(later, ADA_HZ) < HEARD_DBFS - 30
    assert level(later, GRACE_HZ) > HEARD_DBFS
    heard = await conference.phone_hears()
    assert level(heard[heard.size // 2 :], ADA_HZ) > HEARD_DBFS


async def test_roster_and_speaking_marks(conference: Conference) -> None:
    assert await conference.ada.sees() == {"Ada", "Grace", "Phone"}
    await conference.ada.sees_speaking("Grace")


async def test_a_late_browser_is_heard_within_a_second_of_its_ice_connection(conference: Conference) -> None:
    async with Chromium(tone(LATE_HZ)) as browser:
        late = Page(browser, conference.stack.page_url)
        conference.phone.heard.clear()
        offset = time.time() - time.monotonic()
        await late.join(ROOM, "Late")
        connected = await browser.ice_connected_at()
        await asyncio.sleep(2.0)
        heard = conference.phone.heard
        assert connected > 0
        assert heard.started_at is not None
        first = first_heard(heard.signal(), LATE_HZ)
        assert first is not None, "the late browser was never heard"
        assert heard.started_at + offset + first - connected < 1.0
        hears = await late.hear(LISTEN_S)
        assert min(level(hears, hertz) for hertz in (ADA_HZ, GRACE_HZ, PHONE_HZ)) > HEARD_DBFS
        await late.leave()
    await conference.ada.gone("Late")


def first_heard(signal: sources.Signal, hertz: float) -> float | None:
    """Seconds into the signal at which a tone is first there, to 50 ms."""
    size = round(0.05 * sources.RATE)
    for start in range(0, signal.size - size, size):
        if level(signal[start : start + size], hertz, 0.05) > HEARD_DBFS:
            return (start + size) / sources.RATE
    return None


async def test_a_browser_without_a_microphone_listens(conference: Conference) -> None:
    """The person has refused it: the page joins all the same, sends nothing and counts as muted."""
    async with Chromium(None) as browser:
        page = Page(browser, conference.stack.page_url)
        await page.join(ROOM, "Mute")
        assert await page.value("window.confero.microphone") == "refused"
        await conference.ada.sees_muted("Mute")
        hears = await page.hear(LISTEN_S)
        assert min(level(hears, hertz) for hertz in (ADA_HZ, GRACE_HZ, PHONE_HZ)) > HEARD_DBFS
        assert (
            await page.value("window.confero.stats().then((all) => all.some((s) => s.type === 'outbound-rtp'))")
            is False
        )
        assert await sent_packets(conference.stack, await page.leg()) == 0
        await page.leave()
    await conference.ada.gone("Mute")


async def sent_packets(stack: Stack, leg: str) -> int:
    """RTP packets that the MCU has had from a leg."""
    mcu = stack.client("mcu")
    try:
        stats = await mcu.call("GET", f"/v1/legs/{leg}/stats", reply=LegStats)
    finally:
        await mcu.close()
    assert stats is not None
    return stats.counters["rx_packets"]


async def test_a_firefox_joins_too(conference: Conference) -> None:
    async with Firefox() as browser:
        page = Page(browser, conference.stack.page_url)
        await page.join(ROOM, "Frieda")
        hears = await page.hear(LISTEN_S)
        assert min(level(hears, hertz) for hertz in (ADA_HZ, GRACE_HZ, PHONE_HZ)) > HEARD_DBFS
        heard = await conference.phone_hears()
        assert level(heard, FAKE_TONE_HZ) > HEARD_DBFS - 10
        await page.leave()
    await conference.ada.gone("Frieda")
