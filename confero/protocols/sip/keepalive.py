"""Keep-alive of SIP over UDP: a STUN Binding request on SIP's own port is answered (RFC 5626 sections 4.4.2 and 8).

Just this usage of STUN (RFC 8489): no authentication, no attributes of the peer are known.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address

MAGIC = 0x2112A442
"""RFC 8489 section 5."""
HEADER = struct.Struct("!HHI12s")
REQUEST, SUCCESS, ERROR = 0x0001, 0x0101, 0x0111
"""Of the method Binding."""
ERROR_CODE, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS = 0x0009, 0x000A, 0x0020
OPTIONAL = 0x8000
"""From here on an attribute may be passed over (section 14)."""
FAMILIES = {4: 1, 6: 2}
MOST_UNKNOWN = 16
"""Unknown attributes that are named in an error: the answer stays about as small as the question."""


def is_stun(datagram: bytes) -> bool:
    """RFC 5626 section 8: the first two bits of STUN are 0, and no SIP message begins so."""
    return len(datagram) >= HEADER.size and datagram[0] < 2


def binding_answer(datagram: bytes, host: str, port: int) -> bytes | None:
    """What a Binding request from ``host``:``port`` is answered; None: it is none, and gets no answer."""
    kind, length, magic, transaction = HEADER.unpack_from(datagram)
    body = datagram[HEADER.size :]
    if kind != REQUEST or magic != MAGIC or length != len(body) or length % 4:
        return None
    unknown = _unknown(body)
    if unknown is None:
        return None
    if unknown:
        return _message(ERROR, transaction, _refusal(unknown))
    return _message(SUCCESS, transaction, _attribute(XOR_MAPPED_ADDRESS, _xored(host, port, transaction)))


def _unknown(body: bytes) -> list[int] | None:
    """Types of attributes that would have to be understood; None: the body is cut."""
    found, place = [], 0
    while place < len(body):  # a length that is a multiple of 4: there is a whole header at each
        kind, length = struct.unpack_from("!HH", body, place)
        place += 4 + (length + 3 & ~3)
        if kind < OPTIONAL:
            found.append(kind)
    return found if place == len(body) else None


def _refusal(unknown: list[int]) -> bytes:
    """RFC 8489 section 6.3.1: 420, and which they were."""
    named = unknown[:MOST_UNKNOWN]
    code = _attribute(ERROR_CODE, struct.pack("!HBB", 0, 4, 20) + b"Unknown Attribute")
    return code + _attribute(UNKNOWN_ATTRIBUTES, struct.pack(f"!{len(named)}H", *named))


def _xored(host: str, port: int, transaction: bytes) -> bytes:
    """RFC 8489 section 14.2."""
    address = ip_address(host)
    key = (struct.pack("!I", MAGIC) + transaction)[: len(address.packed)]
    mixed = bytes(a ^ b for a, b in zip(address.packed, key, strict=True))
    return struct.pack("!BBH", 0, FAMILIES[address.version], port ^ MAGIC >> 16) + mixed


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _message(kind: int, transaction: bytes, body: bytes) -> bytes:
    return HEADER.pack(kind, len(body), MAGIC, transaction) + body
