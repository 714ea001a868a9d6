"""Moderation through the notifier: sessions are told and closed, the MCU is ordered, next legs begin as ordered."""

from __future__ import annotations

from typing import Any

from confero.clock import SystemClock
from confero.errors import Unavailable
from confero.models import ParticipantOrder, RoomOrders, RoomOrdersAt, RoomOrdersDone, WebRtcLegCreate
from confero.runtime.client import ServiceClient

from .conftest import Stack
from .fakes import SECRET


async def told(stack: Stack, method: str, path: str, **arguments: Any) -> Any:
    client = ServiceClient("appserver", "notifier", stack.url, secret=SECRET, clock=SystemClock())
    try:
        return await client.call(method, f"/internal/v1/rooms/lobby{path}", **arguments)
    finally:
        await client.close()


async def order(stack: Stack, **orders: ParticipantOrder) -> list[str]:
    body = RoomOrdersAt(mcu_url=stack.mcu.url, orders=orders)
    done: RoomOrdersDone = await told(stack, "PATCH", "/participants", body=body, reply=RoomOrdersDone)
    return done.done


def made(stack: Stack) -> WebRtcLegCreate:
    """The last leg that the MCU was asked for."""
    return [body for body in stack.mcu.bodies if isinstance(body, WebRtcLegCreate)][-1]


async def test_orders_reach_the_mcu(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ask("offer", sdp="v=0")
    assert await order(stack, alice=ParticipantOrder(held=True), bob=ParticipantOrder(muted=True)) == ["alice"]
    assert stack.mcu.roster("lobby")[0].held
    assert isinstance(stack.mcu.bodies[-1], RoomOrders)


async def test_who_has_no_leg_yet_begins_as_ordered(stack: Stack) -> None:
    """The order finds nobody at the MCU, which does not even know the room: it counts for the leg that comes."""
    alice = await stack.join()
    wish = ParticipantOrder(held=True, muted=True, role="host")
    assert await order(stack, alice=wish) == []
    await alice.ask("offer", sdp="v=0")
    assert (made(stack).held, made(stack).muted, made(stack).role) == (True, True, "host")
    await order(stack, alice=ParticipantOrder(held=False))
    await alice.ask("offer", sdp="v=0")
    assert (made(stack).held, made(stack).muted) == (False, True)


async def test_the_grant_says_who_may_not_speak(stack: Stack) -> None:
    browser = stack.browser()
    await browser.hello(stack.token("eve", may_speak=False))
    await browser.ask("offer", sdp="v=0")
    assert made(stack).held


async def test_ones_own_mute_is_that_of_the_next_leg(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ask("offer", sdp="v=0")
    await alice.ask("mute", muted=True)
    await alice.ask("offer", sdp="v=0")
    assert made(stack).muted


async def test_whoever_is_removed_is_told_closed_and_gone_at_the_mcu(stack: Stack) -> None:
    alice, bob = await stack.join("alice"), await stack.join("bob")
    await alice.ask("offer", sdp="v=0")
    await bob.ask("offer", sdp="v=0")
    query = f"?reason=removed&mcu_url={stack.mcu.url}"
    await told(stack, "DELETE", "/participants/alice" + query)
    await told(stack, "DELETE", "/participants/alice" + query)
    assert (await alice.event("closed"))["reason"] == "removed"
    assert await alice.close_code() == 4403
    assert [one.id for one in stack.mcu.roster("lobby")] == ["bob"]


async def test_the_end_for_all_closes_everybody(stack: Stack) -> None:
    people = [await stack.join("alice"), await stack.join("bob")]
    await people[0].ask("offer", sdp="v=0")
    await told(stack, "DELETE", f"?reason=ended&mcu_url={stack.mcu.url}")
    for one in people:
        assert (await one.event("closed"))["reason"] == "ended"
        assert await one.close_code() == 4403
    assert "lobby" not in stack.mcu.rooms


async def test_an_mcu_that_is_away_is_said_to_be(stack: Stack) -> None:
    """The session is closed all the same; who asks tries again."""
    alice = await stack.join()
    await stack.mcu.stop()
    try:
        await told(stack, "DELETE", f"/participants/alice?reason=removed&mcu_url={stack.mcu.url}")
    except Unavailable:
        pass
    else:
        raise AssertionError("nobody was removed there")
    assert await alice.close_code() == 4403
