"""One call: events of its SIP session and of its leg, dealt with one after another by one task, from the first to the record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from confero.errors import ConferoError
from confero.models.calls import CallEvent, CallState
from confero.models.sip import SipGivenUp, SipHand, SipPinAsk, SipPinReply, SipPlace, SipPlaceAsk
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.session import (
    Acknowledged,
    Answer,
    Digit,
    Ended,
    Established,
    InviteSession,
    Offer,
    OfferDue,
    OfferRefused,
    OfferWanted,
    OfferWithdrawn,
    Pracked,
    Ringing,
    Transfer,
)
from confero.protocols.sip.session.actions import Action
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from ..userdata import Fields, Told, to_tell, told_by
from .about import About, Owner
from .driver import Begin, Driver
from .happenings import HangUp, Happening, Later, LegLost
from .keypad import Keypad
from .means import Authorize, Credentials, Means
from .media import MediaLeg, Reason, Terms
from .memo import mark_of
from .negotiation import Negotiation
from .record import media_of, mos_of
from .ring import Ring
from .status import retry_after, status_of

log = get_logger(__name__)

MAX_EVENTS = 256
"""That may wait for the MCU or the application server; a peer that sends more is hung up on."""
GOODBYE_S = 2.0
"""How long the record of a call waits for the peer's answer to our BYE."""


class Call:
    """Both directions; ``set_up`` is what tells them apart. Runs in a task of its own, ``run``."""

    def __init__(self, means: Means, about: About, terms: Terms, flow: Target | None) -> None:
        self.means = means
        self.about = about
        self.media = MediaLeg(means.mcus, terms)
        self.driver = self.new_driver(flow)
        self.negotiation = Negotiation(self)
        self.partner: Call | None = None
        """Whom this call is connected to: the end of one is the end of the other."""
        self._happenings: asyncio.Queue[Happening] = asyncio.Queue(MAX_EVENTS)
        self._ended = False
        self._remembered: object = None
        """What the journal has of the call."""
        self.keypad = Keypad(self, self.media, means.clock)
        self.state: CallState = "calling"
        self.owner: Owner | None = None
        self.name = about.caller.from_name or about.caller.from_user
        """Of the telephone, as the room sees it."""
        self.told = Told()
        """By the telephone's side, last."""
        self.last_words: Fields = ()
        """What it said as it ended the call, or refused it: for whom it is connected to."""
        self.ring: Ring | None = None

    # -- told by others --

    def happened(self, happening: Happening) -> None:
        """Something for the call's task; after its end, nothing to anybody. A call that is not kept up with is ended."""
        if self.state == "ended":
            return
        if isinstance(happening, Established):
            self.about.answered_at = self.means.clock.wall()  # now: the journal is written next
        try:
            self._happenings.put_nowait(happening)
        except asyncio.QueueFull:
            log.warning("a call is not kept up with", call=self.about.id)
            self.driver.do(lambda now: self.driver.session.hang_up(now))

    def later(self, step: Callable[[], Awaitable[None]]) -> None:
        """Has the call's task take this step when it is its turn."""
        self.happened(Later(step))

    def hang_up(self, reason: str) -> None:
        """Ends the call when it is its turn."""
        self.happened(HangUp(reason))

    async def ask_pin(self, number: str, pin: str | None) -> SipPinReply:
        """A number, and perhaps a PIN, was keyed."""
        ask = SipPinAsk(call=self.about.id, caller=self.about.caller, number=number, pin=pin)
        return await self.means.appserver.pin(ask)

    async def place_again(self, place: SipPlace) -> SipPlace:
        """A place that the call has been given, as it is now. Raises Refused, Unavailable."""
        ask = SipPlaceAsk(room=place.room, participant=place.participant, caller=self.about.caller)
        return await self.means.appserver.place(ask)

    async def give_up(self, place: SipPlace) -> None:
        """A place in a lobby that is waited in no longer. Raises Refused, Unavailable."""
        await self.means.appserver.given_up(SipGivenUp(room=place.room, participant=place.participant))

    async def hand(self) -> bool:
        """The caller's hand is up if it was down, down if it was up; whether it is up now. Raises Refused, Unavailable."""
        about = self.about
        return (await self.means.appserver.hand(SipHand(room=about.room, participant=about.participant))).raised

    def _remember(self) -> None:
        """What has changed of an established call goes into the journal."""
        mark = mark_of(self)
        if mark is not None and mark != self._remembered:
            self._remembered = mark
            self.means.remember(self)

    def new_driver(self, flow: Target | None, begins: Begin | None = None) -> Driver:
        """For a session of this call; a call out may have several, one after the other."""
        return Driver(
            self.means.sender,
            self.means.clock,
            self.happened,
            self.means.over,
            flow=flow,
            begins=begins,
            after_step=self._remember,
        )

    def authorizer(self, driver: Driver, credentials: Credentials | None) -> Authorize:
        """What meets challenges in this call. Where one comes from decides whether anything is proven."""

        def authorize(request: Request, response: Response) -> Sequence[tuple[str, str]] | None:
            source = driver.heard_from
            return None if credentials is None or source is None else credentials(request, response, source)

        return authorize

    def begin(self, begun: tuple[InviteSession, Sequence[Action]]) -> None:
        """The session that this call is on the SIP side."""
        self.means.trace.follow(begun[0].call_id)
        self.driver.begin(begun)
        self.means.begun(self)

    # -- the task --

    async def run(self) -> None:
        """The whole call. Whatever fails ends it, on both sides, and is in its record."""
        try:
            await self.set_up()
            while not self._ended:
                await self.deal_with(await self._happenings.get())
                self._remember()
        except ConferoError as error:
            self._fail(error)
        finally:
            await self._clean_up()
            if self.partner is not None:
                self.partner.happened(HangUp("the other side has hung up", self.last_words))
            self.advance("ended", self.about.status, self.about.reason)
            self.let_go()

    def let_go(self) -> None:
        """The call's task has ended: who knows the call, and is known by it alone, goes with it. Its sessions may still answer
        repeated messages, and tell it nothing that matters any more."""
        del self.negotiation, self.keypad
        partner = self.partner
        if (
            partner is not None and partner.state == "ended"
        ):  # the later one unties both: a successor may still take a place
            self.partner = partner.partner = None
        while not self._happenings.empty():
            self._happenings.get_nowait()

    async def set_up(self) -> None:
        """From the first message to the one that makes it a call, or ends it."""
        raise NotImplementedError

    def advance(self, state: CallState, status: int, reason: str) -> None:
        """The call is that far; its owner's page is told."""
        self.state = state
        if self.owner is None:
            return
        event = CallEvent(
            call=self.about.id,
            state=state,
            status=status,
            reason=reason,
            name=self.name,
            participant=self.about.participant or None,
            user_data=self.told.user_data,
            headers=dict(self.told.headers),
        )
        self.means.pages.tell(self.owner.room, self.owner.participant, event)

    def _fail(self, error: ConferoError) -> None:
        status, text = status_of(error)
        log.info("call failed", call=self.about.id, status=status, reason=text)
        self.about.status, self.about.reason = self.about.status or status, text[:128]
        if not self.driver.begun:
            return  # no message has been sent
        session = self.driver.session
        if session.phase == "early" and not session.we_called:
            self.driver.do(lambda now: session.reject(status, now, headers=retry_after(status)))
        else:
            self.driver.do(lambda now: session.hang_up(now))

    async def _clean_up(self) -> None:
        if self.driver.begun and self.driver.session.phase != "ended":
            # Cancelled, or a bug of ours: the peer must not be left waiting.
            self.driver.do(lambda now: self.driver.session.hang_up(now))
        self.about.ended_at = self.means.clock.wall()
        try:
            await self._let_go()
        finally:
            self.means.write(self)

    async def _let_go(self) -> None:
        self.means.unproven.leave(self.about.id)
        await self.keypad.close()
        stats = await self.media.close(self.reason_of_leg())
        if stats is not None:
            self.about.media |= media_of(stats)
            self.about.mos = mos_of(stats)
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):  # so that the ladder has the peer's answer to our BYE
                await self.driver.quiet()

    def reason_of_leg(self) -> Reason:
        return "left"

    async def next(self) -> Happening:
        """While it is being set up: what happens next."""
        return await self._happenings.get()

    # -- what happens --

    async def deal_with(self, happening: Happening) -> None:
        match happening:
            case Offer(sdp):
                await self.negotiation.offered(sdp)
            case OfferWanted():
                await self.negotiation.offer_wanted()
            case Answer(sdp):
                await self.take_answer(sdp)
            case OfferRefused() | OfferWithdrawn():
                await self.negotiation.withdrawn(happening)
            case OfferDue():
                await self.negotiation.offer_due()
            case Acknowledged():
                await self.proven()
                await self.hears_us()
            case Pracked():
                await self.proven()
            case Established(response):
                if self.driver.session.we_called:
                    self.listen_to(response)
                await self.established()
            case Digit(digit):
                self.keypad.key("info", digit)
            case Later(step):
                await step()
            case Transfer():
                await self.transfer(happening)
            case Ringing(_, status, reason):
                await self.ringing(status, reason)
            case LegLost(reason):
                await self.negotiation.leg_lost(reason)
            case HangUp(reason, says):
                self.about.reason = reason
                self.driver.do(lambda now: self.driver.session.hang_up(now, says))
            case Ended():
                self.ended(happening)

    async def go_to(self, place: SipPlace) -> None:
        """Into another room. Raises Refused, Unavailable."""
        await self.negotiation.go_to(place)

    # -- for the directions, and for what a room offers --

    async def established(self) -> None:
        """There is a call."""
        self.about.status = 200
        self.advance("answered", 200, "OK")
        self.means.write(self)

    async def take_answer(self, sdp: str) -> None:
        """The peer's answer to our offer."""
        await self.negotiation.answered(sdp)

    async def ringing(self, status: int, reason: str) -> None:
        """The called phone rings."""

    async def proven(self) -> None:
        """The peer has shown that it wants what we send to where it says to be."""
        self.means.unproven.leave(self.about.id)
        if self.media.leg:
            await self.media.confirm()

    async def hears_us(self) -> None:
        """The call has begun, for both: from now on the peer hears what we say to it."""

    async def transfer(self, wish: Transfer) -> None:
        """The peer wants somebody else called."""
        await self.means.transfers.refer(self, wish)

    def listen_to(self, message: Request | Response) -> Fields:
        """What the telephone's side says with it, as fields to tell others."""
        said = told_by(message.headers, self.means.pass_headers)
        self.told = self.told.after(said)
        return to_tell(said, self.means.pass_headers)

    def ended(self, end: Ended) -> None:
        self._ended = True
        if end.message is not None:
            self.last_words = self.listen_to(end.message)
        self.about.status = self.about.status or end.status
        self.about.reason = self.about.reason or end.reason[:128]

    async def arrived(self, place: SipPlace) -> None:
        """In the room that it was to go to."""
        self.seated(place)
        self.keypad.arrived()

    def seated(self, place: SipPlace) -> None:
        """The call has its place in a room."""
        self.about.room, self.about.participant = place.room, place.participant
        self.name = place.display_name
