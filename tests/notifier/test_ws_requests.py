"""Requests over the WebSocket: they reach the MCU, and each has one reply."""

from __future__ import annotations

import asyncio

from confero.errors import Refused

from ..support.waiting import until
from .conftest import Stack


async def test_offer_reaches_the_mcu(stack: Stack) -> None:
    alice = await stack.join()
    answer = await alice.ask("offer", sdp="v=0")
    assert (answer["type"], answer["sdp"]) == ("answer", "answer")
    again = await alice.ask("offer", sdp="v=0", leg=answer["leg"])
    assert (again["leg"], again["sdp"]) == (answer["leg"], "answer again")


async def test_large_sdp_fits(stack: Stack) -> None:
    alice = await stack.join()
    assert (await alice.ask("offer", sdp="a=x\r\n" * 9000))["type"] == "answer"


async def test_another_participants_leg(stack: Stack) -> None:
    alice, bob = await stack.join("alice"), await stack.join("bob")
    leg = (await bob.ask("offer", sdp="v=0"))["leg"]
    reply = await alice.ask("offer", sdp="v=0", leg=leg)
    assert reply["problem"]["status"] == 404
    assert ("PUT", f"/v1/legs/{leg}/offer") not in stack.mcu.calls


async def test_mute(stack: Stack) -> None:
    alice = await stack.join()
    leg = (await alice.ask("offer", sdp="v=0"))["leg"]
    assert (await alice.ask("mute", muted=True))["type"] == "ok"
    assert stack.mcu.legs[leg][1].muted


async def test_problem_of_the_mcu(stack: Stack) -> None:
    alice = await stack.join()
    stack.mcu.failures["POST", "/v1/rooms/lobby/legs"] = Refused(
        "no usable media", status=422, code="sdp-no-usable-media"
    )
    problem = (await alice.ask("offer", sdp="v=0"))["problem"]
    assert (problem["type"], problem["status"]) == ("urn:confero:problem:sdp-no-usable-media", 422)
    assert (await alice.ask("ping"))["type"] == "ok"


async def test_absent_mcu_then_back(stack: Stack) -> None:
    alice = await stack.join()
    await stack.mcu.stop()
    problem = (await alice.ask("offer", sdp="v=0"))["problem"]
    assert (problem["type"], problem["status"]) == ("urn:confero:problem:media-server-down", 503)
    await stack.mcu.start()
    assert (await alice.ask("offer", sdp="v=0"))["type"] == "answer"


async def test_room_that_moved_while_the_mcu_is_away(stack: Stack) -> None:
    alice = await stack.join()
    await stack.mcu.stop()
    stack.token("alice", mcu="mcu-2", mcu_url="http://127.0.0.1:9")
    reply = await alice.ask("offer", sdp="v=0")
    assert reply["problem"]["status"] == 503
    assert [event["type"] for event in alice.events] == ["renegotiate"]


async def test_leave(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ask("offer", sdp="v=0")
    assert (await alice.ask("leave"))["type"] == "ok"
    assert await alice.close_code() == 1000
    assert stack.mcu.legs == {}
    await until(lambda: stack.appserver.kinds("alice") == ["connected", "disconnected"])


async def test_a_page_that_leaves_and_is_closed_at_once_has_left(stack: Stack) -> None:
    """Its goodbye and its close come together, while the MCU takes its time."""
    alice = await stack.join()
    await alice.ask("offer", sdp="v=0")
    stack.mcu.hold = asyncio.Event()
    await alice.ws.send_json({"type": "leave", "id": 9})
    await alice.ws.close()
    await until(lambda: stack.mcu.calls[-1][0] == "DELETE", "the MCU is asked")
    stack.mcu.hold.set()
    await until(lambda: not stack.mcu.legs and not len(stack.notifier.hub), "no leg and no session are left")
    await until(lambda: stack.appserver.kinds("alice") == ["connected", "disconnected"])
