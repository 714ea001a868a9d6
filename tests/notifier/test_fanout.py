"""Fan-out over the in-process bus: subscriptions follow sessions, control messages move them."""

from __future__ import annotations

import json

import pytest

from confero.clock import FakeClock
from confero.errors import Unavailable
from confero.models import ClosedEvent, LeftEvent, McuStarted, Participant, Publish, RosterEvent, SpeakersEvent
from confero.notifier.api import topics_for
from confero.notifier.bus import LocalBus
from confero.notifier.fanout import CONTROL_TOPIC, REMEMBERED_BOOTS, Fanout
from confero.notifier.hub import Hub, HubLimits
from confero.notifier.rosters import Rosters
from confero.notifier.session import RoomSession
from confero.notifier.wire import Malformed, read_publication

from .fakes import WELCOME, FakeSink, grant

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

    async def enter(self, participant: str, room: str = "lobby") -> tuple[RoomSession, FakeSink]:
        await self.fanout.want((f"room:{room}", f"participant:{participant}"))
        session = self.hub.open(grant(participant, room), "token")
        sink = FakeSink()
        self.hub.attach(session, sink, WELCOME)
        return session, sink

    async def leave(self, session: RoomSession) -> None:
        self.hub.end(session, "left")
        await self.fanout.drop(tuple(topic.name for topic in session.topics))

    async def publish(self, message: Publish) -> None:
        """As it comes over HTTP."""
        publication, events = read_publication(message.model_dump_json().encode())
        for topic in topics_for(publication):
            await self.fanout.publish(topic, events)


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
    await bench.publish(Publish(room="lobby", events=events))
    assert types(alice) == ["speakers", "closed"]
    assert alice.closed is not None
    assert types(spy) == []


async def test_publish_to_a_participant(bench: Bench) -> None:
    _, alice = await bench.enter("alice")
    _, bob = await bench.enter("bob")
    await bench.publish(Publish(room="lobby", participant="bob", events=[SpeakersEvent(speakers=[])]))
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


NONSENSE = [
    *(b"", b"no json", b"{}", b"[]", b'{"type":1}', b'{"type":"left"}', b'{"type":"roster","participants":[{}]}'),
    b"[" * 10_000,
]


@pytest.mark.parametrize("message", NONSENSE, ids=lambda message: message[:30].decode())
async def test_nonsense_on_the_bus_is_dropped(bench: Bench, message: bytes) -> None:
    _, alice = await bench.enter("alice")
    await bench.bus.publish("room:lobby", message)
    await bench.bus.publish(CONTROL_TOPIC, message)
    assert types(alice) == []


async def test_an_event_that_only_browsers_know_is_passed_on(bench: Bench) -> None:
    _, alice = await bench.enter("alice")
    await bench.bus.publish("room:lobby", b'{"type":"fireworks","colour":"red"}')
    assert json.loads(alice.sent[-1]) == {"topic": "room:lobby", "seq": 1, "type": "fireworks", "colour": "red"}


EVENTS = ["{}", "[{}]", "[1]", '[{"type":1}]', '[{"type":"x","seq":1}]', '[{"type":"x","topic":"room:y"}]']
MORE_THAN_A_PUBLICATION = "[" + ",".join(['{"type":"x"}'] * 257) + "]"


@pytest.mark.parametrize("events", [*EVENTS, MORE_THAN_A_PUBLICATION], ids=lambda text: text[:30])
def test_publications_that_are_refused(events: str) -> None:
    with pytest.raises(Malformed):
        read_publication(f'{{"room":"lobby","events":{events}}}'.encode())


@pytest.mark.parametrize(
    "whom", ["", '"room":"r","users":["u"],', '"users":["u"],"participant":"p",', '"participant":"p",']
)
def test_a_publication_is_for_a_room_or_a_user(whom: str) -> None:
    with pytest.raises(Malformed):
        read_publication(f'{{{whom}"events":[]}}'.encode())


def test_a_publication_nested_too_deep() -> None:
    deep = b'{"room":"lobby","events":[{"type":"x","a":' + b"[" * 5000 + b"]" * 5000 + b"}]}"
    with pytest.raises(Malformed):
        read_publication(deep)


async def test_rosters_follow_the_rooms_events_while_somebody_is_there(bench: Bench) -> None:
    session, _ = await bench.enter("alice")
    await bench.publish(Publish(room="lobby", events=[RosterEvent(participants=[PHONE])]))
    assert (await bench.rosters.of("http://mcu-1", "lobby")).leg_of("phone") == "leg_1"
    await bench.publish(Publish(room="lobby", events=[LeftEvent(participant="phone", reason="bye")]))
    assert (await bench.rosters.of("http://mcu-1", "lobby")).text == b"[]"
    await bench.leave(session)
    with pytest.raises(Unavailable):
        await bench.rosters.of("http://mcu-1", "lobby")


async def test_what_one_participant_is_told_is_no_roster(bench: Bench) -> None:
    await bench.enter("alice")
    told = Publish(room="lobby", participant="alice", events=[RosterEvent(participants=[PHONE])])
    await bench.publish(told)
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
        await bench.publish(roster)
        await bench.rosters.of("http://mcu-1", "lobby")
        await happens
        with pytest.raises(Unavailable):
            await bench.rosters.of("http://mcu-1", "lobby")
