"""A session on the endpoint: requests that are settled before they have begun, and a driver that is over and knows nobody."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from confero.protocols.sip.session import Ended, Event, InviteSession, SessionConfig
from confero.protocols.sip.target import Target
from confero.sipgw.calls.driver import Driver
from confero.sipgw.calls.forking import Branch, Forking

from .sipparts import Net

HERE = SessionConfig(contact="<sip:confero@192.0.2.1>")
PHONE = Target("udp", "203.0.113.1", 5060)


class Owner:
    """Of the session; what a call is to it."""

    def __init__(self, net: Net, uri: str, flow: Target | None = None) -> None:
        self.told: list[Event] = []
        self.finished: list[Driver] = []
        self.net = net
        self.driver = Driver(net.sender, net.clock, self.happened, self.finished.append, flow=flow)
        self.driver.begin(
            InviteSession.call(
                HERE, uri, "<sip:a@b>", net.clock.monotonic(), random=net.endpoint.random, sdp="v=0\r\n", to="<sip:c@d>"
            )
        )

    def happened(self, event: Event) -> None:
        self.told.append(event)

    def wait(self, seconds: float) -> None:
        """Time passes, and what is due is done."""
        self.net.clock.advance(seconds)
        self.net.endpoint._poll()
        if self.driver._timer is not None:
            self.driver._timer.cancel()
        self.driver._poll()


@pytest.fixture(autouse=True)
def uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


async def test_a_request_that_leads_nowhere_is_settled_before_it_has_begun() -> None:
    net = Net()
    owner = Owner(net, "tel:+15551234")
    ended = owner.told[-1]
    assert isinstance(ended, Ended) and (ended.by, ended.status) == ("network", 503)
    async with asyncio.timeout(1):
        await owner.driver.quiet()
    owner.wait(33)
    assert owner.finished == [owner.driver]
    await net.close()


async def test_a_driver_that_is_over_holds_nobody() -> None:
    net = Net()
    owner = Owner(net, "sip:carol@203.0.113.1", PHONE)
    invite, target = net.wire.requests("INVITE")[0]
    net.answer(invite, target, 486)
    driver, left = owner.driver, weakref.ref(owner)
    assert owner.finished == [driver] and driver.over
    del owner
    assert left() is None
    driver.do(lambda now: driver.session.hang_up(now))
    await net.close()


async def test_a_call_that_we_have_ended_may_still_be_answered() -> None:
    net = Net()
    owner = Owner(net, "sip:carol@203.0.113.1", PHONE)
    owner.driver.do(lambda now: owner.driver.session.hang_up(now))
    owner.wait(10)
    invite, target = net.wire.requests("INVITE")[0]
    net.answer(invite, target, 200, Contact="<sip:carol@203.0.113.1>")
    assert net.wire.requests("ACK") and net.wire.requests("BYE")
    net.answer(*net.wire.requests("BYE")[0], 200)
    assert not owner.finished, "the 200 may come again"
    owner.wait(33)
    assert owner.finished == [owner.driver]
    await net.close()


class Caller:
    """Of phones that are called together."""

    def __init__(self) -> None:
        self.silence: list[bool] = []

    def responded(self, response: object, source: Target) -> None:
        raise AssertionError("nobody is there")

    def unanswered(self, *, sent: bool) -> None:
        self.silence.append(sent)

    def reached(self, tag: str, flow: Target | None) -> None:
        raise AssertionError("nobody is there")


async def test_phones_that_are_nowhere_are_silent_together() -> None:
    net, caller = Net(), Caller()
    invite = InviteSession.call(HERE, "sip:c@d", "<sip:a@b>", 0.0, random=net.endpoint.random, sdp="v=0\r\n")[1][0]
    left = weakref.ref(
        Forking(net.sender, invite.request, [Branch("tel:+1"), Branch("tel:+2")], caller)  # type: ignore[union-attr]
    )
    assert caller.silence == [False] and left() is None
    await net.close()
