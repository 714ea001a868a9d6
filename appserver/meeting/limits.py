"""How much one participant, and everybody in a room together, may say in a while: what all are sent is bounded."""

from __future__ import annotations

from typing import Literal

from confero.clock import Clock
from confero.errors import Refused
from confero.ratelimit import Rate, RateLimiter

What = Literal["chat", "reaction", "hand"]

OWN: dict[What, Rate] = {"chat": Rate(10, 1.0), "reaction": Rate(10, 2.0), "hand": Rate(6, 0.5)}
"""Of one participant."""
ROOM: dict[What, Rate] = {"chat": Rate(60, 20.0), "reaction": Rate(60, 20.0), "hand": Rate(200, 20.0)}
"""Of all in one room: each is sent to everybody, and media's signalling goes the same way."""


class SpeechLimits:
    """``take`` before anything is written."""

    def __init__(self, clock: Clock) -> None:
        self._own = {what: RateLimiter(rate, clock) for what, rate in OWN.items()}
        self._room = {what: RateLimiter(rate, clock) for what, rate in ROOM.items()}

    def take(self, what: What, room: str, participant: str) -> None:
        """Raises Refused 429 ``too-many-requests``."""
        wait_s = self._own[what].take(participant) or self._room[what].take(room)
        if wait_s:
            words = "That was too much at once; try again in a moment."
            raise Refused(words, status=429, code="too-many-requests", retry_after_s=wait_s)
