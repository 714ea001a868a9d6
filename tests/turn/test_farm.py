"""Registration and heartbeats of a TURN server."""

from __future__ import annotations

from collections.abc import Iterable

from confero.clock import FakeClock
from confero.errors import Refused, Unavailable
from confero.models.turn import MediaPlace, TurnHeartbeat, TurnListener, TurnPeers, TurnRegister
from confero.turn.farm import HEARTBEAT_S, LONGEST_S, REGISTER_S, SOON_S, Membership

PLACE = MediaPlace(host="192.0.2.9", low=5000, high=15_000)


class AppServer:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.failure: Exception | None = None
        self.knows = False
        self.version = ""
        self.asked: list[tuple[str | None, float]] = []

    async def register(self, register: TurnRegister) -> TurnPeers:
        if self.failure is not None:
            raise self.failure
        self.knows = True
        self.said.append("register")
        return TurnPeers(media=[PLACE], version=self.version)

    async def heartbeat(self, turn: str, heartbeat: TurnHeartbeat) -> TurnPeers:
        if self.failure is not None:
            raise self.failure
        if not self.knows:
            raise Refused("who are you", status=404, code="turn-unknown")
        self.said.append("beat")
        self.asked.append((heartbeat.known, heartbeat.wait_s))
        return TurnPeers(version=self.version)


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.appserver = AppServer()
        self.listeners = [TurnListener(transport="udp", port=14_049)]
        self.told: list[list[MediaPlace]] = []
        self.membership = Membership(self.register, self.beating, self.hear, self.clock)

    def register(self) -> TurnRegister:
        return TurnRegister(id="turn-1", boot="b", listeners=self.listeners)

    def beating(self) -> TurnHeartbeat:
        return TurnHeartbeat(boot="b", allocations=0)

    def hear(self, places: Iterable[MediaPlace]) -> None:
        self.told.append(list(places))

    async def beat(self) -> float:
        return await self.membership.beat(self.appserver)


async def test_registers_then_beats_and_hears_of_media_servers() -> None:
    bench = Bench()
    assert [await bench.beat(), await bench.beat()] == [0.0, HEARTBEAT_S]
    assert bench.appserver.said == ["register", "beat"] and bench.told == [[PLACE], []]


async def test_registers_again_when_forgotten_when_due_and_when_something_has_changed() -> None:
    bench = Bench()
    await bench.beat()
    bench.appserver.knows = False
    assert await bench.beat() == 0.0 and await bench.beat() == 0.0
    bench.clock.advance(REGISTER_S)
    await bench.beat()
    bench.listeners = [TurnListener(transport="tcp", port=443)]
    await bench.beat()
    assert bench.appserver.said == ["register"] * 4


async def test_waits_longer_while_nobody_answers_and_keeps_what_it_knew() -> None:
    bench = Bench()
    await bench.beat()
    bench.appserver.failure = Unavailable("down")
    pauses = [await bench.beat() for _ in range(6)]
    assert pauses[0] == 1.0 and pauses == sorted(pauses) and pauses[-1] == LONGEST_S
    bench.appserver.failure = None
    assert await bench.beat() == HEARTBEAT_S and bench.appserver.said == ["register", "beat"]


async def test_an_application_server_that_never_knew_us_is_not_asked_without_pause() -> None:
    bench = Bench()
    bench.appserver.failure = Refused("no", status=404, code="not-found")
    assert await bench.beat() > 0 and await bench.beat() > 0


async def test_a_word_out_of_turn_may_fail() -> None:
    bench = Bench()
    bench.appserver.failure = Unavailable("down")
    await bench.membership.say(bench.appserver)


async def test_an_application_server_that_counts_versions_waits_in_our_place() -> None:
    bench = Bench()
    bench.appserver.version = "a.1"
    await bench.beat()
    assert await bench.beat() == SOON_S
    bench.appserver.version = ""
    assert await bench.beat() == HEARTBEAT_S and await bench.beat() == HEARTBEAT_S
    assert bench.appserver.asked == [("a.1", HEARTBEAT_S), ("a.1", HEARTBEAT_S), (None, HEARTBEAT_S)]


async def test_a_word_out_of_turn_waits_for_nothing() -> None:
    bench = Bench()
    bench.appserver.version = "a.1"
    await bench.beat()
    await bench.membership.say(bench.appserver)
    assert bench.appserver.asked == [(None, 0)]
