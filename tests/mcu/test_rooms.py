"""Rooms and the registry: places, replacement, what is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from confero.errors import Refused
from confero.mcu.rooms.participant import Participant, Settings
from confero.mcu.rooms.registry import Registry
from confero.mcu.rooms.room import Room


class StubLeg:
    kind, codec, remote, listens = "webrtc", "opus", "", True

    def __init__(self, number: int) -> None:
        self.id, self.number = f"leg_{number}", number


def person(id: str, number: int = 1) -> Participant:
    leg: Any = StubLeg(number)
    return Participant(id, id.title(), "guest", leg)


def room(places: int = 2) -> Room:
    return Room("r", 1, "Room", places, 10.0)


def test_a_full_room_refuses_and_changes_nothing() -> None:
    r = room()
    r.admit(person("a"))
    r.admit(person("b"))
    with pytest.raises(Refused) as caught:
        r.admit(person("c"))
    assert (caught.value.status, caught.value.code) == (409, "room-full")
    assert list(r.participants) == ["a", "b"]


def test_who_is_here_needs_no_other_place() -> None:
    r = room()
    first = person("a")
    r.admit(first)
    r.admit(person("b"))
    assert r.admit(person("a", 2)) is first
    assert len(r.participants) == 2


def test_only_the_one_that_is_here_can_be_removed() -> None:
    r = room()
    old, new = person("a", 1), person("a", 2)
    r.admit(old)
    r.admit(new)
    assert not r.remove(old, 20.0)
    assert r.empty_since is None
    assert r.remove(new, 30.0)
    assert not r.remove(new, 40.0)
    assert r.empty_since == 30.0


def test_what_was_decided_is_inherited() -> None:
    old, new = person("a"), person("a", 2)
    old.settings = Settings(muted=True, gain_db=-6.0)
    new.inherit(old)
    assert new.settings == Settings(muted=True, gain_db=-6.0)


def test_views() -> None:
    r = room()
    r.admit(person("a"))
    view = r.view()
    assert view.participants[0].leg == "leg_1" and view.participants[0].state == "connecting"
    assert (view.id, view.name, view.max_participants) == ("r", "Room", 2)


def test_registry_finds_by_every_name() -> None:
    registry = Registry(max_rooms=1, max_legs=1)
    assert [registry.next_number(), registry.next_number()] == [1, 2]
    r, p = room(), person("a", 7)
    registry.add_room(r)
    registry.add_leg(p, r)
    assert registry.room("r") is registry.room_of_number(1) is r
    assert registry.leg("leg_7") == registry.leg_of_number(7) == (p, r)
    assert (registry.rooms, registry.legs) == (1, 1)
    for check in (registry.check_room, registry.check_leg):
        with pytest.raises(Refused, match="already"):
            check()
    registry.remove_leg(p)
    registry.remove_room(r)
    registry.forget_number(7)
    assert registry.leg_of_number(7) is None and registry.room_of_number(1) is None
    for find, code in ((registry.leg, "leg-unknown"), (registry.room, "room-unknown")):
        with pytest.raises(Refused) as caught:
            find("leg_7")
        assert (caught.value.status, caught.value.code) == (404, code)
