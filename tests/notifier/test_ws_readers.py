"""Browsers that do not read, or do not answer pings: they are closed, and hold up nobody."""

from __future__ import annotations

import asyncio
import time

from confero.models import Participant, ParticipantEvent, Publish, SpeakersEvent

from ..support.waiting import until
from .conftest import Stack, StackMaker

SPEAKERS = SpeakersEvent(speakers=[])


def closes(stack: Stack, code: str) -> float:
    """How many WebSockets were closed with the code, as /metrics tells it."""
    return stack.notifier.http.metrics.registry.get_sample_value("confero_websocket_closes_total", {"code": code}) or 0


async def test_slow_reader(make_stack: StackMaker) -> None:
    stack = await make_stack(queue_bytes=3 << 20)
    slow, quick = await stack.join("slow"), await stack.join("quick")
    big = ParticipantEvent(participant=Participant(id="x", display_name="y" * 50_000, kind="rtp", leg="l"))
    publish = Publish(room="lobby", participant="slow", events=[big] * 10)
    hub = stack.notifier.hub
    for _ in range(100):
        await stack.mcu.publish(stack.url, publish)
        session = hub.of_participant("slow")
        if session is not None and session.sink is None:
            break
    else:
        raise AssertionError("a reader that reads nothing was never closed")
    assert (await quick.ask("ping"))["type"] == "ok"
    assert await slow.close_code() == 4429
    await until(lambda: closes(stack, "4429") == 1)


async def test_a_reader_that_never_reads_is_reset(make_stack: StackMaker) -> None:
    stack = await make_stack(queue_bytes=1 << 19)
    slow = await stack.join("slow")
    big = ParticipantEvent(participant=Participant(id="x", display_name="y" * 50_000, kind="rtp", leg="l"))
    publish = Publish(room="lobby", events=[big] * 10)
    while stack.notifier.gate.count:
        await stack.mcu.publish(stack.url, publish)
    assert closes(stack, "4429") == 1
    assert not slow.ws.closed  # it has read nothing, not even the end


async def test_silent_peer(make_stack: StackMaker) -> None:
    stack = await make_stack(ping_interval_s=0.1)
    browser = stack.browser()
    await browser.connect(autoping=False)
    await browser.send({"type": "hello", "token": stack.token()})
    assert await browser.close_code() == 4408


async def test_peer_that_answers_pings_stays(make_stack: StackMaker) -> None:
    stack = await make_stack(ping_interval_s=0.05)
    alice = await stack.join()
    reading = asyncio.ensure_future(alice.event("speakers"))  # noqa: TID251 - a test's own
    await asyncio.sleep(0.4)
    await stack.mcu.publish(stack.url, Publish(room="lobby", events=[SPEAKERS]))
    assert (await reading)["type"] == "speakers"


async def test_those_who_do_not_read_hold_up_nobody(make_stack: StackMaker) -> None:
    """Ten members that read nothing, one that does: it gets every event, in order and soon, and they are closed."""
    stack = await make_stack(queue_bytes=2 << 20)
    deaf = [await stack.join(f"deaf{number}") for number in range(10)]
    quick = await stack.join("quick")
    event = ParticipantEvent(participant=Participant(id="x", display_name="y" * 60_000, kind="rtp", leg="l"))
    slowest = 0.0
    for number in range(1, 301):
        begun = time.monotonic()
        await stack.mcu.publish(stack.url, Publish(room="lobby", events=[event]))
        assert (await quick.receive())["seq"] == number
        slowest = max(slowest, time.monotonic() - begun)
    await until(lambda: closes(stack, "4429") == len(deaf))
    assert (await quick.ask("ping"))["type"] == "ok"
    assert slowest < 2.0
