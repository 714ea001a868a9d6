"""Descriptions alone and among other parts, and bodies that cannot be understood."""

from __future__ import annotations

import pytest

from confero.protocols.sip import Headers, Request, SipError
from confero.protocols.sip.session.bodies import not_understood, sdp_of
from confero.protocols.sip.session.offers import declined

PARTS = (
    b"ignored\r\n--b1\r\nContent-Type: application/isup\r\n\r\n\x01\xff\x00\r\n"
    b"--b1\r\ncontent-type : application/SDP\r\nContent-Disposition: session\r\n\r\nv=0\r\n--b1--\r\n"
)


def message(kind: str | None, body: bytes, *more: tuple[str, str]) -> Request:
    headers = Headers([("Content-Type", kind)] if kind else [])
    for name, value in more:
        headers.add(name, value)
    return Request("INVITE", "sip:a@b.invalid", headers, body)


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        ("application/sdp", b"v=0\r\n", "v=0\r\n"),
        ("Application/SDP; charset=utf-8", b"v=0\r\n", "v=0\r\n"),
        ("application/sdp", b"", None),
        ("text/plain", b"v=0\r\n", None),
        ("multipart/mixed;boundary=b1", PARTS, "v=0\r\n"),
        ('multipart/mixed; x=y; boundary="b1"', PARTS, "v=0\r\n"),
        ("multipart/mixed;boundary=b2", PARTS, None),
        (None, b"v=0\r\n", None),
    ],
)
def test_descriptions(kind: str | None, body: bytes, found: str | None) -> None:
    assert sdp_of(message(kind, body)) == found


@pytest.mark.parametrize(("kind", "body"), [("application/sdp", b"\xff"), ("multipart/mixed", PARTS), ("a;;/", b"x")])
def test_what_cannot_be_read(kind: str, body: bytes) -> None:
    with pytest.raises(SipError) as caught:
        sdp_of(message(kind, body))
    assert caught.value.status == 400


def test_no_more_parts_than_sixteen_are_looked_at() -> None:
    many = b"--b1\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 20 + PARTS
    assert sdp_of(message("multipart/mixed;boundary=b1", many)) is None


@pytest.mark.parametrize(
    ("request_", "strange"),
    [
        (message("application/sdp", b"x"), False),
        (message("multipart/alternative;boundary=x", b"x"), False),
        (message("text/plain", b"x"), True),
        (message("text/plain", b""), False),
        (message(None, b"x"), True),
        (message("application/sdp", b"x", ("Content-Encoding", "gzip")), True),
        (message("application/pidf+xml", b"x", ("Content-Disposition", "render; handling = optional")), False),
    ],
)
def test_what_is_not_understood(request_: Request, strange: bool) -> None:
    assert not_understood(request_) is strange


def test_an_offer_is_declined_line_by_line() -> None:
    offer = "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nm=audio 9 RTP/AVP 0 8\r\na=x\r\nm=video 7 RTP/AVP 96\r\nm=odd\r\n"
    lines = declined(offer).split("\r\n")
    assert [line for line in lines if line.startswith("m=")] == ["m=audio 0 RTP/AVP 0 8", "m=video 0 RTP/AVP 96"]
    assert lines[0] == "v=0" and lines[-1] == ""
