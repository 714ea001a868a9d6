"""Why a request is refused: the error code, what goes with it, and the phrase that IANA has for it."""

from __future__ import annotations

from collections.abc import Mapping

from confero.protocols.stun import StunError
from confero.protocols.stun.attributes import Row

REASONS: Mapping[int, str] = {
    300: "Try Alternate",
    400: "Bad Request",
    401: "Unauthenticated",
    403: "Forbidden",
    420: "Unknown Attribute",
    437: "Allocation Mismatch",
    438: "Stale Nonce",
    440: "Address Family not Supported",
    441: "Wrong Credentials",
    442: "Unsupported Transport Protocol",
    443: "Peer Address Family Mismatch",
    446: "Connection Already Exists",
    447: "Connection Timeout or Failure",
    486: "Allocation Quota Reached",
    500: "Server Error",
    508: "Insufficient Capacity",
}
"""RFC 8489 section 14.8, RFC 8656 section 19, RFC 6062 section 6.3."""
TOLD = frozenset({401, 403, 441, 486, 508})
"""Codes that an operator may want to see."""


class Silence(StunError):
    """A request that is not answered; ``detail`` is the word under which it is counted."""


class Refusal(StunError):
    """A request that is not granted. ``rows`` are the attributes of the reply beside ERROR-CODE."""

    def __init__(self, status: int, detail: str, *rows: Row) -> None:
        super().__init__(detail, status=status)
        self.rows = rows
