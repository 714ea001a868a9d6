"""Long-term credentials: the keys of names and passwords, hashes of names, and the cookie that begins a nonce (RFC 8489 9.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import unicodedata
from collections.abc import Mapping

from .values import Algorithm

MD5 = Algorithm(1)
SHA256 = Algorithm(2)
"""Section 18.5.1."""
DIGESTS: Mapping[Algorithm, str] = {MD5: "md5", SHA256: "sha256"}
PASSWORD_ALGORITHMS_BIT = 1 << 23
USERNAME_ANONYMITY_BIT = 1 << 22
"""STUN security features, bit 0 the leftmost of 24 (section 18.1)."""
COOKIE_HEAD = b"obMatJos2"
COOKIE_SIZE = 13
BANNED = {"Cc", "Cf", "Cn", "Co", "Cs"}
"""Categories that FreeformClass does not have (RFC 8264 section 4.3): controls, what is not shown, what is no character."""


def opaque_string(text: str) -> str:
    """A name or password as the OpaqueString profile has it (RFC 8265 section 4.2). Raises ValueError for what it forbids."""
    text = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in text)
    text = unicodedata.normalize("NFC", text)
    if not text or any(unicodedata.category(letter) in BANNED for letter in text):
        raise ValueError("a name or password that is empty or has characters that nobody sees")
    return text


def make_key(username: str, realm: str, password: str, algorithm: Algorithm = MD5) -> bytes:
    """The key of a message's HMAC (section 9.2.2). What is given must have been through ``opaque_string``, or be ASCII."""
    text = f"{username}:{realm}:{password}".encode()
    return hashlib.new(DIGESTS[algorithm], text, usedforsecurity=False).digest()


def user_hash(username: str, realm: str) -> bytes:
    """What stands for a name in USERHASH (section 14.4)."""
    return hashlib.sha256(f"{username}:{realm}".encode()).digest()


def nonce_cookie(features: int) -> bytes:
    """The first 13 bytes of a nonce of a server that has these security features (section 9.2)."""
    return COOKIE_HEAD + base64.b64encode(features.to_bytes(3, "big"))


def features_of(nonce: bytes) -> int | None:
    """The security features that a nonce tells of; None if it has no cookie, as those of servers before RFC 8489."""
    if not nonce.startswith(COOKIE_HEAD) or len(nonce) < COOKIE_SIZE:
        return None
    try:
        raw = base64.b64decode(nonce[len(COOKIE_HEAD) : COOKIE_SIZE], validate=True)
    except binascii.Error:
        return None
    return int.from_bytes(raw, "big") if len(raw) == 3 else None
