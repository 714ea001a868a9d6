"""100rel and PRACK: answers and offers in provisional responses, repeated until acknowledged (RFC 3262, RFC 6337 table 1)."""

from __future__ import annotations

import pytest

from confero.errors import LocalError
from confero.protocols.sip.session import Answer, Ended, Established, Offer, Ringing, SessionConfig

from .line import Line, name_of, sdp

B = "<sip:b@192.0.2.2>"


def ringing(offer: str | None = "offer") -> Line:
    line = Line()
    line.call(offer)
    line.run()
    return line


def test_the_answer_in_a_provisional_response() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    line.run()
    assert name_of(line.a.last(Answer).sdp) == "answer"
    line.do(line.b, line.b.it.accept(line.now))
    line.run()
    assert line.trace == [
        "A INVITE[offer]",
        "B 183 INVITE[answer]",
        "A PRACK",
        "B 200 PRACK",
        "B 200 INVITE",
        "A ACK",
    ]
    assert line.a.has(Established) and line.a.it.agreed is not None and name_of(line.a.it.agreed.remote) == "answer"


def test_another_description_in_the_2xx_is_not_allowed_after_it() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    line.run()
    with pytest.raises(LocalError):
        line.b.it.accept(line.now, sdp("another"))


def test_the_offer_in_a_provisional_response_is_answered_by_prack() -> None:
    line = ringing(None)
    line.do(line.b, line.b.it.progress(183, line.now, sdp("offer-b")))
    line.run()
    assert name_of(line.a.last(Offer).sdp) == "offer-b"
    line.do(line.a, line.a.it.answer(sdp("answer-a"), line.now))
    line.run()
    assert line.trace[1:] == ["B 183 INVITE[offer-b]", "A PRACK[answer-a]", "B 200 PRACK"]
    assert name_of(line.b.last(Answer).sdp) == "answer-a"
    line.do(line.b, line.b.it.accept(line.now))
    line.run()
    assert line.trace[-2:] == ["B 200 INVITE", "A ACK"] and line.a.has(Established)


def test_an_offer_in_a_provisional_response_is_refused_by_cancel() -> None:
    line = ringing(None)
    line.do(line.b, line.b.it.progress(183, line.now, sdp("offer-b")))
    line.run()
    line.do(line.a, line.a.it.refuse(line.now))
    line.run()
    assert line.trace[-2:] == ["A CANCEL", "B 487 INVITE"] and line.b.has(Ended)


def test_the_acceptance_waits_for_the_prack() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    line.do(line.b, line.b.it.accept(line.now))
    assert not line.b.has(Established) and line.trace[-1] == "B 183 INVITE[answer]"
    line.run()
    assert line.trace[-4:] == ["A PRACK", "B 200 PRACK", "B 200 INVITE", "A ACK"]


def test_provisional_responses_go_out_one_at_a_time_and_in_order() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    assert line.trace == ["A INVITE[offer]", "B 180 INVITE"]
    line.run()
    assert line.trace[1:] == [
        "B 180 INVITE",
        "A PRACK",
        "B 200 PRACK",
        "B 183 INVITE[answer]",
        "A PRACK",
        "B 200 PRACK",
    ]
    for _ in range(9):
        line.do(line.b, line.b.it.progress(180, line.now))
    with pytest.raises(LocalError):
        line.b.it.progress(180, line.now)


def test_a_repeated_provisional_response_is_acknowledged_once_and_told_once() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.tick(0.5)
    line.tick(1.0)
    assert line.trace.count("B 180 INVITE") == 3
    line.run()
    assert line.trace.count("A PRACK") == 1
    assert len([event for event in line.a.told if isinstance(event, Ringing)]) == 1
    before = len(line.trace)
    line.tick(60)
    assert len(line.trace) == before


def test_without_a_prack_the_call_fails_with_504() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.flight.clear()
    line.tick(40)
    # 3: T1, doubled each time, for 64*T1.
    assert line.trace.count("B 180 INVITE") == 7
    assert line.trace[-1] == "B 504 INVITE" and line.b.last(Ended).status == 504


def test_a_prack_for_nothing_gets_481() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.deliver("180 INVITE")
    prack = line.take("PRACK")
    line.arrive(prack)
    prack.data = prack.data.replace(b" PRACK\r\n", b"1 PRACK\r\n").replace(b"CSeq: ", b"CSeq: 9")
    line.arrive(prack)
    assert line.trace[-2:] == ["B 200 PRACK", "B 481 PRACK"]


@pytest.mark.parametrize(
    ("policy", "headers", "reliably"),
    [
        ("never", [], False),
        ("asked", [], False),
        ("asked", [("Require", "100rel")], True),
        ("supported", [], True),
    ],
)
def test_when_provisional_responses_are_reliable(policy: str, headers: list[tuple[str, str]], reliably: bool) -> None:
    line = Line(b=SessionConfig(B, reliable=policy))  # type: ignore[arg-type]
    line.invite_headers = headers
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(180, line.now))
    assert (b"RSeq" in line.take("180 INVITE").data) is reliably


def test_who_never_sends_them_refuses_callers_that_require_them() -> None:
    line = Line(b=SessionConfig(B, reliable="never"))
    line.invite_headers = [("Require", "100rel")]
    line.call()
    line.run()
    assert line.a.last(Ended).status == 420


def test_update_changes_an_unanswered_call() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    line.run()
    line.do(line.a, line.a.it.offer(sdp("second"), line.now))
    line.run()
    assert name_of(line.b.last(Offer).sdp) == "second"
    # RFC 3311: what is begun before the 2xx is finished before it.
    line.do(line.b, line.b.it.accept(line.now))
    assert not line.b.has(Established)
    line.do(line.b, line.b.it.answer(sdp("second-answer"), line.now))
    line.run()
    assert line.trace[-4:] == ["A UPDATE[second]", "B 200 UPDATE[second-answer]", "B 200 INVITE", "A ACK"]
    assert line.a.it.agreed == line.b.it.agreed or line.a.it.agreed is not None
    assert name_of(line.a.last(Answer).sdp) == "second-answer"


def test_the_called_side_changes_an_unanswered_call_by_update() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    line.run()
    line.do(line.b, line.b.it.offer(sdp("from-b"), line.now))
    line.run()
    line.do(line.a, line.a.it.answer(sdp("from-a"), line.now))
    line.run()
    assert line.trace[-2:] == ["B UPDATE[from-b]", "A 200 UPDATE[from-a]"]
    assert name_of(line.b.last(Answer).sdp) == "from-a"


def test_before_the_first_exchange_there_is_no_update() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.run()
    with pytest.raises(LocalError):
        line.a.it.offer(sdp("second"), line.now)


def test_a_prack_with_a_new_offer() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    line.deliver("183 INVITE[answer]")
    prack = line.take("PRACK")
    body = sdp("prack-offer").encode()
    prack.data = prack.data.replace(
        b"Content-Length: 0", b"Content-Type: application/sdp\r\nContent-Length: %d" % len(body)
    )
    prack.data += body
    line.arrive(prack)
    assert name_of(line.b.last(Offer).sdp) == "prack-offer"
    line.do(line.b, line.b.it.answer(sdp("prack-answer"), line.now))
    assert line.trace[-1] == "B 200 PRACK[prack-answer]"


def test_a_caller_that_hangs_up_while_a_reliable_response_is_repeated() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    line.take("183 INVITE[answer]")
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    before = len(line.trace)
    line.advance(100)
    assert len(line.trace) == before
    assert line.a.it.finished and line.b.it.finished


def test_a_description_that_is_not_due_is_refused_when_the_acceptance_is_put_off_too() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    with pytest.raises(LocalError):
        line.b.it.accept(line.now, sdp("another"))
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    with pytest.raises(LocalError):
        line.b.it.progress(180, line.now)
    line.run()
    assert line.trace[-2:] == ["B 200 INVITE", "A ACK"] and line.b.has(Established)


def test_the_acceptance_with_the_answer_waits_for_the_prack_of_a_ringing_tone() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.run()
    assert line.trace[-4:] == ["A PRACK", "B 200 PRACK", "B 200 INVITE[answer]", "A ACK"]


def test_an_offer_before_the_one_that_is_due_from_us() -> None:
    line = ringing(None)
    line.do(line.b, line.b.it.progress(180, line.now))
    line.run()
    (peer,) = line.a.it._core.peers.values()
    update = peer.dialog.request("UPDATE")
    update.headers.add("Content-Type", "application/sdp")
    update.body = sdp("too early").encode()
    line._send(line.a, update)
    line.run()
    assert line.trace[-1] == "B 491 UPDATE" and not line.b.has(Offer)


def with_offer_in_prack() -> Line:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    line.deliver("183 INVITE[answer]")
    prack = line.take("PRACK")
    body = sdp("prack-offer").encode()
    head = prack.data.replace(b"Content-Length: 0", b"Content-Type: application/sdp\r\nContent-Length: %d" % len(body))
    prack.data = head + body
    line.arrive(prack)
    return line


def test_the_offer_of_a_prack_is_refused() -> None:
    line = with_offer_in_prack()
    line.do(line.b, line.b.it.refuse(line.now))
    assert line.trace[-1] == "B 488 PRACK"
    line.do(line.b, line.b.it.accept(line.now))
    assert line.trace[-1] == "B 200 INVITE"


def test_the_offer_of_a_prack_goes_with_the_call() -> None:
    line = with_offer_in_prack()
    line.do(line.a, line.a.it.hang_up(line.now))
    line.deliver("CANCEL")
    assert line.trace[-2:] == ["B 487 INVITE", "B 487 PRACK"]


def test_an_answer_that_is_missing_in_the_prack() -> None:
    line = ringing(None)
    line.do(line.b, line.b.it.progress(183, line.now, sdp("offer-b")))
    line.deliver("183 INVITE[offer-b]")
    line.do(line.a, line.a.it.answer(sdp("x"), line.now))
    prack = line.take("PRACK[x]")
    head, _, _ = prack.data.partition(b"\r\nContent-Type")
    prack.data = head + b"\r\nContent-Length: 0\r\n\r\n"
    line.arrive(prack)
    assert line.trace[-1] == "B 400 PRACK"


def test_an_update_that_the_peer_of_an_unanswered_call_does_not_hear_of_ends_it() -> None:
    line = ringing()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("answer")))
    line.run()
    line.do(line.b, line.b.it.offer(sdp("from-b"), line.now))
    line.take("UPDATE[from-b]")
    (ref,) = line.b.refs.values()
    line.do(line.b, line.b.it.timed_out(ref, line.now))
    line.run()
    assert line.a.last(Ended).status == 504 and line.b.last(Ended).by == "network"
