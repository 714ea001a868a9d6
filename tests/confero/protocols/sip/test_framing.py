"""Messages are cut from a stream in whatever pieces it comes; what is no SIP ends it; memory is bounded."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.protocols.sip import Limits, SipError, parse
from confero.protocols.sip.framing import PING, PONG, StreamFramer

HEAD = b"Via: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\n"
OPTIONS = b"OPTIONS sip:c@d SIP/2.0\r\n" + HEAD + b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
INFO = b"INFO sip:c@d SIP/2.0\r\n" + HEAD + b"CSeq: 2 INFO\r\nl : 9\r\n\r\n" + b"\r\n\r\nl: 5\r"
FOLDED = b"INFO sip:c@d SIP/2.0\nl:\n\t3\n" + HEAD.replace(b"\r", b"") + b"CSeq: 2 INFO\n\nabc"
SILENT = b"SIP/2.0 200 OK\r\n" + HEAD + b"CSeq: 2 INFO\r\n\r\n"
MESSAGES = [OPTIONS, INFO, FOLDED, SILENT]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[low:high] for low, high in pairwise(edges)]


def test_the_messages_of_this_test_are_messages() -> None:
    for message in MESSAGES:
        parse(message)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(MESSAGES), st.integers(0, 3)), max_size=8),
    st.lists(st.integers(0, 10_000), max_size=30),
)
def test_any_pieces(parts: list[tuple[bytes, int]], places: list[int]) -> None:
    stream = b"".join(PING * pings + message for message, pings in parts)
    framer = StreamFramer()
    found = [message for piece in cut(stream, places) for message in framer.feed(piece)]
    assert found == [message for message, _ in parts]
    assert framer.take_pings() == sum(pings for _, pings in parts)


def test_byte_by_byte() -> None:
    framer = StreamFramer()
    stream = b"".join(MESSAGES)
    assert [message for byte in stream for message in framer.feed(bytes([byte]))] == MESSAGES


def test_pings_and_pongs() -> None:
    framer = StreamFramer()
    assert framer.feed(PONG) == [] and (framer.take_pongs(), framer.take_pings()) == (1, 0)
    assert framer.feed(OPTIONS) == [OPTIONS]
    assert framer.feed(PING * 3) == [] and framer.take_pings() == 3 and framer.take_pings() == 0
    assert framer.feed(b"\r") == framer.feed(b"\n\r") == [] and framer.take_pings() == 0
    assert framer.feed(b"\n") == [] and framer.take_pings() == 1


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        (OPTIONS.replace(b"th: 0", b"th: x"), 400),
        (OPTIONS.replace(b"th: 0", b"th: -1"), 400),
        (OPTIONS.replace(b"th: 0", b"th: 1, 2"), 400),
        (OPTIONS.replace(b"th: 0", b"th: 0\r\nl: 0"), 400),
        (OPTIONS.replace(b"th: 0", b"th: 65536"), 513),
        (OPTIONS.replace(b"th: 0", b"th: 99999999999999999999999"), 400),
        (b"x" * 20_000, 513),
        (b"OPTIONS sip:c@d SIP/2.0\r\n" + b"X: y\r\n" * 4_000, 513),
    ],
)
def test_what_ends_a_connection(stream: bytes, status: int) -> None:
    framer = StreamFramer()
    with pytest.raises(SipError) as caught:
        framer.feed(stream)
    assert caught.value.status == status
    with pytest.raises(SipError):
        framer.feed(OPTIONS)


def test_what_stands_before_the_fault_is_not_lost() -> None:
    framer = StreamFramer()
    assert framer.feed(OPTIONS + INFO + b"x" * 20_000) == [OPTIONS, INFO]
    with pytest.raises(SipError):
        framer.feed(b"")


def test_no_more_is_kept_than_a_message() -> None:
    framer = StreamFramer(Limits(size=1_000, head=500))
    with pytest.raises(SipError):
        framer.feed(b"x" * 500)
    framer = StreamFramer(Limits(size=1_000, head=500))
    for _ in range(1_000):
        framer.feed(b"\r\n")
    assert framer.feed(OPTIONS) == [OPTIONS]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([PONG, PING, OPTIONS[:40], INFO, b"l: 4\r\n", b"\n"])))
)
def test_noise(pieces: list[bytes]) -> None:
    framer = StreamFramer()
    try:
        for piece in pieces:
            for message in framer.feed(piece):
                assert message and len(message) <= 65_536
    except SipError as error:
        assert error.status in (400, 513)
