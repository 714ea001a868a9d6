"""Services that are made of several calls, as RFC 5359 and RFC 5589 show them: attended transfer, pickup of a call that rings."""

from __future__ import annotations

from confero.protocols.sip import URI, Headers, Request
from confero.protocols.sip.fields import Replaces
from confero.protocols.sip.session import (
    Ended,
    Established,
    Offer,
    Transfer,
    TransferProgress,
    as_peer_has,
    refer_to,
    replaces_in,
)

from .line import Line, name_of, sdp


def test_attended_transfer() -> None:
    """RFC 5589 section 7.3: the transferor has B on hold, talks to C, and has B call C in its place."""
    first = Line(seed=1)
    first.establish()
    first.do(first.a, first.a.it.offer(sdp("hold"), first.now))
    first.run()
    first.do(first.b, first.b.it.answer(sdp("held"), first.now))
    first.run()
    second = Line(seed=2)
    second.establish()
    with_c = second.a.it.dialog
    assert with_c is not None

    target = refer_to("sip:c@192.0.2.3", as_peer_has(with_c))
    _, actions = first.a.it.transfer(target, first.now)
    first.do(first.a, actions)
    first.run()
    wish = first.b.last(Transfer)
    first.do(first.b, first.b.it.accept_transfer(wish.id, first.now))
    first.run()

    third = Line(seed=3)
    third.invite_headers = [("Replaces", URI.parse(wish.target).header("Replaces") or "")]
    third.call("offer-b")
    third.run()
    # C finds the call that is to be replaced, answers the new one, and ends the old one.
    replaces = replaces_in(Request("INVITE", "sip:c@d", Headers(third.invite_headers)))
    assert replaces is not None and second.b.it.judge(replaces) == 200
    third.do(third.b, third.b.it.accept(third.now, sdp("answer-c")))
    third.run()
    second.do(second.b, second.b.it.hang_up(second.now))
    second.run()
    assert third.a.has(Established) and second.a.last(Ended).by == "peer"

    first.do(first.b, first.b.it.transfer_progress(wish.id, 200, "OK", first.now))
    first.run()
    progress = first.a.last(TransferProgress)
    assert (progress.status, progress.done) == (200, True)
    first.do(first.a, first.a.it.hang_up(first.now))
    first.run()
    assert first.b.last(Ended).by == "peer" and third.a.it.phase == "established"


def test_a_call_that_rings_is_picked_up_by_another_phone() -> None:
    """RFC 3891 section 1: the caller is asked by a third phone to talk to it instead; what rings is cancelled."""
    ringing = Line(seed=1)
    ringing.call()
    ringing.run()
    ringing.do(ringing.b, ringing.b.it.progress(180, ringing.now))
    ringing.run()
    early = Replaces(ringing.a.it.call_id, ringing.a.it.local_tag, ringing.b.it.local_tag, early_only=True)
    assert ringing.a.it.judge(early) == 200
    ringing.do(ringing.a, ringing.a.it.hang_up(ringing.now))
    ringing.run()
    assert ringing.trace[-2:] == ["A CANCEL", "B 487 INVITE"]


def test_a_gateway_moves_the_media_of_a_call_by_asking_for_an_offer() -> None:
    """RFC 3725 section 4 (flow III), the half of one call: an offer is asked for, and answered with what the other call has."""
    line = Line()
    line.establish()
    line.do(line.b, line.b.it.offer(None, line.now))
    line.run()
    line.do(line.a, line.a.it.offer(sdp("mine"), line.now))
    line.run()
    assert name_of(line.b.last(Offer).sdp) == "mine"
    line.do(line.b, line.b.it.answer(sdp("of-the-other"), line.now))
    line.run()
    agreed = line.a.it.agreed
    assert agreed is not None and name_of(agreed.remote) == "of-the-other"
