"""Reads what a TLS client says openly of itself, the names of server and protocol, out of a ClientHello as it comes in.

The message may be cut into records at any byte (RFC 8446 section 5.1) and the records into segments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

HANDSHAKE = 22
"""RFC 8446 section 5.1, ContentType."""
CLIENT_HELLO = 1
"""RFC 8446 section 4, HandshakeType."""
SERVER_NAME = 0
"""RFC 6066 section 3, ExtensionType."""
ALPN = 16
"""RFC 7301 section 3.1, ExtensionType."""
HOST_NAME = 0
"""RFC 6066 section 3, NameType."""
RECORD_HEAD = 5
MESSAGE_HEAD = 4
MAX_FRAGMENT = 1 << 14
"""Bytes in a record of plain text."""
MAX_NAMES = 64
"""Protocols that are read of a list; a browser offers two."""


@dataclass(frozen=True)
class Hello:
    """What stands in it for anybody to read."""

    server_name: str = ""
    """SNI; empty where there is none, or no host name."""
    alpn: tuple[str, ...] = ()
    """Offered protocols, in the client's order."""


class Malformed(Exception):
    """This is no ClientHello."""


class _Cut(Exception):
    """A length points beyond its field."""


def read_hello(data: bytes) -> Hello | int:
    """``data``: a connection's first bytes, of which the first is a handshake's. The number of bytes that are wanted from its start
    while they are too few. Raises Malformed, and nothing else.
    """
    message = bytearray()
    at = 0
    while True:
        if len(data) < at + RECORD_HEAD:
            return at + RECORD_HEAD
        if data[at] != HANDSHAKE or data[at + 1] != 3:
            raise Malformed("not a record of a handshake")
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        if not 0 < length <= MAX_FRAGMENT:
            raise Malformed("a fragment of that length is not allowed")
        message += data[at + RECORD_HEAD : at + RECORD_HEAD + length]
        if message and message[0] != CLIENT_HELLO:
            raise Malformed("not a ClientHello")
        size = MESSAGE_HEAD + int.from_bytes(message[1:4], "big") if len(message) >= MESSAGE_HEAD else MESSAGE_HEAD
        if len(message) >= size > MESSAGE_HEAD:
            return _parse(bytes(message[MESSAGE_HEAD:size]))
        if len(message) >= size:
            raise Malformed("an empty ClientHello")
        here = at + RECORD_HEAD + length
        if len(data) < here:
            # No more of this record than the message has; and a byte more than there is, in any case.
            return max(len(data) + 1, min(here, len(data) + size - len(message)))
        at = here


def _parse(body: bytes) -> Hello:
    """The body of the message (RFC 8446 section 4.1.2)."""
    try:
        fields = _Fields(body)
        fields.take(2)  # legacy_version
        fields.take(32)  # random
        fields.vector(1)  # legacy_session_id
        fields.vector(2)  # cipher_suites
        fields.vector(1)  # legacy_compression_methods
        if not fields.left:
            return Hello()  # TLS 1.2 may end here
        return _extensions(_Fields(fields.vector(2)))
    except _Cut:
        raise Malformed("a length points beyond its field") from None


def _extensions(fields: _Fields) -> Hello:
    hello = Hello()
    while fields.left:
        number = fields.number(2)
        content = _Fields(fields.vector(2))
        if number == SERVER_NAME:
            hello = replace(hello, server_name=_server_name(_Fields(content.vector(2))))
        elif number == ALPN:
            hello = replace(hello, alpn=_protocols(_Fields(content.vector(2))))
    return hello


def _server_name(names: _Fields) -> str:
    """The host name of the list (RFC 6066 section 3), in ASCII and small letters."""
    while names.left:
        kind, name = names.number(1), names.vector(2)
        if kind == HOST_NAME:
            return name.decode("ascii").lower() if name.isascii() and name.decode("ascii").isprintable() else ""
    return ""


def _protocols(names: _Fields) -> tuple[str, ...]:
    found: list[str] = []
    while names.left and len(found) < MAX_NAMES:
        found.append(names.vector(1).decode("latin-1"))
    return tuple(found)


class _Fields:
    """Reads numbers and vectors (RFC 8446 section 3.4) one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise _Cut
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))
