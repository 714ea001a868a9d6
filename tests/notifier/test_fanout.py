"""Fan-out over the in-process bus: subscriptions follow sessions, control messages move them."""

from __future__ import annotations

import json

import pytest

from confero.clock import FakeClock
from confero.models import ClosedEvent, McuStarted, Publish, SpeakersEvent
from confero.notifier.bus import LocalBus
from confero.notifier.fanout import CONTROL_TOPIC, REMEMBERED_BOOTS, Fanout
from confero.notifier.hub import Hub, HubLimits, Session

from .fakes import FakeSink, grant


class Bench:
    def __init__(self) -> None:
        self.bus = LocalBus()
        self.hub = Hub(FakeClock(), HubLimits(), lambda session, cause: None)
        self.fanout = Fanout(self.bus, self.hub)

    async def enter(self, participant: str, room: str = "lobby") -> tuple[Session, FakeSink]:
        await self.fanout.want((f"room:{room}", f"participant:{participant}"))
        session = self.hub.open(grant(participant, room), "token")
        sink = FakeSink()
        self.hub.attach(session, sink, "welcome", 0)
        return session, sink

    async def leave(self, session: Session) -> None:
        self.hub.end(session, "left")
        await self.fanout.drop(session.topics)


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.fanout.start()
    return bench


def types(sink: FakeSink) -> list[str]:
    return [json.loads(text)["type"] for text in sink.sent[1:]]


async def test_publish_to_a_room_in_order(bench: Bench) -> None:
    _, alice = await bench.enter("alice")
    _, spy = await bench.enter("spy", "elsewhere")
    events = [SpeakersEvent(speakers=[]), ClosedEvent(reason="room-closed")]
    await bench.fanout.publish(Publish(room="lobby", events=events))
    assert types(alice) == ["speakers", "closed"]
    assert alice.closed is not None
    assert types(spy) == []


async def test_publish_to_a_participant(bench: Bench) -> None:
    _, alice = await bench.enter("alice")
    _, bob = await bench.enter("bob")
    await bench.fanout.publish(Publish(room="lobby", participant="bob", events=[SpeakersEvent(speakers=[])]))
    assert types(alice) == []
    assert types(bob) == ["speakers"]


async def test_topics_are_subscribed_while_wanted(bench: Bench) -> None:
    alice, _ = await bench.enter("alice")
    bob, _ = await bench.enter("bob")
    await bench.leave(alice)
    assert bench.bus.topics == {CONTROL_TOPIC, "room:lobby", "participant:bob"}
    await bench.leave(bob)
    assert bench.bus.topics == {CONTROL_TOPIC}


async def test_a_start_told_twice_counts_once(bench: Bench) -> None:
    _, alice = await bench.enter("alice")
    for boot in ("b1", "b1", "b2"):
        await bench.fanout.mcu_started("mcu-1", McuStarted(boot=boot, url="http://mcu-1"))
    assert types(alice) == ["renegotiate", "renegotiate"]


async def test_remembered_boots_are_bounded(bench: Bench) -> None:
    for number in range(REMEMBERED_BOOTS + 10):
        await bench.fanout.mcu_started(f"m{number}", McuStarted(boot="b", url="http://x"))
    _, alice = await bench.enter("alice")
    await bench.fanout.mcu_started("mcu-1", McuStarted(boot="b", url="http://mcu-1"))
    assert types(alice) == ["renegotiate"]


async def test_placed_moves_the_room(bench: Bench) -> None:
    session, alice = await bench.enter("alice")
    await bench.fanout.placed("lobby", "mcu-2", "http://mcu-2")
    assert session.grant.mcu == "mcu-2"
    assert types(alice) == ["renegotiate"]


@pytest.mark.parametrize("message", ["", "no json", "{}", '{"type":"unknown"}', '{"type":"left"}', "[" * 10_000])
async def test_nonsense_on_the_bus_is_dropped(bench: Bench, message: str) -> None:
    _, alice = await bench.enter("alice")
    await bench.bus.publish("room:lobby", message)
    await bench.bus.publish(CONTROL_TOPIC, message)
    assert types(alice) == []
