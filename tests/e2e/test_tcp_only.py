"""A browser that no UDP gets through to reaches the room over TCP, and is heard there and hears."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from confero.lab.members import RtpMember
from confero.lab.members.chromium import Chromium
from confero.lab.page import Page
from confero.lab.stack import Stack
from confero.models import LegStats

from .listening import HEARD_DBFS, UNHEARD_DBFS, level, listen, tone
from .walled import INSIDE, OUTSIDE, Walled, walled

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = OUTSIDE
ROOM = "lobby"
ADA_HZ, PHONE_HZ = 433.0, 1151.0
LISTEN_S = 2.0
NO_TURN = """(() => { const Native = window.RTCPeerConnection, without = (c) => ({ ...c, iceServers: [] });
  window.RTCPeerConnection = class extends Native {
    constructor(c) { super(without(c)); }
    setConfiguration(c) { super.setConfiguration(without(c)); }
  }; })()"""
"""TURN gets through by TCP as well: here the MCU's own TCP is to be the only way."""
CHOSEN = """window.confero.stats().then((all) => { const byId = (id) => all.find((s) => s.id === id);
  const pair = byId(all.find((s) => s.type === "transport").selectedCandidatePairId);
  return [pair.localCandidateId, pair.remoteCandidateId].map((id) => byId(id).protocol); })"""


@pytest.fixture(scope="module", autouse=True)
def network(request: pytest.FixtureRequest) -> Iterator[Walled]:
    with walled() as made:
        yield made


def send_from_inside(network: Walled) -> str:
    """What a program inside is told that sends a datagram out."""
    send = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{OUTSIDE}', 9000))"
    command = ["ip", "netns", "exec", network.name, "python3", "-c", send]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


async def test_no_datagram_gets_out(network: Walled) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind((OUTSIDE, 9000))
        assert "PermissionError" in await asyncio.to_thread(send_from_inside, network)
        there.setblocking(False)
        with pytest.raises(BlockingIOError):
            there.recv(10)


async def test_a_browser_behind_the_wall_talks_over_tcp(network: Walled, stack: Stack, tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as cleanup:
        mcu = stack.client("mcu")
        cleanup.push_async_callback(mcu.close)
        browser = Chromium(tone(ADA_HZ), program=network.program(tmp_path, "chromium"))
        ada = Page(await cleanup.enter_async_context(browser), stack.page_url)
        await browser.page.add_init_script(script=NO_TURN)
        await ada.join(ROOM, "Ada")
        phone = RtpMember("Phone", tone(PHONE_HZ), mcu=mcu, room=ROOM, host=HOST)
        await phone.join()
        cleanup.push_async_callback(phone.leave)
        heard = await ada.hear(LISTEN_S)
        assert level(heard, PHONE_HZ) > HEARD_DBFS and level(heard, ADA_HZ) < UNHEARD_DBFS
        heard = await listen(phone, LISTEN_S)
        assert level(heard, ADA_HZ) > HEARD_DBFS and level(heard, PHONE_HZ) < UNHEARD_DBFS
        assert await ada.value(CHOSEN) == ["tcp", "tcp"]
        stats = await mcu.call("GET", f"/v1/legs/{await ada.leg()}/stats", reply=LegStats)
        assert stats is not None and stats.remote.startswith(f"{INSIDE}:")
        await ada.leave()
