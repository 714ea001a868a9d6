"""Browsers' ways through a TURN server: one of them alone, and which of them was taken."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from confero.lab.members import RtpMember
from confero.lab.members.chromium import Chromium
from confero.lab.page import Page
from confero.lab.stack import Stack
from confero.models import RoomSpec

from .listening import HEARD_DBFS, UNHEARD_DBFS, level, listen, tone

ROOM = "lobby"
ADA_HZ, PHONE_HZ = 433.0, 1151.0
LISTEN_S = 1.0
WAYS = {"udp": "^turn:.*transport=udp$", "tcp": "^turn:.*transport=tcp$", "tls": "^turns:"}
ONLY = """(() => { const wanted = new RegExp(%s), Native = window.RTCPeerConnection;
  const keep = (c) => ({ ...c, iceServers: c.iceServers.map((s) => ({ ...s, urls: s.urls.filter((u) => wanted.test(u)) })) });
  window.RTCPeerConnection = class extends Native {
    constructor(c) { super(keep(c)); }
    setConfiguration(c) { super.setConfiguration(keep(c)); }
  }; })()"""
"""Leaves one of the URLs that the page was told: else the browser takes whichever it likes best."""
CHOSEN = """window.confero.stats().then((all) => { const byId = (id) => all.find((s) => s.id === id);
  const pair = byId(all.find((s) => s.type === "transport").selectedCandidatePairId), mine = byId(pair.localCandidateId);
  return [mine.candidateType, mine.relayProtocol ?? mine.protocol]; })"""
"""The type of the candidate that media goes from, and what carries it: to the TURN server, or itself."""


@contextlib.asynccontextmanager
async def page_over(stack: Stack, way: str = "", *, program: Path | None = None) -> AsyncIterator[Page]:
    """Ada in the room, by a way of ``WAYS``, or by herself. ``program``: as of ``Chromium``."""
    flags = ("--ignore-certificate-errors",)
    async with Chromium(tone(ADA_HZ), flags=flags, program=program) as browser:
        if way:
            await browser.page.add_init_script(script=ONLY % json.dumps(WAYS[way]))
        page = Page(browser, stack.page_url)
        await page.join(ROOM, "Ada")
        yield page
        await page.leave()


@contextlib.asynccontextmanager
async def phone_at(stack: Stack, host: str) -> AsyncIterator[RtpMember]:
    """Somebody for browsers to talk to: a plain leg in the room, at this address."""
    mcu = stack.client("mcu")
    await mcu.call("PUT", f"/v1/rooms/{ROOM}", body=RoomSpec(name="Lobby", max_participants=10))
    made = RtpMember("Phone", tone(PHONE_HZ), mcu=mcu, room=ROOM, host=host)
    await made.join()
    yield made
    await made.leave()
    await mcu.close()


async def hear_each_other(ada: Page, phone: RtpMember) -> None:
    heard = await ada.hear(LISTEN_S)
    assert level(heard, PHONE_HZ) > HEARD_DBFS and level(heard, ADA_HZ) < UNHEARD_DBFS
    heard = await listen(phone, LISTEN_S)
    assert level(heard, ADA_HZ) > HEARD_DBFS and level(heard, PHONE_HZ) < UNHEARD_DBFS
