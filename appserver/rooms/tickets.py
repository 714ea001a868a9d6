"""Join tokens: made for whoever gets a place, read when they come for it or come back."""

from __future__ import annotations

from dataclasses import dataclass

from confero.clock import Clock
from confero.tokens import TokenInvalid, sign, verify

JOIN = "join"
"""Kind of the tokens made here."""


@dataclass(frozen=True)
class Ticket:
    """What a join token says."""

    participant: str
    room: str
    expires: float
    """Unix time."""


class Tickets:
    """Signs and reads them. ``ttl_s``: how long one is good."""

    def __init__(self, clock: Clock, secret: bytes, ttl_s: float) -> None:
        self._clock = clock
        self._secret = secret
        self._ttl_s = ttl_s

    def give(self, participant: str, room: str) -> tuple[str, float]:
        """A token, and until when it is good."""
        expires = self._clock.wall() + self._ttl_s
        claims = {"sub": participant, "room": room}
        return sign(claims, kind=JOIN, secret=self._secret, expires=expires), expires

    def read(self, token: str, *, leeway: float = 0) -> Ticket:
        """Good still ``leeway`` seconds after its end. Raises TokenInvalid, TokenExpired."""
        claims = verify(token, kind=JOIN, secret=self._secret, now=self._clock.wall(), leeway=leeway)
        participant, room = claims.get("sub"), claims.get("room")
        if not isinstance(participant, str) or not isinstance(room, str):
            raise TokenInvalid
        return Ticket(participant, room, claims["exp"])
