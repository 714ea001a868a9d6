"""HEP3 packets, read back by the format's rules; tests/sipgw shows what a Homer-like server makes of them."""

from __future__ import annotations

import struct

import pytest

from confero.protocols.hep import MAX_PAYLOAD, Mirrored, pack

MESSAGE = b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"


def chunks(packet: bytes) -> dict[int, bytes]:
    magic, length = struct.unpack_from("!4sH", packet)
    assert (magic, length) == (b"HEP3", len(packet))
    found, at = {}, 6
    while at < length:
        vendor, kind, size = struct.unpack_from("!HHH", packet, at)
        assert vendor == 0 and size >= 6
        found[kind] = packet[at + 6 : at + size]
        at += size
    assert at == length
    return found


def mirrored(source: str = "192.0.2.1", destination: str = "192.0.2.2", data: bytes = MESSAGE) -> Mirrored:
    return Mirrored(1_800_000_000.25, "udp", (source, 5060), (destination, 5080), data, "call-1")


def test_a_packet_says_all_that_the_message_was() -> None:
    assert chunks(pack(mirrored(), agent=7, key="k")) == {
        1: b"\x02",
        2: b"\x11",
        3: bytes([192, 0, 2, 1]),
        4: bytes([192, 0, 2, 2]),
        7: struct.pack("!H", 5060),
        8: struct.pack("!H", 5080),
        9: struct.pack("!I", 1_800_000_000),
        10: struct.pack("!I", 250_000),
        11: b"\x01",
        12: struct.pack("!I", 7),
        14: b"k",
        15: MESSAGE,
        17: b"call-1",
    }


def test_ipv6_has_chunks_of_its_own() -> None:
    found = chunks(pack(mirrored("2001:db8::1", "2001:db8::2"), agent=7))
    assert found[1] == b"\x0a"
    assert found[5][-1] == 1 and found[6][-1] == 2 and 3 not in found and 14 not in found


@pytest.mark.parametrize(("transport", "number"), [("tcp", 6), ("tls", 6), ("wss", 6), ("udp", 17)])
def test_the_protocol_is_the_one_below_sip(transport: str, number: int) -> None:
    message = Mirrored(1.0, transport, ("192.0.2.1", 1), ("192.0.2.2", 2), MESSAGE)  # type: ignore[arg-type]
    assert chunks(pack(message, agent=1))[2] == bytes([number])


def test_a_message_too_long_is_cut_to_what_the_length_can_say() -> None:
    packet = pack(mirrored(data=b"x" * 70_000), agent=1, key="k" * 100)
    assert len(chunks(packet)[15]) == MAX_PAYLOAD
