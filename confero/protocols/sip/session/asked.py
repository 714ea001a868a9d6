"""Changes of a call that the peer asks for: re-INVITE and UPDATE (RFC 3261 section 14.2, RFC 3311 section 5.2)."""

from __future__ import annotations

from typing import Literal

from confero.errors import LocalError

from ..dialog import contact_of
from ..errors import SipError
from ..message import Request
from .accepted import Accepted
from .actions import Key, Offer, OfferWanted, OfferWithdrawn
from .bodies import SDP, not_understood, sdp_of
from .callee import too_small
from .core import Asked, Core, HeaderList, Peer
from .refresh import SessionTimer

RETRY_LEAST = 10
"""14.2: seconds of the Retry-After of a 500, chosen at random from 0 to this."""


class Requests:
    """One at a time waits for the owner."""

    def __init__(self, core: Core, timer: SessionTimer, accepted: Accepted) -> None:
        self._core = core
        self._timer = timer
        self._accepted = accepted

    # -- the peer's offers --

    def invited(self, key: Key, request: Request, now: float) -> None:
        """A re-INVITE (14.2). Raises SipError with the status of its refusal."""
        peer = self._checked(request)
        refusal = 491 if self._core.inviting else peer.offers.refusal()
        if refusal is not None:
            raise SipError("our INVITE is under way, or an offer is open", status=refusal)
        if not_understood(request):
            self._core.reply(key, request, 415, headers=[("Accept", SDP)])
            return
        sdp = sdp_of(request)
        self._core.asked = Asked(key, request)
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
        self._core.asked = Asked(key, request)
        if sdp is None:
            self._accept(peer, None, now)
            return
        self._offered(peer, sdp, "UPDATE", now)

    def _checked(self, request: Request) -> Peer:
        """Raises SipError."""
        peer = self._core.peer_of(request)
        if peer is None:
            raise SipError("there is no such dialog", status=481)
        if self._core.asked is not None:
            raise SipError("the request before this one is not answered yet", status=500)
        if "Contact" in request.headers:
            contact_of(request)
        self._timer.check(request)
        self._core.learn(request)
        return peer

    def _offered(self, peer: Peer, sdp: str, carrier: Literal["re-INVITE", "UPDATE"], now: float) -> None:
        agreed = peer.offers.agreed
        peer.offers.they_offer(sdp, carrier)
        if agreed is not None and agreed.offerer == "peer" and agreed.remote == sdp:
            # A refresh: RFC 3264 section 8 has the same description for the same session, and so is our answer.
            self.answer(peer, agreed.local, now)
            return
        self._limit(now)
        self._core.emit(Offer(sdp, peer.fork))

    def _limit(self, now: float) -> None:
        self._core.alarms.set("answer", now + self._core.config.answer_within, self._too_late)

    def _too_late(self, now: float) -> None:
        if self._core.asked is not None:
            self.refuse(504)
            self._core.emit(OfferWithdrawn())

    # -- our answers --

    @property
    def open(self) -> bool:
        """Whether one waits for the owner."""
        return self._core.asked is not None

    @property
    def want_offer(self) -> bool:
        """The peer's re-INVITE had no offer: ours goes with the 2xx."""
        return self._core.asked is not None and not self._core.asked.request.body

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

    def refuse(self, status: int, headers: HeaderList = ()) -> None:
        """What the peer asked for is refused: the session stays as it was (14.2)."""
        asked = self._settled()
        if asked is None:
            raise LocalError("no request of the peer waits for an answer")
        peer = self._core.peer_of(asked.request)
        if peer is not None:
            peer.offers.withdraw()
        self._core.reply(asked.key, asked.request, status, headers=headers)

    def _settled(self) -> Asked | None:
        asked, self._core.asked = self._core.asked, None
        self._core.alarms.stop("answer")
        return asked

    def cancelled(self, key: Key) -> None:
        """The peer cancels its re-INVITE (9.2)."""
        if self._core.asked is not None and self._core.asked.key == key:
            self.refuse(487)
            self._core.emit(OfferWithdrawn())

    def wind_up(self) -> None:
        """15.1.2: what the peer had asked for is answered."""
        if self._core.asked is not None:
            self.refuse(487)
            self._core.emit(OfferWithdrawn())


def refusal_headers(core: Core, error: SipError) -> list[tuple[str, str]]:
    """What the refusal of a request must say besides its status."""
    if error.status == 500:
        return [("Retry-After", str(int(core.random.uniform(0, RETRY_LEAST + 1))))]
    return too_small(error)
