"""The race conditions of RFC 5407, by its section numbers: messages that cross, and what each side makes of them."""

from __future__ import annotations

from confero.protocols.sip.session import Answer, Ended, Established, Offer, OfferRefused, SessionConfig

from .line import Line, name_of, sdp

PLAIN = SessionConfig("<sip:b@192.0.2.2>", reliable="asked")


def ringing() -> Line:
    line = Line(b=PLAIN)
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.run()
    line.trace.clear()
    return line


def running() -> Line:
    line = Line(b=PLAIN)
    line.establish()
    return line


def both_ended(line: Line) -> bool:
    line.run()
    line.advance(70)
    return line.a.it.finished and line.b.it.finished and line.a.has(Ended) and line.b.has(Ended)


def test_3_1_2_cancel_meets_the_2xx() -> None:
    line = ringing()
    line.do(line.a, line.a.it.hang_up(line.now))
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.run()
    assert line.trace == ["A CANCEL", "B 200 INVITE[answer]", "A ACK", "A BYE", "B 200 BYE"]
    assert both_ended(line) and not line.a.has(Established)


def test_3_1_3_bye_on_an_early_dialog() -> None:
    line = ringing()
    (peer,) = line.a.it._core.peers.values()
    line._send(line.a, peer.dialog.request("BYE"))
    line.run()
    assert line.trace == ["A BYE", "B 200 BYE", "B 487 INVITE"]
    assert line.b.last(Ended).by == "peer"


def test_3_1_4_reinvite_while_the_2xx_is_not_acknowledged() -> None:
    line = ringing()
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.deliver("200 INVITE[answer]")
    ack = line.take("ACK")
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.deliver("INVITE[hold]")
    # Offer and answer are over: the ACK being late does not matter.
    assert name_of(line.b.last(Offer).sdp) == "hold"
    line.do(line.b, line.b.it.answer(sdp("hold-ok"), line.now))
    line.arrive(ack)
    line.run()
    assert name_of(line.a.last(Answer).sdp) == "hold-ok"
    before = len(line.trace)
    line.advance(60)
    assert len(line.trace) == before, "both 2xx are acknowledged"


def test_3_1_4_reinvite_while_our_offer_waits_for_the_ack() -> None:
    line = Line(b=PLAIN)
    line.call(None)
    line.run()
    line.do(line.b, line.b.it.accept(line.now, sdp("offer-b")))
    line.run()
    line.do(line.a, line.a.it.answer(sdp("answer-a"), line.now))
    ack = line.take("ACK[answer-a]")
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.run()
    assert line.trace[-1] == "B 491 INVITE" and line.a.last(OfferRefused).status == 491
    line.arrive(ack)
    assert name_of(line.b.last(Answer).sdp) == "answer-a"


def test_3_1_5_bye_while_the_2xx_is_not_acknowledged() -> None:
    line = ringing()
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.deliver("200 INVITE[answer]")
    ack = line.take("ACK")
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    assert line.trace[-2:] == ["A BYE", "B 200 BYE"]
    line.arrive(ack)
    before = len(line.trace)
    line.advance(60)
    assert len(line.trace) == before, "the 2xx is not repeated any more"
    assert both_ended(line)


def test_3_2_1_bye_meets_reinvite() -> None:
    line = running()
    line.do(line.a, line.a.it.hang_up(line.now))
    line.do(line.b, line.b.it.offer(sdp("hold"), line.now))
    line.deliver("INVITE[hold]")
    assert line.trace[-1] == "A 481 INVITE"
    line.run()
    assert line.trace == ["A BYE", "B INVITE[hold]", "A 481 INVITE", "B 200 BYE"]
    assert both_ended(line) and line.b.last(Ended).by == "peer"


def test_3_2_2_update_meets_reinvite() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("from-a"), line.now))
    dialog = line.b.it.dialog
    assert dialog is not None
    update = dialog.request("UPDATE")
    update.headers.add("Contact", "<sip:b@192.0.2.2>")
    update.headers.add("Content-Type", "application/sdp")
    update.body = sdp("from-b").encode()
    line._send(line.b, update)
    line.deliver("UPDATE[from-b]")
    assert line.trace[-1] == "A 491 UPDATE"
    line.run()
    line.do(line.b, line.b.it.answer(sdp("yes"), line.now))
    line.run()
    assert name_of(line.a.last(Answer).sdp) == "yes"


def test_3_2_4_bye_meets_reinvite_of_the_same_side() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.run()
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    assert line.trace == ["A INVITE[hold]", "A BYE", "B 200 BYE", "B 487 INVITE"]
    assert both_ended(line)


def test_3_2_4_a_2xx_to_the_reinvite_after_the_bye_is_acknowledged() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.run()
    line.do(line.b, line.b.it.answer(sdp("yes"), line.now))
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    assert "A ACK" in line.trace and both_ended(line)


def test_3_3_1_bye_meets_bye() -> None:
    line = running()
    line.do(line.a, line.a.it.hang_up(line.now))
    line.do(line.b, line.b.it.hang_up(line.now))
    line.run()
    assert sorted(line.trace) == ["A 200 BYE", "A BYE", "B 200 BYE", "B BYE"]
    assert line.a.last(Ended).by == "us" and line.b.last(Ended).by == "us"
    line.advance(60)
    assert line.a.it.finished and line.b.it.finished


def test_the_offer_to_hang_up_on_is_answered() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.run()
    line.do(line.b, line.b.it.hang_up(line.now))
    line.run()
    assert line.trace == ["A INVITE[hold]", "B BYE", "B 487 INVITE", "A 200 BYE"]
    assert both_ended(line)


def test_two_reinvites_of_one_side_do_not_overtake_each_other() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("one"), line.now))
    line.run()
    dialog = line.a.it.dialog
    assert dialog is not None
    second = dialog.request("INVITE")
    second.headers.add("Contact", "<sip:a@192.0.2.1>")
    line._send(line.a, second)
    refused = line.take("INVITE")
    line.arrive(refused)
    assert line.trace[-1] == "B 500 INVITE" and b"Retry-After: " in line.take("500 INVITE").data


def test_a_request_that_comes_after_its_successor_is_refused() -> None:
    line = running()
    dialog = line.a.it.dialog
    assert dialog is not None
    for _ in range(2):
        line._send(line.a, dialog.request("OPTIONS"))
    first = line.take("OPTIONS")
    line.run()
    line.arrive(first)
    assert line.trace[-2:] == ["B 200 OPTIONS", "B 500 OPTIONS"]
