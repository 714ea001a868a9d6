"""Transfers: who is called and as whom, what is refused and how, and whose place a call may take."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from confero.clock import FakeClock
from confero.errors import LocalError, Refused
from confero.models import RoomSpec
from confero.models.sip import SipCaller, SipDecision, SipPlace, SipPlaceAsk, SipRouteAsk
from confero.protocols.sip.message import Request
from confero.protocols.sip.parser import parse
from confero.protocols.sip.session import Transfer
from confero.sipgw.calls.book import CallBook
from confero.sipgw.calls.call import Call
from confero.sipgw.calls.driver import Driver
from confero.sipgw.calls.outbound import OutboundCall, Party
from confero.sipgw.calls.parties import Calling
from confero.sipgw.calls.status import status_of
from confero.sipgw.calls.transfers import Transfers

INVITE = (
    "INVITE sip:lobby@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:bob@192.0.2.9>;tag=b\r\n"
    "To: <sip:lobby@192.0.2.1>\r\nCall-ID: new\r\nCSeq: 1 INVITE\r\nContact: <sip:bob@192.0.2.9>\r\n{more}\r\n"
)
ADDRESS = SipDecision(action="address", number="carol", domain="198.51.100.7")


class Session:
    """What of an InviteSession a transfer needs; notes what it is told."""

    we_called = False
    gone = False

    def __init__(self, verdict: int = 200) -> None:
        self.told: list[tuple[Any, ...]] = []
        self._verdict = verdict

    def accept_transfer(self, id: int, now: float) -> list[Any]:
        if self.gone:
            raise LocalError(f"no transfer {id} waits for an answer")
        self.told.append(("accepted", id))
        return []

    def refuse_transfer(self, id: int, now: float, status: int = 603) -> list[Any]:
        self.told.append(("refused", id, status))
        return []

    def transfer_progress(self, id: int, status: int, reason: str, now: float) -> list[Any]:
        self.told.append(("progress", id, status, reason))
        return []

    def judge(self, replaces: object) -> int:
        return self._verdict


class World:
    """A call in the lobby, a dial plan that says ``decision``, and who is called in the end."""

    def __init__(self, decision: SipDecision = ADDRESS, verdict: int = 200) -> None:
        self.decision = decision
        self.asked: list[SipRouteAsk | SipPlaceAsk] = []
        self.headers: tuple[tuple[str, str], ...] = ()
        self.started: list[OutboundCall] = []
        self.session = Session(verdict)
        appserver = SimpleNamespace(route=self._route, place=self._place)
        means = SimpleNamespace(
            appserver=appserver, clock=FakeClock(), owner="gw", ring_s=60.0, mcus=None, sender=None, over=print
        )
        about = SimpleNamespace(
            id="c1", room="lobby", from_uri="sip:alice@192.0.2.8", caller=SipCaller(account="alice", from_user="alice")
        )
        driver = SimpleNamespace(session=self.session, do=lambda step: step(0.0))
        driver.attempt = lambda step: Driver.attempt(driver, step)  # type: ignore[arg-type]
        self.call = cast(Call, SimpleNamespace(about=about, means=means, driver=driver, partner=None))
        book = SimpleNamespace(named=self._named, start=self.started.append)
        self.transfers = Transfers(cast(CallBook, book), cast(Any, SimpleNamespace(of=self._of)))

    async def _route(self, ask: SipRouteAsk) -> SipDecision:
        self.asked.append(ask)
        return self.decision

    async def _place(self, ask: SipPlaceAsk) -> SipPlace:
        self.asked.append(ask)
        return SipPlace(
            participant="p2", display_name=ask.caller.from_user, role="guest", room=ask.room or "", spec=RoomSpec(),
            mcu="m", mcu_url="http://m", reserved_until=0,
        )  # fmt: skip

    def _of(
        self, decision: SipDecision, caller: Calling, headers: tuple[tuple[str, str], ...]
    ) -> Awaitable[Sequence[Party]]:
        async def found() -> Sequence[Party]:
            self.headers = headers
            return [Party(f"sip:{decision.number}@{decision.domain}", f"<sip:{caller.number}@gw>", headers=headers)]

        return found()

    def _named(self, call_id: str, tag: str) -> Call | None:
        return self.call if (call_id, tag) == ("old", "ours") else None

    async def refer(self, target: str, referred_by: str = "") -> list[tuple[Any, ...]]:
        await self.transfers.refer(self.call, Transfer(7, target, referred_by, cast(Request, None)))
        return self.session.told


async def test_the_dial_plan_is_asked_as_the_telephone_and_the_called_comes_into_its_room() -> None:
    world = World()
    assert await world.refer("sip:carol@198.51.100.7") == [("accepted", 7)]
    route, place = world.asked
    assert isinstance(route, SipRouteAsk) and isinstance(place, SipPlaceAsk)
    assert (route.user, route.domain, route.direction, route.caller.account) == ("carol", "198.51.100.7", "in", "alice")
    assert (place.room, place.caller.from_user) == ("lobby", "carol")
    assert [call.about.to_uri for call in world.started] == ["sip:carol@198.51.100.7"]
    assert dict(world.headers) == {"Referred-By": "<sip:alice@192.0.2.8>"}


async def test_the_telephone_hears_how_it_goes() -> None:
    world = World()
    await world.refer("sip:carol@198.51.100.7")
    for status, reason in ((180, "Ringing"), (200, "OK")):
        world.started[0]._on_progress(status, reason)
    assert world.started[0].about.from_uri == "<sip:alice@gw>"
    assert world.session.told[1:] == [("progress", 7, 180, "Ringing"), ("progress", 7, 200, "OK")]


async def test_who_was_joined_with_the_telephone_is_joined_with_the_called() -> None:
    """Else its partner's call would end with its own, which it hangs up when it hears of the success (RFC 5589 section 6)."""
    world, partner = World(), cast(Call, SimpleNamespace())
    world.call.partner, partner.partner = partner, world.call
    await world.refer("sip:carol@198.51.100.7")
    (called,) = world.started
    called._on_progress(180, "Ringing")
    assert (world.call.partner, partner.partner) == (partner, world.call)
    called._on_progress(200, "OK")
    assert (world.call.partner, partner.partner, called.partner) == (None, called, partner)


async def test_an_attended_transfer_replaces_the_others_call() -> None:
    world = World()
    await world.refer("sip:carol@198.51.100.7?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2", "<sip:a@b>")
    assert dict(world.headers) == {"Referred-By": "<sip:a@b>", "Replaces": "x@y;to-tag=1;from-tag=2"}


@pytest.mark.parametrize(
    ("decision", "target", "status"),
    [
        (SipDecision(action="reject", status=404, code="not-found"), "sip:carol@198.51.100.7", 603),
        (SipDecision(action="menu"), "sip:menu@192.0.2.1", 603),
        (ADDRESS, "tel:+49301234", 603),
        (ADDRESS, "sip:", 400),
        (ADDRESS, "sip:room@192.0.2.1?Replaces=old%3Bto-tag%3Dours%3Bfrom-tag%3Dx", 603),
        (ADDRESS, "sip:room@192.0.2.1?Replaces=nonsense", 400),
    ],
)
async def test_what_is_refused_starts_nothing(decision: SipDecision, target: str, status: int) -> None:
    world = World(decision)
    assert await world.refer(target) == [("refused", 7, status)]
    assert world.started == []


async def test_who_has_hung_up_meanwhile_makes_nobody_ring() -> None:
    world = World()
    world.session.gone = True
    await world.refer("sip:carol@198.51.100.7")
    assert world.started == []


def invite(more: str) -> Request:
    message = parse(INVITE.format(more=more).encode())
    assert isinstance(message, Request)
    return message


def test_a_call_may_take_the_place_of_one_that_it_can_name() -> None:
    world = World()
    assert world.transfers.replaced(invite("")) is None
    assert world.transfers.replaced(invite("Replaces: old;to-tag=ours;from-tag=theirs\r\n")) is world.call


@pytest.mark.parametrize(
    ("more", "verdict", "status"),
    [
        ("Replaces: old;to-tag=other;from-tag=theirs\r\n", 200, 481),
        ("Replaces: old;to-tag=ours;from-tag=theirs\r\n", 481, 481),
        ("Replaces: old;to-tag=ours;from-tag=theirs;early-only\r\n", 486, 486),
        ("Replaces: old;to-tag=ours;from-tag=theirs\r\n", 603, 603),
        ("Replaces: old\r\n", 200, 400),
        ("Replaces: old;to-tag=ours;from-tag=t\r\nReplaces: old;to-tag=ours;from-tag=t\r\n", 200, 400),
    ],
)
def test_whose_place_cannot_be_taken(more: str, verdict: int, status: int) -> None:
    with pytest.raises(Refused) as refusal:
        World(verdict=verdict).transfers.replaced(invite(more))
    assert status_of(refusal.value)[0] == status
