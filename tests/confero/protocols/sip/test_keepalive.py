"""The addresses are those of RFC 5769 sections 2.2 and 2.3."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confero.protocols.sip.keepalive import binding_answer, is_stun

TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
ADDRESSES = {
    "192.0.2.1": "002000080001a147e112a643",
    "2001:db8:1234:5678:11:2233:4455:6677": "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
}


def request(body: bytes = b"", kind: int = 1, magic: int = 0x2112A442, length: int | None = None) -> bytes:
    return struct.pack("!HHI", kind, len(body) if length is None else length, magic) + TRANSACTION + body


@pytest.mark.parametrize("host", ADDRESSES)
def test_a_request_is_told_where_it_came_from(host: str) -> None:
    mapped = bytes.fromhex(ADDRESSES[host])
    assert is_stun(request())
    assert binding_answer(request(), host, 32853) == request(mapped, 0x0101)


def test_what_may_be_passed_over_is() -> None:
    software = bytes.fromhex("80220004") + b"test"
    assert binding_answer(request(software), "192.0.2.1", 1) == binding_answer(request(), "192.0.2.1", 1)


def test_what_must_be_understood_is_refused_by_name() -> None:
    body = b"".join(struct.pack("!HHI", 0x0040 + n, 4, n) for n in range(20))
    answer = binding_answer(request(body), "192.0.2.1", 1)
    assert answer is not None
    assert answer[:2] == b"\x01\x11" and b"\x00\x00\x04\x14Unknown Attribute" in answer
    assert answer.endswith(struct.pack("!HH16H", 0x000A, 32, *range(0x40, 0x50)))


@pytest.mark.parametrize(
    "datagram",
    [
        request(kind=0x0101),  # an answer: two of us would never come to an end
        request(kind=0x0011),
        request(magic=0),
        request(length=4),
        request(b"\x80\x22\x00\x10test"),
        request(b"abc"),
    ],
)
def test_all_else_has_no_answer(datagram: bytes) -> None:
    assert binding_answer(datagram, "192.0.2.1", 1) is None


@pytest.mark.parametrize(
    "datagram", [b"OPTIONS sip:a@b SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"\r\n\r\n", b"\0" * 19]
)
def test_sip_is_not_taken_for_it(datagram: bytes) -> None:
    assert not is_stun(datagram)


@given(st.binary(max_size=200), st.integers(0, 65535))
def test_nothing_raises(body: bytes, port: int) -> None:
    for datagram in (request(body), b"\x01" * 20 + body):
        if is_stun(datagram):
            binding_answer(datagram, "192.0.2.1", port)
