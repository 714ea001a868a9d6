"""Which TURN servers browsers are sent to."""

from __future__ import annotations

import pytest

from confero.appserver.relays import fleet as fleets
from confero.appserver.relays.fleet import Fleet
from confero.clock import FakeClock
from confero.errors import Refused
from confero.models.turn import TurnHeartbeat, TurnListener, TurnRegister

LISTENER = TurnListener(transport="udp", host="192.0.2.5", port=14049)


def register(name: str = "turn-1", boot: str = "boot-1") -> TurnRegister:
    return TurnRegister(id=name, boot=boot, listeners=[LISTENER])


def ids(fleet: Fleet) -> list[str]:
    return [turn.id for turn in fleet.able()]


def test_the_least_busy_comes_first_and_who_drains_not_at_all() -> None:
    fleet = Fleet(FakeClock(), 6)
    for name in ("a", "b", "c"):
        fleet.register(register(name))
    fleet.heartbeat("a", TurnHeartbeat(boot="boot-1", allocations=7))
    fleet.heartbeat("b", TurnHeartbeat(boot="boot-1", allocations=3))
    assert ids(fleet) == ["c", "b", "a"]
    fleet.heartbeat("b", TurnHeartbeat(boot="boot-1", allocations=3, draining=True))
    assert ids(fleet) == ["c", "a"] and len(fleet) == 3


def test_the_silent_are_lost_and_register_again() -> None:
    clock = FakeClock()
    fleet = Fleet(clock, 6)
    fleet.register(register())
    clock.advance(5.9)
    assert ids(fleet) == ["turn-1"]
    clock.advance(0.1)
    assert ids(fleet) == [] and len(fleet) == 0
    with pytest.raises(Refused) as caught:
        fleet.heartbeat("turn-1", TurnHeartbeat(boot="boot-1", allocations=0))
    assert (caught.value.status, caught.value.code) == (404, "turn-unknown")
    assert fleet.register(register()) is True and ids(fleet) == ["turn-1"]


def test_a_restart_is_news_and_begins_without_load() -> None:
    fleet = Fleet(FakeClock(), 6)
    assert fleet.register(register()) is True
    fleet.heartbeat("turn-1", TurnHeartbeat(boot="boot-1", allocations=9, draining=True))
    assert fleet.register(register()) is False and ids(fleet) == []
    assert fleet.register(register(boot="boot-2")) is True and ids(fleet) == ["turn-1"]
    with pytest.raises(Refused):
        fleet.heartbeat("turn-1", TurnHeartbeat(boot="boot-1", allocations=0))


def test_the_table_is_bounded_by_those_that_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "MAX_TURNS", 2)
    clock = FakeClock()
    fleet = Fleet(clock, 6)
    fleet.register(register("a"))
    fleet.register(register("b"))
    with pytest.raises(Refused) as caught:
        fleet.register(register("c"))
    assert caught.value.code == "too-many-turns"
    clock.advance(6)
    fleet.register(register("c"))
    assert ids(fleet) == ["c"]
