"""Offers and answers of one call, between its SIP session and its leg; and moves of the leg, which need some."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from confero.errors import ConferoError, Refused, Unavailable
from confero.models.sip import SipPlace, SipPlaceAsk
from confero.protocols.sip.session import OfferRefused, OfferWithdrawn
from confero.runtime.logging import get_logger

from .media import MediaLeg
from .status import status_of

if TYPE_CHECKING:
    from .call import Call

log = get_logger(__name__)

GLARE = 491
"""Both have offered at once: ours is due again (RFC 3261 section 14.1)."""
NO_LEG = 488
"""For offers that the MCU does not take."""
PLACE_AGAIN_S = 20.0
"""How long a call whose MCU is lost looks for another: as long as people wait who hear nothing."""
PLACE_PAUSE_S = 0.5


class Negotiation:
    """Told by the call's task what its session tells, one after another. All raise Refused, Unavailable where the call cannot
    go on."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.asked = False
        """An offer of ours is out, made by the MCU."""
        self._destination: SipPlace | None = None
        """Where the call is on its way to, while the peer has not answered our offer of the leg there."""

    # -- the peer offers --

    async def offered(self, sdp: str) -> None:
        """A re-offer: what the MCU does not take leaves everything as it was."""
        call, session = self._call, self._call.driver.session
        try:
            answer = await self._media.answer(sdp)
        except ConferoError as error:
            status, text = status_of(error)
            log.info("offer refused", call=call.about.id, reason=text)
            call.driver.attempt(lambda now: session.refuse(now, NO_LEG if status < 500 else status))
            return
        call.driver.attempt(lambda now: session.answer(answer, now))

    @property
    def _media(self) -> MediaLeg:
        """... that knows where the description comes from which it is given."""
        call = self._call
        call.media.near = call.driver.near or call.media.near
        return call.media

    # -- we offer --

    async def offer_wanted(self) -> None:
        """The peer asks for our offer."""
        call, session = self._call, self._call.driver.session
        try:
            offer = await call.media.ask()
        except ConferoError as error:
            status, _ = status_of(error)
            call.driver.attempt(lambda now: session.refuse(now, status))
            return
        self.asked = True
        call.driver.attempt(lambda now: session.offer(offer, now))

    async def offer_due(self) -> None:
        """An offer of our own, now that it is our turn."""
        call, media = self._call, self._call.media
        if self._destination is not None:
            offer = await media.prepare(self._destination)
        elif media.leg:
            offer = await media.ask()
        else:
            offer = await media.open(media.place, None, confirmed=True)
        self.asked = True
        call.driver.attempt(lambda now: call.driver.session.offer(offer, now))

    async def answered(self, sdp: str) -> None:
        """The peer's answer to our offer."""
        call, self.asked = self._call, False
        try:
            await self._media.take(sdp)
        except Refused as error:
            log.info("answer not taken", call=call.about.id, reason=error.detail)
            raise
        if self._destination is not None and call.media.place is self._destination:
            self._destination = None
            await call.arrived(call.media.place)

    async def withdrawn(self, why: OfferRefused | OfferWithdrawn) -> None:
        """Our offer was not taken, or what the peer wanted needs none any more."""
        if self.asked:
            self.asked = False
            await self._call.media.withdraw()
        if isinstance(why, OfferRefused) and why.status != GLARE:
            self._stranded(why)

    def _stranded(self, refusal: OfferRefused) -> None:
        """The peer does not take the leg in the other room."""
        if self._destination is None:
            return
        self._destination = None
        log.info("a call cannot be moved", call=self._call.about.id, status=refusal.status)
        self._call.keypad.stranded()

    # -- the leg moves --

    async def go_to(self, place: SipPlace) -> None:
        """Into another room: with the leg as it is where its MCU can do that, else by another leg that is offered to the peer."""
        call = self._call
        if await call.media.shift(place):
            await call.arrived(place)
            return
        self._destination = place
        call.driver.attempt(lambda now: call.driver.session.want_offer(now))

    async def leg_lost(self, reason: str) -> None:
        """The MCU has ended the leg, or has died: another place if it died, else the call is over."""
        call = self._call
        call.media.lost()
        if reason != "mcu-lost":
            call.about.reason = reason
            call.driver.do(lambda now: call.driver.session.hang_up(now))
            return
        log.info("the call's MCU is lost", call=call.about.id)
        place = call.media.place
        ask = SipPlaceAsk(room=place.room, participant=place.participant, caller=call.about.caller)
        call.media.move_to(await self._place_again(ask))
        call.driver.attempt(lambda now: call.driver.session.want_offer(now))

    async def _place_again(self, ask: SipPlaceAsk) -> SipPlace:
        """Where the room lives now; an MCU that has just started is not known yet, and waited for. Raises Refused, Unavailable."""
        call, clock = self._call, self._call.means.clock
        until = clock.monotonic() + PLACE_AGAIN_S
        while True:
            try:
                return await call.means.appserver.place(ask)
            except (Refused, Unavailable) as error:
                over = call.driver.session.phase == "ended" or clock.monotonic() >= until
                if error.status < 500 or over:
                    raise
                log.info("no other place yet", call=call.about.id, reason=error.detail)
            await asyncio.sleep(PLACE_PAUSE_S)
