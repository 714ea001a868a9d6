"""Requests and responses for tests of transactions, as they come from the wire."""

from __future__ import annotations

from confero.protocols.sip.build import response_to
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.parser import parse
from confero.protocols.sip.target import Target

PEER = Target("udp", "192.0.2.1", 5060)
PEER_TCP = Target("tcp", "192.0.2.1", 40000, 7)
US = "198.51.100.9"


def request(
    method: str = "OPTIONS",
    *,
    branch: str | None = "z9hG4bK-1",
    via: str | None = None,
    uri: str = "sip:room@confero.example",
    number: int = 1,
    call_id: str = "call-1",
    from_tag: str | None = "alice",
    to_tag: str | None = None,
    extra: str = "",
) -> Request:
    """A request as a peer at ``PEER`` sends it, unless ``via`` says otherwise."""
    via = via or "SIP/2.0/UDP 192.0.2.1:5060" + (f";branch={branch}" if branch else "")
    text = (
        f"{method} {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:alice@example.com>{f';tag={from_tag}' if from_tag else ''}\r\n"
        f"To: <{uri}>{f';tag={to_tag}' if to_tag else ''}\r\n"
        f"Call-ID: {call_id}\r\nCSeq: {number} {method}\r\n{extra}Content-Length: 0\r\n\r\n"
    )
    message = parse(text.encode())
    assert isinstance(message, Request)
    return message


def response(to: Request, status: int, *, to_tag: str | None = "bob", extra: str = "") -> Response:
    """A response to ``to`` as it comes from the wire."""
    head, _, rest = bytes(response_to(to, status, to_tag=to_tag)).partition(b"\r\n")
    message = parse(head + b"\r\n" + extra.encode() + rest)
    assert isinstance(message, Response)
    return message


def short(message: Request | Response) -> str:
    """``INVITE`` or ``180 INVITE``: what a ladder shows."""
    return message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"
