"""What peers do to our re-INVITEs and UPDATEs that our own side never does: and the call is as it was before (RFC 6141)."""

from __future__ import annotations

import pytest

from confero.errors import LocalError
from confero.protocols.sip import Request, parse, response_to
from confero.protocols.sip.session import Answer, Ended, Offer, OfferDue, OfferRefused, OfferWithdrawn

from .line import Line, name_of, sdp


class ByHand:
    """A running call, of which B's side is played by the test."""

    def __init__(self) -> None:
        self.line = Line()
        self.line.establish()
        self.it = self.line.a.it

    def take(self) -> Request:
        """The request that A has sent."""
        found = parse(self.line.flight.pop(0).data)
        assert isinstance(found, Request) and not self.line.flight
        return found

    def say(self, request: Request, status: int, text: str | None = None, *more: tuple[str, str]) -> None:
        response = response_to(request, status)
        for name, value in more:
            response.headers.add(name, value)
        if text is not None:
            response.headers.add("Content-Type", "application/sdp")
            response.body = sdp(text).encode()
        ref = self.line.a.refs[request.top_via.branch, request.cseq.number, request.method]
        self.line.do(self.line.a, self.it.response(ref, response, self.line.now))

    def reliably(self, request: Request, rseq: int, text: str | None = None) -> None:
        self.say(request, 183, text, ("Require", "100rel"), ("RSeq", str(rseq)), ("Contact", "<sip:b@192.0.2.2>"))

    def sent(self) -> list[str]:
        labels = [flying.label for flying in self.line.flight]
        self.line.flight.clear()
        return labels

    @property
    def agreed(self) -> tuple[str, str]:
        found = self.it.agreed
        assert found is not None
        return name_of(found.local), name_of(found.remote)

    def offer(self, text: str | None) -> Request:
        self.line.do(self.line.a, self.it.offer(None if text is None else sdp(text), self.line.now))
        return self.take()


def test_an_answer_in_a_provisional_response_does_not_hold_when_the_reinvite_fails() -> None:
    b = ByHand()
    invite = b.offer("video")
    b.reliably(invite, 1, "video-ok")
    assert b.line.a.last(Answer).early and b.agreed == ("video", "video-ok") and b.sent() == ["PRACK"]
    b.say(invite, 488)
    refused = b.line.a.last(OfferRefused)
    assert (refused.status, refused.rolled_back) == (488, True) and b.agreed == ("offer", "answer")


def test_an_answer_in_a_provisional_response_holds_when_the_reinvite_succeeds() -> None:
    b = ByHand()
    invite = b.offer("video")
    b.reliably(invite, 1, "video-ok")
    b.reliably(invite, 1, "video-ok")
    b.reliably(invite, 2)
    assert b.sent() == ["PRACK", "PRACK"]
    b.say(invite, 200, None, ("Contact", "<sip:b@192.0.2.2>"))
    assert b.sent() == ["ACK"] and b.agreed == ("video", "video-ok")


def test_the_offer_that_was_asked_for_comes_in_a_provisional_response() -> None:
    b = ByHand()
    invite = b.offer(None)
    b.reliably(invite, 1, "fresh")
    assert name_of(b.line.a.last(Offer).sdp) == "fresh" and b.sent() == []
    b.line.do(b.line.a, b.it.answer(sdp("fresh-ok"), b.line.now))
    assert b.sent() == ["PRACK[fresh-ok]"] and b.agreed == ("fresh-ok", "fresh")
    b.say(invite, 200, "fresh", ("Contact", "<sip:b@192.0.2.2>"))
    assert b.sent() == ["ACK"] and not b.line.a.has(Offer)


def test_refused_it_goes_no_further_than_that_reinvite() -> None:
    b = ByHand()
    invite = b.offer(None)
    b.reliably(invite, 1, "fresh")
    b.line.do(b.line.a, b.it.refuse(b.line.now))
    assert b.sent() == ["CANCEL"]
    b.say(invite, 487)
    assert b.agreed == ("offer", "answer") and b.it.phase == "established"


def test_the_offer_that_was_asked_for_cannot_be_refused_but_by_ending_the_call() -> None:
    b = ByHand()
    invite = b.offer(None)
    b.say(invite, 200, "fresh", ("Contact", "<sip:b@192.0.2.2>"))
    b.line.do(b.line.a, b.it.refuse(b.line.now))
    assert b.sent() == ["ACK[-]", "BYE"] and b.line.a.last(Ended).by == "us"


def test_hanging_up_with_an_offer_unanswered() -> None:
    b = ByHand()
    invite = b.offer(None)
    b.say(invite, 200, "fresh", ("Contact", "<sip:b@192.0.2.2>"))
    b.line.do(b.line.a, b.it.hang_up(b.line.now))
    assert b.sent() == ["ACK[-]", "BYE"]


def test_a_2xx_without_the_answer() -> None:
    b = ByHand()
    b.say(b.offer("video"), 200, None, ("Contact", "<sip:b@192.0.2.2>"))
    assert b.sent() == ["ACK"] and b.line.a.last(OfferRefused).status == 488 and b.agreed == ("offer", "answer")


def test_a_2xx_with_headers_that_cannot_be_read_changes_no_more_than_the_media() -> None:
    b = ByHand()
    b.say(b.offer("video"), 200, "video-ok", ("Contact", "<sip:"), ("Session-Expires", "x"))
    assert b.sent() == ["ACK"] and b.agreed == ("video", "video-ok")
    assert b.it.dialog is not None and b.it.dialog.target == "sip:b@192.0.2.2"


@pytest.mark.parametrize(("status", "by"), [(408, "network"), (481, "network")])
def test_a_peer_that_has_forgotten_the_call(status: int, by: str) -> None:
    b = ByHand()
    b.say(b.offer("video"), status)
    assert b.sent() == ["BYE"] and (b.line.a.last(Ended).by, b.it.phase) == (by, "ended")


@pytest.mark.parametrize("status", [403, 488, 500, 503, 606])
def test_other_refusals_leave_the_call(status: int) -> None:
    b = ByHand()
    b.say(b.offer("video"), status)
    assert b.sent() == [] and b.line.a.last(OfferRefused).status == status
    assert b.agreed == ("offer", "answer") and b.it.phase == "established"


def test_a_longer_session_timer_is_asked_for_after_a_422() -> None:
    b = ByHand()
    b.say(b.offer("video"), 422, None, ("Min-SE", "5000"))
    again = b.offer("video")
    assert again.headers.get("Session-Expires") == "5000;refresher=uac" and again.headers.get("Min-SE") == "5000"
    b.say(again, 422, None, ("Min-SE", "x"))
    assert b.offer("video").headers.get("Min-SE") == "5000"


def test_after_a_491_the_offer_is_due_again_in_its_time() -> None:
    b = ByHand()
    b.say(b.offer("video"), 491)
    with pytest.raises(LocalError):
        b.it.offer(sdp("video"), b.line.now)
    b.line.b.session = None
    b.line.advance(2.0)
    assert not b.line.a.has(OfferDue)
    b.line.advance(2.1)
    assert b.line.a.has(OfferDue)


def test_an_overtaken_request_that_must_not_be_lost_is_sent_again() -> None:
    b = ByHand()
    b.line.do(b.line.a, b.it.info("application/dtmf", b"1", b.line.now))
    first = b.take()
    b.line.do(b.line.a, b.it.info("application/dtmf", b"2", b.line.now))
    second = b.take()
    b.say(second, 200)
    b.say(first, 500)
    again = b.take()
    assert (again.body, again.cseq.number) == (b"1", second.cseq.number + 1)
    b.say(again, 500)
    assert b.sent() == [], "nothing has overtaken this one"


def test_the_peers_offer_goes_when_it_hangs_up() -> None:
    line = Line()
    line.establish()
    line.do(line.b, line.b.it.offer(sdp("hold"), line.now))
    line.run()
    line.do(line.b, line.b.it.hang_up(line.now))
    line.run()
    assert line.a.has(OfferWithdrawn) and "A 487 INVITE" in line.trace


def test_a_reinvite_with_a_body_that_is_not_understood() -> None:
    line = Line()
    line.establish()
    dialog = line.a.it.dialog
    assert dialog is not None
    invite = dialog.request("INVITE")
    invite.headers.add("Content-Type", "text/plain")
    invite.body = b"x"
    line._send(line.a, invite)
    line.run()
    assert line.trace[-1] == "B 415 INVITE" and line.b.it.phase == "established"


def test_nothing_to_answer_or_refuse() -> None:
    line = Line()
    line.establish()
    for deed in (
        lambda: line.a.it.answer(sdp("x"), line.now),
        lambda: line.a.it.refuse(line.now),
        lambda: line.a.it.accept(line.now, sdp("x")),
        lambda: line.b.it.progress(180, line.now),
        lambda: line.b.it.reject(486, line.now),
        lambda: line.a.it.accept_transfer(1, line.now),
    ):
        with pytest.raises(LocalError):
            deed()
    assert line.a.it.phase == line.b.it.phase == "established" and not line.flight
