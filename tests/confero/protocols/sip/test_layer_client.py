"""Requests of ours: sent again at the exact times, answered once, cancelled by the rules, failed where they fail."""

from __future__ import annotations

import pytest

from confero.errors import LocalError, Unavailable
from confero.protocols.sip.admission import TransactionLimits
from confero.protocols.sip.events import ClientKey, ResponseIn, StrayResponse, TimedOut, TransportFailed
from confero.protocols.sip.message import Request
from confero.protocols.sip.target import Target
from confero.protocols.sip.timers import Timers

from .layers import Driven
from .messages import PEER, PEER_TCP, request, response

BRANCH = "z9hg4bk-1"
INVITE = ClientKey(BRANCH, "INVITE")
DOUBLING = [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
UP_TO_T2 = [0.0, 0.5, 1.5, 3.5, *(7.5 + 4 * n for n in range(7))]


def invite() -> tuple[Driven, Request]:
    driven, message = Driven(), request("INVITE")
    assert driven.request(message) == INVITE
    return driven, message


def statuses(driven: Driven) -> list[str]:
    return [
        f"{type(event).__name__} {event.response.status}"
        if isinstance(event, ResponseIn | StrayResponse)
        else type(event).__name__
        for event in driven.told
    ]


def empty(driven: Driven) -> bool:
    return driven.layer.clients == driven.layer.servers == 0 and driven.layer.next_deadline() is None


@pytest.mark.parametrize(("method", "times"), [("INVITE", DOUBLING), ("OPTIONS", UP_TO_T2), ("REGISTER", UP_TO_T2)])
def test_an_unanswered_request_over_udp(method: str, times: list[float]) -> None:
    driven = Driven()
    key = driven.request(request(method))
    driven.run(100)
    assert driven.take_wire() == [(at, method) for at in times]
    assert (driven.told, driven.told_at) == ([TimedOut(key)], [32.0])
    assert driven.layer.tally.sent_again == len(times) - 1
    assert empty(driven)


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_over_tcp_it_is_sent_once(method: str) -> None:
    driven = Driven()
    key = driven.request(request(method), PEER_TCP)
    driven.run(100)
    assert driven.take_wire() == [(0.0, method)]
    assert (driven.told, driven.told_at) == ([TimedOut(key)], [32.0])
    assert empty(driven)


def test_timers_follow_t1() -> None:
    driven = Driven(timers=Timers(t1=0.25, t2=1.0))
    driven.request(request())
    driven.run(100)
    assert driven.take_wire()[:5] == [(at, "OPTIONS") for at in (0.0, 0.25, 0.75, 1.75, 2.75)]
    assert driven.told_at == [16.0]


def test_a_provisional_response_silences_an_invite() -> None:
    driven, message = invite()
    driven.run(0.6)
    driven.receive(response(message, 180))
    driven.run(500)
    assert driven.take_wire() == [(0.0, "INVITE"), (0.5, "INVITE")]
    assert statuses(driven) == ["ResponseIn 180"]
    assert driven.layer.clients == 1
    driven.receive(response(message, 200))
    driven.run(32.5)
    assert statuses(driven) == ["ResponseIn 180", "ResponseIn 200"] and empty(driven)


def test_a_provisional_response_slows_other_requests_down() -> None:
    driven = Driven()
    message = request()
    driven.request(message)
    driven.run(0.7)
    driven.receive(response(message, 100))
    driven.run(100)
    # 17.1.2.2: timer E goes on, and is T2 from then on; F is not started again.
    assert [at for at, _ in driven.take_wire()] == [0.0, 0.5, *(1.5 + 4 * n for n in range(8))]
    assert driven.told_at[-1] == 32.0 and statuses(driven)[-1] == "TimedOut"


def test_a_refused_invite_is_acknowledged_each_time() -> None:
    driven, message = invite()
    for _ in range(3):
        driven.receive(response(message, 486))
        driven.run(1)
    assert driven.take_wire() == [(0.0, "INVITE"), (0.0, "ACK"), (1.0, "ACK"), (2.0, "ACK")]
    assert statuses(driven) == ["ResponseIn 486"]
    ack, target = driven.sent[1]
    assert isinstance(ack, Request) and target == PEER
    # 17.1.1.3
    assert (ack.uri, ack.call_id) == (message.uri, message.call_id)
    assert (ack.cseq.number, ack.cseq.method) == (message.cseq.number, "ACK")
    assert str(ack.top_via) == str(message.top_via) and len(ack.vias) == 1
    assert ack.to.parameters["tag"] == "bob" and ack.from_.parameters["tag"] == "alice"
    driven.run(32)
    assert empty(driven)


def test_further_2xx_are_strays_and_never_a_second_final() -> None:
    driven, message = invite()
    driven.receive(response(message, 200))
    driven.run(0.5)
    driven.receive(response(message, 200))
    driven.receive(response(message, 200, to_tag="fork"))
    driven.receive(response(message, 486))
    driven.receive(response(message, 180))
    assert statuses(driven) == ["ResponseIn 200", "StrayResponse 200", "StrayResponse 200"]
    driven.run(31.5)  # timer M
    assert empty(driven)
    driven.receive(response(message, 200))
    driven.receive(response(message, 486))
    assert statuses(driven)[3:] == ["StrayResponse 200"]
    assert driven.take_wire() == [(0.0, "INVITE")]


def test_repeated_finals_of_other_requests_are_absorbed() -> None:
    driven = Driven()
    message = request()
    driven.request(message)
    for status in (200, 200, 500):
        driven.receive(response(message, status))
    assert statuses(driven) == ["ResponseIn 200"]
    assert driven.layer.tally.absorbed == 2
    driven.run(5.0)  # timer K
    assert empty(driven)


def test_responses_are_matched_by_branch_and_method() -> None:
    driven = Driven()
    ours = request(branch="z9hG4bK-Ours")
    driven.request(ours)
    other = request(branch="z9hG4bK-other")
    method = request("INFO", branch="z9hG4bK-ours")
    for message in (other, method):
        assert driven.receive(response(message, 200)) == []
    assert driven.layer.tally.unmatched == 2
    shouted = request(branch="Z9HG4BK-OURS")
    assert [type(event) for event in driven.receive(response(shouted, 200))] == [ResponseIn]


def test_a_response_with_another_via_below_is_not_ours() -> None:
    driven = Driven()
    message = request()
    driven.request(message)
    foreign = request(extra="Via: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bK-9\r\n")
    assert driven.receive(response(foreign, 200)) == []


def test_cancel_waits_for_a_provisional_response() -> None:
    driven, message = invite()
    cancel = driven.cancel(INVITE)
    assert cancel == ClientKey(BRANCH, "CANCEL")
    driven.run(1)
    driven.receive(response(message, 100))
    assert driven.take_wire() == [(0.0, "INVITE"), (0.5, "INVITE"), (1.0, "CANCEL")]
    sent, target = driven.sent[-1]
    assert isinstance(sent, Request) and target == PEER
    assert (sent.uri, sent.cseq.number, str(sent.top_via)) == (message.uri, 1, str(message.top_via))
    driven.receive(response(sent, 200))
    driven.receive(response(message, 487))
    assert statuses(driven) == ["ResponseIn 100", "ResponseIn 200", "ResponseIn 487"]
    assert driven.take_wire() == [(1.0, "ACK")]
    driven.run(33)
    assert empty(driven)


def test_cancel_is_sent_once_and_again_by_its_own_timers() -> None:
    driven, message = invite()
    driven.receive(response(message, 180))
    assert driven.cancel(INVITE) == driven.cancel(INVITE)
    driven.run(2)
    assert driven.take_wire()[1:] == [(0.0, "CANCEL"), (0.5, "CANCEL"), (1.5, "CANCEL")]


def test_a_cancelled_invite_is_given_up_after_64_t1() -> None:
    driven, message = invite()
    driven.receive(response(message, 180))
    driven.run(10)
    cancel = driven.cancel(INVITE)
    driven.run(100)
    assert driven.told[1:] == [TimedOut(INVITE), TimedOut(cancel)] or driven.told[1:] == [
        TimedOut(cancel),
        TimedOut(INVITE),
    ]
    assert driven.told_at[1:] == [42.0, 42.0] and empty(driven)
    # Whoever answers even now is told to hang up.
    driven.receive(response(message, 200))
    assert statuses(driven)[-1] == "StrayResponse 200"


def test_a_200_that_crosses_the_cancel_is_the_final() -> None:
    driven, message = invite()
    driven.receive(response(message, 180))
    driven.cancel(INVITE)
    cancel = driven.sent[-1][0]
    assert isinstance(cancel, Request)
    driven.receive(response(message, 200))
    driven.receive(response(cancel, 481))
    assert statuses(driven) == ["ResponseIn 180", "ResponseIn 200", "ResponseIn 481"]
    driven.run(33)
    assert empty(driven) and len(driven.told) == 3


def test_a_final_before_the_cancel_could_go_leaves_it_unsent() -> None:
    driven, message = invite()
    driven.cancel(INVITE)
    driven.receive(response(message, 486))
    driven.cancel(INVITE)
    assert [what for _, what in driven.take_wire()] == ["INVITE", "ACK"]


def test_only_invites_are_cancelled() -> None:
    driven = Driven()
    with pytest.raises(LocalError):
        driven.cancel(driven.request(request()))


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@pytest.mark.parametrize("target", [PEER, PEER_TCP], ids=["udp", "tcp"])
def test_a_transport_error_ends_it_at_once(method: str, target: Target) -> None:
    driven = Driven()
    key = driven.request(request(method), target)
    assert driven.fail(target._replace(port=9)) == []
    assert driven.fail(target) == [TransportFailed(key)]
    assert driven.fail(target) == [] and empty(driven)


def test_the_loss_of_a_connection_ends_a_ringing_invite_and_an_icmp_error_does_not() -> None:
    for target, seen in ((PEER, []), (PEER_TCP, [TransportFailed(INVITE)])):
        driven, message = Driven(), request("INVITE")
        driven.request(message, target)
        driven.receive(response(message, 180), target)
        assert driven.fail(target) == seen


def test_what_cannot_be_started_is_our_fault() -> None:
    driven = Driven(TransactionLimits(clients=1))
    for wrong in (request("ACK"), request(branch=None), request(branch="1234")):
        with pytest.raises(LocalError):
            driven.request(wrong)
    driven.request(request())
    with pytest.raises(LocalError):
        driven.request(request())
    with pytest.raises(Unavailable):
        driven.request(request(branch="z9hG4bK-2"))
    driven.run(32)
    driven.request(request(branch="z9hG4bK-2"))


def test_a_503_asks_to_be_left_alone() -> None:
    driven = Driven()
    for number, (status, extra, until) in enumerate(
        [
            (503, "", None),
            (500, "Retry-After: 30\r\n", None),
            (503, "Retry-After: soon\r\n", None),
            (503, "Retry-After: 30 (lunch);duration=3600\r\n", 30.0),
            (503, "Retry-After: 99999999\r\n", 600.0),
        ]
    ):
        message = request(branch=f"z9hG4bK-{number}")
        driven.request(message)
        driven.receive(response(message, status, extra=extra))
        found = driven.layer.unwilling_until(PEER, driven.now)
        assert found == (None if until is None else driven.now + until), (status, extra)
    assert driven.layer.unwilling_until(PEER._replace(port=5070), driven.now) is None
    driven.run(600)
    assert driven.layer.unwilling_until(PEER, driven.now) is None
