"""What proves a message: an HMAC over all before it, and a CRC that tells STUN from others (RFC 8489 sections 14.5 to 14.7)."""

from __future__ import annotations

import hmac
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from .attributes import FINGERPRINT, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256

if TYPE_CHECKING:
    from .message import Message

SHA1_SIZE, SHA256_SIZE = 20, 32
XOR = 0x5354554E
"""Section 14.7: so that other protocols' CRC-32 is not taken for it."""


class Integrity(NamedTuple):
    """How a message is to be proven."""

    key: bytes
    sha256: bool = False

    @property
    def size(self) -> int:
        """Bytes of the attribute's value. It is never truncated: the TURN usage does not allow it (14.6)."""
        return SHA256_SIZE if self.sha256 else SHA1_SIZE

    def over(self, text: bytes) -> bytes:
        """The value, over a message whose length counts the integrity attribute."""
        return hmac.digest(self.key, text, "sha256" if self.sha256 else "sha1")


def proves(message: Message, key: bytes, *, least: int = SHA256_SIZE) -> bool:
    """Whether the message was made by who knows ``key``. False too if there is no integrity attribute, or a malformed one.

    By MESSAGE-INTEGRITY-SHA256 if there is one, otherwise by MESSAGE-INTEGRITY (9.1.3, 9.2.4). ``least`` bytes of the former
    are demanded: less than 32 is for usages that allow truncation.
    """
    sha256 = MESSAGE_INTEGRITY_SHA256 in message
    attribute = MESSAGE_INTEGRITY_SHA256 if sha256 else MESSAGE_INTEGRITY
    at = message.places.get(attribute.number)
    if at is None:
        return False
    (size,) = struct.unpack_from("!H", message.raw, at + 2)
    # 14.6: at least 16 bytes, a multiple of 4, at most 32.
    if size not in (range(max(least, 16), SHA256_SIZE + 1, 4) if sha256 else (SHA1_SIZE,)):
        return False
    expected = Integrity(key, sha256).over(covered(message.raw, at, at + 4 + size))
    return hmac.compare_digest(expected[:size], message.raw[at + 4 : at + 4 + size])


def covered(raw: bytes, at: int, end: int) -> bytes:
    """The message before ``at``, with its length set as if it ended at ``end``."""
    return raw[:2] + struct.pack("!H", end - 20) + raw[4:at]


def fingerprint_of(text: bytes) -> bytes:
    """The value of FINGERPRINT over a message whose length counts that attribute."""
    return struct.pack("!I", zlib.crc32(text) ^ XOR)


def has_true_fingerprint(message: Message) -> bool:
    """False if FINGERPRINT is wrong or not there."""
    at = message.places.get(FINGERPRINT.number)
    return at is not None and message.raw[at + 4 :] == fingerprint_of(covered(message.raw, at, len(message.raw)))
