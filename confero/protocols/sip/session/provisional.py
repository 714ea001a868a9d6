"""Reliable provisional responses as the caller sees them: each is taken once, in order, and acknowledged (RFC 3262 section 4)."""

from __future__ import annotations

from confero.errors import LocalError

from ..fields import RAck, RSeq, read
from ..message import Request, Response
from .actions import Answer, Offer
from .core import Core, Peer, description_in, ignore, options


def is_reliable(response: Response) -> bool:
    return "100rel" in options(response, "Require") and "RSeq" in response.headers


def number_of(response: Response) -> int:
    """Its RSeq; 0 if there is none, which is the number of no response. Raises SipError."""
    found = read(response, RSeq)
    return 0 if found is None else found.number


def take_in_order(peer: Peer, response: Response) -> bool:
    """False for one that was taken before, or whose predecessor is missing: it will come again. Raises SipError."""
    rseq = number_of(response)
    if peer.rseq is not None and rseq != peer.rseq + 1:
        return False
    peer.rseq = rseq
    return True


def take_provisional(core: Core, peer: Peer, invite: Request, response: Response) -> bool:
    """A provisional response with a tag: its description is told, and it is acknowledged. False if it was a repeated one.

    Raises SipError.
    """
    if not is_reliable(response):
        _preview(core, peer, response)
        return True
    if core.crowded or not take_in_order(peer, response):
        return False
    sdp = description_in(response)
    if sdp is not None and peer.offers.owing == "peer":
        peer.offers.they_answer(sdp)
        core.emit(Answer(sdp, peer.fork, early=True))
    elif (
        sdp is not None and not invite.body and peer.offers.untouched and not peer.offers.open and core.phase != "ended"
    ):
        # 5: the INVITE had none, so this is the offer; PRACK has the answer.
        peer.offers.they_offer(sdp, "1xx")
        peer.held = invite, response
        core.emit(Offer(sdp, peer.fork))
        return True
    acknowledge(core, peer, response)
    return True


def _preview(core: Core, peer: Peer, response: Response) -> None:
    """RFC 6337 section 3.1: not yet the answer, but what it will be; good for early media."""
    sdp = description_in(response)
    if sdp is not None and peer.offers.owing == "peer" and sdp != peer.preview:
        peer.preview = sdp
        core.emit(Answer(sdp, peer.fork, early=True))


def acknowledge(core: Core, peer: Peer, response: Response, sdp: str | None = None) -> None:
    """PRACK, with the answer if the response had an offer."""
    rack = RAck(number_of(response), response.cseq.number, response.cseq.method)
    core.send_within(peer, "PRACK", ignore, [("RAck", str(rack))], sdp)


def answer_offer(core: Core, peer: Peer, sdp: str) -> None:
    """Our answer to an offer in a reliable provisional response. Raises LocalError when there is none."""
    if peer.held is None:
        raise LocalError("no response waits for an answer")
    _, response = peer.held
    peer.held = None
    peer.offers.we_answer(sdp)
    acknowledge(core, peer, response, sdp)
