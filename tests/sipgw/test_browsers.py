"""Calls between browsers and telephones as the gateway does them: who rings, who has the call, what pages and peers are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from confero.clock import SystemClock
from confero.errors import ConferoError, Refused, Unavailable
from confero.models import DigitsSend, LegPatch, LegReply, RoomSpec, RtpLegCreate
from confero.models.calls import CallEnd, CallEvent, IncomingCallEvent, RingStoppedEvent, SipCallOut, SipRingAnswer
from confero.models.sip import SipBrowser, SipCaller, SipDecision, SipPlace, SipPlaceAsk, SipRouteAsk
from confero.protocols.sip import Request, Response, Target, parse, response_to
from confero.protocols.sip.events import RequestIn
from confero.protocols.sip.uui import unpack
from confero.sipgw.calls.about import About
from confero.sipgw.calls.book import CallBook
from confero.sipgw.calls.desk import Desk
from confero.sipgw.calls.forking import Branch
from confero.sipgw.calls.inbound import InboundCall
from confero.sipgw.calls.means import Means
from confero.sipgw.calls.media import Terms
from confero.sipgw.calls.outbound import OutboundCall, Party
from confero.sipgw.calls.parties import Parties, terms_to
from confero.sipgw.calls.transfers import Transfers
from confero.sipgw.calls.unproven import Unproven
from confero.sipgw.load import Load
from confero.sipgw.pages import PageEvent

from .sipparts import Net, request

PHONE = Target("udp", "192.0.2.7", 5060, 0)
SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0\r\n"


def place(room: str, participant: str, name: str) -> SipPlace:
    return SipPlace(
        participant=participant, display_name=name, role="guest", room=room, spec=RoomSpec(), mcu="m", mcu_url="http://mcu",
        reserved_until=0.0,
    )  # fmt: skip


class Elsewhere:
    """Application server, MCU and pages in one."""

    def __init__(self) -> None:
        self.decision = SipDecision(action="reject", status=404)
        self.told: list[tuple[str, PageEvent]] = []
        self.legs: list[RtpLegCreate] = []
        self.ended: list[str] = []
        self.digits: list[str] = []
        self.patches: list[LegPatch] = []
        self.fault: ConferoError | None = None

    # -- the application server --

    async def route(self, ask: SipRouteAsk) -> SipDecision:
        return self.decision

    async def place(self, ask: SipPlaceAsk) -> SipPlace:
        return place(ask.room or "fresh", "p_phone", ask.caller.from_name)

    # -- the MCU --

    def at(self, url: str) -> Elsewhere:
        return self

    async def open_leg(self, room: str, spec: RoomSpec, body: RtpLegCreate) -> LegReply:
        if self.fault is not None:
            raise self.fault
        self.legs.append(body)
        return LegReply(leg=f"leg{len(self.legs)}", participant=body.participant, room=room, sdp=SDP, people=2)

    async def take_answer(self, leg: str, sdp: str) -> None:
        """Whatever it is."""

    async def patch(self, leg: str, patch: LegPatch) -> None:
        self.patches.append(patch)

    async def delete_leg(self, leg: str, reason: str) -> None:
        self.ended.append(leg)

    async def send_digits(self, leg: str, digits: DigitsSend) -> None:
        self.digits.append(digits.digits)

    # -- pages --

    def tell(self, room: str, participant: str, event: PageEvent) -> None:
        self.told.append((participant, event))

    def events(self, kind: type[Any], participant: str | None = None) -> list[Any]:
        return [e for who, e in self.told if isinstance(e, kind) and participant in (None, who)]

    def states(self) -> list[tuple[str, int]]:
        return [(event.state, event.status) for event in self.events(CallEvent)]


class Rig:
    """The calls of a gateway between a wire and ``Elsewhere``."""

    def __init__(self, ring_s: float = 30.0) -> None:
        self.net, self.there = Net({"phones.example": ["203.0.113.9"]}), Elsewhere()
        there: Any = self.there
        self.book = CallBook(self.net.endpoint, self.net.tasks)
        self.parties = Parties(self.net.sender)
        self.means = Means(
            sender=self.net.sender, appserver=there, mcus=there, clock=SystemClock(), trace=self.net.endpoint._trace,
            owner="gw", user_agent="", begun=self.book.begun, write=lambda call: None, over=self.book.over,
            start=self.book.start, parties=self.parties, transfers=Transfers(self.book, self.parties),
            unproven=Unproven(100), remember=lambda call: None, pages=there, ring_s=ring_s, pass_headers=["X-Customer"],
        )  # fmt: skip
        self.load = Load(SystemClock(), 0.5, 10, lambda: len(self.book))
        self.desk = Desk(self.means, self.book, self.parties, self.load)
        self.book.handlers["INVITE"] = self._invited
        self.net.endpoint.serve(self.book)

    def _invited(self, event: RequestIn) -> None:
        about = About("in", "sip:bob@x", event.request.uri, 0.0, id="c1")
        about.caller = SipCaller(source="192.0.2.7", from_user="4711", from_name="Bob")
        self.book.incoming(event.key, InboundCall(self.means, about, Terms("gw"), event.key, event.request, PHONE))

    def invite(self, source: Target = PHONE, **headers: str) -> Request:
        more = {"Contact": "<sip:bob@192.0.2.7>", "Content-Type": "application/sdp", **headers}
        one = request("INVITE", "sip:Ada@gw.example", **more)
        one.body = SDP.encode()
        self.net.endpoint.received(bytes(one), source)
        return one

    def say(self, participant: str, action: str, **words: Any) -> None:
        self.desk.answer("c1", SipRingAnswer(participant=participant, action=action, **words))  # type: ignore[arg-type]

    def answer(self, invite: Request, target: Target, status: int = 200, **headers: str) -> None:
        """A telephone's answer, with a description."""
        answer = response_to(invite, status, to_tag=f"peer{target.port}{target.host}")
        for name, value in {
            "Contact": f"<sip:bob@{target.host}>",
            "Content-Type": "application/sdp",
            **headers,
        }.items():
            answer.headers.add(name.replace("_", "-"), value)
        answer.body = SDP.encode()
        self.net.endpoint.received(bytes(answer), target)

    def bye(self, of: Request | Response, source: Target, **headers: str) -> None:
        """The telephone hangs up, whose dialog a message of ours is of."""
        ours, theirs = (of.from_, of.to) if isinstance(of, Request) else (of.to, of.from_)
        names = {
            "From": f"<sip:b@x>;tag={theirs.tag or f'peer{source.port}{source.host}'}",
            "To": f"<sip:g@x>;tag={ours.tag}",
        }
        via = f"SIP/2.0/UDP {source.host};branch=z9hG4bK-bye"
        one = request("BYE", "sip:gw", Via=via, Call_ID=of.call_id, CSeq="9 BYE", **names, **headers)
        self.net.endpoint.received(bytes(one), source)

    async def until(self, condition: Callable[[], Any]) -> Any:
        async with asyncio.timeout(5):
            while not (found := condition()):  # noqa: ASYNC110 - of messages on a wire
                await asyncio.sleep(0.005)
        return found

    async def final(self) -> Response:
        """What the INVITE is answered in the end."""
        found = await self.until(lambda: [r for r in self.net.wire.responses() if r.status >= 200])
        assert isinstance(found[0], Response)
        return found[0]

    async def rings(self) -> None:
        await self.until(lambda: [r for r in self.net.wire.responses() if r.status == 180])


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    yield made
    await made.net.close()


def browsers(*names: str) -> SipDecision:
    return SipDecision(
        action="user", browsers=[SipBrowser(participant=name, room=f"room-{name}", display_name=name) for name in names]
    )


async def test_the_first_who_accepts_has_the_caller_in_his_room(rig: Rig) -> None:
    rig.there.decision = browsers("ann", "bea")
    rig.invite(User_to_User="6f7264657220 37;encoding=hex".replace(" ", ""), X_Customer="4711")
    await rig.rings()
    (first, *_) = rig.there.events(IncomingCallEvent, "ann")
    assert (first.call, first.name, first.number) == ("c1", "Bob", "4711")
    assert (first.user_data, first.headers) == ("order 7", {"X-Customer": "4711"})
    assert rig.there.events(IncomingCallEvent, "bea") and not rig.there.legs
    rig.say("bea", "accept")
    with pytest.raises(Refused, match="no more"):
        rig.say("ann", "accept")
    assert (await rig.final()).status == 200
    assert [leg.participant for leg in rig.there.legs] == ["p_phone"]
    assert {event.reason for event in rig.there.events(RingStoppedEvent, "ann")} == {"accepted"}
    await rig.until(lambda: ("answered", 200) in rig.there.states())
    info = rig.desk.call("p_phone")
    assert (info.id, info.room, info.owner, info.state, info.user_data) == (
        "c1",
        "room-bea",
        "bea",
        "answered",
        "order 7",
    )


@pytest.mark.parametrize(
    ("said", "status"), [({"ann": "busy", "bea": "busy"}, 486), ({"ann": "busy", "bea": "decline"}, 603)]
)
async def test_nobody_wants(rig: Rig, said: dict[str, str], status: int) -> None:
    rig.there.decision = browsers("ann", "bea")
    rig.invite()
    await rig.rings()
    for name, action in said.items():
        rig.say(name, action)
    assert (await rig.final()).status == status
    assert [e.reason for e in rig.there.events(RingStoppedEvent)] == ["declined", "declined"]
    await rig.until(lambda: rig.book.find("c1") is None)
    with pytest.raises(Refused, match="no such call"):
        rig.say("ann", "accept")


async def test_nobody_answers() -> None:
    rig = Rig(ring_s=0.05)
    rig.there.decision = browsers("ann")
    rig.invite()
    assert (await rig.final()).status == 480
    assert [e.reason for e in rig.there.events(RingStoppedEvent)] == ["no-answer"]
    await rig.net.close()


async def test_the_caller_gives_up(rig: Rig) -> None:
    rig.there.decision = browsers("ann")
    invite = rig.invite()
    await rig.rings()
    cancel = Request("CANCEL", invite.uri, invite.headers.copy(), b"")
    cancel.headers.set("CSeq", "1 CANCEL")
    cancel.headers.remove("Content-Type")
    rig.net.endpoint.received(bytes(cancel), PHONE)
    await rig.until(lambda: [e.reason for e in rig.there.events(RingStoppedEvent)] == ["cancelled"])
    assert {r.status for r in rig.net.wire.responses()} >= {200, 487} and not rig.there.legs


async def test_accepted_without_a_media_server(rig: Rig) -> None:
    rig.there.decision = browsers("ann")
    rig.there.fault = Unavailable("no ports", code="no-ports")
    rig.invite()
    await rig.rings()
    rig.say("ann", "accept")
    assert (await rig.final()).status == 503
    await rig.until(lambda: rig.there.states() == [("ended", 503)])


async def test_a_script_is_reached_by_the_connection_that_it_has_now(rig: Rig) -> None:
    """It has made another one in the middle of its call: our BYE goes there."""
    rig.net.endpoint.carriers["wss"] = rig.net.wire
    rig.there.decision = SipDecision(action="room", place=place("lobby", "p1", "Bob"))
    first, second = Target("wss", "192.0.2.7", 40_000, 1), Target("wss", "192.0.2.7", 40_001, 2)
    rig.invite(first, Via="SIP/2.0/WSS x.invalid;branch=z9hG4bK-1", Contact="<sip:b@x.invalid;transport=ws>")
    answered = await rig.final()
    dialog = {"Via": "SIP/2.0/WSS x.invalid;branch=z9hG4bK-2", "To": f"<sip:Ada@gw.example>;tag={answered.to.tag}"}
    rig.net.endpoint.received(bytes(request("ACK", "sip:gw", **dialog)), first)
    rig.net.endpoint.received(bytes(request("OPTIONS", "sip:gw", **dialog, CSeq="2 OPTIONS")), second)
    rig.desk.end("c1")
    await rig.until(lambda: rig.net.wire.requests("BYE"))
    assert [target for _, target in rig.net.wire.requests("BYE")] == [second]


# --- what the ends tell each other ---


def packed(text: str) -> str:
    return f"{text.encode().hex()};encoding=hex"


def told(message: Request | Response) -> tuple[str, str | None]:
    return unpack(message.headers.get("User-to-User") or ""), message.headers.get("X-Customer")


async def test_what_somebody_says_who_accepts(rig: Rig) -> None:
    rig.there.decision = browsers("ann")
    rig.invite()
    await rig.rings()
    rig.say("ann", "accept", user_data="desk 3", headers={"X-Customer": "4711", "X-Secret": "no"})
    answered = await rig.final()
    assert answered.status == 200 and told(answered) == ("desk 3", "4711") and "X-Secret" not in answered.headers
    rig.bye(answered, PHONE, User_to_User=packed("thanks"))
    await rig.until(lambda: rig.there.states()[-1][0] == "ended")
    assert rig.there.events(CallEvent)[-1].user_data == "thanks"


async def test_what_somebody_says_who_declines(rig: Rig) -> None:
    rig.there.decision = browsers("ann")
    rig.invite()
    await rig.rings()
    rig.say("ann", "decline", user_data="not now")
    refused = await rig.final()
    assert refused.status == 603 and told(refused) == ("not now", None)


async def test_what_a_telephone_says_with_its_answer_and_as_it_is_hung_up_on(rig: Rig) -> None:
    invite, target = await called(rig)
    rig.answer(invite, target, User_to_User=packed("agent 7"), X_Customer="4711", X_Other="no")
    await rig.until(lambda: ("answered", 200) in rig.there.states())
    event = rig.there.events(CallEvent)[-1]
    assert (event.user_data, event.headers) == ("agent 7", {"X-Customer": "4711"})
    assert rig.desk.call("c2").user_data == "agent 7"
    rig.desk.end("c2", CallEnd(user_data="case closed", headers={"X-Customer": "done"}))
    await rig.until(lambda: rig.net.wire.requests("BYE"))
    assert told(rig.net.wire.requests("BYE")[0][0]) == ("case closed", "done")


async def test_what_a_busy_telephone_says(rig: Rig) -> None:
    invite, target = await called(rig)
    rig.net.answer(invite, target, 486, User_to_User=packed("in a meeting"))
    await rig.until(lambda: rig.there.states() == [("ended", 486)])
    assert rig.there.events(CallEvent)[-1].user_data == "in a meeting"


@pytest.mark.parametrize("who", ["caller", "called"])
async def test_two_telephones_tell_each_other(rig: Rig, who: str) -> None:
    """Through us: in the INVITE, in its 200, and in the BYE of either."""
    rig.there.decision = SipDecision(action="address", number="carol", domain="phones.example")
    rig.invite(User_to_User=packed("hello"), X_Customer="1")
    await rig.until(lambda: rig.net.wire.requests("INVITE"))
    ((invite, target),) = rig.net.wire.requests("INVITE")
    assert told(invite) == ("hello", "1")
    rig.answer(invite, target, User_to_User=packed("welcome"), X_Customer="2")
    answered = await rig.final()
    assert told(answered) == ("welcome", "2")
    ack = {"Via": "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK-ack", "To": f"<sip:Ada@gw.example>;tag={answered.to.tag}"}
    rig.net.endpoint.received(bytes(request("ACK", "sip:gw", **ack)), PHONE)
    of, source = (answered, PHONE) if who == "caller" else (invite, target)
    rig.bye(of, source, User_to_User=packed("bye"), X_Customer="3")
    await rig.until(lambda: rig.net.wire.requests("BYE"))
    (bye, to) = rig.net.wire.requests("BYE")[0]
    assert told(bye) == ("bye", "3") and to.host != source.host


# --- calls out -------------------------------------------------------------------------------------------------------


def wish(**more: Any) -> SipCallOut:
    decision = SipDecision(
        action="address",
        number="bob",
        domain="phones.example:5070",
        place=place("lobby", "p_bob", "bob@phones.example"),
    )
    given = {"id": "c2", "decision": decision, "room": "lobby", "owner": "ann", "owner_name": "Ann", "name": "bob"}
    return SipCallOut(**(given | more))


async def called(rig: Rig, **more: Any) -> tuple[Request, Target]:
    info = await rig.desk.call_out(wish(**more))
    assert (info.state, info.owner, info.participant) == ("calling", "ann", "p_bob")
    found = await rig.until(lambda: rig.net.wire.requests("INVITE"))
    one, target = found[0]
    assert isinstance(one, Request) and isinstance(target, Target)
    return one, target


async def test_a_telephone_is_called(rig: Rig) -> None:
    invite, target = await called(rig, user_data="Grüße", headers={"X-Customer": "4711", "X-Secret": "no"})
    assert (invite.uri, target.host, target.port) == ("sip:bob@phones.example:5070", "203.0.113.9", 5070)
    assert invite.from_.name == "Ann" and invite.headers.get("X-Customer") == "4711"
    assert unpack(invite.headers.get("User-to-User") or "") == "Grüße" and "X-Secret" not in invite.headers
    with pytest.raises(Refused, match="such a call"):
        await rig.desk.call_out(wish())
    rig.net.answer(invite, target, 180)
    await rig.until(lambda: rig.there.states() == [("ringing", 180)])
    answer = parse(bytes(rig.net.answer(invite, target, 183)))
    assert isinstance(answer, Response)
    await rig.desk.digits("c2", DigitsSend(digits="12#"))
    assert rig.there.digits == ["12#"]
    rig.desk.end("p_bob")
    await rig.until(lambda: rig.net.wire.requests("CANCEL"))
    rig.net.answer(invite, target, 487)
    await rig.until(lambda: rig.there.states()[-1][0] == "ended")
    assert rig.there.ended == ["leg1"] and rig.book.find("c2") is None


async def test_a_telephone_that_is_busy(rig: Rig) -> None:
    invite, target = await called(rig)
    rig.net.answer(invite, target, 486)
    await rig.until(lambda: rig.there.states() == [("ended", 486)])


async def test_calls_that_cannot_be_made(rig: Rig) -> None:
    for more, code in (
        ({"decision": SipDecision(action="address", number="bob", domain="phones.example")}, "place-missing"),
        ({"decision": wish().decision.model_copy(update={"domain": "no.example"})}, "not-found"),
        ({"decision": wish().decision.model_copy(update={"domain": "a b"})}, "address-invalid"),
        ({"decision": wish().decision.model_copy(update={"action": "menu"})}, "not-found"),
    ):
        with pytest.raises(Refused) as caught:
            await rig.desk.call_out(wish(**more))
        assert caught.value.code == code
    rig.there.fault = Unavailable("no ports", code="no-ports")
    await rig.desk.call_out(wish())
    await rig.until(lambda: rig.there.states() == [("ended", 503)])
    rig.load.closed = True
    with pytest.raises(Refused, match="No further"):
        await rig.desk.call_out(wish())
    for ask in (rig.desk.call, rig.desk.end):
        with pytest.raises(Refused, match="no such call"):
            ask("c9")


async def test_the_mcu_knows_where_signalling_comes_from(rig: Rig) -> None:
    """Of who calls from the first; of who is called, and may be behind NAT, when he answers and before his answer is taken."""
    rig.there.decision = SipDecision(action="room", place=place("lobby", "p1", "Bob"))
    rig.invite()
    await rig.final()
    assert [leg.signalling for leg in rig.there.legs] == [PHONE.host]
    about = About("out", "", "", 0.0)
    party = Party("sip:bob@203.0.113.9", "<sip:a@b>", symmetric=True)
    call = OutboundCall(rig.means, about, terms_to(party, "gw"), place("lobby", "p2", "Carol"), party)
    rig.book.start(call)
    await rig.until(lambda: rig.net.wire.requests("INVITE"))
    ((invite, target),) = rig.net.wire.requests("INVITE")
    assert rig.there.legs[-1].signalling is None and rig.there.legs[-1].symmetric
    rig.answer(invite, target)
    await rig.until(lambda: call.state == "answered")
    assert [patch.signalling for patch in rig.there.patches if patch.signalling] == [target.host]
    call.hang_up("over")
    await rig.until(lambda: rig.net.wire.requests("BYE"))


SCRIPT, DESK_PHONE = Branch("sip:a@b", flow=Target("wss", "192.0.2.8", 4000, 3)), Branch("sip:a@c", flow=PHONE)


@pytest.mark.parametrize(
    ("party", "security", "exchange"),
    [
        (Party("sip:a@b", ""), "optional", "sdes"),
        (Party("sip:a@b", "", security="required"), "required", "sdes"),
        (Party("sip:a@b", "", security="none"), "none", "sdes"),
        (Party("sip:a@b", "", branches=(SCRIPT,)), "required", "ice"),
        (Party("sip:a@b", "", branches=(SCRIPT, DESK_PHONE)), "optional", "sdes"),
        (Party("sip:a@b", "", flow=SCRIPT.flow), "required", "ice"),
    ],
)
def test_what_is_offered_to_whom(party: Party, security: str, exchange: str) -> None:
    """A trunk that wants its sound protected is offered nothing else; scripts are offered what browsers take."""
    terms = terms_to(party, "gw")
    assert (terms.security, terms.key_exchange, terms.owner) == (security, exchange, "gw")
