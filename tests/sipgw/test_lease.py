"""Legs are held at each MCU that has some, and a call is told when its own is not there any more."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio

from confero.clock import FakeClock
from confero.errors import Unavailable
from confero.models import OwnerLegs
from confero.runtime.tasks import TaskBag
from confero.sipgw.calls.book import CallBook
from confero.sipgw.calls.call import Call
from confero.sipgw.calls.happenings import Happening, LegLost
from confero.sipgw.calls.lease import LOST_S, Leases
from confero.sipgw.endpoint import Endpoint
from confero.sipgw.peers import McuPeers

ONE, OTHER = "http://one", "http://other"


class Talk:
    """A call that only has a leg."""

    def __init__(self, id: str, mcu_url: str, leg: str) -> None:
        self.about = SimpleNamespace(id=id)
        self.media = SimpleNamespace(mcu_url=mcu_url, leg=leg, boot="1")
        self.state = "answered"
        self.lost: list[Happening] = []
        self._over = asyncio.Event()

    async def run(self) -> None:
        await self._over.wait()

    def happened(self, happening: Happening) -> None:
        self.lost.append(happening)


class Mcus:
    """``legs``: what each has; None: it does not answer."""

    def __init__(self) -> None:
        self.legs: dict[str, list[str] | None] = {ONE: ["a", "b"], OTHER: ["c"]}
        self.boots = {ONE: "1", OTHER: "1"}
        self.asked: list[str] = []

    def at(self, url: str) -> Any:
        async def renew(owner: str) -> OwnerLegs:
            self.asked.append(url)
            legs = self.legs[url]
            if legs is None:
                raise Unavailable("away")
            return OwnerLegs(legs=legs, lease_s=10, boot=self.boots[url])

        return SimpleNamespace(renew=renew)


class Desk:
    """Three calls at two MCUs."""

    def __init__(self, tasks: TaskBag) -> None:
        self.clock, self.mcus = FakeClock(), Mcus()
        self.book = CallBook(cast(Endpoint, None), tasks)
        self.calls = {leg: Talk(f"call-{leg}", OTHER if leg == "c" else ONE, leg) for leg in "abc"}
        for call in self.calls.values():
            self.book.start(cast(Call, call))
        self.leases = Leases(self.book, cast(McuPeers, self.mcus), self.clock, "gateway")

    def lost(self) -> dict[str, list[Happening]]:
        return {leg: call.lost for leg, call in self.calls.items() if call.lost}


@pytest_asyncio.fixture
async def desk() -> Any:
    tasks = TaskBag()
    yield Desk(tasks)
    await tasks.close()


async def test_each_mcu_is_asked_once_and_nobody_is_disturbed(desk: Desk) -> None:
    assert desk.book.legs() == {ONE: {"a", "b"}, OTHER: {"c"}}
    assert desk.book.mcus() == {ONE, OTHER}
    await desk.leases.renew()
    assert sorted(desk.mcus.asked) == [ONE, OTHER]
    assert not desk.lost()


async def test_a_leg_that_is_gone(desk: Desk) -> None:
    desk.mcus.legs[ONE] = ["b", "c"]  # of another's MCU it says nothing
    await desk.leases.renew()
    assert desk.lost() == {"a": [LegLost("media-ended")]}


async def test_another_life_of_an_mcu(desk: Desk) -> None:
    """Though it is asked for the first time: the leg knows who has made it."""
    desk.mcus.legs[OTHER], desk.mcus.boots[OTHER] = [], "2"
    await desk.leases.renew()
    assert desk.lost() == {"c": [LegLost("mcu-lost")]}


@pytest.mark.parametrize(("silent_s", "lost"), [(LOST_S - 0.1, set()), (LOST_S, {"a", "b"})])
async def test_an_mcu_that_is_silent(desk: Desk, silent_s: float, lost: set[str]) -> None:
    await desk.leases.renew()
    desk.mcus.legs[ONE] = None
    desk.clock.advance(silent_s)
    await desk.leases.renew()
    assert desk.lost().keys() == lost


async def test_a_call_without_a_leg_asks_nobody(desk: Desk) -> None:
    for call in desk.calls.values():
        call.media.leg = ""
    await desk.leases.renew()
    assert not desk.mcus.asked and not desk.lost()
