"""HEP version 3, in which SIP is mirrored to a Homer server: the only outside view of what goes over TLS.

The format is the Homer project's "HEP3 network protocol specification", revision 36: a head, then chunks of vendor, type,
length and value.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

MAGIC = b"HEP3"
HEAD = struct.Struct("!4sH")
"""Magic, length of the whole packet."""
CHUNK = struct.Struct("!HHH")
"""Vendor, type, length with this head."""
VENDOR = 0
"""The types below are the generic ones."""
IP_FAMILY, IP_PROTOCOL = 1, 2
SOURCE_IP4, DESTINATION_IP4, SOURCE_IP6, DESTINATION_IP6 = 3, 4, 5, 6
SOURCE_PORT, DESTINATION_PORT = 7, 8
SECONDS, MICROSECONDS = 9, 10
PAYLOAD_TYPE, AGENT, KEY, PAYLOAD, CORRELATION = 11, 12, 14, 15, 17
AF_INET, AF_INET6 = 2, 10
PROTOCOLS: dict[str, int] = {"udp": 17, "tcp": 6, "tls": 6, "ws": 6, "wss": 6}
SIP = 1
MAX_PAYLOAD = 65_000
"""Bytes of a message that fit beside the other chunks; a longer one is cut."""


@dataclass(frozen=True)
class Mirrored:
    """A SIP message as it went by."""

    at: float
    """Unix time, seconds."""
    transport: Literal["udp", "tcp", "tls", "ws", "wss"]
    source: tuple[str, int]
    destination: tuple[str, int]
    """Addresses, not names; of one family."""
    data: bytes
    correlation: str = ""
    """What messages of one call have in common: its Call-ID."""


def pack(message: Mirrored, *, agent: int, key: str = "") -> bytes:
    """One packet. ``agent``: the number under which the server knows us. ``key``: its password for agents, if it asks for one."""
    chunks = b"".join(
        (
            *_addresses(message),
            _number("!B", IP_PROTOCOL, PROTOCOLS[message.transport]),
            _number("!H", SOURCE_PORT, message.source[1]),
            _number("!H", DESTINATION_PORT, message.destination[1]),
            _number("!I", SECONDS, int(message.at)),
            _number("!I", MICROSECONDS, int(message.at % 1 * 1_000_000)),
            _number("!B", PAYLOAD_TYPE, SIP),
            _number("!I", AGENT, agent),
            _chunk(KEY, key.encode()) if key else b"",
            _chunk(CORRELATION, message.correlation.encode()[:255]) if message.correlation else b"",
            _chunk(PAYLOAD, message.data[:MAX_PAYLOAD]),
        )
    )
    return HEAD.pack(MAGIC, HEAD.size + len(chunks)) + chunks


def _addresses(message: Mirrored) -> tuple[bytes, bytes, bytes]:
    source, destination = ip_address(message.source[0]), ip_address(message.destination[0])
    if source.version == 4:
        family, kinds = AF_INET, (SOURCE_IP4, DESTINATION_IP4)
    else:
        family, kinds = AF_INET6, (SOURCE_IP6, DESTINATION_IP6)
    return _number("!B", IP_FAMILY, family), _chunk(kinds[0], source.packed), _chunk(kinds[1], destination.packed)


def _number(form: str, kind: int, value: int) -> bytes:
    return _chunk(kind, struct.pack(form, value))


def _chunk(kind: int, value: bytes) -> bytes:
    return CHUNK.pack(VENDOR, kind, CHUNK.size + len(value)) + value
