"""Floods: what is kept of them is bounded, refusals keep nothing, and others still get through."""

from __future__ import annotations

import pytest

from confero.protocols.sip.admission import Admission, TransactionLimits, source_name
from confero.protocols.sip.events import AckIn, RequestIn
from confero.protocols.sip.hub import Refusal
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.target import Target

from .layers import Driven
from .messages import PEER, request


def stranger(number: int) -> Target:
    return Target("udp", f"203.0.{number // 256}.{number % 256}", 5060)


def spoofed(number: int, method: str = "INVITE") -> Request:
    return request(method, branch=f"z9hG4bK-{number}", call_id=str(number))


def test_a_source_may_have_its_share_and_others_still_get_in() -> None:
    driven = Driven(TransactionLimits(waiting=8, share=0.5))
    events = [driven.opened(spoofed(number)) for number in range(4)]
    assert driven.receive(spoofed(4)) == []
    refusal, target = driven.sent[-1]
    assert isinstance(refusal, Response) and refusal.status == 503 and target == PEER
    assert refusal.headers.get("Retry-After") == "5"
    assert driven.layer.servers == 4 and driven.layer.tally.refused == 1
    other = driven.opened(spoofed(9), stranger(1))
    driven.respond(other, 486)
    # An answer makes room.
    driven.respond(events[0], 486)
    driven.opened(spoofed(5))


def test_spoofed_invites_from_everywhere_are_bounded() -> None:
    driven = Driven(TransactionLimits(waiting=100, answered=50))
    for number in range(1000):
        driven.receive(spoofed(number), stranger(number))
    assert driven.layer.servers == driven.layer.waiting == 100
    assert [what for _, what in driven.take_wire()] == ["503 INVITE"] * 900
    assert len(driven.told) == 100
    # The ACK of a refusal keeps nothing either.
    ack = request("ACK", branch="z9hG4bK-999", call_id="999", to_tag="x")
    assert driven.receive(ack, stranger(999)) == [AckIn(ack, stranger(999))]
    assert driven.layer.servers == 100


def test_a_refusal_is_repeated_the_same() -> None:
    driven = Driven(TransactionLimits(waiting=1))
    driven.opened(spoofed(0))
    for _ in range(2):
        driven.receive(spoofed(1))
    first, second = (bytes(message) for message, _ in driven.sent)
    assert first == second and b";tag=" in first


def test_answered_requests_are_remembered_up_to_a_number_and_the_oldest_goes() -> None:
    driven = Driven(TransactionLimits(answered=10, share=1.0))
    for number in range(30):
        event = driven.opened(spoofed(number, "OPTIONS"), stranger(number))
        driven.respond(event, 200)
        assert driven.layer.servers <= 10
    assert driven.layer.tally.forgotten == 20 and driven.layer.waiting == 0
    for number in range(20, 30):
        assert driven.receive(spoofed(number, "OPTIONS"), stranger(number)) == []
    assert isinstance(driven.receive(spoofed(19, "OPTIONS"), stranger(19))[0], RequestIn)
    driven.run(64)
    assert driven.layer.servers == 0 and driven.layer.next_deadline() is None


def test_a_flood_that_is_answered_pushes_out_its_own_only() -> None:
    driven = Driven(TransactionLimits(answered=20, share=0.5))
    other = driven.opened(spoofed(200), stranger(200))
    driven.respond(other, 486)
    for number in range(100):
        (event,) = driven.receive(spoofed(number, "OPTIONS"))
        assert isinstance(event, RequestIn)
        driven.respond(event, 200)
    assert driven.layer.servers == 11 and driven.layer.tally.forgotten == 90
    assert driven.receive(spoofed(200), stranger(200)) == []
    driven.run(33)
    assert driven.layer.servers == 0


def test_a_challenge_is_given_once_and_nothing_is_kept() -> None:
    driven = Driven()
    challenge = Refusal(401, fields=(("WWW-Authenticate", 'Digest realm="r", nonce="n"'),))
    for _ in range(2):
        driven.dismiss(driven.opened(spoofed(0)), challenge)
    driven.run(100)
    assert driven.take_wire() == [(0.0, "401 INVITE")] * 2
    first, second = (bytes(message) for message, _ in driven.sent)
    assert first == second and b'WWW-Authenticate: Digest realm="r", nonce="n"' in first
    assert driven.layer.servers == driven.layer.waiting == 0 and driven.layer.next_deadline() is None
    # The answer to it is a request of its own, though the call is the same.
    driven.opened(request("INVITE", branch="z9hG4bK-9", call_id="0", number=2))


def test_what_is_answered_is_not_dismissed() -> None:
    driven = Driven()
    event = driven.opened(spoofed(0))
    driven.respond(event, 200)
    driven.dismiss(event, Refusal(401))
    driven.run(1)
    assert driven.take_wire() == [(0.0, "200 INVITE")] and driven.layer.servers == 1


def test_a_cancel_gets_in_when_nothing_else_does() -> None:
    driven = Driven(TransactionLimits(waiting=1))
    event = driven.opened(spoofed(0))
    driven.receive(request("CANCEL", branch="z9hG4bK-0", call_id="0"))
    assert driven.take_wire() == [(0.0, "200 CANCEL")]
    driven.respond(event, 487)
    assert driven.layer.waiting == 0


def test_the_gate_is_asked_about_new_requests_only() -> None:
    asked: list[str] = []
    verdicts = [None, Refusal(403), Refusal(None), Refusal(503, 60), Refusal(403)]

    def gate(request: Request, source: Target, now: float) -> Refusal | None:
        asked.append(request.call_id)
        return verdicts[int(request.call_id)]

    driven = Driven(gate=gate)
    driven.opened(spoofed(0))
    for number in (0, 1, 2, 3):
        assert driven.receive(spoofed(number)) == []
    driven.receive(request("CANCEL", branch="z9hG4bK-0", call_id="0"))
    driven.receive(request("ACK", branch="z9hG4bK-0", call_id="0"))
    assert asked == ["0", "1", "2", "3"]
    assert [what for _, what in driven.take_wire()] == ["403 INVITE", "503 INVITE", "200 CANCEL"]
    assert driven.sent[1][0].headers.get("Retry-After") == "60"
    assert driven.layer.servers == 2 and driven.layer.tally.refused == 3


def test_a_source_is_an_address_or_a_64() -> None:
    assert source_name("192.0.2.1") != source_name("192.0.2.2")
    assert source_name("2001:db8::1") == source_name("2001:db8::2") != source_name("2001:db8:0:1::1")


def test_counts_come_back_to_nothing() -> None:
    admission = Admission(TransactionLimits(waiting=2, share=1.0))
    for _ in range(2):
        admission.came("a")
    assert not admission.admits("a") and not admission.admits("b")
    admission.went("a")
    assert admission.waiting == 1 and admission.admits("b")
    admission.went("a")
    assert admission.waiting == 0 and admission._sources == {}


@pytest.mark.parametrize("wrong", [{"waiting": 0}, {"answered": 0}, {"clients": 0}, {"share": 0}, {"share": 1.1}])
def test_limits_that_make_no_sense(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="limits"):
        TransactionLimits(**wrong)  # type: ignore[arg-type]
