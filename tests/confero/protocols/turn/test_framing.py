"""Streams cut into messages: whole, at each byte, and broken off; and ChannelData by itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.protocols.stun import Kind, Method, StunError, build
from confero.protocols.stun import attributes as a
from confero.protocols.turn import StreamFramer, channel_data, read_channel_data

BINDING = build(Method.BINDING, Kind.REQUEST, bytes(12))
LONG = build(Method.SEND, Kind.INDICATION, bytes(12), [a.DATA.of(bytes(range(256)) * 4)])
MESSAGES = [
    BINDING,
    *(channel_data(0x4000 + size, bytes(range(size)), padded=True) for size in range(9)),
    LONG,
    channel_data(0x4FFF, b"\x00\x01" * 700, padded=True),
    BINDING,
]
STREAM = b"".join(MESSAGES)
messages = st.one_of(
    st.builds(
        lambda channel, data: channel_data(channel, data, padded=True),
        st.integers(0x4000, 0x4FFF),
        st.binary(max_size=50),
    ),
    st.builds(lambda data: build(Method.SEND, Kind.INDICATION, bytes(12), [a.DATA.of(data)]), st.binary(max_size=50)),
)


def test_whole() -> None:
    assert StreamFramer().feed(STREAM) == MESSAGES


def test_split_at_each_byte() -> None:
    for at in range(len(STREAM) + 1):
        framer = StreamFramer()
        assert framer.feed(STREAM[:at]) + framer.feed(STREAM[at:]) == MESSAGES, at
        assert framer.rest() == b""


def test_byte_by_byte() -> None:
    framer = StreamFramer()
    assert [message for at in range(len(STREAM)) for message in framer.feed(STREAM[at : at + 1])] == MESSAGES


@settings(max_examples=200, deadline=None)
@given(st.lists(messages, max_size=8), st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_any_pieces(sent: list[bytes], sizes: list[int]) -> None:
    framer, stream, found, at = StreamFramer(), b"".join(sent), [], 0
    while at < len(stream):
        for size in sizes:
            found += framer.feed(stream[at : at + size])
            at += size
    assert found == sent


@pytest.mark.parametrize("first", [*range(4, 0x40), *range(0x50, 0x100)])
def test_what_begins_no_message(first: int) -> None:
    """Seen at its first byte."""
    framer = StreamFramer()
    with pytest.raises(StunError):
        framer.feed(bytes((first,)))
    with pytest.raises(StunError):
        framer.feed(BINDING)


def test_messages_before_the_fault_are_not_lost() -> None:
    framer = StreamFramer()
    assert framer.feed(BINDING + LONG + b"\xff") == [BINDING, LONG]
    with pytest.raises(StunError):
        framer.feed(b"")
    assert framer.rest() == b""


@pytest.mark.parametrize("message", [LONG, channel_data(0x4000, bytes(1001), padded=True)])
def test_what_is_too_long(message: bytes) -> None:
    """Seen at its head."""
    assert StreamFramer(len(message)).feed(message) == [message]
    with pytest.raises(StunError):
        StreamFramer(len(message) - 1).feed(message[:4])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(1, 20))
def test_noise(data: bytes, size: int) -> None:
    """Cut or refused, by StunError alone; and the same in whatever pieces."""

    def cut(step: int) -> tuple[list[bytes], bool]:
        framer, found = StreamFramer(256), []
        try:
            for at in range(0, len(data), step):
                found += framer.feed(data[at : at + step])
            found += framer.feed(b"")
        except StunError:
            return found, False
        return found, True

    assert cut(size) == cut(len(data) or 1)


def test_channel_data() -> None:
    assert channel_data(0x4001, b"abcde", padded=False) == b"\x40\x01\x00\x05abcde"
    assert channel_data(0x4001, b"abcde", padded=True) == b"\x40\x01\x00\x05abcde\0\0\0"
    for message in (b"\x40\x01\x00\x05abcde", b"\x40\x01\x00\x05abcde\0\0\0"):
        assert read_channel_data(message) == (0x4001, b"abcde")
    assert read_channel_data(b"\x4f\xff\0\0") == (0x4FFF, b"")


@pytest.mark.parametrize(
    "data", [b"", b"\x40\0\0", b"\x3f\xff\0\0", b"\x50\0\0\0", b"\x40\0\0\1", b"\x40\0\xff\xffabc"]
)
def test_channel_data_that_cannot_be_read(data: bytes) -> None:
    with pytest.raises(StunError):
        read_channel_data(data)


@pytest.mark.parametrize(("channel", "size"), [(0x3FFF, 0), (0x5000, 0), (0x4000, 65536)])
def test_channel_data_that_cannot_be_written(channel: int, size: int) -> None:
    with pytest.raises(ValueError):
        channel_data(channel, bytes(size), padded=False)
