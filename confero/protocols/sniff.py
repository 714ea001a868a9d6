"""What a connection's first bytes say it is: several protocols share one TCP port, and none of them is asked to say so.

Pure: the bytes so far go in; the kind, or how many bytes are wanted, comes out. It never raises, whatever the bytes are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from confero.protocols.clienthello import Hello, Malformed, read_hello

MAX_HELLO = 16_384
"""Bytes looked at of a ClientHello with its record headers: browsers send 600 to 2,000, of which a key share of 1,216 is the most
(ML-KEM-768); a list of pre-shared keys may double that."""
MAX_HEAD = 8_192
"""Bytes of a HTTP request's head: as much as the web server takes of a single line."""
MAX_PEEK = max(MAX_HELLO, MAX_HEAD)
"""No answer needs more bytes than this."""
COOKIE = 0x2112A442.to_bytes(4, "big")
"""Magic cookie of STUN (RFC 8489 section 5)."""
HANDSHAKE = 0x16
"""Content type of a TLS record (RFC 8446 section 5.1)."""
RTMP_VERSION = 0x03
"""First byte of a RTMP connection (C0, Adobe's RTMP 1.0 section 5.2.2)."""


class Kind(Enum):
    """Whose a connection is. The values go over the wire and into metrics."""

    TURN = "turn"
    """STUN or TURN over TCP, in the clear."""
    HTTPS = "https"
    """TLS for pages: a browser names HTTP in ALPN (RFC 7301)."""
    TLS = "tls"
    """TLS without ALPN: TURN from a browser, or HTTP from a simple client."""
    TURNS = "turns"
    """TLS whose ALPN names STUN or TURN (RFC 7443)."""
    SIPS = "sips"
    """TLS whose ALPN names SIP (RFC 8443)."""
    OTHER_TLS = "other-tls"
    """TLS for something that is not here."""
    HTTP = "http"
    """A HTTP request in the clear, whole."""
    RTMPT = "rtmpt"
    """RTMP in HTTP requests."""
    RTMP = "rtmp"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Request:
    """The head of a HTTP request as far as a redirect needs it."""

    method: str
    target: str
    host: str
    """Empty: there is no Host field, or more than one."""


@dataclass(frozen=True)
class Sniffed:
    """The answer."""

    kind: Kind
    hello: Hello | None = None
    """Of a TLS kind."""
    request: Request | None = None
    """Of HTTP."""


@dataclass(frozen=True)
class More:
    """Not certain yet."""

    wanted: int
    """Bytes from the connection's start, more than there are, without which asking again gives the same answer."""


Answer = Sniffed | More

ALPN: dict[str, Kind] = {
    "h2": Kind.HTTPS,
    "http/1.1": Kind.HTTPS,
    "http/1.0": Kind.HTTPS,
    "stun.turn": Kind.TURNS,
    "stun.nat-discovery": Kind.TURNS,
    "webrtc": Kind.TURNS,  # RFC 8833: what is tunnelled on behalf of WebRTC
    "c-webrtc": Kind.TURNS,
    "sip/2": Kind.SIPS,
}
"""Protocol identifiers (IANA's registry) and what they ask for. Of several that are known, the client's first counts."""

METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT")
"""RFC 9110 section 9, RFC 5789."""
RTMPT = tuple(b"POST /" + command for command in (b"open/", b"send/", b"idle/", b"close/", b"fcs/"))
"""Beginnings of requests that carry RTMP."""
UNKNOWN = Sniffed(Kind.UNKNOWN)


def sniff(data: bytes) -> Answer:
    """What ``data``, a connection's first bytes, begins. Once more bytes have come, the answer may change only from More."""
    if not data:
        return More(1)
    return RULES.get(data[0], _unknown)(data)


def _unknown(data: bytes) -> Answer:
    return UNKNOWN


def _stun(data: bytes) -> Answer:
    """A message of STUN: two zero bits, a length in words, the cookie. ChannelData comes first on no connection."""
    if len(data) < 8:
        return More(8)
    if data[4:8] == COOKIE and data[3] % 4 == 0:
        return Sniffed(Kind.TURN)
    return Sniffed(Kind.RTMP) if data[0] == RTMP_VERSION else UNKNOWN


def _tls(data: bytes) -> Answer:
    try:
        hello = read_hello(data[:MAX_HELLO])
    except Malformed:
        return UNKNOWN
    if isinstance(hello, int):
        return More(hello) if hello <= MAX_HELLO else UNKNOWN
    return Sniffed(kind_of(hello), hello=hello)


def kind_of(hello: Hello) -> Kind:
    """By the first protocol that we know; without a list it is nobody's in particular."""
    if not hello.alpn:
        return Kind.TLS
    return next((ALPN[name] for name in hello.alpn if name in ALPN), Kind.OTHER_TLS)


def _http(data: bytes) -> Answer:
    """A request in the clear; one that carries RTMP is known before its head has ended."""
    if data.startswith(RTMPT):
        return Sniffed(Kind.RTMPT)
    if not any(_agree(data, method + b" ") for method in METHODS):
        return UNKNOWN
    head, end, _ = data[:MAX_HEAD].partition(b"\r\n\r\n")
    if not end:
        return More(len(data) + 1) if len(data) < MAX_HEAD else UNKNOWN
    return _request(head)


def _agree(data: bytes, start: bytes) -> bool:
    """As far as there are bytes."""
    return data[: len(start)] == start[: len(data)]


REQUEST_LINE = re.compile(rb"([A-Z]{3,7}) ([\x21-\x7e]+) HTTP/1\.[01]")
"""RFC 9112 section 3."""
HOST = re.compile(rb"host:[ \t]*([\x21-\x7e]{1,262})[ \t]*", re.IGNORECASE)
"""A name of 255 characters with its port; whether it is one is for whoever uses it."""


def _request(head: bytes) -> Answer:
    line, *fields = head.split(b"\r\n")
    found = REQUEST_LINE.fullmatch(line)
    if found is None:
        return UNKNOWN
    hosts = [host[1].decode("ascii") for field in fields if (host := HOST.fullmatch(field))]
    method, target = (part.decode("ascii") for part in found.groups())
    return Sniffed(Kind.HTTP, request=Request(method, target, hosts[0] if len(hosts) == 1 else ""))


RULES: dict[int, Callable[[bytes], Answer]] = {
    **dict.fromkeys(range(4), _stun),
    HANDSHAKE: _tls,
    **dict.fromkeys((method[0] for method in METHODS), _http),
}
"""By the first byte. What is not here is nothing that we know."""
