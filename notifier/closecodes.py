"""What each code means with which a connection ends (docs/wire.md). Streams and polls name the same ones in their last message."""

from __future__ import annotations

LEFT = 1000
GONE = 1001
"""The browser has gone by itself."""
NOT_UTF8 = 1007
RESTARTING = 1012
MALFORMED = 4400
NO_TOKEN = 4401
NOT_ALLOWED = 4403
"""Also: removed from the room."""
NO_PONG = 4408
REPLACED = 4409
TOO_MANY = 4429
"""Also: a reader too slow."""
SERVICE_DOWN = 4503
CLOSE_CODES = frozenset(
    {LEFT, GONE, NOT_UTF8, RESTARTING, MALFORMED, NO_TOKEN, NOT_ALLOWED, NO_PONG, REPLACED, TOO_MANY, SERVICE_DOWN}
)
"""All that this service closes with."""
