"""A stream's bytes to whole messages: cut by Content-Length, bounded, with the keep-alive of RFC 5626 between them.

WebSocket needs none of this: each of its frames is a message (RFC 7118 section 4.1).
"""

from __future__ import annotations

import re

from .errors import SipError
from .parser import DEFAULT_LIMITS, HEAD_END, Limits, content_length

PING = b"\r\n\r\n"
PONG = b"\r\n"
"""RFC 5626 section 4.4.1: what a client sends between messages to keep a connection open, and what answers it."""
LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)", re.I)


class StreamFramer:
    """Takes what a connection gives, in any pieces; returns each message once it is whole.

    After SipError the connection is to be closed: nobody knows where the next message would begin.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._searched = 0
        """Bytes in which the head does not end."""
        self._length: int | None = None
        """Bytes of the message that has begun, once its head is there."""
        self._half_ping = False
        self._pings = self._pongs = 0
        self._error: SipError | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that ``data`` completes. Raises SipError; if whole messages stand before the fault, on the next call."""
        messages: list[bytes] = []
        if self._error is None:
            self._buffer += data
            try:
                while (message := self._next()) is not None:
                    messages.append(message)
            except SipError as error:
                self._error = error
                self._buffer.clear()
        if self._error is not None and not messages:
            raise self._error
        return messages

    def take_pings(self) -> int:
        """How many pings came since the last call. One PONG answers them all."""
        pings, self._pings = self._pings, 0
        return pings

    def take_pongs(self) -> int:
        """How many pongs came since the last call; the first half of a ping is counted as one."""
        pongs, self._pongs = self._pongs, 0
        return pongs

    def _next(self) -> bytes | None:
        if self._length is None:
            self._skip_line_ends()
            self._length = self._read_length()
        if self._length is None or len(self._buffer) < self._length:
            return None
        message = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._length, self._searched = None, 0
        return message

    def _skip_line_ends(self) -> None:
        """Section 7.5: what stands between messages. Two line ends are a ping, one is a pong."""
        at = 0
        while self._buffer.startswith(b"\r\n", at):
            at += 2
            self._pings += self._half_ping
            self._pongs += not self._half_ping
            self._half_ping = not self._half_ping
        if len(self._buffer) > at and self._buffer[at] != 13:
            self._half_ping = False
        del self._buffer[:at]

    def _read_length(self) -> int | None:
        found = HEAD_END.search(self._buffer, max(0, self._searched - 3), self._limits.head)
        if found is None:
            if len(self._buffer) >= self._limits.head:
                raise SipError("the head is too long", status=513)
            self._searched = len(self._buffer)
            return None
        length = found.end() + self._body_length(bytes(self._buffer[: found.start()]))
        if length > self._limits.size:
            raise SipError(f"longer than {self._limits.size} bytes", status=513)
        return length

    def _body_length(self, head: bytes) -> int:
        """18.3: a message in a stream says its length. One that does not has no body; if it has, that will be no message."""
        values = LENGTH.findall(head)
        if len(values) > 1:
            raise SipError("Content-Length appears twice")
        try:
            return content_length(values[0].decode("latin-1").strip()) if values else 0
        except ValueError as error:
            raise SipError(f"Content-Length: {error}") from None
