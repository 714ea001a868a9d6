"""A connectivity check of ICE (RFC 8445 section 7.2.4) against one candidate of the MCU: the smallest thing that it answers."""

from __future__ import annotations

import struct

from confero.protocols.stun import Address, Integrity, Kind, Message, Method, StunError, build, proves
from confero.protocols.stun import attributes as a
from confero.protocols.turn.types import Random

PRIORITY = 126 << 24 | 255
"""Of a host candidate, section 5.1.2.1; the MCU is ICE-lite and ranks nothing."""
LENGTH = struct.Struct("!H")
"""RFC 4571: before each packet of a stream."""


class IceCheck:
    """One request, which may be sent again, and how its response is known. It nominates nothing: no media follows it."""

    def __init__(self, random: Random, *, local_ufrag: str, remote_ufrag: str, remote_password: str) -> None:
        self._key = remote_password.encode()
        self._id = random.randbytes(12)
        rows = (
            a.USERNAME.of(f"{remote_ufrag}:{local_ufrag}"),
            a.PRIORITY.of(PRIORITY),
            a.ICE_CONTROLLING.of(random.randbytes(8)),
        )
        self.request = build(
            Method.BINDING, Kind.REQUEST, self._id, rows, integrity=Integrity(self._key), fingerprint=True
        )

    @property
    def framed(self) -> bytes:
        """For a stream."""
        return LENGTH.pack(len(self.request)) + self.request

    def mapped(self, data: bytes) -> Address | None:
        """Where the MCU has seen us, if ``data`` is its proven success response to this check."""
        try:
            message = Message.parse(data)
            if message.transaction_id != self._id or message.kind != Kind.SUCCESS or not proves(message, self._key):
                return None
            return message.get(a.XOR_MAPPED_ADDRESS)
        except StunError:
            return None


def unframed(stream: bytes) -> list[bytes]:
    """The whole packets at the beginning of what a stream has brought."""
    found = []
    while len(stream) >= LENGTH.size and len(stream) >= LENGTH.size + LENGTH.unpack_from(stream)[0]:
        end = LENGTH.size + LENGTH.unpack_from(stream)[0]
        found.append(stream[LENGTH.size : end])
        stream = stream[end:]
    return found
