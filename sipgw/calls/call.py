"""One call: events of its SIP session and of its leg, dealt with one after another by one task, from the first to the record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from confero.clock import Clock
from confero.errors import ConferoError, LocalError, Refused
from confero.ids import new_id
from confero.models.calls import CallEvent, CallState
from confero.models.sip import SipCaller, SipPlace, SipPlaceAsk
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.session import (
    Acknowledged,
    Answer,
    Digit,
    Ended,
    Established,
    Event,
    InviteSession,
    Offer,
    OfferDue,
    OfferRefused,
    OfferWanted,
    OfferWithdrawn,
    Ringing,
    SessionConfig,
    Transfer,
)
from confero.protocols.sip.session.actions import Action
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from ..outbound import Sender
from ..pages import Pages
from ..peers import AppServerPeer, McuPeers
from ..trace import Trace
from ..userdata import Told
from .driver import Begin, Driver
from .media import MediaLeg, Reason, Terms
from .ring import Ring

if TYPE_CHECKING:
    from .parties import Parties

log = get_logger(__name__)

MAX_EVENTS = 256
"""That may wait for the MCU or the application server; a peer that sends more is hung up on."""
NO_LEG = 488
"""For offers that the MCU does not take."""


Credentials = Callable[[Request, Response, Target], Sequence[tuple[str, str]] | None]
"""For the challenge in a response that came from there: header fields for the next try; None: nothing is proven to that peer."""
Authorize = Callable[[Request, Response], Sequence[tuple[str, str]] | None]


@dataclass(frozen=True)
class LegLost:
    """The MCU has ended the leg, or is gone: the reason as it is known."""

    reason: str


@dataclass(frozen=True)
class HangUp:
    """The gateway's own wish: drain, a moderator, the caller of the API."""

    reason: str


@dataclass(frozen=True)
class RingSaid:
    """Somebody has answered the ring: see there."""


@dataclass(frozen=True)
class Owner:
    """In whose browser a call is shown: who has made it, or has accepted it."""

    room: str
    participant: str


Happening = Event | LegLost | HangUp | RingSaid


class Exchange(Protocol):
    """Transfers, of one call by another."""

    async def refer(self, call: Call, wish: Transfer) -> None:
        """The peer of ``call`` wants somebody called."""

    def replaced(self, invite: Request) -> Call | None:
        """The call whose place an INVITE takes. Raises Refused."""


@dataclass(frozen=True)
class Means:
    """What all calls share."""

    sender: Sender
    appserver: AppServerPeer
    mcus: McuPeers
    clock: Clock
    trace: Trace
    owner: str
    """In whose name legs are held."""
    user_agent: str
    begun: Callable[[Call], None]
    """Told when a call's session has its names."""
    write: Callable[[Call], None]
    """Takes the call's record, now and at its end."""
    over: Callable[[Driver], None]
    """Told when a call's session may be forgotten."""
    start: Callable[[Call], None]
    """Runs a call."""
    parties: Parties
    """Whom decisions mean."""
    transfers: Exchange
    pages: Pages
    """Where browsers are told of calls."""
    ring_s: float
    """How long browsers and telephones ring."""
    missed: Callable[[SipCaller, int], None] = lambda caller, status: None
    """Told with which status a caller was turned away."""
    pass_headers: Sequence[str] = ()
    """Header fields that go to pages, and from them."""

    def session_config(self, contact_at: Target, user: str) -> SessionConfig:
        contact = f"<{self.sender.endpoint.contact(contact_at, user)}>"
        return SessionConfig(contact=contact, user_agent=self.user_agent)


@dataclass
class About:
    """What is known of a call, for its record."""

    direction: str
    from_uri: str
    to_uri: str
    started_at: float
    id: str = field(default_factory=lambda: new_id("c"))
    caller: SipCaller = field(default_factory=SipCaller)
    trunk: str = ""
    account: str = ""
    room: str = ""
    participant: str = ""
    answered_at: float | None = None
    ended_at: float | None = None
    status: int = 0
    reason: str = ""
    media: dict[str, int | float | str] = field(default_factory=dict)
    mos: float | None = None
    revision: int = 0


class Call:
    """Both directions; ``set_up`` is what tells them apart. Runs in a task of its own, ``run``."""

    def __init__(self, means: Means, about: About, terms: Terms, flow: Target | None) -> None:
        self.means = means
        self.about = about
        self.media = MediaLeg(means.mcus, terms)
        self.driver = self.new_driver(flow)
        self.partner: Call | None = None
        """Whom this call is connected to: the end of one is the end of the other."""
        self._happenings: asyncio.Queue[Happening] = asyncio.Queue(MAX_EVENTS)
        self._asked = False
        """An offer of ours is out, made by the MCU."""
        self._ended = False
        self.state: CallState = "calling"
        self.owner: Owner | None = None
        self.name = about.caller.from_name or about.caller.from_user
        """Of the telephone, as the room sees it."""
        self.told = Told()
        """By the telephone's side."""
        self.ring: Ring | None = None

    # -- told by others --

    def happened(self, happening: Happening) -> None:
        """Something for the call's task. A call that is not kept up with is ended."""
        try:
            self._happenings.put_nowait(happening)
        except asyncio.QueueFull:
            log.warning("a call is not kept up with", call=self.about.id)
            self.driver.do(lambda now: self.driver.session.hang_up(now))

    def new_driver(self, flow: Target | None, begins: Begin | None = None) -> Driver:
        """For a session of this call; a call out may have several, one after the other."""
        driver = Driver(
            self.means.sender,
            self.means.clock,
            self.happened,
            lambda: self.means.over(driver),
            flow=flow,
            begins=begins,
        )
        return driver

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
        except ConferoError as error:
            self._fail(error)
        finally:
            await self._clean_up()
            if self.partner is not None:
                self.partner.happened(HangUp("the other side has hung up"))
            self.advance("ended", self.about.status, self.about.reason)

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
        await self._measure()
        await self.media.close(self.reason_of_leg())
        self.means.write(self)

    def reason_of_leg(self) -> Reason:
        return "left"

    async def _measure(self) -> None:
        stats = await self.media.stats()
        if stats is not None:
            self.about.media |= {"codec": stats.codec, "security": stats.security, **stats.counters}

    async def next(self) -> Happening:
        """While it is being set up: what happens next."""
        return await self._happenings.get()

    # -- what happens --

    async def deal_with(self, happening: Happening) -> None:
        match happening:
            case Offer(sdp):
                await self._offered(sdp)
            case OfferWanted():
                await self._offer_wanted()
            case Answer(sdp):
                await self._answered(sdp)
            case OfferRefused() | OfferWithdrawn():
                await self._withdraw()
            case OfferDue():
                await self._offer()
            case Acknowledged():
                await self.media.confirm()
            case Established():
                await self.established()
            case Digit():
                await self.digit(happening)
            case Transfer():
                await self.transfer(happening)
            case Ringing(_, status, reason):
                await self.ringing(status, reason)
            case LegLost(reason):
                await self._leg_lost(reason)
            case HangUp(reason):
                self.about.reason = reason
                self.driver.do(lambda now: self.driver.session.hang_up(now))
            case Ended():
                self.ended(happening)

    async def _offered(self, sdp: str) -> None:
        """A re-offer: what the MCU does not take leaves everything as it was."""
        session = self.driver.session
        try:
            answer = await self.media.answer(sdp)
        except ConferoError as error:
            status, text = status_of(error)
            log.info("offer refused", call=self.about.id, reason=text)
            self._try(lambda now: session.refuse(now, NO_LEG if status < 500 else status))
            return
        self._try(lambda now: session.answer(answer, now))

    async def _offer_wanted(self) -> None:
        session = self.driver.session
        try:
            offer = await self.media.ask()
        except ConferoError as error:
            status, _ = status_of(error)
            self._try(lambda now: session.refuse(now, status))
            return
        self._asked = True
        self._try(lambda now: session.offer(offer, now))

    async def _answered(self, sdp: str) -> None:
        self._asked = False
        try:
            await self.media.take(sdp)
        except Refused as error:
            log.info("answer not taken", call=self.about.id, reason=error.detail)
            raise

    async def _withdraw(self) -> None:
        if self._asked:
            self._asked = False
            await self.media.withdraw()

    async def _offer(self) -> None:
        """An offer of our own, now that it is our turn."""
        offer = (
            await self.media.ask() if self.media.leg else await self.media.open(self.media.place, None, confirmed=True)
        )
        self._asked = True
        self._try(lambda now: self.driver.session.offer(offer, now))

    async def _leg_lost(self, reason: str) -> None:
        """The MCU has ended the leg, or has died: another place if it died, else the call is over."""
        self.media.lost()
        if reason != "mcu-lost":
            self.about.reason = reason
            self.driver.do(lambda now: self.driver.session.hang_up(now))
            return
        log.info("the call's MCU is lost", call=self.about.id)
        place = self.media.place
        ask = SipPlaceAsk(room=place.room, participant=place.participant, caller=self.about.caller)
        self.media.move_to(await self.means.appserver.place(ask))
        self._try(lambda now: self.driver.session.want_offer(now))

    def _try(self, step: Callable[[float], object]) -> None:
        """A step that may have come too late: the session has gone on, and what is open is told in its own event."""
        try:
            self.driver.do(step)  # type: ignore[arg-type]
        except LocalError as error:
            log.debug("too late", call=self.about.id, reason=str(error))

    # -- for the directions, and for what a room offers --

    async def established(self) -> None:
        """There is a call."""
        self.about.answered_at = self.means.clock.wall()
        self.about.status = 200
        self.advance("answered", 200, "OK")
        self.means.write(self)

    async def ringing(self, status: int, reason: str) -> None:
        """The called phone rings."""

    async def digit(self, digit: Digit) -> None:
        """A key by INFO."""

    async def transfer(self, wish: Transfer) -> None:
        """The peer wants somebody else called."""
        await self.means.transfers.refer(self, wish)

    def ended(self, end: Ended) -> None:
        self._ended = True
        self.about.status = self.about.status or end.status
        self.about.reason = self.about.reason or end.reason[:128]

    def seated(self, place: SipPlace) -> None:
        """The call has its place in a room."""
        self.about.room, self.about.participant = place.room, place.participant
        self.name = place.display_name


STATUS = {
    "replaces-unknown": 481,
    "replaces-answered": 486,
    "replaces-over": 603,
    "replaces-malformed": 400,
    "sdp-invalid": 400,
    "sdp-no-usable-media": 488,
    "room-unknown": 404,
    "room-full": 486,
    "not-registered": 480,
    "trunk-away": 503,
    "call-out-refused": 403,
    "call-out-limit": 403,
    "no-ports": 503,
    "draining": 503,
    "mcu-full": 503,
    "no-media-server": 503,
}
"""By the code of the refusal of another service; others are 500 if it was our fault, else 403."""


def status_of(error: ConferoError) -> tuple[int, str]:
    """The SIP status that says what went wrong, and the words for the record."""
    code = getattr(error, "code", "")
    if code in STATUS:
        return STATUS[code], str(error)
    if isinstance(error, LocalError):
        return 500, str(error)
    return (503 if getattr(error, "status", 500) >= 500 else 403), str(error)


def retry_after(status: int) -> list[tuple[str, str]]:
    return [("Retry-After", "5")] if status == 503 else []
