"""Requests of peers: answered once, repeated responses, ACK and CANCEL matched, old peers, merged requests, where responses go."""

from __future__ import annotations

import pytest

from confero.protocols.sip.events import AckIn, CancelIn, RequestIn, TimedOut, TransportFailed
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.target import Target

from .layers import Driven
from .messages import PEER, PEER_TCP, request

UP_TO_T2 = [0.0, 0.5, 1.5, 3.5, *(7.5 + 4 * n for n in range(7))]


def empty(driven: Driven) -> bool:
    layer = driven.layer
    return layer.clients == layer.servers == layer.waiting == 0 and layer.next_deadline() is None


def test_100_after_200_ms_of_silence() -> None:
    driven = Driven()
    driven.opened(request("INVITE"))
    driven.receive(request("INVITE"))
    driven.run(1)
    driven.receive(request("INVITE"))
    assert driven.take_wire() == [(0.2, "100 INVITE"), (1.0, "100 INVITE")]
    trying = driven.sent[0][0]
    assert "tag" not in trying.to.parameters  # 8.2.6.2
    assert driven.layer.tally.absorbed == 2 and len(driven.told) == 1


@pytest.mark.parametrize("status", [180, 200, 404])
def test_no_100_when_the_user_was_faster(status: int) -> None:
    driven = Driven()
    event = driven.opened(request("INVITE"))
    driven.run(0.1)
    driven.respond(event, status)
    driven.run(0.3)
    assert driven.take_wire() == [(0.1, f"{status} INVITE")]


def test_a_refusal_of_an_invite_is_repeated_until_the_ack() -> None:
    driven = Driven()
    event = driven.opened(request("INVITE"))
    driven.respond(event, 486)
    driven.run(4)
    assert driven.receive(request("ACK", to_tag="us")) == []
    driven.run(1)
    assert driven.receive(request("ACK", to_tag="us")) == []
    driven.receive(request("INVITE"))
    driven.run(4)
    assert driven.take_wire() == [(at, "486 INVITE") for at in (0.0, 0.5, 1.5, 3.5)]
    assert len(driven.told) == 1 and empty(driven)  # timer I: 5 s after the first ACK


def test_no_ack_ever() -> None:
    driven = Driven()
    event = driven.opened(request("INVITE"))
    driven.respond(event, 486)
    driven.run(100)
    assert driven.take_wire() == [(at, "486 INVITE") for at in UP_TO_T2]
    assert driven.told[1:] == [TimedOut(event.key)] and driven.told_at[1:] == [32.0]
    assert empty(driven)


def test_no_ack_ever_over_tcp() -> None:
    driven = Driven()
    event = driven.opened(request("INVITE"), PEER_TCP)
    driven.respond(event, 486)
    driven.run(100)
    assert driven.take_wire() == [(0.0, "486 INVITE")]
    assert driven.told[1:] == [TimedOut(event.key)] and empty(driven)


def test_after_a_2xx_repeated_invites_are_absorbed_and_the_user_repeats_it() -> None:
    driven = Driven()
    event = driven.opened(request("INVITE"))
    driven.respond(event, 200)
    driven.run(0.5)
    assert driven.receive(request("INVITE")) == []
    driven.respond(event, 200)
    driven.respond(event, 486)
    driven.respond(event, 180)
    assert driven.take_wire() == [(0.0, "200 INVITE"), (0.5, "200 INVITE")]
    # An ACK for a 2xx has a branch of its own; from peers that do not know so it has the INVITE's.
    for branch in ("z9hG4bK-2", "z9hG4bK-1"):
        (ack,) = driven.receive(request("ACK", branch=branch, to_tag="us"))
        assert isinstance(ack, AckIn)
    driven.run(31.5)
    assert empty(driven) and driven.take_wire() == []


def test_other_requests_are_answered_once_and_the_answer_is_repeated() -> None:
    driven = Driven()
    event = driven.opened(request("BYE"))
    driven.receive(request("BYE"))
    driven.run(1)
    driven.respond(event, 200)
    driven.respond(event, 481)
    driven.receive(request("BYE"))
    assert driven.take_wire() == [(1.0, "200 BYE"), (1.0, "200 BYE")]
    driven.run(31.9)
    assert driven.receive(request("BYE")) == []
    driven.run(0.1)
    assert empty(driven)  # timer J
    assert isinstance(driven.receive(request("BYE"))[0], RequestIn)


def test_options_is_a_request_like_others() -> None:
    driven = Driven()
    event = driven.opened(request("OPTIONS"), PEER_TCP)
    driven.respond(event, 200)
    assert driven.take_wire() == [(0.0, "200 OPTIONS")] and driven.sent[0][1] == PEER_TCP
    assert empty(driven)  # over TCP nothing is kept


def test_a_user_who_is_silent_leaves_nothing_behind() -> None:
    driven = Driven()
    event = driven.opened(request("INFO"))
    driven.run(40)
    assert driven.told[1:] == [TimedOut(event.key)] and driven.told_at[1:] == [32.0]
    driven.respond(event, 200)
    assert driven.take_wire() == [] and empty(driven)


# -- CANCEL --


def test_cancel_before_the_final() -> None:
    driven = Driven()
    event = driven.opened(request("INVITE"))
    driven.respond(event, 180)
    cancel = request("CANCEL")
    (told,) = driven.receive(cancel)
    assert told == CancelIn(event.key, cancel)
    assert driven.receive(request("CANCEL")) == []  # a repeated one is answered and not told
    assert driven.take_wire() == [(0.0, "180 INVITE"), (0.0, "200 CANCEL"), (0.0, "200 CANCEL")]
    assert driven.sent[1][0].to.parameters["tag"] == "us"  # 9.2: the tag of the INVITE's responses
    driven.respond(event, 487)
    assert driven.receive(request("ACK", to_tag="us")) == []
    driven.run(33)
    assert empty(driven)


@pytest.mark.parametrize("status", [200, 486])
def test_cancel_after_the_final_changes_nothing(status: int) -> None:
    driven = Driven()
    event = driven.opened(request("INVITE"))
    driven.respond(event, status)
    assert driven.receive(request("CANCEL")) == []
    assert driven.take_wire() == [(0.0, f"{status} INVITE"), (0.0, "200 CANCEL")]


def test_cancel_of_another_request_changes_nothing() -> None:
    driven = Driven()
    driven.opened(request("INFO"))
    assert driven.receive(request("CANCEL")) == []
    assert driven.take_wire() == [(0.0, "200 CANCEL")]


def test_cancel_of_nothing() -> None:
    driven = Driven()
    driven.opened(request("INVITE"))
    for stranger in (request("CANCEL", branch="z9hG4bK-9"), request("CANCEL", via="SIP/2.0/UDP h:5;branch=z9hG4bK-1")):
        assert driven.receive(stranger) == []
    assert driven.take_wire() == [(0.0, "481 CANCEL"), (0.0, "481 CANCEL")]
    assert driven.layer.servers == 1


# -- peers of RFC 2543 --

OLD = "SIP/2.0/UDP 10.0.0.1:5060"


@pytest.mark.parametrize("via", [OLD, f"{OLD};branch=1", f"{OLD};branch=z9hG4bK"])
def test_a_peer_whose_branches_are_not_unique(via: str) -> None:
    driven = Driven()
    event = driven.opened(request("INVITE", via=via))
    assert driven.receive(request("INVITE", via=via)) == []
    (cancelled,) = driven.receive(request("CANCEL", via=via))
    assert isinstance(cancelled, CancelIn) and cancelled.key == event.key
    driven.respond(event, 487)
    assert driven.take_wire() == [(0.0, "200 CANCEL"), (0.0, "487 INVITE")]
    # 17.2.3: the ACK has the To tag of the response.
    (stray,) = driven.receive(request("ACK", via=via, to_tag="other"))
    assert isinstance(stray, AckIn)
    assert driven.receive(request("ACK", via=via, to_tag="us")) == []
    driven.run(3)
    assert driven.take_wire() == []
    # A new INVITE in the same call is another one.
    driven.opened(request("INVITE", via=via, number=2))
    driven.run(60)


@pytest.mark.parametrize(
    "change", [{"number": 2}, {"call_id": "2"}, {"from_tag": "b"}, {"to_tag": "c"}, {"uri": "sip:b@example.com"}]
)
def test_old_requests_differ_by_more_than_the_branch(change: dict[str, str]) -> None:
    driven = Driven()
    driven.opened(request("INFO", via=OLD, to_tag="us"))
    driven.opened(request("INFO", **({"via": OLD, "to_tag": "us"} | change)))  # type: ignore[arg-type]
    assert driven.layer.servers == 2


def test_two_old_invites_with_one_ack() -> None:
    driven = Driven()
    first = driven.opened(request("INVITE", via=OLD))
    driven.respond(first, 486)
    second = driven.opened(request("INVITE", via=OLD, to_tag="us"))
    driven.respond(second, 486)
    assert driven.receive(request("ACK", via=OLD, to_tag="us")) == []
    driven.run(40)
    assert empty(driven)


def test_two_hosts_may_invent_the_same_branch() -> None:
    driven = Driven()
    driven.opened(request(call_id="1"))
    driven.opened(request(call_id="2", via="SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK-1"))
    driven.opened(request(call_id="3", via="SIP/2.0/UDP 192.0.2.1:5061;branch=z9hG4bK-1"))
    assert driven.receive(request(call_id="1", via="SIP/2.0/UDP 192.0.2.1:5060;branch=Z9HG4bk-1")) == []


# -- requests that come by two ways --


def test_a_merged_request_is_refused() -> None:
    driven = Driven()
    event = driven.opened(request("INVITE"))
    for _ in range(2):
        assert driven.receive(request("INVITE", branch="z9hG4bK-2")) == []
    first, second = (message for message, _ in driven.sent)
    assert isinstance(first, Response) and first.status == 482
    assert bytes(first) == bytes(second) and first.to.parameters["tag"]  # 8.2.7
    assert driven.layer.servers == 1 and driven.layer.tally.merged == 2
    driven.respond(event, 486)
    driven.receive(request("ACK", to_tag="us"))
    driven.run(33)
    driven.opened(request("INVITE", branch="z9hG4bK-2"))


def test_what_makes_a_request_merged() -> None:
    driven = Driven()
    driven.opened(request("INVITE"))
    driven.opened(request("INVITE", branch="z9hG4bK-2", number=2))
    driven.opened(request("INVITE", branch="z9hG4bK-3", call_id="2"))
    driven.opened(request("INVITE", branch="z9hG4bK-4", from_tag="b"))
    driven.opened(request("INVITE", branch="z9hG4bK-5", to_tag="us"))
    driven.opened(request("INVITE", branch="z9hG4bK-6", to_tag="us"))


def test_our_own_request_that_comes_back_is_a_loop_and_a_changed_one_is_a_spiral() -> None:
    driven = Driven()
    ours = request("INVITE", branch="z9hG4bK-ours", via=None, call_id="out")
    driven.request(ours)
    below = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-ours\r\n"
    assert driven.receive(request("INVITE", branch="z9hG4bK-p", call_id="out", extra=below)) == []
    assert [what for _, what in driven.take_wire()] == ["INVITE", "482 INVITE"]
    driven.opened(request("INVITE", branch="z9hG4bK-q", call_id="out", uri="sip:other@example.com", extra=below))


# -- where responses go --


@pytest.mark.parametrize(
    ("via", "source", "target", "received", "rport"),
    [
        ("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1", PEER, PEER, None, None),
        ("SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK-1", PEER, PEER._replace(port=5062), None, None),
        ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-1", PEER._replace(port=9), PEER, None, None),
        ("SIP/2.0/UDP pc:5070;branch=z9hG4bK-1", PEER, PEER._replace(port=5070), PEER.host, None),
        ("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK-1;received=8.8.8.8", PEER, PEER, PEER.host, None),
        ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-1;received=8.8.8.8", PEER, PEER, PEER.host, None),
        ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-1;maddr=8.8.8.8", PEER, PEER, None, None),
        ("SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK-1", PEER._replace(port=9), PEER._replace(port=9), PEER.host, "9"),
        ("SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK-1", PEER, PEER, PEER.host, "5060"),
        ("SIP/2.0/UDP 10.0.0.1;rport=1;branch=z9hG4bK-1", PEER, PEER, PEER.host, "5060"),
        ("SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK-1", PEER_TCP, PEER_TCP, PEER.host, None),
        ("SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK-1;rport", PEER_TCP, PEER_TCP, PEER.host, "40000"),
        (
            "SIP/2.0/UDP [2001:db8::1];branch=z9hG4bK-1",
            Target("udp", "2001:db8::1", 9),
            Target("udp", "2001:db8::1", 5060),
            None,
            None,
        ),
        (
            "SIP/2.0/UDP [2001:db8::2];rport;branch=z9hG4bK-1",
            Target("udp", "2001:db8::1", 9),
            Target("udp", "2001:db8::1", 9),
            "2001:db8::1",
            "9",
        ),
    ],
)
def test_where_responses_go(via: str, source: Target, target: Target, received: str | None, rport: str | None) -> None:
    driven = Driven()
    event = driven.opened(request("INFO", via=via), source)
    driven.respond(event, 200)
    sent, to = driven.sent[0]
    assert to == target
    parameters = sent.top_via.parameters
    assert parameters.get("received") == (received if received or "received" not in via else None)
    assert parameters.get("rport") == rport
    written = bytes(sent).decode()
    assert (f"received={received}" in written) == (received is not None)
    # A repeated request is recognised, though its Via has not been completed yet. None comes over TCP.
    assert source.reliable or driven.receive(request("INFO", via=via), source) == []


def test_only_the_top_via_is_completed() -> None:
    driven = Driven()
    below = "Via: SIP/2.0/UDP far;rport;branch=z9hG4bK-0, SIP/2.0/UDP further;branch=z9hG4bK-00\r\n"
    event = driven.opened(request("INFO", via="SIP/2.0/UDP near;rport;branch=z9hG4bK-1", extra=below))
    hosts = [(via.host, via.parameters.get("received"), via.parameters.get("rport")) for via in event.request.vias]
    assert hosts == [("near", PEER.host, "5060"), ("far", None, None), ("further", None, None)]


@pytest.mark.parametrize(("transport", "default"), [("tcp", 5060), ("tls", 5061)])
def test_when_the_connection_is_gone_responses_go_to_the_port_of_the_via(transport: str, default: int) -> None:
    source = Target(transport, "192.0.2.1", 40000, 7)  # type: ignore[arg-type]
    driven = Driven()
    event = driven.opened(request("INVITE", via="SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK-1"), source)
    assert driven.fail(source) == []
    driven.respond(event, 180)
    new = Target(transport, "192.0.2.1", default)  # type: ignore[arg-type]
    assert driven.sent[0][1] == new
    # If that fails too the user hears of it, and the transaction goes on (RFC 6026).
    assert driven.fail(new) == [TransportFailed(event.key)]
    driven.respond(event, 486)
    assert driven.layer.servers == 1


def test_there_is_no_way_back_to_a_websocket() -> None:
    source = Target("wss", "192.0.2.1", 40000, 7)
    driven = Driven()
    event = driven.opened(request("INVITE", via="SIP/2.0/WSS x.invalid;branch=z9hG4bK-1"), source)
    assert driven.fail(source) == [TransportFailed(event.key)]


def test_an_icmp_error_ends_other_server_transactions() -> None:
    driven = Driven()
    event = driven.opened(request("INFO"))
    driven.respond(event, 200)
    assert driven.fail() == [TransportFailed(event.key)] and empty(driven)


def test_an_ack_that_belongs_to_nothing_is_the_users() -> None:
    ack = request("ACK", to_tag="x")
    assert Driven().receive(ack) == [AckIn(ack, PEER)]


def test_an_ack_before_the_final_is_dropped() -> None:
    driven = Driven()
    driven.opened(request("INVITE"))
    assert driven.receive(request("ACK", to_tag="x")) == []
    assert driven.layer.servers == 1


def test_events_name_what_came() -> None:
    driven = Driven()
    message = request("INFO")
    event = driven.opened(message, PEER)
    assert isinstance(event.request, Request) and event.request is message and event.source == PEER
