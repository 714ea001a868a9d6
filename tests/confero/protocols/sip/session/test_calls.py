"""Calls from both ends: answered, refused, cancelled, with early media and without an offer."""

from __future__ import annotations

import pytest

from confero.errors import LocalError
from confero.protocols.sip import Response, response_to
from confero.protocols.sip.session import (
    Acknowledged,
    Answer,
    Ended,
    Established,
    Offer,
    Ringing,
    SessionConfig,
)

from .line import Line, name_of, sdp

A = "<sip:a@192.0.2.1>"
B = "<sip:b@192.0.2.2>"
PLAIN = SessionConfig(B, reliable="asked")


def test_a_call_is_answered_and_hung_up() -> None:
    line = Line(b=PLAIN)
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.run()
    assert line.a.last(Ringing).status == 180
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.run()
    assert name_of(line.a.last(Answer).sdp) == "answer"
    assert line.a.has(Established) and line.b.has(Established) and line.b.has(Acknowledged)
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    assert line.trace == [
        "A INVITE[offer]",
        "B 180 INVITE",
        "B 200 INVITE[answer]",
        "A ACK",
        "A BYE",
        "B 200 BYE",
    ]
    assert line.a.last(Ended).by == "us" and line.b.last(Ended).by == "peer"
    line.advance(40)
    assert line.a.it.finished and line.b.it.finished


def test_the_called_side_hangs_up() -> None:
    line = Line()
    line.establish()
    line.do(line.b, line.b.it.hang_up(line.now, [("Reason", "Q.850;cause=16")]))
    line.run()
    assert line.trace == ["B BYE", "A 200 BYE"]
    assert line.a.last(Ended).reason == "Q.850;cause=16"


@pytest.mark.parametrize("status", [302, 404, 486, 503, 603])
def test_a_call_is_refused(status: int) -> None:
    line = Line()
    line.call()
    line.run()
    line.do(line.b, line.b.it.reject(status, line.now, headers=[("Contact", "<sip:c@192.0.2.3>")]))
    line.run()
    ended = line.a.last(Ended)
    assert (ended.by, ended.status) == ("peer", status)
    assert isinstance(ended.message, Response) and ended.message.contact is not None
    assert not line.a.has(Established)


def test_a_call_without_an_answer_is_cancelled() -> None:
    line = Line(b=PLAIN)
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.run()
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    assert line.trace[2:] == ["A CANCEL", "B 487 INVITE"]
    assert line.b.last(Ended).status == 487
    with pytest.raises(LocalError):
        line.b.it.accept(line.now, sdp("late"))


def test_a_2xx_that_crosses_the_cancel_is_acknowledged_and_hung_up_on() -> None:
    line = Line(b=PLAIN)
    line.call()
    line.run()
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    assert line.trace == [
        "A INVITE[offer]",
        "B 200 INVITE[answer]",
        "A CANCEL",
        "A ACK",
        "A BYE",
        "B 200 BYE",
    ]
    assert line.b.last(Ended).by == "peer" and not line.a.has(Established)


def test_nobody_is_there() -> None:
    line = Line()
    line.call()
    line.take("INVITE[offer]")
    line.do(line.a, line.a.it.timed_out(1, line.now))
    ended = line.a.last(Ended)
    assert (ended.by, ended.status) == ("network", 408)


def test_the_2xx_is_repeated_until_its_ack() -> None:
    line = Line()
    line.call()
    line.run()
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    first = line.take("200 INVITE[answer]")
    line.tick(0.5)
    line.tick(1.0)
    assert line.trace.count("B 200 INVITE[answer]") == 3
    line.arrive(first)
    line.take("ACK")
    line.deliver("200 INVITE[answer]")
    line.run()
    assert line.trace.count("A ACK") == 3
    before = len(line.trace)
    line.advance(60)
    assert len(line.trace) == before


def test_without_an_ack_the_call_is_ended_by_bye() -> None:
    line = Line()
    line.call()
    line.run()
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.flight.clear()
    line.tick(40)
    assert line.b.last(Ended) == Ended("network", 408, "no ACK came")
    # 13.3.1.4: T1, doubled up to T2, for 64*T1.
    assert line.trace.count("B 200 INVITE[answer]") == 11
    assert line.trace[-1] == "B BYE"


def test_who_was_called_sends_no_bye_before_the_ack() -> None:
    line = Line()
    line.call()
    line.run()
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.deliver("200 INVITE[answer]")
    line.do(line.b, line.b.it.hang_up(line.now))
    assert "B BYE" not in line.trace and line.b.last(Ended).by == "us"
    line.run()
    assert line.trace[-3:] == ["A ACK", "B BYE", "A 200 BYE"]


def test_an_invite_without_offer_gets_one_in_the_2xx() -> None:
    line = Line()
    line.call(None)
    line.run()
    with pytest.raises(LocalError):
        line.b.it.accept(line.now)
    line.do(line.b, line.b.it.accept(line.now, sdp("offer-b")))
    line.run()
    assert name_of(line.a.last(Offer).sdp) == "offer-b" and not line.a.has(Established)
    line.do(line.a, line.a.it.answer(sdp("answer-a"), line.now))
    line.run()
    assert line.trace == ["A INVITE", "B 200 INVITE[offer-b]", "A ACK[answer-a]"]
    assert name_of(line.b.last(Answer).sdp) == "answer-a" and line.a.has(Established)


def test_an_offer_in_the_2xx_that_is_not_acceptable_is_answered_and_the_call_ended() -> None:
    line = Line()
    line.call(None)
    line.run()
    line.do(line.b, line.b.it.accept(line.now, sdp("offer-b")))
    line.run()
    line.do(line.a, line.a.it.refuse(line.now))
    declined = line.take("ACK[-]")
    assert b"m=audio 0 RTP/AVP 0" in declined.data
    line.arrive(declined)
    line.run()
    assert line.trace[-2:] == ["A BYE", "B 200 BYE"] and line.a.last(Ended).by == "us"


def test_an_ack_without_the_answer_ends_the_call() -> None:
    line = Line()
    line.call(None)
    line.run()
    line.do(line.b, line.b.it.accept(line.now, sdp("offer-b")))
    line.run()
    line.do(line.a, line.a.it.answer(sdp("x"), line.now))
    ack = line.take("ACK[x]")
    head, _, _ = ack.data.partition(b"\r\n\r\n")
    ack.data = head.replace(b"Content-Type: application/sdp\r\n", b"").split(b"\r\nContent-Length")[0] + b"\r\n\r\n"
    line.arrive(ack)
    assert line.b.last(Ended).by == "network" and line.trace[-1] == "B BYE"


def test_early_media_without_reliability_is_told_and_then_confirmed() -> None:
    line = Line(b=PLAIN)
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("early")))
    line.run()
    assert line.a.last(Answer).early
    with pytest.raises(LocalError):
        line.b.it.progress(183, line.now, sdp("another"))
    line.do(line.b, line.b.it.accept(line.now))
    line.run()
    answer = line.a.last(Answer)
    assert (name_of(answer.sdp), answer.early) == ("early", False)


def test_an_option_that_we_do_not_have_is_refused() -> None:
    line = Line()
    line.invite_headers = [("Require", "precondition, 100rel")]
    line.call()
    line.run()
    ended = line.a.last(Ended)
    assert ended.status == 420 and isinstance(ended.message, Response)
    assert ended.message.headers.get("Unsupported") == "precondition"
    assert line.b.it.phase == "ended"


def challenge(line: Line) -> Response:
    """401 to the INVITE that A sent last."""
    response = response_to(line.a.sent[1], 401, to_tag="t")
    response.headers.add("WWW-Authenticate", 'Digest realm="x", nonce="y"')
    return response


def test_credentials_are_tried_twice_and_no_more() -> None:
    line = Line()
    line.authorize = lambda request, response: [("Authorization", f"Digest for={request.cseq.number}")]
    line.call()
    numbers = []
    for _ in range(3):
        line.take("INVITE[offer]")
        invite = line.a.sent[1]
        numbers.append((invite.cseq.number, invite.headers.all("Authorization")))
        line.do(line.a, line.a.it.response(1, challenge(line), line.now))
    first = numbers[0][0]
    assert numbers == [
        (first, []),
        (first + 1, [f"Digest for={first}"]),
        (first + 2, [f"Digest for={first + 1}"]),
    ]
    assert line.a.last(Ended).status == 401


def test_the_ack_has_the_credentials_of_its_invite() -> None:
    line = Line()
    line.authorize = lambda request, response: [("Proxy-Authorization", "Digest x=y")]
    line.call()
    line.take("INVITE[offer]")
    line.do(line.a, line.a.it.response(1, challenge(line), line.now))
    line.run()
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.deliver("200 INVITE[answer]")
    assert b"Proxy-Authorization: Digest x=y" in line.take("ACK").data


@pytest.mark.parametrize(("expires", "seconds"), [(None, 180.0), ("20", 20.0), ("999", 180.0), ("x", 180.0)])
def test_a_call_that_nobody_answers_is_given_up(expires: str | None, seconds: float) -> None:
    line = Line(SessionConfig(A, ring_for=400.0))
    line.invite_headers = [("Expires", expires)] if expires else []
    line.call()
    line.run()
    line.advance(seconds - 0.1)
    assert line.trace == ["A INVITE[offer]"]
    line.advance(0.2)
    assert line.trace[-1] == "B 480 INVITE" and line.a.last(Ended).status == 480


def test_a_call_that_rings_for_ever_is_cancelled() -> None:
    line = Line(SessionConfig(A, ring_for=30.0), PLAIN)
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.advance(31)
    assert line.trace[-2:] == ["A CANCEL", "B 487 INVITE"]
    assert (line.a.last(Ended).by, line.b.last(Ended).status) == ("network", 487)
