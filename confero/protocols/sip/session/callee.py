"""A call of the peer until it is answered: ringing, early media, accepting, refusing, CANCEL (RFC 3261 section 13.3)."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from confero.errors import LocalError

from ..build import new_tag
from ..dialog import Dialog
from ..errors import SipError
from ..fields import supports
from ..message import Request, Response
from .accepted import Accepted
from .actions import Answer, Established, Key, Offer, OfferWithdrawn, Pracked
from .bodies import SDP, not_understood, sdp_of
from .core import Core, HeaderList, Peer, options
from .refresh import IntervalTooSmall, SessionTimer
from .reliable import Reliable


class Callee:
    """The initial INVITE, from the peer's side."""

    def __init__(self, core: Core, timer: SessionTimer, accepted: Accepted, key: Key, invite: Request) -> None:
        self._core = core
        self._timer = timer
        self._accepted = accepted
        self.key = key
        """Of the INVITE."""
        self._invite = invite
        self.reliable = Reliable(core, invite, key)
        self._prack: tuple[Key, Request] | None = None
        """A PRACK with an offer that we have not answered."""
        self._accept_later: tuple[str | None, HeaderList] | None = None
        self._answered = False

    # -- the INVITE --

    def examine(self, now: float) -> bool:
        """Makes the dialog, or answers an INVITE that we cannot take. True if the owner decides what becomes of it."""
        try:
            self._open()
            self._timer.check(self._invite)
            strange = not_understood(self._invite)
        except SipError as error:
            self._turn_away(error.status, str(error), now, too_small(error))
            return False
        core = self._core
        missing = core.unsupported(self._invite)
        if missing:
            self._turn_away(420, None, now, [("Unsupported", ", ".join(missing))])
        elif strange:
            self._turn_away(415, None, now, [("Accept", SDP), ("Accept-Encoding", "identity")])
        else:
            self._wait(now)
        return core.phase == "early"

    def _wait(self, now: float) -> None:
        """13.3.1 step 1: Expires says how long the caller waits."""
        patience = self._core.config.ring_for
        with suppress(SipError):
            patience = min(patience, self._invite.expires or patience)
        self._core.alarms.set("rings", now + patience, self._nobody)

    def _nobody(self, now: float) -> None:
        self.reject(480, None, (), now)

    def _open(self) -> None:
        """12.1.1. Raises SipError."""
        core = self._core
        peer = Peer(Dialog.of_callee(self._invite, new_tag(core.random), core.random.getrandbits(16)))
        core.peers[peer.fork] = core.peer = peer
        core.learn(self._invite)
        sdp = sdp_of(self._invite)
        if sdp is not None:
            peer.offers.they_offer(sdp, "INVITE")

    def _turn_away(self, status: int, reason: str | None, now: float, headers: HeaderList = ()) -> None:
        self._answered = True
        self._core.reply(self.key, self._invite, status, headers=headers)
        self._core.end("us", status, reason or "the INVITE is not acceptable", now)

    # -- what the owner does --

    def progress(self, status: int, sdp: str | None, headers: HeaderList, now: float) -> None:
        """A provisional response. Raises LocalError when the call is answered, or the description is not due."""
        if self._answered or self._accept_later is not None or not 100 < status < 200:
            raise LocalError(f"{status} is no provisional response to an unanswered INVITE")
        peer = self._peer
        headers = list(headers)
        if not self._reliably:
            self._show(peer, sdp)
            self._core.reply(self.key, self._invite, status, headers=headers, sdp=sdp)
            return
        if sdp is not None:
            self._describe(peer, sdp, "1xx")
        self.reliable.send(lambda rseq: self._send_reliably(status, rseq, sdp, headers), now)

    @property
    def _reliably(self) -> bool:
        """RFC 3262 section 3: where the INVITE requires it, and where it allows it if we like to."""
        policy = self._core.config.reliable
        if policy == "supported":
            return supports(self._invite, "100rel")
        return policy == "asked" and "100rel" in options(self._invite, "Require")

    def _show(self, peer: Peer, sdp: str | None) -> None:
        """Early media by a response that may get lost: its description must be the answer later on (RFC 6337 section 3.1)."""
        if sdp is None:
            return
        if peer.offers.owing != "us" or peer.preview not in ("", sdp):
            raise LocalError(
                "an unreliable provisional response can only have the answer to the INVITE, and always the same"
            )
        peer.preview = sdp

    def _describe(self, peer: Peer, sdp: str, carrier: Literal["1xx", "2xx"]) -> None:
        """A description of ours: the answer if the peer waits for one, else our offer."""
        if peer.offers.owing == "us" and peer.offers.carrier == "INVITE":
            peer.offers.we_answer(sdp)
        elif peer.offers.agreed is None and not peer.offers.open:
            peer.offers.we_offer(sdp, carrier)
        else:
            raise LocalError("this response can have no description: offer and answer have been exchanged, or are open")

    def _send_reliably(self, status: int, rseq: int, sdp: str | None, headers: HeaderList) -> Response:
        more = [("Require", "100rel"), ("RSeq", str(rseq)), *headers]
        return self._core.reply(self.key, self._invite, status, headers=more, sdp=sdp)

    def accept(self, sdp: str | None, headers: HeaderList, now: float) -> None:
        """200. Waits for the PRACK of a provisional response (RFC 3262 section 3). Raises LocalError when a description is
        missing, or there is one too many, or the call is answered already."""
        if self._answered or self._accept_later is not None:
            raise LocalError("the call is answered")
        sdp = self._due(sdp)
        if self._waits:
            self._accept_later = sdp, list(headers)
            return
        self._accept(sdp, headers, now)

    def _due(self, sdp: str | None) -> str | None:
        """The description that a 2xx has to have: the answer, or our offer; None when that has been exchanged before it."""
        offers = self._peer.offers
        if offers.agreed is not None or (offers.open and offers.carrier != "INVITE"):
            if sdp is not None and sdp != (offers.agreed.local if offers.agreed else offers.offered):
                raise LocalError("offer and answer have been exchanged: the 2xx has no other description")
            return None
        sdp = sdp or self._peer.preview or None
        if sdp is None:
            raise LocalError("the INVITE is to be answered with a description")
        return sdp

    @property
    def _waits(self) -> bool:
        """RFC 3262 section 3, and RFC 3311 section 5.2: what has been begun before the 2xx is finished before it."""
        offers = self._peer.offers
        return self.reliable.open or (offers.open and offers.carrier != "INVITE")

    def _accept(self, sdp: str | None, headers: HeaderList, now: float) -> None:
        core, peer = self._core, self._peer
        if sdp is not None:
            self._describe(peer, sdp, "2xx")
        self._answered = True
        more = [*self._timer.agree(self._invite, now), *headers]
        response = core.reply(self.key, self._invite, 200, headers=more, sdp=sdp)
        peer.dialog.confirmed = True
        core.phase = "established"
        core.alarms.stop("rings")
        self._accepted.sent(self.key, response, now)
        core.emit(Established(response))

    def reject(self, status: int, reason: str | None, headers: HeaderList, now: float) -> None:
        """3xx to 6xx. Raises LocalError when the call is answered."""
        if self._answered or not 300 <= status < 700:
            raise LocalError(f"{status} is no refusal of an unanswered INVITE")
        self._answered = True
        response = self._core.reply(self.key, self._invite, status, reason, headers)
        self._core.end("us", status, response.reason, now)

    # -- what the network does --

    def cancelled(self, request: Request, now: float) -> None:
        """9.2: without effect when the call is answered."""
        if self._answered:
            return
        self._answered = True
        self._core.reply(self.key, self._invite, 487)
        self._core.end("peer", 487, request.headers.get("Reason") or "cancelled", now, request)

    def pracked(self, key: Key, request: Request, now: float) -> None:
        """RFC 3262 section 3 and 5. Raises SipError: 481 when nothing waits for it."""
        self.reliable.check(request)
        peer, sdp = self._peer, sdp_of(request)
        answers = peer.offers.owing == "peer" and peer.offers.carrier == "1xx"
        if answers and sdp is None:
            raise SipError("the answer to the provisional response's offer is missing", status=400)
        if sdp is not None and not answers:
            self._take_offer(peer, key, request, sdp)
            return
        self._heard()
        if sdp is not None:
            peer.offers.they_answer(sdp)
            self._core.emit(Answer(sdp, peer.fork))
        self._core.reply(key, request, 200)
        self._go_on(now)

    def _take_offer(self, peer: Peer, key: Key, request: Request, sdp: str) -> None:
        """RFC 3262 section 5: PRACK may have a new offer when the first has been answered. Raises SipError."""
        refusal = peer.offers.refusal()
        if refusal is not None:
            raise SipError("another offer is open", status=refusal)
        self._heard()
        peer.offers.they_offer(sdp, "PRACK")
        self._prack = key, request
        self._core.emit(Offer(sdp, peer.fork))

    def _heard(self) -> None:
        self.reliable.acknowledged()
        self._core.emit(Pracked())

    def answer_prack(self, sdp: str, now: float) -> None:
        """Our answer to the offer of a PRACK. Raises LocalError when there is none."""
        if self._prack is None:
            raise LocalError("no PRACK waits for an answer")
        (key, request), self._prack = self._prack, None
        self._peer.offers.we_answer(sdp)
        self._core.reply(key, request, 200, sdp=sdp)
        self._go_on(now)

    def refuse_prack(self, status: int, now: float) -> None:
        """The offer in the PRACK is refused: all is as before."""
        if self._prack is None:
            raise LocalError("no PRACK waits for an answer")
        (key, request), self._prack = self._prack, None
        self._peer.offers.withdraw()
        self._core.reply(key, request, status)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """What has waited for the PRACK is sent."""
        self.reliable.next(now)
        self.settle(now)

    def settle(self, now: float) -> None:
        """The acceptance that had to wait, as soon as nothing is in its way."""
        if self._accept_later is not None and not self._answered and not self._waits:
            (sdp, headers), self._accept_later = self._accept_later, None
            self._accept(sdp, headers, now)

    def lose(self, status: int, why: str, now: float) -> None:
        """The unanswered call cannot go on."""
        if not self._answered:
            self._answered = True
            self._core.reply(self.key, self._invite, 504)
            self._core.end("network", status, why, now)

    def bye_early(self) -> None:
        """15.1.2: the caller has hung up on an early dialog; its INVITE is still to be answered."""
        if not self._answered:
            self._answered = True
            self._core.reply(self.key, self._invite, 487)

    def wind_up(self) -> None:
        """The call is over."""
        self.reliable.stop()
        self._core.alarms.stop("rings")
        self._accept_later = None
        if self._prack is not None:
            (key, request), self._prack = self._prack, None
            self._core.reply(key, request, 487)
            self._core.emit(OfferWithdrawn())

    @property
    def _peer(self) -> Peer:
        peer = self._core.peer
        if peer is None:
            raise LocalError("there is no dialog")
        return peer


def too_small(error: SipError) -> list[tuple[str, str]]:
    """RFC 4028 section 6: what a 422 must say."""
    return [("Min-SE", str(error.least))] if isinstance(error, IntervalTooSmall) else []
