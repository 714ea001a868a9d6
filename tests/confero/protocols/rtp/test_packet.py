"""RTP packets: round trips, and RtpError for whatever is cut or lies about its lengths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confero.protocols.rtp import RtpError, RtpPacket

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=200),
    marker=st.booleans(),
    csrc=st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
    extension=st.none()
    | st.tuples(st.integers(0, 0xFFFF), st.integers(0, 8).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))),
)


@given(packets)
def test_round_trip(packet: RtpPacket) -> None:
    assert RtpPacket.decode(packet.encode()) == packet


@given(st.binary(max_size=64))
def test_garbage_is_parsed_or_refused_with_rtp_error_only(data: bytes) -> None:
    try:
        packet = RtpPacket.decode(data)
    except RtpError:
        return
    assert len(packet.payload) <= len(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x80\x00\x00", "fixed header"),
        (b"\x40" + bytes(11), "version 1"),
        (b"\x81" + bytes(11), "CSRC"),
        (b"\x90" + bytes(11), "extension header"),
        (b"\x90" + bytes(11) + b"\xbe\xde\x00\x01", "extension runs"),
        (b"\xa0" + bytes(11) + b"\x09", "padding of 9"),
        (b"\xa0" + bytes(11) + b"\x00", "padding of 0"),
    ],
)
def test_malformed(data: bytes, says: str) -> None:
    with pytest.raises(RtpError, match=says):
        RtpPacket.decode(data)


def test_padding_is_taken_off() -> None:
    assert RtpPacket.decode(b"\xa0" + bytes(11) + b"ab\x00\x02").payload == b"ab"


def test_encode_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="payload type"):
        RtpPacket(128, 0, 0, 0, b"").encode()
    with pytest.raises(ValueError, match="multiple of 4"):
        RtpPacket(0, 0, 0, 0, b"", extension=(0xBEDE, b"abc")).encode()
