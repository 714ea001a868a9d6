"""ClientHellos as OpenSSL writes them, and as others could: cut into records at will."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress


def hello(alpn: Sequence[str] = (), name: str = "meet.example") -> bytes:
    """A connection's first bytes."""
    context = ssl.create_default_context()
    if alpn:
        context.set_alpn_protocols(alpn)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def in_records(data: bytes, size: int) -> bytes:
    """The same message in records of ``size`` bytes."""
    message = data[5:]
    parts = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)
