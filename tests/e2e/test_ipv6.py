"""Everything over IPv6: page, WebSocket, ICE and plain RTP on ::1, with a browser, a member and a phone that hear each other."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from confero.lab.members import RtpMember, WebRtcMember
from confero.lab.members.chromium import Chromium
from confero.lab.page import Page
from confero.lab.stack import Stack
from confero.models import LegStats

from .listening import HEARD_DBFS, level, listen, tone

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = "::1"
ROOM = "lobby"
ADA_HZ, GRACE_HZ, PHONE_HZ = 433.0, 719.0, 1151.0
LISTEN_S = 1.0


async def test_browser_member_and_phone_meet_on_ipv6(stack: Stack) -> None:
    assert stack.page_url.startswith("https://[::1]")
    async with contextlib.AsyncExitStack() as cleanup:
        mcu = stack.client("mcu")
        cleanup.push_async_callback(mcu.close)
        ada = WebRtcMember("Ada", tone(ADA_HZ), page_url=stack.page_url, room=ROOM, tls=stack.tls())
        phone = RtpMember("Phone", tone(PHONE_HZ), mcu=mcu, room=ROOM, host=HOST)
        grace = Page(await cleanup.enter_async_context(Chromium(tone(GRACE_HZ))), stack.page_url)
        for member in (ada, phone):
            await member.join()
            cleanup.push_async_callback(member.leave)
        await grace.join(ROOM, "Grace")
        heard = await asyncio.gather(listen(ada, LISTEN_S), listen(phone, LISTEN_S), grace.hear(LISTEN_S))
        voices = {"Ada": ADA_HZ, "Phone": PHONE_HZ, "Grace": GRACE_HZ}
        for name, signal in zip(voices, heard, strict=True):
            others = {other: level(signal, hertz) for other, hertz in voices.items() if other != name}
            assert min(others.values()) > HEARD_DBFS, f"{name} hears {others}"
        for leg in (ada.leg, phone.leg, await grace.leg()):
            stats = await mcu.call("GET", f"/v1/legs/{leg}/stats", reply=LegStats)
            assert stats is not None
            assert stats.remote.startswith("[")  # the browser may take another address of the machine than ::1
        await grace.leave()
