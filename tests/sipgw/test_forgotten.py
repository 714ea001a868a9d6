"""Calls that are over and not remembered any more are gone from memory, however they came and went: no knot is left for the
collector of cycles."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from confero.clock import SystemClock
from confero.models.calls import SipCallOut
from confero.models.sip import SipDecision
from confero.protocols.sip.session import InviteSession
from confero.runtime.tasks import TaskBag
from confero.sipgw.calls.call import Call
from confero.sipgw.calls.driver import Driver

from ..support.waiting import until
from .house import House
from .telephone import Called, Telephone

REMEMBERED_S = 70.0
"""Twice 64 T1 and more: a BYE that found no answer, and what is remembered of it."""

OURS = ("confero.sipgw", "confero.protocols.sip")


class Ahead(SystemClock):
    """The machine's clock, set forward by the test."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Case:
    """A gateway, telephones, and what is left of calls."""

    def __init__(self, house: House, clock: Ahead) -> None:
        self.house = house
        self._clock = clock
        self.tasks = TaskBag()
        self._telephones: list[Telephone] = []

    @property
    def book(self) -> list[tuple[Call, Driver]]:
        return list(self.house.gateway.book._by_names.values())

    async def telephone(self) -> Telephone:
        made = await Telephone.open(self.house.sip)
        self._telephones.append(made)
        return made

    async def called(self) -> Called:
        """``sip:outside@`` is this one."""
        made = await Called.open(self.house.sip, 700)
        self._telephones.append(made)
        self.house.office.outside = ":".join(map(str, made.address))
        return made

    async def answered(self, user: str = "room") -> Telephone:
        telephone = await self.telephone()
        assert await telephone.call(user) == 200
        return telephone

    async def call_out(self) -> Called:
        """From a page, to a telephone that rings now."""
        there = await self.called()
        decision = SipDecision(
            action="address", number="carol", domain=self.house.office.outside, place=self.house.office.place("room")
        )
        ids = {"id": f"c{len(self._telephones)}", "room": "room", "owner": "p9", "owner_name": "Page"}
        await self.house.gateway.desk.call_out(SipCallOut(**ids, name="Carol", decision=decision))
        await until(lambda: there.invite, "the INVITE")
        return there

    async def forgotten(self) -> None:
        """The calls have ended, and the time is over in which their messages may come again."""
        gateway = self.house.gateway
        await until(lambda: not len(gateway.book), "the end of the calls")
        await asyncio.sleep(0.05)
        while self.book or gateway.layer.servers or gateway.layer.clients:
            self._clock.ahead += REMEMBERED_S
            for _, driver in self.book:
                if driver._timer is not None:
                    driver._timer.cancel()
                driver._poll()
            gateway.endpoint._poll()
            await asyncio.sleep(0)

    async def close(self) -> None:
        await self.tasks.close()
        for telephone in self._telephones:
            await telephone.close()


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    clock = Ahead()
    house = House(tmp_path, clock=clock)
    await house.start()
    made = Case(house, clock)
    yield made
    await made.close()
    await house.stop()


@pytest.fixture(autouse=True)
def uncollected(case: Case) -> Iterator[None]:
    """Nothing but what the test does collects, and nothing of what was there before."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def left() -> set[str]:
    """Classes of what is left of calls: held by somebody, or by each other."""
    held = {type(one).__name__ for one in gc.get_objects() if isinstance(one, Call | Driver | InviteSession)}
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    classes = {type(one) for one in gc.garbage}
    gc.garbage.clear()
    return held | {kind.__name__ for kind in classes if kind.__module__.startswith(OURS)}


async def hung_up(case: Case) -> None:
    (await case.answered()).hang_up()


async def hung_up_by_us(case: Case) -> None:
    await case.answered()
    case.house.gateway.book.hang_up_all("by the test")


async def refused(case: Case) -> None:
    assert await (await case.telephone()).call("nobody") == 404


async def not_acceptable(case: Case) -> None:
    telephone = await case.telephone()
    telephone.more["INVITE"] = ("Require: cherries",)
    assert await telephone.call("room") == 420


async def only_asked(case: Case) -> None:
    telephone = await case.telephone()
    telephone.address_to("room")
    telephone.request("OPTIONS")
    await until(lambda: telephone.status("OPTIONS") == 200)
    telephone.request("REGISTER")
    await until(lambda: telephone.status("REGISTER") >= 300)


async def menu(case: Case) -> None:
    telephone = await case.answered("menu")
    await telephone.press("4711", way="info")
    await until(lambda: case.house.roster("meeting"), "the caller in the room")
    await telephone.press("**", way="info")
    telephone.hang_up()


async def hung_up_in_the_menu(case: Case) -> None:
    telephone = await case.answered("menu")
    await telephone.press("47", way="info")
    telephone.hang_up()


async def changed(case: Case) -> None:
    telephone = await case.answered()
    telephone.request("INVITE", telephone._sdp(), "application/sdp")
    await until(lambda: len(telephone.told(200)) == 2, "the answer to the re-INVITE")
    telephone._send("ACK", "2")
    telephone.hang_up()


async def out_and_hung_up(case: Case) -> None:
    there = await case.call_out()
    there.says("180 Ringing")
    there.says("200 OK", sounds=True)
    await until(lambda: any(call.about.answered_at for call, _ in case.book), "the answer")
    await until(lambda: any(one.startswith("ACK") for one in there.received), "the ACK")
    case.house.gateway.book.hang_up_all("by the test")
    await until(lambda: there.hung_up, "the BYE")


async def out_and_refused(case: Case) -> None:
    (await case.call_out()).says("486 Busy Here")


async def out_and_given_up(case: Case) -> None:
    there = await case.call_out()
    there.says("180 Ringing")
    await until(lambda: any(call.state == "ringing" for call, _ in case.book), "the ringing")
    case.house.gateway.book.hang_up_all("by the test")
    await until(lambda: any(one.startswith("CANCEL") for one in there.received), "the CANCEL")
    there.says("487 Request Terminated")


async def connected(case: Case) -> tuple[Telephone, Called]:
    """Alice has called Carol, who has answered."""
    carol, alice = await case.called(), await case.telephone()
    calling = case.tasks.spawn(alice.call("outside"), name="a call")
    await until(lambda: carol.invite, "the INVITE")
    carol.says("180 Ringing")
    carol.says("200 OK", sounds=True)
    assert await calling == 200
    await until(lambda: all(call.partner for call, _ in case.book), "both are joined")
    return alice, carol


async def passed_on(case: Case) -> None:
    alice, carol = await connected(case)
    alice.hang_up()
    await until(lambda: carol.hung_up, "the BYE")


async def passed_on_and_cancelled(case: Case) -> None:
    carol, alice = await case.called(), await case.telephone()
    case.tasks.spawn(alice.call("outside"), name="a call")
    await until(lambda: carol.invite, "the INVITE")
    carol.says("180 Ringing")
    await until(lambda: alice.told(180), "the ringing")
    alice.cancel()
    await until(lambda: any(one.startswith("CANCEL") for one in carol.received), "the CANCEL")
    carol.says("487 Request Terminated")
    await until(lambda: alice.status("INVITE") == 487)


async def transferred(case: Case) -> None:
    alice, carol = await case.answered(), await case.called()
    alice.more["REFER"] = ("Refer-To: <sip:outside@127.0.0.1>",)
    alice.request("REFER")
    await until(lambda: carol.invite, "the INVITE")
    carol.says("200 OK", sounds=True)
    await until(
        lambda: any("SIP/2.0 200 OK" in one for one in alice.received if one.startswith("NOTIFY")), "the report"
    )
    alice.hang_up()
    await until(lambda: len(case.house.gateway.book) == 1, "the end of the first call")
    case.house.gateway.book.hang_up_all("by the test")
    await until(lambda: carol.hung_up, "the BYE")


KINDS: tuple[Callable[[Case], Awaitable[None]], ...] = (
    *(hung_up, hung_up_by_us, refused, not_acceptable, only_asked, menu, hung_up_in_the_menu, changed, out_and_hung_up),
    *(out_and_refused, out_and_given_up, passed_on, passed_on_and_cancelled, transferred),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_nothing_is_left(case: Case, kind: Callable[[Case], Awaitable[None]]) -> None:
    await kind(case)
    await case.forgotten()
    assert left() == set()


async def test_a_session_that_is_not_dissolved_would_be_found(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InviteSession, "dissolve", lambda session: None)
    await hung_up(case)
    await case.forgotten()
    assert left() >= {"Core", "Parts"}


async def test_a_call_that_does_not_let_go_would_be_found(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Call, "let_go", lambda call: None)
    await hung_up(case)
    await case.forgotten()
    assert left() >= {"InboundCall", "Negotiation", "Keypad"}
