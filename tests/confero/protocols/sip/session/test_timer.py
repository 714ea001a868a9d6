"""Session timers (RFC 4028): who refreshes, how often, how short an interval may be, and what happens to calls of the dead."""

from __future__ import annotations

import pytest

from confero.protocols.sip import Request, parse
from confero.protocols.sip.session import Ended, Established, Offer, OfferRefused, SessionConfig
from confero.protocols.sip.session.actions import Key
from confero.protocols.sip.session.receiving import Receiver

from .line import Line, sdp

A = "<sip:a@192.0.2.1>"
B = "<sip:b@192.0.2.2>"


def running(a: SessionConfig, b: SessionConfig, *drop: bytes) -> Line:
    """A call whose INVITE lacks the lines that begin with ``drop``: the peer is an older one."""
    line = Line(a, b)
    line.call()
    invite = line.take("INVITE[offer]")
    head, _, body = invite.data.partition(b"\r\n\r\n")
    head = b"\r\n".join(row for row in head.split(b"\r\n") if not row.startswith(drop or (b"\0",)))
    invite.data = head + b"\r\n\r\n" + body
    line.arrive(invite)
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.run()
    line.trace.clear()
    return line


def test_the_caller_refreshes_by_update_after_half_the_interval() -> None:
    line = running(SessionConfig(A, session_expires=200), SessionConfig(B))
    line.advance(99.9)
    assert line.trace == []
    line.advance(0.2)
    assert line.trace == ["A UPDATE", "B 200 UPDATE"]
    line.advance(1000)
    assert line.trace == ["A UPDATE", "B 200 UPDATE"] * 11
    assert not line.a.has(Ended) and not line.b.has(Offer)


def test_without_update_the_refresh_is_a_reinvite_that_disturbs_nobody() -> None:
    line = running(SessionConfig(A, session_expires=200), SessionConfig(B))
    line.a.it._core.peer_allows = frozenset({"INVITE"})
    line.b.told.clear()
    line.advance(101)
    assert line.trace == ["A INVITE[offer]", "B 200 INVITE[answer]", "A ACK"]
    assert not line.b.has(Offer)


def test_a_peer_that_denies_update_is_refreshed_by_reinvite_from_then_on() -> None:
    line = running(SessionConfig(A, session_expires=200), SessionConfig(B))
    receiver = line.b.it._receiver
    receiver.handlers = {method: handler for method, handler in receiver.handlers.items() if method != "UPDATE"}
    line.advance(104)
    assert line.trace == ["A UPDATE", "B 405 UPDATE", "A INVITE[offer]", "B 200 INVITE[answer]", "A ACK"]


@pytest.mark.parametrize(("dead", "seconds"), [("b", 168.0), ("a", 168.0)])
def test_a_call_with_the_dead_ends_a_margin_before_the_session_expires(dead: str, seconds: float) -> None:
    line = running(SessionConfig(A, session_expires=200), SessionConfig(B))
    gone, left = (line.a, line.b) if dead == "a" else (line.b, line.a)
    gone.session = None
    at = line.now
    while not left.has(Ended) and line.now < at + 300:
        line.tick(0.5)
        line.flight.clear()
    # 10: by min(32, a third).
    assert line.now - at == pytest.approx(seconds, abs=0.5)
    assert left.last(Ended).by == "network" and line.trace[-1] == f"{left.name} BYE"


def test_too_short_an_interval_is_refused_and_a_longer_one_offered() -> None:
    line = Line(SessionConfig(A, session_expires=100), SessionConfig(B, min_se=600))
    line.call()
    line.run()
    assert line.trace == ["A INVITE[offer]", "B 422 INVITE", "A INVITE[offer]"]
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.run()
    assert line.a.has(Established) and line.a.it._parts.timer.interval == 600


def test_a_peer_that_always_refuses_the_interval_is_not_called_for_ever() -> None:
    line = Line(SessionConfig(A, session_expires=100))
    line.call()
    for _ in range(9):
        if not line.flight:
            break
        invite = parse(line.flight.pop().data)
        assert isinstance(invite, Request)
        from confero.protocols.sip import response_to

        response = response_to(invite, 422, to_tag="t")
        least = int((invite.headers.get("Session-Expires") or "0").split(";")[0]) * 2
        response.headers.add("Min-SE", str(least))
        ref = line.a.refs[invite.top_via.branch, invite.cseq.number, "INVITE"]
        line.do(line.a, line.a.it.response(ref, response, line.now))
    assert line.trace == ["A INVITE[offer]"] * 5 and line.a.last(Ended).status == 422


@pytest.mark.parametrize(
    ("asked", "supported", "said"),
    [
        ("1000", True, "1000;refresher=uac"),
        ("1000;refresher=uas", True, "1000;refresher=uas"),
        ("1000;refresher=uac", True, "1000;refresher=uac"),
        ("1000", False, "1000;refresher=uas"),
        ("1000;refresher=uac", False, "1000;refresher=uas"),
        ("4000", True, "1800;refresher=uac"),
        ("50", False, "90;refresher=uas"),
        (None, True, "1800;refresher=uac"),
        (None, False, "1800;refresher=uas"),
    ],
)
def test_who_refreshes_by_table_2(asked: str | None, supported: bool, said: str) -> None:
    line = Line(SessionConfig(A, session_expires=0), SessionConfig(B))
    line.invite_headers = [("Session-Expires", asked)] if asked else []
    line.call()
    invite = line.take("INVITE[offer]")
    if not supported:
        invite.data = invite.data.replace(b"100rel, timer, ", b"")
    line.arrive(invite)
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    response = parse(line.take("200 INVITE[answer]").data)
    assert response.headers.get("Session-Expires") == said
    assert ("timer" in response.headers.all("Require")) is supported


def test_no_session_timer_where_nobody_wants_one() -> None:
    line = running(SessionConfig(A, session_expires=0), SessionConfig(B, session_expires=0))
    assert line.a.it.next_deadline() is None and line.b.it.next_deadline() is None


def test_a_peer_without_session_timers_is_refreshed_by_us() -> None:
    line = running(SessionConfig(A, session_expires=0), SessionConfig(B, session_expires=200), b"Supported")
    line.advance(101)
    assert line.trace == ["B UPDATE", "A 200 UPDATE"]


def test_a_refused_refresh_is_tried_again_until_the_session_expires() -> None:
    line = running(SessionConfig(A, session_expires=200), SessionConfig(B))

    def busy(receiver: Receiver, key: Key, request: Request, now: float) -> None:
        receiver.core.reply(key, request, 500)

    receiver = line.b.it._receiver
    receiver.handlers = receiver.handlers | {"UPDATE": busy}
    line.advance(169)
    assert line.trace.count("B 500 UPDATE") > 20
    assert "A BYE" in line.trace and line.a.last(Ended).by == "network"
    assert not line.a.has(OfferRefused)


def test_an_offer_refreshes_too() -> None:
    line = running(SessionConfig(A, session_expires=200), SessionConfig(B))
    line.advance(90)
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.run()
    line.do(line.b, line.b.it.answer(sdp("ok"), line.now))
    line.run()
    line.trace.clear()
    line.advance(99)
    assert line.trace == []
    line.advance(2)
    assert line.trace == ["A UPDATE", "B 200 UPDATE"]
