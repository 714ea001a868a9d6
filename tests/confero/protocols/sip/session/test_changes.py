"""Changes of a running call: hold, resume, refusals, glare, and what a failed change leaves (RFC 3261 section 14, 3311, 6141)."""

from __future__ import annotations

import pytest

from confero.errors import LocalError
from confero.protocols.sip.session import (
    Answer,
    Ended,
    Offer,
    OfferDue,
    OfferRefused,
    OfferWanted,
    OfferWithdrawn,
    SessionConfig,
)

from .line import End, Line, name_of, sdp


def running() -> Line:
    line = Line()
    line.establish()
    return line


def agreed(end: End) -> tuple[str, str]:
    found = end.it.agreed
    assert found is not None
    return name_of(found.local), name_of(found.remote)


@pytest.mark.parametrize("from_a", [True, False])
def test_hold_and_resume(from_a: bool) -> None:
    line = running()
    one, other = (line.a, line.b) if from_a else (line.b, line.a)
    for change in ("hold", "resume"):
        line.do(one, one.it.offer(sdp(change), line.now))
        line.run()
        assert name_of(other.last(Offer).sdp) == change
        line.do(other, other.it.answer(sdp(f"{change}-ok"), line.now))
        line.run()
        assert agreed(one) == (change, f"{change}-ok") and agreed(other) == (f"{change}-ok", change)
    assert line.trace == [
        f"{one.name} INVITE[hold]",
        f"{other.name} 200 INVITE[hold-ok]",
        f"{one.name} ACK",
        f"{one.name} INVITE[resume]",
        f"{other.name} 200 INVITE[resume-ok]",
        f"{one.name} ACK",
    ]


def test_a_refused_change_leaves_the_call_as_it_was() -> None:
    line = running()
    before = agreed(line.a), agreed(line.b)
    line.do(line.a, line.a.it.offer(sdp("video"), line.now))
    line.run()
    line.do(line.b, line.b.it.refuse(line.now))
    line.run()
    assert line.trace == ["A INVITE[video]", "B 488 INVITE"]
    assert line.a.last(OfferRefused).status == 488
    assert (agreed(line.a), agreed(line.b)) == before
    for one, other in ((line.a, line.b), (line.b, line.a)):
        line.do(one, one.it.offer(sdp("again"), line.now))
        line.run()
        line.do(other, other.it.answer(sdp("yes"), line.now))
        line.run()
        assert agreed(one) == ("again", "yes")


def test_an_offer_that_nobody_answers_is_refused_in_time() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.advance(9.9)
    assert line.trace == ["A INVITE[hold]"]
    line.advance(0.2)
    assert line.trace[-1] == "B 504 INVITE" and line.b.has(OfferWithdrawn)
    assert line.a.last(OfferRefused).status == 504 and not line.a.has(Ended)


def test_two_offers_cross_and_both_are_made_in_the_end() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("from-a"), line.now))
    line.do(line.b, line.b.it.offer(sdp("from-b"), line.now))
    line.run()
    assert sorted(line.trace[2:]) == ["A 491 INVITE", "B 491 INVITE"]
    assert agreed(line.a) == ("offer", "answer")
    line.advance(2.05)
    # 14.1: who made the Call-ID waits 2.1 to 4 s, the other one at most 2.
    assert line.b.has(OfferDue) and not line.a.has(OfferDue)
    line.do(line.b, line.b.it.offer(sdp("from-b"), line.now))
    line.run()
    line.do(line.a, line.a.it.answer(sdp("yes"), line.now))
    line.run()
    line.advance(2.0)
    assert line.a.has(OfferDue)
    line.do(line.a, line.a.it.offer(sdp("from-a"), line.now))
    line.run()
    line.do(line.b, line.b.it.answer(sdp("yes"), line.now))
    line.run()
    assert agreed(line.a) == ("from-a", "yes") and agreed(line.b) == ("yes", "from-a")


def test_no_offer_while_one_is_open() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("one"), line.now))
    with pytest.raises(LocalError):
        line.a.it.offer(sdp("two"), line.now)
    line.run()
    with pytest.raises(LocalError):
        line.b.it.offer(sdp("three"), line.now)
    line.do(line.b, line.b.it.want_offer(line.now))
    assert not line.b.has(OfferDue)
    line.do(line.b, line.b.it.answer(sdp("yes"), line.now))
    assert not line.b.has(OfferDue), "the 2xx is not acknowledged yet"
    line.run()
    assert line.b.has(OfferDue)


def test_the_peer_is_asked_for_an_offer() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(None, line.now))
    line.run()
    assert line.b.has(OfferWanted)
    line.do(line.b, line.b.it.offer(sdp("fresh"), line.now))
    line.run()
    assert name_of(line.a.last(Offer).sdp) == "fresh"
    line.do(line.a, line.a.it.answer(sdp("fresh-ok"), line.now))
    line.run()
    assert line.trace == ["A INVITE", "B 200 INVITE[fresh]", "A ACK[fresh-ok]"]
    assert name_of(line.b.last(Answer).sdp) == "fresh-ok"
    assert agreed(line.b) == ("fresh", "fresh-ok")


def test_who_has_asked_for_an_offer_takes_no_other_one() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(None, line.now))
    line.do(line.b, line.b.it.offer(sdp("from-b"), line.now))
    line.deliver("INVITE[from-b]")
    assert line.trace[-1] == "A 491 INVITE" and not line.a.has(Offer)
    line.run()
    assert sorted(line.trace[2:]) == ["A 491 INVITE", "B 491 INVITE"]


def test_who_is_asked_for_an_offer_may_refuse() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(None, line.now))
    line.run()
    line.do(line.b, line.b.it.refuse(line.now, 488))
    line.run()
    assert line.trace[-1] == "B 488 INVITE" and not line.a.has(Ended)
    assert agreed(line.a) == ("offer", "answer")


def test_a_reinvite_that_repeats_what_holds_does_not_disturb_the_owner() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("offer"), line.now))
    line.run()
    assert line.trace == ["A INVITE[offer]", "B 200 INVITE[answer]", "A ACK"]
    assert not line.b.has(Offer) and not line.a.has(Answer)


def test_a_cancelled_reinvite_leaves_the_call_as_it_was() -> None:
    line = running()
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.run()
    (key,) = [key for key in line.a.refs if key[2] == "INVITE"][-1:]
    invite = line.a.sent[line.a.refs[key]]
    line.do(line.b, line.b.it.cancelled((key[0], "INVITE"), invite, line.now))
    line.run()
    assert line.trace[-1] == "B 487 INVITE" and line.b.has(OfferWithdrawn)
    assert line.a.last(OfferRefused).status == 487 and agreed(line.b) == ("answer", "offer")


def test_a_change_that_the_peer_does_not_know_the_call_for_ends_it() -> None:
    line = running()
    line.b.session = None
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    invite = line.take("INVITE[hold]")
    ref = line.a.refs[next(reversed(line.a.refs))]
    line.do(line.a, line.a.it.timed_out(ref, line.now))
    assert invite is not None and line.trace[-1] == "A BYE"
    assert line.a.last(Ended).by == "network"


def test_an_unsupported_method_or_option_is_refused_and_nothing_else_happens() -> None:
    line = running()
    dialog = line.a.it.dialog
    assert dialog is not None
    for method, headers, status in (
        ("PUBLISH", [], 405),
        ("INFO", [("Require", "eventlist")], 420),
        ("OPTIONS", [], 200),
    ):
        request = dialog.request(method)
        for name, value in headers:
            request.headers.add(name, value)
        line._send(line.a, request)
        line.run()
        assert line.trace[-1] == f"B {status} {method}"
    assert line.b.it.phase == "established"


def test_the_peer_may_move() -> None:
    line = running()
    line.a.it._core.config = SessionConfig("<sip:a@192.0.2.99>")
    line.do(line.a, line.a.it.offer(sdp("moved"), line.now))
    line.run()
    line.do(line.b, line.b.it.answer(sdp("yes"), line.now))
    line.run()
    line.do(line.b, line.b.it.hang_up(line.now))
    assert line.take("BYE").data.startswith(b"BYE sip:a@192.0.2.99 ")


def test_a_call_goes_on_after_a_restart() -> None:
    line = running()
    state = line.b.it.to_json()
    line.b.session = type(line.b.it).resumed(line.b.config, state, line.now, random=line.random)
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.run()
    line.do(line.b, line.b.it.answer(sdp("hold-ok"), line.now))
    line.run()
    line.do(line.b, line.b.it.hang_up(line.now))
    line.run()
    assert line.trace[-2:] == ["B BYE", "A 200 BYE"] and line.a.last(Ended).by == "peer"
