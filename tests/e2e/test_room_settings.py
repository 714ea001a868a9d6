"""A room that was made with comfort noise and announcements is heard so: from the page's API to the member's ear."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import numpy as np
import pytest

from confero.lab.members.webrtc import WebRtcMember
from confero.lab.signals import analysis, sources
from confero.lab.stack import Stack
from confero.models import LegPatch, Participant

from .listening import HEARD_DBFS, UNHEARD_DBFS, level, listen, tone, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 46
NOISE_DBOV = 50
NOTES_HZ = (660.0, 880.0)
TONE_HZ = 433.0


def silence() -> sources.Signal:
    return np.zeros(sources.RATE)


def loudest(signal: sources.Signal, hertz: float) -> float:
    """dBFS of a tone in the tenth of a second that has most of it."""
    step = sources.RATE // 20
    return max(
        (level(signal[at : at + 2 * step], hertz, 0.1) for at in range(0, signal.size - 2 * step, step)), default=-99
    )


async def make_room(stack: Stack, **wishes: Any) -> str:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{stack.page_url}/api/v1/rooms", json=wishes, ssl=stack.tls()) as reply,
    ):
        assert reply.status == 201
        return str((await reply.json())["id"])


def member(stack: Stack, room: str, name: str, said: sources.Signal) -> WebRtcMember:
    return WebRtcMember(name, said, page_url=stack.page_url, room=room, tls=stack.tls())


async def test_noise_and_notes_are_heard_where_they_were_wished(stack: Stack) -> None:
    wished = await make_room(stack, name="Noisy", noise_dbov=NOISE_DBOV, announce=True)
    plain = await make_room(stack, name="Plain")
    here, there = member(stack, wished, "Ada", silence()), member(stack, plain, "Bob", silence())
    comes, goes_there = member(stack, wished, "Eve", silence()), member(stack, plain, "Eva", silence())
    try:
        await here.join()
        await there.join()
        await asyncio.sleep(1.5)  # her own notes
        assert abs(analysis.rms_db(await listen(here, 2.0)) + NOISE_DBOV) < 4
        assert analysis.rms_db(await listen(there, 2.0)) < UNHEARD_DBFS
        here.heard.clear()
        there.heard.clear()
        await comes.join()
        await goes_there.join()
        for hertz in NOTES_HZ:
            await until(lambda hz=hertz: loudest(here.heard.signal(), hz) > HEARD_DBFS, 10, f"a note of {hertz} Hz")
        assert analysis.rms_db(there.heard.signal()) < UNHEARD_DBFS
    finally:
        for each in (here, there, comes, goes_there):
            await each.leave()


async def test_a_gate_of_its_own_is_heard(stack: Stack) -> None:
    room = await make_room(stack)
    talker, listener = member(stack, room, "Ada", tone(TONE_HZ)), member(stack, room, "Bob", silence())
    mcu = stack.client("mcu")
    try:
        await talker.join()
        await listener.join()
        await until(lambda: level(listener.heard.signal()[-sources.RATE :], TONE_HZ) > HEARD_DBFS, 10, "the tone")
        for gate, heard in ((10, False), (0, True)):
            await mcu.call("PATCH", f"/v1/legs/{talker.leg}", body=LegPatch(gate_dbov=gate), reply=Participant)
            await asyncio.sleep(1.5)  # the hold time, and what is on its way
            now = level(await listen(listener, 1.0), TONE_HZ)
            assert now > HEARD_DBFS if heard else now < UNHEARD_DBFS
    finally:
        await mcu.close()
        for each in (talker, listener):
            await each.leave()
