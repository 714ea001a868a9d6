"""The smallest shared modules: who may call what, clocks, errors, ids."""

from __future__ import annotations

import time

import pytest
from pydantic import TypeAdapter

from confero import models
from confero.access import ACCESS, SERVICES, may_call
from confero.clock import Clock, FakeClock, SystemClock
from confero.errors import ConferoError, LocalError, Refused, RemoteError, Unavailable
from confero.ids import new_id
from confero.models import Participant


def test_access_names_only_services_that_there_are() -> None:
    for scope, callers in ACCESS.items():
        service, _, purpose = scope.partition(":")
        assert service in SERVICES and purpose and callers <= set(SERVICES) and service not in callers


def test_access_to_an_unknown_scope_is_nobodys() -> None:
    assert may_call("mcu", "appserver:mcus") and not may_call("notifier", "appserver:mcus")
    assert not may_call("mcu", "appserver:nothing") and not may_call("", "appserver:mcus")


def test_the_fake_clock_stands_still_until_moved() -> None:
    clock = FakeClock(monotonic=5, wall=10)
    clock.advance(2.5)
    assert (clock.monotonic(), clock.wall()) == (7.5, 12.5)
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)


def test_the_system_clock_reads_both() -> None:
    clock: Clock = SystemClock()
    assert clock.monotonic() <= time.monotonic() and abs(clock.wall() - time.time()) < 5


def test_errors_carry_what_answers_them() -> None:
    assert (RemoteError("x").status, Refused("x").status, Unavailable("x").status) == (400, 403, 503)
    assert str(Refused("the room is full", status=409, code="room-full")) == "the room is full"
    assert all(issubclass(kind, ConferoError) for kind in (LocalError, RemoteError, Refused, Unavailable))


def test_ids_are_what_the_models_take_and_never_met_twice() -> None:
    made = {new_id("leg") for _ in range(1000)}
    assert len(made) == 1000
    for one in made:
        assert TypeAdapter[str](models.Id).validate_python(one).startswith("leg_")
    assert Participant(id=made.pop(), display_name="x", kind="rtp", leg=made.pop())
