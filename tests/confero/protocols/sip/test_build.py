"""Responses, ACK and CANCEL carry what the rules ask for, and what is written can be read again."""

from __future__ import annotations

from random import Random

import pytest

from confero.errors import LocalError
from confero.protocols.sip import (
    URI,
    Address,
    Request,
    Via,
    ack_for,
    cancel_for,
    new_branch,
    new_call_id,
    new_request,
    new_tag,
    parse,
    reason_for,
    response_to,
)

INVITE = b"""INVITE sip:room@confero.example SIP/2.0\r
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-2;rport, SIP/2.0/TCP 192.0.2.7;branch=z9hG4bK-1\r
v: SIP/2.0/UDP [2001:db8::1];branch=z9hG4bK-0\r
Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r
Route: <sip:here.example;lr>\r
Max-Forwards: 68\r
f: "Alice" <sip:alice@example.com>;tag=a\r
t: sip:room@confero.example\r
Call-ID: call-1\r
CSeq: 7 INVITE\r
Timestamp: 54\r
Content-Type: application/sdp\r
l: 5\r
\r
v=0\r
"""


def invite() -> Request:
    message = parse(INVITE)
    assert isinstance(message, Request)
    return message


def test_response() -> None:
    response = response_to(invite(), 200, to_tag="b")
    assert (response.status, response.reason, response.body) == (200, "OK", b"")
    assert response.vias == invite().vias and len(response.vias) == 3
    assert response.from_ == invite().from_ and response.call_id == "call-1" and response.cseq == invite().cseq
    assert response.to.tag == "b" and response.to.uri == invite().to.uri
    assert [str(route.uri) for route in response.record_routes] == ["sip:p1.example;lr", "sip:p2.example;lr"]
    assert parse(bytes(response)) == response


def test_a_100_has_no_tag_but_the_time() -> None:
    response = response_to(invite(), 100, to_tag="b")
    assert response.to.tag is None and response.headers.get("Timestamp") == "54" and response.record_routes == []


def test_a_refusal_sets_up_no_route() -> None:
    assert response_to(invite(), 486, to_tag="b").record_routes == []


def test_a_tag_that_is_there_stays() -> None:
    request = invite()
    request.headers.set("To", "<sip:room@confero.example>;tag=theirs")
    assert response_to(request, 200, to_tag="b").to.tag == "theirs"


def test_reasons() -> None:
    assert response_to(invite(), 404, "Nobody Here").reason == "Nobody Here"
    assert (reason_for(299), reason_for(599), reason_for(422)) == (
        "Success",
        "Server Failure",
        "Session Interval Too Small",
    )


def test_ack_of_a_refusal() -> None:
    ack = ack_for(invite(), response_to(invite(), 486, to_tag="b"))
    assert (ack.method, ack.uri, str(ack.cseq), ack.to.tag) == ("ACK", "sip:room@confero.example", "7 ACK", "b")
    assert ack.vias == invite().vias[:1] and ack.routes == invite().routes and ack.body == b""
    assert parse(bytes(ack)) == ack


def test_cancel() -> None:
    cancel = cancel_for(invite())
    assert (cancel.method, str(cancel.cseq), cancel.to.tag) == ("CANCEL", "7 CANCEL", None)
    assert cancel.vias == invite().vias[:1] and cancel.from_ == invite().from_ and cancel.routes == invite().routes
    assert parse(bytes(cancel)) == cancel


def test_new_request() -> None:
    random = Random(1)
    request = new_request(
        "INVITE",
        "sip:bob@example.com",
        from_=Address(
            URI.sip("room", "confero.example"),
            'Räume, "A"\r\nX: y',
        ).with_tag(new_tag(random)),
        to=Address(URI.parse("sip:bob@example.com")),
        call_id=new_call_id(random),
        cseq=1,
        via=Via("UDP", "192.0.2.9", 5060).with_parameters(branch=new_branch(random), rport=None),
        routes=["<sip:proxy.example;lr>"],
        body=b"v=0\r\n",
        content_type="application/sdp",
    )
    again = parse(bytes(request))
    assert again == request and isinstance(again, Request)
    assert again.from_.name == 'Räume, "A" X: y' and again.max_forwards == 70
    assert again.top_via.branch.startswith("z9hG4bK") and "rport" in again.top_via.parameters
    assert len({new_tag(random), new_tag(random), new_branch(random), new_call_id(random)}) == 4


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\n", "a\r"])
def test_line_ends_never_leave_in_a_field(value: str) -> None:
    request = invite()
    request.headers.add("Subject", value)
    with pytest.raises(LocalError):
        bytes(request)


def test_the_top_via_is_replaced_alone() -> None:
    request = invite()
    top = request.top_via
    request.replace_top_via(top.with_parameters(rport="5060", received="192.0.2.1"))
    assert request.top_via.parameters["received"] == "192.0.2.1"
    assert request.vias[1:] == invite().vias[1:]
    assert str(request.top_via) == "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-2;rport=5060;received=192.0.2.1"
