"""Changes of a call that we ask for: re-INVITE and UPDATE, glare, and the way back (RFC 3261 section 14.1, 3311, 6141)."""

from __future__ import annotations

from contextlib import suppress

from confero.errors import LocalError

from ..errors import SipError
from ..message import Request, Response
from .accepted import Accepted
from .actions import Answer, Cancel, Offer, OfferDue, OfferRefused
from .core import Core, Peer, description_in, unheard
from .offers import declined
from .provisional import take_provisional
from .refresh import SessionTimer

GONE = (408, 481)
"""12.2.1.2: answers to a request within a dialog after which there is none."""
NO_UPDATE = (405, 501)
GLARE = {True: (2.1, 4.0), False: (0.0, 2.0)}
"""14.1: seconds between which an offer is made again after a 491; who made the Call-ID waits longer, so that the two do not meet
again."""


class Changes:
    """``we_called``: the Call-ID is ours."""

    def __init__(self, core: Core, timer: SessionTimer, accepted: Accepted, *, we_called: bool) -> None:
        self._core = core
        self._timer = timer
        self._accepted = accepted
        self._we_called = we_called
        self._invite_ref = 0
        self._updating = False
        self._refreshing = False
        """The request under way is a sign of life: whether it is taken is nothing to the owner."""
        self._wanted = False

    # -- our own offers --

    def may_offer(self, peer: Peer) -> bool:
        """14.1 and RFC 3311 section 5.1: nothing else may be under way, in either direction; RFC 5407 section 3.1.5: nor a 2xx
        that is not acknowledged. In an early dialog the first exchange must be over."""
        quiet = not (self._core.inviting or self._updating or self._core.asked or self._accepted or peer.offers.open)
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
        self._core.inviting = True
        self._invite_ref = self._core.send_within(peer, "INVITE", self._invited, self._timer.headers(), sdp)

    def _update(self, peer: Peer, sdp: str | None) -> None:
        if sdp is not None:
            peer.offers.we_offer(sdp, "UPDATE")
        self._updating = True
        headers = self._timer.headers() if peer.dialog.confirmed else ()

        def done(request: Request, response: Response, now: float) -> None:
            self._updated(peer, sdp, response, now)

        self._core.send_within(peer, "UPDATE", done, headers, sdp)

    def refresh(self, now: float) -> None:
        """A sign of life for the session timer (RFC 4028 section 7.4): by UPDATE where possible, else with our last description."""
        peer = self._core.peer
        if peer is None or not self.may_offer(peer) or peer.offers.agreed is None:
            self._timer.soon(now)
            return
        self._refreshing = True
        if "UPDATE" in self._core.peer_allows:
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
            with suppress(SipError):
                take_provisional(core, peer, request, response)
            return
        core.inviting = False
        if response.status >= 300:
            self._failed(peer, request.method, response, now)
        elif core.phase == "ended":
            core.acknowledge(peer, request)
        else:
            self._invite_accepted(peer, request, response, now)

    def _invite_accepted(self, peer: Peer, request: Request, response: Response, now: float) -> None:
        core, sdp = self._core, description_in(response)
        self._accept_terms(peer, response, now)
        if sdp is not None and not request.body and peer.offers.untouched and not peer.offers.open:
            # RFC 6337 section 2.2 pattern 2: we asked for an offer; the ACK has the answer.
            peer.offers.they_offer(sdp, "re-2xx")
            peer.held = request, response
            core.emit(Offer(sdp, peer.fork))
            return
        core.acknowledge(peer, request)
        self._refreshing = False
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
            self._failed(peer, "UPDATE", response, now)
            return
        self._refreshing = False
        if peer.dialog.confirmed:
            self._accept_terms(peer, response, now)
        if sdp is not None:
            self._answered(peer, description_in(response))

    def _failed(self, peer: Peer, method: str, response: Response, now: float) -> None:
        """14.1: the session goes on as if nothing had been asked; unless the peer does not know the dialog any more."""
        core = self._core
        refreshing, self._refreshing = self._refreshing, False
        rolled_back = self._take_back(peer, method)
        if core.phase == "ended":
            return
        if response.status in GONE or unheard(response):
            core.whole.lose(response.status, response.reason, now)
            return
        if response.status == 491:
            self._wait_for_glare(now)
        if response.status == 422:
            self._lengthen(response)
        if refreshing:
            self._timer.soon(now)
            return
        self._wanted = self._wanted or response.status == 491
        core.emit(OfferRefused(response.status, response.reason, rolled_back))

    def _take_back(self, peer: Peer, method: str) -> bool:
        """True when an answer that had come does not hold any more. An UPDATE has no more than one exchange in it."""
        if method == "INVITE":
            return peer.offers.roll_back()
        peer.offers.withdraw()
        return False

    def _lengthen(self, response: Response) -> None:
        """RFC 4028 section 7.3; a 422 that cannot be read is one like any other refusal."""
        with suppress(SipError):
            self._timer.too_small(response)

    def _wait_for_glare(self, now: float) -> None:
        """14.1: in steps of 10 ms."""
        wait = round(self._core.random.uniform(*GLARE[self._we_called]), 2)
        self._core.alarms.set("glare", now + wait, lambda now: None)

    # -- offers that come in answers --

    def answer_held(self, peer: Peer, sdp: str) -> None:
        """Our answer to the offer that we have asked for. Raises LocalError when there is none."""
        if peer.held is None:
            raise LocalError("no 2xx waits for an answer")
        (invite, _), peer.held = peer.held, None
        peer.offers.we_answer(sdp)
        self._core.acknowledge(peer, invite, sdp)

    def decline_held(self, peer: Peer, now: float, why: str) -> None:
        """14.1: an offer in a 2xx cannot be refused: it is answered, and the call ended."""
        if peer.held is None:
            raise LocalError("no 2xx waits for an answer")
        (invite, response), peer.held = peer.held, None
        peer.offers.withdraw()
        self._core.acknowledge(peer, invite, declined(description_in(response) or ""))
        self._core.bye(peer)
        self._core.end("us", 488, why, now)

    def cancel(self, peer: Peer) -> None:
        """What a provisional response to our re-INVITE offers is not acceptable: the re-INVITE goes no further."""
        peer.held = None
        peer.offers.withdraw()
        self._core.emit(Cancel(self._invite_ref))

    def wind_up(self) -> None:
        """The call is over."""
        self._wanted = False
        self._core.alarms.stop("glare")

    def settle(self) -> None:
        """Tells when an offer that was wanted may be made."""
        peer = self._core.peer
        if self._wanted and peer is not None and self._core.phase != "ended" and self.may_offer(peer):
            self._wanted = False
            self._core.emit(OfferDue())
