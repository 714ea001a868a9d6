"""Prompts, tones and digits through a whole MCU: a telephone hears them, and presses keys."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from confero import models
from confero.runtime.tasks import spawn

from ..support.waiting import until
from .others import Others
from .rig import Phone, Rig
from .test_control import call, code
from .test_prompts import make


@pytest.fixture
async def rig(tmp_path: Path, others: Others) -> AsyncIterator[Rig]:
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    make(prompts / "hello.opus", 2.0)
    rig = Rig(tmp_path, prompts_dir=prompts, **await others.start())
    await rig.start()
    yield rig
    await rig.stop()


async def phone_in(rig: Rig, name: str, *lines: str) -> Phone:
    phone = await Phone.open(1000)
    rig.peers.append(phone)
    offer = phone.offer(*lines).replace("RTP/AVP 0", "RTP/AVP 0 101" if lines else "RTP/AVP 0")
    made = await rig.leg(name, kind="rtp", sdp=offer)
    phone.leg = made.leg
    phone.talk_to(made.sdp)
    await until(lambda: rig.state(name) == "connected")
    return phone


EVENTS = "a=rtpmap:101 telephone-event/8000"


async def test_a_file_is_heard_by_the_room_and_a_tone_by_one(rig: Rig) -> None:
    await rig.room()
    alice, bob = await phone_in(rig, "alice"), await phone_in(rig, "bob")
    alice.talking = bob.talking = False
    status, playing, _ = await call(rig, "POST", "/v1/rooms/r1/play", {"file": "hello.opus", "loops": 0})
    assert status == 201 and abs(playing["seconds"] - 2) < 0.1
    await until(lambda: min(alice.levels(440)[0], bob.levels(440)[0]) > 2500)
    steps = [{"ms": 2000, "hz": [700], "dbov": [15]}]
    assert (await call(rig, "POST", f"/v1/legs/{alice.leg}/play", {"steps": steps}))[0] == 201
    await until(lambda: alice.levels(700)[0] > 5000)
    assert bob.levels(700)[0] < 100
    assert (await call(rig, "DELETE", f"/v1/rooms/r1/play/{playing['id']}"))[0] == 204
    await until(lambda: max(alice.levels(440)[0], bob.levels(440)[0]) < 100)
    status, problem, _ = await call(rig, "DELETE", f"/v1/rooms/r1/play/{playing['id']}")
    assert (status, code(problem)) == (404, "play-unknown")


async def test_its_end_reaches_the_notifier(rig: Rig, others: Others) -> None:
    await rig.room()
    await phone_in(rig, "alice")
    _, playing, _ = await call(rig, "POST", "/v1/rooms/r1/play", {"tone": "beep"})

    def told() -> bool:
        return any(e == models.PlayedEvent(id=playing["id"]) for p in others.published for e in p.events)

    await until(told)


@pytest.mark.parametrize(
    ("path", "body", "status", "problem"),
    [
        ("/v1/rooms/x/play", {"tone": "beep"}, 404, "room-unknown"),
        ("/v1/legs/x/play", {"tone": "beep"}, 404, "leg-unknown"),
        ("/v1/rooms/r1/play", {"file": "../mcu-id"}, 404, "prompt-unknown"),
        ("/v1/rooms/r1/play", {"tone": "nothing"}, 422, "tone-invalid"),
        ("/v1/rooms/r1/play", {}, 422, "invalid-body"),
        ("/v1/legs/x/digits", {"digits": "1"}, 404, "leg-unknown"),
        ("/v1/legs/x/digits", {"digits": "x"}, 422, "invalid-body"),
        ("/v1/legs/x/collect", {}, 404, "leg-unknown"),
    ],
)
async def test_refusals(rig: Rig, path: str, body: dict[str, Any], status: int, problem: str) -> None:
    await rig.room()
    got, answer, _ = await call(rig, "POST", path, body)
    assert (got, code(answer)) == (status, problem)


def report(seq: int, ts: int, key: int, end: bool, length: int) -> bytes:
    head = struct.pack("!BBHII", 0x80, 101 | (0x80 if length == 160 else 0), seq, ts, 77)
    return head + struct.pack("!BBH", key, 0x80 * end | 10, length)


async def test_keys_are_collected_and_sent(rig: Rig) -> None:
    await rig.room()
    alice = await phone_in(rig, "alice", EVENTS)
    path = f"/v1/legs/{alice.leg}/collect"
    assert (await call(rig, "GET", path))[0] == 409
    assert (await call(rig, "POST", path, {}))[0] == 204
    _, none, _ = await call(rig, "GET", path + "?wait_s=0.1")
    assert none["digits"] == []
    waiting = spawn(call(rig, "GET", path + "?wait_s=10"), name="who waits for a key")
    alice.talking = False
    for i, (end, length) in enumerate([(False, 160), (False, 320), (True, 400), (True, 400), (True, 400)]):
        alice.send(report(1000 + i, 5000, 7, end, length))
    _, got, _ = await waiting
    assert [(d["digit"], d["ms"], d["in_band"]) for d in got["digits"]] == [("7", 50, False)]
    assert (await call(rig, "DELETE", path))[0] == 204
    assert (await call(rig, "POST", f"/v1/legs/{alice.leg}/digits", {"digits": "5"}))[0] == 204
    await until(lambda: any(p[1] & 0x7F == 101 and p[12] == 5 and p[13] & 0x80 for p in alice.others if len(p) == 16))


async def test_keys_by_their_sound(rig: Rig) -> None:
    """One telephone's leg is played the tones of a key, and sends what it hears to another of its legs."""
    await rig.room()
    await rig.room("r2")
    near, far = await phone_in(rig, "near"), await Phone.open(1000)
    rig.peers.append(far)
    made = await rig.leg("far", "r2", kind="rtp", sdp=far.offer())
    far.talk_to(made.sdp)
    await until(lambda: rig.state("far", "r2") == "connected")
    far.talking = near.talking = False
    path = f"/v1/legs/{made.leg}/collect"
    assert (await call(rig, "POST", path, {}))[0] == 204
    near.heard.clear()
    assert (await call(rig, "POST", f"/v1/legs/{near.leg}/digits", {"digits": "4#", "ms": 100}))[0] == 204
    seq = 60_000
    sent = 0

    def passed_on() -> bool:
        nonlocal sent, seq
        for payload in near.heard[sent : sent + 5]:
            far.send(struct.pack("!BBHII", 0x80, 0, seq & 0xFFFF, seq * 160, 99) + payload)
            sent, seq = sent + 1, seq + 1
        return sent >= 50

    await until(passed_on)
    _, got, _ = await call(rig, "GET", path + "?wait_s=1&after=1")
    _, got, _ = await call(rig, "GET", path)
    assert [(d["digit"], d["in_band"]) for d in got["digits"]] == [("4", True), ("#", True)]
