"""Changes of a running session: re-INVITE and UPDATE, both ways, with glare and the way back (RFC 3261 section 14, 3311, 6141)."""

from __future__ import annotations

from dataclasses import dataclass

from confero.errors import LocalError

from ..errors import SipError
from ..message import Request, Response
from .accepted import Accepted
from .actions import Answer, Key, Offer, OfferDue, OfferRefused, OfferWanted, OfferWithdrawn
from .bodies import SDP, not_understood, sdp_of
from .callee import too_small
from .core import Core, HeaderList, Peer, description_in, unheard
from .offers import declined
from .provisional import take_provisional
from .refresh import SessionTimer

GONE = (408, 481)
"""12.2.1.2: answers to a request within a dialog after which there is none."""
NO_UPDATE = (405, 501)
RETRY_LEAST = 10
"""14.2: seconds of the Retry-After of a 500, chosen at random from 0 to this."""


@dataclass(frozen=True)
class Asked:
    """A re-INVITE or UPDATE of the peer that the owner has not answered yet."""

    key: Key
    request: Request


class Modify:
    """``we_called``: who made the Call-ID waits longer after two offers have crossed."""

    def __init__(self, core: Core, timer: SessionTimer, accepted: Accepted, *, we_called: bool) -> None:
        self._core = core
        self._timer = timer
        self._accepted = accepted
        self._we_called = we_called
        self._inviting = False
        """A re-INVITE of ours is under way."""
        self._updating = False
        self._asked: Asked | None = None
        self._wanted = False
        core.at_end.append(self._wind_up)

    # -- our own offers --

    def may_offer(self, peer: Peer) -> bool:
        """14.1 and RFC 3311 section 5.1: nothing else may be under way, in either direction; RFC 5407 section 3.1.5: nor a 2xx
        that is not acknowledged. In an early dialog the first exchange must be over."""
        quiet = not (self._inviting or self._updating or self._asked or self._accepted or peer.offers.open)
        return quiet and peer.offers.agreed is not None and "glare" not in self._core.alarms

    def want(self) -> None:
        """``OfferDue`` is told as soon as an offer may be made."""
        self._wanted = True

    def offer(self, peer: Peer, sdp: str | None) -> None:
        """Our offer, or without SDP the wish for one of the peer. Raises LocalError when it is not the time for it."""
        if not self.may_offer(peer):
            raise LocalError(
                "not now: an offer is open or a request is under way; OfferDue tells when, after want_offer"
            )
        self._wanted = False
        if peer.dialog.confirmed:
            self._invite(peer, sdp)
        elif sdp is not None and "UPDATE" in self._core.peer_allows:
            self._update(peer, sdp)
        else:
            raise LocalError("an unanswered call is changed by UPDATE with an offer, if the peer knows it")

    def _invite(self, peer: Peer, sdp: str | None) -> None:
        peer.offers.mark()
        peer.rseq = None
        if sdp is not None:
            peer.offers.we_offer(sdp, "re-INVITE")
        self._inviting = True
        self._core.send_within(peer, "INVITE", self._invited, self._timer.headers(), sdp)

    def _update(self, peer: Peer, sdp: str | None) -> None:
        peer.offers.mark()
        if sdp is not None:
            peer.offers.we_offer(sdp, "UPDATE")
        self._updating = True
        headers = self._timer.headers() if peer.dialog.confirmed else ()
        done = lambda request, response, now: self._updated(peer, sdp, response, now)  # noqa: E731
        self._core.send_within(peer, "UPDATE", done, headers, sdp)

    def refresh(self, now: float) -> None:
        """A sign of life for the session timer (RFC 4028 section 7.4): by UPDATE where possible, else with our last description."""
        peer = self._core.peer
        if peer is None or not self.may_offer(peer) or peer.offers.agreed is None:
            self._timer.soon(now)
        elif "UPDATE" in self._core.peer_allows:
            self._update(peer, None)
        else:
            self._invite(peer, peer.offers.agreed.local)

    # -- answers to them --

    def _invited(self, request: Request, response: Response, now: float) -> None:
        """A response to our re-INVITE."""
        core, peer = self._core, self._core.peer
        if peer is None or response.status == 100:
            return
        if response.status < 200:
            self._invite_provisional(peer, request, response)
            return
        self._inviting = False
        if response.status >= 300:
            self._failed(peer, response, now)
        elif core.phase == "ended":
            core.acknowledge(peer, request)
        else:
            self._invite_accepted(peer, request, response, now)

    def _invite_provisional(self, peer: Peer, request: Request, response: Response) -> None:
        try:
            take_provisional(self._core, peer, request, response)
        except SipError:
            return

    def _invite_accepted(self, peer: Peer, request: Request, response: Response, now: float) -> None:
        core, sdp = self._core, description_in(response)
        self._accept_terms(peer, response, now)
        if sdp is not None and not peer.offers.open and not request.body:
            # RFC 6337 section 2.2 pattern 2: we asked for an offer; the ACK has the answer.
            peer.offers.they_offer(sdp, "re-2xx")
            peer.held = request, response
            core.emit(Offer(sdp, peer.fork))
            return
        core.acknowledge(peer, request)
        self._answered(peer, sdp)

    def _accept_terms(self, peer: Peer, response: Response, now: float) -> None:
        """12.2.1.2 and RFC 4028 section 7.2. A peer whose headers cannot be read keeps those it had."""
        self._core.learn(response)
        try:
            peer.dialog.refresh(response)
            self._timer.answered(response, now)
        except SipError:
            return

    def _answered(self, peer: Peer, sdp: str | None) -> None:
        offers = peer.offers
        if offers.owing != "peer":
            return
        if sdp is None:
            sdp = peer.preview or None
        peer.preview = ""
        if sdp is None:
            offers.roll_back()
            self._core.emit(OfferRefused(488, "the 2xx has no answer"))
            return
        before = offers.agreed
        offers.they_answer(sdp)
        if offers.agreed != before:
            # Nothing to tell when a refresh has repeated what holds.
            self._core.emit(Answer(sdp, peer.fork))

    def _updated(self, peer: Peer, sdp: str | None, response: Response, now: float) -> None:
        """A response to our UPDATE."""
        if response.status < 200:
            return
        self._updating = False
        if response.status >= 300:
            if response.status in NO_UPDATE:
                self._core.peer_allows -= {"UPDATE"}
            self._failed(peer, response, now)
            return
        self._accept_terms(peer, response, now) if peer.dialog.confirmed else None
        if sdp is not None:
            self._answered(peer, description_in(response))

    def _failed(self, peer: Peer, response: Response, now: float) -> None:
        """14.1: the session goes on as if nothing had been asked; unless the peer does not know the dialog any more."""
        core, offers = self._core, peer.offers
        offered = offers.owing == "peer"
        rolled_back = offers.roll_back()
        if core.phase == "ended":
            return
        if response.status in GONE or unheard(response):
            self._lost(peer, response, now)
            return
        if response.status == 491:
            self._wait_for_glare(now)
            self._wanted = self._wanted or offered
        if response.status == 422 and self._longer(response):
            self._timer.soon(now)
        if offered or rolled_back:
            core.emit(OfferRefused(response.status, response.reason, rolled_back))
        elif self._timer.we_refresh:
            self._timer.soon(now)

    def _longer(self, response: Response) -> bool:
        try:
            return self._timer.too_small(response)
        except SipError:
            return False

    def _lost(self, peer: Peer, response: Response, now: float) -> None:
        if peer.dialog.confirmed:
            self._core.bye(peer)
            self._core.end("network" if unheard(response) else "peer", response.status, response.reason, now, response)

    def _wait_for_glare(self, now: float) -> None:
        """14.1: in steps of 10 ms; who made the Call-ID waits longer, so that the two do not meet again."""
        low, high = (2.1, 4.0) if self._we_called else (0.0, 2.0)
        wait = round(self._core.random.uniform(low, high), 2)
        self._core.alarms.set("glare", now + wait, lambda now: None)

    # -- the peer's offers --

    def invited(self, key: Key, request: Request, now: float) -> None:
        """A re-INVITE (14.2). Raises SipError with the status of its refusal."""
        peer = self._checked(request)
        if self._inviting:
            raise SipError("our INVITE is under way", status=491)
        if peer.offers.owing == "peer":
            raise SipError("our offer is open", status=491)
        if not_understood(request):
            self._core.reply(key, request, 415, headers=[("Accept", SDP)])
            return
        sdp = sdp_of(request)
        peer.offers.mark()
        self._asked = Asked(key, request)
        if sdp is not None:
            self._offered(peer, sdp, "re-INVITE", now)
            return
        self._limit(now)
        self._core.emit(OfferWanted())

    def updated(self, key: Key, request: Request, now: float) -> None:
        """An UPDATE (RFC 3311 section 5.2). Raises SipError with the status of its refusal."""
        peer, sdp = self._checked(request), sdp_of(request)
        refusal = peer.offers.refusal() if sdp is not None else None
        if refusal is not None:
            raise SipError("another offer is open", status=refusal)
        self._asked = Asked(key, request)
        if sdp is None:
            self._accept(peer, None, now)
            return
        self._offered(peer, sdp, "UPDATE", now)

    def _checked(self, request: Request) -> Peer:
        """Raises SipError."""
        peer = self._core.peer_of(request)
        if peer is None:
            raise SipError("there is no such dialog", status=481)
        if self._asked is not None or peer.offers.owing == "us":
            raise SipError("the request before this one is not answered yet", status=500)
        self._timer.check(request)
        self._core.learn(request)
        return peer

    def _offered(self, peer: Peer, sdp: str, carrier: str, now: float) -> None:
        agreed = peer.offers.agreed
        peer.offers.they_offer(sdp, "UPDATE" if carrier == "UPDATE" else "re-INVITE")
        if agreed is not None and agreed.offerer == "peer" and agreed.remote == sdp:
            # A refresh: RFC 3264 section 8 has the same description for the same session, and so is our answer.
            self.answer(peer, agreed.local, now)
            return
        self._limit(now)
        self._core.emit(Offer(sdp, peer.fork))

    def _limit(self, now: float) -> None:
        self._core.alarms.set("answer", now + self._core.config.answer_within, self._too_late)

    def _too_late(self, now: float) -> None:
        if self._asked is not None:
            self.refuse(504)
            self._core.emit(OfferWithdrawn())

    # -- our answers --

    @property
    def asked(self) -> bool:
        return self._asked is not None

    @property
    def asked_for_offer(self) -> bool:
        """The peer's re-INVITE had no offer: ours goes with the 2xx."""
        return self._asked is not None and not self._asked.request.body

    def answer(self, peer: Peer, sdp: str, now: float) -> None:
        """Our answer to the offer of a re-INVITE or UPDATE."""
        peer.offers.we_answer(sdp)
        self._accept(peer, sdp, now)

    def offer_as_asked(self, peer: Peer, sdp: str, now: float) -> None:
        """Our offer in the 2xx to a re-INVITE without one."""
        peer.offers.we_offer(sdp, "re-2xx")
        self._accept(peer, sdp, now)

    def _accept(self, peer: Peer, sdp: str | None, now: float) -> None:
        asked = self._settled()
        if asked is None:
            raise LocalError("no request of the peer waits for an answer")
        request = asked.request
        peer.dialog.refresh(request)
        headers = self._timer.agree(request, now) if peer.dialog.confirmed else []
        response = self._core.reply(asked.key, request, 200, headers=headers, sdp=sdp)
        if request.method == "INVITE":
            self._accepted.sent(asked.key, response, now)

    def answer_held(self, peer: Peer, sdp: str) -> None:
        """Our answer to the offer that we have asked for. Raises LocalError when there is none."""
        if peer.held is None:
            raise LocalError("no 2xx waits for an answer")
        (invite, _), peer.held = peer.held, None
        peer.offers.we_answer(sdp)
        self._core.acknowledge(peer, invite, sdp)

    def decline_held(self, peer: Peer, now: float) -> None:
        """14.1: an offer in a 2xx cannot be refused: it is answered, and the call ended."""
        if peer.held is None:
            raise LocalError("no 2xx waits for an answer")
        (invite, response), peer.held = peer.held, None
        peer.offers.withdraw()
        self._core.acknowledge(peer, invite, declined(description_in(response) or ""))
        self._core.bye(peer)
        self._core.end("us", 488, "the offer is not acceptable", now)

    def refuse(self, status: int, headers: HeaderList = ()) -> None:
        """What the peer asked for is refused: the session stays as it was (14.2)."""
        asked = self._settled()
        if asked is None:
            raise LocalError("no request of the peer waits for an answer")
        peer = self._core.peer_of(asked.request)
        if peer is not None:
            peer.offers.roll_back() if asked.request.method == "INVITE" else peer.offers.withdraw()
        self._core.reply(asked.key, asked.request, status, headers=headers)

    def _settled(self) -> Asked | None:
        asked, self._asked = self._asked, None
        self._core.alarms.stop("answer")
        return asked

    def cancelled(self, key: Key) -> None:
        """The peer cancels its re-INVITE (9.2)."""
        if self._asked is not None and self._asked.key == key:
            self.refuse(487)
            self._core.emit(OfferWithdrawn())

    def _wind_up(self, now: float) -> None:
        """15.1.2: what the peer had asked for is answered."""
        self._wanted = False
        self._core.alarms.stop("glare")
        if self._asked is not None:
            self.refuse(487)
            self._core.emit(OfferWithdrawn())

    def settle(self) -> None:
        """Tells when an offer that was wanted may be made."""
        peer = self._core.peer
        if self._wanted and peer is not None and self._core.phase != "ended" and self.may_offer(peer):
            self._wanted = False
            self._core.emit(OfferDue())


def refusal_headers(core: Core, error: SipError) -> list[tuple[str, str]]:
    """What the refusal of a request must say besides its status."""
    if error.status == 500:
        return [("Retry-After", str(int(core.random.uniform(0, RETRY_LEAST + 1))))]
    return too_small(error)
