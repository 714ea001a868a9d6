"""Legs without a session: whose media lives stays, whose media is down goes, and nothing is watched for ever."""

from __future__ import annotations

from typing import Literal

import pytest

from confero.clock import FakeClock
from confero.errors import Refused, Unavailable
from confero.models import Participant
from confero.notifier.hub import EndCause, Hub, HubLimits, Session
from confero.notifier.orphans import GRID_S, OrphanLimits, Orphans

from .fakes import grant

LIMITS = OrphanLimits(legs=3, look_s=30.0, misses=2)
State = Literal["connecting", "connected", "disconnected"]


class Mcus:
    """Rosters by URL and room. ``away`` are the URLs that do not answer."""

    def __init__(self) -> None:
        self.rosters: dict[tuple[str, str], dict[str, Participant]] = {}
        self.asked: list[tuple[str, str]] = []
        self.deleted: list[tuple[str, str]] = []
        self.away: set[str] = set()
        self.refusal: Refused | None = None

    def put(self, who: str, state: State, room: str = "lobby", url: str = "http://mcu-1") -> None:
        entry = Participant(id=who, display_name=who, kind="webrtc", leg=f"leg_{who}", state=state)
        self.rosters.setdefault((url, room), {})[who] = entry

    async def roster(self, url: str, room: str) -> list[Participant]:
        self.asked.append((url, room))
        if url in self.away:
            raise Unavailable("no route")
        if (url, room) not in self.rosters:
            raise Refused("no such room", status=404, code="room-unknown")
        return list(self.rosters[url, room].values())

    async def delete_leg(self, url: str, leg: str, reason: str) -> None:
        self.deleted.append((leg, reason))
        if self.refusal is not None:
            raise self.refusal


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.mcus = Mcus()
        self.hub = Hub(self.clock, HubLimits(resume_s=15.0), self._ended)
        self.orphans = Orphans(self.mcus, self.hub, self.clock, LIMITS)

    def _ended(self, session: Session, cause: EndCause) -> None:
        if cause == "expired":
            self.orphans.add(session)

    def expire(self, *people: str, room: str = "lobby", url: str = "http://mcu-1") -> None:
        """Sessions of these people come, and nobody comes back to them."""
        for who in people:
            self.hub.open(grant(who, room, mcu_url=url), "token")
        self.clock.advance(15.0)
        assert len(self.hub.expire()) == len(people)

    async def later(self, looks: int = 1) -> None:
        for _ in range(looks):
            self.clock.advance(LIMITS.look_s + GRID_S)
            await self.orphans.look()


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_connected_leg_stays_as_long_as_its_media(bench: Bench) -> None:
    bench.mcus.put("alice", "connected")
    bench.expire("alice")
    await bench.orphans.look()
    await bench.later(looks=20)
    assert bench.mcus.deleted == []
    assert len(bench.orphans) == 1


@pytest.mark.parametrize("state", ["connecting", "disconnected"])
async def test_a_leg_without_media_is_removed_at_once(bench: Bench, state: State) -> None:
    bench.mcus.put("alice", state)
    bench.expire("alice")
    await bench.orphans.look()
    assert bench.mcus.deleted == [("leg_alice", "owner-gone")]
    assert len(bench.orphans) == 0


async def test_media_that_stops_later_has_its_consent_first(bench: Bench) -> None:
    bench.mcus.put("alice", "connected")
    bench.expire("alice")
    await bench.orphans.look()
    bench.mcus.put("alice", "disconnected")
    await bench.later()
    assert bench.mcus.deleted == []
    await bench.later()
    assert bench.mcus.deleted == [("leg_alice", "owner-gone")]


async def test_media_that_comes_back_clears_the_suspicion(bench: Bench) -> None:
    bench.expire("alice")
    states: tuple[State, ...] = ("connected", "disconnected", "connected", "disconnected")
    for state in states:
        bench.mcus.put("alice", state)
        await bench.later()
    assert bench.mcus.deleted == []


async def test_looks_are_rare_and_one_request_for_each_room(bench: Bench) -> None:
    for who in ("alice", "bob"):
        bench.mcus.put(who, "connected")
    bench.expire("alice", "bob")
    for _ in range(29):
        await bench.orphans.look()
        bench.clock.advance(1.0)
    assert bench.mcus.asked == [("http://mcu-1", "lobby")]


async def test_legs_that_lost_their_sessions_one_by_one_share_a_question(bench: Bench) -> None:
    for number in range(LIMITS.legs):
        bench.mcus.put(f"p{number}", "connected")
        bench.hub.open(grant(f"p{number}"), "token")
        bench.clock.advance(1.0)
    bench.clock.advance(7.0)
    for _ in range(20):
        bench.hub.expire()
        await bench.orphans.look()
        bench.clock.advance(1.0)
    bench.mcus.asked.clear()
    for _ in range(40):
        await bench.orphans.look()
        bench.clock.advance(1.0)
    assert len(bench.orphans) == LIMITS.legs
    assert len(bench.mcus.asked) == 1  # for three whose first looks were seconds apart


async def test_a_leg_that_has_gone_is_forgotten(bench: Bench) -> None:
    bench.mcus.put("alice", "connected")
    bench.expire("alice", "bob")
    bench.expire("carol", room="unknown")
    await bench.orphans.look()
    assert len(bench.orphans) == 1
    assert bench.mcus.deleted == []


async def test_a_participant_who_is_back_keeps_the_leg(bench: Bench) -> None:
    bench.mcus.put("alice", "disconnected")
    bench.expire("alice")
    bench.hub.open(grant("alice"), "token")
    await bench.orphans.look()
    assert bench.mcus.deleted == []
    assert len(bench.orphans) == 0


async def test_an_mcu_that_is_away_keeps_nobody_waiting_and_is_given_up(bench: Bench) -> None:
    bench.mcus.away.add("http://mcu-1")
    bench.mcus.put("bob", "connecting", url="http://mcu-2")
    bench.expire("alice")
    bench.expire("bob", url="http://mcu-2")
    await bench.orphans.look()
    assert bench.mcus.deleted == [("leg_bob", "owner-gone")]
    assert len(bench.orphans) == 1
    await bench.later()
    assert len(bench.orphans) == 0


async def test_one_request_in_vain_for_an_mcu_that_is_away(bench: Bench) -> None:
    bench.mcus.away.add("http://mcu-1")
    bench.expire("alice", room="one")
    bench.expire("bob", room="two")
    await bench.orphans.look()
    assert len(bench.mcus.asked) == 1


async def test_an_mcu_that_answers_in_between_is_not_given_up(bench: Bench) -> None:
    bench.mcus.put("alice", "connected")
    bench.expire("alice")
    for away in (True, False, True, False, True):
        bench.mcus.away = {"http://mcu-1"} if away else set()
        await bench.later()
    assert len(bench.orphans) == 1


async def test_a_leg_that_went_in_the_meantime(bench: Bench) -> None:
    bench.mcus.put("alice", "connecting")
    bench.mcus.refusal = Refused("no such leg", status=404, code="leg-unknown")
    bench.expire("alice")
    await bench.orphans.look()
    assert len(bench.orphans) == 0


async def test_the_table_is_bounded(bench: Bench) -> None:
    people = [f"p{number}" for number in range(LIMITS.legs + 2)]
    for who in people:
        bench.mcus.put(who, "connecting")
    bench.expire(*people)
    assert len(bench.orphans) == LIMITS.legs
    await bench.orphans.look()
    assert [leg for leg, _ in bench.mcus.deleted] == [f"leg_{who}" for who in people[2:]]
