"""ChannelData, and a stream's bytes cut into messages: STUN by its length, ChannelData by its own, padded (RFC 8656 12.4, 12.5)."""

from __future__ import annotations

import struct

from confero.protocols.stun import StunError

HEAD = struct.Struct("!HH")
"""A STUN message: type and length. ChannelData: channel and length."""
STUN_HEAD = 20
CHANNELS = range(0x4000, 0x5000)
"""RFC 8656 section 12."""


def channel_data(channel: int, data: bytes, *, padded: bool) -> bytes:
    """A ChannelData message; ``padded`` to four bytes, as streams want it. Raises ValueError for what does not fit."""
    if channel not in CHANNELS or len(data) > 0xFFFF:
        raise ValueError(f"no ChannelData: channel {channel:#x}, {len(data)} bytes")
    return HEAD.pack(channel, len(data)) + data + (bytes(-len(data) % 4) if padded else b"")


def read_channel_data(message: bytes) -> tuple[int, bytes]:
    """Channel and data, without padding. Raises StunError."""
    if len(message) < HEAD.size:
        raise StunError("shorter than a head")
    channel, size = HEAD.unpack_from(message)
    if channel not in CHANNELS:
        raise StunError(f"no channel: {channel:#x}")
    if HEAD.size + size > len(message):
        raise StunError("ChannelData runs past the end")
    return channel, message[HEAD.size : HEAD.size + size]


class StreamFramer:
    """Takes what a connection gives, in any pieces; returns each message once it is whole, with its padding.

    After StunError the connection is to be closed: nobody knows where the next message would begin.
    """

    def __init__(self, limit: int = STUN_HEAD + 0xFFFF) -> None:
        """``limit``: bytes of the longest message that is taken."""
        self._limit = limit
        self._buffer = bytearray()
        self._error: StunError | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that ``data`` completes. Raises StunError; if whole messages stand before the fault, on the next call."""
        self.push(data)
        messages: list[bytes] = []
        try:
            while (message := self.pop()) is not None:
                messages.append(message)
        except StunError:
            if not messages:
                raise
        return messages

    def push(self, data: bytes) -> None:
        """Takes data, for ``pop``. After a fault it is of no use, and dropped."""
        if self._error is None:
            self._buffer += data

    def pop(self) -> bytes | None:
        """The next message, if it is whole. Raises StunError, from the fault on each time."""
        if self._error is not None:
            raise self._error
        try:
            return self._next()
        except StunError as error:
            self._error = error
            self._buffer.clear()
            raise

    def rest(self) -> bytes:
        """What belongs to no message yet, once: after ConnectionBind it is a peer's data (RFC 6062 section 4.4)."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def _next(self) -> bytes | None:
        if not self._buffer:
            return None
        # Known by the first byte: nobody has to wait for the end of what is no message.
        if self._buffer[0] > 3 and not 0x40 <= self._buffer[0] <= 0x4F:
            raise StunError(f"a message that begins with {self._buffer[0]:#04x}")
        if len(self._buffer) < HEAD.size:
            return None
        first, size = HEAD.unpack_from(self._buffer)
        length = HEAD.size + size + -size % 4 if first in CHANNELS else STUN_HEAD + size
        if length > self._limit:
            raise StunError(f"longer than {self._limit} bytes")
        if len(self._buffer) < length:
            return None
        message = bytes(self._buffer[:length])
        del self._buffer[:length]
        return message
