"""A call of ours until it is answered: its provisional responses, its forks, its 2xx (RFC 3261 section 13.2)."""

from __future__ import annotations

from contextlib import suppress

from confero.errors import LocalError

from ..build import MAX_FORWARDS, new_call_id, new_tag
from ..dialog import Dialog, contact_of, tag_of
from ..errors import SipError
from ..headers import Headers
from ..message import Request, Response
from .actions import Answer, Cancel, Established, Offer, Ringing
from .core import Core, HeaderList, Peer, copy_of, description_in, unheard
from .offers import declined
from .provisional import take_provisional
from .refresh import SessionTimer

MOST_FORKS = 16
"""Phones that ring for one call; those beyond it are not listened to until they answer, and then hung up on."""
MOST_TRIES = 5
"""INVITEs of one call, with longer session timers each time (RFC 4028 section 7.3)."""


class Caller:
    """The initial INVITE, from our side."""

    def __init__(self, core: Core, timer: SessionTimer, invite: Request, sdp: str | None) -> None:
        self._core = core
        self._timer = timer
        self._first = invite
        self._sdp = sdp
        self._invite = invite
        self.local_seq = invite.cseq.number
        self._ref = 0
        self._tries = 0
        self._answered: set[str] = set()
        """Tags of the phones that have answered."""

    # -- what the owner does --

    def start(self) -> None:
        """Sends the INVITE, or sends it again with a session timer that is long enough."""
        self._tries += 1
        invite = self._core.fill(copy_of(self._first), self._timer.headers(), self._sdp)
        invite.headers.set("CSeq", f"{self.local_seq} INVITE")
        self._invite = invite
        self._core.peers.clear()
        self._ref = self._core.send(invite, self, self._responded)

    def wait(self, now: float) -> None:
        """From now on the call rings."""
        patience = self._core.config.ring_for
        self._core.alarms.set("rings", now + patience, lambda now: self.lose(408, "nobody answers", now))

    def wind_up(self) -> None:
        """The call is over."""
        self._core.alarms.stop("rings")

    def next_seq(self) -> int:
        """For another try of the INVITE."""
        self.local_seq += 1
        return self.local_seq

    def cancel(self, now: float) -> None:
        """Nobody has answered, and we do not want to wait. A 2xx that crosses the CANCEL is acknowledged, then hung up on."""
        self._core.emit(Cancel(self._ref))
        self._core.end("us", 487, "cancelled", now)

    def lose(self, status: int, why: str, now: float) -> None:
        """The unanswered call cannot go on."""
        if self._core.phase == "early":
            self._core.emit(Cancel(self._ref))
            self._core.end("network", status, why, now)

    def answer(self, peer: Peer, sdp: str) -> None:
        """Our answer to the offer in the 2xx goes with the ACK. Raises LocalError when there is none."""
        if peer.held is None:
            raise LocalError("no 2xx waits for an answer")
        (invite, response), peer.held = peer.held, None
        peer.offers.we_answer(sdp)
        self._core.acknowledge(peer, invite, sdp)
        self._core.emit(Established(response))

    def decline(self, peer: Peer, now: float, why: str) -> None:
        """14.1: the offer of the 2xx is not acceptable: it is answered, since it must be, and the call ended."""
        if peer.held is None:
            raise LocalError("no 2xx waits for an answer")
        (invite, response), peer.held = peer.held, None
        peer.offers.withdraw()
        self._core.acknowledge(peer, invite, declined(description_in(response) or ""))
        self._core.bye(peer)
        self._core.end("us", 488, why, now)

    # -- what the network does --

    def _responded(self, request: Request, response: Response, now: float) -> None:
        self._invite = request
        if response.status == 100:
            return
        if response.status < 200:
            self._provisional(response)
        elif response.status < 300:
            self.accepted(response, now)
        else:
            self._failed(response, now)

    def _provisional(self, response: Response) -> None:
        core = self._core
        peer = self._early(response)
        try:
            if peer is not None and not take_provisional(core, peer, self._invite, response):
                return
        except SipError:
            return
        core.learn(response)
        if core.phase == "early":
            core.emit(Ringing(peer.fork if peer else "", response.status, response.reason, response))

    def _early(self, response: Response) -> Peer | None:
        """The early dialog of a provisional response (12.1.2); None for those that make none."""
        tag = tag_of(response.to)
        if not tag or tag in self._core.peers:
            return self._core.peers.get(tag)
        if len(self._core.peers) >= MOST_FORKS or response.contact is None:
            return None
        return self._fork(response)

    def _fork(self, response: Response) -> Peer:
        peer = Peer(Dialog.of_caller(self._invite, response))
        if self._sdp is not None:
            peer.offers.we_offer(self._sdp, "INVITE")
        self._core.peers[peer.fork] = peer
        return peer

    def accepted(self, response: Response, now: float) -> None:
        """A 2xx: the first makes the call, others are acknowledged and hung up on (13.2.2.4), repeated ones only the former.

        Raises SipError when it cannot be acknowledged for want of a Contact.
        """
        core = self._core
        tag = tag_of(response.to)
        if core.acknowledge_again(response) or tag in self._answered:
            return
        if core.phase == "early":
            self._establish(response, now)
        elif len(self._answered) < 2 * MOST_FORKS:
            self._turn_away(response)

    def stray(self, response: Response, now: float) -> None:
        """A 2xx after the INVITE's transaction has ended, if it is one to our INVITE. Raises SipError."""
        if response.cseq.number == self._invite.cseq.number:
            self.accepted(response, now)

    def _turn_away(self, response: Response) -> None:
        contact_of(response)
        tag = tag_of(response.to)
        self._answered.add(tag)
        peer = self._core.peers.get(tag) or Peer(Dialog.of_caller(self._invite, response))
        peer.dialog.confirm(response)
        offer = description_in(response)
        self._core.acknowledge(peer, self._invite, declined(offer) if offer and self._sdp is None else None)
        self._core.bye(peer)

    def _establish(self, response: Response, now: float) -> None:
        core = self._core
        contact_of(response)
        peer = core.peers.get(tag_of(response.to)) or self._fork(response)
        peer.dialog.confirm(response)
        self._answered.add(peer.fork)
        core.peers.clear()
        core.peers[peer.fork] = peer
        core.peer, core.phase = peer, "established"
        core.alarms.stop("rings")
        core.learn(response)
        with suppress(SipError):
            self._timer.answered(response, now)
        self._negotiate(peer, response, now)

    def _negotiate(self, peer: Peer, response: Response, now: float) -> None:
        """What the 2xx means for offer and answer (RFC 6337 section 2.2)."""
        core, sdp = self._core, description_in(response)
        if peer.offers.owing == "peer":
            # A 2xx without a description, after a provisional with one: that was it. Not by the book, and common.
            sdp = sdp or peer.preview or None
            if sdp is not None:
                peer.offers.they_answer(sdp)
                core.emit(Answer(sdp, peer.fork))
        elif peer.offers.agreed is None and not peer.offers.open and sdp is not None:
            peer.offers.they_offer(sdp, "2xx")
            peer.held = self._invite, response
            core.emit(Offer(sdp, peer.fork))
            return
        core.acknowledge(peer, self._invite)
        if peer.offers.agreed is not None:
            core.emit(Established(response))
            return
        core.bye(peer)
        core.end("network", 488, "the 2xx has neither an answer nor an offer", now, response)

    def _failed(self, response: Response, now: float) -> None:
        if self._core.phase != "early":
            return
        try:
            again = response.status == 422 and self._tries < MOST_TRIES and self._timer.too_small(response)
        except SipError:
            again = False
        if again:
            self.next_seq()
            self.start()
            return
        self._core.end("network" if unheard(response) else "peer", response.status, response.reason, now, response)


def first_invite(
    core: Core, uri: str, from_: str, to: str, call_id: str | None, routes: tuple[str, ...], headers: HeaderList
) -> Request:
    """The INVITE that asks for a dialog (8.1.1), without what each try of it adds."""
    request = Request("INVITE", uri, Headers(), b"")
    for route in routes:
        request.headers.add("Route", route)
    request.headers.add("Max-Forwards", str(MAX_FORWARDS))
    request.headers.add("From", f"{from_};tag={new_tag(core.random)}")
    request.headers.add("To", to)
    request.headers.add("Call-ID", call_id or new_call_id(core.random))
    request.headers.add("CSeq", f"{core.random.getrandbits(16) + 1} INVITE")
    for name, value in headers:
        request.headers.add(name, value)
    return request
