"""The lobby: who waits, who is let in or sent away, what hosts hear of it, and that all of it outlives the process."""

from __future__ import annotations

from typing import Any

import pytest

from confero.appserver.rooms.joining import Admission
from confero.appserver.rooms.rules import Visitor
from confero.errors import Refused, Unavailable
from confero.models import JoinRequest, RoomCreate
from confero.tokens import TokenInvalid

from .conftest import Bench

OWNER = Visitor(user="u_owner", role="user")


class Hall:
    """A room with a lobby, and short ways to make things happen at its door."""

    def __init__(self, bench: Bench, room: str) -> None:
        self.bench = bench
        self.room = room

    async def join(self, name: str, visitor: Visitor | None = None, **more: Any) -> Admission:
        admission = await self.bench.reception.join(
            self.room, JoinRequest(display_name=name, **more), visitor or Visitor()
        )
        await self.bench.session("connected", admission, id=f"s_{admission.person.id}")
        self.bench.clock.advance(0.01)
        return admission

    async def names(self) -> list[str]:
        return [one.display_name for one in await self.bench.house.lobby.waiting(self.room)]

    def told(self, admission: Admission) -> list[tuple[str, Any]]:
        """What this participant has heard, since it was asked last."""
        found, kept = [], []
        for message in self.bench.notifier.published:
            (found if message.participant == admission.person.id else kept).append(message)
        self.bench.notifier.published = kept
        return [(event.type, _said(event)) for message in found for event in message.events]


def _said(event: Any) -> Any:
    return [one.display_name for one in event.waiting] if event.type == "lobby" else getattr(event, "reason", None)


@pytest.fixture
async def hall(bench: Bench) -> Hall:
    await bench.mcu()
    room = await bench.house.catalogue.create(RoomCreate(lobby=True, max_participants=3), "u_owner")
    return Hall(bench, room.id)


async def test_hosts_hear_who_waits_in_their_order(hall: Hall) -> None:
    host = await hall.join("Hanna", OWNER)
    await hall.join("Alice")
    await hall.join("Bob")
    assert await hall.names() == ["Alice", "Bob"]
    assert hall.told(host) == [("lobby", ["Alice"]), ("lobby", ["Alice", "Bob"])]


async def test_admitted(hall: Hall) -> None:
    host, alice = await hall.join("Hanna", OWNER), await hall.join("Alice")
    hall.told(host)
    await hall.bench.house.lobby.admit(hall.room, alice.person.id)
    assert (hall.told(alice), hall.told(host)) == ([("admitted", None)], [("lobby", [])])
    inside = await hall.join("Alice", previous_token=alice.token)
    assert (inside.person.id, inside.person.admitted, inside.people) == (alice.person.id, True, 2)
    with pytest.raises(Refused) as caught:
        await hall.bench.house.lobby.admit(hall.room, alice.person.id)
    assert (caught.value.status, caught.value.code) == (404, "not-waiting")


async def test_whoever_was_admitted_does_not_wait_again(hall: Hall) -> None:
    await hall.join("Hanna", OWNER)
    alice = await hall.join("Alice")
    await hall.bench.house.lobby.admit(hall.room, alice.person.id)
    await hall.bench.session("disconnected", alice, id=f"s_{alice.person.id}")
    hall.bench.clock.advance(1000)
    await hall.bench.mcu()
    assert (await hall.join("Alice", previous_token=alice.token)).person.admitted


async def test_refused(hall: Hall) -> None:
    host, alice = await hall.join("Hanna", OWNER), await hall.join("Alice")
    hall.told(host)
    await hall.bench.house.lobby.refuse(hall.room, alice.person.id)
    assert (hall.told(alice), hall.told(host)) == ([("closed", "refused")], [("lobby", [])])
    with pytest.raises(TokenInvalid):
        await hall.bench.reception.check(alice.token)
    knocks_again = await hall.join("Alice", previous_token=alice.token)
    assert not knocks_again.person.admitted
    with pytest.raises(Refused):
        await hall.bench.house.lobby.refuse(hall.room, host.person.id)


async def test_all_are_admitted_as_far_as_there_are_places(hall: Hall) -> None:
    host = await hall.join("Hanna", OWNER)
    for name in ("Alice", "Bob", "Carol"):
        await hall.join(name)
    assert await hall.bench.house.lobby.admit_all(hall.room) == 2
    assert await hall.names() == ["Carol"]
    waiting = (await hall.bench.house.lobby.waiting(hall.room))[0]
    with pytest.raises(Refused) as caught:
        await hall.bench.house.lobby.admit(hall.room, waiting.participant)
    assert (caught.value.status, caught.value.code) == (409, "room-full")
    assert hall.told(host)[-1] == ("lobby", ["Carol"])


async def test_hosts_hear_of_those_who_go(hall: Hall) -> None:
    host, alice = await hall.join("Hanna", OWNER), await hall.join("Alice")
    late = await hall.bench.reception.join(hall.room, JoinRequest(display_name="Never comes"))
    assert (await hall.names(), late.person.admitted) == (["Alice", "Never comes"], False)
    hall.told(host)
    await hall.bench.session("disconnected", alice, id=f"s_{alice.person.id}")
    await hall.bench.house.lobby.look()
    assert hall.told(host) == [("lobby", ["Never comes"])]
    hall.bench.clock.advance(31)
    await hall.bench.house.lobby.look()
    assert hall.told(host) == [("lobby", [])]
    await hall.bench.house.lobby.look()
    assert hall.told(host) == []


async def test_lobby_lock_and_admissions_outlive_the_process(hall: Hall) -> None:
    host, alice, bob = await hall.join("Hanna", OWNER), await hall.join("Alice"), await hall.join("Bob")
    await hall.bench.house.lobby.admit(hall.room, alice.person.id)
    await hall.bench.store.change_room(hall.room, {"locked": True})
    hall.told(host)
    hall.bench.restart()
    await hall.bench.mcu()
    assert await hall.names() == ["Bob"]
    await hall.bench.house.lobby.look()
    assert hall.told(host) == [("lobby", ["Bob"])]
    assert (await hall.join("Alice", previous_token=alice.token)).person.admitted
    assert not (await hall.join("Bob", previous_token=bob.token)).person.admitted
    with pytest.raises(Refused, match="locked"):
        await hall.join("Eve")
    assert (await hall.bench.reception.check(host.token)).role == "host"


async def test_what_a_notifier_misses_is_told_when_it_is_back(hall: Hall) -> None:
    host, alice = await hall.join("Hanna", OWNER), await hall.join("Alice")
    hall.told(host)
    hall.bench.notifier.failure = Unavailable("down")
    await hall.bench.house.lobby.admit(hall.room, alice.person.id)
    assert hall.told(alice) == []
    hall.bench.notifier.failure = None
    await hall.bench.house.lobby.look()
    assert (hall.told(alice), hall.told(host)) == ([("admitted", None)], [("lobby", [])])
    await hall.bench.house.lobby.look()
    assert (hall.told(alice), hall.told(host)) == ([], [])
