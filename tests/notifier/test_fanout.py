"""Fan-out over the in-process bus: subscriptions follow sessions, control messages move them."""

from __future__ import annotations

import json

import pytest

from confero.clock import FakeClock
from confero.errors import Unavailable
from confero.models import ClosedEvent, LeftEvent, McuStarted, Participant, Publish, RosterEvent, SpeakersEvent
from confero.notifier.bus import LocalBus
from confero.notifier.fanout import CONTROL_TOPIC, REMEMBERED_BOOTS, Fanout
from confero.notifier.hub import Hub, HubLimits, Session
from confero.notifier.rosters import Rosters

from .fakes import FakeSink, grant

PHONE = Participant(id="phone", display_name="Phone", kind="rtp", leg="leg_1")


class AbsentMcu:
    async def roster(self, url: str, room: str) -> list[Participant]:
        raise Unavailable("away")


class Bench:
    def __init__(self) -> None:
        self.bus = LocalBus()
        self.hub = Hub(FakeClock(), HubLimits(), lambda session, cause: None)
        self.rosters = Rosters(AbsentMcu())
        self.fanout = Fanout(self.bus, self.hub, self.rosters)

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


async def test_rosters_follow_the_rooms_events_while_somebody_is_there(bench: Bench) -> None:
    session, _ = await bench.enter("alice")
    await bench.fanout.publish(Publish(room="lobby", events=[RosterEvent(participants=[PHONE])]))
    assert (await bench.rosters.of("http://mcu-1", "lobby")).leg_of("phone") == "leg_1"
    await bench.fanout.publish(Publish(room="lobby", events=[LeftEvent(participant="phone", reason="bye")]))
    assert (await bench.rosters.of("http://mcu-1", "lobby")).text == "[]"
    await bench.leave(session)
    with pytest.raises(Unavailable):
        await bench.rosters.of("http://mcu-1", "lobby")


async def test_what_one_participant_is_told_is_no_roster(bench: Bench) -> None:
    await bench.enter("alice")
    told = Publish(room="lobby", participant="alice", events=[RosterEvent(participants=[PHONE])])
    await bench.fanout.publish(told)
    with pytest.raises(Unavailable):
        await bench.rosters.of("http://mcu-1", "lobby")


async def test_rosters_of_moved_rooms_and_new_mcus_are_forgotten(bench: Bench) -> None:
    await bench.enter("alice")
    await bench.fanout.placed("lobby", "mcu-1", "http://mcu-1")
    roster = Publish(room="lobby", events=[RosterEvent(participants=[PHONE])])
    for happens in (
        bench.fanout.placed("lobby", "mcu-2", "http://mcu-2"),
        bench.fanout.mcu_started("mcu-2", McuStarted(boot="b", url="http://mcu-2")),
    ):
        await bench.fanout.publish(roster)
        await bench.rosters.of("http://mcu-1", "lobby")
        await happens
        with pytest.raises(Unavailable):
            await bench.rosters.of("http://mcu-1", "lobby")
