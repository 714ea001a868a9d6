"""A call that comes in: where it goes is asked of the application server, then its leg answers."""

from __future__ import annotations

from collections.abc import Sequence

from confero.errors import ConferoError, Refused
from confero.models.sip import SipBrowser, SipDecision, SipPlace, SipPlaceAsk, SipRouteAsk
from confero.protocols.sip.events import ServerKey
from confero.protocols.sip.message import Request
from confero.protocols.sip.session import InviteSession
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from ..flows import flow_of
from ..userdata import Fields, told_by
from .about import About, Owner
from .call import Call
from .happenings import HangUp
from .means import Credentials, Means
from .media import Terms
from .passing import Phones, call_phones, ring_phones
from .ring import Ring
from .ringing import ring_browsers
from .transfers import hand_over

log = get_logger(__name__)


class InboundCall(Call):
    """From an INVITE that may come in: its caller is known as far as he has to be."""

    def __init__(
        self,
        means: Means,
        about: About,
        terms: Terms,
        key: ServerKey,
        invite: Request,
        source: Target,
        called: str | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        """``called``: who is meant, if not whom the Request-URI names. ``credentials``: for challenges of the caller's trunk."""
        super().__init__(means, about, terms, flow_of(invite, source))
        self._invite, self._source = invite, source
        self.media.near = source.host
        self._replaced: Call | None = None
        """It ends as soon as this call is one."""
        self._called = invite.target.username if called is None else called
        self._domain = invite.target.host
        self.told = told_by(invite.headers, means.pass_headers)
        config = means.session_config(source, self._called or "confero")
        random, now = means.sender.endpoint.random, means.clock.monotonic()
        authorize = self.authorizer(self.driver, credentials)
        self.begin(InviteSession.incoming(config, key, invite, now, random=random, authorize=authorize))

    async def set_up(self) -> None:
        if self.driver.session.phase == "ended":
            return  # it could not be taken, and has been answered
        replaced = self.means.transfers.replaced(self._invite)
        if replaced is not None:
            await self._take_place_of(replaced)
            return
        decision = await self.means.appserver.route(
            SipRouteAsk(
                call=self.about.id,
                direction="in",
                caller=self.about.caller,
                user=self._called[:512],
                domain=self._domain[:255],
            )
        )
        await self.go(decision)

    async def go(self, decision: SipDecision) -> None:
        """Raises Refused for what is rejected or cannot be done here."""
        if decision.action == "room" and decision.place is not None and decision.place.waiting:
            self.keypad.wait(decision.place)
            await self._enter_menu()
        elif decision.action == "room" and decision.place is not None:
            await self.enter(decision.place)
        elif decision.action == "menu":
            self.keypad.menu(decision.number, host=decision.host_pin)
            await self._enter_menu()
        elif decision.action in ("user", "trunk", "address"):
            self.keypad.greeted()
            await self._connect(decision)
        else:
            self.reject(decision.status or 404, decision.code)

    async def _enter_menu(self) -> None:
        """Into a room of its own, where the caller is until there is a place."""
        # Before a room is made for it: an INVITE whose address is forged is to cost no more than itself.
        self.means.unproven.enter(self.about.id, self.about.caller.source, "menu")
        await self.enter(await self.means.appserver.place(SipPlaceAsk(caller=self.about.caller)))

    async def enter(self, place: SipPlace, words: Fields = ()) -> None:
        """Answers the call, in a room; ``words``: of whom it has reached."""
        session = self.driver.session
        if session.phase == "ended":
            return  # cancelled meanwhile
        # With early media the leg is there, and the caller has its description.
        sdp = None if self.media.leg else await self._open(place, confirmed=False)
        if session.phase == "early":
            self.driver.do(lambda now: session.accept(now, sdp, words))

    async def _open(self, place: SipPlace, *, confirmed: bool) -> str:
        self.means.unproven.enter(self.about.id, self.about.caller.source, place.room)
        self.seated(place)
        return await self.media.open(place, self.driver.session.offered, confirmed=confirmed)

    async def hears_us(self) -> None:
        await self.keypad.begin()

    async def progress(self, status: int, place: SipPlace | None) -> None:
        """A provisional response; with a ``place`` the caller hears there what sounds before anybody has answered."""
        session = self.driver.session
        sdp = await self._early_media(place) if place is not None and session.offered and not self.media.leg else None
        self.driver.attempt(lambda now: session.progress(status, now, sdp))

    async def _early_media(self, place: SipPlace) -> str | None:
        """What cannot be heard early may be heard later: nothing is refused here."""
        try:
            return await self._open(place, confirmed=self._reached)
        except ConferoError as error:
            log.info("no early media", call=self.about.id, reason=str(error))
            return None

    @property
    def _reached(self) -> bool:
        """Whether what we sent has reached the caller: it has met a challenge of ours, or its connection stands. That is as much
        as an ACK shows."""
        return bool(self.about.account) or self._source.transport != "udp"

    async def _connect(self, decision: SipDecision) -> None:
        """Somebody else is called: telephones, browsers or both; who answers first has the caller."""
        phones = await call_phones(self, decision)
        try:
            if decision.browsers:
                await self._ring(decision.browsers)
            elif phones is not None:
                await ring_phones(self, phones)
            if phones is not None and self.driver.session.phase == "early":
                await self._meet(phones)
        finally:
            if phones is not None:
                phones.let_go()

    async def _meet(self, phones: Phones) -> None:
        """In the room where the telephone is that has answered."""
        if not phones.answered:
            self.reject(phones.status, phones.reason, phones.words)
            return
        phones.join()
        await self.enter(phones.place, phones.words)

    async def _ring(self, browsers: Sequence[SipBrowser]) -> None:
        """Who accepts is in a room, and gets the caller there."""
        self.ring = Ring(browsers)
        self.state = "ringing"
        taker = await ring_browsers(self, self.ring, self.means.ring_s)
        if taker is None:
            return
        self.owner = Owner(taker.room, taker.participant)
        place = await self.means.appserver.place(SipPlaceAsk(room=taker.room, caller=self.about.caller))
        await self.enter(place, self.ring.words)

    async def _take_place_of(self, other: Call) -> None:
        """RFC 3891 section 3: into the room of the other call, which ends when this one is answered."""
        if not other.about.room:
            raise Refused("The call is in no room.", status=404, code="replaces-unknown")
        self._replaced = other
        ask = SipPlaceAsk(room=other.about.room, caller=self.about.caller)
        await self.enter(await self.means.appserver.place(ask))

    async def established(self) -> None:
        await super().established()
        if self._replaced is not None:
            hand_over(self._replaced, self)
            self._replaced.happened(HangUp("replaced"))
            self._replaced = None

    def reject(self, status: int, code: str, words: Fields = ()) -> None:
        """Not this call; the session ends by it."""
        self.about.status, self.about.reason = status, code
        self.means.missed(self.about.caller, status)
        session = self.driver.session
        if session.phase == "early":
            self.driver.do(lambda now: session.reject(status, now, headers=words))
