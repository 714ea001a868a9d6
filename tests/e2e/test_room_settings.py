"""A room that was made with comfort noise and announcements is heard so: from the page's API to the member's ear."""

from __future__ import annotations

from typing import Any

import aiohttp
import numpy as np
import pytest

from confero.lab.members import Member
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


def latest(heard: Member, seconds: float = 1.0) -> sources.Signal:
    """What a member has heard last; empty until it is that much."""
    signal = heard.heard.signal()
    return signal[-int(seconds * sources.RATE) :] if signal.size >= seconds * sources.RATE else signal[:0]


def notes_in(signal: sources.Signal) -> list[bool]:
    return [loudest(signal, hertz) > HEARD_DBFS for hertz in NOTES_HZ]


async def make_room(stack: Stack, **wishes: Any) -> str:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{stack.page_url}/api/v1/rooms", json=wishes, ssl=stack.tls()) as reply,
    ):
        assert reply.status == 201
        return str((await reply.json())["id"])


def member(stack: Stack, room: str, name: str, said: sources.Signal) -> WebRtcMember:
    return WebRtcMember(name, said, page_url=stack.page_url, room=room, tls=stack.tls())


def is_heard(signal: sources.Signal) -> bool | None:
    """Whether the tone is there; None: neither clearly."""
    now = level(signal, TONE_HZ) if signal.size else UNHEARD_DBFS
    return True if now > HEARD_DBFS else False if now < UNHEARD_DBFS else None


async def test_noise_and_notes_are_heard_where_they_were_wished(stack: Stack) -> None:
    wished = await make_room(stack, name="Noisy", noise_dbov=NOISE_DBOV, announce=True)
    plain = await make_room(stack, name="Plain")
    here, there = member(stack, wished, "Ada", silence()), member(stack, plain, "Bob", silence())
    comes, goes_there = member(stack, wished, "Eve", silence()), member(stack, plain, "Eva", silence())
    try:
        await here.join()
        await there.join()
        await until(lambda: all(notes_in(here.heard.signal())), 10, "her own notes")
        await until(lambda: latest(here).size and not any(notes_in(latest(here))), 10, "the end of her own notes")
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
            await until(lambda heard=heard: is_heard(latest(listener)) is heard, 10, f"the gate at {gate}")
            assert is_heard(await listen(listener, 1.0)) is heard
    finally:
        await mcu.close()
        for each in (talker, listener):
            await each.leave()
