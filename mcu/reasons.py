"""Why a leg ends: the words of docs/wire.md, and what follows from each."""

from __future__ import annotations

LEFT = "left"
REMOVED = "removed"
REPLACED = "replaced"
ROOM_CLOSED = "room-closed"
ENDED = "ended"
"""A host has ended the meeting for all."""
ICE_TIMEOUT = "ice-timeout"
DTLS_FAILED = "dtls-failed"
FINGERPRINT_MISMATCH = "fingerprint-mismatch"
MEDIA_TIMEOUT = "media-timeout"
BYE = "bye"
DRAINING = "draining"
OWNER_GONE = "owner-gone"
MOVED = "moved"
"""To another room: the leg goes on there."""

REASONS = frozenset(
    {
        LEFT,
        REMOVED,
        REPLACED,
        ROOM_CLOSED,
        ENDED,
        ICE_TIMEOUT,
        DTLS_FAILED,
        FINGERPRINT_MISMATCH,
        MEDIA_TIMEOUT,
        BYE,
        DRAINING,
        OWNER_GONE,
        MOVED,
    }
)

ASKABLE = frozenset({LEFT, REMOVED, OWNER_GONE, BYE})
"""What a caller of ``DELETE /v1/legs/{leg}`` may give as reason."""

TRY_AGAIN = frozenset({ICE_TIMEOUT, DTLS_FAILED, DRAINING})
"""The media was lost though nobody left: a browser that still has its WebSocket is asked for a fresh offer."""
