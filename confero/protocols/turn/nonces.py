"""Nonces that need no memory: the time, and a MAC that binds it to the client's address (RFC 8489 section 9.2)."""

from __future__ import annotations

import base64
import hmac

from confero.protocols.stun import nonce_cookie

from .types import Client, Random

STAMP_BYTES = 3
"""Whole seconds, modulo 194 days."""
MAC_BYTES = 9
"""Who guesses one of 72 bits gains nothing but to repeat what it could send anyway."""
SIZE = 13 + (STAMP_BYTES + MAC_BYTES) * 4 // 3
SPAN = 1 << 8 * STAMP_BYTES


class Nonces:
    """Makes them and knows them again. ``now`` is of one clock that never goes back."""

    def __init__(self, features: int, life_s: float, random: Random) -> None:
        self._cookie = nonce_cookie(features)
        self._life_s = life_s
        self._secret = random.randbytes(32)

    def make(self, client: Client, now: float) -> bytes:
        """29 bytes of printable ASCII. Two clients never get the same one."""
        stamp = (int(now) % SPAN).to_bytes(STAMP_BYTES, "big")
        return self._cookie + base64.b64encode(stamp + self._mac(stamp, client))

    def age(self, nonce: bytes, client: Client, now: float) -> int | None:
        """Seconds since we made it for this client; None if we did not."""
        if len(nonce) != SIZE:
            return None
        try:
            stamp = base64.b64decode(nonce[13:], validate=True)[:STAMP_BYTES]
        except ValueError:
            return None
        expected = self._cookie + base64.b64encode(stamp + self._mac(stamp, client))
        return (int(now) - int.from_bytes(stamp, "big")) % SPAN if hmac.compare_digest(expected, nonce) else None

    def is_fresh(self, age: int | None) -> bool:
        return age is not None and age <= self._life_s

    def _mac(self, stamp: bytes, client: Client) -> bytes:
        """The cookie is under it too: nobody takes a security feature off a nonce (9.2.1)."""
        ip, port = client.peer
        text = b"%b%b%b %b %d" % (self._cookie, stamp, client.transport.encode(), ip.encode(), port)
        return hmac.digest(self._secret, text, "sha256")[:MAC_BYTES]
